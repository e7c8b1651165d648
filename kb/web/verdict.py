"""What one look says, and what all looks say together. Pure: no clock, no network.

`judge` turns an outcome into a look, `advance` folds a look into a link's state. Only a broken
look speaks against a link, and only several over some days make it dead; a wall or a fault on
the way says nothing of the page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from zlib import crc32

from kb import urls
from kb.instants import days_between, instant, later
from kb.model.kinds import Standing
from kb.model.links import LIVES, Look, Looks, Transition, Verdict
from kb.values import replace
from kb.web.outcome import Failure, Outcome, seconds_until

# -- one look --------------------------------------------------------------------------------------

PERMANENT: Final = frozenset({301, 308})

_WALLS: Final = frozenset(
    {401, 402, 403, 405, 406, 407, 418, 421, 423, 425, 426, 428, 429, 431, 451, 503, 999}
)
"""Statuses with which a server keeps us out, or asks us to come later, and says nothing of the page."""

_CHALLENGES: Final = (
    ("cf-mitigated", "challenge"),
    ("x-amzn-waf-action", ""),
    ("x-datadome", "protected"),
    ("x-vercel-mitigated", ""),
)
"""Response headers by which bot walls tell that this is not the page; '' for any value."""

_PHRASES: Final = {999: "Request denied", 418: "I'm a teapot"}

_FAILURES: Final[dict[Failure, tuple[Verdict, Callable[[Outcome], str]]]] = {
    Failure.TIMEOUT: (Verdict.UNREACHABLE, lambda o: o.detail or f"timed out after {_seconds(o)} s"),
    Failure.REFUSED: (Verdict.UNREACHABLE, lambda o: "connection refused"),
    Failure.RESET: (Verdict.UNREACHABLE, lambda o: "connection reset before an answer"),
    Failure.TLS: (Verdict.UNREACHABLE, lambda o: o.detail or "TLS handshake failed"),
    Failure.NO_NAME: (Verdict.BROKEN, lambda o: f"the name {_host(o)} does not exist"),
    Failure.UNRESOLVED: (Verdict.UNREACHABLE, lambda o: f"the name {_host(o)} could not be looked up"),
    Failure.NO_ROUTE: (Verdict.UNREACHABLE, lambda o: f"no way to {_host(o)} from here"),
    Failure.NOT_HTTP: (Verdict.UNREACHABLE, lambda o: o.detail or "the answer is not HTTP"),
    Failure.LOOP: (Verdict.BROKEN, lambda o: "redirects in a circle"),
    Failure.COOKIE_LOOP: (
        Verdict.BLOCKED,
        lambda o: "redirects in a circle while setting cookies, as a wall does",
    ),
    Failure.TOO_MANY_HOPS: (Verdict.BROKEN, lambda o: f"redirects without end ({len(o.hops)} hops)"),
    Failure.NO_TARGET: (Verdict.BROKEN, lambda o: f"{_phrase(o.status)} that does not say where to"),
    Failure.PRIVATE: (Verdict.SKIPPED, lambda o: o.detail or "a private address"),
    Failure.SCHEME: (Verdict.SKIPPED, lambda o: o.detail or "not http or https"),
}


def _seconds(outcome: Outcome) -> str:
    """Rounded, so that the same time-out reads the same every time and no ledger line changes."""
    return f"{outcome.seconds:.0f}" if outcome.seconds >= 1 else f"{outcome.seconds:.1f}"


def _host(outcome: Outcome) -> str:
    return urls.host(outcome.final_url) or outcome.final_url


def _phrase(status: int | None) -> str:
    if status is None:
        return "no status"
    try:
        return f"{status} {_PHRASES.get(status) or HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def judge(outcome: Outcome, at: str) -> Look:
    """The look that `outcome` is, at the instant `at` (ISO, UTC). Never raises.

    Whether a name that was not found counts as broken depends on what else answered in the
    run, which only the caller knows: see `doubt_name`.
    """
    verdict, reason = _verdict(outcome)
    alive = verdict in LIVES
    return Look(
        at=at,
        verdict=verdict,
        status=outcome.status,
        final_url=outcome.landing if outcome.status is not None or outcome.hops else None,
        reason=reason,
        gone=verdict is Verdict.BROKEN
        and (outcome.failure is Failure.NO_NAME or (outcome.failure is None and outcome.status == 410)),
        etag=outcome.headers.get("etag") if alive else None,
        last_modified=outcome.headers.get("last-modified") if alive else None,
        retry_at=None if alive else retry_at(outcome.headers.get("retry-after"), at),
    )


def _verdict(outcome: Outcome) -> tuple[Verdict, str]:
    if outcome.failure is not None:
        verdict, words = _FAILURES[outcome.failure]
        if outcome.failure is Failure.SCHEME and outcome.hops:
            verdict = Verdict.UNREACHABLE  # the link itself is of the web, and was asked for
        return verdict, _after_hops(outcome, words(outcome))
    status = outcome.status
    challenged = any(
        name in outcome.headers and wanted in outcome.headers[name].lower() for name, wanted in _CHALLENGES
    )
    if challenged:
        return Verdict.BLOCKED, _after_hops(outcome, f"a wall against programs ({_phrase(status)})")
    if outcome.ok or status == 300:
        return _alive(outcome)
    if status in (404, 410):
        return Verdict.BROKEN, _after_hops(outcome, outcome.detail or _phrase(status))
    if status in _WALLS:
        return Verdict.BLOCKED, _after_hops(outcome, _phrase(status))
    return Verdict.UNREACHABLE, _after_hops(outcome, _phrase(status))


def _alive(outcome: Outcome) -> tuple[Verdict, str]:
    if not outcome.hops or outcome.final_url == outcome.url:
        return Verdict.ALIVE, outcome.detail or _phrase(outcome.status)
    temporary = next((hop for hop in outcome.hops if hop.status not in PERMANENT), None)
    if temporary is not None and temporary.status < 300:
        return Verdict.ALIVE, f"{_phrase(outcome.status)}, the page leads on to {outcome.landing}"
    if temporary is not None:
        return Verdict.ALIVE, f"{_phrase(outcome.status)}, by way of {outcome.landing} ({temporary.status})"
    return Verdict.MOVED, f"redirects for good to {outcome.landing} ({outcome.hops[0].status})"


def _after_hops(outcome: Outcome, reason: str) -> str:
    return f"redirects to {outcome.landing}: {reason}" if outcome.hops else reason


def overrule(look: Look, verdict: Verdict, reason: str) -> Look:
    """The look once the page that came has turned out to be something else than its status says."""
    return replace(look, verdict=verdict, reason=reason, gone=False, etag=None, last_modified=None)


def doubt_name(look: Look) -> Look:
    """The look for a name that was not found in a run where no other name answered."""
    return replace(
        look,
        verdict=Verdict.UNREACHABLE,
        gone=False,
        reason=f"{look.reason}, or names cannot be looked up now",
    )


def retry_at(header: str | None, at: str) -> str | None:
    """The instant a `Retry-After` header names (seconds or a date), at most 90 days on."""
    seconds = seconds_until(header or "", instant(at))
    return later(at, min(seconds / 86400, 90)) if seconds else None


# -- all looks together ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How much it takes: looks in a row and the days they span, until a broken link is dead.

    `gone_*` hold where the server says 410 or the name has vanished; `unknown_days` is how long
    walls and faults may be all that is seen before nothing is known any more.
    """

    dead_looks: int = 3
    dead_days: float = 3.0
    gone_looks: int = 2
    gone_days: float = 1.0
    unknown_days: float = 30.0


# Days until the next look. A steady link is looked at when it has stood half as long again.
_SUSPECT_DAYS: Final = 1.0
_UNCERTAIN_DAYS: Final = 3.0
_DEAD_DAYS: Final = 7.0
_ALIVE_DAYS: Final = (7.0, 30.0)
# Runs come at one hour of the day, and in each a page has its turn some minutes sooner or later than in the
# last: what is due in a week must be due by the next weekly run, not by the one after it.
_EARLY_DAYS: Final = 0.25
# Steady pages wait up to so much less, by their addresses: those that were added in one go are not looked
# at in one go for ever.
_SPREAD: Final = 1 / 3


def advance(state: Looks, look: Look, thresholds: Thresholds) -> Looks:
    """`state` after `look`. Pure; a skipped look changes nothing."""
    if look.verdict is Verdict.SKIPPED:
        return state
    seen = replace(
        state,
        verdict=look.verdict,
        status=look.status,
        final_url=look.final_url,
        reason=look.reason,
        first_seen=state.first_seen or look.at,
        last_checked=look.at,
    )
    match look.verdict:
        case Verdict.ALIVE | Verdict.MOVED:
            seen = _lives(seen, look)
        case Verdict.BROKEN:
            seen = _strike(seen, look, thresholds)
        case _:
            seen = _no_word(seen, look, thresholds)
    return replace(seen, due=_due(seen, look))


def revive(state: Looks, at: str) -> Looks:
    """`state` once the person says at `at`: I looked, it lives. The last look stays on record."""
    standing = state.standing if state.standing is Standing.MOVED else Standing.ALIVE
    cleared = _stand(_cleared(state, at), standing, at)
    return replace(cleared, first_seen=state.first_seen or at, due=later(at, _ALIVE_DAYS[0]))


def _lives(state: Looks, look: Look) -> Looks:
    unchanged = look.status == 304  # which need not repeat what it confirms
    state = replace(
        state,
        etag=look.etag or (state.etag if unchanged else None),
        last_modified=look.last_modified or (state.last_modified if unchanged else None),
    )
    standing = Standing.MOVED if look.verdict is Verdict.MOVED else Standing.ALIVE
    return _stand(_cleared(state, look.at), standing, look.at)


def _cleared(state: Looks, at: str) -> Looks:
    return replace(
        state, streak=0, streak_since=None, gone_streak=0, gone_since=None, last_conclusive=at, last_alive=at
    )


def _strike(state: Looks, look: Look, thresholds: Thresholds) -> Looks:
    state = replace(
        state,
        streak=state.streak + 1,
        streak_since=state.streak_since or look.at,
        gone_streak=state.gone_streak + 1 if look.gone else 0,
        gone_since=(state.gone_since or look.at) if look.gone else None,
        last_conclusive=look.at,
    )
    dead = (
        state.standing is Standing.DEAD
        or (
            state.streak >= thresholds.dead_looks
            and _days(state.streak_since, look.at) >= thresholds.dead_days
        )
        or (
            state.gone_streak >= thresholds.gone_looks
            and _days(state.gone_since, look.at) >= thresholds.gone_days
        )
    )
    return _stand(state, Standing.DEAD if dead else Standing.SUSPECT, look.at)


def _no_word(state: Looks, look: Look, thresholds: Thresholds) -> Looks:
    if state.standing is Standing.DEAD:
        return state
    conclusive = state.last_conclusive
    if conclusive is not None and _days(conclusive, look.at) < thresholds.unknown_days:
        return state
    return _stand(state, Standing.UNKNOWN, look.at)


def _stand(state: Looks, standing: Standing, at: str) -> Looks:
    # A ledger that was merged may end with a turn that another machine saw, and that is over.
    last = state.transitions[-1].standing if state.transitions else standing
    if state.standing is last is standing:
        return state
    return replace(state, standing=standing, transitions=(*state.transitions, Transition(at, standing)))


def _due(state: Looks, look: Look) -> str:
    match state.standing:
        case Standing.SUSPECT:
            days = _SUSPECT_DAYS
        case Standing.DEAD:
            days = _DEAD_DAYS
        case Standing.ALIVE | Standing.MOVED if look.verdict in LIVES:
            least, most = _ALIVE_DAYS
            turns = state.turns
            stood = _days(turns[-1].at, look.at) if turns else 0.0
            days = max(least, min(most, stood / 2) * (1 - _SPREAD * _share(look.final_url or "")))
        case _:
            days = _UNCERTAIN_DAYS
    due = later(look.at, days - _EARLY_DAYS)
    return max(due, look.retry_at) if look.retry_at else due


def _share(address: str) -> float:
    """A number from 0 to 1, the same for an address every time."""
    return crc32(address.encode("utf-8", "replace")) / 2**32


def _days(since: str | None, until: str) -> float:
    return days_between(since, until) if since else 0.0
