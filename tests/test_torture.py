"""The harnesses of torture/, small: the same attacks as `make torture`, a few of each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from torture.mutations import MUTATIONS

ROOT = Path(__file__).parent.parent


def harness(module: str, *args: str) -> str:
    """Run a harness in a process of its own, which forks; what it printed. It must find nothing."""
    done = subprocess.run(
        [sys.executable, "-m", f"torture.{module}", *args],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "commands", ["sync,add-link,check-links", "enrich,repair,import", "backup,restore,restore-into"]
)
def test_a_command_killed_anywhere_leaves_everything_whole(commands: str) -> None:
    told = harness("crash", "--kills", "3", "--seed", "20", "--only", commands)
    assert told.count(" 0 not whole") == 3


def test_a_disk_that_is_full_or_may_not_be_written_costs_nothing_but_the_run() -> None:
    printed = harness("disk", "--rounds", "1", "--seed", "20")
    assert " 0 amiss" in printed


@pytest.mark.parametrize("scene", ["syncs", "links", "editor", "serve"])
def test_several_at_once_lose_nothing_and_hear_of_no_lock(scene: str) -> None:
    assert "0 amiss" in harness("crowd", "--rounds", "1", "--seed", "20", "--only", scene)


def test_no_command_writes_beyond_the_notebook() -> None:
    assert " 0 beyond the notebook" in harness("within")


def test_every_mutation_is_of_a_text_that_still_stands() -> None:
    for one in MUTATIONS:
        assert one.text in (ROOT / one.file).read_text(), one.guard
        assert (ROOT / one.test.partition("::")[0]).is_file()


def test_a_zoo_of_hostile_notes_and_pages_stops_nothing() -> None:
    assert " 0 amiss" in harness("hostile", "--small")
