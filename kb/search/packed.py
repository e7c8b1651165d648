"""The engine's own weights, run on texts laid end to end: bulk work without a padded token.

sentence-transformers pads a batch to its longest text and masks what it added. Here the texts of
a batch are one long matrix for every linear layer, and only attention sees them apart, those of
one length together. Two further gains, measured on two cores: weights in the order that oneDNN's
matrix product wants, with GELU in the same pass, and one thread a batch instead of all threads on
each operation of a batch.

The shape is that of `bert`: BERT, absolute positions, exact GELU, pooled by mean or CLS.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from sentence_transformers import SentenceTransformer

from kb.errors import ModelError
from kb.search.encode import batches, share
from kb.search.shape import Shape, read_prompts

_TOKENS = 1024  # of one batch: more than that leaves the processor's cache between two layers
_PACKS = (
    hasattr(torch.ops.mkldnn, "_linear_pointwise") and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]  # as PyTorch left it
)

Tensor = torch.Tensor
Norm = tuple[Tensor, Tensor, float]


class _Run(NamedTuple):
    """Neighbours of one length: where their rows begin, how many texts, how many rows each has."""

    first: int
    texts: int
    length: int


class Packed:
    """Texts to pooled vectors, by the weights that a SentenceTransformer has loaded.

    ModelError for a model of another shape, or one that is not in float32 on the processor.
    """

    def __init__(self, model: SentenceTransformer, folder: Path) -> None:
        shape = Shape.read(folder)
        kinds = [type(module).__name__ for module in model]
        if kinds[:2] != ["Transformer", "Pooling"]:
            raise ModelError(f"{folder}: modules in another order than they are run in here: {kinds}")
        bert: Any = model[0].auto_model
        tensors: dict[str, Tensor] = {name: one.detach() for name, one in bert.named_parameters()}
        if any(one.device.type != "cpu" or one.dtype != torch.float32 for one in tensors.values()):
            raise ModelError(f"{folder}: the model is not in float32 on the processor")
        self._tokenizer: Any = model.tokenizer
        self._limit = min(int(model.max_seq_length or shape.limit), shape.limit)
        self._prompt = read_prompts(folder)[1]
        self._pooling = shape.pooling
        self._after = list(model)[2:]
        self._heads = int(shape.config["num_attention_heads"])
        epsilon = float(shape.config["layer_norm_eps"])

        def norm(name: str) -> Norm:
            return tensors[f"{name}.LayerNorm.weight"], tensors[f"{name}.LayerNorm.bias"], epsilon

        self._words = tensors["embeddings.word_embeddings.weight"]
        # Every text is of the first type.
        types = tensors["embeddings.token_type_embeddings.weight"]
        self._places = tensors["embeddings.position_embeddings.weight"] + types[0]
        self._norm = norm("embeddings")
        layers = range(int(shape.config["num_hidden_layers"]))
        self._layers = [_Layer(tensors, f"encoder.layer.{number}", norm) for number in layers]

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """One row for each text, in order, of the length that the model gives it: (len(texts), width)."""
        tokens = self._tokenizer(
            [self._prompt + text for text in texts], truncation=True, max_length=self._limit
        )
        ids: list[list[int]] = tokens["input_ids"]
        found: list[Tensor | None] = [None] * len(ids)

        def run(batch: list[int]) -> None:
            with torch.inference_mode():
                for number, row in zip(batch, self._embed([ids[number] for number in batch]), strict=True):
                    found[number] = row

        parts = batches([len(one) for one in ids], _TOKENS)
        threads = torch.get_num_threads()
        if min(threads, len(parts)) < 2:
            for part in parts:
                run(part)
        else:
            _each_on_one_thread(run, parts, threads)
        return torch.stack([row for row in found if row is not None])

    def _embed(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """Vectors of texts given as token ids, those of one length side by side."""
        runs: list[_Run] = []
        first = 0
        for length, same in groupby(texts, key=len):
            count = sum(1 for _ in same)
            runs.append(_Run(first, count, length))
            first += count * length
        rows = F.embedding(torch.tensor([token for ids in texts for token in ids]), self._words)
        for run in runs:
            _texts(rows, run).add_(self._places[: run.length])
        rows = _normalised(rows, self._norm)
        for layer in self._layers:
            rows = layer(rows, runs, self._heads)
        pooled = torch.cat([self._pool(_texts(rows, run)) for run in runs])
        features = {"sentence_embedding": pooled}
        for module in self._after:
            features = module(features)
        return features["sentence_embedding"]

    def _pool(self, texts: Tensor) -> Tensor:
        return texts[:, 0] if self._pooling == "cls" else texts.mean(1)


class _Layer:
    def __init__(self, tensors: dict[str, Tensor], at: str, norm: Any) -> None:
        def linear(*names: str) -> _Linear:
            parts = [[tensors[f"{at}.{name}.{kind}"] for name in names] for kind in ("weight", "bias")]
            return _Linear(torch.cat(parts[0]), torch.cat(parts[1]))

        asked = (f"attention.self.{name}" for name in ("query", "key", "value"))
        self._asked = linear(*asked)
        self._attended = linear("attention.output.dense")
        self._attended_norm: Norm = norm(f"{at}.attention.output")
        self._inner = linear("intermediate.dense")
        self._outer = linear("output.dense")
        self._outer_norm: Norm = norm(f"{at}.output")

    def __call__(self, rows: Tensor, runs: Sequence[_Run], heads: int) -> Tensor:
        asked, mixed = self._asked(rows), torch.empty_like(rows)
        for run in runs:
            shape = (run.texts, run.length, 3, heads, -1)
            query, key, value = _texts(asked, run).view(shape).permute(2, 0, 3, 1, 4)
            seen = F.scaled_dot_product_attention(query, key, value)
            _texts(mixed, run).copy_(seen.transpose(1, 2).flatten(2))
        rows = _normalised(self._attended(mixed).add_(rows), self._attended_norm)
        return _normalised(self._outer(self._inner(rows, gelu=True)).add_(rows), self._outer_norm)


class _Linear:
    """A linear layer, its weight laid out for oneDNN where this PyTorch can use one that is."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self._bias = bias
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, _TOKENS) if _PACKS else weight

    def __call__(self, rows: Tensor, *, gelu: bool = False) -> Tensor:
        if _PACKS:
            packed: Tensor = torch.ops.mkldnn._linear_pointwise(
                rows, self._weight, self._bias, "gelu" if gelu else "none", [], "none"
            )
            return packed
        found = F.linear(rows, self._weight, self._bias)
        return F.gelu(found) if gelu else found


def _texts(rows: Tensor, run: _Run) -> Tensor:
    """The rows of a run, text by text, as a view: (texts, rows of each, width)."""
    return rows[run.first : run.first + run.texts * run.length].view(run.texts, run.length, -1)


def _normalised(rows: Tensor, norm: Norm) -> Tensor:
    weight, bias, epsilon = norm
    return F.layer_norm(rows, weight.shape, weight, bias, epsilon)


def _each_on_one_thread(run: Any, parts: Sequence[list[int]], threads: int) -> None:
    """Run the batches side by side, none of them parted among threads; then all is as it was."""

    def alone(part: list[int]) -> None:
        torch.set_num_threads(1)  # holds for the thread that says it
        run(part)

    try:
        share(alone, parts, threads)
    finally:
        torch.set_num_threads(threads)
