"""The part of the store that a search reads: keywords, filters, hits, and which vector is whose."""

# ruff: noqa: S608  # statements are put together from our own names and `?`; every value is bound

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kb.errors import StoreError
from kb.model.kinds import NoteKind, Source, Standing
from kb.model.search import Excerpt, Filter, Hit, HitLink, excerpt
from kb.store.connection import Connected
from kb.store.filters import EVERYTHING, STANDING, passage_clause
from kb.store.rows import chunks, marks, split, when

_JOINED = "passages p LEFT JOIN notes n ON n.id = p.note_id"


class Weights(NamedTuple):
    """How much a word counts in each column of the keyword index (BM25's column weights)."""

    text: float = 1.0
    heading: float = 1.0
    title: float = 1.5
    address: float = 0.3
    parents: float = 0.5


WEIGHTS = Weights()


def drop_passages(store: Connected, which: str, values: Sequence[object]) -> None:
    """Delete the passages that fit a condition, their words in the indexes, and the mentions in them."""
    run = store.connection.execute
    ids = f"(SELECT id FROM passages WHERE {which})"
    # FTS5 forgets a row only when told the very words it holds: before the passages go.
    run(
        "INSERT INTO passages_fts(passages_fts, rowid, text, heading, title, address, parents)"
        " SELECT 'delete', id, text, heading, title, address, parents FROM searchable"
        f" WHERE id IN {ids}",
        values,
    )
    run(f"DELETE FROM grams_fts WHERE rowid IN {ids}", values)
    run(f"DELETE FROM mentions WHERE passage_id IN {ids}", values)
    run(f"DELETE FROM passages WHERE {which}", values)


class Passages(Connected):
    """Passages by keyword, filter and id, and the map between vectors' rows and passages."""

    # -- search --------------------------------------------------------------------------------

    def keyword(
        self, match: str, filter: Filter = EVERYTHING, limit: int = 100, weights: Weights = WEIGHTS
    ) -> list[tuple[int, float]]:
        """Passages that an FTS5 expression finds: (id, BM25 score, higher is better), best first.

        The caller quotes every term; StoreError if `match` is no FTS5 expression.
        """
        condition, values = passage_clause(filter)
        # The plus keeps SQLite from asking FTS5 anew for every id that the filter allows.
        narrowed = f" AND +f.rowid IN (SELECT p.id FROM {_JOINED} WHERE {condition})" if filter else ""
        bm25 = "bm25({})".format(", ".join(str(float(weight)) for weight in weights))
        try:
            # Sorting by FTS5's own rank column lets it keep a heap; a bm25() call in ORDER BY does not.
            rows = self.connection.execute(
                "SELECT f.rowid, -f.rank FROM passages_fts f WHERE passages_fts MATCH ? AND rank MATCH ?"
                f"{narrowed} ORDER BY f.rank LIMIT ?",
                [match, bm25, *values, limit],
            ).fetchall()
        except sqlite3.OperationalError as error:
            raise StoreError(f"not a full-text expression: {match!r} ({error})") from None
        return [(int(id), float(score)) for id, score in rows]

    def allowed(self, filter: Filter) -> set[int] | None:
        """Ids of the passages that pass a filter; None, meaning all, for an empty one."""
        if not filter:
            return None
        condition, values = passage_clause(filter)
        return {
            row[0] for row in self.connection.execute(f"SELECT p.id FROM {_JOINED} WHERE {condition}", values)
        }

    def hits(self, ids: Sequence[int]) -> dict[int, Hit]:
        """The passages with these ids as hits of score 0, their links with title and standing."""
        links: dict[int, list[HitLink]] = {}
        for part in chunks(ids):
            rows = self.connection.execute(
                f"SELECT m.passage_id, m.url, coalesce(l.title, nullif(m.anchor, ''), m.url), {STANDING}"
                " FROM mentions m JOIN links l ON l.id = m.link_id"
                f" WHERE m.passage_id IN ({marks(len(part))}) ORDER BY m.id",
                part,
            )
            for passage, url, title, standing in rows:
                links.setdefault(passage, []).append(HitLink(url, title, Standing(standing)))
        hits: dict[int, Hit] = {}
        for part in chunks(ids):
            rows = self.connection.execute(
                "SELECT p.id, n.path, p.line, p.text, p.heading, p.parents, coalesce(n.title, ''), p.date,"
                f" p.noted, coalesce(n.kind, 'note'), coalesce(n.tags, ''), p.source FROM {_JOINED}"
                f" WHERE p.id IN ({marks(len(part))})",
                part,
            )
            for id, path, line, text, heading, parents, title, date, noted, kind, tags, source in rows:
                hits[id] = Hit(
                    path=path,
                    line=line,
                    text=text,
                    heading=split(heading),
                    parents=split(parents),
                    title=title,
                    date=when(date),
                    noted=when(noted),
                    kind=NoteKind(kind),
                    tags=split(tags),
                    source=Source(source),
                    score=0.0,
                    links=tuple(links.get(id, ())),
                )
        return hits

    def passages_of(self, path: str) -> list[tuple[int, int]]:
        """The passages of a note as (id, line), in order; nothing for a note that is not there."""
        rows = self.connection.execute(
            "SELECT p.id, p.line FROM passages p JOIN notes n ON n.id = p.note_id"
            " WHERE n.path = ? ORDER BY p.ordinal",
            [path],
        )
        return [(id, line) for id, line in rows]

    def passage_count(self) -> int:
        """How many passages there are, bodies of saved pages apart unless they are embedded too."""
        return int(self.connection.execute("SELECT count(*) FROM passages WHERE embed").fetchone()[0])

    # -- vectors -------------------------------------------------------------------------------

    def missing_digests(self, model: str, limit: int = -1, after: str = "") -> list[tuple[str, Excerpt]]:
        """Texts that have no vector of `model` yet, one for each digest, in order of digest.

        `after` is the last digest had, so that a long run takes them in parts.
        """
        rows = self.connection.execute(
            "SELECT lower(hex(p.digest)), coalesce(n.title, ''), p.heading, p.parents, p.text"
            " FROM (SELECT digest, min(id) AS id FROM passages d WHERE d.embed AND digest > ? AND NOT EXISTS"
            " (SELECT 1 FROM vectors v WHERE v.model_id = ? AND v.digest = d.digest)"
            " GROUP BY digest ORDER BY digest LIMIT ?) d"
            " JOIN passages p ON p.id = d.id LEFT JOIN notes n ON n.id = p.note_id ORDER BY p.digest",
            [bytes.fromhex(after), self._model(model), limit],
        )
        return [
            (digest, excerpt(title, split(heading), split(parents), text))
            for digest, title, heading, parents, text in rows
        ]

    def pending(self, model: str) -> int:
        """How many passages lack a vector of `model`."""
        row = self.connection.execute(
            "SELECT count(*) FROM passages p WHERE p.embed AND NOT EXISTS"
            " (SELECT 1 FROM vectors v WHERE v.model_id = ? AND v.digest = p.digest)",
            [self._model(model)],
        ).fetchone()
        return int(row[0])

    def record_vectors(self, model: str, rows: Iterable[tuple[str, int, int]]) -> None:
        """Remember where vectors lie, as (digest, window, row); all windows of a text together."""
        with self.transaction():
            self.remember("counts", None)
            self.connection.execute("INSERT OR IGNORE INTO models (identity) VALUES (?)", [model])
            id = self._model(model)
            self.connection.executemany(
                "INSERT INTO vectors (model_id, row, digest, window) VALUES (?, ?, ?, ?)",
                [(id, row, bytes.fromhex(digest), window) for digest, window, row in rows],
            )

    def live_rows(self, model: str) -> list[int]:
        """The rows that embed a text which still stands, ascending."""
        rows = self.connection.execute(
            "SELECT row FROM vectors v WHERE model_id = ?"
            " AND EXISTS (SELECT 1 FROM passages p WHERE p.digest = v.digest) ORDER BY row",
            [self._model(model)],
        )
        return [row[0] for row in rows]

    def renumber_vectors(self, model: str, to: str) -> None:
        """Map the live rows of a model anew, counted from 0 in their order, under another name."""
        with self.transaction():
            self.connection.execute("INSERT OR IGNORE INTO models (identity) VALUES (?)", [to])
            self.connection.execute(
                "INSERT INTO vectors (model_id, row, digest, window)"
                " SELECT ?, row_number() OVER (ORDER BY row) - 1, digest, window FROM vectors v"
                " WHERE model_id = ? AND EXISTS (SELECT 1 FROM passages p WHERE p.digest = v.digest)",
                [self._model(to), self._model(model)],
            )

    def vector_count(self, model: str) -> int:
        """One more than the last row in use: how many rows the sidecar must have."""
        row = self.connection.execute(
            "SELECT coalesce(max(row) + 1, 0) FROM vectors WHERE model_id = ?", [self._model(model)]
        ).fetchone()
        return int(row[0])

    def rows_to_passages(self, model: str, rows: Sequence[int]) -> dict[int, list[int]]:
        """The passages whose text each row embeds; a row whose text is gone is left out."""
        found: dict[int, list[int]] = {}
        for part in chunks(rows):
            pairs = self.connection.execute(
                # CROSS keeps SQLite from taking the tables the other way round, which it may guess.
                "SELECT v.row, p.id FROM vectors v CROSS JOIN passages p ON p.digest = v.digest"
                f" WHERE v.model_id = ? AND v.row IN ({marks(len(part))}) ORDER BY p.id",
                [self._model(model), *part],
            )
            for row, passage in pairs:
                found.setdefault(row, []).append(passage)
        return found

    def passages_to_rows(self, model: str, ids: Sequence[int]) -> dict[int, list[int]]:
        """The rows that embed each passage, in order of window; a passage without any is left out."""
        found: dict[int, list[int]] = {}
        for part in chunks(ids):
            pairs = self.connection.execute(
                "SELECT p.id, v.row FROM passages p"
                " CROSS JOIN vectors v ON v.digest = p.digest AND v.model_id = ?"
                f" WHERE p.id IN ({marks(len(part))}) ORDER BY p.id, v.window",
                [self._model(model), *part],
            )
            for passage, row in pairs:
                found.setdefault(passage, []).append(row)
        return found

    def forget_vectors(self, model: str, *, from_row: int = 0) -> None:
        """Forget the vectors of a model from a row on, with all other windows of their texts.

        A text is embedded whole or not at all, so that what is missing can be told by its digest.
        """
        with self.transaction():
            self.remember("counts", None)
            self.connection.execute(
                "DELETE FROM vectors WHERE model_id = ?1 AND digest IN"
                " (SELECT digest FROM vectors WHERE model_id = ?1 AND row >= ?2)",
                [self._model(model), from_row],
            )

    def keep_model(self, model: str) -> None:
        """Make this the model that counts, and forget the rows of other generations of its sidecar.

        A model is `identity@stamp`; the stamp tells one generation of the file from the next.
        """
        generations = model.rpartition("@")[0] + "@"
        with self.transaction():
            self.remember("counts", None)
            self.remember("model", model)
            others = "(SELECT id FROM models WHERE identity <> ? AND substr(identity, 1, ?) = ?)"
            values = [model, len(generations), generations]
            self.connection.execute(f"DELETE FROM vectors WHERE model_id IN {others}", values)
            self.connection.execute(f"DELETE FROM models WHERE id IN {others}", values)

    def missing_count(self, model: str) -> int:
        """How many different texts have no vector of `model`."""
        row = self.connection.execute(
            "SELECT count(DISTINCT digest) FROM passages p WHERE p.embed AND NOT EXISTS"
            " (SELECT 1 FROM vectors v WHERE v.model_id = ? AND v.digest = p.digest)",
            [self._model(model)],
        ).fetchone()
        return int(row[0])

    def _model(self, identity: str) -> int:
        row = self.connection.execute("SELECT id FROM models WHERE identity = ?", [identity]).fetchone()
        return 0 if row is None else int(row[0])
