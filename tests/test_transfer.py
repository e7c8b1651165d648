from __future__ import annotations

from pathlib import Path

import pytest

from kb.errors import ImportRefused
from kb.model import Note, NoteKind
from kb.notes import files, frontmatter
from kb.notes import walk as walks
from kb.notes.parse import parse
from kb.transfer import apply_import, plan_import

PAGE = """\
---
title: Model notes
permalink: /models/
sitemap: false
tags: [llm]
---


### March 29, 2023
* Things to watch
\t* [A C++ port](https://github.com/ggerganov/whisper.cpp)

### March 30, 2023
* See the [setup page](/python)

## September 2023
### On Llama
* August 11, 2023 [case study](https://example.com/case)
\t* [comment](https://news.ycombinator.com/item?id=1): 'a 12 GB card's enough'


### Glossary
* [PEFT](https://example.com/peft) = Parameter-Efficient Fine-Tuning.
* [RAG](https://example.com/rag) = Retrieval-Augmented Generation. From them: 'It shows LLMs' sources.'

### Links
* 7/05/2023 ['Form, not facts'](https://example.com/form) by them. https://example.com/bare
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def source(tmp_path: Path, text: str = PAGE, name: str = "model-notes.md") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def notes(root: Path) -> dict[str, Note]:
    return {one.path: parse(one.path, files.read(root, one.path)) for one in walks.walk(root).found}


def bodies(root: Path) -> dict[str, bytes]:
    found = {one.path: files.read(root, one.path) for one in walks.walk(root).found}
    return {path: data[frontmatter.split(data)[2] :] for path, data in found.items()}


def test_a_page_becomes_a_note_for_each_dated_heading_and_a_glossary(tmp_path: Path, root: Path) -> None:
    report = apply_import(plan_import(source(tmp_path), root))
    assert report.written == (
        "2023/2023-03-29-model-notes.md",
        "2023/2023-03-30-model-notes.md",
        "2023/2023-09-model-notes.md",
        "glossary/model-notes.md",
    )
    found = notes(root)
    assert [str(note.noted) for note in found.values()] == ["2023-03-29", "2023-03-30", "2023-09", "2023-09"]
    assert sum(len(note.links) for note in found.values()) == 8
    assert all(note.tags == ("llm",) and not note.problems for note in found.values())


def test_the_glossary_keeps_expansions_and_quotations(tmp_path: Path, root: Path) -> None:
    apply_import(plan_import(source(tmp_path), root))
    note = notes(root)["glossary/model-notes.md"]
    assert note.kind is NoteKind.GLOSSARY
    assert [(term.term, term.expansion, term.definition) for term in note.terms] == [
        ("PEFT", "Parameter-Efficient Fine-Tuning", None),
        ("RAG", "Retrieval-Augmented Generation", "It shows LLMs' sources."),
    ]


def test_dates_of_passages_are_those_of_the_page(tmp_path: Path, root: Path) -> None:
    path = source(tmp_path)
    before = {
        (one.text, str(one.noted), str(one.date), one.parents)
        for one in parse(path.name, path.read_bytes()).passages
    }
    apply_import(plan_import(path, root))
    after = {
        (one.text, str(one.noted), str(one.date), one.parents)
        for note in notes(root).values()
        for one in note.passages
    }
    assert after == before


def test_each_byte_of_the_body_is_in_one_note(tmp_path: Path, root: Path) -> None:
    apply_import(plan_import(source(tmp_path), root))
    body = PAGE.encode()[frontmatter.split(PAGE.encode())[2] :]
    march, march_30, september, glossary = bodies(root).values()
    links = september.index(b"### Links")
    assert march + march_30 + september[:links] + glossary + september[links:] == body


def test_importing_twice_adds_nothing(tmp_path: Path, root: Path) -> None:
    path = source(tmp_path)
    apply_import(plan_import(path, root))
    plan = plan_import(path, root)
    assert (plan.writes, plan.refused, len(plan.same)) == ((), (), 4)


def test_planning_writes_nothing(tmp_path: Path, root: Path) -> None:
    assert len(plan_import(source(tmp_path), root).writes) == 4
    assert list(root.iterdir()) == []


def test_a_note_that_differs_is_left_alone_unless_told(tmp_path: Path, root: Path) -> None:
    path = source(tmp_path)
    apply_import(plan_import(path, root))
    mine = root / "glossary/model-notes.md"
    mine.write_text("mine\n")
    plan = plan_import(path, root)
    assert plan.refused == ("glossary/model-notes.md",)
    assert "--overwrite" in plan.problems[-1].hint
    apply_import(plan)
    assert mine.read_text() == "mine\n"
    apply_import(plan_import(path, root, overwrite=True))
    assert "PEFT" in mine.read_text()


def test_a_note_that_came_between_plan_and_writing_is_left_alone(tmp_path: Path, root: Path) -> None:
    plan = plan_import(source(tmp_path), root)
    (root / "glossary").mkdir()
    (root / "glossary/model-notes.md").write_text("mine\n")
    report = apply_import(plan)
    assert [problem.path for problem in report.problems] == ["glossary/model-notes.md"]
    assert len(report.written) == 3
    assert (root / "glossary/model-notes.md").read_text() == "mine\n"


def test_words_before_the_first_date_are_a_note_of_the_page(tmp_path: Path, root: Path) -> None:
    apply_import(plan_import(source(tmp_path, "# My page\n\nHello.\n\n## May 5, 2023\nx\n"), root))
    assert list(notes(root)) == ["2023/2023-05-05-my-page.md", "my-page.md"]


def test_an_undated_heading_above_a_dated_one_is_not_given_its_date(tmp_path: Path, root: Path) -> None:
    apply_import(plan_import(source(tmp_path, "### May 5, 2023\nx\n\n## Other\ny\n", "p.md"), root))
    assert {path: str(note.noted) for path, note in notes(root).items()} == {
        "2023/2023-05-05-p.md": "2023-05-05",
        "p.md": "None",
    }


def test_two_sections_of_one_day_are_two_notes(tmp_path: Path, root: Path) -> None:
    apply_import(plan_import(source(tmp_path, "## May 5, 2023\nx\n## May 5, 2023\ny\n", "p.md"), root))
    assert list(notes(root)) == ["2023/2023-05-05-p-2.md", "2023/2023-05-05-p.md"]


def test_a_heading_with_a_date_and_words_names_the_note(tmp_path: Path, root: Path) -> None:
    apply_import(plan_import(source(tmp_path, "## 2023-05-05: Réunion\nx\n", "p.md"), root))
    (note,) = notes(root).values()
    assert (note.path, note.title) == ("2023/2023-05-05-reunion.md", "Réunion")


def test_line_ends_stay(tmp_path: Path, root: Path) -> None:
    apply_import(plan_import(source(tmp_path, PAGE.replace("\n", "\r\n")), root))
    for found in walks.walk(root).found:
        data = files.read(root, found.path)
        assert data.count(b"\n") == data.count(b"\r\n")


def test_a_link_keeps_its_definition_when_the_page_is_split(tmp_path: Path, root: Path) -> None:
    text = "## May 5, 2023\n[a][r]\n\n## May 6, 2023\n[b][r]\n\n[r]: http://x.y\n"
    plan = plan_import(source(tmp_path, text, "p.md"), root)
    apply_import(plan)
    assert [[link.href for link in note.links] for note in notes(root).values()] == [["http://x.y"]] * 2
    assert "definition" in plan.problems[0].message


def test_liquid_tags_stay_text(tmp_path: Path, root: Path) -> None:
    text = "## May 5, 2023\n{% include x.html %} {{ site.url }}\n"
    apply_import(plan_import(source(tmp_path, text), root))
    assert [body.decode() for body in bodies(root).values()] == [text]


def test_a_jekyll_folder_is_read_page_by_page(tmp_path: Path, root: Path) -> None:
    site = tmp_path / "blog"
    (site / "_posts").mkdir(parents=True)
    (site / "_site").mkdir()
    (site / "_site" / "built.md").write_text("x")
    (site / "_config.yml").write_text("title: x")
    (site / "_posts" / "2023-03-29-one.md").write_text("---\ntitle: One\npublished: false\n---\nx\n")
    (site / "about.md").write_text("---\ntitle: About\n---\ny\n")
    apply_import(plan_import(site, root))
    found = notes(root)
    assert list(found) == ["2023/2023-03-29-one.md", "about.md"]
    assert found["2023/2023-03-29-one.md"].draft


@pytest.mark.parametrize("name", ["x.pdf", "none.md"])
def test_what_nothing_can_read_is_refused(tmp_path: Path, root: Path, name: str) -> None:
    (tmp_path / "x.pdf").write_bytes(b"%PDF")
    with pytest.raises(ImportRefused):
        plan_import(tmp_path / name, root)


def test_a_page_that_is_not_utf_8_is_refused_rather_than_changed(tmp_path: Path, root: Path) -> None:
    path = tmp_path / "x.md"
    path.write_bytes(b"caf\xe9\n")
    with pytest.raises(ImportRefused, match="UTF-8"):
        plan_import(path, root)


def csv(path: Path, *urls: str) -> Path:
    rows = [f"{url},{url[-1]},{1500000000 + 86400 * place},,unread" for place, url in enumerate(urls)]
    path.write_text("\n".join(["url,title,time_added,tags,status", *rows]) + "\n")
    return path


def test_bookmarks_of_a_second_export_are_not_lost_where_its_list_has_the_name_of_the_first(
    tmp_path: Path, root: Path
) -> None:
    first = csv(tmp_path / "part_000000.csv", "https://a.example/1", "https://a.example/2")
    second = csv(
        tmp_path / "part_000001.csv", "https://a.example/2", "https://a.example/3", "https://a.example/4"
    )
    third = csv(tmp_path / "part_000002.csv", "https://a.example/5")
    apply_import(plan_import(first, root))
    mine = root / "bookmarks/bookmarks.md"
    mine.write_text(mine.read_text() + "\nwords of my own\n")
    for source in (second, third):
        plan = plan_import(source, root)
        assert (plan.refused, plan.problems) == ((), ())
        apply_import(plan)
    assert "words of my own" in mine.read_text()
    assert bodies(root)["bookmarks/bookmarks-2.md"] == (
        b"\n## 2017-07-15\n\n* [3](https://a.example/3)\n\n## 2017-07-16\n\n* [4](https://a.example/4)\n"
    )
    assert bodies(root)["bookmarks/bookmarks-3.md"] == b"\n## 2017-07-14\n\n* [5](https://a.example/5)\n"
    for source in (first, second, third):
        plan = plan_import(source, root)
        assert (plan.writes, plan.refused, plan.problems) == ((), (), ())


def test_a_bookmark_is_told_by_its_own_address_not_by_one_in_its_comment(tmp_path: Path, root: Path) -> None:
    plan = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><p>\n<DT><A HREF='{}'>{}</A>\n<DD>{}\n</DL>\n"
    first, second = tmp_path / "a.html", tmp_path / "b.html"
    first.write_text(plan.format("https://a.example/old", "Old", "to read"))
    second.write_text(plan.format("https://a.example/new", "New", "as https://a.example/old says"))
    for source in (first, second):
        apply_import(plan_import(source, root))
    assert bodies(root)["bookmarks/bookmarks-2.md"].endswith(
        b"\n* [New](https://a.example/new) as https://a.example/old says\n"
    )
    assert plan_import(second, root).writes == ()
