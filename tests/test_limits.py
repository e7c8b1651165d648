"""Notes at the edge are read whole, or their limit is said. bench/limits.py has the full sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.limits import CASES
from kb.knowledge import KnowledgeBase
from kb.notes import walk as walks
from tests.notebook import write_notebook

# name -> (links that the store holds, words of the problem said), at a twentieth of the size
EXPECTED = {
    "links in one paragraph": (5_000, ""),
    "links in bullets": (5_000, ""),
    "bare links": (5_000, ""),
    "reference links": (5_000, ""),
    "wikilinks": (5_000, ""),
    "bytes of one URL": (0, "an address of"),
    "levels of nested numbers": (100, "less than four columns"),
    "nested quotes": (1, ""),
    "front matter keys": (0, "kb reads up to"),
    "front matter depth": (0, "nested deeper than"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_note_at_the_edge_is_read_or_its_limit_is_said(name: str, tmp_path: Path) -> None:
    size, make = CASES[name]
    root = write_notebook(tmp_path / "n", {"edge.md": make(size // 20), "other.md": "* a bullet\n"})
    with KnowledgeBase.open(root) as base:
        report = base.sync(embed=False)
    assert report.added == 2
    assert report.passages >= 1
    links, words = EXPECTED.get(name, (None, None))
    if links is not None:
        assert report.links == links
    if words is not None:
        assert [words in problem.message for problem in report.problems] == [True] * bool(words)


def test_a_file_beyond_the_size_of_a_note_is_passed_over_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "MAX_BYTES", 1024 * 1024)
    root = write_notebook(tmp_path / "n", {"large.md": "x" * (1024 * 1024 + 1), "other.md": "x"})
    with KnowledgeBase.open(root) as base:
        report = base.sync(embed=False)
    assert (report.added, [problem.path for problem in report.problems]) == (1, ["large.md"])
    assert "1 MiB is more than the 1 MiB of a note" in report.problems[0].message
