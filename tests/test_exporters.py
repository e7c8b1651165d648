"""What is exported can be read by others, and by kb again."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kb import urls
from kb.errors import NoteUnwritable, UsageError
from kb.knowledge import KnowledgeBase
from kb.model import Facts, Key, LinkKind, LinkRecord, Mention, Note, Span, When
from kb.notes.importers import Imported, named
from kb.notes.importers.marks import Mark, imported
from kb.notes.parse import parse
from kb.transfer import export, writing
from tests.notebook import write_notebook

FORMATS = {"jsonl": "x.jsonl", "csv": "x.csv", "bookmarks": "x.html", "bibtex": "x.bib"}


def records(notes: Iterable[Note]) -> list[LinkRecord]:
    """The links of notes, as a store would tell them."""
    found: dict[Key, LinkRecord] = {}
    for note in notes:
        for passage in note.passages:
            for link in passage.links:
                key = urls.key(link.url)
                kind = urls.link_kind(link.url, link.anchor)
                one = found.setdefault(key, LinkRecord(key, kind, urls.host(link.url)))
                mention = Mention(
                    note.path,
                    link.line,
                    link.href,
                    link.anchor,
                    passage.date,
                    passage.noted,
                    link.span,
                    note.private,
                    link.url if link.url != link.href else None,
                )
                found[key] = replace(one, mentions=(*one.mentions, mention))
    return list(found.values())


def exported(source: Imported, format: str) -> str:
    notes = [parse(draft.path, draft.data) for draft in source.drafts]
    return export(records(notes), {note.path: note.tags for note in notes}, format).text


def read_back(text: str, format: str, folder: Path) -> Imported:
    path = folder / FORMATS[format]
    path.write_text(text, encoding="utf-8", newline="")
    return named(format, path).read(path, False)


WORDS = st.text(
    alphabet=[*map(chr, range(32, 127)), "é", "。", "𝄞", "\n", "\u2028", "\x85", "\0"], max_size=20
)
MARKS = st.builds(
    Mark,
    st.builds(
        lambda host, tail: f"https://{host}.example/{tail}",
        st.sampled_from("abcdef"),
        st.text(alphabet="abc/?=&;()<>\"' []\\|`%é_*~{}#", max_size=10),
    ),
    WORDS,
    st.sampled_from([None, When("2023-05-24", "2023-05-24"), When("1999-12-31", "1999-12-31")]),
    st.lists(
        st.one_of(st.sampled_from(["one", "Reading list", "c++", "a, b", "[x]"]), WORDS), max_size=3
    ).map(tuple),
)


@pytest.mark.parametrize("format", ["jsonl", "csv", "bookmarks"])
@settings(max_examples=120, deadline=None)
@example(marks=[Mark("https://a.example/&_;", "0", None, ())])
@given(marks=st.lists(MARKS, min_size=1, max_size=6))
def test_import_then_export_then_import_is_stable(
    format: str, marks: list[Mark], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    first = imported(marks)
    second = read_back(exported(first, format), format, folder)
    assert second.problems == ()
    assert second.drafts == first.drafts


@settings(max_examples=80, deadline=None)
@given(marks=st.lists(MARKS, min_size=1, max_size=6))
def test_papers_come_back_from_bibtex_with_the_same_links(
    marks: list[Mark], tmp_path_factory: pytest.TempPathFactory
) -> None:
    notes = [parse(draft.path, draft.data) for draft in imported(marks).drafts]
    papers = [replace(one, kind=LinkKind.PAPER) for one in records(notes)]
    text = export(papers, {note.path: note.tags for note in notes}, "bibtex").text
    back = read_back(text, "bibtex", tmp_path_factory.getbasetemp())
    found = {urls.key(link.url) for draft in back.drafts for link in parse(draft.path, draft.data).links}
    assert found == {paper.key for paper in papers}


NOTES = {
    "a.md": "---\ndate: 2023-05-24\ntags: [one, two]\n---\n"
    "* [A & B](https://a.example/?x=1&amp;y=2 'T') and www.b.example/c and [in](b.md) and [[b]]\n"
    "* [paper](https://arxiv.org/abs/2305.14314v2) <mailto:a@b.example>\n",
    "private/b.md": "* [secret](https://secret.example/) [A](https://a.example/?x=1&y=2)\n",
}


@pytest.fixture
def base(tmp_path: Path) -> Iterable[KnowledgeBase]:
    with KnowledgeBase.open(write_notebook(tmp_path / "n", NOTES)) as base:
        yield base


@pytest.mark.parametrize("format", ["jsonl", "csv", "bookmarks"])
def test_an_export_imported_elsewhere_gives_the_same_links(
    base: KnowledgeBase, tmp_path: Path, format: str
) -> None:
    path = tmp_path / FORMATS[format]
    base.export(format, output=str(path))
    with KnowledgeBase.open(write_notebook(tmp_path / "other", {})) as other:
        other.apply_import(other.plan_import(str(path), importer=format))
        mine = {one.key for one in base.links() if not one.private and one.kind is not LinkKind.INTERNAL}
        assert {one.key for one in other.links()} == mine
        assert len(mine) == 4


def test_what_is_private_is_left_out_unless_asked_for(base: KnowledgeBase) -> None:
    for format in ("jsonl", "csv", "bookmarks", "bibtex"):
        found = base.export(format)
        assert "secret" not in found.text
        assert "private/b.md" not in found.text
        assert found.private == 1
    assert "secret" in base.export("jsonl", private=True).text


def test_json_lines_hold_the_contract_and_the_meant_address(base: KnowledgeBase) -> None:
    lines = [json.loads(line) for line in base.export("jsonl").text.splitlines()]
    assert [line["url"] for line in lines] == [
        "https://a.example/?x=1&y=2",
        "http://www.b.example/c",
        "https://arxiv.org/abs/2305.14314v2",
        "mailto:a@b.example",
    ]
    assert lines[0] | {"title": "A & B", "tags": ["one", "two"], "date": "2023-05-24"} == lines[0]
    assert lines[0]["mentions"][0]["path"] == "a.md"


def test_csv_is_one_row_a_link(base: KnowledgeBase) -> None:
    rows = list(csv.DictReader(base.export("csv").text.splitlines()))
    assert [row["line"] for row in rows] == ["5", "5", "6", "6"]
    assert rows[0]["tags"] == "one,two"


class _Balanced(HTMLParser):
    depth = deepest = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.depth += tag == "dl"
        self.deepest = max(self.depth, self.deepest)

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "dl"


def test_bookmarks_are_the_file_that_browsers_know(base: KnowledgeBase) -> None:
    text = base.export("bookmarks").text
    assert text.startswith("<!DOCTYPE NETSCAPE-Bookmark-file-1>\n")
    assert (
        '<DT><A HREF="https://a.example/?x=1&amp;y=2" ADD_DATE="1684886400" TAGS="one,two">A &amp; B</A>'
        in text
    )
    reader = _Balanced()
    reader.feed(text)
    assert (reader.depth, reader.deepest) == (0, 3)


def test_bibtex_says_what_the_paper_said_of_itself() -> None:
    facts = Facts(
        title="On 100% of {LoRA} & more_things",
        authors=("Tim Dettmers", "Ünal, Ö.", "Org and Co"),
        published="2023-05-23",
        extra={"primary_category": "cs.LG"},
    )
    mention = Mention("a.md", 1, "https://arxiv.org/abs/2305.14314v2", "x", None, None, Span(0, 1))
    paper = LinkRecord(
        urls.key(mention.url), LinkKind.PAPER, "arxiv.org", facts=facts, mentions=(mention, mention)
    )
    twin = replace(paper, key=Key("doi:10.1000/x"))
    text = export([paper, twin], {}, "bibtex").text
    assert text.startswith(
        "@misc{dettmers2023100,\n"
        "  title = {{On 100\\% of \\{LoRA\\} \\& more\\_things}},\n"
        "  author = {Tim Dettmers and Ünal, Ö. and {Org and Co}},\n"
        "  year = {2023},\n"
        "  month = may,\n"
        "  eprint = {2305.14314},\n"
        "  archiveprefix = {arXiv},\n"
        "  primaryclass = {cs.LG},\n"
        "  url = {https://arxiv.org/abs/2305.14314v2},\n"
        "}\n"
    )
    assert "@article{dettmers2023100-2,\n" in text
    assert "doi = {10.1000/x}" in text


def test_an_unknown_format_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="'xml'"):
        export([], {}, "xml")


def test_a_file_that_stands_is_replaced_whole(base: KnowledgeBase, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old " * 10_000)
    base.export("csv", output=str(path))
    assert path.read_text() == base.export("csv").text
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["out.csv"]


def test_an_export_that_fails_half_way_leaves_the_file_as_it_was(base: KnowledgeBase, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")

    def fail() -> None:
        with writing(path) as out:
            out("new")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_text() == "old"
    with pytest.raises(NoteUnwritable, match="no such file"):
        base.export("csv", output=str(tmp_path / "none" / "out.csv"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NoteUnwritable, match="no plain file"):
        base.export("csv", output=str(tmp_path / "pipe"))


def test_an_export_onto_a_symlink_leaves_what_it_leads_to(base: KnowledgeBase, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    path = tmp_path / "out.csv"
    path.symlink_to(precious)
    base.export("csv", output=str(path))
    assert precious.read_text() == "mine"
    assert path.read_text().startswith("url,")
