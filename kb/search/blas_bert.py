"""The encoder of `bert` for one short text, over BLAS alone: done before numpy would be imported.

What BLAS cannot say (the exponential of softmax, GELU) is done in Python, two milliseconds a token;
past LONGEST tokens importing numpy is quicker. Weights are read where they lie in the mapped file.
"""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Sequence
from ctypes import addressof, c_char, memmove
from math import erfc, exp, sqrt
from operator import mul
from pathlib import Path

from kb.errors import ModelError
from kb.search.blas import Blas, Floats, floats, place
from kb.search.shape import Shape, read_header, unreadable

LONGEST = 40
"""Tokens of a text up to which this takes less than importing numpy."""

_ROOT = -sqrt(0.5)
_KEYS = ("query", "key", "value")


class BlasBert:
    """Token ids of one text to its pooled vector of unit length."""

    def __init__(self, folder: Path, shape: Shape, blas: Blas) -> None:
        """ModelError for weights that cannot be read, or are of a shape for `bert` alone."""
        config = shape.config
        if shape.dense:
            raise ModelError(f"{folder}: a model with dense layers")
        self._blas = blas
        self._pooling = shape.pooling
        self._heads = int(config["num_attention_heads"])
        self._layers = int(config["num_hidden_layers"])
        self._inner = int(config["intermediate_size"])
        self._epsilon = float(config["layer_norm_eps"])
        self.width = int(config["hidden_size"])
        self._ones = array("f", [1.0]) * self.width
        path = shape.transformer / "model.safetensors"
        try:
            with path.open("rb") as file:
                # Private, so that Python gives its address; nothing is written to it.
                self._mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        except (OSError, ValueError) as error:
            raise unreadable(path, error) from None
        size = len(self._mapped)
        head = self._mapped[: 8 + min(int.from_bytes(self._mapped[:8], "little"), size)]
        self._tensors = read_header(path, head, size)
        self._prefix = "bert." if any(name.startswith("bert.") for name in self._tensors) else ""
        self._path = path
        self._start = addressof(c_char.from_buffer(self._mapped))

    def __call__(self, ids: Sequence[int]) -> Floats[float]:
        """The vector of a text given as token ids, special tokens included: (width,)."""
        count, width, blas = len(ids), self.width, self._blas
        size = count * width
        rows, other = floats(size), floats(size)
        words = self._at("embeddings.word_embeddings.weight", int(max(ids) + 1), width)
        kind = self._at("embeddings.token_type_embeddings.weight", 1, width)
        memmove(place(other), self._at("embeddings.position_embeddings.weight", count, width), 4 * size)
        for number, token in enumerate(ids):
            row = place(other) + 4 * width * number
            blas.add(width, words + 4 * width * token, row)
            blas.add(width, kind, row)
        self._norm("embeddings.LayerNorm", count, other, rows)
        for layer in range(self._layers):
            at = f"encoder.layer.{layer}."
            self._spread(f"{at}attention.output.dense.bias", count, other, rows)
            self._linear(f"{at}attention.output.dense", count, self._attend(at, count, rows), other)
            self._norm(f"{at}attention.output.LayerNorm", count, other, rows)
            grown = self._gelu(f"{at}intermediate.dense", count, rows)
            self._spread(f"{at}output.dense.bias", count, other, rows)
            self._linear(f"{at}output.dense", count, grown, other, scale=_ROOT)
            self._norm(f"{at}output.LayerNorm", count, other, rows)
        if self._pooling == "cls":
            pooled = rows[:width]
        else:
            pooled, weights = floats(width), array("f", [1.0]) * count
            blas.sum_of_rows(count, width, place(rows), place(weights), place(pooled), 1 / count)
        length = max(blas.length(width, place(pooled)), 1e-12)
        return array("f", [number / length for number in pooled])

    def _attend(self, at: str, count: int, rows: Floats[float]) -> Floats[float]:
        width, heads, blas = self.width, self._heads, self._blas
        each = width // heads
        parts = []
        for name in _KEYS:
            part = floats(count * width)
            self._spread(f"{at}attention.self.{name}.bias", count, part)
            self._linear(f"{at}attention.self.{name}", count, rows, part)
            parts.append(part)
        query, key, value = map(place, parts)
        scores, mixed = floats(heads * count * count), floats(count * width)
        square, step = 4 * count * count, 4 * each
        for head in range(heads):
            left, right, out = query + head * step, key + head * step, place(scores) + head * square
            blas.product(count, count, each, left, width, right, width, out, count, scale=each**-0.5)
        shares = _softmax(scores, count)
        for head in range(heads):
            left, right, out = place(shares) + head * square, value + head * step, place(mixed) + head * step
            blas.product(count, each, count, left, count, right, width, out, width, transposed=False)
        return mixed

    def _gelu(self, name: str, count: int, rows: Floats[float]) -> Floats[float]:
        """GELU of a linear layer, but for a factor of -sqrt(1/2).

        x * Phi(x) is -sqrt(1/2) * z * erfc(z) with z = -sqrt(1/2) * x, and both factors are left
        to the matrix products before and after, so that two passes over the numbers are enough.
        """
        inner = floats(count * self._inner)
        self._spread(f"{name}.bias", count, inner)
        self._linear(name, count, rows, inner, scale=_ROOT, keep=_ROOT)
        numbers = inner.tolist()
        return array("f", list(map(mul, numbers, map(erfc, numbers))))

    def _linear(
        self,
        name: str,
        count: int,
        rows: Floats[float],
        out: Floats[float],
        *,
        scale: float = 1.0,
        keep: float = 1.0,
    ) -> None:
        """out = scale * rows @ weight + keep * out."""
        taken, given = len(rows) // count, len(out) // count
        weight = self._at(f"{name}.weight", given, taken)
        self._blas.product(
            *(count, given, taken, place(rows), taken, weight, taken, place(out), given),
            scale=scale,
            keep=keep,
        )

    def _spread(self, name: str, count: int, out: Floats[float], rows: Floats[float] | None = None) -> None:
        """Every row of `out` becomes a bias, on top of `rows` where these are given."""
        width = len(out) // count
        bias = self._at(name, width)
        if rows is not None:
            memmove(place(out), place(rows), 4 * len(out))
        for row in range(place(out), place(out) + 4 * len(out), 4 * width):
            if rows is None:
                memmove(row, bias, 4 * width)
            else:
                self._blas.add(width, bias, row)

    def _norm(self, name: str, count: int, rows: Floats[float], out: Floats[float]) -> None:
        """out = the rows, each with mean 0 and variance 1, times a weight plus a bias. `rows` are spent."""
        width, blas, ones = self.width, self._blas, place(self._ones)
        weight, bias = self._at(f"{name}.weight", width), self._at(f"{name}.bias", width)
        means = floats(count)
        blas.rows_by(count, width, place(rows), ones, place(means), 1 / width)
        blas.subtract_from_rows(count, width, place(rows), place(means), ones)
        for number in range(count):
            row, to = place(rows) + 4 * width * number, place(out) + 4 * width * number
            variance = blas.length(width, row) ** 2 / width
            memmove(to, bias, 4 * width)
            blas.add_times(width, row, weight, to, 1 / sqrt(variance + self._epsilon))

    def _at(self, name: str, *least: int) -> int:
        """The address of a tensor of float32, which has at least these numbers of rows and columns."""
        tensor = self._tensors.get(self._prefix + name)
        if tensor is None:
            raise ModelError(f"{self._path}: the weights have no {self._prefix + name}")
        wanted = tensor.shape[:1] >= least[:1] and tensor.shape[1:] == least[1:]
        whole = tensor.end - tensor.start == 4 * _product(tensor.shape)
        if tensor.dtype != "F32" or not wanted or not whole:
            raise ModelError(f"{self._path}: {name} is {tensor.dtype} of {tensor.shape}")
        return self._start + tensor.start


def _softmax(scores: Floats[float], count: int) -> Floats[float]:
    """Each row of `count` scores as shares of 1."""
    shares = array("f")
    for start in range(0, len(scores), count):
        row = scores[start : start + count]
        most = max(row)
        grown = [exp(score - most) for score in row]
        total = sum(grown)
        shares.extend([one / total for one in grown])
    return shares


def _product(shape: Sequence[int]) -> int:
    whole = 1
    for size in shape:
        whole *= size
    return whole
