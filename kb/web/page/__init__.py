"""What a page says of itself: title and facts, most of them out of the head of its HTML.

Titles come from strangers: they are flattened to one line here, and whatever shows them escapes
them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from html import unescape
from itertools import islice
from typing import Any, Final
from urllib.parse import urljoin

from kb import urls
from kb.model.dates import When
from kb.model.links import Facts
from kb.web.page.decoding import html_text
from kb.web.page.untitled import SEPARATORS, is_no_title

_HEAD_END: Final = re.compile(r"</head\s*>|<body[\s>]", re.IGNORECASE)
# Each pattern here stops at the next `<`, and what it finds is closed by a search from there on, so
# that hostile markup costs no more than its length.
# The first letter tells most tags apart, four times as fast as names in any case.
_OPAQUE: Final = re.compile(r"<(?=[!sStT])(?:(script|style|svg|template)\b([^<>]*)>|!--)", re.IGNORECASE)
_CLOSING: Final = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in (
        ("script", r"</script\b[^<>]*>"),
        ("style", r"</style\b[^<>]*>"),
        ("svg", r"</svg\b[^<>]*>"),
        ("template", r"</template\b[^<>]*>"),
        ("", r"--!?>"),
        ("title", r"</title\b"),
        ("h1", r"</h1\b"),
    )
}
_TELLING: Final = re.compile(
    r"""<(meta|link|html)\b(?:[^<>"']|"[^"]{0,4000}"|'[^']{0,4000}'){0,2000}+>""", re.IGNORECASE
)
_ATTRIBUTE: Final = re.compile(
    r"""([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?""",
)
_TITLE: Final = re.compile(r"<title\b[^<>]*>", re.IGNORECASE)
_H1: Final = re.compile(r"<h1\b[^<>]*>", re.IGNORECASE)
_TIME: Final = re.compile(r"<time\b[^<>]{0,300}?\bdatetime\s*=\s*[\"']?(\d{4}-\d\d(?:-\d\d)?)", re.IGNORECASE)
_HEADING_CHARS: Final = 2_000
_TAG: Final = re.compile(r"<[^>]*>")
_DATE: Final = re.compile(r"\s*(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?")
_TAGS: Final = 500
_LD_CHARS: Final = 200_000
# Feeds and plugins escape what is escaped; nobody writes these in a title to be read.
_TWICE: Final = re.compile(r"&(?:#\d{2,6}|#[xX][0-9a-fA-F]{2,5}|amp|quot|apos);")
_TITLE_CHARS: Final = 300
_TEXT_CHARS: Final = 1000
_ARTICLES: Final = (
    "Article",
    "BlogPosting",
    "NewsArticle",
    "ScholarlyArticle",
    "TechArticle",
    "Report",
    "VideoObject",
    "Book",
    "SoftwareSourceCode",
    "WebPage",
)


def facts(body: bytes, content_type: str | None, url: str, at: str) -> Facts:
    """What `body`, the beginning of the page at `url`, says of itself; `at` is when it was fetched.

    Empty facts (but for `fetched`) where it is no HTML. Never raises.
    """
    text = html_text(body, content_type)
    return Facts(fetched=at) if text is None else facts_of(text, url, at)


def facts_of(text: str, url: str, at: str) -> Facts:
    """The same of a page that is text already."""
    return _Head(text).facts(url, at)


class _Head:
    """The head of a page, parsed once."""

    def __init__(self, text: str) -> None:
        end = _HEAD_END.search(text)
        head, self._rest = (text[: end.start()], text[end.start() :]) if end else (text, text)
        markup, scripts = without_opaque(head)
        self._linked = list(_linked_data(scripts))
        if not self._linked and "ld+json" in (rest := self._rest[:_LD_CHARS]).lower():
            self._linked = list(_linked_data(without_opaque(rest)[1]))
        self._metas: dict[str, list[str]] = {}
        self._links: dict[str, str] = {}
        self._language = ""
        self._title = unescape(_between(markup, _TITLE, "title"))
        for tag in islice(_TELLING.finditer(markup), _TAGS):
            kind, told = tag[1].lower(), _attributes(tag[0])
            if kind == "meta":
                name = told.get("property") or told.get("name") or told.get("itemprop")
                if name and "content" in told:
                    self._metas.setdefault(name.strip().lower(), []).append(told["content"])
            elif kind == "html":
                self._language = self._language or told.get("lang", "")
            elif href := told.get("href"):
                for rel in told.get("rel", "").lower().split():
                    self._links.setdefault(rel, href)

    def facts(self, url: str, at: str) -> Facts:
        """All of it, as far as the page tells."""
        site = self._first(_TEXT_CHARS, "og:site_name", "citation_journal_title", "application-name")
        return Facts(
            title=self._best_title(site, url),
            authors=self._authors(),
            published=self._published(),
            site=site,
            description=self._first(_TEXT_CHARS, "og:description", "description", "twitter:description"),
            canonical=self._canonical(url),
            language=self._spoken(),
            fetched=at,
        )

    def _all(self, name: str) -> list[str]:
        return self._metas.get(name, [])

    def _first(self, limit: int, *names: str) -> str | None:
        for name in names:
            for content in self._all(name):
                line = one_line(content, limit)
                if line:
                    return line
        return None

    def _best_title(self, site: str | None, url: str) -> str | None:
        """By trust: what the page tells others to show, before what it shows in a tab, before a heading."""
        for candidate in self._titles(site, url):
            line = one_line(candidate, _TITLE_CHARS) if isinstance(candidate, str) else None
            if line and not is_no_title(line) and not _only_site(line, site, self._title):
                return line
        return None

    def _titles(self, site: str | None, url: str) -> Iterator[object]:
        yield from self._all("og:title")
        articles = [item for item in self._linked if _is_article(item)]
        yield from (item.get("headline") for item in articles)
        for item in articles:
            if isinstance(name := item.get("name"), str):
                yield _without_site(name, site, url)
        for name in ("citation_title", "dc.title", "twitter:title"):
            yield from self._all(name)
        yield _without_site(self._title, site, url)
        yield unescape(_TAG.sub("", _between(self._rest, _H1, "h1")))

    def _authors(self) -> tuple[str, ...]:
        named = self._all("citation_author") or self._all("dc.creator") or self._all("author")
        if not named:
            named = [name for item in self._linked for name in _names(item.get("author"))]
        if not named:
            named = [name for name in self._all("article:author") if "://" not in name]
        lines = (one_line(name, 200) for name in named[:200])
        return tuple(dict.fromkeys(line for line in lines if line and "://" not in line))

    def _published(self) -> str | None:
        candidates: tuple[Any, ...] = (
            *self._all("article:published_time"),
            *self._all("citation_publication_date"),
            *self._all("citation_date"),
            *(item.get("datePublished") or item.get("uploadDate") for item in self._linked),
            *self._all("datepublished"),
            *self._all("dc.date"),
            *self._all("date"),
            *(found[1] for found in islice(_TIME.finditer(self._rest), 1)),
        )
        return next((day for value in candidates if isinstance(value, str) and (day := _day(value))), None)

    def _canonical(self, url: str) -> str | None:
        href = self._links.get("canonical") or next(iter(self._all("og:url")), "")
        try:
            target = urljoin(url, href.strip()) if href.strip() else ""
        except ValueError:
            return None
        return urls.canonical(target) if urls.is_web(target) else None

    def _spoken(self) -> str | None:
        match = re.match(r"\s*([A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*)\s*\Z", self._language)
        if match is None:
            match = re.match(
                r"\s*([A-Za-z]{2,3}(?:[-_][A-Za-z]{2})?)\s*\Z", next(iter(self._all("og:locale")), "")
            )
        return match[1].replace("_", "-") if match else None


def _attributes(tag: str) -> dict[str, str]:
    """The attributes of a whole tag, names in lower case; the first of a name holds."""
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(tag, tag.find("<") + 1):
        value = double or single or bare
        found.setdefault(name.lower(), unescape(value) if "&" in value else value)
    return found


def _between(text: str, opening: re.Pattern[str], name: str) -> str:
    """What stands in the first such element, as written; '' where it is missing, endless or left open."""
    opened = opening.search(text)
    if opened is None:
        return ""
    inner = text[opened.end() : opened.end() + _HEADING_CHARS]
    closed = _CLOSING[name].search(inner)
    return inner[: closed.start()] if closed else ""


def one_line(text: str, limit: int = _TITLE_CHARS) -> str | None:
    """Flattened: invisible characters out, spaces single, at most `limit` long. None if nothing is left."""
    kept = text[: 20 * limit]
    if "&" in kept:
        kept = _TWICE.sub(lambda match: unescape(match[0]), kept)
    if not kept.isprintable():
        kept = "".join(
            " " if char.isspace() else char
            for char in kept
            if char.isspace()
            or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")
            or char in "\u200c\u200d"
        )
    line = " ".join(kept.split()).strip("\u200c\u200d ")
    if len(line) > limit:
        line = line[: limit - 1].rstrip() + "\u2026"
    return line or None


def without_opaque(text: str) -> tuple[str, list[str]]:
    """Markup without scripts, styles and drawings, and the JSON-LD scripts among them.

    Scripts hold most of a head and, JSON-LD apart, none of its facts.
    """
    kept: list[str] = []
    linked: list[str] = []
    at = 0
    while opened := _OPAQUE.search(text, at):
        kept.append(text[at : opened.start()])
        closed = _CLOSING[(opened[1] or "").lower()].search(text, opened.end())
        if closed is None:
            return "".join(kept), linked
        if "ld+json" in (opened[2] or "").lower():
            linked.append(text[opened.end() : closed.start()])
        at = closed.end()
    return "".join((*kept, text[at:])), linked


def _linked_data(scripts: list[str]) -> Iterator[dict[str, Any]]:
    """Every object of the page's JSON-LD, graphs opened."""
    for script in scripts:
        try:
            waiting = [json.loads(script.strip(), strict=False)]
        except (ValueError, RecursionError):
            continue
        for _ in range(200):
            if not waiting:
                break
            item = waiting.pop(0)
            if isinstance(item, list):
                waiting.extend(item)
            elif isinstance(item, dict):
                yield item
                waiting.append(item.get("@graph"))


def _is_article(item: dict[str, Any]) -> bool:
    kinds = item.get("@type")
    return any(
        kind in _ARTICLES for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str)
    )


def _names(author: Any) -> Iterator[str]:
    for one in author if isinstance(author, list) else [author]:
        name = one.get("name") if isinstance(one, dict) else one
        if isinstance(name, str):
            yield name


def _without_site(title: str, site: str | None, url: str) -> str:
    """A tab's title without the site's name at its end (or beginning), where it is plainly that."""
    line = " ".join(title.split())
    names = {
        _plain(name)
        for name in (site, urls.host(url), urls.host(url).rpartition(".")[0].rpartition(".")[2])
        if name
    }
    for pick in (-1, 0):
        parts = list(SEPARATORS.finditer(line))
        if parts:
            cut = parts[pick]
            piece, rest = (
                (line[cut.end() :], line[: cut.start()]) if pick else (line[: cut.start()], line[cut.end() :])
            )
            if _plain(piece) in names and rest.strip():
                line = rest
    return line


def _plain(text: str) -> str:
    return re.sub(r"\W", "", text).lower()


def _only_site(line: str, site: str | None, tab: str) -> bool:
    """Whether a title says no more than the site's name, while the tab's says more."""
    return site is not None and _plain(line) == _plain(site) and len(_plain(tab)) > len(_plain(line)) + 3


def _day(text: str) -> str | None:
    """ISO date at the start of a text, as precise as it is given."""
    match = _DATE.match(text)
    if match is None:
        return None
    year, month, day = match.groups()
    whole = "-".join(part.zfill(2) for part in (year, month, day) if part)
    try:
        return When.parse(whole).first
    except ValueError:
        return None
