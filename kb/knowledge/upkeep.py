"""A notebook kept well: figures, health, watching, backups, settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kb import config
from kb.errors import KbError, NotebookNotFound, UsageError
from kb.knowledge.links import Links

if TYPE_CHECKING:
    from threading import Event as Stop

    from kb.backup import BackedUp
    from kb.backup.restore import Restored
    from kb.configure import Holding
    from kb.doctor import Finding
    from kb.lately import Event
    from kb.model.reports import SyncReport
    from kb.search.vectors import VectorFile
    from kb.stats import Stats

#: So many passages are embedded while watching without the bulk engine, whose start takes seconds.
BRIEF = 500


class Upkeep(Links):
    """The part of the KnowledgeBase that keeps a notebook well."""

    # -- what there is -------------------------------------------------------------------------

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
        chosen = self.models.choose(embedding=False)
        if not chosen.notice:
            chosen = self.models.choose(embedding=True)  # its weights are hashed again
        return self.models.vectors(chosen.encoder), chosen.notice

    # -- watch ---------------------------------------------------------------------------------

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

    @staticmethod
    def folders(notes: Path) -> list[str]:
        """A folder of notes, while it is there, and every folder below it in which notes are looked for."""
        from kb.notes.walk import folders

        return folders(notes)

    # -- backups -------------------------------------------------------------------------------

    def backup(self, target: str, *, force: bool = False) -> BackedUp:
        """Write all that cannot be made again to one file. UsageError where that cannot be done."""
        from kb.backup import backup

        return backup(self.settings, Path(target).expanduser(), self.clock.now(), force=force)

    @staticmethod
    def restore(source: str, folder: str, *, force: bool = False, dry_run: bool = False) -> Restored:
        """Bring a notebook back from such a file into `folder`. UsageError for any fault."""
        from kb.backup.restore import restore

        return restore(
            Path(source).expanduser(), Path(folder).expanduser().absolute(), force=force, dry_run=dry_run
        )

    # -- settings ------------------------------------------------------------------------------

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
    def configure(name: str, value: str | None, root: str | None = None) -> tuple[Path, str, bool, bool]:
        """Set a key (None: take it out) in the file of its scope.

        That file, where the value comes from now, whether the file changed, and whether a line that
        may no longer stand there was taken out of kb.toml. ConfigError for what is no key or no value
        of it; NotebookNotFound where it is a notebook's, or said of one, and there is none.
        """
        from kb.configure import held, set_key

        home = _root(root)
        if home is None and config.known(name).scope is not config.Scope.PERSON:
            config.find_root(Path.cwd())  # says that there is none
        path, changed, taken = set_key(home or Path.cwd(), name, value)
        return path, held(config.load(home or Path.cwd()), name).origin, changed, taken

    # -- help ----------------------------------------------------------------------------------

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
    if folder.is_file():
        raise UsageError(f"{folder} is a file", hint=f"--root takes the notebook's folder: {folder.parent}")
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
