"""What fuzzing found worth keeping, read again: every input that covers something of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from torture.targets import CORPUS, TARGETS


def test_every_target_has_a_corpus() -> None:
    kept = {folder.name for folder in CORPUS.iterdir() if folder.is_dir() and any(folder.iterdir())}
    assert kept == set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_what_fuzzing_kept_holds_still(target: str) -> None:
    for path in sorted(Path(CORPUS / target).iterdir()):
        try:
            TARGETS[target](path.read_bytes())
        except Exception as error:
            raise AssertionError(f"{path.name}: {error!r}") from error
