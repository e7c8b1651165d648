"""A BERT encoder in NumPy, over the weights as they lie in a memory-mapped safetensors file.

Loading it costs reading a header; only the rows of the word table that a text needs are touched.
The shape is that of Devlin et al. 2018 (post-norm, absolute positions, exact GELU), with mean or
CLS pooling and optional dense layers after it, as sentence-transformers saves such models.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kb.errors import ModelError

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
        self.layers: list[_Layer] = []
        for number in range(int(config["num_hidden_layers"])):
            at = f"encoder.layer.{number}"
            self.layers.append(
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
        for layer in self.layers:
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


class Shape(NamedTuple):
    """What a saved sentence-transformers model is made of, as far as this reader can follow.

    `limit` counts tokens, the two special ones included.
    """

    config: Mapping[str, Any]
    transformer: Path
    pooling: str
    dense: tuple[Path, ...]
    limit: int

    @classmethod
    def read(cls, folder: Path) -> Shape:
        """Read the JSON files of a model. ModelError for a missing one or an unknown shape."""
        modules = _read_json(folder / "modules.json")
        places: dict[str, list[Path]] = {}
        for module in modules:
            places.setdefault(str(module["type"]).rpartition(".")[2], []).append(folder / module["path"])
        strange = set(places) - {"Transformer", "Pooling", "Dense", "Normalize"}
        if strange or len(places.get("Transformer", ())) != 1 or len(places.get("Pooling", ())) != 1:
            raise ModelError(
                f"{folder}: a model of modules that only sentence-transformers can run: {modules}"
            )
        transformer = places["Transformer"][0]
        config = _read_json(transformer / "config.json")
        expected = {"model_type": "bert", "hidden_act": "gelu"}
        for name, value in expected.items():
            if config.get(name) != value:
                raise ModelError(
                    f"{folder}: {name} is {config.get(name)!r}; only {value!r} is read without PyTorch"
                )
        if config.get("position_embedding_type", "absolute") != "absolute":
            raise ModelError(f"{folder}: position embeddings are {config['position_embedding_type']!r}")
        settings = transformer / "sentence_bert_config.json"
        limit = (_read_json(settings) if settings.is_file() else {}).get("max_seq_length")
        longest = int(config["max_position_embeddings"])
        return cls(
            config,
            transformer,
            _pooling(places["Pooling"][0]),
            tuple(places.get("Dense", ())),
            min(int(limit or longest), longest),
        )


def _pooling(folder: Path) -> str:
    config = _read_json(folder / "config.json")
    # Older files have one switch a mode, newer ones name the mode.
    modes = [name for name, on in config.items() if name.startswith("pooling_mode_") and on is True]
    mode = config.get("pooling_mode") or (modes[0] if len(modes) == 1 else modes)
    known = {
        "cls": "cls",
        "pooling_mode_cls_token": "cls",
        "mean": "mean",
        "pooling_mode_mean_tokens": "mean",
    }
    if not isinstance(mode, str) or mode not in known:
        raise ModelError(f"{folder}: pooling is {mode!r}; only mean and cls are read without PyTorch")
    return known[mode]


def _read_dense(folder: Path) -> tuple[_Linear, Callable[[Array], Array]]:
    config = _read_json(folder / "config.json")
    activation = str(config.get("activation_function", "")).rpartition(".")[2]
    activations: dict[str, Callable[[Array], Array]] = {"Identity": lambda rows: rows, "Tanh": np.tanh}
    if activation not in activations:
        raise ModelError(f"{folder}: a dense layer with activation {activation!r}")
    tensors = read_safetensors(folder / "model.safetensors")
    return _Linear(tensors["linear.weight"].T, tensors.get("linear.bias")), activations[activation]


def read_prompts(folder: Path) -> tuple[str, str]:
    """What the model wants before a query and before a document; empty where it wants nothing."""
    path = folder / "config_sentence_transformers.json"
    prompts = (_read_json(path) if path.is_file() else {}).get("prompts") or {}
    # sentence-transformers takes the first of these names that a model has.
    document = next((prompts[name] for name in ("document", "passage", "corpus") if prompts.get(name)), "")
    return str(prompts.get("query") or ""), str(document)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: this file of the model cannot be read ({error})") from None


def read_safetensors(path: Path) -> dict[str, Array]:
    """The tensors of a safetensors file, by name; float32 ones are views on the mapped file.

    Format: eight bytes of header length, a JSON header, the data
    (https://huggingface.co/docs/safetensors). ModelError if the file is not that, or cut short.
    """
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        length = int.from_bytes(mapped[:8], "little")
        if length > len(mapped) - 8:
            raise ValueError("its header runs past its end")
        header = json.loads(mapped[8 : 8 + length])
        header.pop("__metadata__", None)
        found: dict[str, Array] = {}
        for name, entry in header.items():
            dtype = _DTYPES.get(entry["dtype"])
            if dtype is None:
                continue
            start, end = entry["data_offsets"]
            if 8 + length + end > len(mapped):
                raise ValueError("it is cut short")
            size = (end - start) // np.dtype(dtype).itemsize
            flat = np.frombuffer(mapped, dtype, size, 8 + length + start)
            found[name] = flat.reshape(entry["shape"]).astype(np.float32, copy=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path}: the model's weights cannot be read ({error})",
            hint="install the model again",
        ) from None
    return found
