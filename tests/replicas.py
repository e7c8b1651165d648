"""The APIs that kb asks, on loopback, with their traps.

Shapes follow each site's public documentation. One server plays all of them, each under its own
first path segment; `BASES` moves the sources there. What an item does is told by its name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from kb.web.fetch import Failure, HttpFetcher
from kb.web.outcome import Outcome
from tests.servers import Handler, Server


async def no_sleep(_: float) -> None:
    """For tests, which need not be polite to themselves."""


class Pages:
    """A network on which pages answer by a table (all others are out of reach) and APIs are a replica's."""

    def __init__(self, network: HttpFetcher, pages: Mapping[str, Outcome]) -> None:
        self.network = network
        self.pages = pages
        self.got: list[str] = []

    async def get(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, **how: bool
    ) -> Outcome:
        if not how.get("once"):  # a probe beside the page is none of what a test counts
            self.got.append(url)
        return self.pages.get(url) or Outcome(url, url, failure=Failure.TIMEOUT, seconds=20)

    async def ask(self, url: str, headers: Mapping[str, str]) -> Outcome:
        return await self.network.ask(url, headers)


# -- arXiv -----------------------------------------------------------------------------------------

PAPERS = {
    "2305.14314": (
        "QLoRA: Efficient\n  Finetuning of Quantized LLMs",
        "  We present an approach that reduces memory\nenough to finetune a 65B model on one 48GB GPU.",
        ("Tim Dettmers", "Artidoro Pagnoni"),
    ),
    "1706.03762": ("Attention Is All You Need", "The dominant sequence models ...", ("Ashish Vaswani",)),
    "cond-mat/0102536": ("Impact of Electron-Electron Cusp", "The effect ...", ("David Prendergast",)),
}

_FEED = '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">{}</feed>'
_ENTRY = """<entry><id>http://arxiv.org/abs/{id}v2</id><updated>2023-06-01T00:00:00Z</updated>
<published>2023-05-23T17:50:33Z</published><title>{title}</title><summary>{summary}</summary>{authors}
<arxiv:comment xmlns:arxiv="http://arxiv.org/schemas/atom">Extended NeurIPS submission</arxiv:comment>
<arxiv:primary_category xmlns:arxiv="http://arxiv.org/schemas/atom" term="cs.LG"/>
<category term="cs.LG"/><category term="cs.CL"/></entry>"""
_ERROR = """<entry><id>http://arxiv.org/api/errors#incorrect_id_format_for_{id}</id><title>Error</title>
<summary>incorrect id format for {id}</summary></entry>"""


def arxiv(handler: Handler, rest: str) -> None:
    ids = parse_qs(handler.path.partition("?")[2]).get("id_list", [""])[0].split(",")
    if "2500.00001" in ids:  # an answer that stops half way
        handler.answer(
            body=_FEED.format("<entry><id>http://arxiv.org/abs")[:80].encode(), type="application/atom+xml"
        )
        return
    if "2500.00002" in ids:
        handler.answer(body=b"<html><body>Rate exceeded.</body></html>")
        return
    if "2500.00003" in ids:
        handler.answer(503, b"Retry later", Retry_After="1")
        return
    if "2500.00004" in ids and handler.visits == 1:  # empty for no reason, once
        handler.answer(body=_FEED.format("").encode(), type="application/atom+xml")
        return
    if "2500.00005" in ids:  # always empty
        handler.answer(body=_FEED.format("").encode(), type="application/atom+xml")
        return
    if "2500.00006" in ids:
        bomb = '<!DOCTYPE a [<!ENTITY b "bbbbbbbb">]>' + _FEED.format("<entry><title>&b;</title></entry>")
        handler.answer(body=bomb.encode(), type="application/atom+xml")
        return
    entries = []
    for id in ids:
        if id == "2500.00004":
            entries.append(_ENTRY.format(id=id, title="Second Time Lucky", summary="", authors=""))
        elif id in PAPERS:
            title, summary, authors = PAPERS[id]
            names = "".join(f"<author><name>{name}</name></author>" for name in authors)
            entries.append(_ENTRY.format(id=id, title=escape(title), summary=escape(summary), authors=names))
        elif id == "2599.99999":
            entries.append(_ERROR.format(id=id))
    handler.answer(body=_FEED.format("".join(entries)).encode(), type="application/atom+xml")


# -- Hacker News -----------------------------------------------------------------------------------

ITEMS: Mapping[str, object] = {
    "8863": {
        "by": "dhouston",
        "descendants": 71,
        "id": 8863,
        "kids": [8952],
        "score": 111,
        "time": 1175714200,
        "title": "My YC app: Dropbox - Throw away your USB drive",
        "type": "story",
        "url": "http://www.getdropbox.com/u/2/screencast.html",
    },
    "8952": {
        "by": "reader",
        "id": 8952,
        "parent": 8863,
        "text": "Aw shucks &amp; so on.<p>Keep <i>writing</i>!",
        "time": 1175727286,
        "type": "comment",
    },
    "8953": {
        "by": "deeper",
        "id": 8953,
        "parent": 8952,
        "text": "Quite.",
        "time": 1175727287,
        "type": "comment",
    },
    "9000": {"id": 9000, "deleted": True, "type": "story", "time": 1},
    "9001": {
        "id": 9001,
        "type": "story",
        "by": "asker",
        "title": "Ask HN: Where?",
        "text": "There?",
        "score": 3,
        "time": 1,
    },
    "9002": None,
    "9003": [1, 2],
    "9006": {"id": 9006, "type": "story", "title": None, "by": None, "time": "soon"},
    "9007": {"by": "loop", "id": 9007, "parent": 9007, "text": "Round.", "time": 1, "type": "comment"},
}


def firebase(handler: Handler, rest: str) -> None:
    number = rest.rpartition("/")[2].removesuffix(".json")
    if number == "9004":
        handler.answer(body=b'{"by":"cut","id":9004,"title":"Cut of', type="application/json")
    elif number == "9005":
        handler.answer(500, b"<h1>oops</h1>")
    else:
        handler.answer(body=json.dumps(ITEMS.get(number)).encode(), type="application/json; charset=utf-8")


def algolia(handler: Handler, rest: str) -> None:
    number = rest.rpartition("/")[2]
    trees = {
        "8952": {
            "id": 8952,
            "type": "comment",
            "author": "reader",
            "text": "t",
            "story_id": 8863,
            "points": None,
        },
        "9005": {
            "id": 9005,
            "type": "story",
            "author": "pg",
            "title": "By way of Algolia",
            "url": "https://example.com/",
            "points": 100,
            "created_at_i": 1700000000,
            "children": [],
        },
    }
    if number in trees:
        handler.answer(body=json.dumps(trees[number]).encode(), type="application/json")
    else:
        handler.answer(404, b'{"error":"Not Found"}', type="application/json")


# -- GitHub ----------------------------------------------------------------------------------------

REPO = {
    "id": 1296269,
    "full_name": "octocat/Hello-World",
    "html_url": "https://github.com/octocat/Hello-World",
    "description": "This your first repo!",
    "fork": False,
    "language": None,
    "stargazers_count": 80,
    "topics": ["octocat", "api"],
    "archived": False,
    "disabled": False,
    "pushed_at": "2011-01-26T19:06:43Z",
    "created_at": "2011-01-26T19:01:12Z",
    "license": {"key": "mit", "name": "MIT License", "spdx_id": "MIT"},
}


def github(handler: Handler, rest: str) -> None:
    name = rest.removeprefix("repos/").partition("?")[0]
    limits = {"X_RateLimit_Limit": "60", "X_RateLimit_Remaining": "59", "X_RateLimit_Reset": "1790000000"}
    type = "application/json; charset=utf-8"
    if name == "octocat/hello-world":
        handler.answer(200, json.dumps(REPO).encode(), type, **limits)
    elif name == "octocat/old-name":
        handler.redirect("/github/repositories/7", 301, **limits)
    elif name == "repositories/7":
        renamed = REPO | {
            "full_name": "octocat/New-Name",
            "archived": True,
            "license": None,
            "description": None,
        }
        handler.answer(body=json.dumps(renamed).encode(), type=type)
    elif name == "octocat/elsewhere":
        handler.redirect(f"http://localhost:{handler.server.port}/github/repositories/7")
    elif name.startswith("limited/"):
        limits["X_RateLimit_Remaining"] = "0"
        handler.answer(403, b'{"message":"API rate limit exceeded"}', type=type, **limits)
    elif name == "octocat/taken-down":
        handler.answer(451, b'{"message":"Repository access blocked"}', type=type)
    elif name == "octocat/html":
        handler.answer(body=b"<html><title>Unicorn!</title></html>", type=type)
    elif name == "octocat/null":
        handler.answer(body=b"null", type=type)
    elif name == "octocat/other-licence":
        other = REPO | {"full_name": name, "license": {"name": "Other", "spdx_id": "NOASSERTION"}}
        handler.answer(body=json.dumps(other).encode(), type=type)
    else:
        handler.answer(404, b'{"message":"Not Found"}', type=type)


# -- YouTube ---------------------------------------------------------------------------------------

VIDEO = {
    "title": "A video & its <b>title</b>",
    "author_name": "Rick Astley",
    "author_url": "https://www.youtube.com/@RickAstleyYT",
    "type": "video",
    "version": "1.0",
    "provider_name": "YouTube",
    "html": "<iframe></iframe>",
}


def youtube(handler: Handler, rest: str) -> None:
    watched = parse_qs(handler.path.partition("?")[2]).get("url", [""])[0]
    id = watched.rpartition("=")[2]
    by_id = {
        "unembedded0": 401,
        "privatevide": 403,
        "removed0000": 404,
        "stillthere0": 404,
        "malformed00": 400,
    }
    if id == "dQw4w9WgXcQ":
        handler.answer(body=json.dumps(VIDEO).encode(), type="application/json")
    elif id in by_id:
        handler.answer(by_id[id], {401: b"Unauthorized", 404: b"Not Found"}.get(by_id[id], b"Bad Request"))
    else:
        handler.answer(200, b"<!doctype html><title>YouTube</title>")


def stills(handler: Handler, rest: str) -> None:
    id = rest.split("/")[1]
    gone = id in ("removed0000", "malformed00")
    handler.answer(404 if gone else 200, b"\xff\xd8\xff", type="image/jpeg")


# -- Wikipedia -------------------------------------------------------------------------------------

ARTICLE = {
    "type": "standard",
    "title": "Shrek",
    "displaytitle": "<i>Shrek</i>",
    "wikibase_item": "Q483815",
    "titles": {"canonical": "Shrek", "normalized": "Shrek", "display": "<i>Shrek</i>"},
    "lang": "en",
    "timestamp": "2021-12-19T08:17:45Z",
    "description": "2001 animated film",
    "content_urls": {"desktop": {"page": "https://en.wikipedia.org/wiki/Shrek"}},
    "extract": "Shrek is an animated film about an ogre.",
}


def wikipedia(handler: Handler, rest: str) -> None:
    title = unquote(rest.rpartition("/")[2])
    type = "application/json; charset=utf-8"
    if title == "Shrek":
        handler.answer(body=json.dumps(ARTICLE).encode(), type=type, ETag='W/"1"')
    elif title == "Ogre_film":
        handler.redirect("/wikipedia/en/api/rest_v1/page/summary/Shrek", 302)
    elif title == "Mercury":
        page = ARTICLE | {"type": "disambiguation", "title": "Mercury", "titles": {"normalized": "Mercury"}}
        handler.answer(body=json.dumps(page).encode(), type=type)
    elif title == "Walled":
        handler.answer(403, b"Please set a user-agent with contact information.", type="text/plain")
    elif title == "Cut":
        handler.answer(body=json.dumps(ARTICLE).encode()[:90], type=type)
    else:
        handler.answer(404, b'{"type":"https://mediawiki.org/wiki/HyperSwitch/errors/not_found"}', type=type)


# -- DOI -------------------------------------------------------------------------------------------

WORK = {
    "DOI": "10.1002/pssc.201200953",
    "type": "journal-article",
    "publisher": "Wiley-Blackwell",
    "title": [" The quantum-confined <i>Stark</i> effect\n "],
    "subtitle": ["A study"],
    "author": [{"given": "E. A.", "family": "Shevchenko"}, {"name": "The Collaboration"}],
    "container-title": ["physica status solidi &amp; c"],
    "issued": {"date-parts": [[2013, 2]]},
    "abstract": "<jats:title>Abstract</jats:title><jats:p>We report <jats:italic>things</jats:italic>."
    "</jats:p>",
    "volume": "10",
    "issue": "3",
    "page": "319-322",
    "is-referenced-by-count": 7,
}
CSL = {
    "type": "dataset",
    "title": "A data set",
    "author": [{"family": "Noether", "given": "Emmy"}],
    "issued": {"date-parts": [["2020", 1, 2]]},
    "publisher": "Zenodo",
}


def crossref(handler: Handler, rest: str) -> None:
    doi = unquote(rest.removeprefix("works/").partition("?")[0])
    if doi == WORK["DOI"]:
        answer = {"status": "ok", "message-type": "work", "message": WORK}
        handler.answer(body=json.dumps(answer).encode(), type="application/json")
    elif doi == "10.1000/strange":
        odd = {"title": [], "author": "nobody", "issued": {"date-parts": [[None]]}}
        handler.answer(body=json.dumps({"message": odd}).encode(), type="application/json")
    else:
        handler.answer(404, b"Resource not found.", type="text/plain")


def resolver(handler: Handler, rest: str) -> None:
    wants = handler.headers.get("Accept", "")
    if rest == "10.5281/zenodo.1" and "citationstyles" in wants:
        handler.answer(body=json.dumps(CSL).encode(), type="application/vnd.citationstyles.csl+json")
    elif rest == "10.5281/zenodo.2":
        handler.answer(406, b"")
    else:
        handler.answer(404, b"<title>DOI Not Found</title>")


# -- all of them -----------------------------------------------------------------------------------

ROUTES = {
    "arxiv": arxiv,
    "firebase": firebase,
    "algolia": algolia,
    "github": github,
    "youtube": youtube,
    "stills": stills,
    "wikipedia": wikipedia,
    "crossref": crossref,
    "doi": resolver,
}


def bases(server: Server) -> dict[str, dict[str, str]]:
    """Where the sources find this server."""
    return {
        "arxiv": {"base": server.url("arxiv")},
        "hackernews": {"base": server.url("firebase"), "algolia": server.url("algolia")},
        "github": {"base": server.url("github")},
        "youtube": {"base": server.url("youtube"), "stills": server.url("stills")},
        "wikipedia": {"base": server.url("wikipedia/{lang}")},
        "doi": {"base": server.url("crossref"), "resolver": server.url("doi")},
    }
