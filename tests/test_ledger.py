from __future__ import annotations

import itertools
import json
import os
import stat
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.errors import LedgerError
from kb.model import Facts, Key, Looks, Person, Standing, Transition, Verdict
from kb.store import ledger
from kb.store.ledger import Entry, Stray, merge, parse, render

INSTANTS = st.sampled_from([f"2026-0{month}-01T00:00:00Z" for month in range(1, 6)])
SOME = st.none() | INSTANTS
TEXT = st.text(max_size=6)
FACTS = st.builds(
    Facts,
    title=st.none() | TEXT,
    authors=st.lists(TEXT, max_size=2).map(tuple),
    words=st.none() | st.integers(0, 10**6),
    fetched=SOME,
    extra=st.dictionaries(TEXT, st.integers() | TEXT | st.lists(st.booleans(), max_size=2), max_size=2),
)
LOOKS = st.builds(
    Looks,
    standing=st.sampled_from(Standing),
    verdict=st.none() | st.sampled_from(Verdict),
    status=st.none() | st.integers(100, 999),
    reason=TEXT,
    streak=st.integers(0, 3),
    first_seen=SOME,
    last_checked=SOME,
    last_alive=SOME,
    archived_url=st.none() | TEXT.filter(bool),
    transitions=st.lists(
        st.builds(Transition, INSTANTS, st.sampled_from(Standing)), max_size=3, unique=True
    ).map(lambda found: tuple(sorted(found, key=lambda one: (one.at, one.standing)))),
)
PERSON = st.builds(Person, ignored=st.booleans(), alive_at=SOME, said_at=SOME)
UNKNOWN = st.dictionaries(
    st.sampled_from(["later", "facts.citations", "looks.colour", "person.mood"]),
    st.integers(0, 3),
    max_size=2,
)


def entries(key: Key | None = None) -> st.SearchStrategy[Entry]:
    keys = st.just(key) if key else st.builds(Key, TEXT.filter(bool), TEXT)
    aliases = st.lists(TEXT, max_size=2, unique=True).map(lambda found: tuple(sorted(found)))
    return st.builds(Entry, keys, FACTS, LOOKS, PERSON, aliases, UNKNOWN)


ONE = entries(Key("arxiv:2305.14314"))


@given(st.lists(entries(), max_size=5, unique_by=lambda one: one.key))
def test_what_is_written_is_what_is_read(written: list[Entry]) -> None:
    text = render(written)
    assert parse(text) == {one.key: one for one in written if not one.silent or one.unknown}
    assert render(parse(text).values()) == text


@given(st.lists(entries(), max_size=4, unique_by=lambda one: one.key), st.randoms())
def test_the_order_of_entries_does_not_show_in_the_text(written: list[Entry], random: object) -> None:
    shuffled = list(written)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert render(shuffled) == render(written)


@given(ONE)
def test_merging_a_line_with_itself_changes_nothing(one: Entry) -> None:
    assert merge(one, one) == one


@given(ONE, ONE)
def test_merging_does_not_depend_on_which_side_is_which(one: Entry, other: Entry) -> None:
    assert merge(one, other) == merge(other, one)


@settings(max_examples=60)
@given(ONE, ONE, ONE)
def test_merging_three_does_not_depend_on_their_order(a: Entry, b: Entry, c: Entry) -> None:
    ends = {render([merge(merge(x, y), z)]) for x, y, z in itertools.permutations((a, b, c))}
    assert len(ends) == 1


def refusal(text: str) -> LedgerError | None:
    try:
        parse(text)
    except LedgerError as error:
        return error
    return None


@given(st.text())
def test_any_text_is_read_or_refused_with_its_line(text: str) -> None:
    error = refusal(text)
    if error is not None:
        assert str(error).startswith("links.jsonl:")
        assert error.hint


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(["v", "key", "fragment", "aliases", "facts", "looks", "person", "later"]),
    st.sampled_from(
        [None, "title", "authors", "extra", "standing", "verdict", "transitions", "status", "ignored"]
    ),
)
def test_any_json_in_any_place_is_read_or_refused(value: object, name: str, inner: str | None) -> None:
    line = json.dumps({"v": 1, "key": "k", name: {inner: value} if inner else value})
    error = refusal(line)
    if error is not None:
        assert "links.jsonl:1" in str(error)
    else:
        found = parse(line)
        said = {key: one for key, one in found.items() if not one.silent or one.unknown}
        assert parse(render(found.values())) == said


def test_a_line_is_compact_with_its_key_first_and_says_only_what_is_known() -> None:
    entry = Entry(
        Key("https://a.example/é", "s"),
        Facts(title="Ä", fetched="2026-01-01T00:00:00Z"),
        Looks(standing=Standing.ALIVE, transitions=(Transition("2026-01-01T00:00:00Z", Standing.ALIVE),)),
    )
    assert render([entry]) == (
        '{"v":1,"key":"https://a.example/é","fragment":"s",'
        '"facts":{"fetched":"2026-01-01T00:00:00Z","title":"Ä"},'
        '"looks":{"standing":"alive","transitions":[["2026-01-01T00:00:00Z","alive"]]}}\n'
    )


def test_lines_are_sorted_by_key_and_then_fragment() -> None:
    person = Person(ignored=True)
    keys = [Key("b"), Key("a", "z"), Key("a"), Key("a", "b")]
    assert list(parse(render(Entry(key, person=person) for key in keys))) == sorted(
        keys, key=lambda one: (one.key, one.fragment)
    )


def test_a_link_of_which_only_the_first_sight_is_known_gets_no_line() -> None:
    assert render([Entry(Key("k"), looks=Looks(first_seen="2026-01-01T00:00:00Z"))]) == ""


def test_the_newest_of_each_group_wins_by_itself() -> None:
    one = Entry(
        Key("k"),
        Facts(title="old", fetched="2026-01-01T00:00:00Z"),
        Looks(
            standing=Standing.DEAD,
            first_seen="2025-06-01T00:00:00Z",
            last_checked="2026-03-01T00:00:00Z",
            last_alive="2025-12-01T00:00:00Z",
            transitions=(Transition("2026-03-01T00:00:00Z", Standing.DEAD),),
        ),
        Person(ignored=True, said_at="2026-01-01T00:00:00Z"),
        ("a",),
    )
    other = Entry(
        Key("k"),
        Facts(title="new", fetched="2026-02-01T00:00:00Z"),
        Looks(
            standing=Standing.ALIVE,
            first_seen="2025-01-01T00:00:00Z",
            last_checked="2026-02-01T00:00:00Z",
            last_alive="2026-02-01T00:00:00Z",
            transitions=(Transition("2026-01-01T00:00:00Z", Standing.ALIVE),),
        ),
        Person(ignored=False, said_at="2026-02-01T00:00:00Z"),
        ("b",),
    )
    both = merge(one, other)
    assert both.facts.title == "new"
    assert both.looks.standing is Standing.DEAD
    assert (both.looks.first_seen, both.looks.last_alive) == ("2025-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
    assert [one.standing for one in both.looks.transitions] == [Standing.ALIVE, Standing.DEAD]
    assert not both.person.ignored
    assert both.aliases == ("a", "b")
    assert parse(render([one]) + render([other])) == {Key("k"): both}


def test_the_persons_it_lives_is_newer_than_the_look_it_followed() -> None:
    dead = Looks(standing=Standing.DEAD, last_checked="2026-01-01T00:00:00Z")
    revived = Looks(
        standing=Standing.ALIVE,
        last_checked="2026-01-01T00:00:00Z",
        transitions=(Transition("2026-01-02T00:00:00Z", Standing.ALIVE),),
    )
    assert merge(Entry(Key("k"), looks=dead), Entry(Key("k"), looks=revived)).looks.standing is Standing.ALIVE


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", "=======", ">>>>>>> theirs", "||||||| base"])
def test_marks_of_a_merge_are_refused_with_the_line_and_the_way_out(mark: str) -> None:
    good = '{"v":1,"key":"k","person":{"ignored":true}}'
    with pytest.raises(LedgerError, match=r"^links\.jsonl:2: marks of a merge conflict") as caught:
        parse(f"{good}\n{mark}\n{good}\n")
    assert "keep all others" in caught.value.hint


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("not json", "not a line"),
        ("[]", "not an object"),
        ('{"v":1}', "key"),
        ('{"key":"k"}', "v, key"),
        ('{"v":1,"key":"k","facts":[]}', "facts is"),
        ('{"v":1,"key":"k","facts":{"title":5}}', "facts.title is 5"),
        ('{"v":1,"key":"k","looks":{"standing":"happy"}}', "looks.standing is 'happy'"),
        ('{"v":1,"key":"k","looks":{"status":true}}', "looks.status"),
        ('{"v":1,"key":"k","looks":{"streak":1e400}}', "beyond all numbers"),
        ('{"v":1,"key":"k","looks":{"status":99999999999999999999}}', "looks.status"),
        ('{"v":1,"key":"k","facts":{"extra":{"x":NaN}}}', "NaN"),
        ("[" * 100_000, "not a line"),
        ('{"v":1,"key":"k","looks":{"due":"tomorrow"}}', "looks.due is 'tomorrow', which is no instant"),
        ('{"v":1,"key":"k","facts":{"fetched":"2026"}}', "facts.fetched is '2026'"),
        ('{"v":1,"key":"k","person":{"said_at":"2026-13-01T00:00:00Z"}}', "person.said_at"),
        ('{"v":1,"key":"k","looks":{"transitions":[["2026-02-30T00:00:00Z","dead"]]}}', "looks.transitions"),
        ('{"v":1,"key":"k","looks":{"due":"9999-12-31T23:59:59-23:00"}}', "looks.due"),
    ],
)
def test_a_malformed_line_is_named(line: str, says: str) -> None:
    with pytest.raises(LedgerError) as caught:
        parse(f"\n{line}\n")
    assert "links.jsonl:2" in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-24T12:00:00Z", "2026-11-24T12:00:00Z"),
        ("2026-11-24", "2026-11-24T00:00:00Z"),
        ("2026-11-24T12:00:00+02:00", "2026-11-24T10:00:00Z"),
        ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"),
        ("2026-11-24T12:00:00.5", "2026-11-24T12:00:00Z"),
    ],
)
def test_instants_are_brought_to_the_one_spelling_that_is_compared(written: str, read: str) -> None:
    values = {"looks": {"due": written, "transitions": [[written, "dead"]]}, "facts": {"fetched": written}}
    (one,) = parse(json.dumps({"v": 1, "key": "k", **values})).values()
    assert (one.looks.due, one.looks.transitions[0].at, one.facts.fetched) == (read, read, read)


@given(st.text(max_size=30) | st.datetimes().map(str), st.sampled_from(["due", "last_checked", "first_seen"]))
def test_no_date_however_odd_gets_past_the_ledger(text: str, name: str) -> None:
    line = json.dumps({"v": 1, "key": "k", "looks": {name: text}})
    if refusal(line) is None:
        (one,) = parse(line).values()
        datetime.strptime(getattr(one.looks, name), "%Y-%m-%dT%H:%M:%SZ")  # its form is the matter


def test_a_line_that_cannot_be_read_costs_itself_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "links.jsonl"
    good = b'{"v":1,"key":"k","person":{"ignored":true}}\n'
    bad = [b'{"v":1,"key":"b","looks":{"due":"soon"}}', b"caf\xe9", b"not json"]
    path.write_bytes(bad[0] + b"\n" + good + bad[1] + b"\r\n" + bad[2] + b"\n" + bad[2] + b"\n")
    strays: list[Stray] = []
    found = ledger.read(path, strays)
    assert found.keys() == {Key("k")}
    assert [one.line for one in strays] == [1, 3, 4, 5]
    assert "looks.due is 'soon'" in strays[0].why
    assert all(one.hint for one in strays)
    assert ledger.write(path, found.values(), strays)
    assert path.read_bytes() == good + b"".join(line + b"\n" for line in bad)
    again: list[Stray] = []
    assert ledger.read(path, again) == found
    assert not ledger.write(path, found.values(), again)


def test_marks_of_a_merge_and_newer_lines_are_refused_whoever_takes_strays() -> None:
    for line in ("<<<<<<< HEAD", '{"v":2,"key":"k"}'):
        with pytest.raises(LedgerError):
            parse(line, strays=[])


def test_a_line_of_a_newer_format_asks_for_a_newer_kb() -> None:
    with pytest.raises(LedgerError, match="newer kb"):
        parse('{"v":2,"key":"k"}')


def test_windows_line_ends_a_bom_and_a_missing_last_newline_are_read() -> None:
    line = '{"v":1,"key":"k","person":{"ignored":true}}'
    assert parse(f"\ufeff{line}\r\n\r\n{line}") == parse(line)


def test_a_separator_of_unicode_inside_a_text_is_no_line_end() -> None:
    entry = Entry(Key("k"), Facts(title="a\u2028b\x85c"))
    assert parse(render([entry])) == {Key("k"): entry}


def test_half_a_surrogate_pair_is_replaced() -> None:
    (entry,) = parse('{"v":1,"key":"k","facts":{"title":"a\\ud800"}}').values()
    assert entry.facts.title == "a?"


def test_fields_of_a_later_kb_are_carried_along() -> None:
    line = '{"v":1,"key":"k","facts":{"citations":9,"title":"x"},"sources":[1]}\n'
    assert render(parse(line).values()) == line


# -- files -------------------------------------------------------------------------------------

ENTRY = Entry(Key("k"), person=Person(ignored=True))


def test_a_ledger_is_written_only_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "links.jsonl"
    assert not ledger.write(path, [])
    assert not path.exists()
    assert ledger.write(path, [ENTRY])
    before = path.stat()
    assert not ledger.write(path, [ENTRY])
    assert path.stat().st_ino == before.st_ino
    assert ledger.read(path) == {Key("k"): ENTRY}
    assert ledger.write(path, [])
    assert path.read_bytes() == b""


def test_writing_keeps_the_mode_follows_a_link_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "ledger"
    target.write_text("")
    target.chmod(0o640)
    path = tmp_path / "links.jsonl"
    path.symlink_to(target)
    assert ledger.write(path, [ENTRY])
    assert path.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert [file.name for file in target.parent.iterdir()] == ["ledger"]


def test_a_new_ledger_is_readable_as_the_umask_says(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        ledger.write(tmp_path / "links.jsonl", [ENTRY])
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "links.jsonl").stat().st_mode) == 0o640


def test_a_failed_write_leaves_the_old_ledger_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "links.jsonl"
    ledger.write(path, [ENTRY])
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LedgerError, match="No space left"):
        ledger.write(path, [Entry(Key("other"), person=Person(ignored=True))])
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["links.jsonl"]


def test_a_ledger_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "links.jsonl"
    path.write_bytes(b"\n\n\xff\n")
    with pytest.raises(LedgerError, match=r"links\.jsonl:3: .*not UTF-8"):
        ledger.read(path)


def test_no_file_is_an_empty_ledger(tmp_path: Path) -> None:
    assert ledger.read(tmp_path / "links.jsonl") == {}


def test_a_number_beyond_all_numbers_is_refused_before_it_can_spoil_the_file() -> None:
    with pytest.raises(LedgerError, match=r"links\.jsonl:1: .*beyond all numbers"):
        parse('{"v":1,"key":"k","later":1e999}\n')
