"""The store's tables, as SQL: what a new store is made of.

A store that an older kb made is brought to the same tables by `schema`, step by step. That takes
sqlite-utils, and the tenth of a second that its import costs; a new store needs neither.

Dates stand as text beside the first and last day they may mean, so that overlap is two
comparisons. Lists of short texts are joined with a unit separator, which the tokenizer reads as
a gap. Digests are 16-byte blobs. Rows of `passages` and `mentions` are derived and replaced with
their note; rows of `links` and `checks` are what was seen, and stay when nothing mentions them.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kb.errors import StoreBusy, StoreError
from kb.store.connection import REBUILD, SCHEMA_VERSION, connect, outdated, version_of

#: The steps of `schema` that led to these tables: none of them is to be taken in a new store.
MIGRATIONS = ("0001_first", "0002_saved_pages", "0003_words", "0004_meant")

# As sqlite-utils keeps its own books.
_APPLIED = """
CREATE TABLE _sqlite_migrations (
    id INTEGER PRIMARY KEY,
    migration_set TEXT,
    name TEXT,
    applied_at TEXT
);
CREATE UNIQUE INDEX idx__sqlite_migrations_migration_set_name
    ON _sqlite_migrations (migration_set, name);
"""

# No comment stands within a statement: SQLite keeps its text, and ALTER TABLE trips over one.
TABLES = """
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE notes (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    digest BLOB NOT NULL,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    noted TEXT,
    tags TEXT NOT NULL,
    aliases TEXT NOT NULL,
    description TEXT,
    private INTEGER NOT NULL,
    draft INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX idx_notes_path ON notes (path);

CREATE TABLE tags (
    note_id INTEGER NOT NULL REFERENCES notes(id),
    tag TEXT NOT NULL
) STRICT;
CREATE INDEX idx_tags_note_id ON tags (note_id);
CREATE INDEX idx_tags_tag ON tags (tag);

CREATE TABLE terms (
    note_id INTEGER NOT NULL REFERENCES notes(id),
    line INTEGER NOT NULL,
    term TEXT NOT NULL,
    expansion TEXT,
    definition TEXT,
    url TEXT,
    aliases TEXT NOT NULL
) STRICT;
CREATE INDEX idx_terms_note_id ON terms (note_id);

CREATE TABLE problems (
    note_id INTEGER NOT NULL REFERENCES notes(id),
    line INTEGER NOT NULL,
    severity TEXT NOT NULL,
    message TEXT NOT NULL,
    hint TEXT NOT NULL
) STRICT;
CREATE INDEX idx_problems_note_id ON problems (note_id);

-- `embed`: bodies of saved pages are found by their words alone, unless the notebook says otherwise.
CREATE TABLE passages (
    id INTEGER PRIMARY KEY,
    note_id INTEGER REFERENCES notes(id),
    ordinal INTEGER NOT NULL,
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    line INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    text TEXT NOT NULL,
    heading TEXT NOT NULL,
    parents TEXT NOT NULL,
    address TEXT NOT NULL,
    noted TEXT,
    noted_from TEXT,
    noted_to TEXT,
    date TEXT,
    date_from TEXT,
    date_to TEXT,
    digest BLOB NOT NULL,
    embed INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE UNIQUE INDEX idx_passages_note_id_ordinal ON passages (note_id, ordinal);
CREATE INDEX idx_passages_digest ON passages (digest);

-- FTS5 reads its text through this view, so no word is stored twice and each passage carries
-- its note's title. A passage without a note belongs to a saved page.
CREATE VIEW searchable
    AS SELECT p.id AS id, p.text AS text, p.heading AS heading, coalesce(n.title, '') AS title,
        p.address AS address, p.parents AS parents
    FROM passages p LEFT JOIN notes n ON n.id = p.note_id;

CREATE VIRTUAL TABLE passages_fts USING fts5(
    text, heading, title, address, parents,
    content='searchable', content_rowid='id',
    tokenize='porter unicode61 remove_diacritics 2');

CREATE TABLE links (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    fragment TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL,
    host TEXT NOT NULL,
    private INTEGER NOT NULL DEFAULT 0,
    title TEXT,
    facts TEXT,
    standing TEXT NOT NULL DEFAULT 'unchecked',
    verdict TEXT,
    status INTEGER,
    final_url TEXT,
    reason TEXT NOT NULL DEFAULT '',
    streak INTEGER NOT NULL DEFAULT 0,
    streak_since TEXT,
    gone_streak INTEGER NOT NULL DEFAULT 0,
    gone_since TEXT,
    first_seen TEXT,
    last_checked TEXT,
    last_conclusive TEXT,
    last_alive TEXT,
    due TEXT,
    etag TEXT,
    last_modified TEXT,
    archived_url TEXT,
    transitions TEXT,
    ignored INTEGER NOT NULL DEFAULT 0,
    alive_at TEXT,
    said_at TEXT
) STRICT;
CREATE UNIQUE INDEX idx_links_key_fragment ON links (key, fragment);
CREATE INDEX idx_links_standing ON links (standing);
CREATE INDEX idx_links_host ON links (host);

CREATE TABLE aliases (
    alias TEXT PRIMARY KEY,
    key TEXT NOT NULL
) STRICT;
CREATE INDEX idx_aliases_key ON aliases (key);

-- `meant`: the address that an href means, where the two differ.
CREATE TABLE mentions (
    id INTEGER PRIMARY KEY,
    passage_id INTEGER NOT NULL REFERENCES passages(id),
    link_id INTEGER NOT NULL REFERENCES links(id),
    line INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    url TEXT NOT NULL,
    anchor TEXT NOT NULL,
    form TEXT NOT NULL,
    meant TEXT
) STRICT;
CREATE INDEX idx_mentions_passage_id ON mentions (passage_id);
CREATE INDEX idx_mentions_link_id ON mentions (link_id);

CREATE TABLE checks (
    id INTEGER PRIMARY KEY,
    link_id INTEGER NOT NULL REFERENCES links(id),
    at TEXT NOT NULL,
    verdict TEXT NOT NULL,
    status INTEGER,
    final_url TEXT,
    reason TEXT NOT NULL,
    gone INTEGER NOT NULL,
    etag TEXT,
    last_modified TEXT,
    retry_at TEXT
) STRICT;
CREATE INDEX idx_checks_link_id ON checks (link_id);

CREATE TABLE models (
    id INTEGER PRIMARY KEY,
    identity TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX idx_models_identity ON models (identity);

-- Two clustered trees and no rowid: at a million passages this table is most of what a sync writes.
CREATE TABLE vectors (
    model_id INTEGER NOT NULL REFERENCES models(id),
    row INTEGER NOT NULL,
    digest BLOB NOT NULL,
    window INTEGER NOT NULL,
    PRIMARY KEY (model_id, row)
) WITHOUT ROWID, STRICT;
CREATE UNIQUE INDEX idx_vectors_model_id_digest_window ON vectors (model_id, digest, window);

CREATE TABLE saved (
    name TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL
) STRICT;

CREATE TABLE frequencies (
    term TEXT PRIMARY KEY,
    passages INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

-- Pairs of characters of the few passages in scripts without spaces; empty in most notebooks.
CREATE VIRTUAL TABLE grams_fts USING fts5(
    grams,
    tokenize='unicode61 remove_diacritics 0');
"""


def make(path: Path) -> bool:
    """Make the store at `path`, and its folder; False where one of an older kb is there instead.

    StoreTooNew if a newer kb made it (it is left untouched), StoreError if it cannot be written.
    """
    if not outdated(path):
        return True
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path.parent}: cannot be made ({error.strerror})") from None
    with making(path) as connection:
        if version_of(connection):
            return False
        create(connection)
    return True


@contextmanager
def making(path: Path) -> Iterator[sqlite3.Connection]:
    """The store at `path`, open to be made or brought up. StoreBusy, StoreError."""
    connection = connect(path, create=True)
    try:
        _keep_log(connection)
        yield connection
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname.startswith("SQLITE_BUSY"):
            raise StoreBusy(f"{path}: another kb is making it", hint="try again") from None
        if error.sqlite_errorname == "SQLITE_ERROR":  # its tables are none that a kb of its version made
            raise StoreError(f"{path}: cannot be brought to this version ({error})", hint=REBUILD) from None
        raise StoreError(f"{path}: cannot be written ({error})") from None
    finally:
        connection.close()


@contextmanager
def whole(connection: sqlite3.Connection) -> Iterator[int]:
    """One transaction that ends with the store at this version; the version it begins with."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield version_of(connection)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def create(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty store, in one transaction. Another process may have made them meanwhile."""
    with whole(connection) as version:
        if not version:
            for statement in (_APPLIED + TABLES).split(";\n"):
                connection.execute(statement)
            connection.executemany(
                "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
                " VALUES ('kb', ?, strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'))",
                [(name,) for name in MIGRATIONS],
            )


def _keep_log(connection: sqlite3.Connection) -> None:
    """Turn to write-ahead logging. SQLite waits for nobody there, whatever its time-out says."""
    for _ in range(100):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY"):
                raise
            time.sleep(0.05)
    connection.execute("PRAGMA journal_mode = WAL")
