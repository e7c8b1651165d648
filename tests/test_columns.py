"""Text on a terminal, whose letters are not all of one width."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.cli.columns import columns, cut, padded, wrapped


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("plain", 5),
        ("微调", 4),
        ("ｶﾅ", 2),
        ("e\u0301", 1),
        ("\U0001f680", 2),
        ("เครื่อง", 5),
        ("👨‍👩‍👧", 2),
        ("", 0),
    ],
)
def test_a_text_is_as_wide_as_a_terminal_draws_it(text: str, width: int) -> None:
    assert columns(text) == width


def test_what_is_cut_fits_and_says_so() -> None:
    assert cut("大型语言模型", 7) == "大型语…"
    assert cut("大型语言模型", 12) == "大型语言模型"
    assert cut("plain words", 6) == "plain…"
    assert padded("微调", 6) == "微调  "


def test_a_line_of_a_script_without_spaces_ends_where_it_is_full() -> None:
    assert wrapped("大型语言模型的微调", 8) == ["大型语言", "模型的微", "调"]
    assert wrapped("微调 needs 显存。", 8) == ["微调", "needs 显", "存。"]


def test_a_closing_mark_begins_no_line() -> None:
    assert wrapped("大型语言。模型", 8) == ["大型语", "言。模型"]


def test_an_address_stays_whole() -> None:
    assert wrapped("é https://example.org/a-long-one", 12) == ["é", "https://example.org/a-long-one"]


@given(st.text(alphabet="ab é微调。 \U0001f680\u200de\u0301", max_size=60), st.integers(2, 30))
def test_wrapping_loses_nothing_but_spaces(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(line.strip() and line == line.rstrip() for line in lines)
    assert all(line == line.lstrip() for line in lines[1:])


@pytest.mark.parametrize("text", ["    for each: pass", "    für jede: 微调"])
def test_code_keeps_its_indentation(text: str) -> None:
    assert wrapped(text, 40) == [text]


@given(st.text(alphabet="ab é", max_size=60), st.integers(2, 30))
def test_text_of_one_width_is_wrapped_as_any_other(text: str, width: int) -> None:
    spaced = " ".join(text.split())
    assert wrapped(spaced, width) == textwrap.wrap(
        spaced, width, break_long_words=False, break_on_hyphens=False
    )
