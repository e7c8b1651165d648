"""Notes at the edge: how long a sync takes over each, and how much memory.

    python bench/limits.py [--scale F]

Each note is synced alone, by a whole process of `kb sync --no-embed`. Each is to take less than
10 s and 1 GB, or to be passed over with a problem that names it. The exit status is 1 if one
does neither. `--scale 0.1` makes every note a tenth of its size.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.report import row  # noqa: E402  # after the checkout is put on the path

SECONDS, MIB = 10.0, 1024.0
KB = [sys.executable, "-c", "from kb.cli import run; run()"]

# name -> (full size, what makes the note of a size)
CASES: dict[str, tuple[int, Callable[[int], str]]] = {
    "links in one paragraph": (
        100_000,
        lambda n: " ".join(f"[a{i}](http://h{i % 99}.example/{i})" for i in range(n)),
    ),
    "links in bullets": (100_000, lambda n: "".join(f"* [a{i}](http://x.example/{i})\n" for i in range(n))),
    "bare links": (100_000, lambda n: " ".join(f"http://x.example/{i}" for i in range(n))),
    "reference links": (
        100_000,
        lambda n: (
            " ".join(f"[r{i}]" for i in range(n))
            + "\n\n"
            + "".join(f"[r{i}]: http://x.example/{i}\n" for i in range(n))
        ),
    ),
    "wikilinks": (100_000, lambda n: " ".join(f"[[N{i}#h|t]]" for i in range(n))),
    "bytes of one line of words": (10_000_000, lambda n: "word " * (n // 5)),
    "bytes of one line of one word": (10_000_000, lambda n: "x" * n),
    "bytes of one URL": (10_000_000, lambda n: "http://x.example/" + "a" * n),
    "levels of nested bullets": (2_000, lambda n: "".join("\t" * i + f"* level {i}\n" for i in range(n))),
    "levels of nested numbers": (
        2_000,
        lambda n: "".join("   " * i + f"1. [l](http://x.example/{i})\n" for i in range(n)),
    ),
    "nested quotes": (3_000, lambda n: "> " * n + "[a](http://x.example/)"),
    "quotes, one deeper a line": (3_000, lambda n: "".join("> " * i + "a\n" for i in range(n))),
    "open brackets": (50_000, lambda n: "[" * n),
    "open links": (50_000, lambda n: "[a](" * n),
    "open images": (50_000, lambda n: "![" * n),
    "bracket pairs": (50_000, lambda n: "[" * n + "a" + "](b)" * n),
    "open angle brackets": (50_000, lambda n: "<" * n),
    "open tags": (50_000, lambda n: "<a href='" * n),
    "open comments": (50_000, lambda n: "<!-- " * n),
    "backticks": (50_000, lambda n: "".join("`" * (i % 300 + 1) + " " for i in range(n))),
    "stars": (50_000, lambda n: "*a_ " * n),
    "headings": (50_000, lambda n: "".join(f"{'#' * (i % 6 + 1)} h{i}\n" for i in range(n))),
    "table cells in a row": (50_000, lambda n: "|a" * n + "\n" + "|-" * n + "\n" + "|b" * n + "\n"),
    "table rows": (50_000, lambda n: "|a|b|\n|-|-|\n" + "|c|[d](http://x.example/)|\n" * n),
    "footnotes": (20_000, lambda n: "".join(f"a[^{i}]\n\n[^{i}]: b\n\n" for i in range(n))),
    "dates": (50_000, lambda n: "2023-03-29 to 7/05/2023 and 2/21 " * n),
    "front matter keys": (50_000, lambda n: "---\n" + "".join(f"k{i}: v\n" for i in range(n)) + "---\nx"),
    "front matter depth": (5_000, lambda n: "---\na: " + "[" * n + "\n---\nx"),
}


def measure(root: Path, text: str) -> tuple[float, float, int, str]:
    """Seconds, MiB at the peak, exit status and standard error of one sync."""
    (root / "notes").mkdir(parents=True)
    (root / "kb.toml").touch()
    (root / "notes" / "edge.md").write_text(text)
    began = time.perf_counter()
    process = subprocess.Popen(
        [*KB, "sync", "--no-embed"],
        cwd=root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    told = process.stderr.read().decode() if process.stderr else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - began, usage.ru_maxrss / 1024, process.returncode, told


def main() -> int:
    """Print the table; 1 if a note is over a bound."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--scale", type=float, default=1.0)
    options.add_argument("--only", default="", help="cases whose name holds this")
    chosen = options.parse_args()
    over = 0
    for name, (size, make) in CASES.items():
        if chosen.only not in name:
            continue
        count = max(1, int(size * chosen.scale))
        with tempfile.TemporaryDirectory(prefix="kb-bench-") as work:
            seconds, peak, status, told = measure(Path(work) / "n", make(count))
        said = "; ".join(line.partition("edge.md:")[2] for line in told.splitlines() if "edge.md:" in line)
        bad = seconds > SECONDS or peak > MIB or status not in (0, 1)
        over += bad
        lines = told.strip().splitlines()
        note = said or (lines[-1] if lines else "")
        print(
            f"{'OVER ' if bad else ''}{count:>10,} {name:32} {seconds:6.2f} s {peak:6.0f} MiB  {note[:90]}",
            flush=True,
        )
    row("notes at the edge beyond 10 s or 1 GB", over, 0, ours=f"{over} of {len(CASES)}")
    return int(over > 0)


if __name__ == "__main__":
    sys.exit(main())
