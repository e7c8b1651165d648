"""Coverage-guided fuzzing: python -m torture.fuzz TARGET [--seconds 600]. Needs atheris.

What it learns is kept in a folder of its own; `torture.keep` takes what is worth replaying from
there. Exit status 77 is a finding: the input lies in the folder as crash-... or timeout-....
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["kb"]):
    from torture.targets import CORPUS, TARGETS

#: Longer inputs find little more, and slow everything down.
MAX_BYTES = 4096


def main() -> None:
    """Fuzz one target for a while, or lay what was learnt into its corpus."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("target", choices=TARGETS)
    options.add_argument("--seconds", type=int, default=600)
    options.add_argument("--work", type=Path, required=True, help="folder for what is learnt on the way")
    chosen = options.parse_args()
    kept, work = CORPUS / chosen.target, chosen.work / chosen.target
    kept.mkdir(parents=True, exist_ok=True)
    work.mkdir(parents=True, exist_ok=True)
    flags = [f"-max_len={MAX_BYTES}", "-rss_limit_mb=2048", "-timeout=30", f"-artifact_prefix={chosen.work}/"]
    flags += [f"-max_total_time={chosen.seconds}", "-print_final_stats=1", str(work), str(kept)]
    words = CORPUS / f"{chosen.target}.dict"
    if words.exists():
        flags.append(f"-dict={words}")
    atheris.Setup([sys.argv[0], *flags], TARGETS[chosen.target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
