"""Where the bytes of a link's address lie: byte scanners over Markdown and HTML source.

Offsets are into the note's UTF-8 text. Every function runs in time linear in what it is given.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from kb.model.notes import LinkForm


class Address(NamedTuple):
    """An address found in source: its bytes, and where the whole construct begins."""

    start: int
    end: int
    whole_start: int
    form: LinkForm
    anchor: str | None = None


_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_SPACE = b" \t\r\n"
_PLAIN_DESTINATION = re.compile(rb"([^\x00-\x20()\\<][^\x00-\x20()\\]*)[\x00-\x20)]")
_PLAIN_RUN = re.compile(rb"[^\x00-\x20()\\]*")


def unescape(text: str) -> str:
    """What an address means once Markdown's backslashes and HTML's entities are undone."""
    if "&" in text:
        # Entities first: `&amp;` may not come from an escaped `\\&`, which stays itself.
        parts = re.split(r"(\\&)", text)
        text = "".join(part if part == "\\&" else html.unescape(part) for part in parts)
    return _ESCAPE.sub(r"\1", text) if "\\" in text else text


# -- addresses of Markdown links ---------------------------------------------------------------


def destination(raw: bytes, start: int, end: int) -> tuple[int, int] | None:
    """The address at `start` or after the blanks there, brackets `<>` left out.

    A line break may be followed by the `>` of the block quote that holds the link.
    """
    at = start
    fresh = False
    while at < end and (raw[at] in _SPACE or (fresh and raw[at] == 0x3E)):
        fresh = fresh or raw[at] in b"\r\n"
        at += 1
    if at < end and raw[at] == 0x3C:  # <
        first = at = at + 1
        while at < end and raw[at] != 0x3E:
            at += 2 if raw[at] == 0x5C else 1
        return first, min(at, end)
    first, depth = at, 0
    plain = _PLAIN_RUN.match(raw, at, end)
    at = plain.end() if plain is not None else at
    while at < end:
        byte = raw[at]
        if byte <= 0x20:
            break
        if byte == 0x5C:
            at += 2
            continue
        if byte == 0x28:
            depth += 1
        elif byte == 0x29:
            if not depth:
                break
            depth -= 1
        at += 1
    return first, min(at, end)


def inline_destination(raw: bytes, text_end: int, end: int) -> tuple[int, int] | None:
    """The address of `[text](address)`, given where its text's last piece ends."""
    opening = raw.find(b"](", text_end, end)
    if opening < 0:
        return None
    plain = _PLAIN_DESTINATION.match(raw, opening + 2, end)
    return plain.span(1) if plain is not None else destination(raw, opening + 2, end)


def definition_destination(raw: bytes, start: int, end: int) -> tuple[int, int] | None:
    """The address of `[label]: address`, which lies in [start, end)."""
    at = raw.find(b"[", start, end) + 1
    while at < end and raw[at] != 0x5D:
        at += 2 if raw[at] == 0x5C else 1
    if raw[at + 1 : at + 2] != b":":
        return None
    return destination(raw, at + 2, end)


def label(text: str) -> str:
    """A reference's label as CommonMark compares it."""
    return " ".join(text.split()).casefold()


# -- bare addresses and wikilinks ----------------------------------------------------------------

# Full-width and typographic punctuation that closes a sentence rather than belongs to a URL.
_CLOSERS = "".join(
    chr(code)
    for first, last in (
        (0x3000, 0x3004), (0x3008, 0x3020), (0x3030, 0x3030), (0x303D, 0x303F), (0xFF01, 0xFF0F),
        (0xFF1A, 0xFF20), (0xFF3B, 0xFF40), (0xFF5B, 0xFF65), (0x2018, 0x201F), (0x2026, 0x2026),
        (0x2014, 0x2015), (0x00A0, 0x00A0), (0x00AB, 0x00AB), (0x00BB, 0x00BB), (0x2000, 0x200F),
        (0x2028, 0x202F), (0x2039, 0x203A), (0x2060, 0x2060), (0xFEFF, 0xFEFF),
    )
    for code in range(first, last + 1)
)  # fmt: skip
_CLOSER_BYTES = b"|".join(re.escape(char.encode()) for char in _CLOSERS)

_START = re.compile(
    rb"(?<![A-Za-z0-9+.-])(?:https?://|ftp://)(?=[A-Za-z0-9\[\x80-\xff])"
    rb"|(?<![A-Za-z0-9+./@_-])www\.(?=[A-Za-z0-9\x80-\xff])"
    rb"|(?<![A-Za-z0-9+./@_-])mailto:(?=[A-Za-z0-9._%+-]+@[A-Za-z0-9])"
    rb"|\[\[",
    re.IGNORECASE,
)
# Possessive: a way back kept for each byte would take a hundred times the URL's own size.
_BODY = re.compile(rb"(?:[!#-;=?-_a-{}~]++|(?!" + _CLOSER_BYTES + rb")[\x80-\xff])*+")
# The words may hold brackets in pairs, `[[Note|a [b] c]]`; a name holds none.
_WIKILINK = re.compile(
    rb"\[\[([^\[\]|\r\n]{1,1000}?)(?:\\?\|((?:[^\[\]\r\n]|\[[^\[\]\r\n]{0,200}\](?!\()){0,1000}))?\]\]"
)
_TRAILING = b"?!.,:;*_~'\\"
_ENTITY = re.compile(rb"&[A-Za-z0-9]{1,31};\Z")
_HOST_END = re.compile(rb"[/?#]")
_BRACKET = re.compile(rb"[()\[\]{}]")
_PAIRS = {0x29: 0x28, 0x5D: 0x5B, 0x7D: 0x7B}


def bare(
    raw: bytes, start: int, end: int, taken: Sequence[tuple[int, int]], hint: Callable[[int, int], int]
) -> Iterator[Address]:
    """Bare URLs and wikilinks in [start, end), outside of the `taken` ranges (sorted).

    GFM's extended autolinks, and besides: a URL stops before full-width and closing punctuation,
    and before a bracket that it did not open; a host needs its scheme or `www.`. `hint` tells
    where in a range the first `://`, `www.`, `mailto:` or `[[` stands, or -1.
    """
    at, index = start, 0
    while (near := hint(at, end)) >= 0:
        while index < len(taken) and taken[index][1] <= near:
            at = max(at, taken[index][1])
            index += 1
        if index < len(taken) and taken[index][0] <= near:
            at = max(at, taken[index][1])
        else:
            stop = taken[index][0] if index < len(taken) else end
            yield from _bare_in(raw, at, stop, hint)
            at = stop


# The longest that stands before its hint: `https` before `://`.
_SCHEME = 5


def _bare_in(raw: bytes, at: int, end: int, hint: Callable[[int, int], int]) -> Iterator[Address]:
    while (near := hint(at, end)) >= 0:
        match = _START.search(raw, max(at, near - _SCHEME), end)
        if match is None:
            return
        first, at = match.start(), match.end()
        if match.group() == b"[[":
            wiki = _WIKILINK.match(raw, first, end)
            if wiki is None or raw[first - 1 : first] == b"\\":
                at = first + 1
                continue
            at = wiki.end()
            target = wiki.group(1)
            left = wiki.start(1) + len(target) - len(target.lstrip())
            right = wiki.start(1) + len(target.rstrip())
            if left < right:
                image = raw[first - 1 : first] == b"!"
                form = LinkForm.IMAGE if image else LinkForm.WIKILINK
                words = (wiki.group(2) or target).decode("utf-8", "replace").strip()
                yield Address(left, right, first, form, words)
            continue
        body = _BODY.match(raw, at, end)
        last = _trim(raw, at, body.end() if body else at)
        host = _HOST_END.split(raw[at:last], maxsplit=1)[0]
        if host and (match.group().lower() != b"www." or b"." in host):
            yield Address(first, last, first, LinkForm.BARE)
        at = max(last, at)


def _trim(raw: bytes, start: int, end: int) -> int:
    """The end of a URL whose tail begins at `start`: closing punctuation is the sentence's."""
    depth = {0x28: 0, 0x5B: 0, 0x7B: 0}
    for match in _BRACKET.finditer(raw, start, end):
        byte = raw[match.start()]
        if byte in depth:
            depth[byte] += 1
        elif not depth[_PAIRS[byte]]:
            end = match.start()
            break
        else:
            depth[_PAIRS[byte]] -= 1
    while end > start:
        byte = raw[end - 1]
        if byte == 0x3B and (entity := _ENTITY.search(raw, max(start, end - 33), end)):
            # A query may end in an entity's look-alike; GFM too gives it to the sentence.
            end = entity.start()
        elif byte in _TRAILING:
            end -= 1
        elif depth.get(byte):
            depth[byte] -= 1
            end -= 1
        else:
            break
    return end


# -- raw HTML ------------------------------------------------------------------------------------

_HIDDEN = re.compile(
    rb"<!--.*?(?:-->|\Z)|<(script|style|template)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE
)
_TAG = re.compile(
    rb"<(a|img|/a)(?=[\s>/])((?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)>",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    rb"(?<![\w-])(href|src)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'=<>`]+))|\"[^\"]*\"|'[^']*'",
    re.IGNORECASE,
)
_ANY_TAG = re.compile(rb"<[/!?A-Za-z][^<>]*>")


def blank_hidden(source: bytes) -> bytes:
    """HTML with comments, scripts and styles blanked, every other byte in its place."""
    if b"<!--" not in source and not re.search(rb"<(?:script|style|template)\b", source, re.IGNORECASE):
        return source
    return _HIDDEN.sub(lambda match: re.sub(rb"[^\r\n]", b" ", match.group()), source)


def tag_address(raw: bytes, start: int, end: int) -> tuple[str, tuple[int, int] | None] | None:
    """(`a`, `img` or `/a`, the bytes of its href or src) of one HTML tag; None for any other tag."""
    match = _TAG.match(raw, start, end)
    if match is None:
        return None
    name = match.group(1).decode().lower()
    wanted = b"src" if name == "img" else b"href"
    for attribute in _ATTRIBUTE.finditer(raw, match.start(2), match.end(2)):
        if attribute.group(1) and attribute.group(1).lower() == wanted:
            left, right = next(span for span in map(attribute.span, (2, 3, 4)) if span[0] >= 0)
            while left < right and raw[left] in _SPACE:
                left += 1
            while left < right and raw[right - 1] in _SPACE:
                right -= 1
            return name, (left, right)
    return name, None


def html_addresses(source: bytes) -> Iterator[Address]:
    """Links and images in a block of HTML (comments already blanked)."""
    at = 0
    while (match := _TAG.search(source, at)) is not None:
        at = match.end()
        tag = tag_address(source, match.start(), match.end())
        if tag is None or tag[1] is None:
            continue
        left, right = tag[1]
        if tag[0] == "img":
            yield Address(left, right, match.start(), LinkForm.IMAGE, "")
        else:
            close = re.compile(rb"</?a[\s>]", re.IGNORECASE).search(source, at)
            words = strip_tags(source[at : close.start() if close else at])
            yield Address(left, right, match.start(), LinkForm.HTML, words)


def strip_tags(source: bytes) -> str:
    """The words of a piece of HTML, on one line."""
    return " ".join(html.unescape(_ANY_TAG.sub(b" ", source).decode("utf-8", "replace")).split())
