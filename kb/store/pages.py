"""The part of the store that holds the saved text of linked pages, as passages of source `page`."""

# ruff: noqa: S608  # statements are put together from our own names and `?`; every value is bound

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kb.model.dates import When
from kb.model.kinds import Source
from kb.model.links import Key, Saved
from kb.model.notes import LinkForm, PassageKind
from kb.model.search import excerpt
from kb.store.connection import Connected
from kb.store.grams import grams
from kb.store.passages import drop_passages
from kb.store.rows import chunks, clean, dates, join, marks, split


class Pages(Connected):
    """Saved pages: which files were read, and their passages."""

    def saved_stats(self) -> dict[str, tuple[int, int]]:
        """Size and mtime of each file as it was read, by name."""
        return {
            name: (size, mtime)
            for name, size, mtime in self.connection.execute("SELECT name, size, mtime_ns FROM saved")
        }

    def put_page(
        self,
        name: str,
        stat: tuple[int, int],
        page: Saved | None,
        pieces: Sequence[tuple[tuple[str, ...], str]] = (),
        *,
        embed_text: bool = False,
    ) -> None:
        """Replace the passages of a saved file; its link must be known. None: it could not be read.

        `pieces` are (headings, text). The first, title or abstract, is embedded, the others only
        with `embed_text`: most vectors are to be of the person's own words.
        """
        with self.transaction():
            self.drop_pages([name])
            self.connection.execute(
                "INSERT INTO saved (name, key, size, mtime_ns) VALUES (?, ?, ?, ?)",
                [name, clean(page.key) if page else "", *stat],
            )
            if page is not None:
                self._put(page, pieces, embed_text)

    def _put(self, page: Saved, pieces: Sequence[tuple[tuple[str, ...], str]], embed_text: bool) -> None:
        row = self.connection.execute(
            "SELECT id FROM links WHERE key = ? ORDER BY fragment LIMIT 1", [clean(page.key)]
        ).fetchone()
        if row is None:
            return
        date, none = dates(When.read(page.published or "")), dates(None)
        for ordinal, (heading, text) in enumerate(pieces):
            body, path = clean(text), join(dict.fromkeys(map(clean, heading)))
            digest = excerpt("", split(path), (), body).digest
            id = self.connection.execute(
                "INSERT INTO passages (ordinal, source, kind, line, start, end, text, heading, parents,"
                " address, noted, noted_from, noted_to, date, date_from, date_to, digest, embed)"
                f" VALUES (?, ?, ?, 0, 0, 0, ?, ?, '', '', {marks(8)}) RETURNING id",
                [
                    ordinal,
                    Source.PAGE,
                    PassageKind.PARAGRAPH,
                    body,
                    path,
                    *none,
                    *date,
                    bytes.fromhex(digest),
                    embed_text or not ordinal,
                ],
            ).fetchone()[0]
            self.connection.execute(
                "INSERT INTO passages_fts (rowid, text, heading, title, address, parents)"
                " VALUES (?, ?, ?, '', '', '')",
                [id, body, path],
            )
            if pairs := grams(f"{body}\n{path}"):
                self.connection.execute("INSERT INTO grams_fts (rowid, grams) VALUES (?, ?)", [id, pairs])
            self.connection.execute(
                "INSERT INTO mentions (passage_id, link_id, line, start, end, url, anchor, form)"
                " VALUES (?, ?, 0, 0, 0, ?, '', ?)",
                [id, row[0], clean(page.url), LinkForm.BARE],
            )

    def drop_pages(self, names: Sequence[str]) -> None:
        """Forget saved files and their passages."""
        run = self.connection.execute
        with self.transaction():
            self.remember("counts", None)
            for part in chunks(names):
                keys = [
                    row[0] for row in run(f"SELECT key FROM saved WHERE name IN ({marks(len(part))})", part)
                ]
                run(f"DELETE FROM saved WHERE name IN ({marks(len(part))})", part)
                ids = [
                    row[0]
                    for row in run(
                        "SELECT p.id FROM links l JOIN mentions m ON m.link_id = l.id"
                        " JOIN passages p ON p.id = m.passage_id"
                        f" WHERE p.source = 'page' AND l.key IN ({marks(len(keys))})",
                        keys,
                    )
                ]
                for some in chunks(ids):
                    drop_passages(self, f"id IN ({marks(len(some))})", some)

    def of_pages(self, ids: Iterable[int]) -> dict[int, bool]:
        """Those of these passages that are of saved pages, and whether a note still mentions the page."""
        found: dict[int, bool] = {}
        for part in chunks(list(ids)):
            rows = self.connection.execute(
                "SELECT p.id, EXISTS (SELECT 1 FROM mentions m JOIN links l ON l.id = m.link_id"
                " JOIN links other ON other.key = l.key JOIN mentions n ON n.link_id = other.id"
                " JOIN passages q ON q.id = n.passage_id WHERE m.passage_id = p.id AND q.source = 'note')"
                f" FROM passages p WHERE p.source = 'page' AND p.id IN ({marks(len(part))})",
                part,
            )
            found.update((id, bool(mentioned)) for id, mentioned in rows)
        return found

    def know_page(self, key: Key) -> bool:
        """Whether a link of this page has a row."""
        row = self.connection.execute(
            "SELECT 1 FROM links WHERE key = ? LIMIT 1", [clean(key.key)]
        ).fetchone()
        return row is not None
