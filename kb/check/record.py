"""From what came of a page to looks that are kept: in the store, once the network has shown to be there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kb import urls
from kb.check.due import Page
from kb.errors import NetworkAway
from kb.model.clock import Clock
from kb.model.kinds import Standing
from kb.model.links import LIVES, Facts, Key, LinkRecord, Look, Verdict
from kb.store.store import Store
from kb.values import replace
from kb.web.drift import learn, learn_text
from kb.web.outcome import Failure, Outcome
from kb.web.study import Studied
from kb.web.verdict import Thresholds, advance, doubt_name

Result = tuple[Page, Studied]

_FAILED = (Standing.SUSPECT, Standing.DEAD)


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
    turned: Counter[Standing] = field(default_factory=Counter)
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

    @property
    def away(self) -> bool:
        """Whether links were tried and none has answered."""
        return bool(self.tried and not self.answered)

    def finish(self) -> None:
        """The run is over. NetworkAway, and nothing recorded, if links were tried and none answered."""
        if self.away:
            told = {came.outcome.detail for _, came, _ in self.held} - {""}
            why = f" ({told.pop()})" if len(told) == 1 else ""
            raise NetworkAway(
                f"the network is away: none of {self.tried} pages answered{why}; nothing was recorded",
                hint="try again when you are online; links keep the standing they had",
            )
        held, self.held = self.held, []
        self._keep([(one, came, doubted(came, came.look(at))) for one, came, at in held])

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
        now = after.looks.standing
        if now is not looks.standing and (now is not Standing.ALIVE or looks.standing in _FAILED):
            self.turned[now] += 1
        if judged.verdict is not Verdict.SKIPPED:
            self.store.save_look(link.key, judged, after.looks, learnt if learnt != facts else None)
        for alias in _aliases(link, came.outcome, judged, told):
            after = replace(after, aliases=(*after.aliases, alias))
            self.store.add_alias(alias, link.key)
        self.looked[link.key] = after


def doubted(came: Studied, judged: Look) -> Look:
    """The look, in a run where no other name answered."""
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
