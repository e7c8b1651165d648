"""How long a cold `kb search` takes, against what it replaces. Both sides in one run.

    python bench/cold_search.py [--runs N] [--folder DIR] [--notebook DIR --query TEXT]

Each side is a whole process, started anew every time, the sides taking turns: a hybrid search over
25,000 passages in 2,500 notes, a keyword-only one over 100,000 in 10,000, a process that loads
sentence-transformers and embeds the same query, and a bare interpreter that imports what the
command line and the store cannot do without. The notebooks are generated, always the same, in
`--folder` if one is given, where they stay; `--notebook` measures both searches on one's own.

Printed are medians, least and peak memory, then for each ratio the median over the turns of the
two sides' quotient, which a machine busy with other work disturbs least, and the quotient of the
least. The exit status is 1 if a ratio or the memory is over its bound.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUERY = "qlora vram on one card"  # that of synthetic, whose import would bring numpy in
PEAK = 100.0  # MiB
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
    folder: Path
    command: list[str]
    runs: int
    seconds: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)  # seconds of processor, all threads together
    peak: float = 0.0  # MiB

    @property
    def median(self) -> float:
        """Median seconds of a whole process."""
        return statistics.median(self.seconds)

    def run(self, *, count: bool) -> None:
        """Start it once and wait for it; the first time only warms the caches."""
        began = time.perf_counter()
        process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        errors = process.stderr.read() if process.stderr else b""
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        code = os.waitstatus_to_exitcode(status)
        if code not in (0, 1):  # 1: a search that found nothing
            sys.exit(f"{self.name}: exit status {code}\n{errors.decode(errors='replace')}")
        if count:
            self.seconds.append(took)
            self.work.append(usage.ru_utime + usage.ru_stime)
            self.peak = max(self.peak, usage.ru_maxrss / 1024)


def environment() -> dict[str, str]:
    """The person's environment, with this checkout first and no hub."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": path, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def generated(folder: Path, notes: int, each: int) -> Path:
    """A generated notebook, made by a process of its own.

    The peak of a child begins with what its parent held when it was forked: this one must stay small.
    """
    shape = [str(folder), str(notes), str(each)]
    subprocess.run([sys.executable, "-m", "bench.synthetic", *shape], check=True, cwd=ROOT, env=environment())
    return folder


def quotient(one: Side, other: Side) -> float:
    """The median over turns of one side's time by the other's."""
    return statistics.median(a / b for a, b in zip(one.seconds, other.seconds, strict=False))


def measure(small: Path, large: Path, query: str, runs: int) -> int:
    """Measure and print; 1 if anything is over its bound."""
    python = sys.executable
    model = subprocess.run(
        [python, "-c", MODEL], capture_output=True, text=True, check=True, env=environment()
    ).stdout.strip()
    search = [python, "-c", SEARCH, "search"]
    slow = Side("sentence-transformers", small, [python, "-c", EMBED, model, query], max(3, runs // 5))
    hybrid = Side("kb search", small, [*search, query], runs)
    keyword = Side("kb search --mode keyword", large, [*search, "--mode", "keyword", query], runs)
    bare = Side("import click, sqlite3", small, [python, "-c", "import click, sqlite3"], runs)
    sides = [slow, hybrid, bare, keyword]
    for turn in range(-1, runs):
        for side in sides:
            if turn < side.runs:
                side.run(count=turn >= 0)
    for side in sides:
        print(
            f"{side.name:<26} {side.median * 1000:7.0f} ms   (least {min(side.seconds) * 1000:.0f}, "
            f"{len(side.seconds)} runs)   peak {side.peak:.0f} MiB"
        )
    bad = False
    for one, other, bound in ((hybrid, slow, 0.025), (hybrid, bare, 3.0), (keyword, bare, 2.5)):
        ratio = quotient(one, other)
        least = min(one.seconds) / min(other.seconds)
        work = statistics.median(one.work) / statistics.median(other.work)
        print(f"{one.name} / {other.name}: {ratio:.4g} (of the least {least:.4g}, bound {bound})")
        print(f"    of processor time {work:.4g}, which waiting for other programs does not lengthen")
        bad |= min(ratio, least) > bound
    return int(bad or max(hybrid.peak, keyword.peak) > PEAK)


def main() -> int:
    """Build the notebooks where they are missing, then measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--notebook", type=Path, help="a synced notebook (default: generated ones)")
    parser.add_argument("--folder", type=Path, help="where generated notebooks stay")
    parser.add_argument("--query", default=QUERY)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    if options.notebook:
        return measure(options.notebook, options.notebook, options.query, options.runs)
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name)
        small, large = generated(folder / "25000", 2_500, 10), generated(folder / "100000", 10_000, 10)
        return measure(small, large, options.query, options.runs)


if __name__ == "__main__":
    sys.exit(main())
