"""kb add-link: what is written where, for every kind of page, and what strangers' text cannot do."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import markdown
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import add, cli, config, sync, urls
from kb.clipboard import clipboard
from kb.errors import NoteExists, UsageError
from kb.knowledge import KnowledgeBase
from kb.model import (
    Added,
    Facts,
    Key,
    LinkKind,
    LinkRecord,
    Look,
    Mention,
    NoteKind,
    PassageKind,
    Span,
    Verdict,
)
from kb.notes.bibtex import cite_key
from kb.notes.link_note import link_note, prose
from kb.notes.parse import parse
from kb.store.store import Store
from kb.testing import FixedClock
from kb.transfer import export
from kb.web.sources import Met, Reading
from tests.servers import Handler, Server
from tests.store_helpers import notebook, open_store

PAPER = Reading(
    Facts(
        title="QLoRA: Efficient Finetuning of Quantized LLMs",
        authors=("Tim Dettmers", "Artidoro Pagnoni"),
        published="2023-05-23",
        site="arXiv",
        description="We present QLoRA, see https://evil.example/ and [this](javascript:x).",
        extra={"source": "arxiv", "category": "cs.LG"},
    ),
    kind=LinkKind.PAPER,
)
THREAD = Reading(
    Facts(
        title="My YC app",
        authors=("dhouston",),
        published="2007-04-04",
        site="Hacker News",
        extra={"points": 111, "comments": 71, "article": "http://www.getdropbox.com/u/2/screencast.html"},
    ),
    kind=LinkKind.HN_THREAD,
)
VIDEO = Reading(
    Facts(
        title="A video",
        authors=("Rick Astley",),
        site="YouTube",
        extra={"channel_url": "https://www.youtube.com/@RickAstleyYT"},
    ),
    kind=LinkKind.VIDEO,
)
ARXIV = "https://arxiv.org/abs/2305.14314"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    settings = notebook(tmp_path / "n", {"a.md": "* first\n"})
    with open_store(settings.store) as opened:
        sync.sync(opened, settings, FixedClock())
        yield opened


def link(store: Store, tmp_path: Path, url: str, reading: Reading, **wish: object) -> Added:
    settings = config.load(tmp_path / "n", {})
    look = Look("2026-11-24T12:00:00Z", Verdict.ALIVE, 200, url)
    kept: list[Key] = []
    return add.add_link(
        store,
        settings,
        FixedClock(),
        url,
        look_at=lambda url: Met(look, reading),
        reread=lambda: sync.sync(store, settings, FixedClock()),
        keep=lambda key, met: kept.append(key),
        wish=add.Wish(**wish),  # type: ignore[arg-type]
    )


def test_a_bullet_carries_title_comment_quote_and_tags(store: Store, tmp_path: Path) -> None:
    added = link(
        store,
        tmp_path,
        ARXIV,
        PAPER,
        comment="the 24 GB claim",
        quote='it "fits" [here]',
        tags=("fine tuning", "x"),
    )
    assert added.path == "2026/2026-11-24.md"
    assert added.bullet == (
        f"[{PAPER.facts.title if PAPER.facts else ''}]({ARXIV}) the 24 GB claim "
        '“it "fits" \\[here\\]” #fine-tuning #x'
    )
    assert (added.kind, added.line) == (LinkKind.PAPER, 6)


def test_a_paper_gets_a_note_with_authors_abstract_and_reference(store: Store, tmp_path: Path) -> None:
    added = link(store, tmp_path, ARXIV, PAPER, new_note=True, tags=("qlora",), comment="to read")
    assert added.path == "2026/2026-11-24-qlora-efficient-finetuning-of-quantized-llms.md"
    data = (tmp_path / "n" / "notes" / added.path).read_bytes()
    note = parse(added.path, data)
    assert (note.kind, note.tags, note.problems) == (NoteKind.PAPER, ("qlora",), ())
    assert [one.url for one in note.links] == [ARXIV]
    assert b"bibtex: dettmers2023qlora\n" in data
    assert b"  author = {Tim Dettmers and Artidoro Pagnoni},\n" in data
    assert "Authors: Tim Dettmers, Artidoro Pagnoni" in [passage.text for passage in note.passages]
    abstract = [passage for passage in note.passages if passage.heading[-1:] == ("Abstract",)]
    assert any(passage.kind is PassageKind.QUOTE for passage in abstract)
    assert any("https://evil.example/ and [this](javascript:x)" in passage.text for passage in note.passages)


def test_a_thread_gets_a_note_with_its_points_and_the_article_behind_it(store: Store, tmp_path: Path) -> None:
    url = "https://news.ycombinator.com/item?id=8863"
    added = link(store, tmp_path, url, THREAD, new_note=True)
    note = parse(added.path, (tmp_path / "n" / "notes" / added.path).read_bytes())
    assert note.kind is NoteKind.HN_THREAD
    assert [one.url for one in note.links] == [url, "http://www.getdropbox.com/u/2/screencast.html"]
    assert "2007-04-04, Hacker News, 111 points, 71 comments" in [passage.text for passage in note.passages]


def test_a_video_gets_a_note_with_its_channel(store: Store, tmp_path: Path) -> None:
    added = link(store, tmp_path, "https://youtu.be/dQw4w9WgXcQ", VIDEO, new_note=True)
    note = parse(added.path, (tmp_path / "n" / "notes" / added.path).read_bytes())
    assert [one.url for one in note.links][1] == "https://www.youtube.com/@RickAstleyYT"


def test_a_page_without_facts_gets_a_note_by_its_host(store: Store, tmp_path: Path) -> None:
    added = link(
        store, tmp_path, "https://blog.example/p", Reading(lacking="the page: refused"), new_note=True
    )
    assert added.path == "2026/2026-11-24-blog-example.md"
    assert "refused" in added.warning


def test_a_note_of_that_name_is_never_overwritten(store: Store, tmp_path: Path) -> None:
    first = link(store, tmp_path, ARXIV, PAPER, new_note=True)
    before = (tmp_path / "n" / "notes" / first.path).read_bytes()
    with pytest.raises(NoteExists):
        link(store, tmp_path, "https://other.example/same-title", PAPER, new_note=True)
    assert (tmp_path / "n" / "notes" / first.path).read_bytes() == before


def test_nothing_is_written_on_a_dry_run(store: Store, tmp_path: Path) -> None:
    added = link(store, tmp_path, ARXIV, PAPER, new_note=True, dry_run=True)
    assert added.text.startswith("---\ntitle: ")
    assert sorted(path.name for path in (tmp_path / "n" / "notes").rglob("*.md")) == ["a.md"]


def test_a_known_page_by_another_spelling_is_told(store: Store, tmp_path: Path) -> None:
    link(store, tmp_path, ARXIV, PAPER)
    again = link(store, tmp_path, "https://arxiv.org/pdf/2305.14314v2", PAPER, new_note=True)
    assert again.known is not None
    assert again.path == "2026/2026-11-24.md"


def test_a_thread_and_the_article_behind_it_are_told_of_each_other(store: Store, tmp_path: Path) -> None:
    thread, article = (
        "https://news.ycombinator.com/item?id=8863",
        "http://www.getdropbox.com/u/2/screencast.html",
    )
    first = link(store, tmp_path, thread, THREAD)
    assert first.paired == ()
    assert THREAD.facts is not None
    store.save_facts(Key("hn:8863"), THREAD.facts)
    second = link(store, tmp_path, article, Reading(Facts(title="A screencast")))
    assert [(place.path, place.url) for place in second.paired] == [(first.path, thread)]
    other = Reading(Facts(title="Again", extra={"article": article}), kind=LinkKind.HN_THREAD)
    third = link(store, tmp_path, "https://news.ycombinator.com/item?id=9999", other)
    assert [place.url for place in third.paired] == [article]


# -- many addresses --------------------------------------------------------------------------------


def test_addresses_are_found_in_any_text() -> None:
    mail = "See https://a.example/x), and <https://b.example/?q=1&r=2>.\n[c](https://c.example) https://a.example/x"
    assert add.addresses(mail) == ["https://a.example/x", "https://b.example/?q=1&r=2", "https://c.example"]
    assert add.addresses("a.example/one\n\nb.example/two\n") == ["a.example/one", "b.example/two"]
    assert add.addresses("\n") == []


@pytest.fixture
def pages() -> Iterator[Server]:
    def named(handler: Handler, rest: str) -> None:
        handler.answer(
            body=f"<html><head><title>Page {rest}</title></head><p>Words of {rest}.</p></html>".encode()
        )

    with Server(routes={"p": named}) as running:
        yield running


@pytest.fixture
def root(tmp_path: Path, loopback: None) -> Path:
    notebook(tmp_path / "n", {"a.md": "* first\n"})
    return tmp_path / "n"


def test_several_addresses_come_from_arguments_and_standard_input(
    root: Path, pages: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(f"look: {pages.url('p/two')} and {pages.url('p/one')}\n"))
    args = ["--root", str(root), "add-link", pages.url("p/one"), "-", "--json", "-t", "mail"]
    assert cli.invoke(args) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(one["title"], one["known"]) for one in told] == [("Page one", False), ("Page two", False)]
    written = next((root / "notes").rglob("20*.md")).read_text()
    assert written.count("* [Page ") == 2
    assert written.count("#mail") == 2
    with KnowledgeBase.open(root) as base:
        page = base.saved(pages.url("p/one"))
        assert (page.title, base.search("words", mode="keyword", limit=9).hits != ()) == ("Page one", True)


def test_one_wrong_address_among_others_costs_that_one_alone(
    root: Path, pages: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    several = [pages.url("p/one"), "no address", "ftp://a.example/x", pages.url("p/two")]
    assert cli.invoke(["--root", str(root), "add-link", *several]) == 1
    out, err = capsys.readouterr()
    assert out.count("added to") == 2
    assert "'no address' is no web address" in err
    assert "ftp://a.example/x" in err
    assert next((root / "notes").rglob("20*.md")).read_text().count("* [Page ") == 2


def test_nothing_but_wrong_addresses_is_status_2_and_writes_nothing(root: Path) -> None:
    assert cli.invoke(["--root", str(root), "add-link", "no address", "nor this"]) == 2
    assert cli.invoke(["--root", str(root), "add-link", "no address"]) == 2
    assert not list((root / "notes").rglob("20*.md"))


def test_a_dry_run_from_the_command_line_writes_nothing_at_all(
    root: Path, pages: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.invoke(["--root", str(root), "add-link", pages.url("p/one"), "--new-note", "--dry-run"]) == 0
    assert "title: Page one" in capsys.readouterr().out
    assert not list((root / "notes").rglob("20*.md"))
    assert not (root / "saved").exists()
    assert not (root / "links.jsonl").exists()


# -- the clipboard ---------------------------------------------------------------------------------


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_the_first_program_that_works_reads_the_clipboard(programs: Path) -> None:
    program(programs, "wl-paste", "echo no display >&2; exit 1")
    program(programs, "xclip", 'printf "%s" "https://a.example/$1"')
    assert clipboard() == "https://a.example/-selection"


def test_a_program_of_ones_own_is_run_without_a_shell(programs: Path) -> None:
    program(programs, "mine", 'printf "%s|" "$@"')
    assert clipboard("mine 'two words' ; $(false)") == "two words|;|$(false)|"


def test_a_clipboard_that_nobody_can_read_is_said(programs: Path) -> None:
    with pytest.raises(UsageError, match="none of pbpaste"):
        clipboard()
    program(programs, "xsel", "echo no display >&2; exit 1")
    with pytest.raises(UsageError, match="xsel: no display"):
        clipboard()


def test_a_notebook_may_not_name_the_program(root: Path) -> None:
    (root / "kb.toml").write_text('[clipboard]\ncommand = "rm -rf /"\n')
    assert cli.invoke(["--root", str(root), "add-link", "--clipboard"]) == 2


def test_the_clipboards_addresses_are_added(
    root: Path,
    pages: Server,
    programs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    program(programs, "pbpaste", f'echo "{pages.url("p/pasted")} "')
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/bin{os.pathsep}/usr/bin")
    assert cli.invoke(["--root", str(root), "add-link", "--clipboard"]) == 0
    assert "[Page pasted]" in capsys.readouterr().out


def test_no_address_at_all_is_said(root: Path) -> None:
    assert cli.invoke(["--root", str(root), "add-link"]) == 2


# -- strangers' text -------------------------------------------------------------------------------

RENDERING = [
    *("admonition", "attr_list", "def_list", "footnotes", "md_in_html", "tables", "abbr", "toc"),
    *("pymdownx.details", "pymdownx.superfences", "pymdownx.magiclink", "pymdownx.tasklist"),
]
_NASTY = st.text(max_size=60) | st.lists(
    st.sampled_from(
        [
            *(
                "# ",
                "* ",
                "1. ",
                "> ",
                "```",
                "~~~",
                "---",
                "***",
                "| a |",
                "    ",
                "\n",
                "\r",
                "\x1b[31m",
                "\u202e",
            ),
            *(
                "[x](https://evil.example)",
                "<b>",
                "<script>",
                "https://evil.example/",
                "www.evil.example",
                "&lt;",
            ),
            *(
                "[[wiki]]",
                "[^1]: ",
                "*[a]: b",
                "!!! note",
                "??? x",
                ": ",
                "{#id}",
                "`",
                "\\",
                "]",
                ")",
                "$",
                "==",
                "x",
            ),
        ]
    ),
    max_size=6,
).map("".join)


@given(_NASTY)
def test_no_text_of_a_page_becomes_markup(text: str) -> None:
    line = prose(text)
    assert "\n" not in line
    assert line.isprintable()
    for before, kind in (("", PassageKind.PARAGRAPH), ("> ", PassageKind.QUOTE), ("* ", PassageKind.BULLET)):
        note = parse("n.md", f"{before}{line}\n".encode())
        assert not note.links
        assert {passage.kind for passage in note.passages} <= {kind}
    rendered = markdown.markdown(line, extensions=RENDERING)
    assert set(re.findall(r"<(\w+)", rendered)) <= {"p"}


@given(_NASTY, _NASTY, _NASTY, st.sampled_from(list(LinkKind)))
def test_no_facts_break_the_note_they_stand_in(title: str, name: str, about: str, kind: LinkKind) -> None:
    facts = Facts(
        title=title,
        authors=(name,),
        published="2023",
        description=about,
        site=name,
        extra={"journal": about, "licence": title, "article": "https://a.example/"},
    )
    text = link_note(title or "x", "https://a.example/", kind, facts, "2026-11-24", tags=(name,), quote=about)
    note = parse("n.md", text.encode("utf-8", "replace"))
    assert not [problem for problem in note.problems if problem.severity == "error"]
    assert {urls.canonical(one.url) for one in note.links} == {"https://a.example/"}
    assert "\x1b" not in text


def test_a_reference_has_the_key_the_names_and_the_address_that_an_export_gives_it() -> None:
    facts = Facts(title="How self-attention works", authors=("Org and Co", "A. Writer"), published="2023-01")
    url = "https://a.example/{x} y"
    mention = Mention("a.md", 1, url, "x", None, None, Span(0, 1))
    paper = LinkRecord(urls.key(url), LinkKind.PAPER, "a.example", facts=facts, mentions=(mention,))
    exported = export([paper], {}, "bibtex").text
    assert "  author = {{Org and Co} and A. Writer},\n" in exported
    written = link_note(facts.title or "", url, LinkKind.PAPER, facts, "2026-11-24")
    assert "\nbibtex: co2023selfattention\n" in written
    for line in exported.splitlines():
        assert line in written.splitlines() or line.startswith("  month")


@pytest.mark.parametrize(
    ("title", "author", "key"),
    [
        ("QLoRA: Efficient", "Tim Dettmers", "dettmers2023qlora"),
        ("The Größe of Sheep", "Müller, Jörg", "muller2023groe"),
        ("東京", "山田", "2023"),
        ("A", "", "2023"),
    ],
)
def test_the_key_of_a_reference_is_plain(title: str, author: str, key: str) -> None:
    assert cite_key(title, Facts(authors=(author,) if author else (), published="2023-01")) == key
