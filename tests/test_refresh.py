"""A search reads what changed first, as far as that is quick, and says what is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb.knowledge import KnowledgeBase
from kb.knowledge import search as knowledge
from kb.store import lock


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


def test_a_link_that_a_pattern_ignores_is_shown_as_ignored(notebook: Path) -> None:
    (notebook / "notes" / "new.md").write_text("* marmalade https://a.example/x and https://b.example/y\n")
    (notebook / "kb.toml").write_text('[links]\nignore = ["https://a.example/*"]\n')
    with KnowledgeBase.open(notebook) as base:
        base.sync(embed=False)
        (hit,) = base.search("marmalade", mode="keyword").hits
    assert [link.standing for link in hit.links] == ["ignored", "unchecked"]
