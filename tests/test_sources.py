"""Sources against replicas of their APIs: what they read, and what they say where nothing is to be read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import urls
from kb.enrich import Job, Turns, consult
from kb.model import LinkKind
from kb.notes.edit import append_bullet, bullet
from kb.notes.link_note import link_note
from kb.notes.parse import parse
from kb.web.fetch import HttpFetcher, Limits
from kb.web.outcome import Failure, Hop, Outcome
from kb.web.sources import ALL, Ask, Life, Reading, Source, Wanted, registry, source_of
from kb.web.sources.generic import Generic
from kb.web.sources.witness import Witness
from tests.replicas import REPO, ROUTES, Pages, bases, no_sleep
from tests.servers import Server
from torture.answers import RAW, feed, good, paper, spoilt, written
from torture.apis import PAGES
from torture.hostile import CONTROL


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(routes=ROUTES) as running:
        yield running


def ask(server: Server, *addresses: str, token: str = "") -> dict[str, Reading]:
    """What the source of these addresses reads of them, asked in one job; by key."""
    sources = (*registry(token=token, bases=bases(server)), Generic())
    found = [source_of(sources, urls.key(url).key, url) for url in addresses]

    async def run() -> dict[str, Reading]:
        async with HttpFetcher(limits=Limits(timeout=5), allow_private=True) as network:
            return await consult(
                Job(found[0][0], tuple(wanted for _, wanted in found)), Turns(network, no_sleep)
            )

    return asyncio.run(run())


def one(server: Server, url: str, **options: str) -> Reading:
    return ask(server, url, **options)[urls.key(url).key]


# -- who takes what --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "source", "name"),
    [
        ("https://arxiv.org/pdf/2305.14314v2", "arxiv", "2305.14314"),
        ("https://arxiv.org/abs/cond-mat/0102536", "arxiv", "cond-mat/0102536"),
        ("https://news.ycombinator.com/item?id=8863", "hackernews", "8863"),
        ("https://github.com/octocat/Hello-World", "github", "octocat/hello-world"),
        ("https://github.com/octocat/Hello-World/issues/1", "page", None),
        ("https://youtu.be/dQw4w9WgXcQ?t=13s", "youtube", "dQw4w9WgXcQ"),
        ("https://en.m.wikipedia.org/wiki/Shrek", "wikipedia", "en:Shrek"),
        ("https://de.wikipedia.org/wiki/Gr%C3%B6%C3%9Fe", "wikipedia", "de:Größe"),
        ("https://en.wikipedia.org/wiki/Special:Random", "page", None),
        ("https://doi.org/10.1002/PSSC.201200953", "doi", "10.1002/pssc.201200953"),
        ("https://someone.substack.com/p/a-post", "page", None),
    ],
)
def test_each_address_goes_to_the_source_that_knows_it(url: str, source: str, name: str | None) -> None:
    found, wanted = source_of((*registry(), Generic()), urls.key(url).key, url)
    assert found.name == source
    assert name is None or wanted.name == name


def test_sources_speak_to_the_sites_themselves_unless_moved() -> None:
    asked = [source.next([Wanted("k", "https://example.org/", "en:x")], []) for source in registry()]
    assert all(isinstance(step, Ask) and step.url.startswith("https://") for step in asked)
    assert len({urls.host(step.url) for step in asked if isinstance(step, Ask)}) == len(ALL)


# -- arXiv -----------------------------------------------------------------------------------------


def test_many_papers_come_in_one_request(server: Server) -> None:
    before = len(server.asked)
    found = ask(server, "https://arxiv.org/abs/2305.14314", "https://arxiv.org/abs/1706.03762v5")
    assert len(server.asked) == before + 1
    paper = found["arxiv:2305.14314"]
    assert paper.facts is not None
    assert paper.facts.title == "QLoRA: Efficient Finetuning of Quantized LLMs"
    assert paper.facts.authors == ("Tim Dettmers", "Artidoro Pagnoni")
    assert paper.facts.published == "2023-05-23"
    assert paper.facts.description is not None
    assert "one 48GB GPU" in paper.facts.description
    assert paper.facts.extra["categories"] == ["cs.LG", "cs.CL"]
    assert (paper.facts.extra["version"], paper.kind, paper.life) == (2, LinkKind.PAPER, Life.EXISTS)
    assert found["arxiv:1706.03762"].facts is not None


def test_an_old_id_with_a_slash_is_found_again(server: Server) -> None:
    reading = one(server, "https://arxiv.org/abs/cond-mat/0102536")
    assert reading.facts is not None
    assert reading.facts.title == "Impact of Electron-Electron Cusp"


@pytest.mark.parametrize(
    ("id", "says"),
    [
        ("2599.99999", "empty"),  # an entry called Error
        ("2500.00001", "could not be read"),
        ("2500.00002", "could not be read"),
        ("2500.00003", "503"),
        ("2500.00005", "empty"),
        ("2500.00006", "could not be read"),
    ],
)
def test_an_answer_of_arxiv_that_holds_no_paper_is_no_title_and_no_death(
    server: Server, id: str, says: str
) -> None:
    reading = one(server, f"https://arxiv.org/abs/{id}")
    assert reading.facts is None
    assert reading.life is Life.UNKNOWN
    assert says in reading.lacking


def test_an_empty_feed_is_asked_for_once_more(server: Server) -> None:
    reading = one(server, "https://arxiv.org/abs/2500.00004")
    assert reading.facts is not None
    assert reading.facts.title == "Second Time Lucky"


def test_one_bad_id_does_not_spoil_the_others(server: Server) -> None:
    found = ask(server, "https://arxiv.org/abs/2599.99999", "https://arxiv.org/abs/1706.03762")
    assert found["arxiv:1706.03762"].facts is not None
    assert "no such paper" in found["arxiv:2599.99999"].lacking


def _answered(body: bytes) -> Outcome:
    return Outcome("https://api.example/", "https://api.example/", 200, body=body)


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "UTF-16-LE"])
def test_a_feed_that_declares_entities_is_not_read_in_whatever_encoding(encoding: str) -> None:
    head = "<!DOCTYPE feed [<!ENTITY i 'Injected'>]>"
    body = feed(paper(1, title="&i;"), head, encoding)
    wanted = Wanted("arxiv:2500.00001", "https://arxiv.org/abs/2500.00001", "2500.00001")
    reading = _through(source_of(registry(), wanted.key, wanted.url)[0], wanted, [_answered(body)])
    assert reading.facts is None


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_field_of_any_kind_costs_at_most_itself(name: str) -> None:
    url = PAGES[name].format(7)
    source, wanted = source_of(registry(), urls.key(url).key, url)
    for body in (*RAW, *spoilt(name, 7)):
        reading = _through(source, wanted, [_answered(body)])
        told = reading.facts
        words = [reading.lacking, reading.moved_to or ""]
        if told is not None:
            words += [told.title or "", told.description or "", told.site or "", told.canonical or ""]
            words += [*told.authors, str(list(told.extra.values()))]
        assert not any(CONTROL.search(text) for text in words), body[:300]
        assert told is None or len(told.title or "") <= 320
        assert urls.is_web(reading.moved_to or "https://x.example/")
    assert _through(source, wanted, [_good(name)]).facts is not None


def _good(name: str) -> Outcome:
    return _answered(feed(paper(7)) if name == "arxiv" else written(good(name, 7)))


@pytest.mark.parametrize("name", ["a/b) [x](javascript:alert(1)", "a/b c", "a/..", "../..", "a/b/c", ""])
def test_a_name_that_no_repository_has_becomes_no_address(name: str) -> None:
    url = "https://github.com/octocat/hello-world"
    source, wanted = source_of(registry(), urls.key(url).key, url)
    reading = _through(source, wanted, [_answered(written(REPO | {"full_name": name}))])
    assert (reading.facts, reading.moved_to) == (None, None)


# -- Hacker News -----------------------------------------------------------------------------------


def test_a_story_has_its_points_and_the_article_behind_it(server: Server) -> None:
    reading = one(server, "https://news.ycombinator.com/item?id=8863")
    assert reading.facts is not None
    assert reading.facts.title == "My YC app: Dropbox - Throw away your USB drive"
    assert (reading.facts.authors, reading.facts.published) == (("dhouston",), "2007-04-04")
    assert (reading.facts.extra["points"], reading.facts.extra["comments"]) == (111, 71)
    assert reading.facts.extra["article"] == "http://www.getdropbox.com/u/2/screencast.html"
    assert reading.kind is LinkKind.HN_THREAD


@pytest.mark.parametrize("id", ["8952", "8953"])  # by Algolia; by walking up
def test_a_comment_is_told_with_the_story_above_it(server: Server, id: str) -> None:
    reading = one(server, f"https://news.ycombinator.com/item?id={id}")
    assert reading.facts is not None
    assert reading.facts.title is not None
    assert reading.facts.title.endswith("comment on: My YC app: Dropbox - Throw away your USB drive")
    assert (reading.facts.extra["story"], reading.kind) == (8863, LinkKind.HN_COMMENT)
    assert reading.facts.extra["article"] == "http://www.getdropbox.com/u/2/screencast.html"
    if id == "8952":
        assert reading.text == "Aw shucks & so on.\n\nKeep writing!"


def test_a_thread_without_an_article_is_its_own_page(server: Server) -> None:
    reading = one(server, "https://news.ycombinator.com/item?id=9001")
    assert reading.facts is not None
    assert reading.text == "There?"
    assert "article" not in reading.facts.extra


@pytest.mark.parametrize(
    ("id", "life"),
    [
        ("9000", Life.GONE),
        ("9002", Life.GONE),
        ("9003", Life.UNKNOWN),
        ("9004", Life.UNKNOWN),
        ("9006", Life.EXISTS),
    ],
)
def test_items_that_say_nothing_have_no_title(server: Server, id: str, life: Life) -> None:
    reading = one(server, f"https://news.ycombinator.com/item?id={id}")
    assert (reading.facts, reading.life) == (None, life)
    assert reading.lacking.startswith("Hacker News: ")


def test_algolia_stands_in_where_firebase_fails(server: Server) -> None:
    reading = one(server, "https://news.ycombinator.com/item?id=9005")
    assert reading.facts is not None
    assert (reading.facts.title, reading.facts.extra["points"]) == ("By way of Algolia", 100)


def test_a_comment_that_hangs_under_itself_comes_to_an_end(server: Server) -> None:
    reading = one(server, "https://news.ycombinator.com/item?id=9007")
    assert reading.facts is not None
    assert reading.facts.title == "loop's comment on Hacker News"
    assert "the story above" in reading.lacking


# -- GitHub ----------------------------------------------------------------------------------------


def test_a_repository_says_what_it_is(server: Server) -> None:
    reading = one(server, "https://github.com/octocat/Hello-World")
    assert reading.facts is not None
    assert reading.facts.title == "octocat/Hello-World: This your first repo!"
    assert reading.facts.extra == {
        "source": "github",
        "stars": 80,
        "licence": "MIT",
        "topics": ["octocat", "api"],
        "pushed": "2011-01-26",
    }
    assert reading.life is Life.EXISTS


def test_a_renamed_repository_tells_its_new_name(server: Server) -> None:
    reading = one(server, "https://github.com/octocat/old-name")
    assert (reading.life, reading.moved_to) == (Life.RENAMED, "https://github.com/octocat/New-Name")
    assert reading.facts is not None
    assert reading.facts.extra["archived"] is True


def test_a_licence_without_a_short_name_is_told_by_its_own(server: Server) -> None:
    reading = one(server, "https://github.com/octocat/other-licence")
    assert reading.facts is not None
    assert reading.facts.extra["licence"] == "Other"


def test_a_spent_limit_is_not_death_and_says_until_when(server: Server) -> None:
    reading = one(server, "https://github.com/limited/repo")
    assert (reading.facts, reading.life, reading.retry_at) == (None, Life.UNKNOWN, 1790000000)
    assert "a token" in reading.lacking


@pytest.mark.parametrize(
    ("name", "life"),
    [("gone", Life.GONE), ("taken-down", Life.UNKNOWN), ("html", Life.UNKNOWN), ("null", Life.UNKNOWN)],
)
def test_a_repository_that_is_not_told_of_has_no_title(server: Server, name: str, life: Life) -> None:
    reading = one(server, f"https://github.com/octocat/{name}")
    assert (reading.facts, reading.life) == (None, life)


def test_the_token_goes_to_the_api_and_follows_no_redirect_to_another_host(server: Server) -> None:
    server.asked.clear()
    one(server, "https://github.com/octocat/elsewhere", token="secret")
    one(server, "https://github.com/octocat/old-name", token="secret")
    sent = [(path, headers.get("authorization")) for path, headers in server.asked]
    assert sent == [
        ("/github/repos/octocat/elsewhere", "Bearer secret"),
        ("/github/repositories/7", None),
        ("/github/repos/octocat/old-name", "Bearer secret"),
        ("/github/repositories/7", "Bearer secret"),
    ]


# -- YouTube ---------------------------------------------------------------------------------------


def test_a_video_has_its_title_and_channel(server: Server) -> None:
    reading = one(server, "https://youtu.be/dQw4w9WgXcQ")
    assert reading.facts is not None
    assert reading.facts.title == "A video & its <b>title</b>"
    assert reading.facts.extra["channel_url"] == "https://www.youtube.com/@RickAstleyYT"


@pytest.mark.parametrize(
    ("id", "life"),
    [
        ("unembedded0", Life.EXISTS),
        ("privatevide", Life.EXISTS),
        ("removed0000", Life.GONE),
        ("malformed00", Life.GONE),
        ("stillthere0", Life.EXISTS),
        ("htmlanswer0", Life.EXISTS),
    ],
)
def test_whether_a_video_is_there_is_asked_twice(server: Server, id: str, life: Life) -> None:
    reading = one(server, f"https://www.youtube.com/watch?v={id}")
    assert (reading.facts, reading.life) == (None, life)


# -- Wikipedia and DOI -----------------------------------------------------------------------------


@pytest.mark.parametrize("title", ["Shrek", "Ogre_film"])
def test_an_article_brings_its_summary_redirects_followed(server: Server, title: str) -> None:
    reading = one(server, f"https://en.wikipedia.org/wiki/{title}")
    assert reading.facts is not None
    assert (reading.facts.title, reading.facts.language) == ("Shrek", "en")
    assert reading.text == "Shrek is an animated film about an ogre."


def test_a_disambiguation_page_is_told_as_one(server: Server) -> None:
    reading = one(server, "https://en.wikipedia.org/wiki/Mercury")
    assert reading.facts is not None
    assert reading.facts.title == "Mercury (disambiguation)"
    assert reading.facts.extra["disambiguation"] is True


def test_whoever_asks_is_told_where_that_is_wanted(server: Server) -> None:
    sources = registry(contact="me@example.org\r\nX: y", bases=bases(server))
    for url, place in (
        ("https://en.wikipedia.org/wiki/Shrek", "kb/"),
        ("https://doi.org/10.1002/pssc.201200953", "?mailto=me@example.org"),
    ):
        source, wanted = source_of(sources, urls.key(url).key, url)
        step = source.next([wanted], [])
        assert isinstance(step, Ask)
        told = f"{step.url} {step.headers.get('User-Agent', '')}"
        assert place in told
        assert "me@example.org" in told
        assert "\n" not in told


@pytest.mark.parametrize(
    ("title", "life", "says"),
    [
        ("Nothing", Life.GONE, "no such article"),
        ("Walled", Life.UNKNOWN, "enrich.contact"),
        ("Cut", Life.UNKNOWN, "could not be read"),
    ],
)
def test_an_article_that_is_not_told_of_has_no_title(
    server: Server, title: str, life: Life, says: str
) -> None:
    reading = one(server, f"https://en.wikipedia.org/wiki/{title}")
    assert (reading.facts, reading.life) == (None, life)
    assert says in reading.lacking


def test_a_doi_is_read_from_crossref(server: Server) -> None:
    reading = one(server, "https://doi.org/10.1002/pssc.201200953")
    assert reading.facts is not None
    assert reading.facts.title == "The quantum-confined Stark effect: A study"
    assert reading.facts.authors == ("E. A. Shevchenko", "The Collaboration")
    assert (reading.facts.published, reading.facts.site) == ("2013-02", "physica status solidi & c")
    assert reading.facts.description == "We report things."


def test_a_doi_of_another_agency_is_read_by_content_negotiation(server: Server) -> None:
    reading = one(server, "https://doi.org/10.5281/zenodo.1")
    assert reading.facts is not None
    assert (reading.facts.title, reading.facts.authors) == ("A data set", ("Emmy Noether",))


@pytest.mark.parametrize(
    ("doi", "life"),
    [("10.1000/strange", Life.UNKNOWN), ("10.5281/zenodo.2", Life.UNKNOWN), ("10.1000/nobody", Life.GONE)],
)
def test_a_doi_is_gone_only_if_nobody_registered_it(server: Server, doi: str, life: Life) -> None:
    reading = one(server, f"https://doi.org/{doi}")
    assert (reading.facts, reading.life) == (None, life)


# -- what check-links hears of it ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "page", "status"),
    [
        ("https://www.youtube.com/watch?v=removed0000", 200, 404),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", 200, 200),
        ("https://www.youtube.com/watch?v=unembedded0", 429, 200),
        ("https://news.ycombinator.com/item?id=9002", 200, 404),
        ("https://news.ycombinator.com/item?id=8863", 503, 200),
        ("https://doi.org/10.1002/pssc.201200953", 403, 200),
        ("https://doi.org/10.1000/strange", 403, 403),
        ("https://github.com/limited/repo", 429, 429),
        ("https://github.com/octocat/gone", 404, 404),
        ("https://example.org/page", 403, 403),
    ],
)
def test_a_sites_api_may_tell_more_of_life_than_its_page(
    server: Server, url: str, page: int, status: int
) -> None:
    async def run() -> Outcome:
        async with HttpFetcher(allow_private=True) as network:
            pages = Pages(network, {url: Outcome(url, url, page)})
            return await Witness(pages, registry(bases=bases(server))).get(url)

    assert asyncio.run(run()).status == status


def test_a_page_out_of_reach_is_not_brought_to_life_by_its_api(server: Server) -> None:
    url = "https://www.youtube.com/watch?v=removed0000"
    away = Outcome(url, url, failure=Failure.TIMEOUT)

    async def run() -> Outcome:
        async with HttpFetcher(allow_private=True) as network:
            return await Witness(Pages(network, {url: away}), registry(bases=bases(server))).get(url)

    assert asyncio.run(run()) == away


# -- anything at all -------------------------------------------------------------------------------

URLS = [
    "https://arxiv.org/abs/2305.14314",
    "https://news.ycombinator.com/item?id=8863",
    "https://github.com/octocat/hello-world",
    "https://youtu.be/dQw4w9WgXcQ",
    "https://en.wikipedia.org/wiki/Shrek",
    "https://doi.org/10.1002/pssc.201200953",
    "https://example.org/page",
]
_TEXT = st.text(max_size=40) | st.sampled_from(
    [
        "[x](javascript:a)",
        "<script>",
        "\x1b[31m",
        "# h",
        "https://evil.example/",
        "`code`",
        "None",
        "\u202e",
        "]]>",
    ]
)
_LEAF = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXT
_NAMES = st.sampled_from(
    [
        *("id", "type", "by", "title", "text", "url", "score", "time", "parent", "descendants", "full_name"),
        *("description", "license", "spdx_id", "topics", "stargazers_count", "message", "author", "given"),
        *("family", "issued", "date-parts", "container-title", "abstract", "author_name", "author_url"),
        *("titles", "normalized", "extract", "content_urls", "desktop", "page", "story_id", "name", "points"),
    ]
)
_JSON = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=8),
    max_leaves=25,
)
_SHAPED = st.fixed_dictionaries(
    {},
    optional={
        "id": st.just(8863) | _LEAF,
        "type": st.sampled_from(["story", "comment", "job", "standard"]) | _LEAF,
        "title": _TEXT | st.lists(_TEXT, max_size=2) | _LEAF,
        "by": _TEXT | _LEAF,
        "text": _TEXT,
        "url": st.sampled_from(["https://a.example/", "javascript:alert(1)", "http://"]) | _LEAF,
        "full_name": st.just("a/b") | _TEXT,
        "description": _TEXT | _LEAF,
        "author_name": _TEXT,
        "author_url": _TEXT,
        "extract": _TEXT,
        "titles": st.fixed_dictionaries({"normalized": _TEXT}) | _LEAF,
        "license": st.fixed_dictionaries({"spdx_id": _LEAF, "name": _LEAF}) | _LEAF,
        "author": st.lists(st.fixed_dictionaries({"given": _LEAF, "family": _TEXT}) | _LEAF, max_size=3)
        | _LEAF,
        "issued": st.fixed_dictionaries(
            {"date-parts": st.lists(st.lists(_LEAF, max_size=3), max_size=2) | _LEAF}
        ),
        "time": _LEAF,
        "score": _LEAF,
    },
)
_BODY = st.one_of(
    st.binary(max_size=200),
    _JSON.map(lambda value: json.dumps(value).encode()),
    _SHAPED.map(lambda value: json.dumps(value).encode()),
    _SHAPED.map(lambda value: json.dumps({"message": value}).encode()),
    _TEXT.map(
        lambda text: (
            '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>http://arxiv.org/abs/2305.14314v1</id>'
            f"<title>{text.replace('<', '&lt;').replace('&', '&amp;')}</title></entry></feed>"
        ).encode("utf-8", "replace")
    ),
)
_HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "x-ratelimit-remaining", "x-ratelimit-reset", "location"]),
    st.sampled_from(
        ["0", "text/html", "application/json", "application/pdf", "99999999999999999999", "\u0663"]
    ),
    max_size=3,
)
_OUTCOME = st.builds(
    Outcome,
    url=st.just("https://example.org/page"),
    final_url=st.just("https://example.org/page"),
    status=st.sampled_from([200, 200, 200, 204, 301, 401, 403, 404, 429, 451, 500, None]),
    headers=_HEADERS,
    body=_BODY,
    truncated=st.booleans(),
    hops=st.just(()) | st.just((Hop("https://example.org/", 301, "https://example.org/page"),)),
    failure=st.none() | st.none() | st.sampled_from(Failure),
)


def _through(source: Source, wanted: Wanted, answers: list[Outcome]) -> Reading:
    """The reading a source comes to when the same few answers come again and again."""
    given: list[Outcome] = []
    for number in range(60):
        step = source.next([wanted], given)
        if not isinstance(step, Ask):
            return step[wanted.key]
        assert urls.is_web(step.url)
        given.append(answers[number % len(answers)])
    raise AssertionError("it never comes to an end")


@given(st.sampled_from(URLS), st.lists(_OUTCOME, min_size=1, max_size=4))
def test_whatever_an_api_answers_never_raises_and_puts_no_markup_into_a_note(
    url: str, answers: list[Outcome]
) -> None:
    source, wanted = source_of((*registry(), Generic()), urls.key(url).key, url)
    reading = _through(source, wanted, answers)
    if reading.facts is None:
        assert reading.lacking
        return
    title = reading.facts.title
    assert title
    assert title.strip()
    assert title.lower() not in ("none", "null", "error")
    assert title.isprintable() or "\u200c" in title or "\u200d" in title or "\u00ad" in title
    note = append_bullet(b"* first\n", bullet(title, url))
    assert [link.url for link in parse("n.md", note).links] == [url]
    assert note.count(b"\n") == 2
    kind = reading.kind or LinkKind.OTHER
    facts = replace(reading.facts, extra={**reading.facts.extra})
    text = link_note(title, url, kind, facts, "2026-11-24", tags=["t"], quote=title)
    parsed = parse("n.md", text.encode())
    assert not parsed.problems
    meant = [url, facts.extra.get("channel_url"), facts.extra.get("article")]
    links = {urls.canonical(link.url) for link in parsed.links}
    assert links <= {urls.canonical(one) for one in meant if isinstance(one, str)}
    assert "\x1b" not in text
