"""How wide a text is on a terminal, and lines of it that fit: Han, kana and emoji take two columns."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from functools import cache

# What may not begin a line, however little room is left.
_CLOSING = "、。，．：；？！）」』】》〉”’…々ーぁぃぅぇぉっゃゅょァィゥェォッャュョ"
# Emoji that it joins are drawn as one.
_JOINER = "\u200d"


@cache
def _of(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def columns(text: str) -> int:
    """How many columns a line takes."""
    if text.isascii():
        return len(text)
    if _JOINER in text:  # what follows a joiner is drawn into what stands before it
        text = re.sub(f"{_JOINER}.", "", text)
    return sum(map(_of, text))


def padded(text: str, width: int) -> str:
    """The text with spaces behind it up to so many columns."""
    return text + " " * (width - columns(text))


def cut(text: str, width: int) -> str:
    """The text in so many columns, an ellipsis at its end where it is longer."""
    if columns(text) <= width:
        return text
    return _beginning(text, max(width - 1, 1)).rstrip() + "…"


def _beginning(text: str, width: int) -> str:
    if text.isascii():
        return text[:width]
    at = taken = 0
    for char in text:
        taken += _of(char)
        if taken > width:
            break
        at += 1
    return text[:at]


def wrapped(text: str, width: int) -> list[str]:
    """Lines of so many columns at most, but for words and addresses that are longer.

    Between characters of two columns a line may end, as such scripts have no spaces. The first
    keeps its indentation.
    """
    if text.isascii():
        return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    lines: list[str] = []
    line = text[: len(text) - len(text.lstrip())]
    taken = columns(line)
    for word in text.split():
        gap = " " if line.strip() else ""
        for piece in _pieces(word):
            size = columns(piece)
            if line.strip() and taken + len(gap) + size > width:
                lines.append(line)
                line, taken, gap = "", 0, ""
            line, taken, gap = line + gap + piece, taken + len(gap) + size, ""
    return [*lines, line] if line.strip() else lines


def _pieces(word: str) -> list[str]:
    """A word where a line may end within it: behind each wide character and what belongs to it."""
    found: list[str] = []
    for char in word:
        size = _of(char)
        joined = bool(found) and (size == 0 or char in _CLOSING or found[-1].endswith(_JOINER))
        if joined or (found and size == 1 and _of(found[-1][0]) == 1):
            found[-1] += char
        else:
            found.append(char)
    return found
