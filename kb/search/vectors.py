"""Vectors on disk: one flat float32 file a model, memory-mapped, scanned exactly.

How the file and the store's map of its rows are kept from being mismatched, `sidecar` says. Rows
that were written and never recorded lie there unused; rows recorded past the file's end are for
`sync` to forget (`VectorFile.rows` tells where it ends).

Exact, because it can be: a million rows of 384 take 67 ms, and an index would have to be loaded.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kb.errors import ModelError
from kb.search.sidecar import HEADER, MAGIC, MEND, Sidecar, vector_path
from kb.temporary import beside, replacing

__all__ = ["Compaction", "VectorFile", "best", "vector_path"]

Array = npt.NDArray[np.float32]
_BLOCK = 4096  # rows scanned before their pages are let go: 6 MiB of 384 numbers


class VectorFile(Sidecar):
    """The vectors of one model. Cheap to make; the file is read when it is first needed."""

    def __init__(self, path: Path, identity: str, width: int) -> None:
        super().__init__(path, identity, width)
        self._matrix: Array | None = None
        self._mapped: mmap.mmap | None = None

    def ensure(self) -> bool:
        """For writers: make the file if it is missing or of no use. True if it was made now.

        Vectors are derived: a damaged file is replaced, and what it held is embedded again.
        """
        try:
            _ = self.model
        except ModelError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._publish(self.path, os.urandom(8).hex(), ())
            return True
        if self.torn:  # by a crash in the middle of a row
            os.truncate(self.path, HEADER.size + self.rows * self.width * 4)
            self._matrix = self._mapped = None
        return False

    def append(self, rows: Array) -> int:
        """Add rows at the end, on disk when it returns; the number of the first. Call `ensure` first.

        A row that a crash left half-written is overwritten.
        """
        if rows.ndim != 2 or rows.shape[1] != self.width:
            raise ModelError(f"vectors of shape {rows.shape} for a file of width {self.width}")
        first = self.rows
        self._matrix = self._mapped = None
        with self.path.open("r+b") as file:
            file.seek(HEADER.size + first * self.width * 4)
            file.truncate()
            file.write(np.ascontiguousarray(rows, dtype="<f4").tobytes())
            file.flush()
            os.fsync(file.fileno())
        return first

    def read(self, rows: Sequence[int]) -> Array:
        """Copies of some rows, in the order asked for: (len(rows), width)."""
        picked: Array = self.matrix()[np.asarray(rows, dtype=np.intp)]
        return picked

    def matrix(self) -> Array:
        """All rows, as a read-only view on the mapped file: (rows, width)."""
        if self._matrix is None:
            count = self.rows
            if self.torn:
                raise ModelError(f"{self.path}: the vectors are cut short", hint=MEND)
            if count == 0:
                return np.zeros((0, self.width), dtype=np.float32)
            with self.path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._mapped = mapped
            flat = np.frombuffer(mapped, "<f4", count * self.width, HEADER.size)
            self._matrix = flat.reshape(count, self.width)
        return self._matrix

    def cosines(self, query: Array) -> Array:
        """The cosine of every row with a unit query: (rows,)."""
        if query.shape != (self.width,):
            raise ModelError(f"a query of {query.shape[0]} numbers against vectors of {self.width}")
        matrix = self.matrix()
        result = np.empty(len(matrix), dtype=np.float32)
        for start in range(0, len(matrix), _BLOCK):
            end = min(start + _BLOCK, len(matrix))
            np.dot(matrix[start:end], query, out=result[start:end])
            self._let_go(end)
        return result

    def _let_go(self, end: int) -> None:
        """Let the system take back the pages up to a row: they stay in its cache, not in our memory."""
        if self._mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
            past = HEADER.size + end * self.width * 4
            self._mapped.madvise(mmap.MADV_DONTNEED, 0, past - past % mmap.PAGESIZE)

    def scan(self, query: Array, k: int) -> list[tuple[int, float]]:
        """The k rows nearest to a unit query, best first, as (row, cosine); exact."""
        return best(self.cosines(query), k)

    def compacted(self, keep: Sequence[int]) -> Compaction:
        """Write a new generation with these rows alone, beside the file; `publish` puts it in place.

        Between the two the caller records the rows under the new `model`, in one transaction: a
        crash at any point then leaves a file and a map that belong together.
        """
        stamp = os.urandom(8).hex()
        temporary = Path(beside(self.path))
        self._publish(temporary, stamp, (self.read(keep[at : at + 4096]) for at in range(0, len(keep), 4096)))
        return Compaction(self, temporary, f"{self.identity}@{stamp}")

    def _publish(self, target: Path, stamp: str, blocks: Iterable[Array]) -> None:
        name = self.identity.encode()[:228]
        with replacing(target, durable=True) as file:
            file.write(HEADER.pack(MAGIC, self.width, stamp.encode(), name))
            for block in blocks:
                file.write(np.ascontiguousarray(block, dtype="<f4").tobytes())
        self.forget()

    def forget(self) -> None:
        """Read the file anew when it is next asked for."""
        super().forget()
        self._matrix = self._mapped = None


class Compaction:
    """A new generation of a VectorFile, written and not yet in place."""

    def __init__(self, vectors: VectorFile, written: Path, model: str) -> None:
        self._vectors = vectors
        self._written = written
        self.model = model

    def publish(self) -> None:
        """Put it in the place of the old generation."""
        os.replace(self._written, self._vectors.path)
        self._vectors.forget()

    def discard(self) -> None:
        """Leave the old generation as it is."""
        self._written.unlink(missing_ok=True)


def best(cosines: Array, k: int, allowed_rows: Iterable[int] | None = None) -> list[tuple[int, float]]:
    """The k greatest of an array, best first (ties by place), as (place, value)."""
    places: npt.NDArray[np.intp] | None = None
    if allowed_rows is not None:
        places = np.fromiter((row for row in allowed_rows if row < len(cosines)), dtype=np.intp)
        cosines = cosines[places]
    if k <= 0 or len(cosines) == 0:
        return []
    everything = k >= len(cosines)
    found = np.arange(len(cosines)) if everything else np.argpartition(cosines, len(cosines) - k)[-k:]
    found = found[np.lexsort((found, -cosines[found]))]
    rows = found if places is None else places[found]
    return list(zip(rows.tolist(), cosines[found].tolist(), strict=True))
