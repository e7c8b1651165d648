"""A model as a browser reads it: int8 by row, the word table in shards of which a query needs a few.

Rows of weights are near to bell-shaped, so 255 steps over a row's own range cost a cosine of .0005
(`bench/browser.py` prints it); four bits would save 4 MB and change one first hit in five.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kb.errors import ModelError
from kb.search.bert import Array, Bert, read_safetensors
from kb.search.browser.parts import Part, part
from kb.search.shape import Shape, read_prompts
from kb.search.wordpiece import WordPiece

SHARDS = 128
"""Parts of the word table: a question of twelve pieces meets some six of them, of 80 kB each."""

_HEARD = 128  # words on which a model is listened to, in less than a second

LARGEST = 32_000_000
"""Weights beside the word table beyond which a model is too large to send to a reader."""

_MATRICES = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
_WIDEST = "output.dense"
_NORMS = ("attention.output.LayerNorm", "output.LayerNorm")


class Model(NamedTuple):
    """A model's files, and `told`: what the browser is told of them."""

    told: dict[str, Any]
    parts: tuple[Part, ...]


class _Rows(NamedTuple):
    """A matrix in int8: each row times its scale is what it was."""

    scales: Array
    rows: npt.NDArray[np.int8]

    @property
    def longest(self) -> Array:
        squares = np.einsum("ij,ij->i", self.rows, self.rows, dtype=np.float64)
        # Rounded up, since the browser's sums are exact only as long as no row is longer.
        return np.array([np.sqrt(squares.max(initial=0.0)) * (1 + 1e-6)], dtype=np.float32)


def quantised(matrix: Array) -> _Rows:
    """Each row in 255 steps over its own range."""
    scales = (np.abs(matrix).max(axis=1) / np.float32(127)).astype("<f4")
    safe = np.where(scales > 0, scales, np.float32(1))[:, None]
    return _Rows(scales, np.rint(matrix / safe).astype(np.int8))


def compact(folder: Path) -> Model:
    """The model in `folder` as the browser reads it. ModelError, saying why, for one that it cannot read."""
    shape = Shape.read(folder)
    pieces = WordPiece.from_folder(shape.transformer)
    _check(folder, shape, pieces)
    config = shape.config
    tensors = read_safetensors(shape.transformer / "model.safetensors")
    prefix = "bert." if any(name.startswith("bert.") for name in tensors) else ""
    tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    try:
        floats, integers = _layers(tensors, _heard(folder, pieces), shape.limit)
        table = tensors["embeddings.word_embeddings.weight"]
    except KeyError as error:
        raise ModelError(f"{folder}: the weights have no {error}") from None
    numbers = np.concatenate(floats).astype("<f4")
    layers = part("layers", numbers.tobytes() + b"".join(one.tobytes() for one in integers), noise=True)
    vocabulary = part("pieces", "\n".join(pieces.pieces()).encode())
    each = -(-len(table) // SHARDS)
    words = [_shard(table[start : start + each]) for start in range(0, len(table), each)]
    told = {
        "hidden": int(config["hidden_size"]),
        "inner": int(config["intermediate_size"]),
        "heads": int(config["num_attention_heads"]),
        "layers": int(config["num_hidden_layers"]),
        "epsilon": float(config["layer_norm_eps"]),
        "positions": shape.limit,
        "floats": len(numbers),
        "prompt": read_prompts(folder)[0],
        "file": layers.entry,
        "pieces": vocabulary.entry,
        "each": each,
        "words": [one.entry for one in words],
    }
    return Model(told, (layers, vocabulary, *words))


def _shard(rows: Array) -> Part:
    found = quantised(rows)
    return part("words", found.scales.tobytes() + found.rows.tobytes(), noise=True)


def _check(folder: Path, shape: Shape, pieces: WordPiece) -> None:
    hidden, inner = int(shape.config["hidden_size"]), int(shape.config["intermediate_size"])
    layers = int(shape.config["num_hidden_layers"])
    reasons = {
        f"it pools by {shape.pooling}, not by the mean": shape.pooling != "mean",
        "it has layers after the pooling": bool(shape.dense),
        "it tells capital letters and accents apart": not pieces.plain,
        "its rows do not come in fours": hidden % 4 != 0,
        "its inner rows are no multiple of the outer ones": inner % hidden != 0,
        "it is too large to send": layers * (4 * hidden + 2 * inner) * hidden > LARGEST,
    }
    for reason, holds in reasons.items():
        if holds:
            raise ModelError(f"{folder}: a browser cannot run this model: {reason}")


class _Ear:
    """A matrix that remembers the mean of what it is given."""

    def __init__(self, matrix: Callable[[Array], Array]) -> None:
        self._matrix = matrix
        self._sum: Array | float = 0.0
        self._count = 0

    def __call__(self, rows: Array) -> Array:
        self._sum = self._sum + rows.sum(axis=0)
        self._count += len(rows)
        return self._matrix(rows)

    @property
    def mean(self) -> Array:
        return np.asarray(self._sum / self._count, dtype=np.float32)


def _heard(folder: Path, pieces: WordPiece) -> list[dict[str, Array]]:
    """For each layer the mean of what its matrices are given, over single words and runs of eight.

    Rounding moves what a matrix gives by as much on all such texts: mostly what the two special
    pieces add, which are in every text and are most of a short one. The biases take that out.
    """
    words = [piece for piece in pieces.pieces() if piece.isascii() and piece.isalpha() and len(piece) > 2]
    some = words[:: max(1, len(words) // _HEARD)]
    ids = [pieces.ids(word) for word in some]
    runs = [list(chain(*ids[at : at + 8])) for at in range(0, len(ids), 8)]
    bert = Bert(folder)
    ears = []
    for number, layer in enumerate(bert.layers):
        one = {name: _Ear(getattr(layer, name)) for name in ("query", "attended", "inner", "outer")}
        bert.layers[number] = layer._replace(**one)  # type: ignore[arg-type]  # called as a matrix is
        ears.append(one)
    bert([[pieces.first, *run, pieces.last] for run in (*ids, *runs)])
    given = ("query", "query", "query", "attended", "inner", "outer")  # key and value hear what query does
    return [{name: one[ear].mean for name, ear in zip(_MATRICES, given, strict=True)} for one in ears]


def _layers(
    tensors: dict[str, Array], heard: list[dict[str, Array]], positions: int
) -> tuple[list[Array], list[npt.NDArray[np.int8]]]:
    """Floats and integers in the order in which `encoder.js` takes them."""
    floats: list[Array] = []
    integers: list[npt.NDArray[np.int8]] = []
    places = quantised(tensors["embeddings.position_embeddings.weight"][:positions])
    floats.append(tensors["embeddings.token_type_embeddings.weight"][0])
    floats += _norm(tensors, "embeddings.LayerNorm")
    floats.append(places.scales)
    integers.append(places.rows)
    for number, means in enumerate(heard):
        at = f"encoder.layer.{number}"
        for name in _MATRICES:
            weight, bias = tensors[f"{at}.{name}.weight"], tensors[f"{at}.{name}.bias"]
            # The widest matrix is cut across its columns: with one scale a row it would lose most.
            width = len(weight) if name == _WIDEST else weight.shape[1]
            for start in range(0, weight.shape[1], width):
                some = weight[:, start : start + width]
                matrix = quantised(some)
                lost = (some - matrix.rows * matrix.scales[:, None]) @ means[name][start : start + width]
                floats += [matrix.longest, matrix.scales, lost if start else bias + lost]
                integers.append(matrix.rows)
        for name in _NORMS:
            floats += _norm(tensors, f"{at}.{name}")
    return floats, integers


def _norm(tensors: dict[str, Array], name: str) -> Iterator[Array]:
    yield tensors[f"{name}.weight"]
    yield tensors[f"{name}.bias"]
