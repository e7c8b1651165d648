"""A fetcher that asks a site's API too, where a page says little of whether it is there.

The page of a removed video answers 200; a publisher's wall answers 403 for a paper that is where
it was. What the API says of life is put in the place of such an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kb import urls
from kb.web.fetch import Asker
from kb.web.outcome import Outcome
from kb.web.sources.base import Ask, Life, Reading, Source, Wanted

_STEPS = 4


class Witness:
    """Stands where a fetcher does, and hears a page's source before it answers."""

    def __init__(self, network: Asker, sources: Sequence[Source]) -> None:
        self._network = network
        self._sources = [source for source in sources if source.api]

    async def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        whole: bool = False,
        once: bool = False,
    ) -> Outcome:
        """What the page answered, or what its source says where that is more. Never raises."""
        page = await self._network.get(url, etag=etag, last_modified=last_modified, whole=whole, once=once)
        if once:  # a probe, of a path that no note names
            return page
        key = urls.key(url).key
        for source in self._sources:
            name = source.claims(key, url)
            if name is not None:
                if not source.doubts(page):
                    return page
                return heard(page, await self._hear(source, Wanted(key, url, name)))
        return page

    async def _hear(self, source: Source, wanted: Wanted) -> Reading:
        answers: list[Outcome] = []
        for _ in range(_STEPS):
            step = source.next([wanted], answers)
            if not isinstance(step, Ask):
                return step[wanted.key]
            answers.append(await self._network.ask(step.url, step.headers))
        return Reading()


def heard(page: Outcome, reading: Reading) -> Outcome:
    """The outcome of a page once its source has spoken."""
    if reading.life is Life.GONE and page.failure is None:
        return replace(page, status=404, body=b"", detail=reading.lacking)
    if reading.life in (Life.EXISTS, Life.RENAMED) and page.failure is None and not page.ok:
        return replace(page, status=200, body=b"", detail="its site's own API knows it")
    return page
