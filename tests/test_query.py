"""A query is taken apart as typed, and never becomes FTS5 syntax."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import UsageError
from kb.model import Filter, Source, Standing
from kb.search.query import STOP_WORDS, banned, fts_match, merge, parse_query, quote, required


@pytest.fixture(scope="module")
def index() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(text, tokenize='porter unicode61')")
    texts = [
        "QLoRA in 12 GB of VRAM",
        "fine tuning is for form, not facts",
        "facts come by retrieval, not by form",
        "openai wrote of a:b and foo",
    ]
    connection.executemany("INSERT INTO t(rowid, text) VALUES (?, ?)", enumerate(texts, 1))
    yield connection
    connection.close()


def found(index: sqlite3.Connection, text: str) -> set[int]:
    match = fts_match(parse_query(text))
    return {row[0] for row in index.execute("SELECT rowid FROM t WHERE t MATCH ?", [match])}


def test_words_are_looked_up_one_by_one(index: sqlite3.Connection) -> None:
    assert found(index, "qlora retrieval") == {1, 3}


def test_stop_words_are_not_looked_up() -> None:
    assert parse_query("how much memory do I need at home").terms == ("much", "memory", "home")


def test_a_query_of_stop_words_alone_looks_them_up() -> None:
    assert parse_query("To be or not to be").terms == ("To", "be", "or", "not", "to")


def test_stop_words_stay_in_what_the_encoder_reads() -> None:
    assert parse_query("how much do I need?").text == "how much do I need?"


def test_a_phrase_must_stand_as_it_is(index: sqlite3.Connection) -> None:
    assert found(index, '"not facts"') == {2}
    assert found(index, '"not facts" retrieval') == {2}
    assert required(parse_query('"not facts" "is for" retrieval')) == '"not facts" AND "is for"'


def test_a_word_with_a_minus_must_not_stand(index: sqlite3.Connection) -> None:
    assert found(index, "facts -retrieval") == {2}
    query = parse_query('facts -retrieval -"fine tuning"')
    assert query.excluded == ("retrieval", "fine tuning")
    assert banned(query) == '"retrieval" OR "fine tuning"'
    assert query.text == "facts"


def test_a_minus_inside_a_word_or_alone_excludes_nothing() -> None:
    assert parse_query("fine-tuning 4-bit").excluded == ()
    assert parse_query("a - b").excluded == ()


def test_an_open_quote_is_read_as_if_it_were_not_there(index: sqlite3.Connection) -> None:
    query = parse_query('12" qlora')
    assert query.phrases == ()
    assert query.terms == ("12", "qlora")
    assert found(index, 'qlora "vram') == {1}


def test_filters_are_taken_out_of_the_text() -> None:
    query = parse_query(
        'tuning kind:paper tag:rag host:www.arXiv.org since:2023-09 until:2024 standing:dead tag:"my tag"'
    )
    assert query.text == "tuning"
    assert query.filter == Filter(
        kinds=("paper",),
        tags=("rag", "my tag"),
        hosts=("arxiv.org",),
        standings=(Standing.DEAD,),
        since="2023-09-01",
        until="2024-12-31",
    )


def test_an_unknown_filter_is_plain_text() -> None:
    query = parse_query("error:timeout http://x.example std::vector")
    assert query.filter == Filter()
    assert query.terms == ("error:timeout", "http://x.example", "std::vector")


def test_a_filter_without_a_value_is_plain_text() -> None:
    assert parse_query("kind: paper").terms == ("kind:", "paper")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("x kind:papr", "did you mean kind:paper?"),
        ("x standing:ded", "did you mean standing:dead?"),
        ("x kind:zzzz", "hn-thread"),
        ("x since:yesterday", "since:2023-09"),
        ("x until:2023-13", "until:2023-09"),
    ],
)
def test_a_wrong_value_says_what_would_be_right(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_query(text)
    assert hint in caught.value.hint


@pytest.mark.parametrize("text", ["", "   ", '"', '""', "!?", "🙂", "\x00", "kind:paper", "-openai"])
def test_a_query_that_asks_nothing_is_refused_with_advice(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_query(text)
    assert "kb search" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "AND",
        "NOT a",
        "OR",
        "a:b",
        "foo*",
        "NEAR(",
        "NEAR(a b, 2)",
        "^a",
        "{a b}: c",
        "a + b",
        "(",
        "text:x",
        "'a';--",
        "a\x00b",
        "\udcffa",
    ],
)
def test_what_fts5_would_read_as_syntax_is_read_as_words(index: sqlite3.Connection, text: str) -> None:
    try:
        found(index, text)
    except UsageError:
        assert not any(char.isalnum() for char in text)


SIGNS = ['"', "-", "a", "kind:", "paper", " ", "AND", "(", "*", "é", "since:2023", "\x00"]


@given(st.one_of(st.text(), st.lists(st.sampled_from(SIGNS), max_size=12).map("".join)))
def test_no_text_gives_an_fts5_error(text: str) -> None:
    empty = sqlite3.connect(":memory:")
    empty.execute("CREATE VIRTUAL TABLE t USING fts5(text)")
    try:
        match = fts_match(parse_query(text))
    except UsageError:
        return
    assert empty.execute("SELECT rowid FROM t WHERE t MATCH ?", [match]).fetchall() == []


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc"))))
def test_a_quoted_text_is_one_string(text: str) -> None:
    quoted = quote(text)
    assert quoted[0] == quoted[-1] == '"'
    assert quoted[1:-1].replace('""', "").count('"') == 0


def test_filters_of_flags_and_query_hold_together() -> None:
    one = Filter(kinds=("paper",), since="2023-01-01", until="2023-12-31")
    other = Filter(kinds=("paper", "repo"), since="2023-06-01", until="2024-12-31")
    assert merge(one, other) == Filter(kinds=("paper", "repo"), since="2023-06-01", until="2023-12-31")


def test_stop_words_are_lower_case_words() -> None:
    assert all(word == word.lower() and word.strip() for word in STOP_WORDS)


def test_merging_with_nothing_keeps_every_field() -> None:
    full = Filter(
        kinds=("paper",),
        tags=("rag",),
        hosts=("arxiv.org",),
        standings=(Standing.DEAD,),
        paths=("papers",),
        since="2023-01-01",
        until="2023-12-31",
        sources=(Source.NOTE,),
        public=True,
    )
    assert merge(full, Filter()) == merge(Filter(), full) == full
    assert all(getattr(full, name) != getattr(Filter(), name) for name in Filter.__match_args__)


def test_a_query_without_letters_and_digits_is_not_called_empty() -> None:
    with pytest.raises(UsageError, match="neither letters nor digits"):
        parse_query("\U0001f680 ?!")
    with pytest.raises(UsageError, match="is empty"):
        parse_query(" \0 ")
