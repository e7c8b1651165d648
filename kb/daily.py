"""The part of the KnowledgeBase that keeps a notebook well: figures, health, backups, settings, watching.

As in knowledge.py, imports inside methods are deferred, so that a search pays for none of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kb import config
from kb.config import Settings
from kb.errors import KbError, NotebookNotFound, UsageError

if TYPE_CHECKING:
    from threading import Event as Stop

    from kb.backup import BackedUp, Restored
    from kb.configure import Holding
    from kb.doctor import Finding
    from kb.lately import Event
    from kb.model import Clock, Filter, Hit, LinkRecord, SyncReport
    from kb.recall import Target
    from kb.search.choose import Chosen
    from kb.search.encode import Encoder
    from kb.search.vectors import VectorFile
    from kb.stats import Stats
    from kb.store.store import Store

#: So many passages are embedded while watching without the bulk engine, whose start takes seconds.
BRIEF = 500

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


class Daily:
    """What KnowledgeBase does beside notes, links and search; it is never made alone."""

    settings: Settings
    clock: Clock

    if TYPE_CHECKING:

        @property
        def store(self) -> Store: ...  # noqa: D102  # KnowledgeBase makes it

        def each_link(self, narrow: Filter | None = None) -> Iterator[LinkRecord]: ...  # noqa: D102
        def _read_notes(self, *, rehash: bool = False) -> SyncReport: ...
        def _embed(self, report: SyncReport, progress: Progress | None, *, fetch: bool) -> SyncReport: ...
        def _place(self, typed: str) -> str: ...
        def _choose(self, *, embedding: bool) -> Chosen: ...
        def _vectors(self, encoder: Encoder) -> VectorFile: ...

    # -- what there is ---------------------------------------------------------------------------

    def stats(self) -> Stats:
        """Figures of links and notes."""
        from kb.stats import stats
        from kb.store import saved

        records = self.each_link()
        counts = self.store.counts()
        return stats(
            records,
            self.store.notes(),
            passages=counts.passages,
            pending=counts.pending,
            terms=len(self.store.terms()),
            saved=sum(len(saved.listing(one)) for one in (self.settings.saved, self.settings.private_saved)),
            today=self.clock.today(),
        )

    def log(self, since: str | None = None) -> list[Event]:
        """What changed since a day (`YYYY-MM-DD`; two weeks ago, if none is given), the newest first."""
        from datetime import date, timedelta

        from kb.lately import lately, mtimes

        first = since or str(date.fromisoformat(self.clock.today()) - timedelta(days=14))
        return lately(self.each_link(), self.store.notes(), mtimes(self.settings), first)

    def doctor(self) -> list[Finding]:
        """What is wrong with the notebook, and what to type about it. Never raises for what it looks at."""
        from kb import doctor

        found = list(doctor.guarded("notes", lambda: doctor.files(self.settings)))
        unread = doctor.guarded("store", self._reads)
        found += unread
        if any(one.severity == "error" for one in unread):
            return found
        for check, look in (
            ("store", lambda: doctor.store(self.store)),
            ("notes", lambda: doctor.notes(self.store, self.store.notes())),
            ("ledger", lambda: doctor.ledgers(self.store, self.settings)),
            ("links", lambda: doctor.links(self.each_link())),
            ("model", lambda: doctor.model(self.store, self.settings, self._chosen)),
        ):
            found += doctor.guarded(check, look)
        return list(dict.fromkeys(found))

    def _reads(self) -> list[Finding]:
        self._read_notes()
        return []

    def _chosen(self) -> tuple[VectorFile, str]:
        """The vectors of the model, and what is to be known of it. ModelError; PyTorch is not loaded."""
        chosen = self._choose(embedding=False)
        if not chosen.notice:
            chosen = self._choose(embedding=True)  # its weights are hashed again
        return self._vectors(chosen.encoder), chosen.notice

    # -- watch -----------------------------------------------------------------------------------

    def watch(
        self, told: Callable[[SyncReport | KbError], None], *, embed: bool = True, stop: Stop | None = None
    ) -> None:
        """Read each change of a note as it comes and embed it; ends on Ctrl-C or when `stop` is set.

        `told` hears of every change, and of what went wrong, once: the next change is tried anew.
        """
        from kb.watch import LIMITS, LOOK_ANYWAY, changes, shortfall

        if short := shortfall(self.settings.notes):
            words = "{:,} folders are to be watched, and the system tells of {:,}: ".format(*short)
            words += (
                f"changes are found within {LOOK_ANYWAY:.0f} s instead of at once; {LIMITS[0]} can be raised"
            )
            told(UsageError(words))
        pending, wrong = 0, ""
        for _ in changes(self.settings.notes, stop):
            try:
                report = self._read_notes()
                if report.touched or report.pending != pending:
                    told(report)
                    if embed and report.pending:
                        report = self._embed(report, None, fetch=report.pending > BRIEF)
                        told(report)
                    pending = report.pending
                wrong = ""
            except KbError as error:
                if str(error) != wrong:
                    told(error)
                wrong = str(error)

    # -- backups ---------------------------------------------------------------------------------

    def backup(self, target: str, *, force: bool = False) -> BackedUp:
        """Write all that cannot be made again to one file. UsageError where that cannot be done."""
        from kb.backup import backup

        return backup(self.settings, Path(target).expanduser(), self.clock.now(), force=force)

    @staticmethod
    def restore(source: str, folder: str, *, force: bool = False, dry_run: bool = False) -> Restored:
        """Bring a notebook back from such a file into `folder`. UsageError for any fault."""
        from kb.backup import restore

        return restore(
            Path(source).expanduser(), Path(folder).expanduser().absolute(), force=force, dry_run=dry_run
        )

    # -- opening ---------------------------------------------------------------------------------

    def remember(self, hits: Sequence[Hit]) -> None:
        """Keep the hits that were shown, for `open_target`."""
        from kb.recall import remember

        remember(self.settings.derived, hits)

    def target(self, typed: str) -> Target:
        """What a person means: the number of a hit of the last search, or `PATH[:LINE]`.

        UsageError for a number that none has, UnknownNote for a path that is no note.
        """
        from kb.recall import Target, recall

        if typed.isascii() and typed.isdigit():
            return recall(self.settings.derived, int(typed[:9]))
        path, _, line = typed.rpartition(":")
        if not path or not line.isdigit():
            path, line = typed, ""
        meant = self._place(path)
        if (self.settings.notes / meant).is_dir():
            raise UsageError(f"{typed}: is a folder", hint="name a note in it")
        return Target(meant, int(line[:9]) if line else 0)

    def edit(self, path: str, line: int = 0) -> None:
        """Open a note in the person's editor and wait for it. UsageError where that cannot be done."""
        from kb.opening import command, edit, editor

        where = str(self.settings.notes / self._place(str(self.settings.notes / path)))
        edit(command(editor(self.settings["editor.command"], os.environ), where, line))

    def browse(self, address: str) -> None:
        """Show a web address in the person's browser. UsageError where that cannot be done."""
        from kb.opening import browse

        browse(address)

    # -- settings --------------------------------------------------------------------------------

    @staticmethod
    def holding(root: str | None = None, given: Mapping[str, str] | None = None) -> list[Holding]:
        """Every setting, its value, and where that comes from; in no notebook too."""
        from kb.configure import holding

        return holding(config.load(_root(root) or Path.cwd(), given=given))

    @staticmethod
    def held(name: str, root: str | None = None, given: Mapping[str, str] | None = None) -> Holding:
        """One setting, its value in full. ConfigError for a key that is none."""
        from kb.configure import held

        return held(config.load(_root(root) or Path.cwd(), given=given), name)

    @staticmethod
    def configure(name: str, value: str | None, root: str | None = None) -> tuple[Path, str]:
        """Set a key (None: take it out) in the file of its scope.

        That file, and where the value comes from now. ConfigError for what is no key or no value of
        it; NotebookNotFound where it is a notebook's and there is none.
        """
        from kb.configure import held, set_key

        home = _root(root)
        if home is None and config.known(name).scope is config.Scope.NOTEBOOK:
            config.find_root(Path.cwd())  # says that there is none
        path = set_key(home or Path.cwd(), name, value)
        return path, held(config.load(home or Path.cwd()), name).origin

    # -- help ------------------------------------------------------------------------------------

    @staticmethod
    def next_step() -> str:
        """What to type first in a folder that is in no notebook; empty in one that is."""
        try:
            config.find_root(Path.cwd())
        except NotebookNotFound as error:
            return f"This folder is in no notebook yet. Next:\n  {error.hint}"
        return ""

    @staticmethod
    def suggest(what: str, begin: str, root: str | None = None) -> list[str]:
        """What a shell may complete: `notes`, `tags`, `hosts` or `terms` of the store, or `keys` of settings.

        Notes are told as they are typed, from the current folder or from the notes folder. Never
        raises: where there is nothing to be had, there is nothing.
        """
        if what == "keys":
            return [key.name for key in config.KEYS if key.name.startswith(begin)]
        from kb.store.suggest import suggest

        try:
            settings = config.load(_root(root) or config.find_root(Path.cwd()))
            prefix = f"{os.path.relpath(settings.notes)}/" if what == "notes" else ""
        except (KbError, OSError):
            return []
        prefix = prefix if prefix != "./" and begin.startswith(prefix) else ""
        return [prefix + one for one in suggest(settings.store, what, begin.removeprefix(prefix))]


def notebook_at(root: str | os.PathLike[str]) -> Path:
    """The notebook of that folder. UsageError if it is none."""
    folder = Path(root).expanduser().absolute()
    if not (folder / config.CONFIG_NAME).is_file():
        raise UsageError(
            f"{folder}: no {config.CONFIG_NAME} there", hint=f"kb init {folder}   makes a notebook of it"
        )
    return folder


def _root(root: str | None) -> Path | None:
    """The notebook named, or the nearest upward; None if there is none."""
    if root is not None:
        return notebook_at(root)
    try:
        return config.find_root(Path.cwd())
    except NotebookNotFound:
        return None
