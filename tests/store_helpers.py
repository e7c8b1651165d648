"""Notes made of values and notebooks made of text, for the tests of the store and of sync."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from kb import config, fresh
from kb.config import Settings
from kb.model import (
    Key,
    Link,
    LinkForm,
    Note,
    NoteKind,
    Passage,
    PassageKind,
    Span,
    SyncReport,
    When,
)
from kb.reading import identify
from kb.search.encode import Encoder
from kb.search.vectors import VectorFile
from kb.store import schema
from kb.store.prepared import prepare
from kb.store.rows import Stamp
from kb.store.store import Store
from kb.sync import embed

SEEN = "2026-11-24T12:00:00Z"
LONG_AGO_NS = 1_700_000_000_000_000_000


def link(url: str, anchor: str = "", line: int = 1, start: int = 0) -> Link:
    return Link(line, Span(start, start + len(url)), anchor, url, url, LinkForm.INLINE)


def passage(
    text: str,
    *urls: str,
    line: int = 1,
    noted: str | None = None,
    date: str | None = None,
    heading: tuple[str, ...] = (),
    parents: tuple[str, ...] = (),
) -> Passage:
    return Passage(
        PassageKind.BULLET,
        line,
        Span(0, len(text.encode())),
        text,
        heading,
        parents,
        When.parse(noted) if noted else None,
        When.parse(date) if date else None,
        tuple(link(url, line=line, start=number) for number, url in enumerate(urls)),
    )


def note(path: str, *passages: Passage, title: str = "A note", **fields: object) -> Note:
    digest = blake2b(repr((path, passages)).encode(), digest_size=16).hexdigest()
    values: dict[str, object] = {"kind": NoteKind.NOTE, "passages": passages, **fields}
    return Note(path=path, title=title, digest=digest, **values)  # type: ignore[arg-type]


def put(store: Store, *notes: Note, at: str = SEEN) -> None:
    store.put_prepared([prepare(one, Stamp(1, 1, one.digest), identify) for one in notes], at)


def open_store(path: Path) -> Store:
    """A store of this version, made where there is none."""
    schema.ensure(path)
    return Store.open(path)


def vector_rows(store: Store, model: str) -> list[tuple[int, str, int]]:
    """Every vector of a model as (row, digest, window), in order of row."""
    return store.connection.execute(
        "SELECT row, lower(hex(digest)), window FROM vectors JOIN models ON models.id = model_id"
        " WHERE identity = ? ORDER BY row",
        [model],
    ).fetchall()


def texts(store: Store, ids: object) -> set[str]:
    return {hit.text for hit in store.hits(list(ids)).values()}  # type: ignore[call-overload]


def key(text: str, fragment: str = "") -> Key:
    return Key(text, fragment)


def notebook(root: Path, notes: Mapping[str, str], toml: str = "") -> Settings:
    """A notebook with these notes, all written long ago, so that their stamps are settled."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "kb.toml").write_text(toml)
    (root / "notes").mkdir(exist_ok=True)
    for path, text in notes.items():
        write(root / "notes" / path, text)
    said = {name: value for name, value in os.environ.items() if name.startswith(("KB_", "XDG_"))}
    return config.load(root, said)


def embedded(
    report: SyncReport, store: Store, settings: Settings, encoder: Encoder, vectors: VectorFile
) -> SyncReport:
    """What a sync did and what is embedded after it, as the notebook does."""
    count = embed(store, settings, encoder, vectors)
    return replace(report, embedded=count, pending=fresh.pending(store, settings))


def write(path: Path, text: str, mtime_ns: int = LONG_AGO_NS) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(mtime_ns, mtime_ns))
