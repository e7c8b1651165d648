"""Which notes are near each other in meaning, from the vectors that lie there already: no model is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from kb.search.vectors import Array, VectorFile, vector_path

#: Unrelated notes lie about 0 by MiniLM, notes on neighbouring subjects from here on.
LEAST = 0.3
_BLOCK = 512


def related(
    folder: Path, model: str, rows: Iterable[tuple[str, int]], *, count: int = 4, least: float = LEAST
) -> dict[str, list[str]]:
    """For each note the `count` notes nearest to it at most, best first; a note with none is left out.

    `model` is `identity@stamp` as the store files rows under it, and `rows` are (path, row) note
    by note. Compared are the means of each note's vectors. ModelError where the vectors are
    missing or not those of the model.
    """
    identity = model.rpartition("@")[0]
    vectors = VectorFile.open(vector_path(folder, identity), identity)
    if vectors.model != model:
        return {}
    paths, means = _means(vectors, rows)
    found: dict[str, list[str]] = {}
    for start in range(0, len(paths), _BLOCK):
        cosines = means[start : start + _BLOCK] @ means.T
        cosines[np.arange(len(cosines)), np.arange(start, start + len(cosines))] = -1.0
        k = min(count, len(paths) - 1)
        if k < 1:
            continue
        nearest = np.argpartition(cosines, len(paths) - k, axis=1)[:, -k:]
        for at, places in enumerate(nearest):
            # Rounded, so that the order does not hang on the last bit.
            near = sorted((-round(float(cosines[at, one]), 4), paths[one]) for one in places)
            kept = [path for cosine, path in near if -cosine >= least]
            if kept:
                found[paths[start + at]] = kept
    return found


def _means(vectors: VectorFile, rows: Iterable[tuple[str, int]]) -> tuple[list[str], Array]:
    by_note: dict[str, list[int]] = {}
    known = vectors.rows
    for path, row in rows:
        if row < known:
            by_note.setdefault(path, []).append(row)
    means = np.zeros((len(by_note), vectors.width), dtype=np.float32)
    for at, places in enumerate(by_note.values()):
        means[at] = vectors.read(places).mean(axis=0)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    unit: Array = (means / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return list(by_note), unit
