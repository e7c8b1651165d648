"""No command writes into notes unless that is what it is for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kb import cli
from tests.notebook import NOTES, write_notebook

LINK = "http://127.0.0.1:9/page"

# What is meant to write notes, and how each is asked only to say what it would do.
WRITING = {
    "add-link": [["--dry-run", "http://127.0.0.1:9/new"]],
    "import": [["--dry-run", "page.md"], ["--dry-run", "--overwrite", "page.md"]],
    "new": [],
    "init": [["--dry-run", "."]],
}
# A command that is not named here is run without arguments.
READING = {
    "search": [["qlora"], ["--mode", "keyword", "qlora", "--json"]],
    "links": [[], ["--json"], ["--ignore", LINK], ["--alive", LINK]],
    "check-links": [[], ["--all"]],
    "glossary": [[], ["PEFT"]],
    "sync": [[], ["--rehash"]],
    "export": [["jsonl"], ["csv", "-o", "out.csv"], ["bookmarks"], ["bibtex"]],
}

ODD: dict[str, bytes] = {
    "crlf.md": f"# A\r\n\r\n* [x]({LINK})\r\n\t* tab".encode(),
    "bom.md": b"\xef\xbb\xbf---\ntitle: B\n---\nx  \n\n\n",
    "utf16.md": "\ufeff[x](y)".encode("utf-16-le"),
    "stray.md": b"caf\xe9 \x00 \r lone",
    "broken.md": b"---\ntitle: [\n---\nx",
    "empty.md": b"",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Links to this machine alone, which no check looks at: the test asks the network for nothing.
    plain = {path: text.replace("https://", "http://127.0.0.1:9/") for path, text in NOTES.items()}
    root = write_notebook(tmp_path_factory.mktemp("reading") / "notebook", plain)
    for name, data in ODD.items():
        (root / "notes" / name).write_bytes(data)
    os.symlink("crlf.md", root / "notes" / "link.md")
    (root / "page.md").write_text("## May 5, 2023\nx\n")
    return root


def corpus(root: Path) -> dict[str, tuple[bytes, int, int]]:
    """Every file under the notes folder: bytes, mtime and mode."""
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode)
        for path in (root / "notes").rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_a_command_that_is_not_for_writing_leaves_every_note_as_it_is(
    command: str, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: SIM115 - for a command that waits for input
    before = corpus(root)
    assert len(before) == len(NOTES) + len(ODD) + 1
    for arguments in WRITING.get(command, READING.get(command, [[]])):
        status = cli.invoke([command, *arguments])
        assert status in (0, 1) or command not in READING, capsys.readouterr().err
        assert corpus(root) == before
