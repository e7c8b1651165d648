"""Look at the links that are due: plan which, ask for them, record what was seen.

No transaction is open while the network is asked, and what was seen is recorded as it comes, so
that an interrupted run keeps all it has done.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from kb.check.due import Page, pages_of, survey
from kb.check.record import Recorder, Result, doubted
from kb.check.scope import Scope, is_bad
from kb.config import Settings
from kb.errors import KbError
from kb.model.clock import Clock
from kb.model.kinds import Standing
from kb.model.links import Facts, Key, LinkRecord, Look, Verdict
from kb.model.search import Filter
from kb.store import saved
from kb.store.store import Store
from kb.web.drift import learn
from kb.web.fetch import Fetcher
from kb.web.fetch.network import connected
from kb.web.ignore import with_ignored, with_unsafe
from kb.web.sources import registry
from kb.web.sources.witness import Witness
from kb.web.study import Probes, study
from kb.web.turns import Silence, Turns, rare_collections
from kb.web.verdict import Thresholds, advance

__all__ = [
    "CheckReport",
    "Page",
    "check",
    "is_bad",
    "keep",
    "look",
    "look_at",
    "pages_of",
    "survey",
    "thresholds",
]

Progress = Callable[[int, int], None]

EVERYTHING: Final = Filter()

#: So many pages are in memory together. Hosts take turns among these.
TOGETHER: Final = 50_000


# -- act -------------------------------------------------------------------------------------------


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
                    whole=one.whole,
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


# -- the stage -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a run saw.

    `links` are all web links in scope, due or not, as they stand now; `looked` those that were
    asked for; `counts` the verdicts of the run; `turned` how many stand otherwise since it, but for
    those that were found alive and had not failed; `not_due` how many were left for later; `unsafe`
    are links such as `javascript:`, which are never followed; `told` the others to be told of.
    `links` are read from the store as they are asked for, since a notebook may hold a million: while it is
    open. All else is here.
    """

    links: Scope
    looked: tuple[LinkRecord, ...]
    counts: Mapping[Verdict, int]
    not_due: int = 0
    unsafe: tuple[LinkRecord, ...] = ()
    told: tuple[LinkRecord, ...] = ()
    turned: Mapping[Standing, int] = field(default_factory=dict)

    @property
    def bad(self) -> tuple[LinkRecord, ...]:
        """Links in scope that are broken or dead, and not ignored."""
        return tuple(link for link in self.told if is_bad(link))

    @property
    def troubled(self) -> tuple[LinkRecord, ...]:
        """All to be told of: bad, unsafe, found moved, walled off or out of reach in this run; and
        those whose page has another title or text than it had."""
        return (*self.told, *self.unsafe)


def thresholds(settings: Settings) -> Thresholds:
    """The notebook's thresholds."""
    return Thresholds(
        dead_looks=settings["links.dead_looks"],
        dead_days=settings["links.dead_days"],
        gone_looks=settings["links.gone_looks"],
        gone_days=settings["links.gone_days"],
        unknown_days=settings["links.unknown_days"],
    )


@asynccontextmanager
async def _fetcher(given: Fetcher | None, settings: Settings) -> AsyncIterator[Fetcher]:
    if given is not None:
        yield given
        return
    async with connected(None, settings) as made:
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
    ignore: tuple[str, ...] = settings["links.ignore"]
    todo = survey(store.outlines(filter), clock.now(), ignore=ignore, everything=everything)
    kept = {name for folder in folders for name in saved.listing(folder)}
    recorder = Recorder(store, clock, thresholds(settings))
    ids: dict[Key, int] = {}
    done = 0

    def parts() -> Iterator[list[Page]]:
        pages = iter(todo.pages.values())
        while part := [id for found in islice(pages, TOGETHER) for id in found]:
            links = with_ignored(store.records(part), ignore)
            ids.update((link.key, id) for link, id in zip(links, part, strict=True))
            yield pages_of((link for link in links if not link.person.ignored), kept)

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
            for pages in parts():
                await look(
                    pages,
                    network,
                    take,
                    concurrency=settings["links.concurrency"],
                    per_host=settings["links.per_host"],
                    interval=settings["links.interval"],
                    text_of=text_of,
                )
                if recorder.away:
                    return

    if todo.pages:
        with rare_collections():
            asyncio.run(run())
        recorder.finish()
    scope = Scope(store, todo.scope, ignore, recorder.looked)
    return CheckReport(
        links=scope,
        looked=tuple(recorder.looked.values()),
        counts=dict(recorder.counts),
        not_due=todo.not_due,
        unsafe=tuple(with_unsafe(store.records(todo.unsafe))),
        told=scope.told(ids),
        turned=dict(recorder.turned),
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
    judged = doubted(came, came.look(clock.now()))
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
