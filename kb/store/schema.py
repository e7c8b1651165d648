"""A store that an older kb made, brought to the tables of today with sqlite-utils.

Only such a store needs this module; `PRAGMA user_version` tells, so neither a search nor a first
sync pays for the import. A migration, once released, is never edited: add another, write what it
comes to into `tables`, and raise `connection.SCHEMA_VERSION`.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from sqlite_utils import Database, Migrations

from kb.errors import StoreError
from kb.store import tables
from kb.store.connection import prepare, version_of
from kb.store.store import Store
from kb.temporary import beside

migrations = Migrations("kb")


@migrations(name="0001_first")
def _first(db: Database) -> None:
    _notes(db)
    _passages(db)
    _links(db)
    _vectors(db)


@migrations(name="0002_saved_pages")
def _second(db: Database) -> None:
    # Bodies of saved pages are found by their words alone, unless the notebook says otherwise.
    db.execute("ALTER TABLE passages ADD COLUMN embed INTEGER NOT NULL DEFAULT 1")
    db.table("saved").create(
        {"name": str, "key": str, "size": int, "mtime_ns": int},
        pk="name",
        not_null={"key", "size", "mtime_ns"},
        strict=True,
    )


@migrations(name="0003_words")
def _words(db: Database) -> None:
    db.execute(
        "CREATE TABLE frequencies (term TEXT PRIMARY KEY, passages INTEGER NOT NULL) WITHOUT ROWID, STRICT"
    )
    # Pairs of characters of the few passages in scripts without spaces; empty in most notebooks.
    db.execute("CREATE VIRTUAL TABLE grams_fts USING fts5(grams, tokenize='unicode61 remove_diacritics 0')")
    # Notes that were read before hold no grams: without its rules, the next sync reads them again.
    db.execute("DELETE FROM meta WHERE name = 'rules'")


@migrations(name="0004_meant")
def _meant(db: Database) -> None:
    # The address that an href means, where the two differ; the next sync reads the notes again.
    db.execute("ALTER TABLE mentions ADD COLUMN meant TEXT")
    db.execute("DELETE FROM meta WHERE name = 'rules'")


def _notes(db: Database) -> None:
    db.table("meta").create({"name": str, "value": str}, pk="name", not_null={"value"}, strict=True)
    db.table("notes").create(
        {
            "id": int,
            "path": str,
            "size": int,
            "mtime_ns": int,
            "digest": bytes,
            "title": str,
            "kind": str,
            "noted": str,
            "tags": str,
            "aliases": str,
            "description": str,
            "private": int,
            "draft": int,
        },
        pk="id",
        not_null={
            "path",
            "size",
            "mtime_ns",
            "digest",
            "title",
            "kind",
            "tags",
            "aliases",
            "private",
            "draft",
        },
        strict=True,
    ).create_index(["path"], unique=True)
    db.table("tags").create(
        {"note_id": int, "tag": str},
        not_null={"note_id", "tag"},
        foreign_keys=[("note_id", "notes", "id")],
        strict=True,
    ).create_index(["note_id"]).create_index(["tag"])
    db.table("terms").create(
        {
            "note_id": int,
            "line": int,
            "term": str,
            "expansion": str,
            "definition": str,
            "url": str,
            "aliases": str,
        },
        not_null={"note_id", "line", "term", "aliases"},
        foreign_keys=[("note_id", "notes", "id")],
        strict=True,
    ).create_index(["note_id"])
    db.table("problems").create(
        {"note_id": int, "line": int, "severity": str, "message": str, "hint": str},
        not_null={"note_id", "line", "severity", "message", "hint"},
        foreign_keys=[("note_id", "notes", "id")],
        strict=True,
    ).create_index(["note_id"])


def _passages(db: Database) -> None:
    db.table("passages").create(
        {
            "id": int,
            "note_id": int,
            "ordinal": int,
            "source": str,
            "kind": str,
            "line": int,
            "start": int,
            "end": int,
            "text": str,
            "heading": str,
            "parents": str,
            "address": str,
            "noted": str,
            "noted_from": str,
            "noted_to": str,
            "date": str,
            "date_from": str,
            "date_to": str,
            "digest": bytes,
        },
        pk="id",
        not_null={
            "ordinal",
            "source",
            "kind",
            "line",
            "start",
            "end",
            "text",
            "heading",
            "parents",
            "address",
            "digest",
        },
        foreign_keys=[("note_id", "notes", "id")],
        strict=True,
    ).create_index(["note_id", "ordinal"], unique=True).create_index(["digest"])
    # FTS5 reads its text through this view, so no word is stored twice and each passage carries
    # its note's title. A passage without a note belongs to a saved page.
    db.create_view(
        "searchable",
        "SELECT p.id AS id, p.text AS text, p.heading AS heading, coalesce(n.title, '') AS title,"
        " p.address AS address, p.parents AS parents"
        " FROM passages p LEFT JOIN notes n ON n.id = p.note_id",
    )
    db.execute(
        "CREATE VIRTUAL TABLE passages_fts USING fts5(text, heading, title, address, parents,"
        " content='searchable', content_rowid='id', tokenize='porter unicode61 remove_diacritics 2')"
    )


def _links(db: Database) -> None:
    links = db.table("links").create(
        {
            "id": int,
            "key": str,
            "fragment": str,
            "kind": str,
            "host": str,
            "private": int,
            "title": str,
            "facts": str,
            "standing": str,
            "verdict": str,
            "status": int,
            "final_url": str,
            "reason": str,
            "streak": int,
            "streak_since": str,
            "gone_streak": int,
            "gone_since": str,
            "first_seen": str,
            "last_checked": str,
            "last_conclusive": str,
            "last_alive": str,
            "due": str,
            "etag": str,
            "last_modified": str,
            "archived_url": str,
            "transitions": str,
            "ignored": int,
            "alive_at": str,
            "said_at": str,
        },
        pk="id",
        not_null={
            "key",
            "fragment",
            "kind",
            "host",
            "private",
            "standing",
            "reason",
            "streak",
            "gone_streak",
            "ignored",
        },
        defaults={
            "fragment": "",
            "private": 0,
            "standing": "unchecked",
            "reason": "",
            "streak": 0,
            "gone_streak": 0,
            "ignored": 0,
        },
        strict=True,
    )
    links.create_index(["key", "fragment"], unique=True)
    links.create_index(["standing"])
    links.create_index(["host"])
    db.table("aliases").create(
        {"alias": str, "key": str}, pk="alias", not_null={"key"}, strict=True
    ).create_index(["key"])
    db.table("mentions").create(
        {
            "id": int,
            "passage_id": int,
            "link_id": int,
            "line": int,
            "start": int,
            "end": int,
            "url": str,
            "anchor": str,
            "form": str,
        },
        pk="id",
        not_null={"passage_id", "link_id", "line", "start", "end", "url", "anchor", "form"},
        foreign_keys=[("passage_id", "passages", "id"), ("link_id", "links", "id")],
        strict=True,
    ).create_index(["passage_id"]).create_index(["link_id"])
    db.table("checks").create(
        {
            "id": int,
            "link_id": int,
            "at": str,
            "verdict": str,
            "status": int,
            "final_url": str,
            "reason": str,
            "gone": int,
            "etag": str,
            "last_modified": str,
            "retry_at": str,
        },
        pk="id",
        not_null={"link_id", "at", "verdict", "reason", "gone"},
        foreign_keys=[("link_id", "links", "id")],
        strict=True,
    ).create_index(["link_id"])


def _vectors(db: Database) -> None:
    db.table("models").create({"id": int, "identity": str}, pk="id", not_null={"identity"}, strict=True)
    db.table("models").create_index(["identity"], unique=True)
    # Two clustered trees and no rowid: at a million passages this table is most of what a sync writes.
    db.execute(
        "CREATE TABLE vectors (model_id INTEGER NOT NULL REFERENCES models(id), row INTEGER NOT NULL,"
        " digest BLOB NOT NULL, window INTEGER NOT NULL, PRIMARY KEY (model_id, row)) WITHOUT ROWID, STRICT"
    )
    db.table("vectors").create_index(["model_id", "digest", "window"], unique=True)


def ensure(path: Path) -> Path | None:
    """Make the store at `path`, or bring it to this version; its folder too. Otherwise does nothing.

    The copy of the store as it was, where it was brought up. StoreTooNew if a newer kb made it (it
    is left untouched), StoreError if it cannot be written.
    """
    if tables.make(path):
        return None
    with tables.making(path) as connection:
        copy = _keep_copy(connection, path, version_of(connection))
        with tables.whole(connection):
            migrations.apply(Database(connection, recursive_triggers=False, execute_plugins=False))
    return copy


def _keep_copy(connection: sqlite3.Connection, path: Path, version: int) -> Path:
    """The store as it was, beside it: `kb.sqlite3.schema-3`. The copy before that one goes."""
    copy, unfinished = path.with_name(f"{path.name}.schema-{version}"), beside(path)
    try:
        with closing(sqlite3.connect(unfinished)) as target:
            connection.backup(target)
        os.replace(unfinished, copy)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            os.unlink(unfinished)
        raise StoreError(
            f"{copy}: the store could not be copied before it is brought to this version ({error})",
            hint="make room, or delete the .kb folder and run `kb sync`: notes and ledger rebuild it",
        ) from None
    for older in path.parent.glob(f"{path.name}.schema-*"):
        if older != copy:
            older.unlink(missing_ok=True)
    return copy


def memory() -> Store:
    """A store in memory, of the same tables."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    prepare(connection)
    tables.create(connection)
    return Store(connection)
