"""A link met for the first time: its look and its reading, from one request of the page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from kb import urls
from kb.config import Settings
from kb.enrich import Job, Turns, consult, sources_of, together
from kb.enrich.record import Recorder
from kb.model.clock import Clock
from kb.model.links import LIVES, Facts, Key, Look
from kb.store.store import Store
from kb.web.fetch import Asker, Fetcher, Outcome
from kb.web.fetch.network import connected
from kb.web.sources import Met, Reading, Source, Wanted, source_of
from kb.web.sources.witness import Witness


class Remembering:
    """A network that asks for anything once, however many ask it. For one link's own short time."""

    def __init__(self, network: Asker) -> None:
        self._network = network
        self._pages: dict[str, asyncio.Task[Outcome]] = {}
        self._answers: dict[str, asyncio.Task[Outcome]] = {}

    async def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        whole: bool = False,
        once: bool = False,
    ) -> Outcome:
        """The page, whole, whoever asks for it and how."""
        if url not in self._pages:
            self._pages[url] = asyncio.create_task(self._network.get(url, whole=not once, once=once))
        return await self._pages[url]

    async def ask(self, url: str, headers: Mapping[str, str]) -> Outcome:
        """The answer, the same for all who ask."""
        if url not in self._answers:
            self._answers[url] = asyncio.create_task(self._network.ask(url, headers))
        return await self._answers[url]


LookWith = Callable[[Fetcher], Awaitable[tuple[Look, Facts | None]]]
"""One look at an address over this fetcher."""


async def meet(
    url: str,
    settings: Settings,
    look_with: LookWith,
    *,
    sources: Sequence[Source] | None = None,
    network: Asker | None = None,
) -> Met:
    """Look at a page, read it, and ask its source, all at once; the page is fetched once. Records nothing."""
    known = sources if sources is not None else sources_of(settings)
    source, wanted = source_of(known, urls.key(url).key, url)
    async with connected(network, settings) as given:
        shared = Remembering(given)
        turns = Turns(shared, _at_once)
        asked = [Job(known[-1], (replace(wanted, name=url),))]
        asked += [Job(source, (wanted,))] if source.api else []
        asking = [asyncio.create_task(consult(job, turns)) for job in asked]
        look, _ = await look_with(Witness(shared, known))
        readings = [(await one)[wanted.key] for one in asking]
    reading = together(readings[1], readings[0]) if source.api else readings[0]
    if look.verdict not in LIVES and (not source.api or readings[1].facts is None):
        reading = replace(reading, facts=None, text="")  # an error page's words are nobody's
    return Met(look, reading)


async def _at_once(_: float) -> None:
    """No pause: these are the one or two requests that a person waits for."""


def learn(store: Store, settings: Settings, clock: Clock, key: Key, reading: Reading) -> None:
    """Record what was read of a link that the store knows; for any other it does nothing."""
    link = store.link(key)
    if link is None:
        return
    recorder = Recorder(store, settings, clock, {link.key.key: (link,)})
    recorder.take(Wanted(link.key.key, link.address, ""), reading)
