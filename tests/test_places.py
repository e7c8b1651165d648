from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.places import Places, addressed, meetings, read_wikilink

PLACES = Places(
    [
        ("python.md", "Python setup", ("environment",)),
        ("papers/qlora.md", "QLoRA: a paper", ()),
        ("2023/setup.md", "Old setup", ()),
        ("2024/setup.md", "New setup", ()),
        ("deep/index.md", "Deep", ()),
    ],
    ["img/a.png"],
)


@pytest.mark.parametrize(
    ("here", "address", "found"),
    [
        ("papers/qlora.md", "../python.md", "python.md"),
        ("papers/qlora.md", "/python", "python.md"),
        ("papers/qlora.md", "../python/", "python.md"),
        ("papers/qlora.md", "../python.html", "python.md"),
        ("python.md", "deep", "deep/index.md"),
        ("python.md", "papers/qlora.md", "papers/qlora.md"),
        ("python.md", "img/a.png", "img/a.png"),
        ("python.md", "nowhere.md", None),
        ("python.md", "../../../etc/passwd", None),
    ],
)
def test_an_address_means_a_file_or_the_page_of_one(here: str, address: str, found: str | None) -> None:
    assert PLACES.at(here, address) == found


@pytest.mark.parametrize(
    ("here", "name", "found"),
    [
        ("papers/qlora.md", "python", "python.md"),
        ("python.md", "qlora", "papers/qlora.md"),
        ("python.md", "papers/QLoRA", "papers/qlora.md"),
        ("python.md", "QLoRA: a paper", "papers/qlora.md"),
        ("papers/qlora.md", "Python  Setup", "python.md"),
        ("papers/qlora.md", "Environment", "python.md"),
        ("2024/setup.md", "setup", "2024/setup.md"),
        ("2023/x.md", "setup", "2023/setup.md"),
        ("python.md", "2024/setup", "2024/setup.md"),
        ("python.md", "", "python.md"),
        ("python.md", "nothing of the kind", None),
    ],
)
def test_a_wikilink_names_a_note_by_path_file_title_or_alias(here: str, name: str, found: str | None) -> None:
    assert PLACES.named(here, name) == found


@pytest.mark.parametrize(
    ("target", "words", "parts"),
    [
        ("Note", None, ("Note", "", "Note")),
        ("Note#A heading", None, ("Note", "A heading", "Note > A heading")),
        ("Note#A#B", "words", ("Note", "B", "words")),
        ("#Here", None, ("", "Here", "Here")),
        ("Note#^block", None, ("Note", "", "Note > ^block")),
    ],
)
def test_a_wikilink_is_taken_apart(target: str, words: str | None, parts: tuple[str, str, str]) -> None:
    assert tuple(read_wikilink(target, words)) == parts


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_address_or_name_leads_out_of_the_notes(here: str, address: str) -> None:
    for found in (PLACES.at(here, address), PLACES.named("python.md", address)):
        assert found is None or found in PLACES


def test_only_paths_of_the_site_are_given_addresses() -> None:
    html = '<a href="kb:a%20b.md#x">kb:a.md</a> <a href="https://a.example/kb:c">c</a>'
    asked: list[str] = []

    def address(path: str) -> str:
        asked.append(path)
        return "../a&b/"

    assert addressed(html, address).startswith('<a href="../a&amp;b/#x">kb:a.md</a>')
    assert asked == ["a b.md"]


def test_pages_that_would_have_one_address_are_told() -> None:
    paths = [
        "a.md",
        "a/index.md",
        "b.md",
        "b.MD",
        "c/README.md",
        "c.markdown",
        "d/e.md",
        "index.md",
        "x/a.md",
    ]
    assert meetings(paths) == [("a.md", "a/index.md"), ("b.md", "b.MD"), ("c.markdown", "c/README.md")]
