"""The figures that tell how well a search answers are what their names say."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.quality import Question, judge, read
from kb.model import Hit, NoteKind, Source


def hit(path: str, line: int, text: str = "") -> Hit:
    return Hit(
        path=path,
        line=line,
        text=text,
        heading=(),
        parents=(),
        title="",
        date=None,
        noted=None,
        kind=NoteKind.NOTE,
        tags=(),
        source=Source.NOTE,
        score=0.0,
    )


HITS = [
    hit("a.md", 1, "a frozen model"),
    hit("a.md", 2),
    hit("b.md", 3),
    *(hit("c.md", n) for n in range(20)),
]


def test_the_first_place_is_worth_everything_and_the_third_a_third() -> None:
    assert judge(HITS, ["a.md:1"]) == (1.0, 1.0, 1.0)
    score = judge(HITS, ["b.md:3"])
    assert tuple(score) == pytest.approx((1 / 3, 1.0, 0.5))


def test_a_path_and_a_piece_of_text_are_answers_too() -> None:
    assert judge(HITS, ["b.md"]).mrr == pytest.approx(1 / 3)
    assert judge(HITS, ["Frozen Model"]).mrr == 1.0


def test_what_stands_after_the_tenth_place_is_worth_nothing() -> None:
    assert judge(HITS, ["c.md:15"]) == (0.0, 0.0, 0.0)
    assert judge(HITS, ["c.md:4"]).recall == 0.0


def test_half_of_the_answers_are_half_of_the_recall() -> None:
    score = judge(HITS, ["a.md:1", "nowhere.md"])
    assert (score.mrr, score.recall) == (1.0, 0.5)
    assert 0.5 < score.ndcg < 1.0


def test_questions_are_read_from_tsv_and_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "queries"
    path.write_text(
        "# a comment\n\nqlora vram\ta.md:1 | b.md\tkeyword\nnothing of this\n"
        '{"query": "what is PEFT", "expected": "a.md", "kind": "question"}\n'
    )
    assert read(path) == [
        Question("qlora vram", ("a.md:1", "b.md"), "keyword"),
        Question("nothing of this", ()),
        Question("what is PEFT", ("a.md",), "question"),
    ]
