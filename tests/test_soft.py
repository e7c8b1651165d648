"""What a page that came with 200 is after all: words, places, probes."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.model import Verdict
from kb.web import phrases, places, soft
from kb.web.fetch import Outcome
from kb.web.outcome import Hop
from kb.web.plain import Plain
from kb.web.sources import generic
from kb.web.study import Probes, study
from tests.ways import MENU, html, prose

URL = "https://acme.example/notes/llamas"


def came(body: bytes, url: str = URL, final: str | None = None, status: int = 200) -> Outcome:
    hops = (Hop(url, 302, final),) if final else ()
    headers = {"content-type": "text/html; charset=utf-8"}
    return Outcome(
        url, final or url, status, headers=headers, body=body, hops=hops, answered=("acme.example",)
    )


def verdict(body: bytes, url: str = URL, final: str | None = None) -> Verdict | None:
    outcome = came(body, url, final)
    found = soft.look_through(outcome, soft.plain(outcome))
    return found.verdict if found else None


# -- words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "title",
    [
        "404",
        "Error 404",
        "404 Not Found",
        "HTTP 404 - Not Found",
        "Not Found (404)",
        "Oops! Page not found",
        "Page Not Found | Acme",
        "Acme - 404",
        "The page cannot be found",
        "This page could not be found",
        "Sorry, this page isn't available",
        "This page doesn\u2019t exist",
        "Page no longer exists",
        "Nothing found",
        "Página no encontrada",
        "Page introuvable",
        "Страница не найдена",
        "页面不存在",
    ],
)
def test_a_short_page_whose_whole_title_is_an_error_is_gone(title: str) -> None:
    assert verdict(html(title, "<h1>Oh dear</h1>")) is Verdict.BROKEN


@pytest.mark.parametrize(
    "title",
    [
        "How to fix a 404",
        "The 404 Media story",
        "Fixing 404 errors in nginx",
        "404 ways to leave your lover",
        "What 'page not found' really means",
        "Lost and not found: a memoir",
        "Peugeot 404 - a history",
        "Error handling in Rust",
        "Gone with the wind",
        "Missing semester of your CS education",
        "Nothing here is real",
    ],
)
def test_a_title_that_only_speaks_of_errors_is_alive_even_on_a_short_page(title: str) -> None:
    assert verdict(html(title, f"<h1>{title}</h1><p>{prose(title, 60)}</p>")) is None


@pytest.mark.parametrize(
    "sentence",
    [
        "The page you are looking for does not exist.",
        "Sorry, the page you requested could not be found.",
        "The requested URL /notes/llamas was not found on this server.",
        "This page has been removed.",
        "We can't find the page you're looking for.",
        "We couldn\u2019t find that page",
        "The article you were looking for is no longer available.",
        "There's nothing here.",
    ],
)
def test_a_page_of_one_sentence_that_says_it_is_gone_is_gone(sentence: str) -> None:
    assert verdict(html("Acme", f"<p>{sentence}</p>")) is Verdict.BROKEN


def test_a_long_page_in_a_script_without_spaces_is_long() -> None:
    body = html("404", f"<h1>404</h1><p>{'関数型言語の型推論について。' * 60}</p>")
    assert verdict(body) is None


def test_the_same_sentence_in_an_article_only_raises_a_doubt() -> None:
    body = html("Acme", f"<p>The page you requested could not be found.</p><p>{prose('long', 400)}</p>")
    assert verdict(body) is None
    assert soft.suspects(came(body), Plain(body.decode()))


def test_an_address_that_names_the_error_is_about_it() -> None:
    body = html("HTTP 404", "<h1>HTTP 404</h1><p>Short.</p>")
    assert verdict(body, "https://wiki.example/HTTP_404") is None
    assert verdict(body) is Verdict.BROKEN


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Just a moment...", Verdict.BLOCKED),
        ("Attention Required! | Cloudflare", Verdict.BLOCKED),
        ("Access denied", Verdict.BLOCKED),
        ("Vercel Security Checkpoint", Verdict.BLOCKED),
        ("Making sure you're not a bot!", Verdict.BLOCKED),
        ("502 Bad Gateway", Verdict.UNREACHABLE),
        ("We'll be right back!", Verdict.UNREACHABLE),
        ("Error establishing a database connection", Verdict.UNREACHABLE),
    ],
)
def test_walls_and_faults_that_come_with_200_say_nothing_of_the_page(title: str, expected: Verdict) -> None:
    assert verdict(html(title, "<p>Wait.</p>")) is expected
    assert verdict(html(title, f"<p>{prose(title, 400)}</p>")) is None


def test_nothing_is_learnt_from_a_page_that_stands_in_the_place_of_another() -> None:
    reading = generic.read(came(html("Just a moment...", "<p>Wait.</p>")))
    assert reading.facts is None
    assert reading.lacking == 'the page: a wall against programs ("Just a moment...")'
    assert generic.read(came(html("Llamas", f"<p>{prose('x')}</p>"))).facts is not None


# -- where redirects lead --------------------------------------------------------------------------

PAGE = html("Acme", f"<p>{prose('home', 200)}</p>")


@pytest.mark.parametrize(
    ("url", "final", "expected"),
    [
        (URL, "https://acme.example/", Verdict.BROKEN),
        (URL, "https://www.acme.example/", Verdict.BROKEN),
        (URL, "https://acme.example/en-US/", Verdict.BROKEN),
        (URL, "https://acme.example/index.html", Verdict.BROKEN),
        ("https://acme.example/", "https://acme.example/en/", None),
        ("https://acme.example/index.php", "https://acme.example/", None),
        ("http://acme.example", "https://www.acme.example/", None),
        (URL, "https://acme.example/notes/alpacas", None),
        (URL, "https://llamas.example/", None),
        (URL, "https://acme.example/login?next=/notes/llamas", Verdict.BLOCKED),
        (URL, "https://acme.example/?next=/notes/llamas", Verdict.BLOCKED),
        (URL, "https://login.acme.example/start", Verdict.BLOCKED),
        ("https://acme.example/login", "https://acme.example/login/", None),
        (URL, "https://acme.example/docs/auth", None),
        (URL, "https://acme.example/oauth/authorize?client_id=1", Verdict.BLOCKED),
        (URL, "https://acme.example/ai", None),
        (URL, "https://acme.example/welcome", None),
        (URL, "https://consent.acme.example/m?continue=x", Verdict.BLOCKED),
        (URL, "https://www.hugedomains.com/domain_profile.cfm?d=acme", Verdict.BROKEN),
        ("https://www.hugedomains.com/a", "https://www.hugedomains.com/b", None),
    ],
)
def test_a_redirect_is_judged_by_where_it_ends(url: str, final: str, expected: Verdict | None) -> None:
    assert verdict(PAGE, url, final) is expected


# -- probes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "folder", "suffix"),
    [
        (URL, "https://acme.example/notes/", ""),
        ("https://acme.example/a/b.html", "https://acme.example/a/", ".html"),
        ("https://acme.example/a/b/", "https://acme.example/a/", "/"),
        ("https://acme.example/a?id=1#x", "https://acme.example/", ""),
        ("https://acme.example/blog/2023/09/05/llamas", "https://acme.example/blog/", ""),
        ("https://acme.example/dp/B0123/ref=x", "https://acme.example/dp/", ""),
    ],
)
def test_a_probe_stands_beside_the_page(url: str, folder: str, suffix: str) -> None:
    probe = soft.probe_url(url)
    assert probe is not None
    assert probe.startswith(folder)
    assert probe.endswith(suffix)
    assert probe == soft.probe_url(url), "one probe serves a folder"


@pytest.mark.parametrize("url", ["https://acme.example", "https://acme.example/", "https://acme.example/en/"])
def test_beside_a_home_page_there_is_nothing_to_probe(url: str) -> None:
    assert soft.probe_url(url) is None


def by_probe(mine: bytes, theirs: bytes, status: int = 200) -> bool:
    outcome = came(mine)
    probe = came(theirs, soft.probe_url(URL) or "", status=status)
    return soft.by_probe(outcome, soft.plain(outcome), probe) is not None


def test_the_same_words_for_a_path_that_cannot_exist_tell_a_soft_404() -> None:
    body = html("Acme", f"{MENU}<p>{prose('x', 50)}</p>")
    assert by_probe(body, body)
    assert not by_probe(body, body, status=404), "an honest 404 proves the page"
    assert not by_probe(html("Acme", "<p>Words.</p>"), html("Acme", "<p>Words.</p>")), "too little to go by"


def test_pages_of_one_site_share_menus_and_are_not_the_same_for_it() -> None:
    menu = MENU * 5
    mine = html("Acme", f"{menu}<p>{prose('mine', 40)}</p>")
    assert not by_probe(mine, html("Acme", f"{menu}<p>Nothing of that name.</p>"))
    titled = html("Llamas - Acme", menu)
    assert not by_probe(titled, html("Acme", menu))


def test_a_server_that_looks_at_another_part_of_the_address_has_the_page() -> None:
    slugged = html("Acme", f"<h1>Notes on llamas</h1>{MENU}")
    assert by_probe(slugged, slugged), "one word alone is chance"
    outcome = came(slugged, "https://acme.example/x/notes-on-llamas")
    assert soft.by_probe(outcome, soft.plain(outcome), came(slugged, "https://acme.example/x/0")) is None
    canonical = html("Acme", MENU, '<link rel=canonical href="https://acme.example/items/llama">')
    assert not by_probe(canonical, canonical)
    home = html("Acme", MENU, '<link rel=canonical href="https://acme.example/">')
    assert by_probe(home, home)


def test_a_date_or_a_token_does_not_make_a_page_another() -> None:
    long = prose("long", 300)
    assert by_probe(html("Acme", f"<p>{long}</p>12:01:07 a91c"), html("Acme", f"<p>{long}</p>12:01:08 77fe"))


def test_a_page_known_by_its_title_is_not_probed() -> None:
    asked: list[str] = []

    class Counting:
        async def get(self, url: str, **_: object) -> Outcome:
            asked.append(url)
            return came(b"", url, status=404)

    async def run(titles: tuple[str, ...]) -> None:
        await study(came(html("Llamas", f"<p>{prose('l')}</p>")), Probes(Counting()), titles)

    asyncio.run(run(("Llamas",)))
    assert asked == []
    asyncio.run(run(("Alpacas",)))
    assert asked == [soft.probe_url(URL)]


def test_a_host_is_probed_few_times() -> None:
    asked: list[str] = []

    class Counting:
        async def get(self, url: str, **_: object) -> Outcome:
            asked.append(url)
            return came(b"", url, status=404)

    async def run() -> None:
        probes = Probes(Counting(), per_host=3)
        for number in range(20):
            await probes.ask(f"https://acme.example/{'abcdefghij'[number % 10]}/page")

    asyncio.run(run())
    assert len(asked) == 3


# -- places ----------------------------------------------------------------------------------------

TEXT = '<h2 id="Plan_B">Plan</h2><a name=old></a><p>Some text, \u201cquoted\u201d here.</p>'


@pytest.mark.parametrize(
    ("fragment", "lacks"),
    [
        ("Plan_B", False),
        ("Plan_C", True),
        ("old", False),
        ("plan_b", True),
        ("top", False),
        ("L10", False),
        ("t=30", False),
        ("issuecomment-12345", False),
        (":~:text=some%20text", False),
        (":~:text=text,here", False),
        (":~:text=before-,some%20text,-after", False),
        (":~:text=here,some", True),
        (":~:text=no%20such%20words", True),
        ("Plan_B:~:text=quoted", False),
        ("Plan_B:~:text=unsaid", True),
    ],
)
def test_a_page_lacks_a_place_only_if_neither_id_nor_name_nor_words_are_there(
    fragment: str, lacks: bool
) -> None:
    assert bool(places.lacks(fragment, Plain(html("A", TEXT).decode()), whole=True)) == lacks


def test_what_was_not_read_to_its_end_or_is_built_by_a_script_lacks_nothing() -> None:
    seen = Plain(html("A", TEXT).decode())
    assert places.lacks("gone", seen, whole=True)
    assert not places.lacks("gone", seen, whole=False)
    assert not places.lacks("gone", Plain(html("A", f'<div id="root">{TEXT}</div>').decode()), whole=True)


# -- whatever comes --------------------------------------------------------------------------------

pieces = st.lists(
    st.sampled_from(
        [
            "<title>",
            "</title>",
            "<h1>",
            "<script>",
            "</script>",
            "<!--",
            "-->",
            "<p",
            ">",
            "<body>",
            'id="a"',
            "404",
        ]
    )
    | st.text(max_size=20),
    max_size=30,
).map("".join)


@given(pieces, st.sampled_from([URL, "https://acme.example/", "https://x.example/a?b=c#d"]), pieces)
def test_no_page_however_broken_is_more_than_a_page(body: str, url: str, fragment: str) -> None:
    outcome = came(body.encode("utf-8", "replace"), url)
    seen = soft.plain(outcome)
    soft.look_through(outcome, seen)
    soft.suspects(outcome, seen)
    soft.by_probe(outcome, seen, outcome)
    if seen is not None:
        places.lacks(fragment, seen, whole=True)


@given(st.text(max_size=60))
def test_a_probe_is_of_the_web_or_none_whatever_the_address(text: str) -> None:
    probe = soft.probe_url(f"https://acme.example/{text}")
    assert probe is None or probe.startswith("https://acme.example/")


@given(st.from_regex(phrases.MISSING_SENTENCES, fullmatch=True))
def test_every_sentence_that_says_a_page_is_missing_has_a_hint_of_it(sentence: str) -> None:
    assert any(hint in sentence for hint in phrases.MISSING_HINTS)


@given(st.from_regex(phrases.PARKED_MARKS, fullmatch=True))
def test_every_mark_of_a_parked_domain_has_a_hint_of_it(mark: str) -> None:
    assert any(hint in mark.lower() for hint in phrases.PARKED_HINTS)
