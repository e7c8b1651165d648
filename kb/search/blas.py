"""Matrix products without numpy: the BLAS that numpy brings along, called through ctypes.

Importing numpy takes 60 ms, half of a whole cold search; loading the library under it takes 3.
numpy's wheels carry OpenBLAS with its C interface under names of their own. Where there is none
(a numpy built otherwise, another system), `load` says so and the NumPy readers do the work.
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Callable
from ctypes import CDLL, c_float, c_int, c_int64, c_void_p
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

# Where numpy's wheels keep it, beside or in the package: Linux, then macOS.
_PLACES = (("..", "numpy.libs"), (".dylibs",))
_NAME = "libscipy_openblas64_"  # its integers have 64 bits
_ROW_MAJOR, _AS_IT_IS, _TRANSPOSED, _UPPER = 101, 111, 112, 121

Floats = array  # of type "f"


class Blas:
    """Single-precision routines on addresses in memory. Matrices lie row by row.

    Every call lets go of the interpreter while it runs.
    """

    def __init__(self, library: CDLL) -> None:
        i, n, f, p = c_int, c_int64, c_float, c_void_p
        self._gemm = _routine(library, "gemm", i, i, i, n, n, n, f, p, n, p, n, f, p, n)
        self._gemv = _routine(library, "gemv", i, i, n, n, f, p, n, p, n, f, p, n)
        self._ger = _routine(library, "ger", i, n, n, f, p, n, p, n, p, n)
        self._sbmv = _routine(library, "sbmv", i, i, n, n, f, p, n, p, n, f, p, n)
        self._axpy = _routine(library, "axpy", n, f, p, n, p, n)
        self._nrm2 = _routine(library, "nrm2", n, p, n, result=c_float)

    def product(
        self,
        rows: int,
        columns: int,
        inner: int,
        left: int,
        left_step: int,
        right: int,
        right_step: int,
        out: int,
        out_step: int,
        *,
        scale: float = 1.0,
        keep: float = 0.0,
        transposed: bool = True,
    ) -> None:
        """out = scale * left @ right + keep * out; `right` is (columns, inner) unless not `transposed`.

        A step is how many numbers lie between the beginnings of two rows.
        """
        how = _TRANSPOSED if transposed else _AS_IT_IS
        self._gemm(
            *(_ROW_MAJOR, _AS_IT_IS, how, rows, columns, inner, scale, left, left_step),
            *(right, right_step, keep, out, out_step),
        )

    def rows_by(self, rows: int, width: int, matrix: int, vector: int, out: int, scale: float = 1.0) -> None:
        """out (rows,) = scale * matrix @ vector."""
        self._gemv(_ROW_MAJOR, _AS_IT_IS, rows, width, scale, matrix, width, vector, 1, 0.0, out, 1)

    def sum_of_rows(self, rows: int, width: int, matrix: int, weights: int, out: int, scale: float) -> None:
        """out (width,) = scale * weights @ matrix."""
        self._gemv(_ROW_MAJOR, _TRANSPOSED, rows, width, scale, matrix, width, weights, 1, 0.0, out, 1)

    def subtract_from_rows(self, rows: int, width: int, matrix: int, what: int, ones: int) -> None:
        """Take from every number of a row that row's number in `what`."""
        self._ger(_ROW_MAJOR, rows, width, -1.0, what, 1, ones, 1, matrix, width)

    def add(self, size: int, what: int, out: int) -> None:
        """out += what."""
        self._axpy(size, 1.0, what, 1, out, 1)

    def add_times(self, size: int, what: int, factors: int, out: int, scale: float) -> None:
        """out += scale * what * factors, number by number: a product with a diagonal matrix."""
        self._sbmv(_ROW_MAJOR, _UPPER, size, 0, scale, factors, 1, what, 1, 1.0, out, 1)

    def length(self, size: int, of: int) -> float:
        """The Euclidean length of a vector."""
        return float(self._nrm2(size, of, 1))


def floats(size: int) -> Floats[float]:
    """So many zeros, side by side."""
    return array("f", bytes(4 * size))


def place(numbers: Floats[float]) -> int:
    """The address of an array, which must live as long as it is used."""
    return numbers.buffer_info()[0]


def load() -> Blas | None:
    """The BLAS that numpy brings along; None if none is found that this module knows."""
    if sys.byteorder != "little":  # weights and vectors lie in files as little-endian numbers
        return None
    spec = PathFinder.find_spec("numpy")
    if spec is None or spec.origin is None:
        return None
    for parts in _PLACES:
        folder = Path(spec.origin).parent.joinpath(*parts)
        try:
            names = [name for name in os.listdir(folder) if name.startswith(_NAME)]
            if names:
                return Blas(CDLL(str(folder / names[0])))
        except (OSError, AttributeError):  # no such folder, no library, or one without those routines
            continue
    return None


def _routine(library: CDLL, name: str, *takes: Any, result: Any = None) -> Callable[..., Any]:
    found = getattr(library, f"scipy_cblas_s{name}64_")
    found.argtypes, found.restype = takes, result
    routine: Callable[..., Any] = found
    return routine
