"""A BERT encoder in NumPy, over the weights as they lie in a memory-mapped safetensors file.

Loading it costs reading a header; only the rows of the word table that a text needs are touched.
The shape is that of Devlin et al. 2018 (post-norm, absolute positions, exact GELU), with mean or
CLS pooling and optional dense layers after it, as sentence-transformers saves such models.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kb.errors import ModelError
from kb.search.shape import Shape, read_header, read_json, unreadable

Array = npt.NDArray[np.float32]
_FEW = 32
_DTYPES = {"F32": np.float32, "F16": np.float16, "F64": np.float64}


class _Linear(NamedTuple):
    weight: Array  # (in, out): a view on the file's (out, in)
    bias: Array | None

    def __call__(self, rows: Array) -> Array:
        # For the few rows of a query the product is a fifth quicker with the stored matrix first.
        few = len(rows) <= _FEW
        result: Array = np.ascontiguousarray((self.weight.T @ rows.T).T) if few else rows @ self.weight
        if self.bias is not None:
            result += self.bias
        return result


class _Norm(NamedTuple):
    weight: Array
    bias: Array
    epsilon: float

    def __call__(self, rows: Array) -> Array:
        """Normalises `rows` in place and returns it."""
        rows -= rows.mean(axis=-1, keepdims=True)
        variance = np.einsum("ij,ij->i", rows, rows)[:, None] / np.float32(rows.shape[1])
        rows /= np.sqrt(variance + np.float32(self.epsilon))
        rows *= self.weight
        rows += self.bias
        return rows


class _Layer(NamedTuple):
    query: _Linear
    key: _Linear
    value: _Linear
    attended: _Linear
    attended_norm: _Norm
    inner: _Linear
    outer: _Linear
    outer_norm: _Norm


class Bert:
    """Token ids to pooled vectors of unit length."""

    def __init__(self, folder: Path) -> None:
        shape = Shape.read(folder)
        config = shape.config
        tensors = read_safetensors(shape.transformer / "model.safetensors")
        prefix = "bert." if any(name.startswith("bert.") for name in tensors) else ""

        def get(name: str) -> Array:
            try:
                return tensors[prefix + name]
            except KeyError:
                raise ModelError(f"{folder}: the weights have no {prefix + name}") from None

        def linear(name: str) -> _Linear:
            return _Linear(get(f"{name}.weight").T, get(f"{name}.bias"))

        epsilon = float(config["layer_norm_eps"])

        def norm(name: str) -> _Norm:
            return _Norm(get(f"{name}.weight"), get(f"{name}.bias"), epsilon)

        self.limit = shape.limit
        self._words = get("embeddings.word_embeddings.weight")
        self._places = get("embeddings.position_embeddings.weight")
        self._type = get("embeddings.token_type_embeddings.weight")[0]
        self._norm = norm("embeddings.LayerNorm")
        self._heads = int(config["num_attention_heads"])
        self._pooling = shape.pooling
        self._layers: list[_Layer] = []
        for number in range(int(config["num_hidden_layers"])):
            at = f"encoder.layer.{number}"
            self._layers.append(
                _Layer(
                    linear(f"{at}.attention.self.query"),
                    linear(f"{at}.attention.self.key"),
                    linear(f"{at}.attention.self.value"),
                    linear(f"{at}.attention.output.dense"),
                    norm(f"{at}.attention.output.LayerNorm"),
                    linear(f"{at}.intermediate.dense"),
                    linear(f"{at}.output.dense"),
                    norm(f"{at}.output.LayerNorm"),
                )
            )
        self._dense = [_read_dense(path) for path in shape.dense]
        last = self._dense[-1][0].weight if self._dense else self._words
        self.width = int(last.shape[1])

    def __call__(self, texts: Sequence[Sequence[int]]) -> Array:
        """Vectors of texts given as token ids, special tokens included: (len(texts), width).

        The texts are laid end to end, so that no padding is computed; only attention and pooling
        see them one by one.
        """
        lengths = [len(ids) for ids in texts]
        bounds = [(sum(lengths[:n]), sum(lengths[: n + 1])) for n in range(len(lengths))]
        rows = self._words[np.concatenate([np.asarray(ids, dtype=np.intp) for ids in texts])]
        rows = rows + np.concatenate([self._places[:length] for length in lengths])
        rows += self._type
        rows = self._norm(rows)
        for layer in self._layers:
            attended = layer.attended(self._attend(layer, rows, bounds))
            attended += rows
            rows = layer.attended_norm(attended)
            grown = layer.outer(gelu(layer.inner(rows)))
            grown += rows
            rows = layer.outer_norm(grown)
        if self._pooling == "cls":
            pooled = rows[[start for start, _ in bounds]]
        else:
            pooled = np.stack([rows[start:end].mean(axis=0) for start, end in bounds])
        for layer_out, activation in self._dense:
            pooled = activation(layer_out(pooled))
        return unit(pooled)

    def _attend(self, layer: _Layer, rows: Array, bounds: Sequence[tuple[int, int]]) -> Array:
        size = rows.shape[1] // self._heads
        query, key, value = layer.query(rows), layer.key(rows), layer.value(rows)
        query *= np.float32(size**-0.5)
        mixed = np.empty_like(query)
        for start, end in bounds:
            shape = (end - start, self._heads, size)
            heads = [part[start:end].reshape(shape).transpose(1, 0, 2) for part in (query, key, value)]
            scores = heads[0] @ heads[1].transpose(0, 2, 1)
            scores -= scores.max(axis=-1, keepdims=True)
            np.exp(scores, out=scores)
            scores /= scores.sum(axis=-1, keepdims=True)
            mixed[start:end] = (scores @ heads[2]).transpose(1, 0, 2).reshape(end - start, -1)
        return mixed


def gelu(values: Array) -> Array:
    """x * Phi(x), in place, with erf by Abramowitz and Stegun 7.1.26 (absolute error 1.5e-7)."""
    size = np.abs(values)
    size *= np.float32(0.7071067811865476)
    step = np.float32(1) / (np.float32(1) + np.float32(0.3275911) * size)
    tail = step * np.float32(1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail += np.float32(factor)
        tail *= step
    np.multiply(size, size, out=size)
    np.negative(size, out=size)
    np.exp(size, out=size)
    tail *= size  # 1 - erf(|x| / sqrt 2)
    # x * Phi(x) is max(x, 0) - |x| * tail / 2, whichever the sign.
    tail *= np.abs(values)
    tail *= np.float32(0.5)
    np.maximum(values, 0, out=values)
    values -= tail
    return values


def unit(rows: Array) -> Array:
    """Rows scaled to length 1; a row of zeros stays one."""
    size = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    result: Array = rows / np.maximum(size, np.float32(1e-12))
    return result


def _read_dense(folder: Path) -> tuple[_Linear, Callable[[Array], Array]]:
    config = read_json(folder / "config.json")
    activation = str(config.get("activation_function", "")).rpartition(".")[2]
    activations: dict[str, Callable[[Array], Array]] = {"Identity": lambda rows: rows, "Tanh": np.tanh}
    if activation not in activations:
        raise ModelError(f"{folder}: a dense layer with activation {activation!r}")
    tensors = read_safetensors(folder / "model.safetensors")
    return _Linear(tensors["linear.weight"].T, tensors.get("linear.bias")), activations[activation]


def read_safetensors(path: Path) -> dict[str, Array]:
    """The tensors of a safetensors file, by name; float32 ones are views on the mapped file.

    ModelError if the file is no such file, or cut short.
    """
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        found: dict[str, Array] = {}
        # A slice of a map is a copy: the header's length first, then no more than the header.
        head = mapped[: 8 + min(int.from_bytes(mapped[:8], "little"), len(mapped))]
        for name, tensor in read_header(path, head, len(mapped)).items():
            dtype = _DTYPES.get(tensor.dtype)
            if dtype is None:
                continue
            size = (tensor.end - tensor.start) // np.dtype(dtype).itemsize
            flat = np.frombuffer(mapped, dtype, size, tensor.start)
            found[name] = flat.reshape(tensor.shape).astype(np.float32, copy=False)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    return found
