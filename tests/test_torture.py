"""The harnesses of torture/, small: the same attacks as `make torture`, a few of each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from torture.mutations import MUTATIONS

ROOT = Path(__file__).parent.parent
#: By the test that reads what it printed. The longest first: two run at a time.
HARNESSES = {
    "test_a_zoo_of_hostile_notes_and_pages_stops_nothing": ("hostile", "--small"),
    "test_a_disk_that_is_full_or_may_not_be_written_costs_nothing_but_the_run": ("disk", "--rounds", "1"),
    "test_several_at_once_lose_nothing_and_hear_of_no_lock": ("crowd", "--rounds", "1"),
    "test_a_command_killed_anywhere_leaves_everything_whole": ("crash", "--kills", "2", "--seed", "20"),
    "test_what_the_sites_answer_stops_nothing": ("apis", "--every", "25"),
    "test_no_command_writes_beyond_the_notebook": ("within",),
}


def run(module: str, *args: str) -> str:
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


@pytest.fixture(scope="module")
def begun(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[str]]]:
    """The harnesses of the tests that were asked for. They mostly wait: for servers, and for disks."""
    asked = {item.name for item in request.session.items}
    with ThreadPoolExecutor(2) as pool:
        yield {test: pool.submit(run, *args) for test, args in HARNESSES.items() if test in asked}


@pytest.fixture
def told(begun: dict[str, Future[str]], request: pytest.FixtureRequest) -> str:
    """What the test's harness printed."""
    return begun[request.node.name].result()


def test_a_zoo_of_hostile_notes_and_pages_stops_nothing(told: str) -> None:
    assert " 0 amiss" in told


def test_a_disk_that_is_full_or_may_not_be_written_costs_nothing_but_the_run(told: str) -> None:
    assert told.count(" 0 amiss") >= 9


def test_several_at_once_lose_nothing_and_hear_of_no_lock(told: str) -> None:
    assert told.count(" 0 amiss") == 4


def test_a_command_killed_anywhere_leaves_everything_whole(told: str) -> None:
    assert told.count(" 0 not whole") == 9


def test_what_the_sites_answer_stops_nothing(told: str) -> None:
    assert " 0 amiss" in told


def test_no_command_writes_beyond_the_notebook(told: str) -> None:
    assert " 0 beyond the notebook" in told


def test_every_mutation_is_of_a_text_that_still_stands() -> None:
    for one in MUTATIONS:
        assert one.text in (ROOT / one.file).read_text(), one.guard
        assert (ROOT / one.test.partition("::")[0]).is_file()
