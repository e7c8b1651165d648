"""A file of vectors as far as its header tells: without numpy, so that a search can judge it first.

The store knows which passage a row belongs to; the file knows rows alone. So that the two can
never be mismatched, each file carries a random stamp, and `Sidecar.model` (identity and stamp) is
the name under which the store keeps its map of rows: a file that was deleted, made anew or
compacted has another stamp, and rows of an older one mean nothing to it. Vectors are derived: a
damaged file is replaced by the next sync, and what it held is embedded again.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Self

from kb.errors import ModelError

# magic, width, stamp, identity; padded to a multiple of 64 so that rows lie aligned.
HEADER = struct.Struct("<8sI16s228s")
MAGIC = b"kbvec\x00\x00\x01"
MEND = "kb sync   embeds what is missing"


def vector_path(folder: Path, identity: str) -> Path:
    """Where the vectors of a model lie in the folder of derived data."""
    return folder / f"vectors-{identity}.f32"


class Sidecar:
    """The header and the length of a file of vectors: float32, `width` to a row, row after row."""

    def __init__(self, path: Path, identity: str, width: int) -> None:
        self.path = path
        self.identity = identity
        self.width = width
        self._stamp: str | None = None

    @classmethod
    def open(cls, path: Path, identity: str) -> Self:
        """The vectors that lie at `path`, as wide as their header says. ModelError if there are none."""
        try:
            with path.open("rb") as file:
                data = file.read(HEADER.size)
        except OSError:
            data = b""
        width = HEADER.unpack(data)[1] if len(data) == HEADER.size else 0
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
        return (self._size() - HEADER.size) // (self.width * 4)

    def holds(self, needed: Callable[[str], int]) -> bool:
        """Whether the file is sound and has the rows that a map under its `model` speaks of."""
        try:
            return needed(self.model) <= self.rows and not self.torn
        except ModelError:
            return False

    @property
    def torn(self) -> bool:
        """Whether the last row is not whole."""
        return (self._size() - HEADER.size) % (self.width * 4) != 0

    def forget(self) -> None:
        """Read the header anew when it is next asked for."""
        self._stamp = None

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError:
            return HEADER.size

    def _read_stamp(self) -> str:
        try:
            with self.path.open("rb") as file:
                data = file.read(HEADER.size)
        except FileNotFoundError:
            raise ModelError("nothing is embedded yet for this model", hint=MEND) from None
        except OSError as error:
            raise ModelError(f"{self.path}: the vectors cannot be read ({error.strerror})") from None
        if len(data) < HEADER.size:
            raise ModelError(f"{self.path}: the vectors are cut short", hint=MEND)
        magic, width, stamp, name = HEADER.unpack(data)
        if magic != MAGIC:
            raise ModelError(f"{self.path}: not a file of vectors", hint=MEND)
        identity = name.rstrip(b"\x00").decode("utf-8", "replace")
        if width != self.width or identity != self.identity:
            raise ModelError(
                f"{self.path}: vectors of {identity} with {width} numbers each, "
                f"while the model is {self.identity} with {self.width}",
                hint=MEND,
            )
        found: str = stamp.decode("ascii", "replace")
        return found
