"""Blocks -> passages: what belongs together, under which headings and bullets, with which date.

A passage is cut by structure alone. What it needs to be understood travels with it: the
headings above, the bullets it hangs under, the sentence that introduces a list, a quote or a
piece of code, a table's column names, the sentence that a footnote belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kb.model.dates import When
from kb.model.notes import Link, Passage, PassageKind
from kb.model.reports import Problem, Severity
from kb.notes import dates, leaves, links
from kb.notes.frames import Frame, introduces, joined, last_sentence
from kb.notes.leaves import Leaf, Text
from kb.notes.source import Source

# The nearest parents are kept: further out, nesting is not meaning, and tuples would grow as n^2.
MAX_PARENTS = 8
# A line after or before a quote that is longer than this is a paragraph, not who said it.
MAX_ATTRIBUTION = 200
# No server takes a longer one; what is longer is a picture's bytes (`data:`) or a mistake.
MAX_ADDRESS = 8 * 1024

_ATTRIBUTION = re.compile(r"(?:—|–|―|--)\s*\S")
_ATTRIBUTES = re.compile(r"\s*\{:[^{}]*\}\s*\Z")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_URL_TEXT = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://|www\.)\S+")


class Builder:
    """Gathers passages from the blocks of one note, told in document order.

    `passages` is complete, and in order of place, after `finish`. `outline` lists the headings
    at the top level: level, text, start and end. `leads` maps a passage's start in the file to
    the bold words it begins with.
    """

    def __init__(self, path: str, source: Source, noted: When | None, *, day_first: bool = False) -> None:
        self.path, self.source = path, source
        self._all_short = len(source.raw) <= MAX_ADDRESS
        self.day_first = day_first
        self.leaf: Leaf | None = None
        self.verbatim: list[str] | None = None
        self.outline: list[tuple[int, str, int, int]] = []
        self.problems: list[Problem] = []
        self.passages: list[Passage] = []
        self.leads: dict[int, str] = {}
        self._stack = [Frame("document", 0)]
        self._noted = self._note_noted = noted
        self._headings: list[tuple[int, str, When | None]] = []
        self._path: tuple[str, ...] = ()
        self._waiting: list[tuple[int, Text, tuple[str, ...], When | None]] = []
        self._start = self._level = self._html_end = 0
        self._header: list[Text] = []
        self._row: list[Text] = []
        self._title: Text | None = None
        self._references: dict[str, int] = {}
        self._footnotes: list[tuple[int, int, str]] = []
        self._warned_nesting = self._warned_joined = False

    def open(self, start: int, kind: str = "tight") -> Leaf:
        """Open a run of inline text."""
        self.leaf = Leaf(kind, start)
        return self.leaf

    def start(self, kind: str, detail: Any, start: int) -> None:
        """A block begins at `start`."""
        if self.leaf is not None:
            self._close()
        frame = self._stack[-1]
        if kind in ("Paragraph", "TableCell", "DefinitionListTitle"):
            self.open(start, kind)
        elif kind == "Heading":
            self.open(start, kind)
            self._level, self._start = int(detail["level"][1]), start
        elif kind == "Item":
            self._item(frame, start)
        elif kind == "BlockQuote":
            if frame.kind == "quote":
                frame.mark += 1
            else:
                self._push(Frame("quote", start))
        elif kind == "DefinitionListDefinition":
            self._push(Frame("definition", start, name=self._title))
        elif kind == "FootnoteDefinition":
            self._push(Frame("footnote", start, label=str(detail), mark=len(self.passages)))
        elif kind in ("CodeBlock", "HtmlBlock", "Table", "TableHead", "TableRow"):
            self._start = start
            self._row = []
            if kind == "CodeBlock":
                self.verbatim = []
            if kind in ("CodeBlock", "Table"):
                frame.close_own()

    def end(self, kind: str, end: int) -> None:
        """The block opened last ends at `end`."""
        if self.leaf is not None:
            self._close()
        frame = self._stack[-1]
        if kind == "Item":
            self._end_own(PassageKind.BULLET)
        elif kind == "BlockQuote":
            if frame.mark:
                frame.mark -= 1
            else:
                self._end_quote()
        elif kind == "DefinitionListDefinition":
            self._end_definition()
        elif kind == "FootnoteDefinition":
            self._stack.pop()
            self._footnotes.append((frame.mark, len(self.passages), frame.label))
        elif kind == "CodeBlock":
            self._end_code(frame, end)
        elif kind == "HtmlBlock":
            self._end_html(frame)
        elif kind in ("TableHead", "TableRow"):
            self._end_row(frame, end, head=kind == "TableHead")
        elif kind in ("List", "Table", "DefinitionList"):
            frame.forget()

    def begin_aside(self, start: int, title: str) -> None:
        """An admonition begins: its title goes with each passage in it."""
        self._push(Frame("aside", start))
        frame = self._stack[-1]
        if title:
            frame.parents = (*frame.parents, title)[-MAX_PARENTS:]

    def end_aside(self) -> None:
        """The admonition ends."""
        self._close()
        self._stack.pop()
        self._stack[-1].forget()

    def html(self, start: int, end: int) -> None:
        """A line of the open HTML block."""
        self._html_end = end

    def rule(self) -> None:
        """A thematic break: what stood before introduces nothing after it."""
        self._close()
        self._stack[-1].forget()

    def finish(self) -> None:
        """The note ends: hand down what only the whole note tells, and sort by place."""
        self._close()
        self._flush_headings(0)
        for first, last, label in self._footnotes:
            using = self._references.get(label)
            if using is not None and not first <= using < last:
                above = self.passages[using].text
                for index in range(first, last):
                    parents = (above, *self.passages[index].parents)[:MAX_PARENTS]
                    self.passages[index] = replace(self.passages[index], parents=parents)
        self.passages.sort(key=lambda passage: passage.span.start)

    # -- inline text -----------------------------------------------------------------------------

    def _close(self) -> None:
        leaf, self.leaf = self.leaf, None
        if leaf is None:
            return
        text = leaves.close(leaf, self.source)
        frame = self._stack[-1]
        if leaf.kind == "TableCell":
            self._row.append(text)
        elif leaf.kind == "DefinitionListTitle":
            self._title = text
        elif leaf.kind == "Heading" and frame.kind == "document":
            self._heading(text)
        elif text.text or text.links:
            self._deliver(frame, text)

    def _deliver(self, frame: Frame, text: Text) -> None:
        """Give a closed text to the container it stands in."""
        quote = frame.quote_at
        frame.forget()
        frame.intro, frame.handed = text, None
        if quote is not None and len(text.text) <= MAX_ATTRIBUTION and _ATTRIBUTION.match(text.text):
            said = self.passages[quote]
            self.passages[quote] = replace(
                said,
                text=f"{said.text}\n{text.text}",
                span=replace(said.span, end=self.source.span(text.end, text.end).end),
                links=(*said.links, *text.links),
            )
        elif frame.kind in ("document", "footnote", "aside"):
            frame.intro_at = len(self.passages)
            self._emit(PassageKind.PARAGRAPH, text.start, text.end, [text], frame.parents, frame.date)
        else:
            frame.texts.append(text)

    def _heading(self, text: Text) -> None:
        words = _ATTRIBUTES.sub("", text.text)
        self._flush_headings(self._level)
        while self._headings and self._headings[-1][0] >= self._level:
            self._headings.pop()
        above = self._headings[-1][2] if self._headings else self._note_noted
        year = int(above.first[:4]) if above is not None else None
        dated = dates.heading_date(words, day_first=self.day_first, year=year)
        path = tuple(heading[1] for heading in self._headings if heading[1])
        self._noted = dated or above
        self._headings.append((self._level, words, self._noted))
        self._path = (*path, words) if words else path
        self.outline.append((self._level, words, self._start, text.end))
        self._stack[0].handed = None
        self._stack[0].forget()
        text.text = words
        if text.links:
            self._emit_heading(text, path, self._noted)
        elif words:
            self._waiting.append((self._level, text, path, self._noted))

    def _flush_headings(self, level: int) -> None:
        """Headings with nothing under them are passages, else a search would miss them."""
        waiting, self._waiting = self._waiting, []
        for heading in waiting:
            if heading[0] >= level:
                self._emit_heading(*heading[1:])
            else:
                self._waiting.append(heading)

    def _emit_heading(self, text: Text, path: tuple[str, ...], noted: When | None) -> None:
        current = self._path, self._noted, self._waiting
        self._path, self._noted = path, noted
        self._emit(PassageKind.HEADING, text.start, text.end, [text], (), None)
        self._path, self._noted, self._waiting = current

    # -- containers ------------------------------------------------------------------------------

    def _push(self, frame: Frame) -> None:
        above = self._stack[-1]
        above.close_own()
        frame.parents, frame.date = self._hand_down(above)
        self._stack.append(frame)

    def _hand_down(self, frame: Frame) -> tuple[tuple[str, ...], When | None]:
        """Parents and date for what stands inside of `frame` at this point."""
        if frame.handed is None:
            texts, above = frame.texts, ""
            if frame.kind == "bullet":
                above = joined(texts)
            elif frame.kind == "definition" and frame.name is not None:
                above = ": ".join(filter(None, (frame.name.text, joined(texts))))
            elif introduces(frame.intro):
                assert frame.intro is not None  # noqa: S101 - what introduces just said, for mypy
                texts, above = [frame.intro], frame.intro.text
            else:
                texts = []
            parents = (*frame.parents, above)[-MAX_PARENTS:] if above else frame.parents
            frame.handed = parents, self._find(texts, frame.date) or frame.date
        return frame.handed

    def _item(self, above: Frame, start: int) -> None:
        raw = self.source.raw
        # An item's range may begin with the line end, and in a quote the `>`, before its marker.
        while start < len(raw) and raw[start] in b" \t\r\n>":
            start += 1
        # Each warning is given once a note; until then each nested bullet is measured.
        column = 0
        if not self._warned_nesting:
            before = raw[self.source.line_start(start) : start]
            column = len(before.expandtabs(4))
            if above.kind == "bullet" and 0 < column - above.mark < 4:
                self._warned_nesting = True
                self._warn(
                    start,
                    "a bullet is nested by less than four columns: MkDocs renders it flat",
                    "indent nested bullets by four spaces or a tab",
                )
        if (
            above.intro is not None
            and above.kind in ("document", "quote", "aside")
            and not self._warned_joined
        ):
            between = raw[above.intro.end : start]
            if len(between) < 100 and len(_LINE_END.findall(between)) == 1 and not between.strip(b" \t\r\n>"):
                self._warned_joined = True
                self._warn(
                    start,
                    "a list follows a paragraph without a blank line: MkDocs renders it as text",
                    "put a blank line before it",
                )
        self._push(Frame("bullet", start, mark=column))

    def _not_too_long(self, text: Text) -> list[Link]:
        """Its links but those whose address is none; a picture that is its own (`data:`) needs no word."""
        kept: list[Link] = []
        for link in text.links:
            size = link.span.end - link.span.start
            if size <= MAX_ADDRESS:
                kept.append(link)
            elif link.href[:5].lower() != "data:":
                message = f"an address of {size:,} bytes is left out; kb reads up to {MAX_ADDRESS:,}"
                self.problems.append(Problem(self.path, link.line, Severity.WARNING, message))
        return kept

    def _warn(self, at: int, message: str, hint: str) -> None:
        self.problems.append(Problem(self.path, self.source.line(at), Severity.WARNING, message, hint))

    def _end_own(self, kind: PassageKind) -> None:
        frame = self._stack.pop()
        if frame.texts:
            end = frame.texts[-1].end if frame.own_end is None else frame.own_end
            self._emit(kind, frame.start, end, frame.texts, frame.parents, frame.date)

    def _end_quote(self) -> None:
        frame, above = self._stack.pop(), self._stack[-1]
        intro, at = above.intro, above.intro_at
        above.forget()
        if not frame.texts:
            return
        above.quote_at = len(self.passages)
        end = frame.texts[-1].end if frame.own_end is None else frame.own_end
        if at is not None and intro is not None and introduces(intro) and len(intro.text) <= MAX_ATTRIBUTION:
            # "So-and-so writes:" and the quote are one passage, its link with it.
            texts = [intro, *frame.texts]
            self._emit(PassageKind.QUOTE, intro.start, end, texts, above.parents, frame.date)
            self.passages[at] = self.passages.pop()
            above.quote_at = at
        else:
            self._emit(PassageKind.QUOTE, frame.start, end, frame.texts, frame.parents, frame.date)

    def _end_definition(self) -> None:
        frame = self._stack.pop()
        if frame.name is None or not frame.texts:
            return
        end = frame.texts[-1].end if frame.own_end is None else frame.own_end
        name = frame.name
        words = f"{name.text}: {joined(frame.texts)}"
        start = min(name.start, frame.start)
        texts = [name, *frame.texts]
        self._emit(PassageKind.DEFINITION, start, end, texts, frame.parents, frame.date, words)
        self.leads[self.passages[-1].span.start] = name.text
        name.links, name.start = [], len(self.source.raw)  # a second definition does not repeat them

    def _end_code(self, frame: Frame, end: int) -> None:
        code = "".join(self.verbatim or ()).rstrip()
        self.verbatim = None
        parents, date = self._hand_down(frame) if frame.kind == "bullet" else (frame.parents, frame.date)
        intro = frame.intro
        frame.forget()
        if not code:
            return
        words = f"{last_sentence(intro.text)}\n{code}" if intro is not None else code
        texts = [Text(0, 0, "", intro.dated, [])] if intro is not None else []
        self._emit(PassageKind.CODE, self._start, end, texts, parents, date, words)

    def _end_html(self, frame: Frame) -> None:
        start, end = self._start, max(self._html_end, self._start)
        source = links.blank_hidden(self.source.raw[start:end])
        found: list[Link] = []
        for address in links.html_addresses(source):
            span = (start + address.start, start + address.end)
            found.append(
                leaves.place(
                    self.source, start + address.whole_start, span, address.anchor or "", "", address.form
                )
            )
        words = links.strip_tags(source)
        if words or found:
            self._deliver(frame, Text(start, end, words, words, found))

    def _end_row(self, frame: Frame, end: int, *, head: bool) -> None:
        if head:
            self._header = self._row
            if not any(cell.links for cell in self._row):
                return
            words = " | ".join(cell.text for cell in self._row if cell.text)
        else:
            names = [cell.text for cell in self._header]
            names += [""] * (len(self._row) - len(names))
            words = " | ".join(
                f"{name}: {cell.text}" if name else cell.text
                for name, cell in zip(names, self._row, strict=False)
                if cell.text
            )
        if words or any(cell.links for cell in self._row):
            parents, date = self._hand_down(frame)
            self._emit(PassageKind.ROW, self._start, end, self._row, parents, date, words)

    # -- passages ----------------------------------------------------------------------------------

    def _emit(
        self,
        kind: PassageKind,
        start: int,
        end: int,
        texts: Sequence[Text],
        parents: tuple[str, ...],
        above: When | None,
        words: str | None = None,
    ) -> None:
        raw = self.source.raw
        end = min(end, len(raw))  # a block may run on into definitions that were put behind the note
        while end > start and raw[end - 1] in b" \t\r\n":
            end -= 1
        while start < end and raw[start] in b" \t\r\n":
            start += 1
        index = len(self.passages)
        found: list[Link] = []
        for text in texts:
            found += text.links if self._all_short else self._not_too_long(text)
            for label in text.notes:
                self._references.setdefault(label, index)
        span = self.source.span(start, end)
        if texts and texts[0].lead:
            self.leads[span.start] = texts[0].lead
        if self._waiting:
            self._waiting = []
        self.passages.append(
            Passage(
                kind,
                self.source.line(start),
                span,
                joined(texts) if words is None else words,
                self._path,
                parents,
                self._noted,
                self._find(texts, above) or above or self._noted,
                tuple(found),
            )
        )

    def _find(self, texts: Sequence[Text], above: When | None) -> When | None:
        """The first date in these texts; one without a year takes that of what stands above."""
        known = above or self._noted
        year = int(known.first[:4]) if known is not None else None
        for text in texts:
            dated = text.dated
            if not dates.may_hold(dated):
                continue
            if "://" in dated or "www." in dated:
                dated = _URL_TEXT.sub(" ", dated)
            found = dates.find_date(dated, day_first=self.day_first, year=year)
            if found is not None:
                return found
        return None
