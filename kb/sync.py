"""Notes and ledger into the store, and vectors for what changed.

Plan: a scan against the stamps of the last sync. Act: read and parse what differs. Record: one
short BEGIN IMMEDIATE a batch. A sync killed anywhere leaves whole notes, old or new, and the
next one goes on from there; vectors are written to their file before the store speaks of them,
so what a crash leaves behind is unused rows at worst.

A plain sync writes nothing but the store: when a link was first seen goes into the ledger with
the first look, fact or word of the person, so that syncing never makes git see a change.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from kb import fresh, reading, urls
from kb.config import Settings
from kb.errors import UnknownNote
from kb.fresh import Freshness
from kb.model.clock import Clock
from kb.model.links import Key
from kb.model.reports import Problem, Severity, SyncReport
from kb.notes import files
from kb.notes.parse import parse
from kb.observed import take
from kb.reading import Read, Wanted
from kb.store import lock, saved
from kb.store.prepared import Prepared
from kb.store.rows import Stamp
from kb.store.store import Store

if TYPE_CHECKING:
    from kb.search.encode import Encoder
    from kb.search.vectors import VectorFile

NOTES_AT_ONCE, NOTES_AT_LEAST = 1_000, 200
BYTES_AT_ONCE = 16 * 1024 * 1024
TEXTS_AT_ONCE = 256
STALE, STALE_LEAST = 1 / 3, 1_000


#: Seconds to wait for another kb that is writing.
WAIT = lock.WAIT


class Stage(StrEnum):
    """What a sync is doing, for a progress bar."""

    READING = "reading notes"
    EMBEDDING = "embedding"


Progress = Callable[[Stage, int, int], None]


def sync(
    store: Store,
    settings: Settings,
    clock: Clock,
    *,
    rehash: bool = False,
    progress: Progress | None = None,
    wait: float = WAIT,
    seen: Freshness | None = None,
) -> SyncReport:
    """Bring the store up to date; what lacks a vector is counted as pending, and left to `embed`.

    `seen` is a look just taken, which spares another unless somebody wrote to the store since.
    `rehash` reads every file, whatever its stamp. `progress` is told (stage, done, total).
    StoreBusy if another sync takes longer than `wait` seconds; LedgerError if the ledger cannot
    be read (the notes are in the store by then).
    """
    began = time.monotonic()
    tell = progress or _silent
    with lock.hold(settings.derived / "lock", wait):
        freshness = seen
        if freshness is None or freshness.store_version != store.version():
            freshness = fresh.look(store, settings, rehash=rehash)
        meeting = tuple(fresh.met(freshness))
        done = _Notes(store, settings, clock.now(), freshness, tell, meets=bool(meeting)).run()
        problems = take(store, settings).problems if freshness.ledger_changed else ()
        if freshness.saved_changed:
            _read_saved(store, settings)
    passages, links, _ = store.counts(keep=True)
    return replace(
        done,
        passages=passages,
        links=links,
        pending=fresh.pending(store, settings),
        problems=(
            *store.problems(),
            *freshness.walk.problems,
            *done.problems,
            *problems,
            *meeting,
        ),
        seconds=time.monotonic() - began,
    )


def _silent(_stage: Stage, _done: int, _total: int) -> None:
    """The progress of a sync that nobody watches."""


# -- notes -------------------------------------------------------------------------------------


class _Notes:
    """Reads what changed, and records it batch by batch."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        now: str,
        freshness: Freshness,
        tell: Progress,
        *,
        meets: bool,
    ) -> None:
        self.store = store
        self.meets = meets
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
        """Read and record all that changed. Rows leave no cycles behind; looking for them costs a tenth."""
        looking = gc.isenabled()
        gc.disable()
        try:
            with self.store.bulk():
                return self._run()
        finally:
            if looking:
                gc.enable()

    def _run(self) -> SyncReport:
        done, total = 0, len(self.freshness.changed)
        if total or self.freshness.gone:
            self._forget_scan()  # until all is done, the rows are of no one scan
        if self.freshness.rules_changed and not self.stamps:
            # No row is of other rules: what a first sync has recorded counts, should it be killed.
            self.store.remember("rules", self.rules)
        report = SyncReport(unchanged=self.freshness.unchanged)
        found = reading.read_all(self.root, self._wanted(), day_first=self.day_first)
        for batch in _batches(found, total):
            self.tell(Stage.READING, done, total)
            report = self._record(report, [one for one in batch if not self._failed(one)])
            done += len(batch)
        if total:
            self.tell(Stage.READING, total, total)
        left = [path for paths in self.gone.values() for path in paths]
        if left:
            self.store.drop_notes(left)
        if self.freshness.rules_changed:
            self.store.remember("rules", self.rules)
        self._remember_scan()
        if total or left:
            self.store.learn_frequencies(self.store.counts(keep=True).passages)
        return replace(report, deleted=len(left), problems=tuple(self.problems))

    def _remember_scan(self) -> None:
        """Let the next scan be told by its fingerprint alone, if the rows say what this one found."""
        walk, seen = self.freshness.walk, self.freshness.glance
        if self.freshness.unchanged and not walk.found:
            return  # a glance told that all is as it was
        mark = fresh.fingerprint(walk.found)
        settled = fresh.compare(walk.found, self.store.file_stats()) == ((), ())
        if settled and self.store.setting("scan") != mark:
            self.store.remember("scan", mark)
        # What a walk complains of is to be said each time, so that it has to be walked.
        said = walk.problems or self.meets
        known = seen if settled and not said else None
        if self.store.setting("glance") != known:
            self.store.remember("glance", known)

    def _forget_scan(self) -> None:
        for name in ("scan", "glance"):
            self.store.remember(name, None)

    def _wanted(self) -> list[Wanted]:
        """The files to read. Where the rules changed, equal bytes say nothing: every row is made anew."""
        known = {} if self.freshness.rules_changed else self.stamps
        return [
            Wanted(
                found.path,
                found.size,
                fresh.settled_mtime(found, self.freshness.scanned_ns),
                known[found.path].digest if found.path in known else "",
            )
            for found in self.freshness.changed
        ]

    def _failed(self, one: Read) -> bool:
        if one.fault:
            hint = "what it said before is kept"
            message = f"cannot be read: {one.fault}"
            self.problems.append(Problem(one.path, 0, Severity.ERROR, message, hint))
        # One that went since the scan is forgotten by the next sync.
        return one.gone or bool(one.fault)

    def _record(self, report: SyncReport, read: Sequence[Read]) -> SyncReport:
        """One batch: what it is to the store, then one transaction."""
        touched: dict[str, Stamp] = {}
        renamed: list[tuple[str, str]] = []
        dropped: list[str] = []
        put: list[Prepared] = []
        same = added = 0
        for one in read:
            known = self.stamps.get(one.path)
            if one.rows is None:
                same += 1
                if known != one.stamp:
                    touched[one.path] = one.stamp
                continue
            old = self._moved_from(one) if known is None else None
            added += known is None and old is None
            if old is not None and not self.freshness.rules_changed and self._same_at(old, one):
                renamed.append((old, one.path))
                touched[one.path] = one.stamp
                continue
            if old is not None:
                dropped.append(old)
            put.append(one.rows)
        if put or renamed or touched:
            with self.store.transaction():
                self.store.drop_notes(dropped)
                self.store.rename_notes(renamed)
                self.store.touch(touched)
                self.store.put_prepared(put, self.now)
        moved = len(renamed) + len(dropped)
        return replace(
            report,
            added=report.added + added,
            changed=report.changed + len(put) - len(dropped) - added,
            renamed=report.renamed + moved,
            unchanged=report.unchanged + same,
        )

    def _moved_from(self, one: Read) -> str | None:
        paths = self.gone.get(one.stamp.digest)
        return paths.pop() if paths else None

    def _same_at(self, old: str, one: Read) -> bool:
        """Whether the path tells nothing of this note: no title, date or privacy comes from it."""
        try:
            data = files.read(self.root, one.path)
        except (UnknownNote, OSError):
            return False
        before = parse(old, data, day_first=self.day_first)
        there = parse(one.path, data, day_first=self.day_first)
        return one.stamp.digest == there.digest and replace(before, path=one.path, problems=()) == replace(
            there, problems=()
        )


def _batches(found: Iterable[Read], total: int) -> Iterator[list[Read]]:
    """Parts small enough to hold in memory and to write in one short transaction.

    Towards the end they shrink: nobody reads any more while the last one is written.
    """
    batch: list[Read] = []
    size, left = 0, total
    for one in found:
        most = min(NOTES_AT_ONCE, max(left // 2, NOTES_AT_LEAST))
        if batch and (len(batch) >= most or size + one.stamp.size > BYTES_AT_ONCE):
            yield batch
            left -= len(batch)
            batch, size = [], 0
        batch.append(one)
        size += one.stamp.size
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
    wait: float = WAIT,
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
        _compact(store, vectors)
        store.counts(keep=True)
    return done


def _compact(store: Store, vectors: VectorFile) -> None:
    """Leave out the rows that nothing needs any more, once they are more than STALE of all.

    A few are always kept: a note may come back.

    The new map is in the store before the new file is in place, the old one until after it: each
    file names its map, so a crash at any point leaves a pair that belongs together.
    """
    model, live = vectors.model, store.live_rows(vectors.model)
    if vectors.rows - len(live) <= max(STALE * vectors.rows, STALE_LEAST):
        return
    smaller = vectors.compacted(live)
    try:
        store.renumber_vectors(model, smaller.model)
    except BaseException:
        smaller.discard()
        raise
    smaller.publish()
    store.keep_model(smaller.model)


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


# -- saved pages ------------------------------------------------------------------------------


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
