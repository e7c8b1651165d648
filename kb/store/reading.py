"""The part of the store that the site reads: links between notes, dated passages, whose vectors are whose."""

# ruff: noqa: S608  # statements are put together from our own names and `?`; every value is bound

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kb.model.dates import When
from kb.model.kinds import LinkKind, Standing
from kb.model.notes import LinkForm, PassageKind
from kb.store.connection import Connected
from kb.store.filters import STANDING
from kb.store.rows import when


class InnerLink(NamedTuple):
    """A link from one note to another, with the passage it stands in. `url` is the href as written."""

    path: str
    line: int
    url: str
    anchor: str
    form: LinkForm
    text: str


class DatedPassage(NamedTuple):
    """A passage that speaks of another day than the one it was written on."""

    path: str
    line: int
    text: str
    date: When
    noted: When | None


class SharedPassage(NamedTuple):
    """A passage with its columns as the keyword index reads them; lists are joined by `rows.SEPARATOR`."""

    id: int
    path: str
    title: str
    text: str
    heading: str
    parents: str
    address: str
    date: str | None
    noted: str | None


class SharedLink(NamedTuple):
    """A link of a passage: href as written and as meant, fetched title or else anchor, standing."""

    passage: int
    url: str
    meant: str
    title: str
    form: LinkForm
    standing: Standing


class Reading(Connected):
    """What only the site asks for. Private notes are left out; drafts are for the caller to pass over."""

    def inner_links(self) -> list[InnerLink]:
        """Links between notes, in order of path and place."""
        rows = self.connection.execute(
            "SELECT n.path, m.line, m.url, m.anchor, m.form, p.text FROM links l"
            " JOIN mentions m ON m.link_id = l.id JOIN passages p ON p.id = m.passage_id"
            " JOIN notes n ON n.id = p.note_id"
            " WHERE (l.kind = ? OR m.form = ?) AND m.form <> ? AND NOT n.private"
            " ORDER BY n.path, p.ordinal, m.start",
            [LinkKind.INTERNAL, LinkForm.WIKILINK, LinkForm.IMAGE],
        )
        return [
            InnerLink(path, line, url, anchor, LinkForm(form), text)
            for path, line, url, anchor, form, text in rows
        ]

    def local_addresses(self) -> list[tuple[str, str]]:
        """(path of the note, address) of every relative link and picture of notes that are not private."""
        return list(
            self.connection.execute(
                "SELECT DISTINCT n.path, coalesce(m.meant, m.url) FROM links l"
                " JOIN mentions m ON m.link_id = l.id JOIN passages p ON p.id = m.passage_id"
                " JOIN notes n ON n.id = p.note_id WHERE l.kind = ? AND m.form <> ? AND NOT n.private",
                [LinkKind.INTERNAL, LinkForm.WIKILINK],
            )
        )

    def dated_passages(self) -> list[DatedPassage]:
        """Passages with a date of their own, in order of path and place."""
        rows = self.connection.execute(
            "SELECT n.path, p.line, p.text, p.date, p.noted FROM passages p JOIN notes n ON n.id = p.note_id"
            " WHERE p.date IS NOT NULL AND p.date IS NOT p.noted AND p.kind <> ? AND NOT n.private"
            " ORDER BY n.path, p.ordinal",
            [PassageKind.HEADING],
        )
        return [
            DatedPassage(path, line, text, date, when(noted))
            for path, line, text, spoken, noted in rows
            if (date := when(spoken)) is not None
        ]

    def shared_passages(self) -> list[SharedPassage]:
        """Every passage of notes that are not private, in order of path and place."""
        rows = self.connection.execute(
            "SELECT p.id, n.path, n.title, p.text, p.heading, p.parents, p.address, p.date, p.noted"
            " FROM passages p JOIN notes n ON n.id = p.note_id WHERE NOT n.private ORDER BY n.path, p.ordinal"
        )
        return [SharedPassage(*row) for row in rows]

    def shared_links(self) -> list[SharedLink]:
        """The links of those passages, in order of place."""
        rows = self.connection.execute(
            "SELECT m.passage_id, m.url, coalesce(m.meant, m.url),"
            f" coalesce(l.title, nullif(m.anchor, ''), m.url), m.form, {STANDING}"
            " FROM mentions m JOIN links l ON l.id = m.link_id JOIN passages p ON p.id = m.passage_id"
            " JOIN notes n ON n.id = p.note_id WHERE NOT n.private AND m.form <> ? ORDER BY m.id",
            [LinkForm.IMAGE],
        )
        return [
            SharedLink(passage, url, meant, title, LinkForm(form), Standing(standing))
            for passage, url, meant, title, form, standing in rows
        ]

    def shared_rows(self, model: str) -> list[tuple[int, int]]:
        """(passage, row) of every vector of a model that embeds one of those passages, windows in order."""
        return list(
            self.connection.execute(
                "SELECT p.id, v.row FROM models o JOIN vectors v ON v.model_id = o.id"
                " JOIN passages p ON p.digest = v.digest JOIN notes n ON n.id = p.note_id"
                " WHERE o.identity = ? AND NOT n.private ORDER BY p.id, v.window",
                [model],
            )
        )

    def note_rows(self, model: str) -> Iterator[tuple[str, int]]:
        """(path, row) of every vector of a model, note by note."""
        rows = self.connection.execute(
            "SELECT n.path, v.row FROM models o JOIN vectors v ON v.model_id = o.id"
            " JOIN passages p ON p.digest = v.digest JOIN notes n ON n.id = p.note_id"
            " WHERE o.identity = ? AND NOT n.private ORDER BY n.path, v.row",
            [model],
        )
        return ((path, row) for path, row in rows)
