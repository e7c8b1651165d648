"""kb init makes a notebook of an empty folder, and adopts a folder of Markdown without touching it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from kb.around import lacking
from kb.errors import UsageError
from kb.init import apply_init, plan_init
from kb.model import NoteKind
from kb.notes.files import read
from kb.notes.parse import parse
from kb.notes.walk import walk
from tests.commands import runner

TODAY = "2026-11-24"


def make(root: Path) -> Path:
    apply_init(plan_init(root, TODAY))
    return root


def test_an_empty_folder_gets_one_example_of_each_kind(tmp_path: Path) -> None:
    root = make(tmp_path / "new")
    notes = [parse(found.path, read(root / "notes", found.path)) for found in walk(root / "notes").found]
    assert {note.kind for note in notes} == set(NoteKind)
    assert all(note.noted and str(note.noted) == TODAY for note in notes)
    assert not [problem for note in notes for problem in note.problems]
    assert [term.term for note in notes for term in note.terms] == ["RAG", "LLM"]


def test_derived_files_are_ignored_and_the_ledger_is_merged(tmp_path: Path) -> None:
    root = make(tmp_path / "new")
    assert (root / ".gitignore").read_text().split() == [
        ".kb/",
        "site/",
        "links.private.jsonl",
        "saved.private/",
    ]
    assert (root / ".gitattributes").read_text() == "links.jsonl merge=union\n"


@pytest.mark.parametrize("name", ['say "hi"', "naïve 😀", "back\\slash", "my-notes_2023"])
def test_the_folders_name_becomes_the_title_whatever_it_holds(name: str, tmp_path: Path) -> None:
    root = make(tmp_path / name)
    title = tomllib.loads((root / "kb.toml").read_text())["notebook"]["title"]
    assert title
    assert title.lower().replace(" ", "") == name.lower().replace("-", "").replace("_", "").replace(" ", "")


def test_a_folder_of_markdown_is_adopted_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.md").write_bytes(b"* one\r\n")
    (tmp_path / ".gitignore").write_bytes(b"*.log")
    plan = plan_init(tmp_path, TODAY)
    assert plan.adopted == 1
    apply_init(plan)
    assert tomllib.loads((tmp_path / "kb.toml").read_text())["notebook"]["notes"] == "."
    assert [found.path for found in walk(tmp_path).found] == ["deep/a.md"]
    assert (tmp_path / "deep" / "a.md").read_bytes() == b"* one\r\n"
    assert (tmp_path / ".gitignore").read_bytes().startswith(b"*.log\n.kb/\n")


def test_a_folder_whose_markdown_lies_under_notes_keeps_that_layout(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text("* one\n")
    make(tmp_path)
    assert tomllib.loads((tmp_path / "kb.toml").read_text())["notebook"]["notes"] == "notes"


def test_lines_are_added_to_git_files_that_only_speak_of_them(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("# never commit site/ or .kb/ or links.private.jsonl by hand\n")
    (tmp_path / ".gitattributes").write_text("*.png binary")
    make(tmp_path)
    added = (tmp_path / ".gitignore").read_text().splitlines()[1:]
    assert added == [".kb/", "site/", "links.private.jsonl", "saved.private/"]
    assert (tmp_path / ".gitattributes").read_text() == "*.png binary\nlinks.jsonl merge=union\n"


def test_a_folder_called_site_that_is_the_persons_is_not_built_over(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "dig.md").write_text("* a trench\n")
    (tmp_path / "work.md").write_text("* w\n")
    make(tmp_path)
    assert "site_dir: .site\n" in (tmp_path / "mkdocs.yml").read_text()
    assert "site/" not in (tmp_path / ".gitignore").read_text().split()


def test_files_that_stand_already_are_kept(tmp_path: Path) -> None:
    (tmp_path / "mkdocs.yml").write_text("mine\n")
    plan = plan_init(tmp_path, TODAY)
    assert plan.kept == ("mkdocs.yml",)
    apply_init(plan)
    assert (tmp_path / "mkdocs.yml").read_text() == "mine\n"


@pytest.mark.parametrize(
    "text",
    [
        "plugins:\n  - search\n  - kb\n", "plugins:\n- kb:\n    x: 1\n", "plugins: [search, kb]\nnav: []\n",
        "plugins:\n  search: {}\n  kb: {}\n", 'plugins:\n  # ours\n  - "kb"  # here\n',
        "site_name: x\nplugins:\n\n  - search\n\n  - 'kb'\ntheme: y\n",
    ],
)  # fmt: skip
def test_a_mkdocs_yml_that_names_the_plugin_lacks_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "mkdocs.yml").write_text("docs_dir: notes\n" + text)
    assert lacking(tmp_path / "mkdocs.yml", "notes") == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("site_name: x\n", "plugins:\n  - search\n  - kb"),
        ("plugins:\n  - search\n  # - kb\n", "under plugins:"),
        ("plugins:\n  - kbd\n  - not-kb\nextra:\n  - kb\n", "under plugins:"),
        ("plugins: [search]\nnav:\n  - kb: x.md\n", "under plugins:"),
        ("", "plugins:\n  - search\n  - kb"),
    ],
)
def test_beside_a_mkdocs_yml_of_the_persons_own_the_lines_to_add_are_told(
    text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mkdocs.yml").write_text(text)
    (tmp_path / "a.md").write_text("* one\n")
    ran = runner(capsys, monkeypatch, tmp_path)("init")
    assert ran.status == 0
    assert "kept mkdocs.yml" in ran.out
    for line in told.splitlines():
        assert line in ran.out
    assert "docs_dir: site-pages" in ran.out
    assert (tmp_path / "mkdocs.yml").read_text() == text


def test_the_next_step_needs_no_change_of_folder_where_one_stands_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runner(capsys, monkeypatch, tmp_path)
    assert f"next: cd {tmp_path / 'new'} && kb search" in run("init", "new").out
    (tmp_path / "here").mkdir()
    assert "next: kb search" in runner(capsys, monkeypatch, tmp_path / "here")("init").out


def test_a_notebook_is_not_made_twice(tmp_path: Path) -> None:
    make(tmp_path)
    with pytest.raises(UsageError, match="already"):
        plan_init(tmp_path, TODAY)
