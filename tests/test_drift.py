"""A page that is no longer called what it was: told, and never silently taken over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.model import Facts
from kb.web.drift import accept, changed, learn, refreshed

THEN, NOW, LATER = "2026-01-01T00:00:00Z", "2026-11-24T12:00:00Z", "2026-12-01T12:00:00Z"


@pytest.mark.parametrize(
    ("old", "new", "drifts"),
    [
        ("QLoRA at home", "QLoRA at home", False),
        ("QLoRA at home", "qlora  at HOME!", False),
        ("QLoRA at home", "QLoRA at home | A blog", False),
        ("A blog - QLoRA at home", "QLoRA at home", False),
        ("Inbox", "(3) Inbox", False),
        ("It's here", "It\u2019s here", False),
        ("QLoRA at home", "Casino bonus 2026", True),
        ("QLoRA at home", "QLoRA in the office", True),
        ("Old title", "New title", True),
        ("QLoRA at home", "!!!", False),
    ],
)
def test_a_title_in_another_dress_is_the_same(old: str, new: str, drifts: bool) -> None:
    assert changed(old, new) == drifts
    assert changed(new, old) == drifts


@given(st.text(max_size=50), st.text(max_size=50))
def test_drift_is_symmetric_and_nothing_drifts_from_itself(one: str, other: str) -> None:
    assert changed(one, other) == changed(other, one)
    assert not changed(one, one)


def test_a_first_title_is_learnt_and_a_known_one_kept() -> None:
    first = Facts(title="QLoRA", authors=("A",), fetched=THEN)
    assert learn(Facts(), first) == first
    assert learn(first, Facts(title="QLoRA", authors=("B",), fetched=NOW)) == first
    assert learn(first, Facts(fetched=NOW)) == first


def test_another_title_is_noted_beside_the_known_one_with_the_day_it_was_first_seen() -> None:
    known = Facts(title="QLoRA", authors=("A",), fetched=THEN)
    drifted = learn(known, Facts(title="Casino", fetched=NOW))
    assert drifted == Facts(title="QLoRA", authors=("A",), now_title="Casino", changed_at=NOW, fetched=NOW)
    assert learn(drifted, Facts(title="Casino", fetched=LATER)) == drifted
    again = learn(drifted, Facts(title="Betting", fetched=LATER))
    assert (again.title, again.now_title, again.changed_at) == ("QLoRA", "Betting", NOW)


def test_a_title_that_comes_back_has_not_changed() -> None:
    drifted = Facts(title="QLoRA", now_title="Casino", changed_at=NOW, fetched=NOW)
    assert learn(drifted, Facts(title="QLoRA", fetched=LATER)) == Facts(title="QLoRA", fetched=LATER)


def test_the_persons_word_takes_the_new_title() -> None:
    drifted = Facts(title="QLoRA", now_title="QLoRA, revised", changed_at=NOW, fetched=NOW)
    assert accept(drifted, LATER) == Facts(title="QLoRA, revised", fetched=LATER)
    same = Facts(title="QLoRA", fetched=THEN)
    assert accept(same, LATER) is same


def test_what_an_api_called_a_page_is_not_held_against_the_page() -> None:
    named = Facts(title="dhouston on his app", fetched=THEN, extra={"source": "hackernews"})
    assert learn(named, Facts(title="A way with files | News", fetched=NOW)) == named


def test_facts_fetched_anew_keep_the_title_they_had_and_tell_the_new_one() -> None:
    old = Facts(title="QLoRA", authors=("A",), fetched=THEN)
    new = refreshed(old, Facts(title="Casino", authors=("B",), fetched=NOW))
    assert (new.title, new.now_title, new.changed_at, new.authors) == ("QLoRA", "Casino", NOW, ("B",))
    assert refreshed(new, Facts(title="QLoRA", fetched=LATER)).now_title is None


def test_another_source_may_name_a_page_better() -> None:
    old = Facts(title="[2305.14314] Efficient tuning", fetched=THEN)
    new = Facts(title="QLoRA", fetched=NOW, extra={"source": "arxiv"})
    assert refreshed(old, new) == new
