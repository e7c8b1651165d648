"""A search reads what changed first, as far as that is quick, and says what is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.errors import StoreError
from kb.knowledge import KnowledgeBase
from kb.knowledge import search as knowledge
from kb.store import lock
from tests.commands import runner
from tests.notebook import write_notebook
from tests.ordinary import as_an_ordinary_user


def paths(base: KnowledgeBase, query: str, mode: str = "keyword") -> tuple[list[str | None], tuple[str, ...]]:
    found = base.search(query, mode=mode)
    return [hit.path for hit in found.hits], found.notices


def test_a_search_finds_what_was_written_since_the_last_sync(notebook: Path) -> None:
    with KnowledgeBase.open(notebook) as base:
        base.sync(embed=False)
        (notebook / "notes" / "new.md").write_text("* marmalade\n")
        (notebook / "notes" / "glossary.md").unlink()
        assert paths(base, "marmalade") == (["new.md"], ())
        assert paths(base, "retrieval-augmented generation passages ground") == ([], ())


def test_a_search_does_not_wait_for_more_notes_than_it_may(
    notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with KnowledgeBase.open(notebook) as base:
        base.sync(embed=False)
        monkeypatch.setattr(knowledge, "REFRESH_NOTES", 1)
        for name in ("one.md", "two.md"):
            (notebook / "notes" / name).write_text("* marmalade\n")
        assert paths(base, "marmalade") == (
            [],
            ("2 notes changed since the last kb sync; not read yet",),
        )


def test_a_search_right_after_a_sync_does_not_call_notes_changed_that_are_not(
    notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with KnowledgeBase.open(notebook) as base:
        base.sync(embed=False)  # within the tick of the notes' own times, so that none is settled
        monkeypatch.setattr(knowledge, "REFRESH_NOTES", 1)
        found, notices = paths(base, "qlora")
    assert found
    assert notices == ()


def test_a_search_by_meaning_says_how_many_passages_wait_for_their_embedding(
    notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with KnowledgeBase.open(notebook) as base:
        base.sync()
        monkeypatch.setattr(knowledge, "REFRESH_PASSAGES", 1)
        (notebook / "notes" / "new.md").write_text("* marmalade\n* jam\n")
        found, notices = paths(base, "marmalade", "hybrid")
        assert found[0] == "new.md"
        assert notices == ("2 passages are not embedded yet and are found by words alone; kb sync",)
        assert paths(base, "marmalade")[1] == ()


def test_a_search_while_another_syncs_uses_what_was_read_before(
    notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knowledge, "REFRESH_WAIT", 0.05)
    with KnowledgeBase.open(notebook) as base:
        base.sync(embed=False)
        (notebook / "notes" / "new.md").write_text("* marmalade qlora\n")
        with lock.hold(base.settings.derived / "lock"):
            found, notices = paths(base, "qlora")
    assert "new.md" not in found
    assert found
    assert "searching what was read before" in notices[0]


@pytest.fixture
def read_only(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A notebook that was read once, and then written to by somebody else than who reads it now."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(open_folder / "no-config"))
    root = write_notebook(open_folder / "notebook")
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
    (root / "notes" / "new.md").write_text("* https://new.example/\n")
    derived = root / ".kb"
    for path in (*derived.iterdir(), derived):
        path.chmod(0o555)
    yield root
    derived.chmod(0o755)


@pytest.mark.parametrize("command", ["links", "stats", "log --since 2000", "export jsonl", "glossary"])
def test_what_was_read_before_is_listed_where_the_notebook_is_read_only(
    command: str,
    notebook: Path,
    read_only: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runner(capsys, monkeypatch, notebook)(*command.split())  # loads modules that the other may not read
    run = runner(capsys, monkeypatch, read_only)

    def answers() -> bool:
        ran = run(*command.split())
        return ran.status == 0 and bool(ran.out) and "this is what was read before" in ran.err

    assert as_an_ordinary_user(answers) == 0


def test_who_cannot_be_told_is_given_nothing_old_for_new(read_only: Path) -> None:
    def refuses() -> bool:
        with KnowledgeBase.open(read_only) as base, pytest.raises(StoreError):
            base.links()
        return True

    assert as_an_ordinary_user(refuses) == 0


def test_a_link_that_a_pattern_ignores_is_shown_as_ignored(notebook: Path) -> None:
    (notebook / "notes" / "new.md").write_text("* marmalade https://a.example/x and https://b.example/y\n")
    (notebook / "kb.toml").write_text('[links]\nignore = ["https://a.example/*"]\n')
    with KnowledgeBase.open(notebook) as base:
        base.sync(embed=False)
        (hit,) = base.search("marmalade", mode="keyword").hits
    assert [link.standing for link in hit.links] == ["ignored", "unchecked"]
