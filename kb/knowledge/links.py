"""The links of an open notebook: listed, added, looked at, enriched, mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from kb.errors import UsageError
from kb.knowledge.apart import apart
from kb.knowledge.notebook import Notebook
from kb.model.search import Filter
from kb.values import replace

if TYPE_CHECKING:
    from kb.check import CheckReport
    from kb.config import Settings
    from kb.enrich import EnrichReport
    from kb.model.links import Added, Key, LinkRecord, Saved
    from kb.repair import RepairPlan
    from kb.titles import TitlePlan
    from kb.web.sources import Met, Source

Counted = Callable[[int, int], None]
"""Told how many links are done, and how many there are."""


class Links(Notebook):
    """The part of the KnowledgeBase that keeps links."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        #: Where sources are asked, if elsewhere than at their own addresses: by source, then by name.
        self.bases: Mapping[str, Mapping[str, str]] = {}

    def links(self, narrow: Filter | None = None) -> list[LinkRecord]:
        """The links that the notes mention, in order of their first mention."""
        return list(self.each_link(narrow))

    def each_link(self, narrow: Filter | None = None) -> Iterator[LinkRecord]:
        """The same, the notes read now and the links as they are asked for: for a notebook of very many."""
        from kb.web.ignore import with_ignored, with_unsafe

        self._read_if_writable()
        wanted = self._narrow(narrow)
        # A pattern makes a link ignored, which the store does not know: standings are told after it.
        patterns, standings = self.settings["links.ignore"], wanted.standings
        parts = self.store.link_parts(replace(wanted, standings=()) if patterns else wanted)
        ignored = (with_ignored(part, patterns) for part in parts)
        return (
            link
            for part in ignored
            for link in with_unsafe(one for one in part if not standings or one.standing in standings)
        )

    # -- adding --------------------------------------------------------------------------------

    @apart
    def add_link(
        self,
        url: str,
        *,
        note: str | None = None,
        comment: str = "",
        quote: str = "",
        tags: tuple[str, ...] = (),
        new_note: bool = False,
        dry_run: bool = False,
        typed: bool = True,
        archive: str | None = None,
    ) -> Added:
        """Add a link with its title to a note (today's, if none is named); see `add.add_link`.

        `typed` says that a person typed the address, so that one of a private network is looked
        at whatever the settings say. With `[links] archive`, the Wayback machine (at `archive`, if
        elsewhere than at its own address) is asked to keep a copy.
        """
        from asyncio import run

        from kb import check
        from kb.add import Wish, add_link
        from kb.enrich.meet import learn, meet
        from kb.observed import record

        def keep(key: Key, met: Met) -> None:
            check.keep(self.store, key, met.look, None, self.settings)
            learn(self.store, self.settings, self.clock, key, met.reading)

        self._read_notes()
        settings = self._trusting(url) if typed else self.settings
        added = add_link(
            self.store,
            self.settings,
            self.clock,
            url,
            look_at=lambda url: run(
                meet(
                    url,
                    settings,
                    lambda fetcher: check.look_at(url, settings, self.clock, fetcher=fetcher),
                    sources=self._sources,
                )
            ),
            reread=self._read_notes,
            keep=keep,
            wish=Wish(note, comment, quote, tags, new_note, dry_run),
        )
        if not dry_run:
            if self.settings["links.archive"] and added.known is None:
                added = self._archived(added, archive)
            record(self.store, self.settings)
            self._read_notes()
        return added

    def _trusting(self, url: str) -> Settings:
        """The settings under which an address is looked at that the person has just typed.

        Private hosts are skipped because a notebook can be a stranger's; one typed by hand is not.
        """
        from kb.urls import host
        from kb.web.fetch.addresses import is_private, literal

        name = host(url).strip("[]")
        if name != "localhost" and (literal(name) is None or not is_private(name)):
            return self.settings
        return replace(self.settings, values={**self.settings.values, "links.private_hosts": "check"})

    def _archived(self, added: Added, archive: str | None) -> Added:
        from kb.repair import keep_copy
        from kb.web.wayback import SAVE

        missed = keep_copy(self.store, self.settings, added.url, base=archive or SAVE)
        return replace(added, warning="; ".join(word for word in (added.warning, missed) if word))

    @property
    def _sources(self) -> tuple[Source, ...]:
        """The sites that can say more of a page than the page does."""
        from kb.enrich import sources_of

        return sources_of(self.settings, self.bases)

    def addresses(
        self, given: tuple[str, ...], stdin: Callable[[], str], *, clipboard: bool = False
    ) -> tuple[list[str], list[UsageError]]:
        """The addresses meant by these arguments, and why some of them are none.

        `-` stands for those in `stdin`; with `clipboard`, those that the clipboard holds as well.
        UsageError where nothing is meant.
        """
        from kb.add import addresses, sorted_out
        from kb.clipboard import clipboard as pasted

        found = [url for one in given for url in (addresses(stdin()) if one == "-" else [one])]
        if clipboard:
            found += addresses(pasted(self.settings["clipboard.command"]))
        if not found:
            raise UsageError("no address to add", hint="kb add-link https://arxiv.org/abs/2305.14314")
        return sorted_out(found)

    # -- what the web says ---------------------------------------------------------------------

    @apart
    def check_links(
        self,
        narrow: Filter | None = None,
        *,
        everything: bool = False,
        progress: Counted | None = None,
    ) -> CheckReport:
        """Look at the links that are due, or at all in scope; what was seen goes into the ledger.

        NetworkAway, and nothing recorded, where nothing answered.
        """
        from kb.check import check
        from kb.observed import record

        self._read_notes()
        try:
            return check(
                self.store,
                self.settings,
                self.clock,
                filter=self._narrow(narrow),
                everything=everything,
                progress=progress,
            )
        finally:
            record(self.store, self.settings)

    @apart
    def enrich(
        self,
        narrow: Filter | None = None,
        *,
        everything: bool = False,
        progress: Counted | None = None,
    ) -> EnrichReport:
        """Ask linked pages and their sites what they are; what is learnt goes into store, ledger and saved/.

        NetworkAway, and nothing recorded, where nothing answered.
        """
        from kb.enrich import enrich
        from kb.observed import record

        self._read_notes()
        try:
            return enrich(
                self.store,
                self.settings,
                self.clock,
                sources=self._sources,
                filter=self._narrow(narrow),
                everything=everything,
                progress=progress,
            )
        finally:
            record(self.store, self.settings)
            self._read_notes()

    def saved(self, url: str, *, private: bool = True) -> Saved:
        """The saved text of a page. UsageError if none is kept.

        Without `private`, nor of one that only private notes link.
        """
        from kb import show

        self._read_if_writable()
        return show.page(self.store, self.settings, url, private=private)

    # -- edits ---------------------------------------------------------------------------------

    def write_titles(self, narrow: Filter | None = None, *, apply: bool = False) -> TitlePlan:
        """Fetched titles in the place of bare addresses, as an edit a note; written only with `apply`."""
        from kb.edits import apply_edits
        from kb.titles import TitlePlan, plan_titles

        self._read_notes()
        plan = TitlePlan(tuple(plan_titles(self.store, self.settings.notes, self._narrow(narrow))))
        if apply and plan.edits:
            done = apply_edits(plan.edits, self.settings)
            self._read_notes()
            written = tuple(one for one in plan.edits if one.path in done.written)
            plan = TitlePlan(written, tuple(done.problems))
        return plan

    @apart
    def repair(
        self,
        narrow: Filter | None = None,
        *,
        apply: bool = False,
        archive: str | None = None,
        progress: Counted | None = None,
    ) -> RepairPlan:
        """Addresses to rewrite: moved pages, archived copies of dead ones. Written only with `apply`.

        `archive` is where the Wayback machine is asked, if elsewhere than at its own address.
        """
        from kb.edits import apply_edits
        from kb.repair import plan_repair
        from kb.web.wayback import AVAILABLE

        self._read_notes()
        plan = plan_repair(
            self.store,
            self.settings,
            self.clock,
            self._narrow(narrow),
            base=archive or AVAILABLE,
            progress=progress,
        )
        if apply and plan.edits:
            done = apply_edits(plan.edits, self.settings)
            self._read_notes()
            plan = replace(
                plan,
                edits=tuple(one for one in plan.edits if one.path in done.written),
                problems=(*plan.problems, *done.problems),
            )
        return plan

    # -- the person's word ---------------------------------------------------------------------

    def ignore(self, url: str) -> LinkRecord:
        """Leave a link out of checks from now on. UsageError if no note holds it."""
        from kb import person
        from kb.observed import record

        self._read_notes()
        said = person.ignore(self.store, url, self.clock.now())
        record(self.store, self.settings)
        return said

    def vouch(self, url: str) -> LinkRecord:
        """Take the person's word that a link lives: its strikes are cleared, its title is what it is now.

        UsageError as above.
        """
        from kb import person
        from kb.observed import record

        self._read_notes()
        said = person.vouch(self.store, url, self.clock.now())
        record(self.store, self.settings)
        return said
