"""The page of benchmarks is what was measured, and no benchmark is left out of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench import __main__ as bench
from bench.report import ROWS, row

HELPERS = {"__init__", "__main__", "pages", "report", "servers", "synthetic"}


def test_the_page_is_written_from_the_figures_that_were_kept() -> None:
    kept = json.loads(bench.KEPT.read_text(encoding="utf-8"))
    assert bench.PAGE.read_text(encoding="utf-8") == bench.page(kept)
    assert kept["benches"].keys() <= bench.BENCHES.keys()


def test_every_program_in_the_folder_is_listed() -> None:
    programs = {path.stem for path in (bench.ROOT / "bench").glob("*.py")} - HELPERS
    assert programs == bench.BENCHES.keys() | bench.APART.keys()
    for name in bench.BENCHES:  # a program that records nothing would leave its promises out of the page
        assert " row(" in (bench.ROOT / "bench" / f"{name}.py").read_text(encoding="utf-8"), name


def test_a_benchmark_that_fails_is_told_and_what_it_measured_before_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "falls.py").write_text(
        "import sys\nfrom bench.report import row\nrow('a figure', 2.0, 3.0, ours='2 ms')\nsys.exit(7)\n"
    )
    for name in ("__init__.py", "report.py"):
        (tmp_path / "bench" / name).write_bytes((bench.ROOT / "bench" / name).read_bytes())
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "BENCHES", {"falls": bench.Bench("Falling"), "no": bench.Bench("Nothing")})
    done = {name: bench.run(name, []) for name in bench.BENCHES}
    assert [one["status"] for one in done.values()] == [7, 1]
    page = bench.page({"versions": "kb 1", "benches": done})
    assert "| a figure | 2 ms |  | 2 | ≤ 3 | held |" in page
    assert "Not whole: exit status 7." in page
    assert "No figures: exit status 1." in page


@pytest.mark.parametrize(
    ("measured", "bound", "least", "holds"),
    [(1.5, 1.5, False, True), (1.6, 1.5, False, False), (0.9, 1.1, True, False), (1.1, None, True, True)],
)
def test_a_missed_bound_is_named_at_the_end_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: float, bound: float, least: bool, holds: bool
) -> None:
    monkeypatch.setenv(ROWS, str(tmp_path / "rows"))
    assert row("the | figure", measured, bound, least=least) is holds
    told: dict[str, Any] = json.loads((tmp_path / "rows").read_text())
    done = {"at": "2026-01-01", "seconds": 1, "status": 0, "load": 0.1, "machine": "m", "arguments": []}
    page = bench.page({"versions": "kb 1", "benches": {"start": {**done, "rows": [told]}}})
    assert "the &#124; figure" in page
    assert ("## What is missed" in page) is not holds
