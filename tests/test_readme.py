"""The sessions in the README are true: each command is run on the notebook that ships, output compared."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import runner

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each `$ command` of the console blocks, with the output written beneath it."""
    for block in BLOCK.findall(text):
        for session in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = session.partition("\n")
            yield command, output


README = list(commands((ROOT / "README.md").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("readme") / "kb"
    shutil.copytree(ROOT / "notes", root / "notes")
    shutil.copy(ROOT / "kb.toml", root)
    return root


@pytest.mark.parametrize(("command", "output"), README, ids=[command for command, _ in README])
def test_a_session_of_the_readme_prints_what_it_says(
    command: str,
    output: str,
    shipped: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    program, *args = shlex.split(command)
    assert program == "kb"
    assert runner(capsys, monkeypatch, shipped)(*args).out == output


def test_the_readme_shows_a_session() -> None:
    assert len(README) >= 4
