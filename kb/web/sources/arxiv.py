"""arXiv: title, authors, abstract and categories from its Atom API, many papers a request.

Terms of use: one request every three seconds, over one connection
(info.arxiv.org/help/api/tou.html). Shape: info.arxiv.org/help/api/user-manual.html.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from xml.etree import ElementTree

from kb.model.kinds import LinkKind
from kb.model.links import Facts
from kb.web.sources.base import (
    Answers,
    Ask,
    Life,
    Reading,
    Readings,
    Source,
    Wanted,
    date_of,
    extra,
    names_of,
    refusal,
    text_of,
    title_of,
)

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_ID = re.compile(r"https?://[a-z.]*arxiv\.org/abs/(?P<id>.+?)(?:v(?P<version>\d+))?\Z")
# An entity could name another entity a thousand times over; arXiv's feeds declare none. In UTF-16,
# which has a NUL in every letter of a declaration, it would be overlooked: arXiv's are UTF-8.
_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)|\0", re.IGNORECASE)


@dataclass(frozen=True)
class Arxiv(Source):
    """export.arxiv.org's query API."""

    base: str = "https://export.arxiv.org"
    name: ClassVar[str] = "arxiv"
    at_once: ClassVar[int] = 50
    pause: ClassVar[float] = 3.0

    def claims(self, key: str, url: str) -> str | None:
        """The paper's id, without version."""
        return key.removeprefix("arxiv:") if key.startswith("arxiv:") else None

    def next(self, wanted: Sequence[Wanted], answers: Answers) -> Ask | Readings:
        """All papers in one feed; an empty feed, which happens for no reason, is asked for once more."""
        if not answers or (len(answers) == 1 and _entries(answers[0].body) == [] and answers[0].ok):
            ids = ",".join(one.name for one in wanted)
            return Ask(f"{self.base}/api/query?id_list={ids}&max_results={len(wanted)}")
        last = answers[-1]
        entries = _entries(last.body) if last.ok and not last.truncated else None
        if entries is None:
            return {one.key: Reading(lacking=f"arXiv: {refusal(last)}") for one in wanted}
        found = dict(pair for entry in entries if (pair := _read(entry)))
        # An id that it cannot read spoils only its own entry; one that it does not know has none.
        told = bool(found)
        return {
            one.key: found.get(one.name.lower())
            or Reading(lacking="arXiv: " + ("it knows no such paper" if told else "the feed was empty"))
            for one in wanted
        }


def _entries(body: bytes) -> list[ElementTree.Element] | None:
    """The entries of a feed; None where it is none."""
    if _DOCTYPE.search(body):
        return None
    try:
        feed = ElementTree.fromstring(body)  # noqa: S314  # a feed with declarations was refused above
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError):
        return None
    return feed.findall(f"{_ATOM}entry") if feed.tag == f"{_ATOM}feed" else None


def _read(entry: ElementTree.Element) -> tuple[str, Reading] | None:
    """The id and reading of an entry; None for an error that is dressed as one."""
    match = _ID.match((entry.findtext(f"{_ATOM}id") or "").strip())
    title = title_of(entry.findtext(f"{_ATOM}title"))
    if match is None or title is None:
        return None
    abstract = text_of(entry.findtext(f"{_ATOM}summary"), 10_000) or ""
    authors = entry.findall(f"{_ATOM}author/{_ATOM}name")
    categories = [one.get("term") for one in entry.findall(f"{_ATOM}category")]
    primary = entry.find(f"{_ARXIV}primary_category")
    facts = Facts(
        title=title,
        authors=names_of([one.text for one in authors[:500]]),
        published=date_of(entry.findtext(f"{_ATOM}published")),
        site="arXiv",
        description=abstract or None,
        canonical=f"https://arxiv.org/abs/{match['id']}",
        extra=extra(
            "arxiv",
            version=int(match["version"][:4]) if match["version"] else None,
            updated=date_of(entry.findtext(f"{_ATOM}updated")),
            category=text_of(primary.get("term"), 40) if primary is not None else None,
            categories=list(names_of(categories[:20])),
            doi=text_of(entry.findtext(f"{_ARXIV}doi"), 200),
            journal=text_of(entry.findtext(f"{_ARXIV}journal_ref"), 300),
            comment=text_of(entry.findtext(f"{_ARXIV}comment"), 300),
        ),
    )
    return match["id"].lower(), Reading(facts, Life.EXISTS, text=abstract, kind=LinkKind.PAPER)
