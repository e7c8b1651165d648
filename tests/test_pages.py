from __future__ import annotations

import html as entities
import re
from dataclasses import replace
from xml.etree.ElementTree import fromstring

import markdown
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.model import (
    Entry,
    Facts,
    Key,
    LinkKind,
    LinkRecord,
    Looks,
    Mention,
    NoteKind,
    Span,
    Standing,
    Term,
    Transition,
    Use,
    When,
)
from kb.pages import glossary, home, links, note, timeline
from kb.pages.card import Card
from kb.pages.html import clean, is_remote
from kb.pages.text import clipped, day, flat, link, page_link, plain, slug, web_url

HOSTILE = "<script>alert(1)</script> {onclick=alert(2)} [x](javascript:3) | `a` *b* _c_\n# d \"e\" 'f' &lt;"
PLACES = {"notes": "notes.md", "links": "links.md", "glossary": "glossary.md"}


def render(text: str) -> str:
    """As the site does, with every extension on that could make words into something else."""
    return markdown.markdown(
        text, extensions=["attr_list", "tables", "toc", "abbr", "footnotes", "admonition"]
    )


def card(path: str = "a.md", title: str = "A note", noted: str | None = "2023-09", **more: object) -> Card:
    return Card(path, title, NoteKind.NOTE, When.parse(noted) if noted else None, **more)  # type: ignore[arg-type]


def record(
    url: str,
    kind: LinkKind = LinkKind.BLOG,
    standing: Standing = Standing.ALIVE,
    title: str | None = None,
    anchor: str = "anchor",
    date: str | None = "2023-09",
    path: str = "a.md",
    changed: str = "2026-01-01T00:00:00Z",
) -> LinkRecord:
    mention = Mention(path, 3, url, anchor, When.parse(date) if date else None, None, Span(0, 1))
    looks = Looks(standing=standing, transitions=(Transition(changed, standing),))
    host = url.split("/")[2]
    return LinkRecord(Key(url), kind, host, Facts(title=title), looks, mentions=(mention,))


# -- words that are not ours ---------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_plain_text_comes_out_of_markdown_as_itself(text: str) -> None:
    shown = render(f"before {plain(text)} after")
    paragraph = fromstring(shown.replace("&nbsp;", "&#160;"))
    assert list(paragraph) == []
    assert (paragraph.text or "") == f"before {flat(text)} after"


@given(st.text(max_size=60))
def test_plain_text_is_one_line_and_holds_no_mark_of_any_syntax(text: str) -> None:
    left = re.sub(r"&#\d+;", "", plain(text))
    assert not re.search(r"[!-+\--/:-@\[-`{-~\n\r\x00]", left)
    assert entities.unescape(plain(text)) == flat(text)


@given(st.text(max_size=80))
def test_only_web_and_mail_addresses_become_links(url: str) -> None:
    target = web_url(url)
    assert target is None or target.startswith(("http://", "https://", "mailto:"))


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_fetched_title_and_address_make_one_link_and_nothing_else(title: str, rest: str) -> None:
    shown = render(f"x {link('t' + title, 'https://host.example/' + rest)} y")
    assert re.findall(r"<(?!/)(\w+)", shown) == ["p", "a"]
    assert not re.search(r"<a [^>]*\s(?!href)[a-z]+=", shown)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "JaVaScRiPt:x",
        "java\nscript:x",
        "//host.example",
        "http:",
        "https://[",
    ],
)
def test_other_schemes_leave_the_words_without_a_link(url: str) -> None:
    assert link("words", url) == "words"


def test_an_address_keeps_its_meaning_through_markdown() -> None:
    url = "https://en.wikipedia.org/wiki/Llama_(animal)?a=1&copy;=2&b=*x*#frag"
    href = fromstring(render(link("t", url)))[0].get("href")
    assert href == "https://en.wikipedia.org/wiki/Llama_%28animal%29?a=1&copy;=2&b=%2Ax%2A#frag"


def test_links_between_pages_survive_odd_file_names() -> None:
    href = fromstring(render(page_link("t", "2023/100% (a) #1?.md", "x")))[0].get("href")
    assert href == "2023/100%25%20%28a%29%20%231%3F.md#x"


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("2023", "2023"),
        ("2023-09", "September 2023"),
        ("2023-08-01", "1 August 2023"),
        ("2023-02-09/2023-02-12", "9\u201312 February 2023"),
        ("2023-01/2023-03", "January 2023 \u2013 March 2023"),
    ],
)
def test_a_date_is_said_as_precisely_as_it_is_known(when: str, words: str) -> None:
    assert day(When.parse(when)) == words


@given(st.text(max_size=300), st.integers(20, 80))
def test_clipping_keeps_to_its_limit(text: str, limit: int) -> None:
    assert len(clipped(text, limit)) <= limit


@pytest.mark.parametrize(
    "heading", ["RAG", "Mixture of Experts", "C++", "naïve Bayes", "k-NN", "4-bit  (NF4)"]
)
def test_a_slug_is_the_anchor_that_the_toc_gives(heading: str) -> None:
    found = re.search(r'id="([^"]*)"', render(f"# {plain(heading)}"))
    assert found
    assert found[1] == slug(heading)


# -- raw HTML --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        "<script>alert(1)</script>",
        "<p onclick=alert(1)>x</p>",
        '<a href="javascript:alert(1)">x</a>',
        "<iframe src=https://far.example></iframe>",
        "<img src=https://far.example/x.png>",
        "<img src='//far.example/x.png'>",
        "<img src='/\t/far.example/x.png'>",
        "<img src='\\\\far.example/x.png'>",
        "<img srcset='https://far.example/x.png 2x'>",
        "<style>@import url(https://far.example)</style>",
        "<p style='background:url(https://far.example)'>x</p>",
        "<link rel=stylesheet href=https://far.example>",
        "<pre class='mermaid'>graph</pre>",
        "<div id='__config'>{}</div>",
        "<form action=https://far.example><input name=q></form>",
        "<svg><use href='https://far.example#x'/></svg>",
        "<base href='https://far.example'>",
        "<meta http-equiv=refresh content='0;url=https://far.example'>",
    ],
)
def test_html_that_runs_or_calls_away_is_taken_out(bad: str) -> None:
    left = clean(f"<p>before</p>{bad}<p>after</p>")
    assert not re.search(r"far\.example|script|onclick|alert|mermaid|__config|<form|<style|<svg", left)
    assert "<p>before</p>" in left
    assert "<p>after</p>" in left


def test_html_that_markdown_makes_is_kept() -> None:
    text = (
        "# T\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\nword[^1] <kbd>x</kbd> ![alt](pic.png)\n\n"
        "[^1]: note\n\n!!! note\n    said\n\n<ol start='3'><li>three</li></ol>\n"
    )
    before = render(text)
    after = clean(before)
    for tag in set(re.findall(r"<(\w+)", before)):
        assert after.count(f"<{tag}") == before.count(f"<{tag}"), tag
    for part in ('text-align:right"', 'src="pic.png"', 'start="3"', 'class="admonition note"', 'id="fn:1"'):
        assert part in after


@pytest.mark.parametrize("address", ["pic.png", "../a/b.png", "/a.png", "a.png?x=1:2", "#x", ""])
def test_a_picture_of_the_site_is_not_remote(address: str) -> None:
    assert not is_remote(address)


# -- notes -----------------------------------------------------------------------------------------


def test_a_note_without_a_heading_gets_its_title_as_one() -> None:
    page = note.page(card(title=HOSTILE), "---\ntitle: x\n---\n* a bullet\n")
    heading = fromstring(f"<div>{render(page.markdown)}</div>").find("h1")
    assert heading is not None
    assert list(heading) == []
    assert set(heading.attrib) == {"id"}
    assert heading.text == flat(HOSTILE)
    assert page.markdown.endswith("* a bullet\n")
    assert "title: x" not in page.markdown


@pytest.mark.parametrize("heading", ["# Own heading", "Own heading\n===========", "# Own heading #"])
def test_a_note_keeps_the_heading_it_has(heading: str) -> None:
    page = note.page(card(), f"\n{heading}\n\nText.\n")
    shown = render(page.markdown)
    assert shown.count("<h1") == 1
    assert shown.index("Own heading") < shown.index("kb-byline") < shown.index("Text.")


def test_a_note_tells_its_date_its_kind_and_its_tags() -> None:
    one = Card("a.md", "A", NoteKind.HN_THREAD, When.parse("2023-08-11"), ("qlora", "<b>"), None)
    words = re.sub(r"<[^>]+>", " ", render(note.byline(one)))
    assert words.split() == ["11", "August", "2023", "HN", "thread", "qlora", "&#60;b&#62;"]


@given(st.text(max_size=200))
def test_any_source_makes_a_page(source: str) -> None:
    page = note.page(card(), source)
    assert "kb-byline" in page.markdown
    assert len(note.first_words(source)) <= 160


def test_lines_that_look_like_metadata_stay_in_the_note() -> None:
    assert note.body("Source: a page\n\nText\n") == "Source: a page\n\nText\n"


def test_front_matter_is_cut_off_whatever_ends_its_lines() -> None:
    for end in ("\n", "\r\n", "\r"):
        assert note.body(end.join(["\ufeff---", "title: [", "---", "Body", ""])) == "Body\n"


def test_the_first_words_are_prose() -> None:
    source = (
        "---\na: b\n---\n# T\n\n## 2023\n* [The *paper*](https://x.example/a_(b)), `code` and <b>more</b>\n"
    )
    assert note.first_words(source) == "The paper, code and more"


@pytest.mark.parametrize(
    "line", ["private: true", 'private: "yes"', "draft: on", "Private: TRUE", "'draft': 1"]
)
def test_whatever_is_said_to_be_private_or_a_draft_is_withheld(line: str) -> None:
    assert note.is_withheld(f"---\ntitle: x\n{line}\n---\n", broken=False)


@pytest.mark.parametrize(
    "line", ["private: false", "draft: no  # done", "private:", "drafted: true", "  private: true"]
)
def test_a_plain_no_is_not_withheld(line: str) -> None:
    assert not note.is_withheld(f"---\ntitle: x\n{line}\n---\nprivate: in the text\n", broken=False)


@pytest.mark.parametrize("source", ["---\na: [\nprivate: tru\n---\n", "---\nprivate: true\nnever ends\n"])
def test_front_matter_that_cannot_be_read_is_withheld_for_the_word_alone(source: str) -> None:
    assert note.is_withheld(source, broken=True)
    assert not note.is_withheld("---\ntitle: [\n---\n", broken=True)


# -- pages -----------------------------------------------------------------------------------------


def test_links_stand_by_kind_with_the_latest_first() -> None:
    records = [
        record("https://a.example/old", title="Old", date="2023-01"),
        record("https://a.example/new", title="New", date="2023-08-11"),
        record("https://arxiv.org/abs/1", LinkKind.PAPER, title="Paper"),
        record("https://a.example/none", title="No date", date=None),
    ]
    text = links.page("links.md", records, {"a.md": card()}).markdown
    order = [text.index(word) for word in ("## Papers", "Paper]", "## Blogs", "[New]", "[Old]", "[No date]")]
    assert order == sorted(order)


def test_a_row_of_a_link_tells_host_date_standing_and_where() -> None:
    text = links.page(
        "links.md", [record("https://a.example/x", standing=Standing.DEAD)], {"a.md": card()}
    ).markdown
    row = next(line for line in text.splitlines() if "https://a.example/x" in line)
    words = re.sub(r"<[^>]+>", "", entities.unescape(row))
    assert words == "| [anchor](https://a.example/x) a.example/x | September 2023 | dead | [A note](a.md) |"


def test_a_fetched_title_takes_the_place_of_the_anchor_and_the_address_that_of_the_host() -> None:
    text = links.page("links.md", [record("https://a.example/x", title="Fetched")], {"a.md": card()}).markdown
    assert "[Fetched](https://a.example/x) <small>a&#46;example</small>" in text
    assert "anchor" not in text


def test_a_hostile_title_stays_within_its_cell() -> None:
    text = links.page("links.md", [record("https://a.example/x", title=HOSTILE)], {"a.md": card()}).markdown
    table = fromstring(f"<div>{render(text)}</div>").find("table")
    assert table is not None
    assert [len(row) for row in table.iter("tr")] == [4, 4]
    assert {name for element in table.iter() for name in element.attrib} <= {"href", "class", "title"}


def test_links_within_the_notebook_are_not_listed() -> None:
    inner = LinkRecord(Key("/python"), LinkKind.INTERNAL, "", mentions=record("https://a.example").mentions)
    assert "/python" not in links.page("links.md", [inner], {"a.md": card()}).markdown


def test_a_term_tells_expansion_definition_source_and_uses() -> None:
    term = Term(
        "RAG",
        "Retrieval-Augmented Generation",
        "Facts from the model's notes",
        "https://www.w.example/rag",
        4,
    )
    entry = Entry(term, "g.md", (Use("a.md", 1), Use("a.md", 9), Use("g.md", 4)))
    text = glossary.page("glossary.md", [entry], {"a.md": card(), "g.md": card("g.md", "Words")}).markdown
    shown = entities.unescape(re.sub(r"<[^>]+>", "", render(text)))
    assert "Retrieval-Augmented Generation" in shown
    assert "Facts from the model's notes" in shown
    assert "Source: w.example" in shown
    assert "Defined in Words. Used in A note (2 times)." in shown
    assert 'id="rag"' in render(text)


def test_terms_stand_from_a_to_z_and_one_of_two_notes_once() -> None:
    entries = [
        Entry(Term(word, f"of {path}", None, None, 1), path)
        for word, path in (("RAG", "a.md"), ("LoRA", "a.md"), ("RAG", "g.md"))
    ]
    text = glossary.page("glossary.md", entries, {"a.md": card(), "g.md": card("g.md")}).markdown
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["LoRA", "RAG"]
    assert "of a" in text
    assert "of g" in text


def test_notes_stand_by_year_and_the_undated_last() -> None:
    cards = [
        card("a.md", "A", None),
        card("b.md", "B", "2022"),
        card("c.md", "C", "2023-08-11"),
        card("d.md", "D", "2023-09"),
    ]
    text = timeline.page("notes.md", cards).markdown
    assert re.findall(r"^## (.*)$|\[(\w)\]", text, re.MULTILINE) == [
        ("2023", ""),
        ("", "D"),
        ("", "C"),
        ("2022", ""),
        ("", "B"),
        ("Without a date", ""),
        ("", "A"),
    ]


def test_home_tells_what_is_new_what_died_and_where_to_go() -> None:
    records = [
        record(
            "https://a.example/x", standing=Standing.DEAD, title="First to go", changed="2026-01-01T00:00:00Z"
        ),
        record(
            "https://a.example/y", standing=Standing.DEAD, title="Last to go", changed="2026-02-01T00:00:00Z"
        ),
        record("https://a.example/z", title="Lives"),
        replace(record("https://a.example/z"), kind=LinkKind.INTERNAL),
    ]
    entries = [Entry(Term("RAG", None, None, None, 1), "a.md")]
    text = home.page(
        "index.md", "Mine", [card(description="What it says")], records, entries, PLACES
    ).markdown
    for part in (
        "[1 note](notes.md)",
        "[3 links](links.md)",
        "[1 term](glossary.md)",
        "[RAG](glossary.md#rag)",
    ):
        assert part in text
    assert (
        text.index("A note")
        < text.index("What it says")
        < text.index("Last to go")
        < text.index("First to go")
    )
    assert "Lives" not in text


def test_an_empty_notebook_has_pages_too() -> None:
    assert "no notes yet" in home.page("index.md", "Mine", [], [], [], PLACES).markdown
    assert "No note defines a term" in glossary.page("glossary.md", [], {}).markdown
    assert "0 links" in links.page("links.md", [], {}).markdown
    assert "0 notes" in timeline.page("notes.md", []).markdown
