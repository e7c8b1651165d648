"""How long a cold `kb search` takes, against what it replaces. Both sides in one run.

    python bench/cold_search.py [--notebook DIR] [--query TEXT] [--runs N]

Each side is a whole process, started anew every time, the sides taking turns: a hybrid and a
keyword-only search, a process that loads sentence-transformers and embeds the same query, and a
bare interpreter that imports what the command line and the store cannot do without. Medians and
peak memory are printed, then the ratios; the exit status is 1 if one is over its bound.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EMBED = (
    "import sys; from sentence_transformers import SentenceTransformer; "
    "print(SentenceTransformer(sys.argv[1]).encode([sys.argv[2]]).shape)"
)
SEARCH = "from kb.cli import run; run()"
MODEL = "from kb.search.weights import packaged_model; print(packaged_model())"


@dataclass
class Side:
    """One kind of process: what it runs, how often, and what came of it."""

    name: str
    command: list[str]
    runs: int
    seconds: list[float] = field(default_factory=list)
    peak: float = 0.0  # MiB

    @property
    def median(self) -> float:
        """Median seconds of a whole process."""
        return statistics.median(self.seconds)

    def run(self, folder: Path, *, count: bool) -> None:
        """Start it once and wait for it; the first time only warms the caches."""
        began = time.perf_counter()
        process = subprocess.Popen(
            self.command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment()
        )
        errors = process.stderr.read() if process.stderr else b""
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        code = os.waitstatus_to_exitcode(status)
        if code not in (0, 1):  # 1: a search that found nothing
            sys.exit(f"{self.name}: exit status {code}\n{errors.decode(errors='replace')}")
        if count:
            self.seconds.append(took)
            self.peak = max(self.peak, usage.ru_maxrss / 1024)


def environment() -> dict[str, str]:
    """The person's environment, with this checkout first and no hub."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": path, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def main() -> int:
    """Measure and print; 1 if a ratio is over its bound."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--notebook", type=Path, default=ROOT, help="a synced notebook (default: the shipped one)"
    )
    parser.add_argument("--query", default="qlora vram")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--bound", type=float, default=0.05, help="hybrid / sentence-transformers")
    options = parser.parse_args()
    python = sys.executable
    model = subprocess.run(
        [python, "-c", MODEL], capture_output=True, text=True, check=True, env=environment()
    ).stdout.strip()
    slow = Side(
        "sentence-transformers", [python, "-c", EMBED, model, options.query], max(3, options.runs // 5)
    )
    hybrid = Side("kb search", [python, "-c", SEARCH, "search", options.query], options.runs)
    keyword = Side(
        "kb search --mode keyword",
        [python, "-c", SEARCH, "search", "--mode", "keyword", options.query],
        options.runs,
    )
    bare = Side("import click, sqlite3", [python, "-c", "import click, sqlite3"], options.runs)
    sides = [slow, hybrid, keyword, bare]
    for turn in range(-1, options.runs):
        for side in sides:
            if turn < side.runs:
                side.run(options.notebook, count=turn >= 0)
    for side in sides:
        low, high = min(side.seconds), max(side.seconds)
        print(
            f"{side.name:<26} {side.median * 1000:7.0f} ms   ({low * 1000:.0f} to {high * 1000:.0f}, "
            f"{len(side.seconds)} runs)   peak {side.peak:.0f} MiB"
        )
    ratio = hybrid.median / slow.median
    print(f"hybrid / sentence-transformers: {ratio:.4f} (bound {options.bound})")
    print(f"hybrid / bare:                  {hybrid.median / bare.median:.2f}")
    print(f"keyword / bare:                 {keyword.median / bare.median:.2f}")
    return int(ratio > options.bound)


if __name__ == "__main__":
    sys.exit(main())
