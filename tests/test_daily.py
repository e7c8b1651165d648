"""kb log, kb stats and kb doctor: what changed, how much there is, what is wrong and what to type."""

from __future__ import annotations

import os
import sqlite3
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kb import doctor
from kb.knowledge import KnowledgeBase
from kb.lately import Change, lately
from kb.model import (
    Facts,
    Key,
    LinkKind,
    LinkRecord,
    Looks,
    Mention,
    NoteKind,
    Span,
    Standing,
    Transition,
    When,
)
from kb.stats import Age, stats
from kb.store import integrity
from kb.store.notes import NoteRow
from kb.testing import FixedClock
from tests.commands import Run, runner
from tests.notebook import write_notebook


@pytest.fixture
def run(notebook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(capsys, monkeypatch, notebook)


def link(
    standing: Standing = Standing.UNCHECKED,
    noted: str = "2023-09",
    *turns: tuple[str, Standing],
    seen: str | None = None,
) -> LinkRecord:
    when = When.parse(noted)
    place = Mention("a.md", 3, "https://a.example/", "anchor", None, when, Span(0, 1))
    looks = Looks(standing=standing, first_seen=seen, transitions=tuple(Transition(*turn) for turn in turns))
    return LinkRecord(Key("https://a.example/"), LinkKind.OTHER, "a.example", looks=looks, mentions=(place,))


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def set_zone(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


# -- log -------------------------------------------------------------------------------------------


def test_the_history_of_a_link_is_told_the_newest_first() -> None:
    record = link(
        Standing.DEAD, "2023",
        ("2026-01-01T00:00:00Z", Standing.ALIVE),
        ("2026-02-01T00:00:00Z", Standing.MOVED),
        ("2026-03-01T00:00:00Z", Standing.SUSPECT),
        ("2026-03-05T00:00:00Z", Standing.DEAD),
        ("2026-04-01T00:00:00Z", Standing.ALIVE),
        ("2026-05-01T00:00:00Z", Standing.UNKNOWN),
        ("2026-06-01T00:00:00Z", Standing.ALIVE),
        seen="2025-12-31T00:00:00Z",
    )  # fmt: skip
    told = [(event.at[:7], event.change) for event in lately([record], [], {}, "2025")]
    assert told == [
        ("2026-04", Change.REVIVED), ("2026-03", Change.DIED), ("2026-03", Change.FAILED),
        ("2026-02", Change.MOVED), ("2025-12", Change.ADDED),
    ]  # fmt: skip
    assert [event.change for event in lately([record], [], {}, "2026-03-02")] == [Change.REVIVED, Change.DIED]


def test_what_two_machines_saw_of_one_change_is_told_once() -> None:
    record = link(
        Standing.ALIVE, "2023",
        ("2026-03-01T00:00:00Z", Standing.SUSPECT), ("2026-03-02T00:00:00Z", Standing.SUSPECT),
        ("2026-03-05T00:00:00Z", Standing.DEAD), ("2026-03-06T00:00:00Z", Standing.SUSPECT),
        ("2026-03-07T00:00:00Z", Standing.DEAD),
        ("2026-04-01T00:00:00Z", Standing.ALIVE), ("2026-04-02T00:00:00Z", Standing.ALIVE),
    )  # fmt: skip
    told = [(event.at[:10], event.change) for event in lately([record], [], {}, "2025")]
    assert told == [
        ("2026-04-01", Change.REVIVED), ("2026-03-05", Change.DIED), ("2026-03-01", Change.FAILED),
    ]  # fmt: skip


def test_a_link_that_failed_and_was_walled_off_before_it_came_back_is_told_as_revived() -> None:
    record = link(
        Standing.ALIVE, "2023",
        ("2026-03-01T00:00:00Z", Standing.SUSPECT), ("2026-04-02T00:00:00Z", Standing.UNKNOWN),
        ("2026-05-01T00:00:00Z", Standing.ALIVE),
    )  # fmt: skip
    told = [event.change for event in lately([record], [], {}, "2025")]
    assert told == [Change.REVIVED, Change.FAILED]


def test_a_note_is_written_on_its_own_day_and_changed_when_its_file_was(
    zone: Callable[[str], None],
) -> None:
    zone("UTC")

    def note(path: str, noted: str | None) -> NoteRow:
        when = When.parse(noted) if noted else None
        return NoteRow(path, path, NoteKind.NOTE, when, (), (), None, False, False, "", 0, 0)

    notes = [note("a.md", "2026-11-20"), note("b.md", "2026-11-20"), note("c.md", None), note("d.md", "2023")]
    files = {"a.md": "2026-11-20T10:00:00Z", "b.md": "2026-11-22T10:00:00Z", "c.md": "2026-11-21T10:00:00Z"}
    assert [(event.at[:10], event.change, event.path) for event in lately([], notes, files, "2026")] == [
        ("2026-11-22", Change.CHANGED, "b.md"),
        ("2026-11-21", Change.CHANGED, "c.md"),
        ("2026-11-20", Change.WRITTEN, "b.md"),
        ("2026-11-20", Change.WRITTEN, "a.md"),
    ]


def test_the_log_reckons_in_the_persons_days(zone: Callable[[str], None]) -> None:
    record = link(seen="2026-11-30T20:00:00Z")
    note = NoteRow("n.md", "n", NoteKind.NOTE, When.parse("2026-11-30"), (), (), None, False, False, "", 0, 0)
    changed = {"n.md": "2026-12-01T04:00:00Z"}
    zone("EAST-14")  # a POSIX zone of any name: fourteen hours ahead of UTC
    assert [event.day for event in lately([record], [], {}, "2026-12-01")] == ["2026-12-01"]
    zone("WEST8")  # and eight behind it
    assert lately([record], [], {}, "2026-12-01") == []
    assert [event.change for event in lately([], [note], changed, "2026-11-30")] == [Change.WRITTEN]


def test_the_log_of_a_new_notebook_lists_what_was_added(run: Run) -> None:
    found = run("log", "--since", "2023", "--json").json
    assert {one["change"] for one in found} == {"added", "changed", "written"}
    assert list(found[0]) == ["at", "change", "url", "title", "path", "line"]
    assert all(one["url"] is None or one["url"].startswith("https://") for one in found)
    ran = run("log", "--since", "2023")
    assert "https://arxiv.org/abs/2305.14314  notes/papers/qlora.md:10" in ran.out
    assert len(run("log", "-n", "3").out.splitlines()) == 3
    assert run("log", "--since", "2031", "--json").json == []
    ran = run("log", "--since", "2031")
    assert (ran.status, ran.out) == (0, "")
    assert "--since" in ran.err
    assert run("log", "--since", "lately").status == 2


# -- stats -----------------------------------------------------------------------------------------


def test_the_rot_curve_tells_the_share_of_judged_links_that_is_dead_by_age() -> None:
    records = [
        link(Standing.ALIVE, "2026-10-01"), link(Standing.DEAD, "2026-01"),
        link(Standing.UNCHECKED, "2026-01"), link(Standing.UNKNOWN, "2026-01"),
        link(Standing.DEAD, "2025"), link(Standing.MOVED, "2022-06-01"),
        link(Standing.DEAD, "2010"),
    ]  # fmt: skip
    told = stats(records, [], passages=0, pending=0, terms=0, saved=0, today="2026-11-24")
    assert told.rot == (
        Age(0, 1, 2, 1),
        Age(1, 2, 1, 1),
        Age(3, 5, 1, 0),
        Age(12, None, 1, 1),
    )


def test_the_figures_of_a_notebook_add_up(run: Run) -> None:
    ran = run("stats", "--json")
    assert ran.status == 0
    value = ran.json
    assert value["notes"] == sum(value["note_kinds"].values()) == 4
    assert value["links"] == sum(value["kinds"].values()) == sum(value["standings"].values()) == 11
    assert value["months"] == {"2023-03": 2, "2023-09": 7}  # the glossary's two have no date
    assert value["top_hosts"]["news.ycombinator.com"] == 3
    assert (value["terms"], value["rot"]) == (2, [])
    out = run("stats").out
    assert "news.ycombinator.com" in out
    assert "unchecked" in out
    assert all(len(line) <= 100 for line in out.splitlines())


def test_the_plots_need_no_more_than_the_terminal_has(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert all(len(line) <= 72 for line in run("stats").out.splitlines())


def test_an_empty_notebook_has_figures_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runner(capsys, monkeypatch, write_notebook(tmp_path / "empty", {}))
    assert run("stats").status == 0
    assert run("stats", "--json").json["links"] == 0
    assert run("log").status == 0


# -- doctor ----------------------------------------------------------------------------------------


def found(root: Path, check: str | None = None) -> list[doctor.Finding]:
    with KnowledgeBase.open(root) as base:
        return [one for one in base.doctor() if check in (None, one.check)]


def test_a_sound_notebook_has_nothing_to_mend(run: Run, notebook: Path) -> None:
    (notebook / "mkdocs.yml").write_text("docs_dir: notes\nplugins:\n  - kb\n")
    run("sync")
    ran = run("doctor")
    assert ran.status == 0
    assert "kb check-links" in ran.out  # none was looked at yet
    assert {one["severity"] for one in run("doctor", "--json").json} == {"warning"}


def test_a_damaged_index_of_words_is_found(notebook: Path, run: Run) -> None:
    run("sync")
    with sqlite3.connect(notebook / ".kb" / "kb.sqlite3") as store:
        store.execute("UPDATE passages SET text = 'other words'")
    [one] = found(notebook, "store")
    assert "index of words" in one.message
    assert "kb sync" in one.hint
    assert run("doctor").status == 1


def test_a_store_on_a_read_only_disk_is_not_called_damaged(notebook: Path, run: Run) -> None:
    run("sync")
    with KnowledgeBase.open(notebook) as base:
        base.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        address = f"{(notebook / '.kb' / 'kb.sqlite3').as_uri()}?immutable=1"  # as such a store is opened
        base.store.connection = sqlite3.connect(address, uri=True, isolation_level=None)
        assert integrity.damage(base.store) == []


def test_a_store_that_is_none_is_a_finding_and_the_rest_is_still_looked_at(notebook: Path, run: Run) -> None:
    run("sync")
    (notebook / ".kb" / "kb.sqlite3").write_bytes(b"no store" * 1000)
    for suffix in ("-wal", "-shm"):
        (notebook / ".kb" / f"kb.sqlite3{suffix}").unlink(missing_ok=True)
    (notebook / "mkdocs.yml").write_text("site_name: mine\n")
    ran = run("doctor", "--json")
    assert ran.status == 1
    assert {one["check"] for one in ran.json if one["severity"] == "error"} == {"store", "site"}


def test_pages_that_collide_are_found() -> None:
    paths = ["a.md", "A.md", "foo.md", "foo/index.md", "x/README.md", "x/index.md", "y.MD", "z.md"]
    paths += ["caf\u00e9.md", unicodedata.normalize("NFD", "caf\u00e9.md")]
    told = {one.path: one.message for one in doctor.names(paths)}
    assert "A.md differ only in case" in told["a.md"]
    assert "Unicode form" in told["caf\u00e9.md"]
    assert "the same address on the site as foo/index.md, and is given another" in told["foo.md"]
    assert "x/README.md" in told["x/index.md"]
    assert not {"y.MD", "z.md"} & told.keys()


def test_each_finding_says_where_and_what_to_type(notebook: Path, run: Run) -> None:
    notes = notebook / "notes"
    (notes / "broken.md").write_text("---\ntitle: [unclosed\n---\n* x\n")
    (notes / "flat.md").write_text("* one\n  * two\n")
    (notes / "twin.md").write_text("---\ntitle: Qlora\n---\n* x\n")
    (notes / ".kb-0123.tmp").write_text("left")
    (notebook / "saved").mkdir()
    (notebook / "saved" / "page.txt.gz").write_bytes(b"not gzip")
    (notebook / ".git").mkdir()
    (notebook / "mkdocs.yml").write_text("plugins: [search]\n")
    ran = run("doctor", "--json")
    assert ran.status == 1
    by_place = {one["path"] or one["file"]: one for one in ran.json}
    assert by_place["broken.md"]["severity"] == "error"
    assert by_place["broken.md"]["line"] >= 2
    assert "four" in by_place["flat.md"]["hint"]
    assert "as twin.md" in by_place["papers/qlora.md"]["message"]
    assert "kb enrich" in by_place["saved/page.txt.gz"]["hint"]
    assert "- kb" in by_place["mkdocs.yml"]["hint"]
    assert "links.jsonl merge=union" in by_place[".gitattributes"]["hint"]
    assert all(one["hint"] for one in ran.json)
    assert "rm " in by_place[".kb-0123.tmp"]["hint"]


def test_the_ledger_is_held_against_the_store_and_against_what_is_private(notebook: Path, run: Run) -> None:
    run("links", "--alive", "https://arxiv.org/abs/2305.14314")
    assert found(notebook, "ledger") == []
    ledger = notebook / "links.jsonl"
    line = ledger.read_text()
    ledger.write_text(line + line)
    assert "1 lines more than links" in found(notebook, "ledger")[0].message
    (notebook / "notes" / "papers" / "qlora.md").unlink()
    (notebook / "notes" / "private").mkdir()
    (notebook / "notes" / "private" / "p.md").write_text("* https://arxiv.org/abs/2305.14314\n")
    [leak] = [one for one in found(notebook, "ledger") if one.severity == "error"]
    assert "private" in leak.message
    ledger.write_text("<<<<<<< ours\n")
    assert any("merge conflict" in one.message for one in found(notebook))


def test_what_a_killed_run_did_not_write_into_the_ledger_is_found(notebook: Path, run: Run) -> None:
    run("sync")
    with KnowledgeBase.open(notebook) as base:
        record = base.links()[0]
        base.store.save_facts(record.key, Facts(title="Known", fetched="2026-11-24T12:00:00Z"))
    assert "1 link" in found(notebook, "ledger")[0].message


def test_vectors_are_counted_against_their_file(notebook: Path, run: Run) -> None:
    run("sync")
    [file] = (notebook / ".kb").glob("vectors-*.f32")
    (notebook / "notes" / "papers" / "qlora.md").write_text("* other words\n")
    run("sync", "--no-embed")
    told = [one.message for one in found(notebook, "vectors")]
    assert any("not embedded" in one for one in told)
    assert any("texts that are gone" in one for one in told)
    (notebook / ".kb" / "vectors-old.f32").write_bytes(b"x")
    assert any(one.file == ".kb/vectors-old.f32" for one in found(notebook, "vectors"))
    os.truncate(file, 256 + 384 * 4 * 3)
    assert any(one.severity == "error" and "lost" in one.message for one in found(notebook, "vectors"))
    run("sync")
    assert not [one for one in found(notebook, "vectors") if one.severity == "error"]


def test_a_model_that_is_missing_is_found(notebook: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("sync")
    monkeypatch.setenv("KB_SEARCH_MODEL_PATH", str(notebook / "nowhere"))
    assert any("no such folder" in one.message for one in found(notebook, "model"))


def test_the_doctor_changes_nothing(notebook: Path, run: Run) -> None:
    run("sync")
    before = {p: p.read_bytes() for p in notebook.rglob("*") if p.is_file() and ".kb/" not in str(p)}
    run("doctor")
    assert {p: p.read_bytes() for p in notebook.rglob("*") if p.is_file() and ".kb/" not in str(p)} == before


def test_unfetched_titles_are_counted_without_dead_and_ignored_links() -> None:
    untitled = [link(), link(Standing.DEAD), link(Standing.IGNORED)]
    [titles, unchecked] = doctor.links(untitled)
    assert titles.message.startswith("1 link ")
    assert unchecked.message.startswith("1 link ")


def test_the_clock_of_the_log_is_the_notebooks(notebook: Path) -> None:
    with KnowledgeBase.open(notebook) as base:
        base.clock = FixedClock("2020-01-01T00:00:00Z")
        assert {event.path for event in base.log()}
