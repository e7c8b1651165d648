"""A note's bytes -> a Note: its passages, links, dates, terms and problems, each with its place.

pulldown-cmark's events carry byte ranges; they are folded into passages in one pass over a
stack of containers (bullets, quotes, footnotes), never by recursion, so that depth costs nothing.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeAlias

import pyromark

from kb.model.notes import LinkForm, Note, Span
from kb.notes import asides, facts, frontmatter, links
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


# Label -> the bytes of the address, and those of the whole definition.
_Definitions: TypeAlias = "dict[str, tuple[tuple[int, int], tuple[int, int]]]"
_PARAGRAPH = {"Start": "Paragraph"}
_LABEL = re.compile(r"\[([^\[\]]{1,999})\]")
_FOOTNOTE_BEGINS = re.compile(r"(?m)^[ >]*\[\^([^\[\]\s]{1,200})\]:")
_FOOTNOTE = re.compile(r"\[\^([^\[\]\s]{1,200})\](?!:)")


class _Events:
    """Drives a Builder from pulldown-cmark's events over the body of one note."""

    _longer = False  # whether definitions were put behind the text

    def __init__(self, raw: bytes, body: int, builder: Builder) -> None:
        self.raw = raw
        self.body = body
        self.builder = builder
        # pulldown-cmark takes a lone CR for a line end in some places only. Same length, same offsets.
        plain = _LONE_CR.sub(b"\n", raw[body:]) if b"\r" in raw else raw[body:]
        self.used: list[tuple[int, tuple[int, int]]] = []
        self.asides: deque[tuple[int, int, str, _Inner]] = deque()
        if asides.may_hold(plain):
            plain = self._take_out(plain)
        self.text = plain.decode("utf-8")
        self._length = len(plain)
        self._definitions: _Definitions | None = None
        self._footnotes: frozenset[str] | None = None
        if self.asides:
            self._share(self._all_definitions())

    def origin(self, at: int) -> int:
        """Where in the note a byte of the text stands."""
        return at + self.body

    def _take_out(self, text: bytes, depth: int = 0) -> bytes:
        """Put admonitions aside; the text without their bodies."""
        paragraphs = [
            (extent["start"], extent["end"])
            for event, extent in pyromark.events_with_range(text.decode("utf-8"), options=_OPTIONS)
            if event == _PARAGRAPH
        ]
        found = asides.find(text, paragraphs)
        for one in found:
            inner = _Inner(self, one.body, depth + 1)
            self.asides.append((self.origin(one.marker), self.origin(one.end), one.title, inner))
        return asides.blanked(text, found)

    def _all_definitions(self) -> _Definitions:
        """Those of this text and of what is aside in it: a definition holds for the whole note."""
        known = self._own_definitions()
        for *_, inner in self.asides:
            for name, places in inner._all_definitions().items():
                known.setdefault(name, places)
        return known

    def _share(self, known: _Definitions) -> None:
        self._definitions = known
        lacking = self._lacking(known)
        self.text += lacking
        self._longer = bool(lacking)
        for *_, inner in self.asides:
            inner._share(known)

    def _lacking(self, known: _Definitions) -> str:
        """Definitions that this text uses, to stand at its end: without them `[x][y]` is no link."""
        names = {
            links.label(match[1]) for match in _LABEL.finditer(self.text)
        } - self._own_definitions().keys()
        lines = [self.raw[slice(*known[name][1])].decode("utf-8", "replace") for name in names & known.keys()]
        return "\n\n" + "\n".join(sorted(lines)) if lines else ""

    def footnotes(self) -> frozenset[str]:
        """Names of the note's footnotes; of more than there are, should one stand in code."""
        if self._footnotes is None:
            text = self.raw.decode("utf-8", "replace")
            self._footnotes = frozenset(match[1] for match in _FOOTNOTE_BEGINS.finditer(text))
        return self._footnotes

    def _events(self) -> Iterator[tuple[Any, Any]]:
        """Of the text alone: a fence that nobody closed runs on into what was put behind it."""
        events = pyromark.events_with_range(self.text, options=_OPTIONS)
        return self._within(events) if self._longer else iter(events)

    def _within(self, events: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
        whole = self.text.encode()
        for event, extent in events:
            start, end = extent["start"], extent["end"]
            if start < self._length < end and type(event) is not str and "Text" in event:
                yield {"Text": whole[start : self._length].decode("utf-8", "replace")}, extent
            elif start < self._length:
                yield event, extent

    def run(self) -> None:
        """Tell the builder all of the note."""
        self._fold()
        self.builder.finish()

    def _fold(self) -> None:
        build, body, raw = self.builder, self.body, self.raw
        aside = {marker for marker, *_ in self.asides}
        # Where the last piece inside of the open leaf ends: a link's `](` lies behind it.
        reached = 0
        open_links: list[tuple[int, int, Any]] = []
        event: Any  # the stubs' union of 40 typed dicts says less than the branches below
        extent: Any
        for event, extent in self._events():
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
                elif not aside or start not in aside:
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
                    while self.asides and self.asides[0][0] < end:
                        self._aside(*self.asides.popleft())
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

    def _aside(self, start: int, end: int, title: str, inner: _Inner) -> None:
        self.builder.begin_aside(start, title)
        inner._fold()
        self.builder.end_aside()

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
            self._definitions = self._own_definitions()
        found = self._definitions.get(links.label(name))
        if found is None:
            return None
        self.used.append((at, found[1]))
        return found[0]

    def _own_definitions(self) -> _Definitions:
        known: _Definitions = {}
        for key, definition in pyromark.reference_definitions(self.text, options=_OPTIONS).items():
            span = definition["span"]
            whole = self.origin(span["start"]), self.origin(span["end"])
            place = links.definition_destination(self.raw, *whole)
            if place is not None:
                known.setdefault(links.label(key), (place, whole))
        return known


class _Inner(_Events):
    """The events of an admonition's body, told where they stand in the note."""

    def __init__(self, outer: _Events, piece: asides.Piece, depth: int) -> None:
        self.raw, self.builder, self.used = outer.raw, outer.builder, outer.used
        self.body = 0
        self.asides = deque()
        self._outer, self._piece = outer, piece
        plain = piece.text
        if depth < asides.MAX_DEPTH and asides.may_hold(plain):
            plain = self._take_out(plain, depth)
        self.text = plain.decode("utf-8")
        self._length = len(plain)
        self._definitions = None

    def origin(self, at: int) -> int:
        return self._outer.origin(self._piece.origin(at))

    def _lacking(self, known: _Definitions) -> str:
        """Besides: the footnotes of the note that it refers to, else `[^x]` is text here."""
        names = {match[1] for match in _FOOTNOTE.finditer(self.text)}
        own = {match[1] for match in _FOOTNOTE_BEGINS.finditer(self.text)}
        footnotes = sorted(names & self.footnotes() - own) if names else ()
        return super()._lacking(known) + "".join(f"\n\n[^{name}]: ." for name in footnotes)

    def footnotes(self) -> frozenset[str]:
        return self._outer.footnotes()

    def _events(self) -> Iterator[tuple[Any, Any]]:
        for event, extent in super()._events():
            start, end = extent["start"], extent["end"]
            # An end is told by its last byte: behind it, another line may begin elsewhere.
            last = max(min(end, self._length) - 1, start)
            yield event, {"start": self.origin(start), "end": self.origin(last) + (end > start)}
