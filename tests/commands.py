"""Commands run in this process as a shell would run them: output, errors and exit status apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kb.cli import invoke


class Ran(NamedTuple):
    """What a command printed and how it left."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output as JSON."""
        return json.loads(self.out)


Run = Callable[..., Ran]


def runner(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, root: Path) -> Run:
    """A function that runs a command in the folder `root`."""

    def run(*args: str) -> Ran:
        monkeypatch.chdir(root)
        status = invoke(list(args))
        out, err = capsys.readouterr()
        return Ran(status, out, err)

    return run
