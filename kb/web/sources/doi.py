"""DOI: Crossref's record of a work, or that of whichever agency registered it.

Crossref: github.com/CrossRef/rest-api-doc (`GET /works/{doi}`, the DOI percent-encoded; an
address in `mailto` is answered from a steadier pool). A DOI of another agency, DataCite say, is
a 404 there; doi.org then gives its record as CSL JSON by content negotiation, and a 404 of its
own means that nobody registered it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

from kb.model.dates import When
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
    extra,
    items_of,
    names_of,
    number_of,
    object_of,
    plain_of,
    refusal,
    text_of,
    title_of,
)


@dataclass(frozen=True)
class Doi(Source):
    """Crossref, then doi.org."""

    base: str = "https://api.crossref.org"
    resolver: str = "https://doi.org"
    contact: str = ""
    name: ClassVar[str] = "doi"
    pause: ClassVar[float] = 0.2

    def claims(self, key: str, url: str) -> str | None:
        """The DOI itself, lower case."""
        return key.removeprefix("doi:") if key.startswith("doi:") else None

    def doubts(self, page: Outcome) -> bool:
        """Publishers keep programs out; that the DOI is registered can still be told."""
        return page.status in (401, 403, 429, 503)

    def next(self, wanted: Sequence[Wanted], answers: Answers) -> Ask | Readings:
        """Crossref; where it has no record, the agency's own."""
        one = wanted[0]
        if not answers:
            mail = f"?mailto={quote(self.contact, safe='@')}" if self.contact else ""
            return Ask(f"{self.base}/works/{_quoted(one.name)}{mail}", {"Accept": "application/json"})
        work = object_of((as_object(answers[0]) or {}).get("message"))
        reading = _read(one, work)
        if reading is None and len(answers) == 1:
            accept = {"Accept": "application/vnd.citationstyles.csl+json"}
            return Ask(f"{self.resolver}/{quote(one.name.encode('utf-8', 'replace'), safe='/')}", accept)
        if reading is None:
            reading = _read(one, as_object(answers[1]) or {})
        if reading is None and answers[1].status == 404 and not answers[1].hops and answers[0].status == 404:
            reading = Reading(life=Life.GONE, lacking="DOI: nobody registered it")
        return {one.key: reading or Reading(lacking=f"DOI: {refusal(answers[0])}")}


def _quoted(doi: str) -> str:
    return quote(doi.encode("utf-8", "replace"), safe="")


def _first(value: Any) -> Any:
    """Crossref gives lists where CSL gives a text."""
    return next(iter(items_of(value)), None) if isinstance(value, list) else value


def _read(one: Wanted, work: dict[str, Any]) -> Reading | None:
    title = title_of(plain_of(_first(work.get("title"))))
    if title is None:
        return None
    subtitle = title_of(plain_of(_first(work.get("subtitle"))))
    abstract = " ".join(plain_of(work.get("abstract")).split()).removeprefix("Abstract ")
    facts = Facts(
        title=f"{title}: {subtitle}"[:300] if subtitle and subtitle.lower() not in title.lower() else title,
        authors=names_of([_name(who) for who in items_of(work.get("author"))]),
        published=_published(work),
        site=text_of(plain_of(_first(work.get("container-title"))), 300)
        or text_of(work.get("publisher"), 300),
        description=text_of(abstract, 10_000),
        language=text_of(work.get("language"), 15),
        extra=extra(
            "doi",
            doi=one.name,
            type=text_of(work.get("type"), 60),
            publisher=text_of(work.get("publisher"), 200),
            journal=text_of(plain_of(_first(work.get("container-title"))), 300),
            volume=text_of(work.get("volume"), 40),
            issue=text_of(work.get("issue"), 40),
            pages=text_of(work.get("page"), 40),
            cited=number_of(work.get("is-referenced-by-count")),
        ),
    )
    return Reading(facts, Life.EXISTS, text=facts.description or "", kind=LinkKind.PAPER)


def _name(who: Any) -> str | None:
    person = object_of(who)
    parts = [text_of(person.get(part), 100) for part in ("given", "family")]
    return " ".join(filter(None, parts)) or text_of(person.get("name") or person.get("literal"), 200)


def _published(work: dict[str, Any]) -> str | None:
    """The earliest that it says, as precise as it is."""
    for name in ("issued", "published", "published-online", "published-print"):
        parts = [number_of(part) for part in items_of(_first(object_of(work.get(name)).get("date-parts")), 3)]
        if parts and parts[0]:
            known = parts[: parts.index(None)] if None in parts else parts
            text = "-".join(f"{part:04d}" if not place else f"{part:02d}" for place, part in enumerate(known))
            if (when := When.read(text)) is not None:
                return when.first
    return None
