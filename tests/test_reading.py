"""Files become the same rows, whoever reads them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb import reading
from kb.model import excerpt
from kb.notes.parse import parse
from kb.reading import Read, Wanted, read_all
from kb.store.rows import dates, join
from tests.notebook import NOTES, write_notebook


@pytest.fixture
def root(tmp_path: Path) -> Path:
    notes = {f"{number}/{path}": text for number in range(30) for path, text in NOTES.items()}
    return write_notebook(tmp_path / "notebook", notes) / "notes"


def wanted(root: Path) -> list[Wanted]:
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.md"))
    return [Wanted(path, (root / path).stat().st_size, 1, "") for path in paths]


def everything(root: Path, helpers: int) -> list[Read]:
    return list(read_all(root, wanted(root), day_first=False, helpers=helpers))


def test_helpers_make_the_rows_that_this_process_makes(root: Path) -> None:
    (root / "odd.md").write_bytes(b"caf\xe9 [x](http://x.y/\xff) \x00")
    assert everything(root, 2) == everything(root, 0)


def test_what_is_known_gone_or_unreadable_is_said_by_a_helper_too(root: Path) -> None:
    one = everything(root, 0)[0]
    asked = [
        Wanted(one.path, 1, 1, one.stamp.digest),
        Wanted("gone.md", 1, 1, ""),
        Wanted("../kb.toml", 1, 1, ""),
    ]
    for helpers in (0, 1):
        known, gone, outside = read_all(root, asked, day_first=False, helpers=helpers)
        assert (known.rows, known.gone, known.fault) == (None, False, "")
        assert gone.gone
        assert outside.gone


def test_when_helpers_die_the_work_is_done_here(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes] | None] = []

    def dying(root: Path, day_first: bool) -> subprocess.Popen[bytes] | None:
        helper = start(root, day_first)
        if helper is not None:
            helper.kill()
        started.append(helper)
        return helper

    start = reading._start
    monkeypatch.setattr(reading, "_start", dying)
    assert everything(root, 2) == everything(root, 0)
    assert len(started) == 2


Helpers = list["subprocess.Popen[bytes] | None"]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Helpers:
    """The helpers that are started from now on."""
    helpers: Helpers = []
    start = reading._start

    def noted(root: Path, day_first: bool) -> subprocess.Popen[bytes] | None:
        helpers.append(start(root, day_first))
        return helpers[-1]

    monkeypatch.setattr(reading, "_start", noted)
    return helpers


def test_helpers_that_die_among_their_jobs_lose_none(
    root: Path, started: Helpers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_JOB_FILES", 3)
    answers = read_all(root, wanted(root), day_first=False, helpers=2)
    found = [next(answers)]
    for helper in started:
        if helper is not None:
            helper.kill()
    assert [*found, *answers] == everything(root, 0)


def test_a_helper_reads_what_this_process_does_not(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = everything(root, 0)
    monkeypatch.setattr(reading, "read", None)
    assert everything(root, 2) == here


def test_the_digest_of_a_row_is_that_of_the_text_its_vectors_embed(root: Path) -> None:
    (root / "odd.md").write_text(
        "---\ntitle: 夜の散歩\n---\n# T\n\n## T\n\n* one\n    * two\n\n## \n\nthree 散歩\n"
    )
    for one in everything(root, 0):
        note = parse(one.path, (root / one.path).read_bytes())
        assert one.rows is not None
        assert [row[-1].hex() for row in one.rows.passages] == [
            excerpt(note.title, each.heading, each.parents, each.text).digest for each in note.passages
        ]
        assert [(row[7], row[10], row[13]) for row in one.rows.passages] == [
            (join(each.heading), dates(each.noted).text, dates(each.date).text) for each in note.passages
        ]


def test_nobody_is_left_when_the_reader_of_answers_stops(root: Path, started: Helpers) -> None:
    answers: Iterator[Read] = read_all(root, wanted(root), day_first=False, helpers=2)
    next(answers)
    answers.close()  # type: ignore[attr-defined]  # a generator, as every caller may know
    assert all(helper is not None and helper.poll() is not None for helper in started)


def test_a_module_lying_in_the_current_folder_is_not_run(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / "yaml.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')")
    monkeypatch.chdir(trap)
    monkeypatch.setattr("sys.path", [entry for entry in __import__("sys").path if entry])
    assert everything(root, 1) == everything(root, 0)
    assert not (tmp_path / "sprung").exists()


def test_a_wikilink_leads_to_a_note_whatever_its_name_looks_like() -> None:
    note = parse("n.md", b"[[Note#Part|x]] [[mailto:x]] [[http://x.y/]] [a](b.md)")
    found = [reading.identify(link) for link in note.links]
    assert [(str(one.key), str(one.kind)) for one in found] == [
        ("Note#Part", "internal"),
        ("mailto:x", "internal"),
        ("http://x.y/", "other"),
        ("b.md", "internal"),
    ]
