"""Of what fuzzing learnt, keep what is worth replaying: python -m torture.keep TARGET --work DIR.

From the shortest input on, each in which a line of ours follows another that it never followed before.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from types import FrameType
from typing import Any, Final

import kb
from torture.targets import CORPUS, TARGETS

_OURS: Final = str(Path(kb.__file__).parent)


def steps(target: str, data: bytes) -> set[tuple[str, int, int]]:
    """Which of our lines follow each other while a target reads an input."""
    found: set[tuple[str, int, int]] = set()

    def inside(frame: FrameType, event: str, arg: object) -> Any:
        last = 0

        def line(frame: FrameType, event: str, arg: object) -> Any:
            nonlocal last
            if event == "line":
                found.add((frame.f_code.co_filename, last, frame.f_lineno))
                last = frame.f_lineno
            return line

        return line if frame.f_code.co_filename.startswith(_OURS) else None

    sys.settrace(inside)
    try:
        TARGETS[target](data)
    finally:
        sys.settrace(None)
    return found


def main() -> None:
    """Add to the corpus of one target what adds to it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("target", choices=TARGETS)
    options.add_argument("--work", type=Path, required=True, help="where torture.fuzz put what it learnt")
    chosen = options.parse_args()
    kept = CORPUS / chosen.target
    known: set[tuple[str, int, int]] = set()
    for path in sorted(kept.iterdir()):
        known |= steps(chosen.target, path.read_bytes())
    added = 0
    for path in sorted(
        (chosen.work / chosen.target).iterdir(), key=lambda one: (one.stat().st_size, one.name)
    ):
        data = path.read_bytes()
        new = steps(chosen.target, data) - known
        if new:
            known |= new
            added += 1
            (kept / hashlib.blake2b(data, digest_size=8).hexdigest()).write_bytes(data)
    print(f"{chosen.target}: {added} inputs added, {len(known)} steps covered")


if __name__ == "__main__":
    main()
