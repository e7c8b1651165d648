"""The harnesses of torture/, small: the same attacks as `make torture`, a few of each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("command", ["sync", "add-link", "check-links", "enrich", "repair", "import"])
def test_a_command_killed_anywhere_leaves_everything_whole(command: str) -> None:
    assert "0 not whole" in harness("crash", "--rounds", "5", "--seed", "20", "--only", command)
