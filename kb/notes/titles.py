"""Fetched titles in the place of bare addresses. Pure: bytes in, bytes out."""

from __future__ import annotations

from collections.abc import Callable

from kb.model.notes import Link, LinkForm, Span
from kb.notes.edit import address, escape
from kb.notes.parse import parse
from kb.notes.source import read_source


def with_titles(data: bytes, title_of: Callable[[str], str | None]) -> bytes:
    """The note with `[title](address)` for every bare address that `title_of` knows a title of.

    Every other byte stays. A link that would not then be read as meant is left as it is, as are
    notes that are not UTF-8.
    """
    if not read_source("note.md", data).faithful:
        return data
    bare = (LinkForm.BARE, LinkForm.AUTOLINK)
    # From the end, so that the places before it still hold.
    links = sorted(
        (link for link in parse("note.md", data).links if link.form in bare),
        key=lambda link: -link.span.start,
    )
    for link in links:
        title = title_of(link.url)
        if title and title.strip() and title != link.url:
            data = _with_title(data, link, " ".join(title.split()))
    return data


def _with_title(data: bytes, link: Link, title: str) -> bytes:
    start, end = link.span.start, link.span.end
    if link.form is LinkForm.AUTOLINK:
        if data[start - 1 : start] != b"<" or data[end : end + 1] != b">":
            return data
        start, end = start - 1, end + 1
    target = address(link.url)
    head = f"[{escape(title)}]("
    changed = data[:start] + f"{head}{target})".encode() + data[end:]
    at = start + len(head.encode())
    place = Span(at, at + len(target.encode()))
    before = len(parse("note.md", data).links)
    after = parse("note.md", changed).links
    read = any(one.span == place and one.form is LinkForm.INLINE and one.url == link.url for one in after)
    return changed if read and len(after) == before else data
