"""KnowledgeBase: the one place where real adapters are wired. It only delegates to the stages.

Its parts lie by subject in the modules of this package, each a class upon `Notebook`. Imports
inside methods are deferred on purpose: a keyword search must not pay for numpy, nor `kb links` for
the fetcher. This package and the command loader are the only places that do so.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kb import config
from kb.config import Settings
from kb.knowledge.notebook import SystemClock
from kb.knowledge.notes import Notes
from kb.knowledge.search import Search
from kb.knowledge.upkeep import Upkeep, notebook_at

if TYPE_CHECKING:
    # Named anew, so that the doors may take the types of what they print from here.
    from kb.backup import BackedUp as BackedUp
    from kb.backup.restore import Restored as Restored
    from kb.check import CheckReport as CheckReport
    from kb.configure import Holding as Holding
    from kb.doctor import Finding as Finding
    from kb.enrich import EnrichReport as EnrichReport
    from kb.find import Found as Found
    from kb.init import InitPlan as InitPlan
    from kb.lately import Event as Event
    from kb.meaning import Shared as Shared
    from kb.repair import RepairPlan as RepairPlan
    from kb.stats import Stats as Stats
    from kb.titles import TitlePlan as TitlePlan
    from kb.transfer import Export as Export
    from kb.transfer import ImportPlan as ImportPlan
    from kb.transfer import ImportReport as ImportReport


class KnowledgeBase(Search, Notes, Upkeep):
    """A notebook, open. Use it as a context manager, or close it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._given: Mapping[str, str] | None = None

    @classmethod
    def open(
        cls, root: str | os.PathLike[str] | None = None, given: Mapping[str, str] | None = None
    ) -> KnowledgeBase:
        """The notebook at `root`, or the nearest upward from the current folder.

        `given` are settings for this time, as text by key; they go before all others.
        Raises NotebookNotFound where there is none, ConfigError where its settings cannot be read.
        """
        folder = config.find_root(Path.cwd()) if root is None else notebook_at(root)
        base = cls(config.load(folder, given=given))
        base._given = given
        return base

    @classmethod
    def init(cls, folder: str | os.PathLike[str], *, dry_run: bool = False) -> InitPlan:
        """Make a notebook of `folder`; with `dry_run` only say how."""
        from kb.init import apply_init, plan_init

        plan = plan_init(Path(folder).expanduser().absolute(), SystemClock().today())
        if not dry_run:
            apply_init(plan)
        return plan

    def reopened(self) -> KnowledgeBase:
        """The same notebook opened anew, its settings read again and its model kept in memory.

        For a process that stays: store, settings and notes may change between two pieces of work.
        """
        fresh = KnowledgeBase.open(self.settings.root, self._given)
        fresh.bases = self.bases
        fresh.models.keep(self.models)
        return fresh
