"""What a note says of itself, above all that it is private."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb.knowledge import KnowledgeBase
from kb.notes.parse import parse
from tests.notebook import write_notebook


def told(front: str, path: str = "n.md") -> tuple[bool, bool, list[str]]:
    note = parse(path, f"---\n{front}\n---\nx\n".encode())
    return note.private, note.draft, [f"{one.line}: {one.message}" for one in note.problems]


@pytest.mark.parametrize("value", ["true", "True", "TRUE"])
def test_private_and_draft_are_read(value: str) -> None:
    assert told(f"private: {value}") == (True, False, [])
    assert told(f"draft: {value}") == (False, True, [])


@pytest.mark.parametrize("value", ["false", "no", "No", "off", "0", '"false"', "", "null", "~", '""'])
def test_a_plain_no_is_a_no(value: str) -> None:
    assert told(f"private: {value}\ndraft: {value}") == (False, False, [])


@pytest.mark.parametrize(
    "value", ["yes", '"yes"', '"true"', "1", "y", "maybe", "[false]", "{a: no}", "2023-01-01"]
)
def test_what_is_no_plain_no_counts_as_a_yes_and_is_said(value: str) -> None:
    private, draft, problems = told(f"title: T\nprivate: {value}\ndraft: {value}")
    assert (private, draft) == (True, True)
    assert [problem.split(":")[0] for problem in problems] == ["3", "4"]
    assert "counts as private" in problems[0]


def test_the_key_counts_in_any_case() -> None:
    assert told("Private: true\nDRAFT: true")[:2] == (True, True)


@pytest.mark.parametrize("value", ["false", '"false"', "no"])
def test_what_is_not_published_is_a_draft(value: str) -> None:
    assert told(f"published: {value}")[1]


@pytest.mark.parametrize(
    ("front", "line"),
    [
        ("title: [\nprivate: true", 3),
        ("private: true\nprivate: true", 2),
        ("a: &x 1\n'private': no", 3),
        ("title: a: b\n{private: true}", 3),
        (f"private: true\nx: {'y' * 20_000}", 2),
    ],
)
def test_in_broken_front_matter_the_word_is_enough(front: str, line: int) -> None:
    private, draft, problems = told(front)
    assert (private, draft) == (True, False)
    assert f"{line}: private: stands in front matter that cannot be read" in " ".join(problems)


def test_front_matter_without_an_end_hides_nothing() -> None:
    note = parse("n.md", b"---\r\ntitle: x\r\ndraft: yes\r\nwords of it\r\n")
    assert (note.private, note.draft) == (False, True)


def test_a_word_in_the_body_makes_nothing_private() -> None:
    note = parse("n.md", b"---\ntitle: [\n---\nprivate: true\n")
    assert not note.private


@pytest.mark.parametrize("path", ["private/n.md", "a/Private/n.md"])
def test_a_note_under_a_folder_of_that_name_is_private(path: str) -> None:
    assert told("title: T", path)[0]
    assert not told("title: T", "private.md")[0]


def test_links_of_a_note_that_may_be_private_stay_out_of_the_shared_ledger(tmp_path: Path) -> None:
    notes = {
        "a.md": '---\nprivate: "yes"\n---\n[a](http://127.0.0.1:9/secret-a)\n',
        "b.md": "---\nprivate: true\ntitle: [\n---\n[b](http://127.0.0.1:9/secret-b)\n",
        "c.md": "[c](http://127.0.0.1:9/open)\n",
    }
    with KnowledgeBase.open(write_notebook(tmp_path / "n", notes)) as base:
        for name in ("secret-a", "secret-b", "open"):
            base.ignore(f"http://127.0.0.1:9/{name}")
        assert "open" in base.settings.ledger.read_text()
        assert "secret" not in base.settings.ledger.read_text()
        assert base.settings.private_ledger.read_text().count("secret") == 2
        assert "secret" not in "".join(page.markdown for page in base.publish().pages)
