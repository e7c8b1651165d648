"""How a benchmark tells its figures to `python -m bench`: a line of JSON each, in a file.

KB_BENCH_ROWS names it. A benchmark run by itself names no such file and only prints. Nothing here imports kb.
"""

from __future__ import annotations

import json
import os

ROWS = "KB_BENCH_ROWS"


def row(
    what: str,
    measured: float,
    bound: float | None = None,
    *,
    ours: str = "",
    floor: str = "",
    least: bool = False,
    unit: str = "",
) -> bool:
    """Record a figure, mostly a ratio of our side to another; whether it holds.

    `measured` is to be at most `bound`, or with `least` at least; without a bound it is only told.
    `ours` and `floor` are the two sides in words, with their units (`152 ms`, `6,060 ms`);
    `unit` is that of a figure that is no ratio.
    """
    holds = bound is None or (measured >= bound if least else measured <= bound)
    path = os.environ.get(ROWS)
    if path:
        told = {
            "what": what,
            "ours": ours,
            "floor": floor,
            "measured": round(measured, 5),
            "bound": bound,
            "least": least,
            "unit": unit,
            "holds": holds,
        }
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")
    return holds


def ms(seconds: float) -> str:
    """`152 ms`, or `6.06 s` from two seconds on."""
    return f"{seconds * 1000:,.0f} ms" if seconds < 2 else f"{seconds:.2f} s"
