"""On a terminal: colour, links, a pager where it is long. In a pipe: the plain words, whole."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.commands import Run, runner

KB = [sys.executable, "-c", "from kb.cli import run; run()"]


@pytest.fixture
def run(notebook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(capsys, monkeypatch, notebook)


def on_terminal(root: Path, *args: str, rows: int = 24, columns: int = 80, **environ: str) -> str:
    """What a command writes to a terminal of that size."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "PAGER")}
    process = subprocess.Popen(
        [*KB, *args], cwd=root, stdin=slave, stdout=slave, stderr=slave,
        env={**kept, "TERM": "xterm-256color", **environ},
    )  # fmt: skip
    os.close(slave)
    out, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        if not select.select([master], [], [], 0.1)[0]:
            if process.poll() is not None:
                break
            continue
        try:
            out += os.read(master, 65536)
        except OSError:  # the other end is closed: it has ended
            break
    os.close(master)
    assert process.wait(30) in (0, 1)
    return out.decode()


def test_a_terminal_gets_colour_and_links_and_nothing_is_cut_from_an_address(notebook: Path) -> None:
    out = on_terminal(notebook, "links", "--note", "papers/qlora.md")
    assert "\x1b[2munchecked\x1b[0m" in out
    assert (
        "\x1b]8;;https://arxiv.org/abs/2305.14314\x1b\\https://arxiv.org/abs/2305.14314\x1b]8;;\x1b\\" in out
    )


def test_a_line_of_the_log_fits_the_terminal_and_leads_to_page_and_note(notebook: Path) -> None:
    import re

    out = on_terminal(notebook, "log", "--since", "2023", columns=60, PAGER="cat")
    assert "\x1b]8;;https://arxiv.org/abs/2305.14314\x1b\\" in out
    assert "\x1b]8;;file://" in out
    seen = re.sub(r"\x1b\]8;;.*?\x1b\\|\x1b\[[0-9;]*m", "", out)
    assert max(len(line) for line in seen.splitlines()) <= 60


@pytest.mark.parametrize(
    ("args", "environ", "coloured"),
    [
        ((), {}, False),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "0"}, False),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (("--color", "always"), {}, True),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
    ],
)
def test_a_pipe_is_coloured_only_when_asked_for(
    run: Run, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], environ: dict[str, str], coloured: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    out = run(*args, "links").out
    assert ("\x1b[2m" in out) is coloured
    assert "\x1b]8" not in out
    assert "\x1b" not in run(*args, "links", "--json").out


def test_a_terminal_is_not_coloured_where_that_is_asked_away(notebook: Path) -> None:
    assert "\x1b[" not in on_terminal(notebook, "links", "--note", "papers", NO_COLOR="1")
    assert "\x1b" not in on_terminal(notebook, "links", "--note", "papers", TERM="dumb")


def pager(root: Path) -> str:
    (root / "pager.sh").write_text('#!/bin/sh\necho "PAGED BY ${LESS:-nothing}"\ncat\n')
    (root / "pager.sh").chmod(0o755)
    return str(root / "pager.sh")


def test_long_output_on_a_terminal_goes_to_the_pager_and_short_does_not(notebook: Path) -> None:
    paging = pager(notebook)
    assert "PAGED BY FRX" in on_terminal(notebook, "links", rows=10, PAGER=paging)
    assert "PAGED" not in on_terminal(notebook, "links", rows=200, PAGER=paging)
    assert "PAGED" not in on_terminal(notebook, "--no-pager", "links", rows=10, PAGER=paging)
    assert "PAGED" not in on_terminal(notebook, "links", rows=10, KB_PAGER="", PAGER=paging)
    assert "unchecked" in on_terminal(notebook, "links", rows=10, PAGER="/no/such/pager")
    assert "unchecked" in on_terminal(notebook, "links", rows=10, PAGER="'")


def test_a_pipe_is_never_paged(run: Run, notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", pager(notebook))
    assert "PAGED" not in run("links").out


def test_a_new_folder_is_told_its_one_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = runner(capsys, monkeypatch, tmp_path)()
    assert ran.status == 0
    assert "Examples:" in ran.out
    assert "kb init" in ran.err


def test_help_alone_says_nothing_more_in_a_notebook(run: Run) -> None:
    ran = run()
    assert (ran.status, ran.err) == (0, "")
