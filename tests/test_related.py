"""What is near in meaning to a note or a passage, found from the vectors alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from kb.cli import main
from kb.errors import ModelError, UnknownNote
from kb.find import Found, related
from kb.knowledge import KnowledgeBase
from kb.search.encode import NumpyEncoder
from kb.search.weights import packaged_model
from tests.notebook import NOTES, write_notebook
from tests.test_find import Searched, searched

EXTRA = {
    "soup.md": "# Soup\n\n* leek and potato soup\n* HN comment: a 12 GB RTX 3060 has VRAM enough for qlora\n"
}


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searched]:
    found = searched(tmp_path_factory.mktemp("near"), {**NOTES, **EXTRA}, NumpyEncoder(packaged_model()))
    yield found
    found.store.close()


def near(notes: Searched, path: str, line: int | None = None, limit: int = 10) -> Found:
    return related(notes.store, notes.semantic, path, line, limit=limit)


def test_near_a_note_are_passages_of_others_best_first(notes: Searched) -> None:
    hits = near(notes, "papers/qlora.md").hits
    assert hits[0].path == "threads/llama-2.md"
    assert all(hit.path != "papers/qlora.md" for hit in hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert [hit.semantic_rank for hit in hits] == sorted(hit.semantic_rank or 0 for hit in hits)


def test_near_a_passage_is_not_the_passage_nor_its_copy(notes: Searched) -> None:
    hits = near(notes, "threads/llama-2.md", 14).hits
    assert hits
    assert not any("12 GB RTX 3060" in hit.text for hit in hits)


def test_a_line_between_two_passages_means_the_one_above(notes: Searched) -> None:
    assert near(notes, "threads/llama-2.md", 900) == near(notes, "threads/llama-2.md", 14)
    assert near(notes, "threads/llama-2.md", 1).hits


def test_the_limit_holds(notes: Searched) -> None:
    assert len(near(notes, "papers/qlora.md", limit=1).hits) == 1


def test_a_note_with_nothing_near_says_so(notes: Searched) -> None:
    found = near(notes, "soup.md", 3)
    assert (found.hits, found.advice) == ((), "nothing is near in meaning")


def test_an_unknown_note_is_told(notes: Searched) -> None:
    with pytest.raises(UnknownNote, match=r"no\.md"):
        near(notes, "no.md")


def test_a_note_that_is_not_embedded_says_what_to_do(tmp_path: Path) -> None:
    found = searched(tmp_path, NOTES, NumpyEncoder(packaged_model()))
    found.store.forget_vectors(found.vectors.model)
    assert "kb sync" in near(found, "papers/qlora.md").advice


def test_without_vectors_it_cannot_run(tmp_path: Path) -> None:
    found = searched(tmp_path, NOTES, NumpyEncoder(packaged_model()))
    found.vectors.path.unlink()
    found.vectors.forget()
    with pytest.raises(ModelError):
        near(found, "papers/qlora.md")


def test_the_command_takes_a_path_from_either_folder_and_prints_hits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_notebook(tmp_path / "notebook")
    monkeypatch.chdir(root / "notes" / "threads")
    answers = []
    for place in ("llama-2.md:14", "threads/llama-2.md:14", str(root / "notes/threads/llama-2.md:14")):
        result = CliRunner().invoke(main, ["related", place, "--json"])
        assert result.exit_code == 0, result.output
        answers.append(json.loads(result.stdout))
    assert answers[0] == answers[1] == answers[2]
    assert set(answers[0][0]) >= {"path", "line", "text", "score", "links"}


def test_an_editor_url_gets_the_place_and_a_file_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_notebook(tmp_path / "note book")
    with KnowledgeBase.open(root) as base:
        assert base.address("a b.md", 3) == f"file://{tmp_path}/note%20book/notes/a%20b.md"
    monkeypatch.setenv("KB_EDITOR_URL", "vscode://file{path}:{line}")
    with KnowledgeBase.open(root) as base:
        assert base.address("x.md", 3) == f"vscode://file{tmp_path}/note%20book/notes/x.md:3"


@pytest.mark.parametrize("line", ["\u00b2", "1" * 5000, "-1", "x"])
def test_what_is_no_line_number_is_a_word_about_the_note_and_no_traceback(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write_notebook(tmp_path / "n"))
    assert CliRunner().invoke(main, ["sync"]).exit_code == 0
    with KnowledgeBase.open() as base:
        if line.isascii() and line.isdigit():
            assert base.related(f"papers/qlora.md:{line}").hits
            assert base.target(f"papers/qlora.md:{line}").line == int(line[:9])
        else:
            for ask in (base.related, base.target):
                with pytest.raises(UnknownNote):
                    ask(f"papers/qlora.md:{line}")
