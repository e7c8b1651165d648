"""KnowledgeBase: the one place where real adapters are wired. It only delegates to the stages.

Imports inside methods are deferred on purpose: a keyword search must not pay for numpy, nor
`kb links` for httpx. This module and the command loader are the only ones that do so.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kb import config
from kb.config import Settings
from kb.errors import ModelError, UsageError
from kb.model import Entry, Filter, LinkRecord, NoteKind, SyncReport

if TYPE_CHECKING:
    from kb.add import Added
    from kb.check import CheckReport
    from kb.find import Found
    from kb.init import InitPlan
    from kb.pages.page import Page
    from kb.store.store import Store
    from kb.transfer import ImportPlan

Progress = Callable[[int, int], None]


class SystemClock:
    """The machine's clock."""

    def now(self) -> str:
        """This instant, ISO 8601 in UTC to the second."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def today(self) -> str:
        """The local date, `YYYY-MM-DD`."""
        return time.strftime("%Y-%m-%d")


class KnowledgeBase:
    """A notebook, open. Use it as a context manager, or close it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()

    @classmethod
    def open(cls, root: str | os.PathLike[str] | None = None) -> KnowledgeBase:
        """The notebook at `root`, or the nearest upward from the current folder.

        Raises NotebookNotFound where there is none, ConfigError where its settings cannot be read.
        """
        if root is None:
            return cls(config.load(config.find_root(Path.cwd())))
        folder = Path(root).expanduser().absolute()
        if not (folder / config.CONFIG_NAME).is_file():
            raise UsageError(
                f"{folder}: no {config.CONFIG_NAME} there", hint=f"kb init {folder}   makes a notebook of it"
            )
        return cls(config.load(folder))

    @classmethod
    def init(cls, folder: str | os.PathLike[str], *, dry_run: bool = False) -> InitPlan:
        """Make a notebook of `folder`; with `dry_run` only say how."""
        from kb.init import apply_init, plan_init

        plan = plan_init(Path(folder).expanduser().absolute(), SystemClock().today())
        if not dry_run:
            apply_init(plan)
        return plan

    def __enter__(self) -> KnowledgeBase:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store."""
        store = self.__dict__.pop("store", None)
        if store is not None:
            store.close()

    @cached_property
    def store(self) -> Store:
        """The store, made or brought to this version where it has to be."""
        from kb.store.store import Store

        path = self.settings.store
        if Store.outdated(path):
            from kb.store import schema

            schema.ensure(path)
        return Store.open(path)

    def shown(self, path: str) -> str:
        """A note's path as a person in the current folder would type it."""
        full = self.settings.notes / path
        relative = os.path.relpath(full)
        return str(full) if relative.startswith(os.path.join("..", "..", "..")) else relative

    # -- notes -> store ------------------------------------------------------------------------

    def sync(
        self, *, embed: bool = True, rehash: bool = False, progress: Progress | None = None
    ) -> SyncReport:
        """Bring the store up to date with the notes and the ledger, then embed what has no vector.

        With `embed=False`, or where the model cannot be used, passages stay pending and the
        report's `notice` says why.
        """
        report = self._read_notes(rehash=rehash, progress=progress)
        if not embed or not report.pending:
            return report
        try:
            encoder = self._encoder(verify=True)
            embedded = self._embed(encoder, progress)
        except ModelError as error:
            notice = f"{error}; search goes by words alone until then"
            return replace(report, notice=notice + (f" ({error.hint})" if error.hint else ""))
        return replace(report, embedded=embedded, pending=self.store.counts()[2])

    # -- search --------------------------------------------------------------------------------
