"""Ask linked pages, and their sites, what they are: title, authors, abstract, readable text.

Plan: which pages lack facts or have old ones, and which source knows them. Act: one host after
another's turn, one request a host at a time, with the pause that its terms ask for. Record: as
each page comes, so that an interrupted run keeps what it has done. Where a source has no answer
the page itself is asked, and where that has none the address stands; what could not be had is
said.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kb import urls
from kb.config import Settings
from kb.enrich.record import Recorder
from kb.errors import KbError, NetworkAway
from kb.instants import later
from kb.model.clock import Clock
from kb.model.kinds import Standing
from kb.model.links import Facts, LinkRecord
from kb.model.search import Filter
from kb.store import saved
from kb.store.store import Store
from kb.web.fetch import Asker, Failure, Outcome
from kb.web.fetch.network import connected
from kb.web.ignore import with_ignored
from kb.web.sources import Ask, Life, Reading, Source, Wanted, registry, source_of
from kb.web.sources.generic import Generic
from kb.web.study import to_the_end

Progress = Callable[[int, int], None]
Sleep = Callable[[float], Awaitable[None]]

RETRY_DAYS: Final = 1.0
"""Days after which a page is asked again for what it did not tell, unless its site said when."""

EVERYTHING: Final = Filter()
# Requests for one page: a comment may hang far below its story.
_STEPS: Final = 40


def sources_of(
    settings: Settings, bases: Mapping[str, Mapping[str, str]] | None = None
) -> tuple[Source, ...]:
    """The sources, the page itself last, as the settings have them; `bases` moves their addresses."""
    apis = registry(token=settings["github.token"], contact=settings["enrich.contact"], bases=bases)
    return (*apis, Generic())


# -- plan ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Job:
    """Pages to ask one source for together."""

    source: Source
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Jobs in the order of the notes; their `links` by key of the page; `known` pages need nothing."""

    jobs: tuple[Job, ...]
    links: Mapping[str, tuple[LinkRecord, ...]]
    known: int


def plan(
    links: Iterable[LinkRecord],
    sources: Sequence[Source],
    now: str,
    *,
    kept: frozenset[str] | set[str] = frozenset(),
    keep_text: bool = False,
    stale_days: float = 180.0,
    everything: bool = False,
) -> Plan:
    """Which of `links` to ask about, at the instant `now`; `kept` are names of saved files. Pure."""
    pages: dict[str, list[LinkRecord]] = {}
    by_source: dict[str, list[tuple[Source, Wanted]]] = {}
    known: set[str] = set()
    for link in links:
        if not urls.is_web(link.address) or link.standing in (Standing.IGNORED, Standing.DEAD):
            continue
        key = link.key.key
        if key in pages:
            pages[key].append(link)
        elif key not in known:  # of what is known, no more than the key is kept
            source, wanted = source_of(sources, key, link.address)
            lost = keep_text and saved.file_name(key) not in kept
            if everything or _lacks(link.facts, source, now, lost=lost, stale_days=stale_days):
                pages[key] = [link]
                by_source.setdefault(source.name, []).append((source, wanted))
            else:
                known.add(key)
    jobs = []
    for group in by_source.values():
        at_once = group[0][0].at_once
        for start in range(0, len(group), at_once):
            part = group[start : start + at_once]
            jobs.append(Job(part[0][0], tuple(wanted for _, wanted in part)))
    return Plan(tuple(jobs), {key: tuple(found) for key, found in pages.items()}, len(known))


def _lacks(facts: Facts, source: Source, now: str, *, lost: bool, stale_days: float) -> bool:
    if "source" not in facts.extra or facts.fetched is None:
        return True  # never asked about, or seen only in passing by a check
    tried = facts.extra.get("tried")
    asked = max(facts.fetched, tried if isinstance(tried, str) else "")
    again = facts.extra.get("retry_at")
    if isinstance(again, str):
        return again <= now
    if facts.title is None or "lacking" in facts.extra:
        return asked < later(now, -RETRY_DAYS)
    if source.api and facts.source != source.name:
        return asked < later(now, -RETRY_DAYS)
    return asked < later(now, -stale_days) or (lost and "saved" in facts.extra)


# -- act -------------------------------------------------------------------------------------------


class Turns:
    """One request a host at a time, and as long a pause between two as its source asks for."""

    def __init__(self, network: Asker, sleep: Sleep = asyncio.sleep) -> None:
        self._network = network
        self._sleep = sleep
        self._hosts: dict[str, asyncio.Lock] = {}
        self._asked: set[str] = set()
        self.answered: set[str] = set()
        self.tried = 0

    async def ask(self, ask: Ask, pause: float) -> Outcome:
        """The answer, once it is this host's turn."""
        host = urls.host(ask.url)
        async with self._hosts.setdefault(host, asyncio.Lock()):
            if pause and host in self._asked:
                await self._sleep(pause)
            self._asked.add(host)
            if ask.page:
                came = await self._network.get(ask.url, whole=True)
                outcome, _ = await to_the_end(came, self._network, whole=True)
            else:
                outcome = await self._network.ask(ask.url, ask.headers)
        self.answered.update(outcome.answered)
        self.tried += outcome.failure not in (Failure.PRIVATE, Failure.SCHEME)
        return outcome


async def consult(job: Job, turns: Turns) -> dict[str, Reading]:
    """Ask one source for its pages, to the end."""
    answers: list[Outcome] = []
    for _ in range(_STEPS):
        step = job.source.next(job.wanted, answers)
        if not isinstance(step, Ask):
            return step
        answers.append(await turns.ask(step, job.source.pause))
    return {one.key: Reading(lacking=f"{job.source.name}: no end of it") for one in job.wanted}


async def complete(
    job: Job, turns: Turns, page: Source, *, keep_text: bool, closed: dict[str, Reading]
) -> AsyncIterator[tuple[Wanted, Reading]]:
    """A reading for each page of a job: its source's, and the page's own where that says more.

    A source whose limit of requests is reached joins `closed` with what it said, and is not asked again.
    """
    readings: dict[str, Reading] = {}
    if job.source.name not in closed:
        readings = await consult(job, turns)
        refused = next((one for one in readings.values() if one.retry_at), None)
        if refused is not None:
            closed[job.source.name] = refused
    for one in job.wanted:
        found = readings[one.key] if readings else closed[job.source.name]
        if job.source.api and found.life is not Life.GONE:
            wants_text = keep_text and job.source.text_on_page
            if found.facts is None or wants_text:
                here = await consult(Job(page, (replace(one, name=one.url),)), turns)
                found = together(found, here[one.key])
        yield one, found


def together(api: Reading, page: Reading) -> Reading:
    """What a source and the page itself say: facts of the first that has any, text of the longer."""
    facts = api.facts or page.facts
    if facts is not None and api.facts is not None and page.facts is not None:
        facts = replace(facts, words=page.facts.words, language=facts.language or page.facts.language)
    lacking = "; ".join(one for one in (api.lacking, "" if facts else page.lacking) if one)
    text = max(page.text, api.text, key=len)
    life = api.life if api.life is not Life.UNKNOWN else page.life
    return Reading(facts, life, lacking, text, api.kind, api.moved_to, api.retry_at)


# -- the stage -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EnrichReport:
    """What a run learnt. `links` as they now stand; `lacking` are (URL, what could not be had)."""

    links: tuple[LinkRecord, ...] = ()
    titled: int = 0
    texts: int = 0
    known: int = 0
    lacking: tuple[tuple[str, str], ...] = ()


def enrich(
    store: Store,
    settings: Settings,
    clock: Clock,
    *,
    sources: Sequence[Source] | None = None,
    network: Asker | None = None,
    filter: Filter = EVERYTHING,
    everything: bool = False,
    progress: Progress | None = None,
    sleep: Sleep = asyncio.sleep,
) -> EnrichReport:
    """Ask about the links in scope that lack facts or text, record and report.

    NetworkAway, and nothing recorded, if not one request had any answer.
    """
    known_sources = sources if sources is not None else sources_of(settings)
    keep = bool(settings["enrich.keep_text"])
    folders = (settings.saved, settings.private_saved)
    todo = plan(
        (link for part in store.link_parts(filter) for link in with_ignored(part, settings["links.ignore"])),
        known_sources,
        clock.now(),
        kept={name for folder in folders for name in saved.listing(folder)},
        keep_text=keep,
        stale_days=settings["enrich.stale_days"],
        everything=everything,
    )
    recorder = Recorder(store, settings, clock, todo.links)
    if todo.jobs:
        run = _run(todo, recorder, known_sources[-1], settings, network, progress, sleep)
        asyncio.run(run)
    return EnrichReport(
        tuple(recorder.read.values()), recorder.titled, recorder.texts, todo.known, tuple(recorder.lacking)
    )


async def _run(
    todo: Plan,
    recorder: Recorder,
    page: Source,
    settings: Settings,
    network: Asker | None,
    progress: Progress | None,
    sleep: Sleep,
) -> None:
    total = sum(len(job.wanted) for job in todo.jobs)
    held: list[tuple[Wanted, Reading]] = []
    closed: dict[str, Reading] = {}
    done = 0

    async with connected(network, settings) as asked:
        turns = Turns(asked, sleep)

        async def chain(jobs: Sequence[Job], room: asyncio.Semaphore) -> None:
            nonlocal done
            async with room:
                for job in jobs:
                    keep = bool(settings["enrich.keep_text"])
                    async for wanted, reading in complete(job, turns, page, keep_text=keep, closed=closed):
                        held.append((wanted, reading))
                        done += 1
                        if turns.answered:
                            ready, held[:] = held[:], []
                            for item in ready:
                                recorder.take(*item)
                        if progress is not None:
                            progress(done, total)

        chains: dict[str, list[Job]] = {}
        for job in todo.jobs:
            name = job.source.name if job.source.api else urls.host(job.wanted[0].url)
            chains.setdefault(name, []).append(job)
        room = asyncio.Semaphore(settings["links.concurrency"])
        try:
            async with asyncio.TaskGroup() as group:
                for jobs in chains.values():
                    group.create_task(chain(jobs, room))
        except* KbError as errors:
            raise errors.exceptions[0] from None
    if turns.tried and not turns.answered:
        raise NetworkAway(
            f"the network is away: none of {turns.tried} requests was answered; nothing was recorded",
            hint="try again when you are online; links keep the titles they have",
        )
    for item in held:
        recorder.take(*item)
