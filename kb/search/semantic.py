"""Nearness in meaning: an encoder and the vectors it made, put to one query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from kb.errors import ModelError
from kb.search.encode import Encoder
from kb.search.vectors import VectorFile, best


class Semantic:
    """What `find` asks of a model: which rows lie nearest to a query, and how near some rows lie."""

    def __init__(self, encoder: Encoder, vectors: VectorFile) -> None:
        if encoder.width != vectors.width:
            raise ModelError(f"the model gives {encoder.width} numbers, the vectors have {vectors.width}")
        self._encoder = encoder
        self._vectors = vectors
        self._asked: str | None = None
        self._embedded: tuple[str | None, npt.NDArray[np.float32]] = None, np.zeros(0, dtype=np.float32)
        self._cosines: npt.NDArray[np.float32] = np.zeros(0, dtype=np.float32)

    @property
    def model(self) -> str:
        """The name under which the store maps the rows. ModelError if there is no file to map."""
        return self._vectors.model

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self._vectors.rows

    def knows(self, text: str) -> bool:
        """Whether the model has words for a query."""
        return self._encoder.knows(text)

    def nearest(self, text: str, k: int, rows: Iterable[int] | None = None) -> list[tuple[int, float]]:
        """The k rows nearest to a query, of `rows` alone where given: (row, cosine), best first."""
        return best(self._ask(text), k, rows)

    def cosines(self, text: str, rows: Sequence[int]) -> list[float]:
        """The cosine of each row with a query; -1 for a row that the file does not have."""
        found = self._ask(text)
        return [float(found[row]) if row < len(found) else -1.0 for row in rows]

    def around(self, rows: Sequence[int], k: int) -> list[tuple[int, float]]:
        """The k rows nearest to the middle of some rows: (row, cosine), best first."""
        middle = self._vectors.read(rows).mean(axis=0)
        size = np.linalg.norm(middle)
        return self._vectors.scan(middle / np.maximum(size, np.float32(1e-12)), k)

    def prepare(self, text: str) -> None:
        """Embed a query ahead of the first question about it, which may be asked from another thread."""
        if self._embedded[0] != text:
            self._embedded = text, self._encoder.embed_query(text)

    def _ask(self, text: str) -> npt.NDArray[np.float32]:
        if self._asked != text:
            self.prepare(text)
            self._cosines = self._vectors.cosines(self._embedded[1])
            self._asked = text
        return self._cosines
