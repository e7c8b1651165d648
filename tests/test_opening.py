"""kb open brings a hit of the last search into the editor at its line, or its link into the browser."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from kb.errors import UsageError
from kb.opening import browse, command, editor
from kb.recall import recall
from tests.commands import Run, runner


@pytest.fixture
def run(notebook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(capsys, monkeypatch, notebook)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("vim", ["vim", "+12", "/n/a b.md"]),
        ("/usr/bin/nvim -R", ["/usr/bin/nvim", "-R", "+12", "/n/a b.md"]),
        ("code --wait", ["code", "--wait", "-g", "/n/a b.md:12"]),
        ("subl", ["subl", "/n/a b.md:12"]),
        ("some-editor", ["some-editor", "/n/a b.md"]),
        ("e --at {line} '{path}'", ["e", "--at", "12", "/n/a b.md"]),
    ],
)
def test_each_editor_is_told_the_line_as_it_takes_it(template: str, words: list[str]) -> None:
    assert command(template, "/n/a b.md", 12) == words


def test_the_persons_config_names_the_editor_before_the_environment() -> None:
    environ = {"EDITOR": "ed", "VISUAL": "vis", "KB_EDITOR": "kbed"}
    assert editor("code", environ) == "code"
    assert editor("", environ) == "kbed"
    assert editor("", {"EDITOR": "ed", "VISUAL": "vis"}) == "vis"
    with pytest.raises(UsageError, match="cannot be read as a command"):
        command("vim 'open", "/n", 1)


def test_a_hit_is_opened_by_its_number(run: Run, notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = notebook / "seen.json"
    script = "import json,sys; open(sys.argv[1], 'w').write(json.dumps(sys.argv[2:]))"
    (notebook / "editor.py").write_text(script)
    template = f"{sys.executable} {notebook / 'editor.py'} {seen} {{path}} {{line}}"
    monkeypatch.setenv("KB_EDITOR_COMMAND", template)
    assert run("search", "qlora vram").status == 0
    assert run("open", "1").status == 0
    assert json.loads(seen.read_text()) == [str(notebook / "notes" / "threads" / "llama-2.md"), "14"]
    assert run("open", "papers/qlora.md:10").status == 0
    assert json.loads(seen.read_text()) == [str(notebook / "notes" / "papers" / "qlora.md"), "10"]


def test_the_place_and_the_link_may_be_printed_alone(run: Run) -> None:
    run("search", "qlora vram")
    assert run("open", "1", "--print").out == "notes/threads/llama-2.md:14\n"
    assert run("open", "1", "--link", "--print").out == "https://news.ycombinator.com/item?id=37091586\n"


def test_a_search_for_scripts_does_not_change_what_is_counted(run: Run) -> None:
    run("search", "qlora vram")
    run("search", "speech on a Mac", "--json")
    assert run("open", "1", "-p").out == "notes/threads/llama-2.md:14\n"
    run("search", "speech to text on a Mac")
    assert run("open", "1", "-p").out.startswith("notes/tutorials/")


def test_what_cannot_be_opened_is_told_with_what_to_type(
    run: Run, notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 'kb search "' in run("open", "1").err
    run("search", "qlora vram", "-n", "1")
    assert "showed 1 hit" in run("open", "2").err
    assert run("open", "0").status == 2
    assert "did you mean papers/qlora.md?" in run("open", "papers/qlra.md").err
    assert "is a folder" in run("open", "papers").err
    monkeypatch.setenv("KB_EDITOR_COMMAND", "/no/such/editor")
    assert "cannot be started" in run("open", "1").err
    monkeypatch.setenv("KB_EDITOR_COMMAND", "false")
    assert "ended with status 1" in run("open", "1").err
    (notebook / "notes" / "threads" / "llama-2.md").unlink()
    assert run("open", "1").status == 2


@pytest.mark.parametrize("text", ["", "[", "3", "[[1]]", '[[null, "x", []]]', "[[3, 1, []]]", '{"a": 1}'])
def test_a_damaged_memory_of_the_last_search_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "last-search.json").write_text(text)
    with pytest.raises(UsageError, match="cannot be read"):
        recall(tmp_path, 1)


def test_only_web_addresses_reach_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def show(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", show)
    browse("https://a.example/")
    for address in ("file:///etc/passwd", "javascript:alert(1)", "--help", "notes.md"):
        with pytest.raises(UsageError):
            browse(address)
    assert opened == ["https://a.example/"]
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    with pytest.raises(UsageError, match="no browser"):
        browse("https://a.example/")
