"""Wikipedia: the summary of an article (mediawiki.org/wiki/Specs/Summary/1.3.0).

It wants a User-Agent with a way to reach whoever runs it, and answers 403 without.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote, unquote

from kb import __version__, urls
from kb.model.kinds import LinkKind
from kb.model.links import Facts
from kb.web.outcome import Outcome
from kb.web.sources.base import (
    Answers,
    Ask,
    Life,
    Reading,
    Readings,
    Source,
    Wanted,
    as_object,
    date_of,
    extra,
    object_of,
    refusal,
    text_of,
    title_of,
)

_ARTICLE = re.compile(r"https?://(?:www\.)?([a-z][a-z-]{1,14})\.wikipedia\.org/wiki/([^?#]+)\Z")
# Pages about pages have no summary.
_SPACE = re.compile(
    r"(?:Special|Talk|User|File|Category|Help|Template|Portal|Wikipedia)(?:_talk)?:", re.IGNORECASE
)


@dataclass(frozen=True)
class Wikipedia(Source):
    """The REST API of each language's own site; `{lang}` stands for the language."""

    base: str = "https://{lang}.wikipedia.org"
    contact: str = ""
    name: ClassVar[str] = "wikipedia"
    text_on_page: ClassVar[bool] = True

    def claims(self, key: str, url: str) -> str | None:
        """`language:Title`, underscores for spaces."""
        match = _ARTICLE.match(urls.canonical(url))
        if match is None or _SPACE.match(match[2]):
            return None
        return f"{match[1]}:{unquote(match[2]).replace(' ', '_')}"

    def next(self, wanted: Sequence[Wanted], answers: Answers) -> Ask | Readings:
        """One article."""
        one = wanted[0]
        language, _, title = one.name.partition(":")
        if answers:
            return {one.key: _read(answers[-1], language)}
        base = self.base.replace("{lang}", language)
        title = quote(title.encode("utf-8", "replace"), safe="")
        headers = {"Accept": "application/json"}
        if self.contact:
            headers["User-Agent"] = f"kb/{__version__} (one person's notes; {_plain(self.contact)})"
        return Ask(f"{base}/api/rest_v1/page/summary/{title}", headers)


def _plain(text: str) -> str:
    """What may stand in a header."""
    return "".join(char for char in text if char.isascii() and char.isprintable())


def _read(outcome: Outcome, language: str) -> Reading:
    if outcome.status == 404:
        return Reading(life=Life.GONE, lacking="Wikipedia: there is no such article")
    if outcome.status == 403:
        return Reading(
            lacking="Wikipedia: it wants to know who asks; set enrich.contact to an address of yours"
        )
    page = as_object(outcome)
    titles = object_of(page.get("titles")) if page else {}
    title = title_of(titles.get("normalized")) or title_of(page.get("title") if page else None)
    if page is None or title is None:
        return Reading(lacking=f"Wikipedia: {refusal(outcome)}")
    summary = text_of(page.get("extract"), 10_000) or ""
    address = object_of(object_of(page.get("content_urls")).get("desktop")).get("page")
    ambiguous = page.get("type") == "disambiguation"
    facts = Facts(
        title=f"{title} (disambiguation)" if ambiguous and "disambiguation" not in title else title,
        site="Wikipedia",
        description=summary or text_of(page.get("description")),
        canonical=urls.canonical(address) if isinstance(address, str) and urls.is_web(address) else None,
        language=text_of(page.get("lang"), 15) or language,
        extra=extra(
            "wikipedia",
            about=text_of(page.get("description"), 300),
            wikidata=text_of(page.get("wikibase_item"), 20),
            updated=date_of(page.get("timestamp")),
            disambiguation=True if ambiguous else None,
        ),
    )
    return Reading(facts, Life.EXISTS, text=summary, kind=LinkKind.ENCYCLOPEDIA)
