"""Whether files are as they were, told by their stamps alone. Asked before every search, so it is light."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path


def signature(paths: Iterable[Path]) -> str:
    """Size and mtime of each file: whether to read them again at all."""
    return " ".join(_signatures(paths))


def _signatures(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            yield "-"
        else:
            yield f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"
