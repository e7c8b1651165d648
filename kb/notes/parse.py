"""A note's bytes -> a Note: its passages, links, dates, terms and problems, each with its place.

pulldown-cmark's events carry byte ranges; they are folded into passages in one pass over a
stack of containers (bullets, quotes, footnotes), never by recursion, so that depth costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import pyromark

from kb.model import LinkForm, Note, Span
from kb.notes import facts, frontmatter, links
from kb.notes.leaves import Leaf
from kb.notes.passages import Builder
from kb.notes.source import read_source

_O = pyromark.Options
# No ENABLE_WIKILINKS: it reads `[[1]](url)`, a common way to cite, as a wikilink and loses the URL.
_OPTIONS = (
    _O.ENABLE_TABLES
    | _O.ENABLE_FOOTNOTES
    | _O.ENABLE_DEFINITION_LIST
    | _O.ENABLE_STRIKETHROUGH
    | _O.ENABLE_TASKLISTS
    | _O.ENABLE_HEADING_ATTRIBUTES
)
_LONE_CR = re.compile(rb"\r(?!\n)")
_LINKS = frozenset({"Link", "Image"})
_INLINE = _LINKS | {"Emphasis", "Strong", "Strikethrough"}


def parse(path: str, data: bytes, *, day_first: bool = False) -> Note:
    """Read one note. Never raises: what is wrong with it is in `problems`.

    `path` is relative to the notes folder; `day_first` reads 7/05/2023 as 7 May.
    """
    source = read_source(path, data)
    front = frontmatter.read(path, source.raw)
    known = facts.read(path, front, day_first=day_first)
    builder = Builder(path, source, known.noted, day_first=day_first)
    _Events(source.raw, front.body, builder).run()
    digest = blake2b(data, digest_size=16).hexdigest()
    return facts.assemble(path, digest, known, builder, [*source.problems, *front.problems])


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading at the top level of a note: 1 to 6, plain text, and its bytes."""

    level: int
    text: str
    span: Span


def outline(data: bytes) -> tuple[int, tuple[Heading, ...]]:
    """Offset of the body in the file, and the headings that are in no list or quote."""
    source = read_source("", data)
    body = frontmatter.split(source.raw)[2]
    builder = Builder("", source, None)
    _Events(source.raw, body, builder).run()
    headings = (Heading(level, text, source.span(start, end)) for level, text, start, end in builder.outline)
    return source.span(body, body).start, tuple(headings)


def definitions(data: bytes) -> list[tuple[int, int, int]]:
    """Uses of link definitions: (offset of the link, start and end of its definition), in the file."""
    source = read_source("", data)
    body = frontmatter.split(source.raw)[2]
    builder = Builder("", source, None)
    events = _Events(source.raw, body, builder)
    events.run()
    return [
        (source.span(at, at).start, source.span(*where).start, source.span(*where).end)
        for at, where in events.used
    ]


class _Events:
    """Drives a Builder from pulldown-cmark's events over the body of one note."""

    def __init__(self, raw: bytes, body: int, builder: Builder) -> None:
        self.raw = raw
        self.body = body
        self.builder = builder
        # pulldown-cmark takes a lone CR for a line end in some places only. Same length, same offsets.
        plain = _LONE_CR.sub(b"\n", raw[body:]) if b"\r" in raw else raw[body:]
        self.text = plain.decode("utf-8")
        self.used: list[tuple[int, tuple[int, int]]] = []
        # Label -> the bytes of the address, and those of the whole definition.
        self._definitions: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] | None = None

    def run(self) -> None:
        build, body, raw = self.builder, self.body, self.raw
        # Where the last piece inside of the open leaf ends: a link's `](` lies behind it.
        reached = 0
        open_links: list[tuple[int, int, Any]] = []
        event: Any  # the stubs' union of 40 typed dicts says less than the branches below
        extent: Any
        for event, extent in pyromark.events_with_range(self.text, options=_OPTIONS):
            start, end = extent["start"] + body, extent["end"] + body
            if type(event) is str:
                if event == "Rule":
                    build.rule()
                elif build.leaf is not None:
                    build.leaf.parts.append("\n" if event == "HardBreak" else " ")
                    reached = end
                continue
            name, value = event.popitem()
            if name == "Text":
                if build.verbatim is not None:
                    build.verbatim.append(value)
                else:
                    leaf = build.leaf or build.open(start)
                    leaf.parts.append(value)
                    leaf.end = reached = end
            elif name == "Start":
                kind, detail = (value, None) if type(value) is str else value.popitem()
                if kind in _LINKS:
                    leaf = build.leaf or build.open(start)
                    open_links.append((start, len(leaf.parts), detail))
                    reached = start + (2 if kind == "Image" else 1)
                elif kind in _INLINE:
                    leaf = build.leaf or build.open(start)
                    if kind == "Strong" and not leaf.parts:
                        leaf.leads = True
                else:
                    build.start(kind, detail, start)
            elif name == "End":
                kind = value if type(value) is str else value.popitem()[0]
                if kind not in _INLINE:
                    build.end(kind, end)
                elif build.leaf is not None:
                    if kind in _LINKS:
                        self._link(build.leaf, *open_links.pop(), kind == "Image", end, reached)
                    elif build.leaf.leads and not build.leaf.lead:
                        build.leaf.lead = "".join(build.leaf.parts)
                    build.leaf.end = reached = end
            elif name == "Code":
                (build.leaf or build.open(start)).code(value, start, end)
                reached = end
            elif name == "InlineHtml":
                (build.leaf or build.open(start)).tag(raw, start, end)
                reached = end
            elif name == "Html":
                build.html(start, end)
            elif name == "FootnoteReference":
                (build.leaf or build.open(start)).footnote(value, start, end)
                reached = end
        build.finish()

    def _link(
        self, leaf: Leaf, start: int, parts: int, detail: Any, image: bool, end: int, reached: int
    ) -> None:
        leaf.taken.append((start, end))
        kind, url = detail["link_type"], detail["dest_url"]
        form = LinkForm.IMAGE if image else LinkForm.INLINE
        place: tuple[int, int] | None
        if kind == "Inline":
            place = links.inline_destination(self.raw, reached, end)
        elif kind in ("Autolink", "Email"):
            place, form = (start + 1, end - 1), LinkForm.AUTOLINK
            url = f"mailto:{url}" if kind == "Email" else url
        else:
            place = self._definition(detail["id"], start)
            form = LinkForm.IMAGE if image else LinkForm.REFERENCE
        if place is not None:
            leaf.links.append((start, place, "".join(leaf.parts[parts:]), url, form))

    def _definition(self, name: str, at: int) -> tuple[int, int] | None:
        if self._definitions is None:
            known: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {}
            for key, definition in pyromark.reference_definitions(self.text, options=_OPTIONS).items():
                span = definition["span"]
                whole = span["start"] + self.body, span["end"] + self.body
                place = links.definition_destination(self.raw, *whole)
                if place is not None:
                    known.setdefault(links.label(key), (place, whole))
            self._definitions = known
        found = self._definitions.get(links.label(name))
        if found is None:
            return None
        self.used.append((at, found[1]))
        return found[0]
