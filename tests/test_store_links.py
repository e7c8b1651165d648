from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import pytest

from kb.model import (
    Facts,
    Filter,
    Key,
    LinkKind,
    Look,
    Looks,
    NoteKind,
    Person,
    Span,
    Standing,
    Transition,
    Verdict,
    When,
)
from kb.store import schema
from kb.store.store import Store
from tests.store_helpers import SEEN, note, passage, put

ARXIV = "https://arxiv.org/abs/2305.14314"
KEY = Key("arxiv:2305.14314")
FULL = Looks(
    standing=Standing.DEAD,
    verdict=Verdict.BROKEN,
    status=404,
    final_url="https://a.example/end",
    reason="not found",
    streak=3,
    streak_since="2026-01-01T00:00:00Z",
    first_seen="2025-01-01T00:00:00Z",
    last_checked="2026-01-05T00:00:00Z",
    last_conclusive="2026-01-05T00:00:00Z",
    last_alive="2025-12-01T00:00:00Z",
    due="2026-02-01T00:00:00Z",
    etag='"x"',
    last_modified="Mon, 01 Dec 2025 00:00:00 GMT",
    archived_url="https://web.archive.org/web/2023/https://a.example/",
    transitions=(
        Transition("2026-01-01T00:00:00Z", Standing.SUSPECT),
        Transition("2026-01-05T00:00:00Z", Standing.DEAD),
    ),
    gone_streak=1,
    gone_since="2026-01-05T00:00:00Z",
)


@pytest.fixture
def store() -> Iterator[Store]:
    with schema.memory() as store:
        yield store


def keys(store: Store, filter: Filter | None = None) -> list[str]:
    return [str(record.key) for record in store.links(filter or Filter())]


def test_mentions_of_one_page_by_several_spellings_are_one_link(store: Store) -> None:
    put(
        store,
        note("b.md", passage("later", ARXIV, line=2)),
        note(
            "a.md",
            passage("first", "https://arxiv.org/pdf/2305.14314v2", line=9, noted="2023-09", date="2023-08"),
        ),
    )
    (record,) = store.links()
    assert (record.key, record.kind, record.host) == (KEY, LinkKind.PAPER, "arxiv.org")
    assert [(one.path, one.line, one.url) for one in record.mentions] == [
        ("a.md", 9, "https://arxiv.org/pdf/2305.14314v2"),
        ("b.md", 2, ARXIV),
    ]
    first = record.mentions[0]
    assert (first.noted, first.date, first.span) == (
        When.parse("2023-09"),
        When.parse("2023-08"),
        Span(0, 34),
    )
    assert record.looks.first_seen == SEEN


def test_fragments_of_a_page_are_links_of_their_own(store: Store) -> None:
    put(store, note("a.md", passage("x", "https://a.example/p#one", "https://a.example/p#two")))
    assert keys(store) == ["https://a.example/p#one", "https://a.example/p#two"]


def test_links_come_in_the_order_of_their_first_mention(store: Store) -> None:
    put(
        store,
        note("b.md", passage("x", "https://c.example/", "https://a.example/")),
        note("a.md", passage("y", "https://b.example/"), passage("z", "https://c.example/")),
    )
    assert keys(store) == ["https://b.example/", "https://c.example/", "https://a.example/"]


def test_relative_links_and_mail_are_kept_as_what_they_are(store: Store) -> None:
    put(store, note("a.md", passage("x", "../b.md", "mailto:a@a.example")))
    assert [(str(one.key), one.kind, one.host) for one in store.links()] == [
        ("../b.md", LinkKind.INTERNAL, ""),
        ("mailto:a@a.example", LinkKind.OTHER, ""),
    ]


def test_a_link_is_found_by_its_key_and_by_an_alias_and_else_not_at_all(store: Store) -> None:
    put(store, note("a.md", passage("x", ARXIV)))
    store.add_alias("https://old.example/q", KEY)
    store.add_alias(KEY.key, KEY)
    by_alias = store.link(Key("https://old.example/q"))
    assert by_alias == store.link(KEY)
    assert by_alias is not None
    assert by_alias.aliases == ("https://old.example/q",)
    assert store.link(Key("https://unknown.example/")) is None


def test_a_key_never_shifts_under_a_link_that_has_a_row(store: Store) -> None:
    put(store, note("a.md", passage("x", "https://old.example/q", ARXIV)))
    store.add_alias("https://old.example/q", KEY)
    found = store.link(Key("https://old.example/q"))
    assert found is not None
    assert found.key == Key("https://old.example/q")


def test_every_field_of_looks_comes_back(store: Store) -> None:
    changed = [
        field.name for field in fields(Looks) if getattr(FULL, field.name) == getattr(Looks(), field.name)
    ]
    assert changed == [], "give FULL a value for each field, so that this test sees all columns"
    put(store, note("a.md", passage("x", ARXIV)))
    look = Look(
        "2026-01-05T00:00:00Z",
        Verdict.BROKEN,
        404,
        "https://a.example/end",
        "not found",
        True,
        '"x"',
        "Mon",
        "later",
    )
    store.save_look(KEY, look, FULL)
    assert store.links()[0].looks == FULL
    assert store.checks(KEY) == [look]


def test_every_field_of_facts_comes_back_and_the_title_shows_in_hits(store: Store) -> None:
    put(store, note("a.md", passage("x", ARXIV)))
    facts = Facts(
        title="QLoRA \ud800 title",
        authors=("A", "B"),
        published="2023-05-23",
        site="arXiv",
        description="d",
        canonical=ARXIV,
        language="en",
        words=7,
        fetched="2026-01-01T00:00:00Z",
        extra={"stars": 5, "nested": [1, {"a": None}]},
    )
    store.save_facts(KEY, facts)
    kept = store.links()[0].facts
    assert kept.title == "QLoRA ? title"
    assert (kept.authors, kept.words, kept.extra) == (("A", "B"), 7, {"stars": 5, "nested": [1, {"a": None}]})
    ((id, _),) = store.keyword('"x"')
    assert [one.title for one in store.hits([id])[id].links] == ["QLoRA ? title"]


def test_ignored_by_the_person_comes_before_what_looks_say(store: Store) -> None:
    put(store, note("a.md", passage("x", ARXIV)))
    store.save_look(KEY, None, FULL)
    assert keys(store, Filter(standings=(Standing.DEAD,))) == [str(KEY)]
    store.save_person(KEY, Person(ignored=True, said_at="2026-01-06T00:00:00Z"))
    assert keys(store, Filter(standings=(Standing.DEAD,))) == []
    assert keys(store, Filter(standings=(Standing.IGNORED,))) == [str(KEY)]
    assert store.links()[0].person.said_at == "2026-01-06T00:00:00Z"


def test_a_link_that_nothing_mentions_keeps_what_was_seen_and_gets_it_back(store: Store) -> None:
    put(store, note("a.md", passage("x", ARXIV)))
    store.save_look(KEY, Look("2026-01-05T00:00:00Z", Verdict.BROKEN), FULL)
    store.drop_notes(["a.md"])
    assert store.links() == []
    assert list(store.states([KEY])) == [KEY]
    put(store, note("b.md", passage("y", ARXIV)), at="2027-01-01T00:00:00Z")
    (record,) = store.links()
    assert record.looks == FULL
    assert len(store.checks(KEY)) == 1


def test_a_state_without_a_first_sight_keeps_the_one_the_sync_gave(store: Store) -> None:
    put(store, note("a.md", passage("x", ARXIV)))
    store.save_look(KEY, None, Looks(standing=Standing.ALIVE))
    assert store.links()[0].looks.first_seen == SEEN


def test_saving_for_an_unknown_link_is_a_mistake_of_the_caller(store: Store) -> None:
    with pytest.raises(KeyError, match=r"unknown\.example"):
        store.save_facts(Key("https://unknown.example/"), Facts(title="x"))


def test_links_are_narrowed_by_their_own_kind_or_their_notes(store: Store) -> None:
    put(
        store,
        note("p/a.md", passage("x", "https://a.example/", noted="2023-05"), kind=NoteKind.PAPER, tags=("t",)),
        note("b.md", passage("y", ARXIV, "https://github.com/a/b", noted="2024-05")),
    )
    assert keys(store, Filter(kinds=("paper",))) == [str(KEY), "https://a.example/"]
    assert keys(store, Filter(hosts=("github.com",))) == ["gh:a/b"]
    assert keys(store, Filter(paths=("p",))) == keys(store, Filter(tags=("T",))) == ["https://a.example/"]
    assert keys(store, Filter(since="2024-01-01")) == [str(KEY), "gh:a/b"]


def test_links_can_be_asked_for_by_key(store: Store) -> None:
    put(store, note("a.md", passage("x", ARXIV, "https://b.example/", "https://c.example/")))
    wanted = [Key("https://c.example/"), KEY, Key("https://never.example/")]
    assert list(store.states(wanted)) == [KEY, Key("https://c.example/")]
    assert store.states([]) == {}


def test_a_filter_tells_which_links_and_each_still_shows_all_its_mentions(store: Store) -> None:
    put(store, note("a.md", passage("x", ARXIV)), note("b.md", passage("y", ARXIV)))
    (record,) = store.links(Filter(paths=("b.md",)))
    assert [one.path for one in record.mentions] == ["a.md", "b.md"]


def test_many_links_are_read_as_few_are(store: Store) -> None:
    put(store, note("a.md", *(passage(f"n{n}", f"https://a.example/{n}") for n in range(2_500))))
    everything = store.links()
    assert len(everything) == store.link_count() == 2_500
    assert everything[7:9] == [store.link(everything[7].key), store.link(everything[8].key)]


@pytest.mark.parametrize("order", [["open.md", "secret.md"], ["secret.md", "open.md"]])
def test_a_link_is_private_while_only_private_notes_hold_it_and_after_they_went(
    store: Store, order: list[str]
) -> None:
    for path in order:
        put(store, note(path, passage("x", ARXIV), private=path == "secret.md"))
    assert store.private_keys() == set()
    store.drop_notes(["open.md"])
    assert store.private_keys() == {KEY}
    assert store.links()[0].private
    store.drop_notes(["secret.md"])
    assert store.private_keys() == {KEY}
    put(store, note("open.md", passage("x", ARXIV)))
    assert store.private_keys() == set()


def test_a_note_made_private_takes_its_links_along(store: Store) -> None:
    put(store, note("a.md", passage("x", ARXIV)))
    put(store, note("a.md", passage("x", ARXIV), private=True))
    assert store.private_keys() == {KEY}


def test_a_vague_link_takes_the_kind_that_another_anchor_tells(store: Store) -> None:
    store.know(Key("https://a.example/p"), LinkKind.OTHER, "")
    put(store, note("a.md", passage("x", "https://a.example/p")))
    store.save_kind(Key("https://a.example/p"), LinkKind.BLOG)
    put(store, note("b.md", passage("y", "https://a.example/p")))
    (record,) = store.links()
    assert (record.kind, record.host) == (LinkKind.BLOG, "a.example")
