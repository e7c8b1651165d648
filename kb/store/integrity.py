"""What SQLite itself can say of the store's health, and what stands in it that nothing needs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from kb.store.connection import Connected

#: Damage is told once or twice, not page by page.
MOST = 5


class Surplus(NamedTuple):
    """Vectors of texts that stand nowhere any more, and the models of which vectors are kept."""

    vectors: int
    models: tuple[str, ...]


def damage(store: Connected) -> list[str]:
    """What is wrong with the file, its references and its index of words; empty for a sound store."""
    return [*_pages(store), *_references(store), *_words(store)][: 3 * MOST]


def surplus(store: Connected) -> Surplus:
    """How many vectors belong to no passage, and of which models there are any."""
    orphans = store.connection.execute(
        "SELECT count(*) FROM vectors v WHERE NOT EXISTS"
        " (SELECT 1 FROM passages p WHERE p.digest = v.digest AND p.embed)"
    ).fetchone()[0]
    models = store.connection.execute("SELECT identity FROM models ORDER BY identity")
    return Surplus(int(orphans), tuple(row[0] for row in models))


def _pages(store: Connected) -> Iterator[str]:
    try:
        for (word,) in store.connection.execute(f"PRAGMA integrity_check({MOST})").fetchall():
            if word != "ok":
                yield str(word).replace("\n", " ")
    except sqlite3.DatabaseError as error:
        yield str(error)


def _references(store: Connected) -> Iterator[str]:
    try:
        found = store.connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as error:
        yield str(error)
    else:
        for table in sorted({row[0] for row in found}):
            yield f"{sum(row[0] == table for row in found)} rows of {table} refer to rows that are gone"


def _words(store: Connected) -> Iterator[str]:
    run = store.connection.execute
    try:
        run("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:  # read-only, or another kb is writing: not to be told today
        return
    try:
        # 1: against the words of the passages too, not only for being of one piece.
        run("INSERT INTO passages_fts(passages_fts, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError as error:
        # The check is spelled as a write, which on a read-only disk says nothing about the index.
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:
            yield f"the index of words does not match the passages ({error})"
    finally:
        run("ROLLBACK")
