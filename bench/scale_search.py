"""Whether search stays quick at a million passages: the same command at two sizes, in one run.

    python bench/scale_search.py [--passages N] [--folder DIR] [--runs N]

Builds (once: a run that was stopped goes on) a notebook of 25,000 passages and one of N, the
second in 10,000 notes, and starts a cold hybrid search on each in turn: the medians, their ratio,
and the memory that the process has to itself (pages of mapped files are the system's, and shared).

Cold is the process: nothing of it is kept from one run to the next. Warm is the page cache: one
uncounted run on each side has left the files of `.kb` (1.5 GB of vectors at a million passages),
the model and the modules in the system's memory, as any search leaves them for the next. What a
search takes that has to read `.kb` from the disk is printed beside it, without a bound, since it
is the disk that is measured then.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.cold_search import environment  # noqa: E402  # after the checkout is put on the path
from bench.report import ms, row  # noqa: E402
from bench.synthetic import QUERY, build  # noqa: E402

RATIO, PRIVATE = 3.0, 300.0
# Runs the command, then tells on stderr what the kernel counts as this process's own.
SEARCH = """
import sys, time, resource
from kb import cli
status = cli.invoke(sys.argv[1:])
own = sum(int(l.split()[1]) for l in open("/proc/self/smaps_rollup") if l.startswith("Private_Dirty"))
print(own / 1024, file=sys.stderr)
sys.exit(status)
"""


def run(folder: Path, query: str) -> tuple[float, float]:
    """Seconds of one cold search, and MiB of private memory at its end."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", SEARCH, "search", query],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    took = time.perf_counter() - began
    return took, float(done.stderr.splitlines()[-1])


def let_go(folder: Path) -> None:
    """Have the system drop what it holds in memory of a notebook's derived files."""
    for path in (folder / ".kb").iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())  # a page that is not yet written cannot be dropped
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> int:
    """Build, measure, print; 1 if a bound is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/kb-bench"))  # noqa: S108  # large, and kept
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    small = build(options.folder / "25000", 2_500, 10)
    notes = min(10_000, options.passages // 10)
    began = time.perf_counter()
    large = build(options.folder / str(options.passages), notes, options.passages // notes)
    print(f"{options.passages} passages in {notes} notes: built in {time.perf_counter() - began:.0f} s")
    bad = False
    for query in (QUERY, "time of the card and the wind in the garden"):
        times: dict[Path, list[float]] = {small: [], large: []}
        private = 0.0
        for turn in range(-1, options.runs):
            for folder, ones in times.items():
                took, own = run(folder, query)
                private = max(private, own)
                if turn >= 0:
                    ones.append(took)
        few, many = (statistics.median(ones) for ones in times.values())
        print(f"{query!r}: {few * 1000:.0f} ms and {many * 1000:.0f} ms: {many / few:.2f} (bound {RATIO}); ")
        print(f"    private memory {private:.0f} MiB (bound {PRIVATE:.0f})")
        if hasattr(os, "posix_fadvise"):
            let_go(large)
            print(f"    with nothing of its .kb in the page cache {run(large, query)[0] * 1000:.0f} ms")
        bad |= many / few > RATIO or private > PRIVATE
        sizes = f"{options.passages:,} passages to 25,000: {query}"
        row(sizes, many / few, RATIO, ours=ms(many), floor=ms(few))
        row("private memory of it", private, PRIVATE, unit="MiB")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
