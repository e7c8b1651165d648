"""The pages tell the truth: sessions print what they say, and links lead somewhere."""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs import house, sessions
from kb import config, urls
from kb.cli import COMMANDS
from kb.notes.parse import outline, parse
from kb.places import slug
from tests.test_architecture import GROUND

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", sessions.PAGES)
def test_sessions_print_what_they_say(page: str, tmp_path: Path) -> None:
    done = list(sessions.run(page, tmp_path))
    assert len(done) >= 4
    for step, printed in done:
        assert printed == step.output, step.command


def test_a_step_is_a_command_with_its_further_lines_and_its_output() -> None:
    text = "```console\n$ cat <<'END'\n> one\n>\n> two\n> END\none\n\ntwo\n$ true\n```\n$ no command\n"
    assert list(sessions.steps(text)) == [
        ("cat <<'END'\none\n\ntwo\nEND", "one\n\ntwo\n"),
        ("true", ""),
    ]


def test_what_the_pages_say_of_the_program_is_what_it_says() -> None:
    pages = [str(page) for page in PAGES if "[[[cog" in page.read_text(encoding="utf-8")]
    assert len(pages) >= 4
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", "--diff", *pages],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, f"make docs writes it anew\n{done.stdout}{done.stderr}"


def test_the_picture_of_the_house_is_drawn_from_its_imports() -> None:
    assert house.PICTURE.read_text(encoding="utf-8") == house.picture(), "make docs draws it anew"
    edges = house.graph()
    assert "store" in edges["sync"]
    shown = [target for targets in edges.values() for target in targets if target not in GROUND]
    assert house.picture().count("<path") == len(shown) > 40


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_a_task_and_a_reference(command: str) -> None:
    assert f"\n## {command}\n" in (ROOT / "docs" / "how-to.md").read_text(encoding="utf-8")
    assert f"\n## kb {command}\n" in (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert f"kb {command}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_examples_for_python_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "notes", tmp_path / "notes")
    shutil.copy(ROOT / "kb.toml", tmp_path)
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```pycon\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 5
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "docs/python.md", None, None)
    told: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=told.append)
    assert not told, "".join(told)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    for link in parse(page.name, page.read_bytes()).links:
        if urls.is_web(link.url) or "@" in link.url:
            continue
        address, _, anchor = link.url.partition("#")
        target = (page.parent / address) if address else page
        assert target.exists(), f"{page.name}:{link.line}: {link.url}"
        if anchor:
            headings = {slug(heading.text) for heading in outline(target.read_bytes())[1]}
            assert anchor in headings, f"{page.name}:{link.line}: {link.url}"


def test_a_first_search_takes_three_commands_over_ones_own_folder(tmp_path: Path) -> None:
    script = ROOT / "docs" / "first-search.sh"
    commands = [line for line in script.read_text().splitlines() if line.startswith("kb ")]
    assert len(commands) == 3
    folder = tmp_path / "my folder"
    for number in range(60):
        note = folder / f"{number // 20}" / f"{number}.md"
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(f"# Walk {number}\n\nWe saw {number} herons by the river.\n\n* and a boat\n")
    (folder / "bread.md").write_text("Sourdough wants flour, water, salt, and a night in the cold.\n")
    before = {path: path.read_bytes() for path in folder.rglob("*.md")}
    home = tmp_path / "home"
    home.mkdir()
    environment = sessions.Shell(home, "").environment
    done = subprocess.run(
        ["sh", str(script), str(folder), "how do I bake a loaf"],
        env=environment, capture_output=True, text=True, timeout=180, check=True,
    )  # fmt: skip
    assert "bread.md:1" in done.stdout
    assert "Sourdough wants flour" in done.stdout
    assert before == {path: path.read_bytes() for path in before}


def test_settings_are_told_with_their_defaults() -> None:
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    for key in config.KEYS:
        assert f"| `{key.name}` |" in text
