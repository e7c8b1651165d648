"""Admonitions (`!!! note`, `??? tip`) and content tabs (`=== "Tab"`), which CommonMark does not know.

Their body is indented by four columns below a marker line: the site renders it as Markdown, where
CommonMark sees code. Here the body is taken out as a text of its own, with the way back to where
each of its lines stood, and blanked where it was, every byte keeping its place.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

#: Admonitions in admonitions are looked for so deep; what lies deeper is left as it is.
MAX_DEPTH = 8

_MARKER = re.compile(
    rb"(?P<quote>(?:[ ]{0,3}>[ ]?)*)(?P<indent>[ \t]*)"
    rb"(?:!!! ?[\w\-\x80-\xff]+(?: +[\w\-\x80-\xff]+)*(?: +\"(?P<admonition>[^\r\n]*?)\")?"
    rb"|\?\?\?\+?(?: ?[\w\-\x80-\xff]+(?: +[\w\-\x80-\xff]+)*)?(?: +\"(?P<details>[^\r\n]*?)\")?"
    rb"|===[!+]? ?\"(?P<tab>[^\r\n]*?)\")[ \t]*\r?(?:\n|\Z)",
)
_LIKE_MARKER = re.compile(rb"(?:\A|\n)[ \t>]*(?:!!!|\?\?\?|===[!+]? ?\")")
_LINE = re.compile(rb"[^\n]*\n|[^\n]+\Z")
_BLANKS = bytes(byte if byte in b"\r\n" else 0x20 for byte in range(256))


class Piece(NamedTuple):
    """A text put together of a note's lines: `starts` in it, `origins` of the same bytes in the note."""

    text: bytes
    starts: list[int]
    origins: list[int]

    def origin(self, at: int) -> int:
        """Where in the note's text the byte at `at` stands."""
        index = bisect_right(self.starts, at) - 1
        return self.origins[index] + at - self.starts[index]


class Aside(NamedTuple):
    """An admonition: where its marker stands, where its body ends, its title, and what is in it."""

    marker: int
    end: int
    title: str
    body: Piece


def may_hold(text: bytes) -> bool:
    """A quick look: whether any line begins as a marker does."""
    return (b"!!!" in text or b"???" in text or b"===" in text) and _LIKE_MARKER.search(text) is not None


def find(text: bytes, paragraphs: Sequence[tuple[int, int]]) -> list[Aside]:
    """Admonitions whose marker stands in one of these paragraphs (so not in code), outermost alone."""
    found: list[Aside] = []
    starts = [start for start, _ in paragraphs]
    at = 0
    while (near := _LIKE_MARKER.search(text, at)) is not None:
        line = near.start() + 1 if text[near.start() : near.start() + 1] == b"\n" else near.start()
        marker = _MARKER.match(text, line)
        at = near.end()
        if marker is None or len(marker["indent"].expandtabs(4)) % 4:
            continue
        first = marker.end("indent")
        inside = bisect_right(starts, first) - 1
        if inside < 0 or first >= paragraphs[inside][1]:
            continue
        aside = _aside(text, marker, first)
        found.append(aside)
        at = max(aside.end - 1, near.end())
    return found


def _aside(text: bytes, marker: re.Match[bytes], first: int) -> Aside:
    group = next((name for name in ("admonition", "details", "tab") if marker[name] is not None), None)
    pieces: list[bytes] = []
    starts: list[int] = []
    origins: list[int] = []
    size = 0

    def add(piece: bytes, origin: int) -> None:
        nonlocal size
        starts.append(size)
        origins.append(origin)
        pieces.append(piece)
        size += len(piece)

    if group is not None and any(sign in marker[group] for sign in (b"](", b"[[", b"://", b"<")):
        add(marker[group], marker.start(group))
        add(b"\n\n", marker.end(group))
    quotes = marker["quote"].count(b">")
    quote = re.compile(rb"(?:[ ]{0,3}>[ ]?){%d}" % quotes)
    columns = len(marker["indent"].expandtabs(4)) + 4
    end = marker.end()
    waiting: list[tuple[bytes, int]] = []  # blank lines, which are of the body only if more of it follows
    at = end
    while (line := _LINE.match(text, at)) is not None:
        head = quote.match(text, at, line.end())
        if head is None:
            break
        start, at = head.end(), line.end()
        blank = not text[start:at].strip()
        inner = _unindented(text, start, at, columns)
        if inner is None and not blank:
            break
        waiting.append(
            (text[at - 1 : at] if inner is None else text[inner:at], at - 1 if inner is None else inner)
        )
        if not blank:
            for piece, origin in waiting:
                add(piece, origin)
            waiting, end = [], at
    title = _words(marker[group].decode("utf-8", "replace")) if group is not None else ""
    return Aside(first, end, title, Piece(b"".join(pieces), starts or [0], origins or [end]))


_LINK = re.compile(r"\[([^\[\]]*)\]\([^()]*\)")
_MARKS = re.compile(r"[*_`]+(?=\S)|(?<=\S)[*_`]+")


def _words(title: str) -> str:
    """A title without its Markdown."""
    return " ".join(_MARKS.sub("", _LINK.sub(r"\1", title)).split())


def _unindented(text: bytes, start: int, end: int, columns: int) -> int | None:
    """Where a line goes on after so many columns of indentation; None where it has fewer."""
    column = 0
    while column < columns:
        byte = text[start] if start < end else 0
        if byte == 0x20:
            column += 1
        elif byte == 0x09:
            column += 4 - column % 4
        else:
            return None
        start += 1
    return start


def blanked(text: bytes, asides: Sequence[Aside]) -> bytes:
    """The text with each aside blank but for a `!` where its marker begins: a paragraph stands there."""
    pieces: list[bytes] = []
    done = 0
    for aside in asides:
        pieces += (text[done : aside.marker], b"!", _blank(text[aside.marker + 1 : aside.end]))
        done = aside.end
    return b"".join([*pieces, text[done:]])


_QUOTED = re.compile(rb"(?m)^((?:[ ]{0,3}>[ ]?)+)")


def _blank(text: bytes) -> bytes:
    """Blank but for line ends and the marks of quotes, which keep a quote whole."""
    plain = text.translate(_BLANKS)
    if b">" not in text:
        return plain
    kept = bytearray(plain)
    for match in _QUOTED.finditer(text):
        kept[match.start() : match.end()] = match.group()
    return bytes(kept)
