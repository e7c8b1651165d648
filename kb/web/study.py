"""From what came to what it is: an outcome, read and, where in doubt, held against another."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from kb import urls
from kb.model.links import LIVES, Facts, Look, Verdict
from kb.web import landing, onward, page, places, soft
from kb.web.fetch import Fetcher
from kb.web.outcome import Outcome
from kb.web.page.text import readable
from kb.web.plain import Plain
from kb.web.retold import Retold, other_language, retold
from kb.web.soft import Finding
from kb.web.verdict import judge, overrule

_ANY_TIME: Final = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Studied:
    """An outcome that was read: what the page is after all, and what it says of itself."""

    outcome: Outcome
    seen: Plain | None = None
    finding: Finding | None = None
    told: Facts | None = None
    retold: Retold | None = None

    def look(self, at: str) -> Look:
        """The look that this is, at the instant `at`."""
        judged = judge(self.outcome, at)
        return overrule(judged, self.finding.verdict, self.finding.reason) if self.finding else judged

    def at_place(self, fragment: str, judged: Look) -> Look:
        """The same look, for a link to a place within the page."""
        if self.seen is None or not fragment or judged.verdict not in LIVES or self.outcome.place:
            return judged  # a redirect that names a place itself goes before what the link names
        lack = places.lacks(fragment, self.seen, whole=not self.outcome.truncated)
        return overrule(judged, Verdict.BROKEN, lack) if lack else judged

    def facts(self, judged: Look) -> Facts | None:
        """What the page said, if the look found it alive."""
        return replace(self.told, fetched=judged.at) if self.told and judged.verdict in LIVES else None


class Probes:
    """Asks for paths that cannot exist: each once, and not many of one host."""

    def __init__(self, fetcher: Fetcher, per_host: int = 8) -> None:
        self.fetcher = fetcher
        self._asked: dict[str, asyncio.Task[Outcome]] = {}
        self._times: Counter[str] = Counter()
        self._per_host = per_host

    async def ask(self, url: str) -> Outcome | None:
        """The answer of a path beside that of `url`; None where there is none to ask for."""
        probe = soft.probe_url(url)
        if probe is None:
            return None
        if probe not in self._asked:
            if self._times[urls.host(url)] >= self._per_host:
                return None
            self._times[urls.host(url)] += 1
            self._asked[probe] = asyncio.create_task(self._fetch(probe))
        return await self._asked[probe]

    async def _fetch(self, probe: str) -> Outcome:
        outcome, _ = await to_the_end(await self.fetcher.get(probe, once=True), self.fetcher)
        return outcome if outcome.ok else replace(outcome, body=b"", headers={})


async def to_the_end(
    outcome: Outcome, fetcher: Fetcher, *, whole: bool = False
) -> tuple[Outcome, Plain | None]:
    """Where pages that send their reader on lead in the end, as one outcome, and the page there."""
    for _ in range(onward.MOST):
        seen = soft.plain(outcome)
        target = onward.target(outcome, seen)
        if target is None or soft.look_through(outcome, seen) is not None:
            return outcome, seen
        outcome = onward.joined(outcome, target, await fetcher.get(target, whole=whole))
    return outcome, soft.plain(outcome)


async def study(
    outcome: Outcome,
    probes: Probes,
    titles: Collection[str] = (),
    *,
    vouched: bool = False,
    whole: bool = False,
    text: str = "",
    language: str | None = None,
) -> Studied:
    """Read what came, and ask for one path more where only that can tell whether it is what was linked.

    `titles` are those that the page had when it was last found alive: with one of them, it needs
    no probe. Nor does one that is `vouched` for by its site's API. Where it leads on to another, the
    `whole` of that may be wanted. `text` is what was saved of
    it, in `language`: what it says now is held against that.
    """
    if judge(outcome, _ANY_TIME).verdict not in LIVES:
        return Studied(outcome)
    outcome, seen = await to_the_end(outcome, probes.fetcher, whole=whole)
    if outcome.hops and judge(outcome, _ANY_TIME).verdict not in LIVES:
        return Studied(outcome)
    finding = soft.look_through(outcome, seen)
    told = None
    if seen is not None and finding is None:
        told = page.facts_of(seen.html, outcome.final_url, _ANY_TIME)
    new = told is not None and told.title not in titles and not vouched
    if (
        finding is None
        and (new or soft.suspects(outcome, seen))
        and (probe := await probes.ask(outcome.url)) is not None
    ):
        finding = soft.by_probe(outcome, seen, probe)
    compared = None
    if text and finding is None and seen is not None and told is not None:
        compared = _compared(outcome, seen, told, text, language)
    return Studied(outcome, seen, finding, told, compared)


def _compared(outcome: Outcome, seen: Plain, told: Facts, text: str, language: str | None) -> Retold | None:
    """What the page says now against what was saved of it; None where that cannot be judged."""
    if other_language(language, told.language) or seen.shell:
        return None
    if landing.is_home(outcome.url) or landing.is_home(outcome.final_url):
        return None
    return retold(text, readable(outcome.body, outcome.headers.get("content-type")))
