"""Other tools' files become notes, and their bytes stay what they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kb.errors import ImportRefused
from kb.model import Note
from kb.notes import files
from kb.notes import walk as walks
from kb.notes.parse import parse
from kb.transfer import apply_import, plan_import

BOOKMARKS = """\
<!DOCTYPE NETSCAPE-Bookmark-file-1>
<!-- This is an automatically generated file. -->
<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=UTF-8">
<TITLE>Bookmarks</TITLE>
<H1>Bookmarks</H1>
<DL><p>
    <DT><H3 ADD_DATE="1" PERSONAL_TOOLBAR_FOLDER="true">Bookmarks bar</H3>
    <DL><p>
        <DT><H3>Machine learning</H3>
        <DL><p>
            <DT><H3>Papers</H3>
            <DL><p>
                <DT><A HREF="https://arxiv.org/abs/2305.14314" ADD_DATE="1684886400">QLoRA &amp; more</A>
                <DD>fits on a card
            </DL><p>
            <DT><A HREF="https://words.example/rag" ADD_DATE="1693526400000000">RAG [notes]</A>
        </DL><p>
        <DT><A HREF="javascript:alert(1)">Bookmarklet</A>
    </DL><p>
    <DT><A HREF="https://plain.example/?a=1&amp;b=2" TAGS="one,two words">https://plain.example/?a=1&amp;b=2</A>
    <DT><A HREF="https://arxiv.org/pdf/2305.14314v2">again</A>
</DL><p>
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "notebook" / "notes"
    folder.mkdir(parents=True)
    return folder


def write(root: Path, tree: dict[str, str | bytes]) -> Path:
    for name, content in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def imported(source: Path, root: Path, importer: str | None = None) -> dict[str, Note]:
    report = apply_import(plan_import(source, root, importer=importer))
    assert not report.problems
    return {one.path: parse(one.path, files.read(root, one.path)) for one in walks.walk(root).found}


# -- folders and vaults ------------------------------------------------------------------------


def test_a_folder_of_markdown_is_copied_as_it_is(tmp_path: Path, root: Path) -> None:
    tree: dict[str, str | bytes] = {
        "a.md": b"\xef\xbb\xbf---\r\ntitle: A\r\n---\r\n[x](sub/pic%201.png)",
        "sub/b.markdown": b"caf\xe9",
        "sub/pic 1.png": b"\x89PNG\0",
        "sub/left.pdf": b"%PDF",
    }
    source = write(tmp_path / "old", tree)
    plan = plan_import(source, root)
    assert plan.importer == "folder"
    assert [problem.message for problem in plan.problems] == [
        "byte 0xe9 is not UTF-8; it was read as Windows-1252, and kb will not edit this file",
        "1 file(s) that no note mentions are left behind: sub/left.pdf",
    ]
    apply_import(plan)
    for name in ("a.md", "sub/b.markdown", "sub/pic 1.png"):
        assert (root / name).read_bytes() == tree[name]
    assert not (root / "sub/left.pdf").exists()


def test_an_obsidian_vault_keeps_wikilinks_aliases_and_attachments(tmp_path: Path, root: Path) -> None:
    note = "---\naliases: [LLM, models]\n---\n[[Other#Part|words]] ![[Photo.PNG]] ![[scan.pdf#page=2]]\n"
    source = write(
        tmp_path / "vault",
        {
            ".obsidian/app.json": "{}",
            ".trash/old.md": "x",
            "Language models.md": note,
            "deep/Other.md": "# Part\n",
            "files/photo.png": b"\x89PNG",
            "files/scan.pdf": b"%PDF",
        },
    )
    plan = plan_import(source, root)
    assert plan.importer == "obsidian"
    found = imported(source, root)
    assert list(found) == ["Language models.md", "deep/Other.md"]
    assert found["Language models.md"].aliases == ("LLM", "models")
    assert found["Language models.md"].links[0].href == "Other#Part"
    assert (root / "Language models.md").read_text() == note
    assert (root / "files/photo.png").read_bytes() == b"\x89PNG"
    assert (root / "files/scan.pdf").read_bytes() == b"%PDF"


def test_an_attachment_never_comes_from_outside_of_the_folder(tmp_path: Path, root: Path) -> None:
    write(tmp_path, {"secret.txt": "s"})
    source = write(tmp_path / "old", {"a.md": "[x](../secret.txt) [y](/secret.txt) [z](link.txt)"})
    os.symlink(tmp_path / "secret.txt", source / "link.txt")
    assert plan_import(source, root).copies == ()


def test_an_attachment_that_differs_is_left_alone(tmp_path: Path, root: Path) -> None:
    source = write(tmp_path / "old", {"a.md": "![x](p.png)", "p.png": b"1"})
    write(root, {"p.png": b"2"})
    plan = plan_import(source, root, overwrite=True)
    assert plan.refused == ("p.png",)
    apply_import(plan)
    assert (root / "p.png").read_bytes() == b"2"


@pytest.mark.parametrize("tree", [{"a.md": "![x](p.png)", "p.png": b"1"}])
def test_a_folder_imported_twice_adds_nothing(
    tmp_path: Path, root: Path, tree: dict[str, str | bytes]
) -> None:
    source = write(tmp_path / "old", tree)
    apply_import(plan_import(source, root))
    again = plan_import(source, root)
    assert (again.writes, again.copies, again.same) == ((), (), ("a.md", "p.png"))


def test_what_is_wrong_with_the_notes_of_a_folder_is_said_before_they_are_there(
    tmp_path: Path, root: Path
) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "broken.md").write_text("---\ntitle: [open\n---\n* a bullet\n")
    plan = plan_import(vault, root)
    (told,) = plan.problems
    assert (told.path, told.line > 0, told.severity) == (str(vault / "broken.md"), True, "error")
    apply_import(plan)
    assert plan_import(vault, root).problems == ()


def test_a_folder_around_the_notes_or_in_them_is_refused(tmp_path: Path, root: Path) -> None:
    write(root, {"sub/a.md": "x"})
    for source in (tmp_path, root, root / "sub"):
        with pytest.raises(ImportRefused, match="nothing was read"):
            plan_import(source, root)


# -- Jekyll ------------------------------------------------------------------------------------


def test_a_jekyll_site_keeps_bytes_and_says_what_only_jekyll_knew(tmp_path: Path, root: Path) -> None:
    post = (
        "---\r\nlayout: post\r\ntitle: One\r\ncategories: [llm]\r\n---\r\n{% include x %} {{ page.url }}\r\n"
    )
    source = write(
        tmp_path / "blog",
        {
            "_config.yml": "permalink: pretty\ncollections:\n  recipes:\n    output: true\n  hidden: {}\n",
            "_posts/2023-03-29-one.md": post,
            "rust/_posts/2024-01-02-two.md": "---\ntitle: Two\npermalink: /mine/\n---\nx\n",
            "_drafts/three.md": "---\ntitle: Three\n---\ny\n",
            "_recipes/soup.md": "---\ntitle: Soup\n---\nz\n",
            "_hidden/h.md": "---\ntitle: H\n---\nz\n",
            "about.md": "---\ntitle: About\n---\n![me](/assets/me.png)\n",
            "_layouts/post.md": "no note",
            "_site/built.md": "no note",
            "assets/me.png": b"\x89PNG",
        },
    )
    found = imported(source, root)
    assert list(found) == [
        "2023/2023-03-29-one.md",
        "2024/2024-01-02-two.md",
        "about.md",
        "hidden/h.md",
        "recipes/soup.md",
        "three.md",
    ]
    told = 'permalink: "/llm/2023/03/29/one/"\r\ntags: [llm]\r\n---\r\n{%'
    assert (root / "2023/2023-03-29-one.md").read_bytes().decode() == post.replace("---\r\n{%", told)
    assert found["2023/2023-03-29-one.md"].tags == ("llm",)
    assert str(found["2023/2023-03-29-one.md"].noted) == "2023-03-29"
    assert found["2024/2024-01-02-two.md"].tags == ("rust",)
    assert (root / "2024/2024-01-02-two.md").read_text().count("permalink") == 1
    assert found["three.md"].draft
    assert 'permalink: "/recipes/soup.html"' in (root / "recipes/soup.md").read_text()
    assert (root / "hidden/h.md").read_text() == "---\ntitle: H\n---\nz\n"
    assert 'permalink: "/about/"' in (root / "about.md").read_text()
    assert (root / "assets/me.png").exists()


def test_a_post_with_broken_front_matter_is_copied_untouched(tmp_path: Path, root: Path) -> None:
    text = "---\ntitle: [\n---\nx\n"
    source = write(tmp_path / "blog", {"_posts/2023-03-29-one.md": text})
    imported(source, root)
    assert (root / "2023/2023-03-29-one.md").read_text() == text


def test_a_post_without_front_matter_is_given_some(tmp_path: Path, root: Path) -> None:
    source = write(tmp_path / "blog", {"_posts/2023-03-29-one.md": "\ufeffx\n"})
    imported(source, root)
    assert (root / "2023/2023-03-29-one.md").read_text("utf-8") == (
        '\ufeff---\npermalink: "/2023/03/29/one.html"\n---\nx\n'
    )


def test_two_files_of_one_name_in_a_site_are_two_notes(tmp_path: Path, root: Path) -> None:
    source = write(tmp_path / "blog", {"_posts/a.md": "x\n", "_drafts/a.md": "y\n"})
    assert list(imported(source, root)) == ["a.2.md", "a.md"]


# -- bookmarks ---------------------------------------------------------------------------------


def test_bookmarks_become_notes_with_folders_as_tags_and_days_as_headings(tmp_path: Path, root: Path) -> None:
    source = write(tmp_path, {"bookmarks.html": BOOKMARKS}) / "bookmarks.html"
    plan = plan_import(source, root)
    assert plan.importer == "bookmarks"
    assert [problem.line for problem in plan.problems] == [18, 21]
    found = imported(source, root)
    assert {path: note.tags for path, note in found.items()} == {
        "bookmarks/machine-learning.md": ("Machine learning",),
        "bookmarks/machine-learning-papers.md": ("Machine learning", "Papers"),
        "bookmarks/one-two-words.md": ("one", "two words"),
    }
    (paper,) = found["bookmarks/machine-learning-papers.md"].passages
    assert paper.text == "QLoRA & more fits on a card"
    assert str(paper.noted) == str(paper.date) == "2023-05-24"
    (rag,) = found["bookmarks/machine-learning.md"].passages
    assert (rag.links[0].anchor, str(rag.noted)) == ("RAG [notes]", "2023-09-01")
    (plain,) = found["bookmarks/one-two-words.md"].links
    assert plain.url == plain.anchor == "https://plain.example/?a=1&b=2"


def test_a_title_cannot_write_markdown_of_its_own(tmp_path: Path, root: Path) -> None:
    title = "a](http://evil.example) <b> [[x]] `c` | \n## heading"
    html = f'<!DOCTYPE NETSCAPE-Bookmark-file-1><DL><DT><A HREF="http://x.y/">{title}</A></DL>'
    source = write(tmp_path, {"b.html": html}) / "b.html"
    (note,) = imported(source, root).values()
    assert [link.url for link in note.links] == ["http://x.y/"]
    assert len(note.passages) == 1


POCKET = "title,url,time_added,tags,status\r\nA title,https://a.example/,1684886400,one|two,unread\r\n"
RAINDROP = (
    "id,title,note,excerpt,url,folder,tags,created,cover,highlights,favorite\r\n"
    '1,A title,"my\nwords",theirs,https://a.example/,one,"two, three",2023-05-24T10:00:00Z,,,false\r\n'
)
INSTAPAPER = (
    "URL,Title,Selection,Folder,Timestamp,Tags\r\n"
    'https://a.example/,A title,,Unread,1684886400,"[""one"",""two""]"\r\n'
)


@pytest.mark.parametrize(
    ("text", "name", "tags", "words"),
    [
        (POCKET, "pocket", ("one", "two"), "A title"),
        (RAINDROP, "raindrop", ("one", "two", "three"), "A title my words"),
        (INSTAPAPER, "instapaper", ("one", "two"), "A title"),
        (RAINDROP.replace("2023-05-24T10:00:00Z", "1684886400"), "raindrop", ("one", "two", "three"), None),
        (
            INSTAPAPER.upper().replace("HTTPS://A.EXAMPLE/", "https://a.example/"),
            "instapaper",
            None,
            "A TITLE",
        ),
        (POCKET.replace(",", ";"), "pocket", ("one", "two"), "A title"),
        ("url,note\nhttps://a.example/,x\n", "csv", (), "https://a.example/"),
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv_of_other_tools_is_read(
    tmp_path: Path,
    root: Path,
    text: str,
    name: str,
    tags: tuple[str, ...] | None,
    words: str | None,
    codec: str,
) -> None:
    source = write(tmp_path, {"export.csv": text.encode(codec)}) / "export.csv"
    assert plan_import(source, root).importer == name
    (note,) = imported(source, root).values()
    assert note.tags == tags or tags is None
    (passage,) = note.passages
    assert passage.text == words or words is None
    assert passage.links[0].url == "https://a.example/"
    assert str(passage.noted) == ("None" if name == "csv" else "2023-05-24")


@pytest.mark.parametrize("folder", [False, True])
def test_what_is_wrong_with_a_source_is_said_of_the_source(tmp_path: Path, root: Path, folder: bool) -> None:
    page = "---\ntitle: T\nkind: foo\n---\n\n## Aug 2023\n\n* [a](http://x.y)\n\n## Sep 2023\n\n* b\n"
    where = write(tmp_path, {"site/page.md": page, "site/_config.yml": "a: b\n"}) / "site"
    plan = plan_import(where if folder else where / "page.md", root, importer="jekyll")
    assert len(plan.writes) == 2
    assert [(one.path, one.line) for one in plan.problems] == [(str(where / "page.md"), 3)]


def test_no_yaml_is_written_into_toml(tmp_path: Path, root: Path) -> None:
    post = "+++\ntitle = 'T'\ndate = 2023-09-01\n+++\n[a](http://x.y)\n"
    where = write(tmp_path, {"site/_drafts/one/x.md": post, "site/_config.yml": "a: b\n"}) / "site"
    (note,) = imported(where, root).values()
    (draft,) = plan_import(where, root).same
    assert (root / draft).read_text() == post
    assert (note.title, str(note.noted)) == ("T", "2023-09-01")


def test_an_importer_can_be_named(tmp_path: Path, root: Path) -> None:
    source = write(tmp_path, {"export.txt": POCKET}) / "export.txt"
    with pytest.raises(ImportRefused, match="knows how"):
        plan_import(source, root)
    assert len(imported(source, root, "pocket")) == 1
    with pytest.raises(ImportRefused, match="no importer 'netscape'"):
        plan_import(source, root, importer="netscape")


def test_bibtex_entries_become_papers(tmp_path: Path, root: Path) -> None:
    text = """@article{a, title = {{A \\& B}}, doi = "10.1000/x", keywords = {one, two words}}
    @comment{no}
    @misc{b, title = "C", eprint = {2305.14314}, archivePrefix = {arXiv}, year = 2023, urldate = {2023-05-24}}
    @book{c, title = {no address}}
    """
    source = write(tmp_path, {"p.bib": text}) / "p.bib"
    found = imported(source, root)
    assert {path: (str(note.kind), note.links[0].url) for path, note in found.items()} == {
        "papers/bookmarks.md": ("paper", "https://arxiv.org/abs/2305.14314"),
        "papers/one-two-words.md": ("paper", "https://doi.org/10.1000/x"),
    }
    assert found["papers/one-two-words.md"].links[0].anchor == "A & B"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", "{}\n"),
        ("a.jsonl", '{"url": 1}\n'),
        ("a.jsonl", '{"url": "http://x.y"}\nnot json\n'),
        ("a.bib", "@book{c, title = {no address}}"),
        ("a.csv", "url,time_added,tags\n"),
        ("b.html", "<!DOCTYPE NETSCAPE-Bookmark-file-1>"),
    ],
)
def test_a_file_with_nothing_in_it_is_refused(tmp_path: Path, root: Path, name: str, text: str) -> None:
    with pytest.raises(ImportRefused):
        plan_import(write(tmp_path, {name: text}) / name, root)
