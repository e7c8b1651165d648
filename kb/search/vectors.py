"""Vectors on disk: one flat float32 file a model, memory-mapped, scanned exactly.

The store knows which passage a row belongs to; the file knows rows alone. So that the two can
never be mismatched, each file carries a random stamp, and `VectorFile.model` (identity and
stamp) is the name under which the store keeps its map of rows: a file that was deleted, made
anew or compacted has another stamp, and rows of an older one mean nothing to it. Rows that were
written and never recorded lie there unused; rows recorded past the file's end are for `sync` to
forget (`VectorFile.rows` tells where it ends).

Exact, because it can be: a million rows of 384 take 67 ms, and an index would have to be loaded.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kb.errors import ModelError
from kb.temporary import beside

Array = npt.NDArray[np.float32]
# magic, width, stamp, identity; padded to a multiple of 64 so that rows lie aligned.
_HEADER = struct.Struct("<8sI16s228s")
_MAGIC = b"kbvec\x00\x00\x01"
_BLOCK = 4096  # rows scanned before their pages are let go: 6 MiB of 384 numbers
_MEND = "kb sync   embeds what is missing"


def vector_path(folder: Path, identity: str) -> Path:
    """Where the vectors of a model lie in the folder of derived data."""
    return folder / f"vectors-{identity}.f32"


class VectorFile:
    """The vectors of one model. Cheap to make; the file is read when it is first needed."""

    def __init__(self, path: Path, identity: str, width: int) -> None:
        self.path = path
        self.identity = identity
        self.width = width
        self._stamp: str | None = None
        self._matrix: Array | None = None
        self._mapped: mmap.mmap | None = None

    @classmethod
    def open(cls, path: Path, identity: str) -> VectorFile:
        """The vectors that lie at `path`, as wide as their header says. ModelError if there are none."""
        try:
            with path.open("rb") as file:
                data = file.read(_HEADER.size)
        except OSError:
            data = b""
        width = _HEADER.unpack(data)[1] if len(data) == _HEADER.size else 0
        found = cls(path, identity, width)
        _ = found.model
        return found

    @property
    def model(self) -> str:
        """What the store files this file's rows under. ModelError as for `rows`."""
        if self._stamp is None:
            self._stamp = self._read_stamp()
        return f"{self.identity}@{self._stamp}"

    @property
    def rows(self) -> int:
        """How many whole rows there are. ModelError if the file is missing or not what it should be."""
        _ = self.model
        return (self._size() - _HEADER.size) // (self.width * 4)

    def holds(self, needed: Callable[[str], int]) -> bool:
        """Whether the file is sound and has the rows that a map under its `model` speaks of."""
        try:
            return needed(self.model) <= self.rows and not self._torn
        except ModelError:
            return False

    @property
    def _torn(self) -> bool:
        """Whether the last row is not whole."""
        return (self._size() - _HEADER.size) % (self.width * 4) != 0

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
        if self._torn:  # by a crash in the middle of a row
            os.truncate(self.path, _HEADER.size + self.rows * self.width * 4)
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
            file.seek(_HEADER.size + first * self.width * 4)
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
            if self._torn:
                raise ModelError(f"{self.path}: the vectors are cut short", hint=_MEND)
            if count == 0:
                return np.zeros((0, self.width), dtype=np.float32)
            with self.path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._mapped = mapped
            flat = np.frombuffer(mapped, "<f4", count * self.width, _HEADER.size)
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
            past = _HEADER.size + end * self.width * 4
            self._mapped.madvise(mmap.MADV_DONTNEED, 0, past - past % mmap.PAGESIZE)

    def scan(
        self, query: Array, k: int, allowed_rows: Iterable[int] | None = None
    ) -> list[tuple[int, float]]:
        """The k rows nearest to a unit query, best first, as (row, cosine); exact."""
        return best(self.cosines(query), k, allowed_rows)

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
        temporary = Path(beside(target))
        name = self.identity.encode()[:228]
        with temporary.open("wb") as file:
            file.write(_HEADER.pack(_MAGIC, self.width, stamp.encode(), name))
            for block in blocks:
                file.write(np.ascontiguousarray(block, dtype="<f4").tobytes())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        self._forget()

    def _forget(self) -> None:
        self._stamp = self._matrix = self._mapped = None

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError:
            return _HEADER.size

    def _read_stamp(self) -> str:
        try:
            with self.path.open("rb") as file:
                data = file.read(_HEADER.size)
        except FileNotFoundError:
            raise ModelError("nothing is embedded yet for this model", hint=_MEND) from None
        except OSError as error:
            raise ModelError(f"{self.path}: the vectors cannot be read ({error.strerror})") from None
        if len(data) < _HEADER.size:
            raise ModelError(f"{self.path}: the vectors are cut short", hint=_MEND)
        magic, width, stamp, name = _HEADER.unpack(data)
        if magic != _MAGIC:
            raise ModelError(f"{self.path}: not a file of vectors", hint=_MEND)
        identity = name.rstrip(b"\x00").decode("utf-8", "replace")
        if width != self.width or identity != self.identity:
            raise ModelError(
                f"{self.path}: vectors of {identity} with {width} numbers each, "
                f"while the model is {self.identity} with {self.width}",
                hint=_MEND,
            )
        found: str = stamp.decode("ascii", "replace")
        return found


class Compaction:
    """A new generation of a VectorFile, written and not yet in place."""

    def __init__(self, vectors: VectorFile, written: Path, model: str) -> None:
        self._vectors = vectors
        self._written = written
        self.model = model

    def publish(self) -> None:
        """Put it in the place of the old generation."""
        os.replace(self._written, self._vectors.path)
        self._vectors._forget()

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
