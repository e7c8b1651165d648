"""What a person types who does not know kb yet is answered with what to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb.cli import COMMANDS
from kb.cli.group import MEANT
from tests.commands import Run, runner


@pytest.fixture
def run(notebook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(notebook / "xdg"))
    return runner(capsys, monkeypatch, notebook)


def test_help_is_a_command_too(run: Run) -> None:
    assert run("help") == run("--help")
    assert run("help", "search") == run("search", "--help")
    assert "Did you mean 'kb search'?" in run("help", "serch").err


def test_the_version_has_a_short_option(run: Run) -> None:
    assert run("-V") == run("--version")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("find", "kb search"),
        ("add", "kb add-link"),
        ("serve", "mkdocs serve"),
        ("Links", "kb links"),
        ("check", "kb check-links"),
    ],
)
def test_the_word_of_another_tool_is_answered_with_ours(typed: str, meant: str, run: Run) -> None:
    ran = run(typed, "x")
    assert ran.status == 2
    assert f"Did you mean '{meant}'?" in ran.err


def test_no_word_of_another_tool_hides_a_command_or_leads_to_none() -> None:
    assert not MEANT.keys() & COMMANDS.keys()
    for meant in MEANT.values():
        program, name = meant.split()[:2]
        assert program == "mkdocs" or name in COMMANDS or name.startswith("-")


def test_a_kind_may_be_typed_in_any_case(run: Run) -> None:
    assert run("links", "--kind", "PAPER", "--standing", "Unchecked") == run("links", "--kind", "paper")


def test_a_word_too_many_is_told_where_it_may_belong(run: Run) -> None:
    ran = run("links", "papers")
    assert ran.status == 2
    assert "--note, --host or --tag papers" in ran.err
    assert "kb search papers" in ran.err
    assert "'b' is a word too many for kb init" in run("init", "a", "b").err


def test_a_title_needs_no_quotation_marks(run: Run, notebook: Path) -> None:
    ran = run("new", "Llama", "at", "home", "--no-edit")
    assert "title: Llama at home" in (notebook / ran.out.strip()).read_text()


def test_a_dry_run_shows_the_note_and_writes_none(run: Run, notebook: Path) -> None:
    before = sorted(notebook.rglob("*.md"))
    ran = run("new", "Llama at home", "--kind", "paper", "--dry-run")
    assert sorted(notebook.rglob("*.md")) == before
    first, _, text = ran.out.partition("\n")
    path = notebook / first.removeprefix("would start ")
    assert run("new", "Llama at home", "--kind", "paper", "--no-edit").status == 0
    assert path.read_text().rstrip() == text.rstrip()
    again = run("new", "Llama at home", "--dry-run")
    assert again.status == 2
    assert "is there already" in again.err


def test_a_folder_is_near_to_nothing(run: Run) -> None:
    ran = run("related", "papers")
    assert (ran.status, ran.err) == (2, "kb: papers is a folder\n    name a note in it\n")


def test_a_file_is_no_notebook(run: Run, notebook: Path) -> None:
    ran = run("--root", "kb.toml", "links")
    assert ran.status == 2
    assert f"--root takes the notebook's folder: {notebook}" in ran.err


def test_a_backup_that_cannot_be_written_names_the_file_that_was_asked_for(run: Run) -> None:
    ran = run("backup", "/proc/b.tar.gz")
    assert ran.status == 2
    assert ran.err.startswith("kb: /proc/b.tar.gz: cannot be written")


def test_a_setting_that_does_not_stand_there_is_not_said_to_be_taken_out(run: Run, notebook: Path) -> None:
    assert "does not stand in" in run("config", "--unset", "links.timeout").err
    assert "does not stand in" in run("config", "--unset", "editor.command").err
    assert not (notebook / "xdg").exists()
    run("config", "links.timeout", "7")
    assert "taken out of" in run("config", "--unset", "links.timeout").err


def test_the_name_of_a_table_is_answered_with_its_keys(run: Run) -> None:
    err = run("config", "links").err
    assert "links.timeout" in err
    assert "site.trust_html" not in err


def test_the_next_step_can_be_typed_as_it_is_printed(run: Run, notebook: Path) -> None:
    run("backup", "b.tar.gz")
    folder = notebook / "a b $(c)"
    assert f"next: cd '{folder}' && kb sync" in run("restore", "b.tar.gz", str(folder)).out
    assert f"next: cd '{folder} 2' && kb search" in run("init", f"{folder} 2").out


def test_what_an_import_could_not_write_is_not_said_to_be_written(run: Run, notebook: Path) -> None:
    (notebook / "links.csv").write_text("url,title,date,tags\nhttps://a.example/1,One,2023-01-02,one\n"
                                        "https://a.example/2,Two,2023-01-02,two\n")  # fmt: skip
    (notebook / "notes" / "bookmarks").mkdir()
    (notebook / "notes" / "bookmarks" / "one.md").symlink_to(notebook / "nowhere" / "one.md")
    ran = run("import", "links.csv")
    assert ran.status == 1
    assert "wrote notes/bookmarks/two.md" in ran.out
    assert "wrote notes/bookmarks/one.md" not in ran.out


def test_a_notebook_among_the_notes_of_another_is_told(run: Run, notebook: Path) -> None:
    told = f"among the notes of {notebook}"
    assert told in run("init", "notes/inner").out
    assert told not in run("init", "beside").out
