"""One look's verdict, and what all looks say together."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.model import Look, Looks, Standing, Transition, Verdict
from kb.web.outcome import Failure, Hop, Outcome
from kb.web.verdict import Thresholds, advance, doubt_name, judge, retry_at, revive

AT = "2026-11-24T12:00:00Z"
URL = "https://example.com/a"
THRESHOLDS = Thresholds()


def outcome(
    status: int | None = 200,
    *hops: int,
    failure: Failure | None = None,
    headers: dict[str, str] | None = None,
    detail: str = "",
) -> Outcome:
    places = [URL, *(f"https://example.com/{number}" for number in range(len(hops)))]
    return Outcome(
        url=URL,
        final_url=places[-1],
        status=status,
        headers=headers or {},
        hops=tuple(Hop(places[i], code, places[i + 1]) for i, code in enumerate(hops)),
        failure=failure,
        detail=detail,
        seconds=20.0,
    )


# -- judge -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("came", "verdict", "reason"),
    [
        (outcome(200), Verdict.ALIVE, "200 OK"),
        (outcome(204), Verdict.ALIVE, "204 No Content"),
        (outcome(304), Verdict.ALIVE, "304 Not Modified"),
        (outcome(200, 301), Verdict.MOVED, "redirects for good to https://example.com/0 (301)"),
        (outcome(200, 308, 301), Verdict.MOVED, "redirects for good to https://example.com/1 (308)"),
        (outcome(200, 302), Verdict.ALIVE, "200 OK, by way of https://example.com/0 (302)"),
        (outcome(200, 301, 302), Verdict.ALIVE, "200 OK, by way of https://example.com/1 (302)"),
        (outcome(200, 307, 301), Verdict.ALIVE, "200 OK, by way of https://example.com/1 (307)"),
        (outcome(404), Verdict.BROKEN, "404 Not Found"),
        (outcome(410), Verdict.BROKEN, "410 Gone"),
        (outcome(404, 301), Verdict.BROKEN, "redirects to https://example.com/0: 404 Not Found"),
        (outcome(401), Verdict.BLOCKED, "401 Unauthorized"),
        (outcome(403), Verdict.BLOCKED, "403 Forbidden"),
        (outcome(429), Verdict.BLOCKED, "429 Too Many Requests"),
        (outcome(451), Verdict.BLOCKED, "451 Unavailable For Legal Reasons"),
        (outcome(503), Verdict.BLOCKED, "503 Service Unavailable"),
        (outcome(999), Verdict.BLOCKED, "999 Request denied"),
        (
            outcome(200, headers={"cf-mitigated": "challenge"}),
            Verdict.BLOCKED,
            "a wall against programs (200 OK)",
        ),
        (
            outcome(404, headers={"cf-mitigated": "challenge"}),
            Verdict.BLOCKED,
            "a wall against programs (404 Not Found)",
        ),
        (outcome(500), Verdict.UNREACHABLE, "500 Internal Server Error"),
        (outcome(502), Verdict.UNREACHABLE, "502 Bad Gateway"),
        (outcome(522), Verdict.UNREACHABLE, "522"),
        (outcome(400), Verdict.UNREACHABLE, "400 Bad Request"),
        (outcome(None, failure=Failure.TIMEOUT), Verdict.UNREACHABLE, "timed out after 20 s"),
        (outcome(None, failure=Failure.REFUSED), Verdict.UNREACHABLE, "connection refused"),
        (outcome(None, failure=Failure.RESET), Verdict.UNREACHABLE, "connection reset before an answer"),
        (
            outcome(None, failure=Failure.TLS, detail="certificate expired"),
            Verdict.UNREACHABLE,
            "certificate expired",
        ),
        (
            outcome(None, failure=Failure.UNRESOLVED),
            Verdict.UNREACHABLE,
            "the name example.com could not be looked up",
        ),
        (outcome(None, failure=Failure.NO_NAME), Verdict.BROKEN, "the name example.com does not exist"),
        (
            outcome(301, 301, failure=Failure.LOOP),
            Verdict.BROKEN,
            "redirects to https://example.com/0: redirects in a circle",
        ),
        (
            outcome(301, failure=Failure.NO_TARGET),
            Verdict.BROKEN,
            "301 Moved Permanently that does not say where to",
        ),
        (
            outcome(None, failure=Failure.PRIVATE, detail="10.0.0.1 is a private address"),
            Verdict.SKIPPED,
            "10.0.0.1 is a private address",
        ),
        (outcome(None, failure=Failure.SCHEME), Verdict.SKIPPED, "not http or https"),
        (
            outcome(301, 301, failure=Failure.SCHEME),
            Verdict.UNREACHABLE,
            "redirects to https://example.com/0: not http or https",
        ),
    ],
)
def test_a_look_says_what_came_and_why_in_words(came: Outcome, verdict: Verdict, reason: str) -> None:
    look = judge(came, AT)
    assert (look.verdict, look.reason, look.at) == (verdict, reason, AT)


@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_has_a_verdict_and_none_is_alive(failure: Failure) -> None:
    look = judge(outcome(None, failure=failure), AT)
    assert look.reason
    assert look.verdict not in (Verdict.ALIVE, Verdict.MOVED)


@given(st.integers(100, 999), st.lists(st.sampled_from([301, 302, 303, 307, 308]), max_size=3))
def test_only_404_and_410_are_broken_and_only_a_page_is_alive(status: int, hops: list[int]) -> None:
    look = judge(outcome(status, *hops), AT)
    assert (look.verdict is Verdict.BROKEN) == (status in (404, 410))
    alive = look.verdict in (Verdict.ALIVE, Verdict.MOVED)
    assert alive == (200 <= status < 300 or status in (300, 304))
    if look.verdict is Verdict.MOVED:
        assert hops
        assert set(hops) <= {301, 308}


def test_a_permanent_redirect_back_to_the_same_address_moves_nothing() -> None:
    came = replace(outcome(200), hops=(Hop(URL, 301, URL + "?c"), Hop(URL + "?c", 301, URL)))
    assert judge(came, AT).verdict is Verdict.ALIVE


def test_gone_marks_410_and_names_that_vanished_only() -> None:
    assert judge(outcome(410), AT).gone
    assert judge(outcome(None, failure=Failure.NO_NAME), AT).gone
    assert not judge(outcome(404), AT).gone
    assert not judge(outcome(410, failure=Failure.LOOP), AT).gone


def test_a_doubted_name_is_only_out_of_reach() -> None:
    look = doubt_name(judge(outcome(None, failure=Failure.NO_NAME), AT))
    assert (look.verdict, look.gone) == (Verdict.UNREACHABLE, False)
    assert "example.com" in look.reason


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("3600", "2026-11-24T13:00:00Z"),
        ("Wed, 25 Nov 2026 12:00:00 GMT", "2026-11-25T12:00:00Z"),
        ("Mon, 24 Nov 2025 12:00:00 GMT", None),
        ("99999999999", "2027-02-22T12:00:00Z"),
        ("Fri, 31 Dec 9999 23:59:59 GMT", "2027-02-22T12:00:00Z"),
        ("0", None),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_forever(header: str | None, expected: str | None) -> None:
    assert retry_at(header, AT) == expected


@given(st.text())
def test_no_retry_after_makes_it_raise(header: str) -> None:
    retry_at(header, AT)


# -- advance ---------------------------------------------------------------------------------------


def day(days: float) -> str:
    then = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


def seen(verdict: Verdict, at: float, *, gone: bool = False, retry: float | None = None) -> Look:
    return Look(day(at), verdict, gone=gone, retry_at=None if retry is None else day(retry))


def after(*looks: Look, state: Looks = Looks()) -> Looks:  # noqa: B008  # a frozen value
    for look in looks:
        state = advance(state, look, THRESHOLDS)
    return state


ALIVE, MOVED, BROKEN = Verdict.ALIVE, Verdict.MOVED, Verdict.BROKEN
BLOCKED, UNREACHABLE, SKIPPED = Verdict.BLOCKED, Verdict.UNREACHABLE, Verdict.SKIPPED


@pytest.mark.parametrize(
    ("looks", "standing"),
    [
        ([seen(ALIVE, 0)], Standing.ALIVE),
        ([seen(MOVED, 0)], Standing.MOVED),
        ([seen(BROKEN, 0)], Standing.SUSPECT),
        ([seen(BLOCKED, 0)], Standing.UNKNOWN),
        ([seen(UNREACHABLE, 0)], Standing.UNKNOWN),
        ([seen(SKIPPED, 0)], Standing.UNCHECKED),
        # three over three days
        ([seen(BROKEN, 0), seen(BROKEN, 1), seen(BROKEN, 2.9)], Standing.SUSPECT),
        ([seen(BROKEN, 0), seen(BROKEN, 1), seen(BROKEN, 3)], Standing.DEAD),
        ([seen(BROKEN, 0), seen(BROKEN, 9)], Standing.SUSPECT),
        ([seen(BROKEN, 0)] * 9, Standing.SUSPECT),
        # gone: two over one day, both of them saying so
        ([seen(BROKEN, 0, gone=True), seen(BROKEN, 1, gone=True)], Standing.DEAD),
        ([seen(BROKEN, 0, gone=True), seen(BROKEN, 0.9, gone=True)], Standing.SUSPECT),
        ([seen(BROKEN, 0), seen(BROKEN, 1, gone=True)], Standing.SUSPECT),
        ([seen(BROKEN, 0, gone=True), seen(BROKEN, 1), seen(BROKEN, 2, gone=True)], Standing.SUSPECT),
        ([seen(BROKEN, 0), seen(BROKEN, 1, gone=True), seen(BROKEN, 2, gone=True)], Standing.DEAD),
        # walls and faults neither add nor clear
        ([seen(BROKEN, 0), seen(BLOCKED, 1), seen(UNREACHABLE, 2), seen(BROKEN, 3)], Standing.SUSPECT),
        (
            [seen(BROKEN, 0), seen(BLOCKED, 1), seen(BROKEN, 2), seen(UNREACHABLE, 3), seen(BROKEN, 4)],
            Standing.DEAD,
        ),
        ([seen(BROKEN, 0, gone=True), seen(UNREACHABLE, 0.5), seen(BROKEN, 1, gone=True)], Standing.DEAD),
        (
            [seen(BROKEN, 0), seen(BROKEN, 1), seen(BROKEN, 3), seen(BLOCKED, 4), seen(UNREACHABLE, 99)],
            Standing.DEAD,
        ),
        (
            [seen(BROKEN, 0), seen(BROKEN, 1), seen(BROKEN, 3), seen(BLOCKED, 4), seen(BROKEN, 5)],
            Standing.DEAD,
        ),
        ([seen(ALIVE, 0), seen(UNREACHABLE, 29)], Standing.ALIVE),
        ([seen(MOVED, 0), seen(BLOCKED, 29)], Standing.MOVED),
        ([seen(ALIVE, 0), seen(UNREACHABLE, 29), seen(BLOCKED, 30)], Standing.UNKNOWN),
        ([seen(BROKEN, 0), seen(UNREACHABLE, 30)], Standing.UNKNOWN),
        # a page that lives clears all
        (
            [seen(BROKEN, 0), seen(BROKEN, 1), seen(ALIVE, 2), seen(BROKEN, 3), seen(BROKEN, 4)],
            Standing.SUSPECT,
        ),
        ([seen(BROKEN, 0), seen(BROKEN, 1), seen(BROKEN, 3), seen(ALIVE, 4)], Standing.ALIVE),
        ([seen(UNREACHABLE, 0), seen(MOVED, 1)], Standing.MOVED),
        ([seen(ALIVE, 0), seen(MOVED, 1)], Standing.MOVED),
    ],
)
def test_standing_is_what_all_looks_say_together(looks: list[Look], standing: Standing) -> None:
    assert after(*looks).standing is standing


def test_thresholds_are_the_notebooks_to_set() -> None:
    strict = Thresholds(dead_looks=1, dead_days=0, unknown_days=5)
    assert advance(Looks(), seen(BROKEN, 0), strict).standing is Standing.DEAD
    alive = advance(Looks(), seen(ALIVE, 0), strict)
    assert advance(alive, seen(BLOCKED, 5), strict).standing is Standing.UNKNOWN


def test_the_state_keeps_what_the_next_look_needs() -> None:
    state = after(seen(ALIVE, 0), seen(BROKEN, 7), seen(BROKEN, 8), seen(UNREACHABLE, 9))
    assert (state.streak, state.streak_since) == (2, day(7))
    assert (state.first_seen, state.last_alive) == (day(0), day(0))
    assert (state.last_conclusive, state.last_checked) == (day(8), day(9))
    assert state.verdict is UNREACHABLE
    assert state.transitions == (Transition(day(0), Standing.ALIVE), Transition(day(7), Standing.SUSPECT))


def test_an_unchanged_page_keeps_its_etag_and_a_changed_one_loses_it() -> None:
    first = after(Look(day(0), ALIVE, 200, etag='"v1"', last_modified="then"))
    assert after(Look(day(7), ALIVE, 304), state=first).etag == '"v1"'
    assert after(seen(UNREACHABLE, 7), state=first).etag == '"v1"'
    assert after(Look(day(7), ALIVE, 200), state=first).etag is None


@pytest.mark.parametrize(
    ("looks", "due"),
    [
        ([seen(ALIVE, 0)], 6.75),
        ([seen(BROKEN, 0)], 0.75),
        ([seen(BROKEN, 0), seen(UNREACHABLE, 1)], 1.75),
        ([seen(BROKEN, 0), seen(BROKEN, 1), seen(BROKEN, 3)], 9.75),
        ([seen(BLOCKED, 0)], 2.75),
        ([seen(ALIVE, 0), seen(UNREACHABLE, 7)], 9.75),
        ([seen(ALIVE, 0), seen(ALIVE, 40)], 59.75),
        ([seen(ALIVE, 0), seen(ALIVE, 400)], 429.75),
        ([seen(BLOCKED, 0, retry=20)], 20),
        ([seen(BLOCKED, 0, retry=0.1)], 2.75),
    ],
)
def test_suspects_are_looked_at_sooner_and_old_steady_links_later(looks: list[Look], due: float) -> None:
    assert after(*looks).due == day(due)


@pytest.mark.parametrize(("looks", "days"), [([ALIVE], 7), ([BROKEN], 1), ([BROKEN, BROKEN, BROKEN], 7)])
def test_a_run_at_the_same_hour_finds_due_what_had_its_turn_late_in_the_last_one(
    looks: list[Verdict], days: int
) -> None:
    late = 1 / 24
    state = after(*(seen(verdict, 2 * number + late) for number, verdict in enumerate(looks)))
    assert state.due is not None
    assert state.due <= day(2 * (len(looks) - 1) + days)


def test_steady_pages_that_were_added_together_are_not_all_due_together() -> None:
    found = []
    for number in range(200):
        looks = [replace(seen(ALIVE, at), final_url=f"{URL}/{number}") for at in (0, 400)]
        due = after(*looks).due
        assert due == after(*looks).due
        found.append(str(due)[:10])
    assert day(419)[:10] <= min(found)
    assert max(found) <= day(430)[:10]
    assert max(map(found.count, found)) < 40


def test_a_turn_that_only_another_machine_saw_is_closed_by_the_next_look() -> None:
    seen_elsewhere = (Transition(day(0), Standing.ALIVE), Transition(day(5), Standing.SUSPECT))
    merged = replace(after(seen(ALIVE, 0), seen(ALIVE, 7)), transitions=seen_elsewhere)
    state = after(seen(ALIVE, 14), state=merged)
    assert state.transitions == (*seen_elsewhere, Transition(day(14), Standing.ALIVE))
    assert after(seen(ALIVE, 21), state=state).transitions == state.transitions


def test_how_long_a_page_has_stood_does_not_begin_anew_when_two_machines_ledgers_are_merged() -> None:
    state = after(seen(ALIVE, 0), seen(ALIVE, 30))
    twice = replace(state, transitions=(*state.transitions, Transition(day(29), Standing.ALIVE)))
    assert after(seen(ALIVE, 60), state=twice).due == after(seen(ALIVE, 60), state=state).due


def test_what_the_person_saw_alive_loses_its_strikes() -> None:
    dead = after(seen(BROKEN, 0), seen(BROKEN, 1), seen(BROKEN, 3))
    state = revive(dead, day(4))
    assert (state.standing, state.streak, state.last_alive) == (Standing.ALIVE, 0, day(4))
    assert state.transitions[-1] == Transition(day(4), Standing.ALIVE)
    assert after(seen(BROKEN, 5), state=state).standing is Standing.SUSPECT
    assert revive(Looks(), day(0)).standing is Standing.ALIVE


looks = st.lists(
    st.builds(
        lambda verdict, gone, retry: (verdict, gone and verdict is BROKEN, retry),
        st.sampled_from([ALIVE, MOVED, BROKEN, BLOCKED, UNREACHABLE, SKIPPED]),
        st.booleans(),
        st.none() | st.floats(0, 60),
    ),
    max_size=25,
)
gaps = st.lists(st.floats(0.01, 40), min_size=25, max_size=25)


@given(looks, gaps)
def test_no_history_breaks_the_rules(
    history: list[tuple[Verdict, bool, float | None]], gaps: list[float]
) -> None:
    state, at = Looks(), 0.0
    for (verdict, gone, retry), gap in zip(history, gaps, strict=False):
        at += gap
        look = seen(verdict, at, gone=gone, retry=None if retry is None else at + retry)
        before, state = state, advance(state, look, THRESHOLDS)
        if verdict is SKIPPED:
            assert state == before
            continue
        assert state.due is not None
        assert state.due > look.at
        assert state.due >= (look.retry_at or "")
        assert (state.streak > 0) == (state.streak_since is not None)
        assert (state.gone_streak > 0) == (state.gone_since is not None)
        assert state.gone_streak <= state.streak
        if verdict in (BLOCKED, UNREACHABLE):
            assert (state.streak, state.gone_streak) == (before.streak, before.gone_streak)
            assert state.last_conclusive == before.last_conclusive
            assert state.standing in (before.standing, Standing.UNKNOWN)
            assert (before.standing is Standing.DEAD) <= (state.standing is Standing.DEAD)
        if verdict in (ALIVE, MOVED):
            assert state.standing.value == verdict.value
            assert state.streak == 0
        if verdict is BROKEN:
            assert state.standing in (Standing.SUSPECT, Standing.DEAD)
            assert state.standing is Standing.SUSPECT or state.streak >= 2
        changed = state.standing is not before.standing
        assert len(state.transitions) == len(before.transitions) + changed
        if changed:
            assert state.transitions[-1] == Transition(look.at, state.standing)
