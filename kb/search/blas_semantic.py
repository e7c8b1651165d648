"""Nearness in meaning without numpy: what a cold search asks, of a model and vectors that allow it.

The same answers as those of `semantic`, to the last bits of a float32. `quick` tells whether they
can be had so; where not, whoever asked takes the longer way, which also words what is wrong.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Sequence
from heapq import nlargest
from pathlib import Path
from threading import Thread
from typing import Any

from kb.errors import ModelError
from kb.search.blas import Blas, Floats, floats, load, place
from kb.search.blas_bert import LONGEST, BlasBert
from kb.search.shape import Shape, read_prompts
from kb.search.sidecar import HEADER, MEND, Sidecar, vector_path
from kb.search.weights import identity, located, parity
from kb.search.wordpiece import WordPiece

_BLOCK = 512  # rows read together: what stays in the processor's cache until it is multiplied
_MANY = 100_000  # rows from which a second thread pays


def quick(text: str, model: str, path: str, derived: Path) -> BlasSemantic | None:
    """The model with a query embedded, and the vectors in `derived`; None where numpy is needed for it.

    It is for a query of many words, a model that is not proved or of another shape, or where numpy
    brings no BLAS along. Whatever is wrong with the model gives None as well.
    """
    try:
        folder, cache = located(model, path), derived / "models.json"
        blas = load()
        if folder is None or blas is None or not hasattr(os, "preadv"):
            return None
        verdict = parity(folder, cache)
        if verdict is None or not verdict.holds:
            return None
        shape = Shape.read(folder)
        pieces = WordPiece.from_folder(shape.transformer)
        ids = [pieces.first, *pieces.ids(read_prompts(folder)[0] + text)[: shape.limit - 2], pieces.last]
        if len(ids) > LONGEST:
            return None
        name = identity(folder, cache, name="" if path else model)
        bert = BlasBert(folder, shape, blas)
        vectors = Sidecar(vector_path(derived, name), name, bert.width)
        return BlasSemantic(blas, vectors, text, bert(ids), known=pieces.knows(text))
    except ModelError:
        return None


class BlasSemantic:
    """What `find` asks of a model, about the one query that was embedded."""

    def __init__(self, blas: Blas, vectors: Sidecar, text: str, query: Floats[float], *, known: bool) -> None:
        self._blas = blas
        self._vectors = vectors
        self._text = text
        self._query = query
        self._known = known
        self._seen: tuple[int, int] = (0, 0)
        self._cosines: Floats[float] | None = None

    @property
    def model(self) -> str:
        """The name under which the store maps the rows. ModelError if there is no file to map."""
        return self._vectors.model

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self._vectors.rows

    def prepare(self) -> None:
        """Scan the vectors ahead of the first question; what is wrong with them is said when it is asked."""
        try:
            self._all()
        except ModelError:
            self._cosines = None

    def knows(self, text: str) -> bool:
        """Whether the model has words for the query."""
        return self._known

    def nearest(self, text: str, k: int, rows: Iterable[int] | None = None) -> list[tuple[int, float]]:
        """The k rows nearest to the query, of `rows` alone where given: (row, cosine), best first."""
        cosines = self._asked(text)
        if rows is None:
            return best(cosines, k)
        pairs = ((row, cosines[row]) for row in rows if row < len(cosines))
        return nlargest(k, pairs, key=lambda pair: (pair[1], -pair[0]))

    def cosines(self, text: str, rows: Sequence[int]) -> list[float]:
        """The cosine of each row with the query; -1 for a row that the file does not have."""
        found = self._asked(text)
        return [found[row] if row < len(found) else -1.0 for row in rows]

    def around(self, rows: Sequence[int], k: int) -> list[tuple[int, float]]:
        """The k rows nearest to the middle of some rows: (row, cosine), best first."""
        width = self._vectors.width
        middle, one = floats(width), floats(width)
        with self._vectors.path.open("rb") as file:
            for row in rows:
                self._read(file.fileno(), row, memoryview(one))
                self._blas.add(width, place(one), place(middle))
        length = max(self._blas.length(width, place(middle)), 1e-12)
        return best(self._scan(array("f", [number / length for number in middle])), k)

    def _asked(self, text: str) -> Floats[float]:
        if text != self._text:
            raise ModelError("another query was embedded than the one that is asked")
        return self._all()

    def _all(self) -> Floats[float]:
        """The cosine of every row, scanned anew if the file has changed since."""
        try:
            status = self._vectors.path.stat()
            seen = (status.st_size, status.st_ino)
        except OSError:
            seen = (0, 0)
        if self._cosines is None or seen != self._seen:
            self._vectors.forget()
            self._seen = seen
            self._cosines = self._scan(self._query)
        return self._cosines

    def _scan(self, query: Floats[float]) -> Floats[float]:
        """The cosine of every row with a unit vector.

        Rows are read, not mapped: copying them costs less than the faults of their pages.
        """
        vectors, count, width = self._vectors, self._vectors.rows, self._vectors.width
        if vectors.torn:
            raise ModelError(f"{vectors.path}: the vectors are cut short", hint=MEND)
        found, failures = floats(count), list[OSError]()
        blocks = iter(range(0, count, _BLOCK))

        def work() -> None:
            try:
                rows = floats(min(_BLOCK, count) * width)
                for first in blocks:  # a range's iterator hands each block out once
                    size = min(_BLOCK, count - first)
                    self._read(file, first, memoryview(rows)[: size * width])
                    out = place(found) + 4 * first
                    self._blas.rows_by(size, width, place(rows), place(query), out)
            except OSError as error:  # raised again where it is waited for
                failures.append(error)

        with vectors.path.open("rb") as opened:
            file = opened.fileno()
            others = [Thread(target=work) for _ in range((os.cpu_count() or 1) - 1 if count > _MANY else 0)]
            for thread in others:
                thread.start()
            work()
            for thread in others:
                thread.join()
        for error in failures:
            raise ModelError(f"{vectors.path}: the vectors cannot be read ({error})", hint=MEND)
        return found

    def _read(self, file: int, first: int, into: memoryview[Any]) -> None:
        """Rows of the file, from one on, as many as there is room for."""
        size = os.preadv(file, [into], HEADER.size + 4 * self._vectors.width * first)
        if size != into.nbytes:
            raise OSError("it ends too soon")


def best(values: Floats[float], k: int) -> list[tuple[int, float]]:
    """The k greatest of many numbers, best first (ties by place), as (place, value)."""
    floor = _floor(values, k)
    found = [(place, value) for place, value in enumerate(values) if value >= floor]
    if len(found) < k:  # the sample was not like the rest
        found = list(enumerate(values))
    return nlargest(k, found, key=lambda pair: (pair[1], -pair[0]))


def _floor(values: Floats[float], k: int) -> float:
    """A value that the k greatest lie above, most likely: it spares ordering all of them."""
    step = len(values) // 1000
    if step < 2:
        return -2.0
    sample = sorted(values[::step], reverse=True)
    # Four times as many as are wanted, and thirty of the sample, leave the guess room to be wrong.
    return sample[min(len(sample) - 1, 30 + 4 * k // step)]
