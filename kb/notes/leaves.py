"""Inline runs -> plain text and links: what a paragraph, a heading or a table cell says.

Offsets are into the note's UTF-8 text.
"""

from __future__ import annotations

import html
import re
from operator import itemgetter

from kb.model.notes import Link, LinkForm
from kb.notes import links
from kb.notes.source import Source

_WIKILINK_TEXT = re.compile(
    r"!?\[\[([^\[\]|\n]{1,1000})(?:\|((?:[^\[\]\n]|\[[^\[\]\n]{0,200}\](?!\()){0,1000}))?\]\]"
)


class Leaf:
    """An open run of inline text: a paragraph, a heading, a table cell, a tight bullet.

    `links` are (offset met, bytes of the address, anchor, url, form); `taken` are the ranges
    that hold no bare URL: links, code, tags.
    """

    __slots__ = ("codes", "end", "kind", "lead", "leads", "links", "notes", "parts", "start", "tags", "taken")

    def __init__(self, kind: str, start: int) -> None:
        self.kind = kind
        self.start = self.end = start
        self.parts: list[str] = []
        self.links: list[tuple[int, tuple[int, int], str, str, LinkForm]] = []
        self.taken: list[tuple[int, int]] = []
        self.notes: list[str] = []
        self.codes: list[int] = []
        self.leads = False
        self.lead = ""
        self.tags: list[tuple[int, tuple[int, int], int]] = []

    def code(self, text: str, start: int, end: int) -> None:
        """A code span: text, but neither links nor dates."""
        self.codes.append(len(self.parts))
        self.parts.append(text)
        self.taken.append((start, end))
        self.end = end

    def footnote(self, name: str, start: int, end: int) -> None:
        """A reference to a footnote."""
        self.notes.append(name)
        self.taken.append((start, end))
        self.end = end

    def tag(self, raw: bytes, start: int, end: int) -> None:
        """An HTML tag among text; `<a href>` and `<img src>` are links."""
        self.end = end
        self.taken.append((start, end))
        tag = links.tag_address(raw, start, end)
        if tag is None:
            return
        name, place = tag
        if name == "img":
            if place is not None:
                self.links.append((start, place, "", "", LinkForm.IMAGE))
        else:
            self.close_tag(start)
            if name == "a" and place is not None:
                self.tags.append((start, place, len(self.parts)))

    def close_tag(self, end: int) -> None:
        """End the open `<a>`, if any: its words are the anchor, and no place for a bare URL."""
        if self.tags:
            start, place, parts = self.tags.pop()
            self.taken.append((start, end))
            self.links.append((start, place, "".join(self.parts[parts:]).strip(), "", LinkForm.HTML))


class Text:
    """A closed leaf: its words, those of them that may hold a date, its links and its place."""

    __slots__ = ("dated", "end", "lead", "links", "notes", "start", "text")

    def __init__(self, start: int, end: int, text: str, dated: str, found: list[Link]) -> None:
        self.start, self.end = start, end
        self.text, self.dated = text, dated
        self.links = found
        self.lead = ""
        self.notes: list[str] = []


def close(leaf: Leaf, source: Source) -> Text:
    """What an inline run says, its bare URLs and wikilinks found."""
    if leaf.tags:
        leaf.close_tag(leaf.end)
    parts = leaf.parts
    text = parts[0] if len(parts) == 1 else "".join(parts)
    found = leaf.links
    if source.hint(leaf.start, leaf.end) >= 0 and _add_bare(leaf, source):
        for index in leaf.codes:
            parts[index] = parts[index].replace("[[", "[\0[")
        text = _WIKILINK_TEXT.sub(lambda match: match[2] or match[1], "".join(parts))
        text = text.replace("[\0[", "[[")
    dated = text
    if leaf.codes:
        code = set(leaf.codes)
        dated = "".join(" " if index in code else part for index, part in enumerate(parts))
    if len(found) > 1:
        found.sort(key=_met)
    closed = Text(leaf.start, leaf.end, text.strip(), dated, [place(source, *link) for link in found])
    closed.notes = leaf.notes
    if leaf.lead:
        closed.lead = leaf.lead.strip()
    return closed


_met = itemgetter(0)


def _add_bare(leaf: Leaf, source: Source) -> bool:
    """Add what stands between the leaf's other links; whether any of it is a wikilink."""
    raw, wiki = source.raw, False
    if len(leaf.taken) > 1:
        leaf.taken.sort()
    for bare in links.bare(raw, leaf.start, leaf.end, leaf.taken, source.hint):
        wiki = wiki or bare.form is not LinkForm.BARE
        href = raw[bare.start : bare.end].decode()
        url = links.unescape(href)
        if url[:4].lower() == "www.":
            url = "http://" + url
        words = href if bare.anchor is None else bare.anchor
        leaf.links.append((bare.whole_start, (bare.start, bare.end), words, url, bare.form))
    return wiki


def place(source: Source, at: int, span: tuple[int, int], anchor: str, url: str, form: LinkForm) -> Link:
    """A Link met at `at` whose address lies at `span`."""
    start, end = span
    href = source.raw[start:end].decode("utf-8", "replace")
    return Link(source.line(at), source.span(start, end), anchor, href, url or html.unescape(href), form)
