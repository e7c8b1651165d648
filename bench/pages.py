"""Real HTML pages to measure on: the documentation that is installed on this machine."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

LEAST_BYTES = 2_000
MOST_BYTES = 2 * 1024 * 1024  # as much as kb reads of a page
PER_FOLDER = 400


def default_folders() -> list[Path]:
    """Where documentation lies: beside this Python, in the system's folder, in those of toolchains."""
    home = Path.home()
    folders = [
        Path(sys.prefix) / "share" / "doc",
        Path(sys.prefix) / "lib",
        Path("/usr/share/doc"),
        Path("/usr/share/gtk-doc"),
        *sorted(home.glob(".rustup/toolchains/*/share/doc/rust/html"))[-1:],
    ]
    return [folder for folder in folders if folder.is_dir()]


def pages(count: int, folders: Sequence[Path] = ()) -> list[Path]:
    """At most `count` pages, folders taking turns so that no one generator is all there is."""
    groups = [
        list(itertools.islice(_in(folder), PER_FOLDER)) for folder in _leaves(folders or default_folders())
    ]
    turns = (path for row in itertools.zip_longest(*groups) for path in row if path is not None)
    return list(itertools.islice(turns, count))


def _leaves(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        below = sorted(path for path in folder.iterdir() if path.is_dir())
        yield from below or [folder]


def _in(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.html"), key=lambda path: (len(path.parts), path.name)):
        size = path.stat().st_size if path.is_file() and not path.is_symlink() else 0
        if LEAST_BYTES <= size <= MOST_BYTES and "templates" not in path.parts:
            yield path
