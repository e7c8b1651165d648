"""An open notebook: its settings and store, its notes read, and what they mean by a path."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, Self

from kb import temporary
from kb.config import Settings
from kb.errors import ModelError, StoreError, UsageError
from kb.knowledge.models import Models
from kb.model.search import Filter
from kb.values import replace

if TYPE_CHECKING:
    from kb.model.clock import Clock
    from kb.model.reports import SyncReport
    from kb.store.store import Store

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> str:
        """This instant, ISO 8601 in UTC to the second."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def today(self) -> str:
        """The local date, `YYYY-MM-DD`."""
        return time.strftime("%Y-%m-%d")


class Notebook:
    """What every part of the KnowledgeBase stands on. Use it as a context manager, or close it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock: Clock = SystemClock()
        self.models = Models(settings)
        #: Told that the store was brought up from an older kb's, and that an answer is of what was read
        #: before; where nobody is told the latter, that is an error.
        self.told: Callable[[str], object] | None = None
        self._store: Store | None = None
        self._thread = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from sqlite3 import DatabaseError

        self.close()
        if isinstance(error, DatabaseError):
            raise StoreError(
                f"{self.settings.store}: cannot be used ({error})",
                hint="delete the .kb folder and run `kb sync`: notes and ledger rebuild it",
            ) from error

    def close(self) -> None:
        """Let go of the store."""
        store, self._store = self._store, None
        if store is not None:
            store.close()

    def twin(self) -> Self:
        """The same notebook with a store of its own, as another thread needs it."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, _store=None)
        return other

    @property
    def store(self) -> Store:
        """The store, made or brought to this version where it has to be. UsageError in another thread."""
        if self._store is None:
            self._store, self._thread = self._open(), get_ident()
        elif self._thread != get_ident():
            raise UsageError(
                "this notebook was opened in another thread", hint="KnowledgeBase.open() one in each"
            )
        return self._store

    def _open(self) -> Store:
        from kb.store.store import Store

        path = self.settings.store
        if Store.outdated(path):
            from kb.store import tables

            if not tables.make(path):
                from kb.store import schema

                copy = schema.ensure(path)
                if copy is not None and self.told is not None:
                    kept = os.path.relpath(copy, self.settings.root)
                    self.told(f"an older kb made the store: it was brought up, and {kept} is as it was")
        store = Store.open(path)
        if self.settings["links.ignore"]:
            from kb.web.ignore import ignores

            store.leave_out(ignores(self.settings["links.ignore"]))
        return store

    # -- places --------------------------------------------------------------------------------

    def shown(self, path: str) -> str:
        """A note's path as a person in the current folder would type it; `?` for what is no letter of it."""
        folder, _, name = path.rpartition("/")
        whole = _towards(os.path.join(self.settings.notes, folder), os.getcwd()) + name
        return whole if whole.isprintable() else "".join(c if c.isprintable() else "?" for c in whole)

    def address(self, path: str, line: int) -> str:
        """The URL that opens a note at a line: `editor.url` of the person's config, else its file."""
        from urllib.parse import quote

        full = quote(os.fsencode(self.settings.notes / path))
        template: str = self.settings["editor.url"] or "file://{path}"
        return template.replace("{path}", full).replace("{line}", str(line))

    def _place(self, typed: str) -> str:
        """The note or folder that a person means, as the store has it. UnknownNote if they mean none."""
        from kb.notes.named import named_place

        return named_place(self.settings.notes, typed, Path.cwd())

    def _note(self, typed: str) -> str:
        """The note that a person means. UnknownNote if they mean none, or a folder."""
        from kb.notes.named import named_note

        return named_note(self.settings.notes, typed, Path.cwd())

    def _spot(self, typed: str) -> tuple[str, int]:
        """The note that `PATH` or `PATH:LINE` means, and the line; 0 for none. UnknownNote as above."""
        path, _, line = typed.rpartition(":")
        if not path or not (line.isascii() and line.isdigit()):
            path, line = typed, "0"
        return self._note(path), int(line[:9])

    def _narrow(self, narrow: Filter | None) -> Filter:
        """The filter with its paths as the store has them. UnknownNote for one that names nothing."""
        if narrow is None or not narrow.paths:
            return narrow or Filter()
        paths = [self._place(path) for path in narrow.paths]
        return replace(narrow, paths=() if "." in paths else tuple(paths))

    # -- notes -> store ------------------------------------------------------------------------

    def sync(
        self, *, embed: bool = True, rehash: bool = False, progress: Progress | None = None
    ) -> SyncReport:
        """Bring the store up to date with notes and ledger, then embed what has no vector yet.

        With `embed=False`, or where the model cannot be used, passages stay pending; the report's
        `notice` says why. StoreBusy, StoreError, LedgerError.
        """
        # What killed processes left half-written beside the store, the ledger and saved pages.
        known = self.settings
        temporary.clear_folders((known.root, known.derived, known.saved, known.private_saved))
        report = self._read_notes(rehash=rehash, progress=progress)
        return self._embed(report, progress, fetch=True) if embed else report

    def _read_notes(
        self, *, rehash: bool = False, progress: Progress | None = None, wait: float | None = None
    ) -> SyncReport:
        """Bring the store up to date, waiting `wait` seconds for another kb that is writing."""
        from kb import fresh

        freshness = fresh.look(self.store, self.settings, rehash=rehash)
        temporary.clear(self.settings.notes / path for path in freshness.walk.unfinished)
        if freshness.current:
            return fresh.report(self.store, self.settings, freshness)
        from kb.sync import WAIT, sync

        return sync(
            self.store,
            self.settings,
            self.clock,
            rehash=rehash,
            progress=progress,
            wait=WAIT if wait is None else wait,
            seen=freshness,
        )

    def _read_if_writable(self) -> None:
        """The same for what only answers: where the notebook is read-only, what was read before has to do."""
        try:
            self._read_notes()
        except StoreError as error:
            if self.told is None or os.access(self.settings.derived, os.W_OK):
                raise
            self.told(f"{error}; this is what was read before")

    def _embed(
        self,
        report: SyncReport,
        progress: Progress | None,
        *,
        fetch: bool,
        wait: float | None = None,
    ) -> SyncReport:
        """Embed what has no vector; `fetch` allows for a new model to be fetched, hashed and compared."""
        from kb import fresh

        try:
            chosen = self.models.choose(embedding=fetch)
            pending = fresh.pending(self.store, self.settings, chosen.encoder.identity)
            vectors = self.models.vectors(chosen.encoder)
            if not pending and vectors.holds(self.store.vector_count):
                return replace(report, pending=0, notice=chosen.notice)
            from kb.sync import WAIT, embed

            embedded = embed(
                self.store,
                self.settings,
                chosen.encoder,
                vectors,
                progress=progress,
                wait=WAIT if wait is None else wait,
            )
        except ModelError as error:
            return replace(report, notice=_words_alone(error))
        return replace(report, embedded=embedded, pending=0, notice=chosen.notice)


@lru_cache
def _towards(folder: str, here: str) -> str:
    """What to write before the name of a file in `folder`, seen from `here`: not too many `..`."""
    relative = os.path.relpath(folder, here)
    if relative == os.curdir:
        return ""
    return os.path.join(folder if relative.startswith(os.path.join("..", "..", "..")) else relative, "")


def _words_alone(error: ModelError) -> str:
    advice = f" ({error.hint})" if error.hint else ""
    return f"{error}; searching by words alone{advice}"
