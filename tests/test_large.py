"""What lets a notebook be large: parts instead of wholes say the same, and no query walks too far."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb import check, observed
from kb.check import scope
from kb.cli import listing
from kb.errors import LedgerError, NetworkAway
from kb.knowledge import KnowledgeBase
from kb.model import Facts, Filter, Key, LinkKind, Looks, Person, Standing, Verdict
from kb.store import ledger, lines, schema
from kb.store import links as stored
from kb.store.ledger import Entry
from kb.testing import FixedClock
from kb.web.fetch import Failure
from tests.store_helpers import notebook
from tests.test_check import Answers, came
from tests.test_exporters import FORMATS
from tests.test_ledger import entries
from tests.test_links_cli import kb as command

URLS = [f"https://h{number % 3}.example/p{number}#{'part' if number % 4 == 1 else ''}" for number in range(9)]
TEXT = "".join(f"* [link {number}]({url}) and words\n" for number, url in enumerate(URLS))
NOTES = {
    "b.md": f"# B\n\n{TEXT}",
    "a.md": f"# A\n\n* {URLS[4]}\n* mailto:a@b.example\n* [run](javascript:alert(1))\n",
}


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that is done in parts is done in parts of two."""
    for module, name in (
        (stored, "_TOGETHER"), (lines, "_PAGE"), (observed, "_TOGETHER"), (check, "TOGETHER"),
        (scope, "_TOGETHER"), (listing, "_TOGETHER"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, 2)


@pytest.fixture
def base(tmp_path: Path) -> Iterator[KnowledgeBase]:
    notebook(tmp_path / "book", NOTES, '[links]\nignore = ["*p7"]\ninterval = 0.001\n')
    with KnowledgeBase.open(tmp_path / "book") as base:
        base.clock = FixedClock()
        base.sync(embed=False)
        yield base


def plan_of(base: KnowledgeBase, what: str) -> list[str]:
    """How SQLite goes about the statements that `what` runs."""
    told: list[str] = []
    run = base.store.connection.execute
    statements: list[str] = []
    base.store.connection.set_trace_callback(statements.append)
    list(eval(what, {"store": base.store, "lines": lines, "Filter": Filter}))  # our own words
    base.store.connection.set_trace_callback(None)
    for statement in statements:
        if statement.startswith("SELECT"):
            told += [row[3] for row in run(f"EXPLAIN QUERY PLAN {statement}")]
    return told


# -- links in parts --------------------------------------------------------------------------------


def test_links_in_parts_are_the_links(base: KnowledgeBase, small_parts: None) -> None:
    found = list(base.each_link())
    assert [one.url for one in found] == [one.url for one in base.links()]
    assert found[0].url == URLS[4], "in order of the first mention"
    assert [place.path for place in found[0].mentions] == ["a.md", "b.md"]
    assert [one.url for one in base.each_link(Filter(standings=(Standing.IGNORED,)))] == [URLS[7]]
    unsafe = [one for one in found if one.looks.verdict is Verdict.SKIPPED]
    assert [one.url for one in unsafe] == ["javascript:alert(1)"]


def test_links_are_walked_by_note_and_asked_for_by_id(base: KnowledgeBase) -> None:
    told = plan_of(base, "store.link_parts()") + plan_of(base, "store.outlines()")
    walked = [words for words in told if words.startswith("SCAN")]
    assert walked
    assert all(words.startswith("SCAN n USING") and words.endswith("idx_notes_path") for words in walked)
    assert not any("TEMP B-TREE FOR ORDER BY" in words for words in plan_of(base, "store.outlines()"))


def test_the_lines_of_the_ledger_are_read_by_their_index(base: KnowledgeBase) -> None:
    told = plan_of(base, "lines.lines(store)")
    assert any("idx_links_key_fragment" in words for words in told)
    assert not any("SCAN" in words or "FOR ORDER BY" in words for words in told)


def test_a_listing_in_parts_has_one_head_and_every_link(base: KnowledgeBase, small_parts: None) -> None:
    root = base.settings.root
    rows = command(root, "links", "--format", "markdown").stdout.splitlines()
    assert len(rows) == 2 + len(base.links())
    assert sum(row.startswith("| Standing") for row in rows) == 1
    assert command(root, "links").stdout.count("\n") >= len(base.links())
    assert len(json.loads(command(root, "links", "--json").stdout)) == len(base.links())


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_in_pieces_is_the_export(base: KnowledgeBase, format: str) -> None:
    base.store.save_kind(Key("https://h1.example/p1", "part"), LinkKind.PAPER)
    base.store.save_kind(Key("https://h2.example/p2"), LinkKind.PAPER)
    pieces: list[str] = []
    told = base.export(format, out=pieces.append)
    whole = base.export(format)
    assert ("".join(pieces), told.text) == (whole.text, "")
    assert (told.count, told.other) == (whole.count, whole.other)
    assert len(pieces) > 1


# -- checks in parts -------------------------------------------------------------------------------


def test_a_check_in_parts_looks_at_every_page_once(base: KnowledgeBase, small_parts: None) -> None:
    fetcher = Answers({url: came(url, 404 if number == 3 else 200) for number, url in enumerate(URLS)})
    report = check.check(base.store, base.settings, base.clock, fetcher=fetcher)
    pages = [url for url in fetcher.asked if "/p" in url]
    assert sorted(pages) == sorted(url for url in URLS if url != URLS[7])
    assert [one.url for one in report.bad] == [URLS[3]]
    assert [one.url for one in report.unsafe] == ["javascript:alert(1)"]
    assert [one.url for one in report.links] == [URLS[4], *(url for url in URLS if url != URLS[4])]
    assert (len(report.links), report.links[1].url) == (9, URLS[0])
    assert [one.url for one in report.links[7:]] == URLS[7:]
    standings = {one.url: one.standing for one in report.links}
    assert (standings[URLS[3]], standings[URLS[7]]) == (Standing.SUSPECT, Standing.IGNORED)
    again = check.check(base.store, base.settings, base.clock, fetcher=fetcher)
    assert (again.looked, again.not_due) == ((), 8)
    assert [one.url for one in again.bad] == [URLS[3]], "due or not"


def test_a_check_in_parts_ends_with_the_first_where_nothing_answers(
    base: KnowledgeBase, small_parts: None
) -> None:
    fetcher = Answers({url: came(url, None, Failure.TIMEOUT) for url in URLS})
    with pytest.raises(NetworkAway):
        check.check(base.store, base.settings, base.clock, fetcher=fetcher)
    assert len(fetcher.asked) == 2
    assert all(one.looks.last_checked is None for one in base.store.links())


# -- the ledger ------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.lists(entries(), max_size=6, unique_by=lambda one: one.key))
def test_the_stores_lines_are_those_of_its_links(known: list[Entry]) -> None:
    with schema.memory() as store:
        for one in known:
            store.know(one.key, LinkKind.OTHER, "")
            store.save_look(one.key, None, one.looks)
            store.save_person(one.key, one.person)
            if one.facts != Facts():
                store.save_facts(one.key, one.facts)
            for alias in one.aliases:
                store.add_alias(alias, one.key)
        unknown = {one.key: one.unknown for one in known if one.unknown}
        links = store.states(one.key for one in known).values()
        whole = [
            Entry(one.key, one.facts, one.looks, one.person, one.aliases, unknown.get(one.key, {}))
            for one in links
        ]
        # A link whose key is another's alias may take its values: both sides speak of the store.
        told = "".join(f"{text}\n" for text in lines.lines(store, unknown=unknown))
        assert ledger.parse(told) == ledger.parse(ledger.render(whole))
        assert told == ledger.render(ledger.parse(told).values())


def test_lines_of_one_link_far_apart_are_one_link(base: KnowledgeBase, small_parts: None) -> None:
    key = Key("https://h0.example/p0")
    said = [
        Entry(key, looks=Looks(Standing.DEAD, last_checked="2026-01-01T00:00:00Z"), unknown={"later": 1}),
        Entry(key, Facts(title="Zero", fetched="2026-02-01T00:00:00Z"), aliases=("https://zero.example/",)),
        Entry(key, looks=Looks(Standing.ALIVE, last_checked="2026-03-01T00:00:00Z")),
        Entry(key, person=Person(ignored=True, said_at="2026-01-05T00:00:00Z"), unknown={"looks.colour": 2}),
    ]
    others = [Entry(Key(f"https://z.example/{n}"), person=Person(ignored=True)) for n in range(5)]
    texts = [ledger.render([one]) for pair in zip(said, others, strict=False) for one in pair]
    base.settings.ledger.write_text("".join(texts))
    assert observed.record(base.store, base.settings)
    found = ledger.read(base.settings.ledger)[key]
    assert (found.looks.standing, found.facts.title, found.person.ignored) == (Standing.ALIVE, "Zero", True)
    assert (found.unknown, found.aliases) == ({"later": 1, "looks.colour": 2}, ("https://zero.example/",))
    assert not observed.record(base.store, base.settings)


def test_of_a_ledger_in_conflict_nothing_is_taken_not_even_what_stands_before(
    base: KnowledgeBase, small_parts: None
) -> None:
    good = [Entry(Key(f"https://z.example/{n}"), person=Person(ignored=True)) for n in range(5)]
    base.settings.ledger.write_text(ledger.render(good) + "<<<<<<< ours\n")
    with pytest.raises(LedgerError, match=r"links\.jsonl:6"):
        observed.record(base.store, base.settings)
    assert base.store.link(good[0].key) is None


def test_a_ledger_that_is_as_it_was_left_is_not_read_again(
    base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    base.vouch(URLS[0])
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "each", lambda *_: pytest.fail("it was read"))
        base.vouch(URLS[2])
    newer = Entry(Key("https://pulled.example/"), person=Person(ignored=True), unknown={"later": 1})
    with base.settings.ledger.open("a") as file:
        file.write(ledger.render([newer]))
    for url in (URLS[3], URLS[5]):  # while a newer kb's fields are in it, it is read each time
        base.vouch(url)
        assert '"later":1' in base.settings.ledger.read_text()
    assert len(ledger.read(base.settings.ledger)) == 5


def test_a_changed_line_leaves_those_before_and_after_it(tmp_path: Path) -> None:
    path = tmp_path / "links.jsonl"
    texts = [f'{{"v":1,"key":"k{number}"}}' for number in range(9)]
    assert ledger.write_lines(path, texts)
    assert not ledger.write_lines(path, texts)
    changed = [*texts[:4], "a longer line than that", *texts[5:]]
    assert ledger.write_lines(path, changed)
    assert path.read_text().splitlines() == changed
    assert ledger.write_lines(path, changed[:3])
    assert path.read_text().splitlines() == changed[:3]
    assert list(tmp_path.iterdir()) == [path]


def test_the_ledger_is_held_against_the_store_line_by_line(base: KnowledgeBase, small_parts: None) -> None:
    for url in URLS[:4]:
        base.vouch(url)
    file = base.settings.ledger
    whole = file.read_text().splitlines(keepends=True)

    def difference(*texts: str) -> tuple[int, int]:
        file.write_text("".join(texts))
        found = observed.difference(base.store, base.settings)
        return found.doubled, found.behind

    assert difference(*whole) == (0, 0)
    assert difference(*whole[1:]) == (0, 1)
    older = ledger.render(
        [
            Entry(
                ledger.parse(whole[0]).popitem()[0],
                looks=Looks(first_seen="2026-01-01T00:00:00Z", last_checked="2026-01-01T00:00:00Z"),
            )
        ]
    )
    assert difference(older, *whole) == (1, 0), "as git's union leaves it"
    assert difference(older, *whole[1:]) == (0, 1)
    assert difference(*whole, *whole) == (4, 0)
    stranger = ledger.render([Entry(Key("https://pulled.example/"), person=Person(ignored=True))])
    assert difference(*whole, stranger) == (0, 0)
