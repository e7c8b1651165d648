"""What a page says of itself: titles by trust, charsets, and text that is hostile or broken."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.model import Facts
from kb.web.page import facts, one_line
from kb.web.page.decoding import decode
from tests.page_fixtures import FIXTURES

AT = "2026-11-24T12:00:00Z"
URL = "https://www.example.com/blog/post"


def of(head: str, body: str = "", type: str | None = "text/html; charset=utf-8") -> Facts:
    return facts(
        f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode(), type, URL, AT
    )


LD = '<script type="application/ld+json">{}</script>'


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ("<title>Plain</title>", "<h1>Heading</h1>", "Plain"),
        ("", "<h1 class=x>A <em>good</em> heading</h1>", "A good heading"),
        ("<title>Tab</title><meta property=og:title content='Shared'>", "", "Shared"),
        ("<title>Tab</title>" + LD.format('{"@type": "Article", "headline": "Headline"}'), "", "Headline"),
        (LD.format('{"@graph": [{"@type": ["BlogPosting"], "headline": "In a graph"}]}'), "", "In a graph"),
        (LD.format('{"@type": "Organization", "name": "Not the page"}') + "<title>Tab</title>", "", "Tab"),
        ("<!-- <title>Old</title> --><title>New</title>", "", "New"),
        ("<title>What &amp;lt;b&amp;gt; means &amp;#8217;</title>", "", "What &lt;b&gt; means ’"),
        ("<meta property=og:title content='a > b \"c\" <d>'>", "", 'a > b "c" <d>'),
        (LD.format("{broken") + "<title>Tab</title>", "", "Tab"),
        ("<title>Tab</title><meta name=citation_title content='A paper'>", "", "A paper"),
        ("<title>Tab</title><meta name=twitter:title content='Card'>", "", "Card"),
        ("<title>Post | Example</title>", "", "Post"),
        ("<title>Post - My Site</title><meta property=og:site_name content='My Site'>", "", "Post"),
        ("<title>Example: a story - of two - halves</title>", "", "Example: a story - of two - halves"),
        ("<title>Example</title>", "", "Example"),
        ("<title>None</title>", "<h1>Real</h1>", "Real"),
        ("<title>  </title><meta property=og:title content=''>", "", None),
        ("<title>Loading...</title>", "", None),
        ("<title>Two\n  lines\x00 and \u202eturned\x1b[31m</title>", "", "Two lines and turned[31m"),
        ("<title>&lt;script&gt;&amp;amp; x</title>", "", "<script>& x"),
        (
            "<meta property=og:title content=Mine><meta property=og:site_name content=Mine>"
            "<title>A whole post</title>",
            "",
            "A whole post",
        ),
        ("<script>var t = '<title>Wrong</title>';</script><title>Right</title>", "", "Right"),
        ("<title>Outer</title><svg><title>Icon</title></svg>", "", "Outer"),
        ("", "<svg><title>Icon</title></svg>", None),
    ],
)
def test_the_title_is_the_most_trusted_that_says_something(head: str, body: str, title: str | None) -> None:
    assert of(head, body).title == title


def test_all_facts_of_a_head_are_read() -> None:
    found = of(
        "<meta name=author content='A. Writer'>"
        "<meta property='article:published_time' content='2023-08-11T09:00:00Z'>"
        "<meta property=og:site_name content='Example'><meta name=description content='What it says.'>"
        "<link rel=canonical href='/blog/post/?utm_source=x'><title>Post</title>"
    )
    assert found.authors == ("A. Writer",)
    assert found.published == "2023-08-11"
    assert (found.site, found.description) == ("Example", "What it says.")
    assert found.canonical == "https://www.example.com/blog/post/"
    assert found.fetched == AT


def test_a_papers_tags_give_all_authors_and_its_date() -> None:
    found = of(
        "<meta name=citation_author content='One, A.'><meta name=citation_author content='Two, B.'>"
        "<meta name=citation_date content='2023/05/23'><meta name=citation_title content='T'>"
    )
    assert (found.authors, found.published) == (("One, A.", "Two, B."), "2023-05-23")


def test_linked_data_gives_authors_and_date_where_no_tags_do() -> None:
    found = of(
        LD.format('{"@type": "Article", "author": [{"name": "One"}, "Two"], "datePublished": "2023-08"}')
    )
    assert (found.authors, found.published) == (("One", "Two"), "2023-08")


@pytest.mark.parametrize("date", ["2023-02-30", "soon", "0000-01-01", "12/05/2023"])
def test_a_date_that_is_none_is_left_out(date: str) -> None:
    assert of(f"<meta name=date content='{date}'>").published is None


@pytest.mark.parametrize(
    ("html", "language"),
    [
        ("<html lang=de-AT>", "de-AT"),
        ("<html lang='{{lang}}'>", None),
        ("<html><meta property=og:locale content=en_GB>", "en-GB"),
    ],
)
def test_the_language_is_told_where_it_is_one(html: str, language: str | None) -> None:
    assert facts(f"{html}<title>x</title>".encode(), "text/html", URL, AT).language == language


@pytest.mark.parametrize(
    ("body", "type", "text"),
    [
        ("Größe".encode(), "text/html; charset=utf-8", "Größe"),
        ("Größe".encode("latin-1"), "text/html; charset=iso-8859-1", "Größe"),
        ("“quoted”".encode("cp1252"), "text/html; charset=iso-8859-1", "“quoted”"),
        ("Größe".encode(), "text/html; charset=ascii", "Größe"),
        (b"<meta charset=koi8-r>" + "Да".encode("koi8-r"), "text/html", "<meta charset=koi8-r>Да"),
        (
            b'<meta http-equiv=content-type content="text/html; charset=shift_jis">'
            + "日本".encode("shift_jis"),
            None,
            '<meta http-equiv=content-type content="text/html; charset=shift_jis">日本',
        ),
        ("\ufeffGröße".encode(), "text/html; charset=latin-1", "Größe"),
        ("\ufeffGröße".encode("utf-16-le"), "text/html", "Größe"),
        ("Größe".encode("latin-1"), None, "Größe"),
        ("Größe".encode(), "text/html; charset=no-such", "Größe"),
        ("Größe".encode(), "text/html; charset=zlib", "Größe"),
        ("cut off: ß".encode()[:-1], "text/html; charset=utf-8", "cut off: "),
    ],
)
def test_the_charset_is_found_whoever_names_it(body: bytes, type: str | None, text: str) -> None:
    assert decode(body, type) == text


@pytest.mark.parametrize(
    "type", [None, "", "text/plain", "application/octet-stream", "text/html", "application/xhtml+xml"]
)
def test_html_is_read_whatever_type_a_careless_server_gives_it(type: str | None) -> None:
    assert of("<title>Page</title>", type=type).title == "Page"


@pytest.mark.parametrize("type", ["application/pdf", "image/png", "application/json", "text/css"])
def test_what_is_no_html_has_no_facts(type: str) -> None:
    assert of("<title>Page</title>", type=type) == Facts(fetched=AT)
    assert facts(b"just text", "text/plain", URL, AT) == Facts(fetched=AT)


def test_a_page_cut_off_within_its_head_still_tells() -> None:
    assert facts(b"<html><head><title>Cut</title><meta name=descr", "text/html", URL, AT).title == "Cut"


def test_long_titles_are_cut_with_a_sign() -> None:
    title = of(f"<title>{'word ' * 200}</title>").title
    assert title is not None
    assert len(title) <= 300
    assert title.endswith("…")


@given(st.text())
def test_any_text_becomes_one_clean_line_or_none(text: str) -> None:
    line = one_line(text)
    assert line is None or (line.strip() and line.splitlines() == [line] and len(line) <= 300)


@given(
    st.binary(max_size=300),
    st.sampled_from([None, "text/html", "text/html; charset=utf-16", "text/html; charset=idna"]),
)
def test_no_bytes_make_it_raise(body: bytes, type: str | None) -> None:
    facts(b"<html><head><title>" + body, type, URL, AT)
    facts(body, type, URL, AT)


PIECES = (
    "< > <meta |property=og:title |content=' ' <title> </title> x </head> "
    '<script|type=application/ld+json> </script> [{ "@graph": null <![CDATA[ <! -- &#x0; &#xD800;'
)


@given(st.lists(st.sampled_from(PIECES.replace("|", "\x00").split()), max_size=30))
def test_no_markup_makes_it_raise(parts: list[str]) -> None:
    title = facts("".join(parts).replace("\x00", " ").encode(), "text/html", URL, AT).title
    assert title is None or title.lower() not in ("", "none")


PIECE = (
    "<script>|<script|<script type=application/ld+json>|"
    "<svg><|<h1>|<h1|<!--|<![|<!|<|<meta |<meta content='|<a b=|&"
    "|&#| |</head|<?xml|<title>|<title|\u00df|- |<link rel=a href=b>|<p>|<a><b>|"
    '<meta charset="|<meta "" |<meta "\'|"'
)


@pytest.mark.parametrize("piece", PIECE.split("|"))
def test_hostile_markup_costs_no_more_than_its_length(piece: str) -> None:
    body = ("<html><head>" + piece * (300_000 // len(piece))).encode()
    started = time.process_time()
    facts(body, "text/html", URL, AT)
    assert time.process_time() - started < 2


def test_a_date_shown_on_the_page_is_taken_where_its_head_has_none() -> None:
    shown = "<article><time class=when datetime='2023-08-11T09:00'>Friday</time> <time datetime=2020-01-01>"
    assert of("<title>Post</title>", shown).published == "2023-08-11"
    assert of("<meta name=date content=2021-02-03>", shown).published == "2021-02-03"


# -- fixture pages ---------------------------------------------------------------------------------


@pytest.mark.parametrize("fixture", FIXTURES, ids=[fixture[0] for fixture in FIXTURES])
def test_every_fixture_page_has_its_own_title(fixture: tuple[str, bytes, str | None, str | None]) -> None:
    _, body, type, title = fixture
    assert facts(body, type, "https://www.example.org/2024/post", AT).title == title


@pytest.mark.parametrize(
    "title",
    [
        *(
            "404 stories of lost pages",
            "Error handling in Rust",
            "Signing in the rain",
            "500 miles",
            "Errors",
        ),
        *("Not found in translation", "Access denied: a history", "Index of refraction", "Error | A film"),
        *("Maintenance of motorcycles", "Consent and its limits", "Login systems compared", "404 | A band"),
    ],
)
def test_a_headline_about_errors_is_a_title(title: str) -> None:
    assert of(f"<title>{title}</title>").title == title


@pytest.mark.parametrize(
    "title",
    [
        *(
            "404",
            "Error 404",
            "Error 404 (Not Found)!!1",
            "403 Forbidden",
            "502 Bad Gateway",
            "Access Denied",
        ),
        *("Page Not Found - Blog of somebody", "Sorry, this page isn’t available", "Service Unavailable"),
        *(
            "This page doesn't exist",
            "Are you a robot?",
            "Before you continue to YouTube",
            "Untitled Document",
        ),
    ],
)
def test_an_error_pages_title_is_none(title: str) -> None:
    assert of(f'<title>{title}</title><meta property=og:title content="{title}">').title is None


def test_a_declaration_within_a_tag_is_text() -> None:
    body = b'<html><head><title>T</title><meta name=author content="<!A B"></head>'
    assert facts(body, "text/html", URL, AT).authors == ("<!A B",)
