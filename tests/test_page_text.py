"""The readable text of a page: what its author wrote, and nothing of what stands around it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.web.page.pdf import facts as pdf_facts
from kb.web.page.pdf import is_pdf
from kb.web.page.text import MAX_CHARS, readable
from tests.page_fixtures import FIXTURES
from tests.pdfs import pdf

AT = "2026-11-24T12:00:00Z"
PROSE = (
    "<p>Sheep graze in the early morning, before the sun has dried the grass on the hills.</p>"
    "<p>Goats, on the other hand, climb wherever there is something green to be had.</p>"
)
MENU = "<ul class=menu><li><a href=/a>Cars and lorries</a><li><a href=/b>Trains and boats</a></ul>"
FOOT = "<div id=footer>All rights reserved by the shepherd</div>"


def text(body: str, head: str = "") -> str:
    page = f"<html><head>{head}<style>p {{}}</style></head><body>{body}</body></html>"
    return readable(page.encode(), "text/html; charset=utf-8")


@pytest.mark.parametrize(
    "body",
    [
        f"{MENU}<main>{PROSE}</main>{FOOT}",
        f"{MENU}<article>{PROSE}</article><aside>Trains in an aside</aside>{FOOT}",
        f"{MENU}<div role=main>{PROSE}</div>{FOOT}",
        f"{MENU}<div class='post entry-content wide'>{PROSE}</div>{FOOT}",
        f"{MENU}<div><div><div>{PROSE}</div></div></div>{FOOT}",
        f"<table><tr><td>{MENU}</td><td>{PROSE}</td></tr></table>{FOOT}",
        f"<nav>Cars and Trains</nav>{PROSE}<footer>All rights reserved</footer>",
        f"<header role=banner><form>Trains <button>Go</button></form></header><div>{PROSE}</div>{FOOT}",
        f"<div style='display:none'><p>Trains in hiding, never seen by readers</p></div><div>{PROSE}</div>",
    ],
)
def test_the_authors_words_stay_and_menus_go(body: str) -> None:
    found = text(body)
    assert "Sheep graze" in found
    assert "Goats" in found
    assert not any(word in found for word in ("Trains", "lorries", "reserved"))


def test_headings_lists_quotes_and_code_keep_their_form() -> None:
    found = text(
        "<main><h1>Sheep<a class=headerlink href=#x>¶</a></h1>"
        "<p>There are many kinds of sheep in the world.</p>"
        "<h2>Kinds</h2><ul><li>Merino, which has fine wool</li><li><p>Texel, which has not</p></li></ul>"
        "<blockquote>Every sheep is a sheep, said the shepherd to his dog.</blockquote>"
        "<pre>def sheep():\n    return  1\n</pre><h2>Nothing beneath</h2></main>"
    )
    assert found == (
        "# Sheep\n\nThere are many kinds of sheep in the world.\n\n"
        "## Kinds\n\n- Merino, which has fine wool\n\nTexel, which has not\n\n"
        "> Every sheep is a sheep, said the shepherd to his dog.\n\n"
        "```\ndef sheep():\n    return  1\n```"
    )


@pytest.mark.parametrize(
    "mark", ["<a href=#x>#</a>", "<a class=anchor href=#x>&para;</a>", "<a href=#x> 🔗</a>"]
)
def test_what_stands_in_a_heading_to_link_to_it_goes(mark: str) -> None:
    assert text(f"<main><h2>C#{mark}</h2>{PROSE}</main>").startswith("## C#\n\n")


def test_a_listing_of_several_articles_is_read_as_one_page() -> None:
    found = text(f"<main>{''.join(f'<article><h2>Part {n}</h2>{PROSE}</article>' for n in range(3))}</main>")
    assert found.count("Sheep graze") == 3


def test_an_article_within_main_leaves_out_what_stands_beside_it() -> None:
    long = PROSE * 5
    found = text(
        f"<main><article>{long}</article><div><p>You may also like these trains, my reader.</p></div></main>"
    )
    assert "trains" not in found


def test_a_page_without_words_has_no_text() -> None:
    assert text("<div id=root></div><script>document.write('Sheep')</script>") == ""


def test_a_long_page_is_capped() -> None:
    assert len(text(PROSE * 5_000)) <= MAX_CHARS


def test_text_is_read_in_the_charset_of_its_page() -> None:
    body = "<main><p>Съешь ещё этих мягких французских булок, да выпей же чаю.</p></main>".encode("cp1251")
    assert readable(body, "text/html; charset=windows-1251").startswith("Съешь ещё")


@given(st.binary(max_size=400), st.none() | st.text(max_size=30))
def test_no_bytes_make_it_raise(body: bytes, type: str | None) -> None:
    readable(body, type)


_PIECES = st.sampled_from(
    [
        *(
            "<p>",
            "</p>",
            "<div>",
            "</div>",
            "<main>",
            "</main>",
            "<nav>",
            "</nav>",
            "<li>",
            "<ul>",
            "</ul>",
            "<h1>",
        ),
        *(
            "</h1>",
            "<pre>",
            "</pre>",
            "<a href=x>",
            "</a>",
            "<td>",
            "<script>",
            "</script>",
            "<!--",
            "-->",
            "<",
            ">",
        ),
        *(
            "words and more words that make a sentence of some length, as prose has it. ",
            "&amp;",
            "&#27;[31m",
            "\x1b[0m",
        ),
        *('<div class="', '"', "'", "<article hidden>", "</article>", "\x00", "\u202e"),
    ]
)


@given(st.lists(_PIECES, max_size=40))
def test_no_markup_makes_it_raise_or_let_an_escape_sequence_through(parts: list[str]) -> None:
    found = text("".join(parts))
    assert not any(char in found for char in "\x1b\x00\u202e")


@pytest.mark.parametrize(
    "piece", ["<div>", "<p", "<a ", "<!--", "<ul><li>", "<div class='", "&", "<table><tr><td>x", "</p>", "<"]
)
def test_hostile_markup_costs_no_more_than_its_length(piece: str) -> None:
    def cost(times: int) -> float:
        body = (piece * times).encode()
        start = time.process_time()
        readable(body, "text/html")
        return time.process_time() - start

    few, many = cost(4_000), cost(32_000)
    assert many < 30 * max(few, 0.004)


@pytest.mark.parametrize("fixture", FIXTURES[:60], ids=[fixture[0] for fixture in FIXTURES[:60]])
def test_fixture_pages_can_be_read_too(fixture: tuple[str, bytes, str | None, str | None]) -> None:
    assert "<" not in readable(fixture[1], fixture[2])


# -- PDF -------------------------------------------------------------------------------------------


def test_a_pdf_tells_its_title_authors_and_date() -> None:
    body = pdf(Title="On  Sheep", Author="Doe, J.; Roe, R.", CreationDate="D:20230511120000Z", Subject="Wool")
    found = pdf_facts(body, AT)
    assert (found.title, found.authors, found.published) == ("On Sheep", ("Doe, J.", "Roe, R."), "2023-05-11")
    assert (found.description, found.fetched) == ("Wool", AT)


@pytest.mark.parametrize(
    "title",
    ["", "untitled", "Microsoft Word - draft3.docx", "paper.dvi", "Layout 1", "()", "None", "main.tex", "12"],
)
def test_what_a_program_put_for_a_title_is_none(title: str) -> None:
    assert pdf_facts(pdf(Title=title, Author="root"), AT).title is None


@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda rest: b"%PDF-1.4\n" + rest))
def test_no_pdf_makes_it_raise(body: bytes) -> None:
    pdf_facts(body, AT)


def test_a_pdf_cut_off_or_altered_anywhere_never_raises() -> None:
    whole = pdf(Title="On Sheep")
    for place in range(0, len(whole), 7):
        pdf_facts(whole[:place], AT)
        pdf_facts(whole[:place] + b"\xff<<" + whole[place + 3 :], AT)


def test_a_pdf_is_known_by_its_beginning() -> None:
    assert is_pdf(b"\n" + pdf())
    assert not is_pdf(b"<html></html>")
