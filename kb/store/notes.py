"""The part of the store that holds notes: written whole, read as rows, terms and problems."""

# ruff: noqa: S608  # statements are put together from our own names and `?`; every value is bound

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from kb.model.dates import When
from kb.model.kinds import NoteKind
from kb.model.notes import Term, Use
from kb.model.reports import Problem, Severity
from kb.store.connection import Connected
from kb.store.passages import drop_passages
from kb.store.prepared import Prepared, Row
from kb.store.rows import Stamp, chunks, marks, phrase, split, when
from kb.values import dataclass

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A note as the store knows it: its front matter, and how much it holds."""

    path: str
    title: str
    kind: NoteKind
    noted: When | None
    tags: tuple[str, ...]
    aliases: tuple[str, ...]
    description: str | None
    private: bool
    draft: bool
    digest: str
    passages: int
    links: int


class Notes(Connected):
    """Notes, terms and problems."""

    # -- write ---------------------------------------------------------------------------------

    def put_prepared(self, items: Sequence[Prepared], at: str) -> None:
        """Replace all rows of these notes; `at` is the first sight of links that are new.

        Rows of links stay, whatever mentions them.
        """
        with self.transaction():
            self.remember("counts", None)
            touched = self._clear([one.path for one in items])
            hidden = bool(touched) or any(one.private for one in items)
            if _Writer(self, at).write(items, touched) or hidden:
                self._settle_privacy(touched)

    def drop_notes(self, paths: Sequence[str]) -> None:
        """Forget these notes. Their links keep what was seen of them; their vectors stay for a comeback."""
        with self.transaction():
            self.remember("counts", None)
            touched = self._clear(paths)
            for part in chunks(paths):
                self.connection.execute(f"DELETE FROM notes WHERE path IN ({marks(len(part))})", part)
            self._settle_privacy(touched)

    def rename_notes(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Give notes another path; nothing else about them may differ."""
        with self.transaction():
            self.connection.executemany(
                "UPDATE notes SET path = ? WHERE path = ?", [(new, old) for old, new in pairs]
            )

    def touch(self, stamps: Mapping[str, Stamp]) -> None:
        """Remember new sizes and times of files whose bytes are as they were."""
        with self.transaction():
            self.connection.executemany(
                "UPDATE notes SET size = ?, mtime_ns = ?, digest = ? WHERE path = ?",
                [(s.size, s.mtime_ns, bytes.fromhex(s.digest), path) for path, s in stamps.items()],
            )

    def _clear(self, paths: Sequence[str]) -> set[int]:
        """Delete what hangs under these notes (not their own rows); the links it mentioned."""
        run = self.connection.execute
        touched: set[int] = set()
        for part in chunks(paths):
            notes = [row[0] for row in run(f"SELECT id FROM notes WHERE path IN ({marks(len(part))})", part)]
            if not notes:
                continue
            of_notes = f"note_id IN ({marks(len(notes))})"
            of_passages = f"passage_id IN (SELECT id FROM passages WHERE {of_notes})"
            touched.update(row[0] for row in run(f"SELECT link_id FROM mentions WHERE {of_passages}", notes))
            drop_passages(self, of_notes, notes)
            for table in ("tags", "terms", "problems"):
                run(f"DELETE FROM {table} WHERE {of_notes}", notes)
        return touched

    def _settle_privacy(self, links: Collection[int]) -> None:
        """Mark the links that stand in private notes only; one that nothing mentions stays as it was."""
        if not links:
            return
        any_private = (
            "SELECT EXISTS (SELECT 1 FROM notes WHERE private) OR EXISTS (SELECT 1 FROM links WHERE private)"
        )
        if not self.connection.execute(any_private).fetchone()[0]:
            return
        of_link = (
            "SELECT 1 FROM mentions m JOIN passages p ON p.id = m.passage_id JOIN notes n ON n.id = p.note_id"
            " WHERE m.link_id = links.id"
        )
        self.connection.executemany(
            f"UPDATE links SET private = NOT EXISTS ({of_link} AND NOT n.private)"
            f" WHERE id = ? AND EXISTS ({of_link})",
            [(link,) for link in links],
        )

    # -- read ----------------------------------------------------------------------------------

    def stamps(self) -> dict[str, Stamp]:
        """What each note's file looked like when it was read, by path."""
        rows = self.connection.execute("SELECT path, size, mtime_ns, lower(hex(digest)) FROM notes")
        return {path: Stamp(size, mtime_ns, digest) for path, size, mtime_ns, digest in rows}

    def file_stats(self) -> dict[str, tuple[int, int]]:
        """Size and mtime alone, by path: all that a scan compares."""
        rows = self.connection.execute("SELECT path, size, mtime_ns FROM notes")
        return {path: (size, mtime_ns) for path, size, mtime_ns in rows}

    def notes(self, *, private: bool = True) -> list[NoteRow]:
        """All notes in order of path; without private ones if so asked."""
        rows = self.connection.execute(
            "SELECT path, title, kind, noted, tags, aliases, description, private, draft, lower(hex(digest)),"
            " (SELECT count(*) FROM passages p WHERE p.note_id = n.id),"
            " (SELECT count(*) FROM passages p JOIN mentions m ON m.passage_id = p.id WHERE p.note_id = n.id)"
            " FROM notes n WHERE NOT private OR ? ORDER BY path",
            [private],
        )
        return [
            NoteRow(
                path,
                title,
                NoteKind(kind),
                when(noted),
                split(tags),
                split(aliases),
                description,
                bool(hidden),
                bool(draft),
                digest,
                *counts,
            )
            for path, title, kind, noted, tags, aliases, description, hidden, draft, digest, *counts in rows
        ]

    def problems(self) -> list[Problem]:
        """What is wrong with the notes as last read, in order of path and line."""
        rows = self.connection.execute(
            "SELECT path, line, severity, message, hint FROM problems JOIN notes ON notes.id = note_id"
            " ORDER BY path, line, problems.rowid"
        )
        return [
            Problem(path, line, Severity(level), message, hint) for path, line, level, message, hint in rows
        ]

    def terms(self, *, private: bool = True) -> list[tuple[str, Term]]:
        """Every glossary term with the path of the note that gives it, in order of path and line."""
        rows = self.connection.execute(
            "SELECT path, term, expansion, definition, url, line, terms.aliases FROM terms"
            " JOIN notes ON notes.id = note_id WHERE NOT private OR ? ORDER BY path, line, terms.rowid",
            [private],
        )
        return [
            (path, Term(term, expansion, definition, url, line, split(aliases)))
            for path, term, expansion, definition, url, line, aliases in rows
        ]

    def uses(self, term: Term, *, private: bool = True) -> tuple[Use, ...]:
        """Where a term, its expansion or an alias stands in a note, its own definition apart.

        A name with a capital must match letter for letter, so that RAG is not found in a rag.
        """
        names = [name for name in (term.term, term.expansion, *term.aliases) if name and _WORD.search(name)]
        if not names:
            return ()
        match = "text : (" + " OR ".join(phrase(name) for name in names) + ")"
        rows = self.connection.execute(
            "SELECT n.path, p.line, p.text FROM passages_fts f JOIN passages p ON p.id = f.rowid"
            " JOIN notes n ON n.id = p.note_id WHERE passages_fts MATCH ? AND (NOT n.private OR ?)"
            " AND NOT EXISTS (SELECT 1 FROM terms t"
            " WHERE t.note_id = n.id AND t.line = p.line AND t.term = ?)"
            " ORDER BY n.path, p.ordinal",
            [match, private, term.term],
        )
        found = [_as_written(name) for name in names]
        return tuple(
            dict.fromkeys(
                Use(path, line) for path, line, text in rows if any(one.search(text) for one in found)
            )
        )


def _as_written(name: str) -> re.Pattern[str]:
    words = r"\s+".join(re.escape(word) for word in name.split())
    exact = any(letter.isupper() for letter in name) and " " not in name
    return re.compile(rf"(?<!\w){words}(?:'s|s|es)?(?!\w)", 0 if exact else re.IGNORECASE)


class _Writer:
    """Gives prepared rows their ids and hands them to executemany: nothing is read back."""

    def __init__(self, store: Connected, at: str) -> None:
        self.run = store.connection.execute
        self.many = store.connection.executemany
        self.at = at
        self.next_passage = self._after("passages")
        self.next_note = self._after("notes")
        self.next_link = self._after("links")

    def _after(self, table: str) -> int:
        return int(self.run(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0])

    def write(self, items: Sequence[Prepared], touched: set[int]) -> bool:
        """Write them; `touched` is told the links they mention. Returns whether any was private before."""
        links, any_private = self._meet(items)
        touched.update(links.values())
        known = self._known([one.path for one in items])
        first = self.next_passage
        notes, passages, pairs, mentions, tags, terms, problems = ([] for _ in range(7))
        for one in items:
            note_id = known.get(one.path, self.next_note)
            self.next_note += note_id == self.next_note
            notes.append((note_id, *one.note))
            tags += [(note_id, tag) for tag in one.tags]
            terms += [(note_id, *term) for term in one.terms]
            problems += [(note_id, *problem) for problem in one.problems]
            start = self.next_passage
            passages += [(start + at, note_id, *passage) for at, passage in enumerate(one.passages)]
            pairs += [(start + at, found) for at, found in one.pairs]
            mentions += [(start + row[0], links[row[1:3]], *row[5:]) for row in one.mentions]
            self.next_passage += len(one.passages)
        self.many(
            "INSERT INTO notes (id, path, size, mtime_ns, digest, title, kind, noted, tags, aliases,"
            f" description, private, draft) VALUES ({marks(13)}) ON CONFLICT (id) DO UPDATE SET"
            " size = excluded.size,"
            " mtime_ns = excluded.mtime_ns, digest = excluded.digest, title = excluded.title,"
            " kind = excluded.kind, noted = excluded.noted, tags = excluded.tags, aliases = excluded.aliases,"
            " description = excluded.description, private = excluded.private, draft = excluded.draft",
            notes,
        )
        self.many(
            "INSERT INTO passages (id, note_id, ordinal, source, kind, line, start, end, text, heading,"
            f" parents, address, noted, noted_from, noted_to, date, date_from, date_to, digest)"
            f" VALUES ({marks(19)})",
            passages,
        )
        # One statement, which reads the words where they now lie, rather than hand over each again.
        self.run(
            "INSERT INTO passages_fts (rowid, text, heading, title, address, parents)"
            " SELECT id, text, heading, title, address, parents FROM searchable"
            " WHERE id >= ? ORDER BY id",
            [first],
        )
        self.many(
            "INSERT INTO grams_fts (rowid, grams) VALUES (?, ?)",
            pairs,
        )
        self.many(
            "INSERT INTO mentions (passage_id, link_id, line, start, end, url, anchor, form, meant)"
            f" VALUES ({marks(9)})",
            mentions,
        )
        self.many("INSERT INTO tags (note_id, tag) VALUES (?, ?)", tags)
        self.many(
            "INSERT INTO terms (note_id, line, term, expansion, definition, url, aliases)"
            f" VALUES ({marks(7)})",
            terms,
        )
        self.many(
            f"INSERT INTO problems (note_id, line, severity, message, hint) VALUES ({marks(5)})", problems
        )

        return any_private

    def _known(self, paths: Sequence[str]) -> dict[str, int]:
        """Ids of the notes at these paths, hundreds at a time."""
        return dict(
            pair
            for part in chunks(paths)
            for pair in self.run(f"SELECT path, id FROM notes WHERE path IN ({marks(len(part))})", part)
        )

    def _meet(self, items: Sequence[Prepared]) -> tuple[dict[Row, int], bool]:
        """Ids of the links by key and fragment, with rows for new ones; whether a known one is private.

        One known only as "other" takes the kind that an anchor tells.
        """
        told: dict[Row, Row] = {}
        for one in items:
            for row in one.mentions:
                place = row[1:3]
                if place not in told or told[place][0] == "other":
                    told[place] = row[3:5]
        keys = list({key: None for key, _ in told}) if self.next_link > 1 else ()
        known, any_private = {}, False
        for part in chunks(keys):
            for key, fragment, id, private in self.run(
                f"SELECT key, fragment, id, private FROM links WHERE key IN ({marks(len(part))})", part
            ):
                if (key, fragment) in told:
                    known[key, fragment] = id
                    any_private = any_private or bool(private)
        found: dict[Row, int] = {}
        new, old = [], []
        for place, (kind, host) in told.items():
            id = known.get(place)
            if id is None:
                id = self.next_link
                new.append((id, *place, kind, host, self.at))
                self.next_link += 1
            else:
                old.append((host, kind, self.at, id))
            found[place] = id
        self.many(
            "INSERT INTO links (id, key, fragment, kind, host, first_seen) VALUES (?, ?, ?, ?, ?, ?)", new
        )
        self.many(
            "UPDATE links SET host = ?1, kind = CASE kind WHEN 'other' THEN ?2 ELSE kind END,"
            " first_seen = coalesce(first_seen, ?3) WHERE id = ?4",
            old,
        )
        return found, any_private
