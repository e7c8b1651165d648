"""Notebooks of any size for the measurements: the same notes, words and vectors every time.

Text is drawn from a vocabulary whose words are as unequally common as those of a language (Zipf's
law). Vectors are those of some passages, really embedded, each repeated with a little noise: a
query finds neighbours at natural distances, and a million need no day of embedding.

    python -m bench.synthetic FOLDER NOTES PASSAGES_IN_EACH
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path

import numpy as np

from kb.knowledge import KnowledgeBase
from kb.search.encode import NumpyEncoder
from kb.search.vectors import VectorFile, vector_path
from kb.search.weights import packaged_model

QUERY = "qlora vram on one card"
SEEDS = 400  # passages that are really embedded
NOISE = 0.5  # length of what is added to a unit vector: neighbours at a cosine of .8
_BLOCK = 20_000
_ONSETS = ("b", "c", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "br", "dr", "fl", "pl", "st")
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "ou"]
_TOPICS = (
    "fine tuning a language model with qlora",
    "graphics memory and vram of one card",
    "bread dough and its hydration",
    "sqlite and its write ahead log",
    "sleep and daylight",
    "the garden in spring",
    "retrieval of passages by meaning",
    "sailing in strong wind",
)


def build(root: Path, notes: int, each: int) -> Path:
    """A synced notebook of `notes` notes with `each` passages at `root`; one that stands is taken.

    Made in steps that each stay done, so a run that was stopped goes on.
    """
    mark = root / "built.json"
    shape = {"notes": notes, "each": each}
    if mark.is_file() and json.loads(mark.read_text()) == shape:
        return root
    (root / "notes").mkdir(parents=True, exist_ok=True)
    (root / "kb.toml").write_text("")
    for path, text in texts(notes, each):
        target = root / "notes" / path
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            target.write_text(text)
            os.utime(target, (1e9, 1e9))  # long ago, so that a sync takes them for settled
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
        put_vectors(base)
    mark.write_text(json.dumps(shape))
    return root


def _third(number: int, place: int) -> str | None:
    return f"https://host{number % 300}.example/{number}/{place}" if place % 3 == 0 else None


def texts(
    notes: int, each: int, address: Callable[[int, int], str | None] = _third
) -> Iterator[tuple[str, str]]:
    """Path and text of each note; `address` is the link of a note's passage, if it holds one."""
    dice = random.Random(7)  # noqa: S311  # no secret
    words = sorted({_word(dice) for _ in range(30_000)})
    dice.shuffle(words)
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(words))))
    for number in range(notes):
        known = number % 50 == 0  # one note in fifty is about something that a query may ask for
        topic = (
            _TOPICS[number // 50 % len(_TOPICS)]
            if known
            else " ".join(dice.choices(words, cum_weights=weights, k=3))
        )
        day = f"20{10 + number % 15}-{1 + number % 12:02d}-{1 + number % 28:02d}"
        lines = [f"---\ntitle: {topic} {number}\ndate: {day}\ntags: [t{number % 40}]\n---\n", "## Part\n"]
        for place in range(each):
            said = " ".join(dice.choices(words, cum_weights=weights, k=dice.randint(8, 24)))
            url = address(number, place)
            link = f" [source]({url})" if url else ""
            about = f" {topic}" if known and dice.random() < 0.3 else ""
            lines.append(f"* {said}{about}{link}")
        yield f"{number % 100:02d}/{number}.md", "\n".join(lines) + "\n"


def _word(dice: random.Random) -> str:
    return "".join(dice.choice(_ONSETS) + dice.choice(_VOWELS) for _ in range(dice.randint(1, 4)))


def put_vectors(base: KnowledgeBase) -> None:
    """A vector for every passage that has none, through the store's own writer."""
    settings, store = base.settings, base.store
    encoder = NumpyEncoder(packaged_model(), cache=settings.derived / "models.json")
    path = vector_path(settings.derived, encoder.identity)
    vectors = VectorFile(path, encoder.identity, encoder.width)
    vectors.ensure()
    store.keep_model(vectors.model)
    store.remember("vectors", path.name)
    dice = np.random.default_rng(7)
    seeds = None
    last = ""
    while missing := store.missing_digests(vectors.model, _BLOCK, after=last):
        if seeds is None:
            seeds = encoder.embed([excerpt.text for _, excerpt in missing[:SEEDS]])
        noise = dice.standard_normal((len(missing), encoder.width), dtype=np.float32)
        rows = seeds[dice.integers(len(seeds), size=len(missing))]
        rows = rows + noise * np.float32(NOISE / encoder.width**0.5)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        first = vectors.append(rows)
        store.record_vectors(
            vectors.model, [(digest, 0, row) for row, (digest, _) in enumerate(missing, first)]
        )
        last = missing[-1][0]
    store.counts(keep=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
