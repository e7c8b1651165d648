"""Notes and ledger into the store, and vectors for what changed.

Plan: a scan against the stamps of the last sync. Act: read and parse what differs. Record: one
short BEGIN IMMEDIATE a batch. A sync killed anywhere leaves whole notes, old or new, and the
next one goes on from there; vectors are written to their file before the store speaks of them,
so what a crash leaves behind is unused rows at worst.

A plain sync writes nothing but the store: when a link was first seen goes into the ledger with
the first look, fact or word of the person, so that syncing never makes git see a change.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING

from kb import fresh, urls
from kb.config import Settings
from kb.errors import UnknownNote
from kb.fresh import Freshness
from kb.model import (
    Clock,
    Key,
    Link,
    LinkKind,
    LinkRecord,
    Note,
    Problem,
    Severity,
    SyncReport,
    settled_kind,
)
from kb.notes import files
from kb.notes.files import Found
from kb.notes.parse import parse
from kb.store import ledger, lock, saved
from kb.store.rows import Identity, Stamp
from kb.store.store import Store

if TYPE_CHECKING:
    from kb.search.encode import Encoder
    from kb.search.vectors import VectorFile

NOTES_AT_ONCE = 1_000
BYTES_AT_ONCE = 16 * 1024 * 1024
TEXTS_AT_ONCE = 256


class Stage(StrEnum):
    """What a sync is doing, for a progress bar."""

    READING = "reading notes"
    EMBEDDING = "embedding"


Progress = Callable[[Stage, int, int], None]


def sync(
    store: Store,
    settings: Settings,
    encoder: Encoder | None,
    vectors: VectorFile | None,
    clock: Clock,
    *,
    rehash: bool = False,
    progress: Progress | None = None,
    wait: float = lock.WAIT,
) -> SyncReport:
    """Bring the store up to date. Without an encoder, what lacks a vector is counted as pending.

    `rehash` reads every file, whatever its stamp. `progress` is told (stage, done, total).
    StoreBusy if another sync takes longer than `wait` seconds; LedgerError if the ledger cannot
    be read (the notes are in the store by then); ModelError from the encoder likewise.
    """
    began = time.monotonic()
    tell = progress or _silent
    with lock.hold(settings.derived / "lock", wait):
        freshness = fresh.look(store, settings, rehash=rehash)
        done = _Notes(store, settings, clock.now(), freshness, tell).run()
        if freshness.ledger_changed:
            _read_ledger(store, settings)
        if freshness.saved_changed:
            _read_saved(store, settings)
    embedded = 0
    if encoder is not None and vectors is not None:
        embedded = embed(store, settings, encoder, vectors, progress=progress, wait=wait)
    passages, links, _ = store.counts(keep=True)
    return replace(
        done,
        passages=passages,
        links=links,
        embedded=embedded,
        pending=fresh.pending(store, settings),
        problems=(*store.problems(), *freshness.walk.problems, *done.problems),
        seconds=time.monotonic() - began,
    )


def identify(link: Link) -> Identity:
    """Which link a mention means."""
    return Identity(urls.key(link.url), urls.link_kind(link.url, link.anchor), urls.host(link.url))


def _silent(_stage: Stage, _done: int, _total: int) -> None:
    """The progress of a sync that nobody watches."""


# -- notes -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _File:
    """A file that was read."""

    path: str
    data: bytes
    stamp: Stamp


class _Notes:
    """Reads what changed, and records it batch by batch."""

    def __init__(
        self, store: Store, settings: Settings, now: str, freshness: Freshness, tell: Progress
    ) -> None:
        self.store = store
        self.root = settings.notes
        self.day_first = bool(settings["notes.day_first"])
        self.rules = fresh.rules(settings)
        self.now = now
        self.freshness = freshness
        self.tell = tell
        self.stamps = store.stamps() if freshness.changed or freshness.gone else {}
        # What is gone, by the bytes it held: a new file of the same bytes is one of them, moved.
        self.gone: dict[str, list[str]] = {}
        for path in reversed(freshness.gone):
            self.gone.setdefault(self.stamps[path].digest, []).append(path)
        self.problems: list[Problem] = []

    def run(self) -> SyncReport:
        done, total = 0, len(self.freshness.changed)
        report = SyncReport(unchanged=self.freshness.unchanged)
        for batch in _batches(self.freshness.changed):
            self.tell(Stage.READING, done, total)
            report = self._record(report, [file for found in batch if (file := self._read(found))])
            done += len(batch)
        if total:
            self.tell(Stage.READING, total, total)
        left = [path for paths in self.gone.values() for path in paths]
        if left:
            self.store.drop_notes(left)
        if self.freshness.rules_changed:
            self.store.remember("rules", self.rules)
        return replace(report, deleted=len(left), problems=tuple(self.problems))

    def _read(self, found: Found) -> _File | None:
        try:
            data = files.read(self.root, found.path)
        except UnknownNote:
            return None  # it went since the scan; the next sync forgets it
        except OSError as error:
            message = f"cannot be read: {(error.strerror or str(error)).lower()}"
            self.problems.append(
                Problem(found.path, 0, Severity.ERROR, message, "what it said before is kept")
            )
            return None
        mtime = fresh.settled_mtime(found, self.freshness.scanned_ns)
        return _File(found.path, data, Stamp(found.size, mtime, blake2b(data, digest_size=16).hexdigest()))

    def _record(self, report: SyncReport, read: Sequence[_File]) -> SyncReport:
        """One batch: what it is to the store, then one transaction."""
        touched: dict[str, Stamp] = {}
        renamed: list[tuple[str, str]] = []
        dropped: list[str] = []
        put: list[tuple[Note, Stamp]] = []
        same = added = 0
        for file in read:
            known = self.stamps.get(file.path)
            if known is not None and known.digest == file.stamp.digest and not self.freshness.rules_changed:
                same += 1
                if known != file.stamp:
                    touched[file.path] = file.stamp
                continue
            note = self._parse(file.path, file.data)
            old = self._moved_from(file) if known is None else None
            added += known is None and old is None
            if old is not None and not self.freshness.rules_changed and self._same_at(old, file, note):
                renamed.append((old, file.path))
                touched[file.path] = file.stamp
                continue
            if old is not None:
                dropped.append(old)
            put.append((note, file.stamp))
        if put or renamed or touched:
            with self.store.transaction():
                self.store.drop_notes(dropped)
                self.store.rename_notes(renamed)
                self.store.touch(touched)
                self.store.put_notes(put, identify, self.now)
        moved = len(renamed) + len(dropped)
        return replace(
            report,
            added=report.added + added,
            changed=report.changed + len(put) - len(dropped) - added,
            renamed=report.renamed + moved,
            unchanged=report.unchanged + same,
        )

    def _parse(self, path: str, data: bytes) -> Note:
        return parse(path, data, day_first=self.day_first)

    def _moved_from(self, file: _File) -> str | None:
        paths = self.gone.get(file.stamp.digest)
        return paths.pop() if paths else None

    def _same_at(self, old: str, file: _File, note: Note) -> bool:
        """Whether the path tells nothing of this note: no title, date or privacy comes from it."""
        before = self._parse(old, file.data)
        return replace(before, path=note.path, problems=()) == replace(note, problems=())


def _batches(found: Sequence[Found]) -> Iterator[list[Found]]:
    """Parts small enough to hold in memory and to write in one short transaction."""
    batch: list[Found] = []
    size = 0
    for one in found:
        if batch and (len(batch) == NOTES_AT_ONCE or size + one.size > BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += one.size
    if batch:
        yield batch


# -- vectors -----------------------------------------------------------------------------------


def embed(
    store: Store,
    settings: Settings,
    encoder: Encoder,
    vectors: VectorFile,
    *,
    progress: Progress | None = None,
    wait: float = lock.WAIT,
) -> int:
    """Embed every text that has no vector yet; how many. What is done when it is killed, stays done.

    It holds a lock of its own, since it can take long and notes may be synced meanwhile.
    StoreBusy if another embeds for longer than `wait` seconds; ModelError.
    """
    with lock.hold(settings.derived / "vectors.lock", wait):
        vectors.ensure()
        if store.setting("model") != vectors.model:
            with store.transaction():
                store.keep_model(vectors.model)
                store.remember("vectors", vectors.path.name)
        if store.vector_count(vectors.model) > vectors.rows:
            store.forget_vectors(vectors.model, from_row=vectors.rows)  # the file was cut short
        done = _embed_missing(store, encoder, vectors, progress or _silent)
        store.counts(keep=True)
    return done


def _embed_missing(store: Store, encoder: Encoder, vectors: VectorFile, tell: Progress) -> int:
    model = vectors.model
    total = store.missing_count(model)
    done, last = 0, ""
    while missing := store.missing_digests(model, TEXTS_AT_ONCE, after=last):
        tell(Stage.EMBEDDING, done, total)
        windows = [(digest, encoder.windows(excerpt) or [excerpt.text]) for digest, excerpt in missing]
        first = vectors.append(encoder.embed([text for _, texts in windows for text in texts]))
        places = ((digest, number) for digest, texts in windows for number in range(len(texts)))
        store.record_vectors(
            model, [(digest, number, row) for row, (digest, number) in enumerate(places, first)]
        )
        done, last = done + len(missing), missing[-1][0]
    if total:
        tell(Stage.EMBEDDING, done, max(done, total))
    return done


# -- the ledger --------------------------------------------------------------------------------


def record(store: Store, settings: Settings, *, wait: float = lock.WAIT) -> bool:
    """Write what was seen of links into the ledger, after a check, facts, or a word of the person.

    What the files say beyond the store (after a git pull, say) is taken in first, so nothing is
    lost. Links that stand in private notes only go to the private ledger. Returns whether a file
    changed. StoreBusy, LedgerError.
    """
    with lock.hold(settings.derived / "lock", wait):
        unknown = {one.key: one.unknown for one in _read_ledger(store, settings).values() if one.unknown}
        private = store.private_keys()
        entries = [
            replace(ledger.entry(one), unknown=unknown.get(one.key, {}))
            for one in store.links(unmentioned=True)
        ]
        changed = ledger.write(settings.ledger, (one for one in entries if one.key not in private))
        changed |= ledger.write(settings.private_ledger, (one for one in entries if one.key in private))
        store.remember("ledger", fresh.ledger_signature(settings))
    return changed


def _read_ledger(store: Store, settings: Settings) -> ledger.Entries:
    """Take into the store what the ledger knows better; what both files hold together."""
    signature = fresh.ledger_signature(settings)
    public, private = ledger.read(settings.ledger), ledger.read(settings.private_ledger)
    entries = dict(public)
    for key, one in private.items():
        entries[key] = ledger.merge(entries[key], one) if key in entries else one
    known = {one.key: one for one in store.links(unmentioned=True)} if entries else {}
    with store.transaction():
        for key, one in entries.items():
            _take(store, one, known.get(key), private=key not in public)
        store.remember("ledger", signature)
    return entries


def _read_saved(store: Store, settings: Settings) -> None:
    """Passages of the saved pages that came or changed; those of files that are gone go."""
    signature, embed_text = fresh.saved_signature(settings), bool(settings["enrich.embed_text"])
    folders = (settings.private_saved, settings.saved) if settings["enrich.keep_text"] else ()
    found = {name: (stat, folder) for folder in folders for name, stat in saved.listing(folder).items()}
    known = store.saved_stats()
    again = signature.endswith("embedded") != (store.setting("saved") or "").endswith("embedded")
    with store.transaction():
        store.drop_pages([name for name in known if name not in found])
    for name, (stat, folder) in found.items():
        if again or known.get(name) != stat:
            page = saved.read(folder / name)
            with store.transaction():
                if page is not None:
                    kind, host = urls.link_kind(page.url), urls.host(page.url)
                    if not store.know_page(Key(page.key)):
                        store.know(Key(page.key), kind, host, private=folder == settings.private_saved)
                found_pieces = saved.pieces(page) if page is not None else []
                store.put_page(name, stat, page, found_pieces, embed_text=embed_text)
    store.remember("saved", signature)


def _take(store: Store, one: ledger.Entry, record: LinkRecord | None, *, private: bool) -> None:
    if record is None:
        address = str(one.key)
        store.know(one.key, urls.link_kind(address), urls.host(address), private=private)
    old = ledger.Entry(one.key) if record is None else ledger.entry(record)
    new = ledger.merge(old, one)
    if new.facts != old.facts:
        store.save_facts(one.key, new.facts)
        kind = record.kind if record is not None else urls.link_kind(str(one.key))
        told = new.facts.extra.get("kind")
        if told in tuple(LinkKind) and settled_kind(kind, LinkKind(str(told))) is not kind:
            store.save_kind(one.key, LinkKind(str(told)))
    if new.looks != old.looks:
        store.save_look(one.key, None, new.looks)
    if new.person != old.person:
        store.save_person(one.key, new.person)
    for alias in set(new.aliases) - set(old.aliases):
        store.add_alias(alias, one.key)
