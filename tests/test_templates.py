"""kb new begins a note as the template of its kind has it, and never as one that means something else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.add import template_of
from kb.errors import UsageError
from kb.model import NoteKind, Severity
from kb.notes.parse import parse
from kb.notes.templates import filled
from tests.commands import Run, runner

OWN = """---
title: "{title}"
date: {date}
kind: {kind}
tags: {tags}
rating:
---

# {title}

{tags} "{title}"
"""


@pytest.fixture
def run(notebook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(capsys, monkeypatch, notebook)


@pytest.mark.parametrize("kind", list(NoteKind))
def test_each_kind_has_a_template_that_reads_as_that_kind(kind: NoteKind, tmp_path: Path) -> None:
    template = template_of(tmp_path, kind)
    note = parse(
        "x.md", filled(template.name, template.text, "A title", kind, ("a", "b"), "2026-11-24").encode()
    )
    assert (note.title, note.kind, note.tags, str(note.noted)) == ("A title", kind, ("a", "b"), "2026-11-24")
    assert note.problems == ()


@given(st.text(min_size=1).filter(lambda text: text.split()), st.sampled_from(["# {title}\n", OWN]))
def test_any_title_makes_a_note_of_that_title(title: str, template: str) -> None:
    text = filled("paper.md", template, title, NoteKind.PAPER, ("x",), "2026-11-24")
    note = parse("note.md", text.encode("utf-8", "replace"))
    assert not [one for one in note.problems if one.severity is Severity.ERROR]
    assert (note.kind, note.tags) == (NoteKind.PAPER, ("x",))


def test_a_template_of_the_person_goes_before_kbs_own(run: Run, notebook: Path) -> None:
    (notebook / "templates").mkdir()
    (notebook / "templates" / "paper.md").write_text(OWN)
    ran = run("new", 'Form: "not" {date} facts', "--kind", "paper", "-t", "qlora", "--no-edit")
    assert ran.status == 0
    text = (notebook / ran.out.strip()).read_text()
    note = parse("x.md", text.encode())
    assert note.title == 'Form: "not" {date} facts'
    assert note.tags == ("qlora",)
    assert text.endswith('#qlora "Form: "not" \\{date\\} facts"\n')
    assert "rating:\n" in text


def test_a_notebook_of_adopted_notes_keeps_its_templates_out_of_them(run: Run, notebook: Path) -> None:
    (notebook / ".templates").mkdir()
    (notebook / ".templates" / "note.md").write_text("mine: {title}\n")
    ran = run("new", "A walrus", "--no-edit")
    assert (notebook / ran.out.strip()).read_text().endswith("---\n\nmine: A walrus\n")


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("---\ntitle: other\nkind: paper\ntags: {tags}\n---\n", "without the title"),
        ("---\ntitle: {title}\ntags: {tags}\n---\n", "without the kind"),
        ("---\ntitle: {title}\nkind: paper\n---\n", "no place for tags"),
        ("---\ntitle: [{title}\n---\n", "cannot be read"),
    ],
)
def test_a_template_that_makes_another_note_is_told_and_nothing_written(
    run: Run, notebook: Path, template: str, words: str
) -> None:
    (notebook / "templates").mkdir()
    (notebook / "templates" / "paper.md").write_text(template)
    before = sorted(notebook.rglob("*.md"))
    ran = run("new", "QLoRA again", "-k", "paper", "-t", "x", "--no-edit")
    assert ran.status == 2
    assert "templates/paper.md" in ran.err
    assert words in ran.err
    assert sorted(notebook.rglob("*.md")) == before


def test_a_template_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "note.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read as a template"):
        template_of(tmp_path, NoteKind.NOTE)
