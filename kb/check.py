"""Look at the links that are due: plan which, ask for them, record what was seen.

No transaction is open while the network is asked, and what was seen is recorded as it comes, so
that an interrupted run keeps all it has done.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from kb import urls
from kb.config import Settings
from kb.errors import KbError, NetworkAway
from kb.model import Clock, Facts, Filter, Key, LinkRecord, Look, Looks, Standing, Verdict
from kb.store import saved
from kb.store.store import Store
from kb.values import replace
from kb.web.drift import learn, learn_text
from kb.web.fetch import Fetcher, HttpFetcher, Limits
from kb.web.ignore import UNSAFE, with_ignored, with_unsafe
from kb.web.outcome import Failure, Outcome
from kb.web.sources import registry
from kb.web.sources.witness import Witness
from kb.web.study import LIVES, Probes, Studied, study
from kb.web.turns import Silence, Turns, rare_collections
from kb.web.verdict import Thresholds, advance, doubt_name

Progress = Callable[[int, int], None]

EVERYTHING: Final = Filter()


# -- plan ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """One request: the links of one page, which differ by their fragments alone."""

    url: str
    host: str
    links: tuple[LinkRecord, ...]
    kept: bool = False
    """Whether its text was saved, for what it says now to be held against."""

    @property
    def titles(self) -> frozenset[str]:
        """Those that the page had when it was last found alive."""
        return frozenset(
            link.facts.title for link in self.links if link.facts.title and link.looks.verdict in LIVES
        )

    @property
    def vouched(self) -> bool:
        """Whether a site's own API named the page, and it has been found alive."""
        return any(
            link.facts.extra.get("source", "page") != "page" and link.looks.verdict in LIVES
            for link in self.links
        )

    @property
    def whole(self) -> bool:
        """Whether all of the page is wanted: for a place in it that is linked, or for its text."""
        return self.kept or any(link.key.fragment for link in self.links)

    @property
    def etag(self) -> str | None:
        """What makes the request conditional: only where nothing but life is to be learnt."""
        return self._known.etag if self._known else None

    @property
    def last_modified(self) -> str | None:
        """The same, by date."""
        return self._known.last_modified if self._known else None

    @property
    def _known(self) -> Looks | None:
        settled = all(
            link.facts.title and link.looks.standing in (Standing.ALIVE, Standing.MOVED)
            for link in self.links
        )
        return self.links[0].looks if settled else None


@dataclass(frozen=True, slots=True)
class Plan:
    """Pages to ask for, hosts mixed; `scope` is every web link that the run speaks of."""

    pages: tuple[Page, ...]
    scope: tuple[LinkRecord, ...]
    not_due: int
    unsafe: tuple[LinkRecord, ...] = ()


def plan(
    links: Iterable[LinkRecord],
    now: str,
    *,
    ignore: Sequence[str] = (),
    everything: bool = False,
    kept: Collection[str] = (),
) -> Plan:
    """Which of `links` to look at, at the instant `now`; `kept` are names of saved files. Pure."""
    everyone = with_ignored(links, ignore)
    scope = [link for link in everyone if urls.is_web(link.address)]
    unsafe = [
        link
        for link in with_unsafe(everyone)
        if urls.scheme(link.address) in UNSAFE and not link.person.ignored
    ]
    pages: dict[str, list[LinkRecord]] = {}
    wanted: set[str] = set()
    for link in scope:
        if link.standing is not Standing.IGNORED:
            pages.setdefault(link.key.key, []).append(link)
            if everything or link.looks.due is None or link.looks.due <= now:
                wanted.add(link.key.key)
    due = [
        Page(found[0].address, urls.host(found[0].address), tuple(found), _is_kept(key, found, kept))
        for key, found in pages.items()
        if key in wanted
    ]
    not_due = sum(len(found) for key, found in pages.items() if key not in wanted)
    return Plan(tuple(due), tuple(scope), not_due, tuple(unsafe))


def _is_kept(key: str, links: Sequence[LinkRecord], kept: Collection[str]) -> bool:
    """Whether the text of a page was saved, and is the page's own: an API's text is no measure of it."""
    own = links[0].facts.extra.get("source", "page") == "page"
    return bool(kept) and own and saved.file_name(key) in kept


# -- act -------------------------------------------------------------------------------------------


Result = tuple[Page, Studied]


async def look(
    pages: Sequence[Page],
    fetcher: Fetcher,
    take: Callable[[list[Result]], None],
    *,
    concurrency: int,
    per_host: int,
    interval: float = 0.0,
    text_of: Callable[[Page], str] = lambda _: "",
) -> None:
    """Ask for every page, and hand what came to `take` in small batches, as it comes.

    The rest of a host that only lets time run out is not waited for. `text_of` gives the text
    that was saved of a page that is `kept`. Cancelled, it still hands over all that had come.
    """
    turns = Turns(pages, per_host, interval)
    probes = Probes(fetcher)
    silence = Silence()
    come: list[Result] = []

    def hand_over() -> None:
        batch = come.copy()
        come.clear()
        if batch:
            take(batch)

    async def work() -> None:
        while (one := await turns.take()) is not None:
            try:
                outcome = silence.instead(one.url)
                if outcome is None:
                    outcome = await fetcher.get(
                        one.url, etag=one.etag, last_modified=one.last_modified, whole=one.whole
                    )
                    silence.listen(outcome)
                came = await study(
                    outcome,
                    probes,
                    one.titles,
                    vouched=one.vouched,
                    text=text_of(one) if one.kept and outcome.ok else "",
                    language=one.links[0].facts.language,
                )
                come.append((one, came))
            finally:
                turns.give_back(one)
            await asyncio.sleep(0)  # whoever is done now too goes into the same batch
            hand_over()

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(concurrency, len(pages))):
                workers.create_task(work())
    except* KbError as group:
        raise group.exceptions[0] from None
    finally:
        hand_over()


# -- record ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Recorder:
    """Turns outcomes into looks, and keeps them once the run has shown that the network is there.

    Until some host has answered, nothing is kept: it may be the network that is away. A name
    that was not found waits until another name has answered; at the end it is doubted.
    """

    store: Store
    clock: Clock
    thresholds: Thresholds
    answered: set[str] = field(default_factory=set)
    tried: int = 0
    counts: Counter[Verdict] = field(default_factory=Counter)
    looked: dict[Key, LinkRecord] = field(default_factory=dict)
    held: list[tuple[Page, Studied, str]] = field(default_factory=list)

    def take(self, results: Iterable[Result]) -> None:
        """What came; what can be judged now is recorded in one short transaction."""
        now = self.clock.now()
        for one, came in results:
            self.answered.update(came.outcome.answered)
            self.tried += came.outcome.failure not in (Failure.PRIVATE, Failure.SCHEME)
            self.held.append((one, came, now))
        if self.answered:
            ready = [item for item in self.held if self._certain(item[1].outcome)]
            self.held = [item for item in self.held if not self._certain(item[1].outcome)]
            self._keep([(one, came, came.look(at)) for one, came, at in ready])

    def finish(self) -> None:
        """The run is over. NetworkAway, and nothing recorded, if links were tried and none answered."""
        if self.tried and not self.answered:
            raise NetworkAway(
                f"the network is away: none of {self.tried} pages answered; nothing was recorded",
                hint="try again when you are online; links keep the standing they had",
            )
        held, self.held = self.held, []
        self._keep([(one, came, _doubted(came, came.look(at))) for one, came, at in held])

    def _certain(self, outcome: Outcome) -> bool:
        return outcome.failure is not Failure.NO_NAME or any(
            _is_name(name) for name in self.answered if name != urls.host(outcome.final_url)
        )

    def _keep(self, looks: Sequence[tuple[Page, Studied, Look]]) -> None:
        with self.store.transaction():
            for one, came, judged in looks:
                for link in one.links:
                    self._keep_one(link, came, came.at_place(link.key.fragment, judged))

    def _keep_one(self, link: LinkRecord, came: Studied, judged: Look) -> None:
        self.counts[judged.verdict] += 1
        # Read again: the run may have been long, and somebody may have said "it lives" meanwhile.
        looks, facts = self.store.state(link.key) or (link.looks, link.facts)
        told = came.facts(judged)
        learnt = facts if told is None else learn_text(learn(facts, told), came.retold, judged.at)
        after = replace(link, looks=advance(looks, judged, self.thresholds), facts=learnt)
        if judged.verdict is not Verdict.SKIPPED:
            self.store.save_look(link.key, judged, after.looks, learnt if learnt != facts else None)
        for alias in _aliases(link, came.outcome, judged, told):
            after = replace(after, aliases=(*after.aliases, alias))
            self.store.add_alias(alias, link.key)
        self.looked[link.key] = after


def _doubted(came: Studied, judged: Look) -> Look:
    return doubt_name(judged) if came.outcome.failure is Failure.NO_NAME else judged


def _is_name(host: str) -> bool:
    return not (host.startswith("[") or host == "localhost" or host.replace(".", "").isdigit())


def _aliases(link: LinkRecord, outcome: Outcome, judged: Look, facts: Facts | None) -> list[str]:
    """Keys that this look showed to be the same page: only spellings which may be, once there is evidence.

    A redirect to another path is none: half of those lead to a login or a home page.
    """
    if judged.verdict not in LIVES:
        return []
    shown = [outcome.final_url] if outcome.hops else []
    shown += [facts.canonical] if facts and facts.canonical else []
    keys = [urls.key(url).key for url in shown if urls.may_be_same(url, link.address)]
    return [key for key in dict.fromkeys(keys) if key != link.key.key and key not in link.aliases]


# -- the stage -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a run saw.

    `links` are all web links in scope, due or not, as they stand now; `looked` those that were
    asked for; `counts` the verdicts of the run; `not_due` how many were left for later; `unsafe`
    are links such as `javascript:`, which are never followed.
    """

    links: tuple[LinkRecord, ...]
    looked: tuple[LinkRecord, ...]
    counts: Mapping[Verdict, int]
    not_due: int = 0
    unsafe: tuple[LinkRecord, ...] = ()

    @property
    def bad(self) -> tuple[LinkRecord, ...]:
        """Links in scope that are broken or dead, and not ignored."""
        return tuple(link for link in self.links if is_bad(link))

    @property
    def troubled(self) -> tuple[LinkRecord, ...]:
        """All to be told of: bad, unsafe, found moved, walled off or out of reach in this run; and
        those whose page has another title or text than it had."""
        seen = {link.key for link in self.looked if link.looks.verdict not in (None, Verdict.ALIVE)}
        told = [
            link
            for link in self.links
            if is_bad(link) or link.key in seen or (link.facts.drifted and not link.person.ignored)
        ]
        return (*told, *self.unsafe)


def is_bad(link: LinkRecord) -> bool:
    """Whether a link is broken or dead, and not ignored."""
    return link.standing is Standing.DEAD or (
        link.standing is Standing.SUSPECT and link.looks.verdict is Verdict.BROKEN
    )


def thresholds(settings: Settings) -> Thresholds:
    """The notebook's thresholds."""
    return Thresholds(
        dead_looks=settings["links.dead_looks"],
        dead_days=settings["links.dead_days"],
        gone_looks=settings["links.gone_looks"],
        gone_days=settings["links.gone_days"],
        unknown_days=settings["links.unknown_days"],
    )


def make_fetcher(settings: Settings) -> HttpFetcher:
    """The fetcher that the notebook's settings ask for; make it within the event loop that uses it."""
    return HttpFetcher(
        limits=Limits(timeout=settings["links.timeout"]),
        allow_private=settings["links.private_hosts"] == "check",
    )


@asynccontextmanager
async def _fetcher(given: Fetcher | None, settings: Settings) -> AsyncIterator[Fetcher]:
    if given is not None:
        yield given
        return
    async with make_fetcher(settings) as made:
        yield Witness(made, registry(token=settings["github.token"], contact=settings["enrich.contact"]))


def check(
    store: Store,
    settings: Settings,
    clock: Clock,
    *,
    fetcher: Fetcher | None = None,
    filter: Filter = EVERYTHING,
    everything: bool = False,
    progress: Progress | None = None,
) -> CheckReport:
    """Look at the links in scope that are due (or at all of them), record and report.

    NetworkAway, and nothing recorded, if not one page of those tried gave any answer.
    """
    folders = (settings.saved, settings.private_saved)
    todo = plan(
        store.links(filter),
        clock.now(),
        ignore=settings["links.ignore"],
        everything=everything,
        kept={name for folder in folders for name in saved.listing(folder)},
    )
    recorder = Recorder(store, clock, thresholds(settings))
    done = 0

    def take(results: list[Result]) -> None:
        nonlocal done
        recorder.take(results)
        done += len(results)
        if progress is not None:
            progress(done, len(todo.pages))

    def text_of(page: Page) -> str:
        found = saved.find(folders, page.links[0].key.key)
        return found.text if found else ""

    async def run() -> None:
        async with _fetcher(fetcher, settings) as network:
            await look(
                todo.pages,
                network,
                take,
                concurrency=settings["links.concurrency"],
                per_host=settings["links.per_host"],
                interval=settings["links.interval"],
                text_of=text_of,
            )

    if todo.pages:
        with rare_collections():
            asyncio.run(run())
        recorder.finish()
    looked = recorder.looked
    return CheckReport(
        links=tuple(looked.get(link.key, link) for link in todo.scope),
        looked=tuple(looked.values()),
        counts=dict(recorder.counts),
        not_due=todo.not_due,
        unsafe=todo.unsafe,
    )


async def look_at(
    url: str, settings: Settings, clock: Clock, *, fetcher: Fetcher | None = None
) -> tuple[Look, Facts | None]:
    """One look at a URL that a person adds, and what its page says of itself. Records nothing.

    They have the page before them, so one that looks as others of its host do is what it seems:
    a path that cannot exist is asked for only if the page itself sounds like an error. A name
    that is not found is only out of reach: one look has nothing to hold it against.
    """
    async with _fetcher(fetcher, settings) as network:
        came = await study(await network.get(url), Probes(network), vouched=True)
    judged = _doubted(came, came.look(clock.now()))
    return judged, came.facts(judged)


def keep(store: Store, key: Key, look: Look, facts: Facts | None, settings: Settings) -> None:
    """Record such a look for a link that the store knows; for any other it does nothing."""
    with store.transaction():
        link = store.link(key)
        if link is None:
            return
        if look.verdict is not Verdict.SKIPPED:
            store.save_look(link.key, look, advance(link.looks, look, thresholds(settings)))
        if facts is not None and (learnt := learn(link.facts, facts)) != link.facts:
            store.save_facts(link.key, learnt)
