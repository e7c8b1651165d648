"""How fast passages are embedded in bulk, against `SentenceTransformer.encode` at its defaults.

    python bench/embed.py [--texts N] [--rounds N] [--threads N]

Both sides embed the same texts in one process, taking turns, the model loaded once and warmed; the
texts are passages of generated notes, one to four bullets long. Printed are passages a second (the
best round of each), their ratio, and the least cosine between the two sides' vectors. On one
thread, which is the default, seconds are those of the processor, so that other programs do not
count; on more, they are those of the clock.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402  # after the checkout is on the path
from sentence_transformers import SentenceTransformer  # noqa: E402

from bench.report import row  # noqa: E402
from bench.synthetic import texts  # noqa: E402
from kb.search.transformer import TransformerEncoder  # noqa: E402
from kb.search.weights import packaged_model  # noqa: E402

RATIO, COSINE = 1.1, 0.9999


def main() -> int:
    """Measure and print; 1 if a bound is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    clock = time.process_time if options.threads == 1 else time.perf_counter
    some = [line for _, text in texts(options.texts // 10, 10) for line in text.splitlines() if "* " in line]
    some = [" ".join(some[at : at + 1 + at % 4]) for at in range(len(some))]  # one to four bullets
    folder = packaged_model()
    ours, theirs = TransformerEncoder(folder), SentenceTransformer(str(folder))
    sides: dict[str, Callable[[], object]] = {
        "kb": lambda: ours.embed(some),
        "encode": lambda: theirs.encode(some, show_progress_bar=False),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    vectors: dict[str, object] = {}
    for turn in range(options.rounds + 1):
        for name, run in sides.items():
            began = clock()
            vectors[name] = run()
            if turn:
                seconds[name].append(clock() - began)
    for name, ones in seconds.items():
        print(f"{name:<8} {len(some) / min(ones):7.1f} passages/s   ({len(some)} texts, {len(ones)} rounds)")
    ratio = min(seconds["encode"]) / min(seconds["kb"])
    mine, other = (np.asarray(vectors[name], dtype=np.float32) for name in sides)
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    least = float(np.einsum("ij,ij->i", mine, other).min())
    print(f"kb / encode: {ratio:.2f} (bound {RATIO})\nleast cosine: {least:.7f} (bound {COSINE})")
    each = {name: f"{len(some) / min(ones):.0f} a second" for name, ones in seconds.items()}
    row(
        "passages embedded a second, to encode()",
        ratio,
        RATIO,
        least=True,
        ours=each["kb"],
        floor=each["encode"],
    )
    row("least cosine between the two sides' vectors", least, COSINE, least=True)
    return int(ratio < RATIO or least < COSINE)


if __name__ == "__main__":
    sys.exit(main())
