"""The labelled queries are what they say: answerable, and paraphrases that share no word."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from bench.quality import DATA, ROOT, Question, halves, interval, read
from kb.knowledge import KnowledgeBase
from kb.search.query import parse_query, quote
from kb.store.store import Store

QUESTIONS = read(DATA / "queries.tsv")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    root = tmp_path_factory.mktemp("labelled")
    (root / "kb.toml").write_text("")
    for source in (ROOT / "notes", DATA / "notes"):
        shutil.copytree(source, root / "notes", dirs_exist_ok=True)
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
        yield base.store


@pytest.fixture(scope="module")
def passages(store: Store) -> dict[int, str]:
    return {id: hit.text.lower() for id, hit in store.hits(range(1, store.passage_count() + 1)).items()}


def answers(passages: dict[int, str], piece: str) -> list[int]:
    return [id for id, text in passages.items() if piece.lower() in text]


def test_there_are_enough_of_every_kind_and_a_third_are_paraphrases() -> None:
    answered = [question for question in QUESTIONS if question.expected]
    assert len(answered) >= 60
    assert len(QUESTIONS) - len(answered) >= 48
    assert 3 * sum(question.kind == "paraphrase" for question in answered) >= len(answered)
    assert {question.kind for question in QUESTIONS} == {
        "keyword", "question", "paraphrase", "entity", "nothing", "neighbour",
    }  # fmt: skip
    assert len({question.query for question in QUESTIONS}) == len(QUESTIONS)


def test_the_labelled_notes_have_150_to_300_passages(store: Store) -> None:
    assert 150 <= store.passage_count() <= 340  # the shipped ones among them


@pytest.mark.parametrize("question", [q for q in QUESTIONS if q.expected], ids=lambda q: q.query)
def test_each_answer_names_one_passage(passages: dict[int, str], question: Question) -> None:
    assert {piece: len(answers(passages, piece)) for piece in question.expected} == dict.fromkeys(
        question.expected, 1
    )


@pytest.mark.parametrize("question", [q for q in QUESTIONS if q.kind == "paraphrase"], ids=lambda q: q.query)
def test_a_paraphrase_shares_no_content_word_with_its_answer(
    store: Store, passages: dict[int, str], question: Question
) -> None:
    answer = set(answers(passages, question.expected[0]))
    shared = [
        word
        for word in parse_query(question.query).terms
        if answer & {id for id, _ in store.keyword(quote(word), limit=-1)}
    ]
    assert shared == []


def test_the_halves_share_nothing_and_hold_as_many_of_each_kind() -> None:
    choose, report = halves(QUESTIONS)
    assert sorted(q.query for q in (*choose, *report)) == sorted(q.query for q in QUESTIONS)
    for kind in {q.kind for q in QUESTIONS}:
        counts = [sum(q.kind == kind for q in half) for half in (choose, report)]
        assert abs(counts[0] - counts[1]) <= 1


def test_an_interval_holds_the_mean_and_narrows_with_more() -> None:
    few, many = interval([0.0, 1.0] * 5, 500), interval([0.0, 1.0] * 500, 500)
    assert few[0] < many[0] < 0.5 < many[1] < few[1]
    assert interval([0.0] * 9, 100) == (0.0, 0.0)
