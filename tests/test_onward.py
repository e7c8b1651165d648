"""Pages that send their reader on by themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.web import onward
from kb.web.outcome import Outcome
from kb.web.soft import plain
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


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_is_said_of_it_it_leads_to_the_web_or_nowhere(content: str, header: str) -> None:
    page = f"<meta http-equiv=refresh content='{content}'><script>location='{content}'</script>"
    target = led(page.encode("utf-8", "replace"), refresh=header)
    assert target is None or target.startswith(("http://", "https://"))
