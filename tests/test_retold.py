"""Whether a page's text has become another: told where it has, and only there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.model import Facts
from kb.web.drift import accept, learn_text, refreshed
from kb.web.retold import LEAST_WORDS, Retold, retold
from tests.ways import prose

NOW, LATER = "2026-11-24T12:00:00Z", "2026-12-01T12:00:00Z"

ARTICLE = "\n\n".join(["# Llamas at home", prose("llama", 80), prose("wool", 80), prose("hay", 80)])
CASINO = "\n\n".join(["# Casino bonus", prose("casino", 120), prose("roulette", 120)])
LISTING = "\n\n".join(f"## Entry {n}\n\n{prose(f'entry {n}', 30)}" for n in range(20))
NEXT_WEEK = "\n\n".join(f"## Entry {n}\n\n{prose(f'entry {n}', 30)}" for n in range(40, 60))
COMMENTS = "\n\n".join(prose(f"comment {n}", 40) for n in range(90))
MENU = "Home\nAbout\nContact\n"
CHINESE = "大语言模型可以在家里的一台机器上运行只要内存足够就能得到很好的结果而且速度也不慢" * 3
OTHER_CHINESE = "赌场欢迎新玩家注册即可获得奖金每天都有新的优惠活动请点击这里立即参加游戏吧" * 3

#: What was saved, what is read now, and whether that is another text; None where nothing can be said.
LABELLED: list[tuple[str, str, str, bool | None]] = [
    ("the same", ARTICLE, ARTICLE, False),
    ("in other white space", ARTICLE, ARTICLE.replace(" ", "\n"), False),
    ("a date at its foot", ARTICLE + "\n\nUpdated 2025-01-01", ARTICLE + "\n\nUpdated 2026-11-24", False),
    ("a count of comments", ARTICLE + "\n\n3 comments", ARTICLE + "\n\n1,207 comments", False),
    ("a longer page", ARTICLE, ARTICLE + "\n\n" + prose("more", 2_000), False),
    ("comments under it", ARTICLE, f"{ARTICLE}\n\n{COMMENTS}", False),
    ("a page cut to its beginning", ARTICLE, ARTICLE[: len(ARTICLE) // 3], False),
    ("a page that lost its end", ARTICLE, "\n\n".join(ARTICLE.split("\n\n")[:2]), False),
    ("a notice before it", ARTICLE, prose("we use cookies", 100) + "\n\n" + ARTICLE, False),
    ("two thirds of it new", ARTICLE, f"{prose('llama', 80)}\n\n{prose('x', 80)}\n\n{prose('y', 80)}", False),
    ("a page in Chinese that grew", CHINESE, CHINESE + OTHER_CHINESE, False),
    ("a list whose entries move on", LISTING, LISTING[len(LISTING) // 2 :] + NEXT_WEEK, False),
    ("a list with all new entries", LISTING, NEXT_WEEK, None),
    ("a text of few words", "A line that says little.", CASINO, None),
    ("a page of few words now", ARTICLE, "Please turn on the scripts of this page.", None),
    ("no text", ARTICLE, "", None),
    ("another page altogether", ARTICLE, CASINO, True),
    ("another page under the same menu", MENU + ARTICLE, MENU + CASINO, True),
    ("another article of the same words", f"{prose('one', 300)}", f"{prose('two', 300)}", True),
    ("an article where a list is now", ARTICLE, LISTING, True),
    ("another page in Chinese", CHINESE, OTHER_CHINESE, True),
]  # fmt: skip


@pytest.mark.parametrize(("what", "saved", "now", "another"), LABELLED, ids=[row[0] for row in LABELLED])
def test_another_text_is_told_from_the_same_one(
    what: str, saved: str, now: str, another: bool | None
) -> None:
    found = retold(saved, now)
    assert (None if found is None else bool(found)) == another


def test_what_is_told_are_the_first_words_that_only_one_of_them_has() -> None:
    found = retold("Home\n\n" + ARTICLE, "Home\n\n" + CASINO)
    assert found
    assert (found.was, found.now) == ("Llamas at home", "Casino bonus")


@given(st.text(max_size=400), st.text(max_size=400))
def test_no_text_is_too_odd_to_compare(one: str, other: str) -> None:
    retold(one, other)
    assert not retold(one, one)
    assert retold(one, "two words") is None


def test_texts_have_to_be_long_enough_to_be_told_apart() -> None:
    assert retold(prose("a", LEAST_WORDS - 1), prose("b", LEAST_WORDS * 2)) is None


# -- what is known then ----------------------------------------------------------------------------

DRIFTED = Facts(title="T", was_text="Llamas", now_text="Casino", text_changed_at=NOW, fetched=NOW)


def test_another_text_is_noted_with_the_day_it_was_first_seen() -> None:
    known = learn_text(Facts(title="T"), Retold("Llamas", "Casino"), NOW)
    assert known == DRIFTED
    assert known.drifted
    assert learn_text(known, Retold("Llamas", "Casino"), LATER) is known
    again = learn_text(known, Retold("Llamas", "Betting"), LATER)
    assert (again.was_text, again.now_text, again.text_changed_at) == ("Llamas", "Betting", NOW)


def test_a_text_that_was_not_compared_says_nothing_and_one_that_is_back_clears_it() -> None:
    assert learn_text(DRIFTED, None, LATER) is DRIFTED
    assert learn_text(DRIFTED, Retold(), LATER) == Facts(title="T", fetched=LATER)


def test_what_the_person_takes_for_the_text_is_told_anew_only_when_it_changes_again() -> None:
    taken = accept(DRIFTED, LATER)
    assert not taken.drifted
    assert learn_text(taken, Retold("Llamas", "Casino"), LATER) is taken
    assert learn_text(taken, Retold("Llamas", "Betting"), LATER).text_changed_at == LATER


def test_facts_fetched_anew_keep_what_was_seen_of_the_text() -> None:
    assert refreshed(DRIFTED, Facts(title="T", authors=("A",))).text_changed_at == NOW
