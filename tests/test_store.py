from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import StoreBusy, StoreError
from kb.model import (
    Filter,
    Key,
    Look,
    Looks,
    NoteKind,
    Person,
    Problem,
    Severity,
    Source,
    Standing,
    Term,
    Use,
    Verdict,
    When,
    excerpt,
)
from kb.store import schema
from kb.store.passages import Weights
from kb.store.rows import Stamp
from kb.store.store import Store
from tests.store_helpers import note, open_store, passage, put, texts, vector_rows


@pytest.fixture
def store() -> Iterator[Store]:
    with schema.memory() as store:
        yield store


def found(store: Store, match: str, filter: Filter | None = None) -> list[str]:
    ids = [id for id, _ in store.keyword(match, filter or Filter())]
    hits = store.hits(ids)
    return [hits[id].text for id in ids]


def index_is_whole(store: Store) -> bool:
    store.connection.execute("INSERT INTO passages_fts (passages_fts, rank) VALUES ('integrity-check', 1)")
    return not store.connection.execute("PRAGMA foreign_key_check").fetchall()


# -- notes -------------------------------------------------------------------------------------


def test_a_hit_carries_all_that_the_passage_knows_of_itself(store: Store) -> None:
    one = passage(
        "a 12 GB card is enough",
        "https://news.ycombinator.com/item?id=37091586",
        line=17,
        noted="2023-09",
        date="2023-08-11",
        heading=("Threads", "QLoRA"),
        parents=("the case study", "the thread"),
    )
    put(store, note("a/b.md", one, title="Notes", kind=NoteKind.HN_THREAD, tags=("llm", "vram")))
    ((id, _),) = store.keyword('"card"')
    hit = store.hits([id])[id]
    assert (hit.path, hit.line, hit.text, hit.title) == ("a/b.md", 17, "a 12 GB card is enough", "Notes")
    assert (hit.heading, hit.parents) == (("Threads", "QLoRA"), ("the case study", "the thread"))
    assert (hit.noted, hit.date) == (When.parse("2023-09"), When.parse("2023-08-11"))
    assert (hit.kind, hit.tags, hit.source) == (NoteKind.HN_THREAD, ("llm", "vram"), Source.NOTE)
    assert [(one.url, one.standing) for one in hit.links] == [
        ("https://news.ycombinator.com/item?id=37091586", Standing.UNCHECKED)
    ]


def test_putting_a_note_again_replaces_all_of_its_rows(store: Store) -> None:
    first = note("a.md", passage("old words", "https://a.example/"), tags=("old",))
    put(store, first, note("b.md", passage("other words")))
    put(store, note("a.md", passage("new words"), passage("more words"), tags=("new",)))
    assert found(store, '"words"') == ["other words", "new words", "more words"]
    assert found(store, '"old"') == []
    assert store.allowed(Filter(tags=("old",))) == set()
    assert [row.path for row in store.notes()] == ["a.md", "b.md"]
    assert store.links() == []
    assert index_is_whole(store)


def test_equal_passages_of_two_notes_do_not_collide(store: Store) -> None:
    put(store, note("a.md", passage("same"), passage("same")), note("b.md", passage("same")))
    assert len(store.keyword('"same"')) == 3
    assert len(store.missing_digests("m")) == 1


def test_a_dropped_note_leaves_nothing_to_find(store: Store) -> None:
    term = Term("RAG", None, None, None, 1)
    put(store, note("a.md", passage("gone"), tags=("t",), terms=(term,)), note("b.md", passage("stays")))
    store.drop_notes(["a.md", "never-was.md"])
    assert found(store, '"gone" OR "stays"') == ["stays"]
    assert store.terms() == []
    assert store.stamps().keys() == {"b.md"}
    assert index_is_whole(store)


def test_a_changed_title_is_found_and_the_old_one_forgotten(store: Store) -> None:
    put(store, note("a.md", passage("text"), title="Ancient"))
    put(store, note("a.md", passage("text"), title="Recent"))
    assert found(store, '"ancient"') == []
    assert found(store, '"recent"') == ["text"]
    assert index_is_whole(store)


def test_a_renamed_note_keeps_its_passages(store: Store) -> None:
    put(store, note("a.md", passage("text")))
    before = store.keyword('"text"')
    store.rename_notes([("a.md", "b/c.md")])
    assert store.keyword('"text"') == before
    assert [row.path for row in store.notes()] == ["b/c.md"]


def test_stamps_come_back_as_given(store: Store) -> None:
    put(store, note("a.md"))
    stamp = Stamp(7, 1_700_000_000_123_456_789, "ab" * 16)
    store.touch({"a.md": stamp})
    assert store.stamps() == {"a.md": stamp}


def test_a_note_row_tells_its_front_matter_and_how_much_it_holds(store: Store) -> None:
    put(
        store,
        note(
            "a.md",
            passage("x", "https://a.example/", "https://b.example/"),
            passage("y"),
            title="T",
            noted=When.parse("2023-09"),
            aliases=("Tee",),
            description="what it is",
            draft=True,
        ),
        note("b.md", private=True),
    )
    row, hidden = store.notes()
    assert (row.title, row.noted, row.aliases, row.description) == (
        "T",
        When.parse("2023-09"),
        ("Tee",),
        "what it is",
    )
    assert (row.draft, row.private, row.passages, row.links) == (True, False, 2, 2)
    assert hidden.private
    assert store.notes(private=False) == [row]


def test_problems_name_their_note_even_after_a_rename(store: Store) -> None:
    problem = Problem("a.md", 2, Severity.ERROR, "broken", "mend it")
    put(store, note("a.md", problems=(problem,)))
    assert store.problems() == [problem]
    store.rename_notes([("a.md", "b.md")])
    assert [one.path for one in store.problems()] == ["b.md"]


def test_a_failed_write_leaves_the_store_as_it_was(store: Store) -> None:
    put(store, note("a.md", passage("before")))
    with pytest.raises(sqlite3.Error):
        put(store, note("a.md", passage("after")), note("b.md", title=None))  # type: ignore[arg-type]
    assert found(store, '"before" OR "after"') == ["before"]
    assert index_is_whole(store)


# -- terms -------------------------------------------------------------------------------------


def test_terms_come_with_their_note_and_as_they_were_given(store: Store) -> None:
    term = Term("PEFT", "Parameter-Efficient Fine-Tuning", None, "https://a.example/", 4, ("peft",))
    put(
        store,
        note("g.md", terms=(term,)),
        note("p.md", terms=(Term("X", None, None, None, 1),), private=True),
    )
    assert store.terms(private=False) == [("g.md", term)]
    assert len(store.terms()) == 2


def test_uses_of_a_term_are_told_letter_for_letter_and_leave_its_definition_out(store: Store) -> None:
    term = Term("RAG", "Retrieval-Augmented Generation", None, None, 3)
    put(
        store,
        note("g.md", passage("RAG = Retrieval-Augmented Generation", line=3), terms=(term,)),
        note(
            "n.md",
            passage("RAG beats tuning", line=1),
            passage("an old rag on the floor", line=2),
            passage("RAGs and DRAG", line=3),
            passage("on retrieval-augmented  generation", line=4),
            passage("dragging", line=5),
        ),
        note("p.md", passage("RAG in private", line=9), private=True),
    )
    assert store.uses(term, private=False) == (Use("n.md", 1), Use("n.md", 3), Use("n.md", 4))
    assert Use("p.md", 9) in store.uses(term)


@given(st.text(max_size=12))
def test_uses_of_any_text_never_raise(text: str) -> None:
    with schema.memory() as store:
        put(store, note("n.md", passage("some words")))
        store.uses(Term(text, text, None, None, 1, (text,)))
        store.document_frequency(text)


# -- keywords ----------------------------------------------------------------------------------


def test_words_are_stemmed_and_accents_do_not_matter(store: Store) -> None:
    put(store, note("a.md", passage("fine-tuned models at the café")))
    for word in ("tuning", "model", "cafe", "CAFÉ"):
        assert store.document_frequency(word) == 1, word
    assert store.document_frequency("fine-tuning") == 1
    assert store.document_frequency("absent") == 0


def test_a_title_or_heading_is_found_and_counts_as_the_weights_say(store: Store) -> None:
    put(
        store,
        note("a.md", passage("plain qlora text", heading=("Other",)), title="Other"),
        note("b.md", passage("plain other text", heading=("Other",)), title="Qlora"),
    )
    light = [id for id, _ in store.keyword('"qlora"', weights=Weights(title=0.01))]
    heavy = [id for id, _ in store.keyword('"qlora"', weights=Weights(title=100))]
    assert light == heavy[::-1]
    assert len(light) == 2


def test_scores_are_higher_for_better_and_sorted(store: Store) -> None:
    put(
        store,
        note("a.md", passage("qlora qlora"), passage("qlora among many other words here"), passage("no")),
    )
    scores = [score for _, score in store.keyword('"qlora"')]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0


def test_the_words_of_an_address_are_found_but_not_its_scheme(store: Store) -> None:
    put(store, note("a.md", passage("here", "https://www.blog.example/2023/how-to%20train?page=two")))
    assert all(store.document_frequency(word) for word in ("train", "blog", "two"))
    assert not any(store.document_frequency(word) for word in ("https", "www", "20train"))


def test_what_is_no_full_text_expression_is_an_error_of_ours(store: Store) -> None:
    with pytest.raises(StoreError, match="full-text"):
        store.keyword('"unclosed')


# -- filters -----------------------------------------------------------------------------------


@pytest.fixture
def filtered(store: Store) -> Store:
    put(
        store,
        note(
            "papers/q.md",
            passage("arxiv", "https://arxiv.org/abs/2305.14314", noted="2023-05", date="2023-08-11"),
            passage("blog", "https://eng.blog.example/x", noted="2023-05"),
            kind=NoteKind.PAPER,
            tags=("LLM",),
        ),
        note("papers-old/q.md", passage("old", noted="2019-02-09/2019-02-12"), tags=("history",)),
        note("n.md", passage("repo", "https://github.com/a/b", "https://arxiv.org/abs/1706.03762")),
    )
    store.save_look(
        Key("gh:a/b"), Look("2026-01-01T00:00:00Z", Verdict.BROKEN), Looks(standing=Standing.DEAD)
    )
    return store


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (Filter(kinds=("paper",)), {"arxiv", "blog", "repo"}),  # by the note's kind, or by a link's
        (Filter(kinds=("repo",)), {"repo"}),
        (Filter(kinds=("repo", "hn-thread")), {"repo"}),
        (Filter(tags=("llm",)), {"arxiv", "blog"}),
        (Filter(tags=("LLM", "history")), {"arxiv", "blog", "old"}),
        (Filter(hosts=("arxiv.org",)), {"arxiv", "repo"}),
        (Filter(hosts=("blog.example",)), {"blog"}),
        (Filter(hosts=("www.GitHub.com",)), {"repo"}),
        (Filter(hosts=("rxiv.org",)), set()),
        (Filter(standings=(Standing.DEAD,)), {"repo"}),
        (Filter(standings=(Standing.UNCHECKED,)), {"arxiv", "blog", "repo"}),
        (Filter(hosts=("arxiv.org",), standings=(Standing.DEAD,)), set()),  # of one and the same link
        (Filter(hosts=("github.com",), kinds=("paper",)), set()),
        (Filter(hosts=("blog.example",), kinds=("paper",)), {"blog"}),
        (Filter(paths=("papers",)), {"arxiv", "blog"}),
        (Filter(paths=("papers/",)), {"arxiv", "blog"}),
        (Filter(paths=("n.md", "papers-old/q.md")), {"old", "repo"}),
        (Filter(paths=(".",)), {"arxiv", "blog", "old", "repo"}),
        (Filter(since="2023-08-01"), {"arxiv"}),
        (Filter(until="2020-01-01"), {"old"}),
        (Filter(since="2019-02-12", until="2019-02-12"), {"old"}),
        (Filter(since="2023-05-31", until="2023-06-01"), {"arxiv", "blog"}),
        (Filter(since="2023-06-01", until="2023-08-10"), set()),
        (Filter(tags=("llm",), hosts=("arxiv.org",), since="2023-08-11"), {"arxiv"}),
    ],
)
def test_a_filter_allows(filtered: Store, filter: Filter, expected: set[str]) -> None:
    allowed = filtered.allowed(filter)
    assert allowed is not None
    assert texts(filtered, allowed) == expected
    every = '"arxiv" OR "blog" OR "old" OR "repo"'
    assert set(found(filtered, every, filter)) == expected


def test_an_empty_filter_allows_everything_without_a_list(filtered: Store) -> None:
    assert filtered.allowed(Filter()) is None


@given(st.text(max_size=8), st.text(max_size=8))
def test_any_text_in_a_filter_is_only_text(one: str, two: str) -> None:
    filter = Filter((one,), (two,), (one,), (), (two,), one, two)
    with schema.memory() as store:
        put(store, note("a.md", passage("x", "https://a.example/")))
        store.allowed(filter)
        store.links(filter)


# -- vectors -----------------------------------------------------------------------------------


def test_what_lacks_a_vector_is_given_as_the_encoder_reads_it(store: Store) -> None:
    put(store, note("a.md", passage("text", heading=("H",), parents=("p",)), title="T"))
    expected = excerpt("T", ["H"], ["p"], "text")
    assert store.missing_digests("m") == [(expected.digest, expected)]
    store.record_vectors("m", [(expected.digest, 0, 0), (expected.digest, 1, 1)])
    assert store.missing_digests("m") == []
    assert store.missing_digests("another model") == [(expected.digest, expected)]
    assert vector_rows(store, "m") == [(0, expected.digest, 0), (1, expected.digest, 1)]


def test_missing_texts_can_be_taken_in_parts(store: Store) -> None:
    put(store, note("a.md", *(passage(f"text {number}") for number in range(10))))
    everything = store.missing_digests("m")
    taken = store.missing_digests("m", 4)
    taken += store.missing_digests("m", 100, after=taken[-1][0])
    assert taken == everything
    assert len(taken) == store.missing_count("m") == store.pending("m") == 10


def test_rows_lead_to_every_passage_of_the_same_text_and_back(store: Store) -> None:
    put(store, note("a.md", passage("same"), passage("same"), passage("alone")))
    same, alone = excerpt("A note", [], [], "same").digest, excerpt("A note", [], [], "alone").digest
    store.record_vectors("m", [(same, 0, 0), (same, 1, 1), (alone, 0, 2), ("00" * 16, 0, 3)])
    by_row = store.rows_to_passages("m", [0, 1, 2, 3, 99])
    assert [texts(store, by_row[row]) for row in (0, 1, 2)] == [{"same"}, {"same"}, {"alone"}]
    assert len(by_row[0]) == 2
    assert by_row.keys() == {0, 1, 2}
    assert store.passages_to_rows("m", by_row[0]) == {id: [0, 1] for id in by_row[0]}
    assert store.vector_count("m") == 4


def test_a_text_whose_windows_are_partly_lost_is_missing_again(store: Store) -> None:
    put(store, note("a.md", passage("one"), passage("two")))
    one, two = (digest for digest, _ in store.missing_digests("m"))
    store.record_vectors("m", [(one, 0, 0), (two, 0, 1), (two, 1, 2)])
    store.forget_vectors("m", from_row=2)
    assert [digest for digest, _ in store.missing_digests("m")] == [two]
    assert store.vector_count("m") == 1


def test_a_new_generation_of_the_sidecar_forgets_the_rows_of_the_old(store: Store) -> None:
    put(store, note("a.md", passage("one")))
    digest = store.missing_digests("m@1")[0][0]
    for model in ("m@1", "other@1"):
        store.record_vectors(model, [(digest, 0, 0)])
    store.keep_model("m@2")
    assert vector_rows(store, "m@1") == []
    assert len(vector_rows(store, "other@1")) == 1


def test_counts_are_remembered_until_rows_change(store: Store) -> None:
    store.keep_model("m@1")
    put(store, note("a.md", passage("one", "https://a.example/")))
    assert store.counts(keep=True) == (1, 1, 1)
    store.record_vectors("m@1", [(digest, 0, 0) for digest, _ in store.missing_digests("m@1")])
    assert store.counts(keep=True) == (1, 1, 0)
    put(store, note("b.md", passage("two")))
    assert store.counts() == (2, 1, 1)
    store.drop_notes(["a.md", "b.md"])
    assert store.counts() == (0, 0, 0)


# -- transactions ------------------------------------------------------------------------------


def test_a_writer_that_waits_in_vain_says_who_it_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "kb.sqlite3"
    with open_store(path) as one, Store.open(path) as other:
        other.connection.execute("PRAGMA busy_timeout = 0")
        with one.transaction(), pytest.raises(StoreBusy, match="another kb"):
            put(other, note("a.md"))
        put(other, note("a.md"))
        assert len(one.notes()) == 1


def test_transactions_join_and_undo_as_one(store: Store) -> None:
    put(store, note("a.md", passage("x", "https://a.example/")))
    key = store.links()[0].key

    def ignore_and_fail() -> None:
        with store.transaction():
            store.save_person(key, Person(ignored=True))
            store.drop_notes(["a.md"])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        ignore_and_fail()
    assert [record.person.ignored for record in store.links()] == [False]


def test_a_reader_sees_the_state_before_an_unfinished_write(tmp_path: Path) -> None:
    path = tmp_path / "kb.sqlite3"
    with open_store(path) as writer, Store.open(path) as reader:
        with writer.transaction():
            put(writer, note("a.md"))
            assert reader.notes() == []
        assert len(reader.notes()) == 1


def test_a_link_becomes_public_and_private_with_the_notes_that_hold_it() -> None:
    a, b = "https://a.example/x", "https://b.example/y"
    with schema.memory() as opened:

        def hidden() -> set[str]:
            return {key.key for key in opened.private_keys()}

        put(opened, note("p.md", passage("p", a, b), private=True))
        assert hidden() == {a, b}
        put(opened, note("q.md", passage("q", a)))
        assert hidden() == {b}
        put(opened, note("q.md", passage("q", "https://c.example/")))
        assert hidden() == {a, b}
        opened.drop_notes(["p.md"])  # nothing mentions them: they stay what they were
        assert hidden() == {a, b}
        put(opened, note("r.md", passage("r", b)))
        assert hidden() == {a}
