"""Pages that send their reader on by themselves."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.web import onward
from kb.web.outcome import Outcome
from kb.web.soft import plain
from kb.web.study import Probes, Studied, study
from tests.ways import html, prose

HERE = "http://a.example/docs/old"


def led(body: bytes, **headers: str) -> str | None:
    told = {"content-type": "text/html", **headers}
    outcome = Outcome(HERE, HERE, 200, told, body)
    return onward.target(outcome, plain(outcome))


@pytest.mark.parametrize(
    ("content", "target"),
    [
        ("0; url=/new", "http://a.example/new"),
        ("0;URL='new'", "http://a.example/docs/new"),
        ("5, url=http://b.example/x?a=1&amp;b=2", "http://b.example/x?a=1&b=2"),
        ("0 ; Url = /new", "http://a.example/new"),
        ("0; /new", "http://a.example/new"),
        (".5;url=/new", "http://a.example/new"),
        ("3600; url=/new", None),
        ("30", None),
        ("0; url=", None),
        ("0; url=#top", None),
        ("0; url=http://a.example/docs/old", None),
        ("0; url=javascript:go()", None),
        ("url=/new", None),
        ("0; url=http://[x", None),
    ],
)
def test_a_refresh_leads_on_where_it_is_soon_and_elsewhere(content: str, target: str | None) -> None:
    assert led(html("Moved", "<p>Moved.</p>", f'<meta http-equiv="Refresh" content="{content}">')) == target


def test_a_page_that_is_there_to_be_read_leads_nowhere() -> None:
    meta = '<meta http-equiv=refresh content="3; url=/new">'
    assert led(html("News", f"<p>{prose('news', 200)}</p>", meta)) is None
    assert led(html("News", f"<p>{prose('news', 200)}</p>"), refresh="3; url=/new") is None
    assert led(b"", refresh="3; url=/new") == "http://a.example/new"


@pytest.mark.parametrize(
    ("script", "target"),
    [
        ('window.location.href = "/new";', "http://a.example/new"),
        ("location.replace('/new')", "http://a.example/new"),
        ('if (!login) location.href = "/login"', None),
        ('location.href = "/new?" + Date.now()', None),
    ],
)
def test_a_script_leads_on_where_it_asks_nothing_first(script: str, target: str | None) -> None:
    assert led(f"<html><head><script>{script}</script></head><body></body></html>".encode()) == target


@pytest.mark.parametrize(
    "head",
    [
        '<!-- <script>location.href = "/new"</script> -->',
        '<noscript><script>location.href = "/new"</script></noscript>',
        '<template><script>location.href = "/new"</script></template>',
        '<script type="text/template">location.href = "/new"</script>',
        '<script src="/app.js">location.href = "/new"</script>',
    ],
)
def test_a_script_that_no_browser_runs_leads_nowhere(head: str) -> None:
    assert led(f"<html><head>{head}</head><body></body></html>".encode()) is None


@pytest.mark.parametrize("kind", ["", ' type="text/javascript"', " type=module", ' nonce="x"'])
def test_a_script_of_any_spelling_that_browsers_run_leads_on(kind: str) -> None:
    assert led(f'<script{kind}>location = "/new"</script>'.encode()) == "http://a.example/new"


@pytest.mark.parametrize(
    "onward_by", ["<meta http-equiv=refresh content='0; url=new'>", "<script>location='new'</script>"]
)
def test_an_address_is_relative_to_the_base_that_the_page_names_before_it(onward_by: str) -> None:
    base = '<base target=_top><base href="/guide/&amp;/"><base href=/second/>'
    assert led(f"<head>{base}{onward_by}</head>".encode()) == "http://a.example/guide/&/new"
    assert led(f"<head>{onward_by}{base}</head>".encode()) == "http://a.example/docs/new"
    assert led(f"<head><!--{base}-->{onward_by}</head>".encode()) == "http://a.example/docs/new"
    assert led(f"<head><base href='//[x'>{onward_by}</head>".encode()) is None
    assert led(f"<head>{base}</head>".encode(), refresh="0; url=new") == "http://a.example/docs/new"


def studied(target: str, there: Outcome) -> Studied:
    stub = html("Moved", "<p>Moved.</p>", f'<meta http-equiv=refresh content="0; url={target}">')

    class OnePage:
        async def get(self, url: str, **_: object) -> Outcome:
            asked = url.partition("#")[0]
            return there if asked == there.url else Outcome(asked, asked, 404)

    first = Outcome(HERE, HERE, 200, {"content-type": "text/html", "etag": '"stub"'}, stub)
    return asyncio.run(study(first, Probes(OnePage())))


def test_a_part_of_the_home_page_that_a_refresh_names_is_what_was_linked() -> None:
    home = "http://a.example/"
    body = html("A", f'<h2 id="guide">Guide</h2><p>{prose("guide", 200)}</p>')
    there = Outcome(home, home, 200, {"content-type": "text/html"}, body)
    found = studied("/#guide", there)
    assert (found.finding, found.outcome.landing) == (None, "http://a.example/#guide")
    lost = studied("/", there)
    assert lost.finding is not None
    assert "home page" in lost.finding.reason


def test_what_a_page_that_leads_on_is_asked_by_is_not_of_the_page_at_the_end() -> None:
    url = "http://a.example/new"
    told = {"content-type": "text/html", "etag": '"new"', "last-modified": "Mon, 24 Nov 2025 12:00:00 GMT"}
    found = studied("/new", Outcome(url, url, 200, told, html("New", f"<p>{prose('new', 200)}</p>")))
    look = found.look("2026-11-24T12:00:00Z")
    assert (look.final_url, look.etag, look.last_modified) == (url, None, None)


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_is_said_of_it_it_leads_to_the_web_or_nowhere(content: str, header: str) -> None:
    page = f"<meta http-equiv=refresh content='{content}'><script>location='{content}'</script>"
    target = led(page.encode("utf-8", "replace"), refresh=header)
    assert target is None or target.startswith(("http://", "https://"))
