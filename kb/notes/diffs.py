"""Two versions of a note as a diff. Pure."""

from __future__ import annotations

import difflib
import re


def diff(path: str, before: bytes, after: bytes) -> str:
    """A unified diff that `git apply` and `patch -p1` take in the notes folder; '' where nothing differs."""
    lines = difflib.unified_diff(_lines(before), _lines(after), f"a/{path}", f"b/{path}")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _lines(data: bytes) -> list[str]:
    # Not splitlines: only a line feed ends a line for those who read a diff.
    return [line for line in re.split(r"(?<=\n)", data.decode("utf-8", "replace")) if line]
