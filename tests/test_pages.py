from __future__ import annotations

import html as entities
import json
import re
from dataclasses import replace
from xml.etree.ElementTree import Element, fromstring

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
from kb.pages import chart, glossary, graph, health, home, links, listing, menu, note, shelves, timeline
from kb.pages.card import Card
from kb.pages.html import clean, is_remote
from kb.pages.text import clipped, day, flat, link, page_link, plain, slug, web_url

HOSTILE = "<script>alert(1)</script> {onclick=alert(2)} [x](javascript:3) | `a` *b* _c_\n# d \"e\" 'f' &lt;"
PLACES = menu.places([])


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


def test_the_first_words_say_of_a_wikilink_what_it_shows() -> None:
    source = "* met [[Ann Smith|Ann]] about [[Big Plan#Goals]], see [the paper](https://a.example/)\n"
    assert note.first_words(source) == "met Ann about Big Plan > Goals, see the paper"


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


def cells(row: Element) -> list[str]:
    return ["".join(cell.itertext()) for cell in row]


def table(more: str) -> Element:
    found = fromstring(f"<div>{more}</div>").find(".//table")
    assert found is not None
    return found


def test_links_stand_in_one_table_with_the_latest_first() -> None:
    records = [
        record("https://a.example/old", title="Old", date="2023-01"),
        record("https://a.example/new", title="New", date="2023-08-11"),
        record("https://arxiv.org/abs/1", LinkKind.PAPER, title="Paper"),
        record("https://a.example/none", title="No date", date=None),
    ]
    rows = list(table(links.pages(PLACES, records, {"a.md": card()})[0].more).iter("tr"))
    assert [cells(row)[:2] for row in rows] == [
        ["Title", "Kind"],
        ["Paper", "paper"],
        ["New", "blog"],
        ["Old", "blog"],
        ["No date", "blog"],
    ]


def test_a_row_of_a_link_tells_host_date_standing_and_where() -> None:
    made = links.pages(PLACES, [record("https://a.example/x", standing=Standing.DEAD)], {"a.md": card()})[0]
    assert "1 dead" in made.markdown
    row = list(table(made.more).iter("tr"))[1]
    assert cells(row) == ["anchor a.example/x", "blog", "a.example", "September 2023", "dead", "A note"]
    assert row[3].get("data-sort") == "2023-09-30"
    assert [link.get("href") for link in row.iter("a")] == ["https://a.example/x", "kb:a.md"]


def test_a_fetched_title_takes_the_place_of_the_anchor() -> None:
    more = links.pages(PLACES, [record("https://a.example/x", title="Fetched")], {"a.md": card()})[0].more
    assert cells(list(table(more).iter("tr"))[1])[0] == "Fetched"
    assert "anchor" not in more


def test_a_hostile_title_stays_within_its_cell() -> None:
    more = links.pages(PLACES, [record("https://a.example/x", title=HOSTILE)], {"a.md": card()})[0].more
    found = table(more)
    assert [len(row) for row in found.iter("tr")] == [6, 6]
    assert flat(HOSTILE)[:40] in cells(list(found.iter("tr"))[1])[0]
    names = {name for element in found.iter() for name in element.attrib}
    assert names <= {"href", "class", "title", "id", "scope", "data-sort", "data-total"}


def test_links_within_the_notebook_are_not_listed() -> None:
    inner = LinkRecord(Key("/python"), LinkKind.INTERNAL, "", mentions=record("https://a.example").mentions)
    made = links.pages(PLACES, [inner], {"a.md": card()})[0]
    assert "/python" not in made.markdown + made.more


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
    more = listing.notes(PLACES, cards).more
    found = re.findall(r"<h2[^>]*>(.*?)</h2>|kb:(\w)\.md", more)
    assert ["".join(pair) for pair in found] == ["2023", "d", "c", "2022", "b", "Without a date", "a"]


def test_each_tag_lists_its_notes_whatever_its_case_and_script() -> None:
    cards = [card("a.md", tags=("RAG", "日本")), card("b.md", "B", tags=("rag",))]
    more = listing.tags(PLACES, cards).more
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", more) == ["RAG", "日本"]
    assert more.count("kb:a.md") == 2
    anchors = re.findall(r'<h2 id="([^"]+)"', more)
    assert [f'href="#{anchor}"' in more for anchor in anchors] == [True, True]


def test_the_timeline_tells_what_happened_apart_from_what_was_written() -> None:
    moment = timeline.Moment(When.parse("2023-08-11"), "A study came out", "a.md", When.parse("2023-09"))
    (made,) = timeline.pages(PLACES, {"a.md": card()}, [moment])
    lines = re.findall(r"<li>(.*?)</li>", made.more)
    assert ["kb-written" in line for line in lines] == [True, False]
    assert "11 August" in lines[1]
    assert "noted September 2023" in lines[1]


def test_a_long_timeline_is_cut_into_years() -> None:
    moments = [timeline.Moment(When.parse(f"{2000 + at % 3}"), f"no. {at}", "a.md") for at in range(600)]
    made = timeline.pages(PLACES, {"a.md": card()}, moments)
    assert [page.path for page in made] == [
        "timeline.md",
        *(f"timeline-{year}.md" for year in (2023, 2002, 2001, 2000)),
    ]
    everything = "".join(page.more for page in made[1:])
    assert all(f">no. {at} <" in everything for at in range(600))


def test_a_shelf_holds_the_notes_and_the_links_of_its_kind() -> None:
    papers = next(shelf for shelf in shelves.SHELVES if shelf.name == "papers")
    notes = {
        "a.md": replace(card(), kind=NoteKind.PAPER, description="About it"),
        "b.md": card("b.md", "Else"),
    }
    paper = record("https://arxiv.org/abs/1", LinkKind.PAPER, title="A paper")
    paper = replace(
        paper, facts=Facts("A paper", authors=("One", "Two", "Three", "Four"), published="2023-05")
    )
    made = shelves.page(papers, PLACES, notes, [paper, record("https://a.example/x", title="A blog")])
    assert "1 note, 1 paper." in made.markdown
    for part in ("About it", "A paper", "One, Two, Three and others", "2023-05"):
        assert part in made.more
    assert "Else" not in made.more
    assert "A blog" not in made.more


def test_link_health_shows_the_dead_with_their_copies_and_where_they_rot() -> None:
    dead = record("https://a.example/x", standing=Standing.DEAD, title="Gone")
    looks = replace(
        dead.looks,
        archived_url="https://archive.example/1",
        last_checked="2026-03-01T00:00:00Z",
        transitions=(
            Transition("2026-01-01T00:00:00Z", Standing.ALIVE),
            Transition("2026-02-01T00:00:00Z", Standing.DEAD),
        ),
    )
    dead = replace(dead, looks=looks)
    made = health.page(PLACES, [dead, record("https://a.example/y", title="Lives")], {"a.md": card()})
    assert "1 dead" in made.markdown
    assert made.more.index("Gone") < made.more.index("https://archive.example/1")
    picture = re.search(r'<figure.*?aria-label="([^"]*)"', made.more)
    assert picture
    assert "from 2026-01-01 to 2026-03-01" in picture[1]
    hosts = table(made.more[made.more.index('id="hosts"') - 4 :])
    assert cells(list(hosts.iter("tr"))[1]) == ["a.example", "1", "2", "50%"]


def test_link_health_shows_how_a_saved_text_begins_and_how_to_read_the_rest() -> None:
    dead = record("https://a.example/x?a=1&b=2", title="Gone", standing=Standing.DEAD)
    text = "<b>Once</b> upon a time. " + "And so on. " * 100 + "The end."
    made = health.page(PLACES, [dead], {"a.md": card()}, {dead.key.key: text}).more
    assert "&lt;b&gt;Once&lt;/b&gt; upon a time." in made
    assert "The end." not in made
    assert "<code>kb show &#x27;https://a.example/x?a=1&amp;b=2&#x27;</code>" in made
    assert "kb-saved" not in health.page(PLACES, [dead], {"a.md": card()}).more


def test_link_health_tells_pages_that_are_no_longer_what_was_noted() -> None:
    one = record("https://a.example/x", title="Old name")
    one = replace(one, facts=replace(one.facts, now_title="New <name>", changed_at="2026-03-02T00:00:00Z"))
    made = health.page(PLACES, [one], {"a.md": card()}).more
    assert "Changed (1)" in made
    assert "since 2 March 2026 \u00b7 now called New &lt;name&gt;" in made


def test_many_links_are_cut_into_parts_that_lead_to_each_other() -> None:
    records = [
        record(f"https://a.example/{at}", title=f"T{at}", date=f"2023-01-{at + 1:02d}") for at in range(7)
    ]
    made = links.pages(PLACES, records, {"a.md": card(), "links-part-3.md": card()}, rows=3)
    assert [page.path for page in made] == ["links.md", "links-part-2.md", "links-part-3-2.md"]
    assert [len(list(table(page.more).iter("tr"))) - 1 for page in made] == [3, 3, 1]
    assert cells(list(table(made[0].more).iter("tr"))[1])[0].startswith("T6")
    assert 'href="kb:links-part-2.md"' in made[0].more
    assert 'href="kb:links.md"' in made[2].more
    assert len({page.title for page in made}) == len({page.description for page in made}) == 3
    assert 'data-total="7"' in made[1].more


def test_link_health_of_links_that_nobody_looked_at_says_what_to_do() -> None:
    unseen = replace(record("https://a.example/x"), looks=Looks())
    made = health.page(PLACES, [unseen], {"a.md": card()})
    assert "kb check-links" in made.markdown
    assert "<svg" not in made.more


def test_the_areas_of_a_chart_fill_it_by_share() -> None:
    histories = [
        [("2026-01-01T00:00:00Z", "alive")],
        [("2026-01-01T00:00:00Z", "alive"), ("2026-01-03T00:00:00Z", "dead")],
    ]
    drawn = chart.over_time(histories, "2026-01-05T00:00:00Z", ["alive", "dead"])
    tops = {
        name: [float(point.split(",")[1]) for point in points.split()[:5]]
        for name, points in re.findall(r'class="kb-fill-(\w+)" points="([^"]*)"', drawn)
    }
    floor, ceiling = 196.0, 8.0
    middle = (floor + ceiling) / 2
    assert tops["alive"] == [ceiling, ceiling, middle, middle, middle]
    assert tops["dead"] == [ceiling] * 5


def test_the_graph_ties_notes_to_notes_links_and_terms() -> None:
    entry = Entry(Term("RAG", "x", None, None, 1), "b.md", (Use("a.md", 2),))
    cards = {"a.md": card(), "b.md": card("b.md", "Other")}
    made = graph.page(PLACES, cards, [record("https://a.example/x", title="L")], [entry], [("a.md", "b.md")])
    data = re.search(r'data-edges="(.*?)"', made.more)
    assert data
    labels = re.findall(r'data-node="(\d+)" data-kind="(\w+)"[^>]*>(.*?)</a>', made.more)
    names = [label for _, _, label in sorted(labels, key=lambda one: int(one[0]))]
    assert names == ["A note", "Other", "RAG", "L"]
    ties = [{names[one], names[other]} for one, other in json.loads(data[1])]
    assert {"A note", "Other"} in ties
    assert {"A note", "RAG"} in ties
    assert {"Other", "RAG"} in ties
    assert {"A note", "L"} in ties
    assert len(ties) == 4


@given(st.text(max_size=120), st.integers(0, 60), st.integers(0, 60))
def test_a_backlink_shows_its_anchor_within_the_sentence(text: str, start: int, length: int) -> None:
    line = flat(text)
    anchor = line[start : start + length].strip()
    shown = fromstring(f"<p>{note.around(text, anchor)}</p>")
    assert "".join(shown.itertext()).strip("…") in line or not anchor
    if anchor:
        mark = shown.find("mark")
        assert mark is not None
        assert mark.text == anchor


def test_a_backlink_leaves_out_the_sentences_around() -> None:
    text = "First things. Then see the setup page for Python. And more."
    assert note.around(text, "setup page") == "Then see the <mark>setup page</mark> for Python."


def test_a_note_tells_what_points_to_it_and_what_is_near() -> None:
    pointing = note.Backlink(card("b.md", "B"), "this", "About this.")
    made = note.page(card(), "Text", backlinks=[pointing], related=[card("c.md", "C")])
    assert re.findall(r"kb:(\w)\.md", made.more) == ["b", "c"]
    assert note.page(card(), "Text").more == ""


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
    assert "No note holds a link" in links.pages(PLACES, [], {})[0].markdown
    assert "0 notes" in listing.notes(PLACES, []).markdown
    assert "No note has a tag" in listing.tags(PLACES, []).markdown
    assert "Nothing has a date" in timeline.pages(PLACES, {}, [])[0].markdown
    assert "No note holds a link" in health.page(PLACES, [], {}).markdown
    assert graph.page(PLACES, {}, [], [], []).more == ""
    for shelf in shelves.SHELVES:
        assert shelf.empty in shelves.page(shelf, PLACES, {}, []).markdown


def test_front_matter_of_hugo_is_left_out_and_heard() -> None:
    assert note.body("+++\ntitle = 'x'\n+++\nBody\n") == "Body\n"
    assert note.body("+++\ntext\n---\nBody\n") == "+++\ntext\n---\nBody\n"
    assert note.is_withheld("+++\ndraft = true\n+++\n", broken=False)
    assert not note.is_withheld("+++\ndraft = false\n+++\n", broken=False)
