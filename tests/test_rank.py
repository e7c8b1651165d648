"""What comes first, and what is said only once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.model import Hit, NoteKind, Source
from kb.search.rank import KEYWORD_WEIGHT, fold, fuse, marks


def hit(text: str, *, line: int = 1, parents: tuple[str, ...] = (), path: str | None = "a.md") -> Hit:
    return Hit(
        path=path,
        line=line,
        text=text,
        heading=("Heading",),
        parents=parents,
        title="Title",
        date=None,
        noted=None,
        kind=NoteKind.NOTE,
        tags=(),
        source=Source.NOTE,
        score=0.0,
    )


def test_what_both_lists_hold_comes_before_what_one_holds() -> None:
    ranked = fuse([(1, 9.0), (2, 8.0)], [(3, 0.6), (1, 0.6)])
    assert [one.id for one in ranked] == [1, 3, 2]
    assert (ranked[0].keyword_rank, ranked[0].semantic_rank) == (1, 2)
    assert ranked[0].score == pytest.approx(0.6 + KEYWORD_WEIGHT)
    assert (ranked[2].keyword_rank, ranked[2].semantic_rank, ranked[2].cosine) == (2, None, None)


def test_a_weak_keyword_match_does_not_overtake_a_near_meaning() -> None:
    ranked = fuse([(1, 9.0), (2, 2.0)], [(3, 0.7)], {1: 0.1, 2: 0.2})
    assert [one.id for one in ranked] == [3, 1, 2]


def test_a_keyword_hit_outside_the_near_ones_is_judged_by_its_own_cosine() -> None:
    ranked = fuse([(1, 5.0), (2, 5.0)], [(3, 0.5)], {1: 0.1, 2: 0.2})
    assert [one.id for one in ranked] == [2, 1, 3]
    assert ranked[0].cosine == 0.2
    assert ranked[0].semantic_rank is None


def test_a_keyword_hit_counts_by_how_much_of_the_query_it_holds() -> None:
    ranked = fuse([(1, 9.0), (2, 9.0)], [(3, 0.5)], {1: 0.4, 2: 0.4}, {1: 0.3, 2: 1.0})
    assert [one.id for one in ranked] == [2, 3, 1]
    assert [one.score for one in ranked] == pytest.approx(
        [0.4 + KEYWORD_WEIGHT, 0.5, 0.4 + KEYWORD_WEIGHT * 0.09]
    )


def test_keywords_alone_keep_their_order() -> None:
    ranked = fuse([(4, 3.0), (2, 1.5)], [])
    assert [(one.id, one.score) for one in ranked] == [(4, 1.0), (2, 0.5)]


def test_meaning_alone_scores_by_cosine() -> None:
    assert [(one.id, one.score) for one in fuse([], [(4, 0.7), (2, 0.4)])] == [(4, 0.7), (2, 0.4)]


LISTS = st.dictionaries(st.integers(0, 30), st.floats(0.01, 1), max_size=20).map(
    lambda scores: sorted(scores.items(), key=lambda pair: -pair[1])
)


@given(LISTS, LISTS)
def test_fusion_loses_and_invents_nothing(
    keyword: list[tuple[int, float]], dense: list[tuple[int, float]]
) -> None:
    ranked = fuse(keyword, dense)
    assert sorted(one.id for one in ranked) == sorted({id for id, _ in [*keyword, *dense]})
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)


def test_the_same_words_take_one_place() -> None:
    first = hit("QLoRA fits 33B in 24 GB", line=3)
    again = hit("qlora fits 33B in 24 GB!", line=9, path="b.md")
    assert list(fold([first, again])) == [first]


def test_passages_that_only_resemble_each_other_both_stay() -> None:
    hits = [hit("QLoRA fits 33B in 24 GB", line=3), hit("QLoRA fits 65B in 48 GB", line=4)]
    assert list(fold(hits)) == hits


def test_a_bullet_and_its_own_parent_do_not_both_take_a_place() -> None:
    parent = hit("A case study", line=3)
    child = hit("A 12 GB card is enough", line=4, parents=("A case study",))
    assert list(fold([child, parent])) == [child]
    assert list(fold([parent, child])) == [parent]


def test_siblings_and_grandchildren_each_have_a_place() -> None:
    parent = hit("A case study", line=3)
    one = hit("A 12 GB card is enough", line=4, parents=("A case study",))
    two = hit("New tasks by tuning", line=5, parents=("A case study",))
    deep = hit("Says so at length", line=6, parents=("A case study", "New tasks by tuning"))
    assert list(fold([one, two])) == [one, two]
    assert list(fold([parent, deep])) == [parent, deep]


def test_the_same_words_in_another_note_are_no_parent() -> None:
    parent = hit("A case study")
    child = hit("A 12 GB card is enough", parents=("A case study",), path="b.md")
    assert list(fold([child, parent])) == [child, parent]
    assert list(fold([replace(child, path="a.md", heading=("Other",)), parent])) != [child]


def test_marks_show_words_in_whatever_form() -> None:
    text = "Fine-tuned adapters; tuning RAG."
    assert [text[start:end] for start, end in marks(text, ["tune", "rag"])] == ["tuned", "tuning", "RAG"]


@given(st.text(), st.lists(st.text()))
def test_marks_are_in_order_and_inside_the_text(text: str, words: list[str]) -> None:
    spans = marks(text, words)
    assert spans == sorted(spans)
    assert all(0 <= start < end <= len(text) for start, end in spans)
