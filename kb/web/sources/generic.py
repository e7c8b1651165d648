"""Any other page: what it says of itself, and its readable text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from kb.web import page, soft
from kb.web.outcome import Outcome
from kb.web.page import pdf
from kb.web.page.text import readable
from kb.web.sources.base import Answers, Ask, Life, Reading, Readings, Source, Wanted, refusal


@dataclass(frozen=True)
class Generic(Source):
    """The page itself."""

    name: ClassVar[str] = "page"
    pause: ClassVar[float] = 0.5
    api: ClassVar[bool] = False

    def claims(self, key: str, url: str) -> str | None:
        """Every page."""
        return url

    def next(self, wanted: Sequence[Wanted], answers: Answers) -> Ask | Readings:
        """One page, as a reader asks for it."""
        one = wanted[0]
        if not answers:
            return Ask(one.url, page=True)
        outcome = answers[-1]
        if not outcome.ok:
            return {one.key: Reading(lacking=f"the page: {refusal(outcome)}")}
        return {one.key: _read_pdf(outcome) if _is_pdf(outcome) else read(outcome)}


def read(outcome: Outcome) -> Reading:
    """The reading of a page that came; of a wall or an error in its place there is nothing to read."""
    finding = soft.look_through(outcome, soft.plain(outcome))
    if finding is not None:
        return Reading(lacking=f"the page: {finding.reason}")
    type = outcome.headers.get("content-type")
    found = page.facts(outcome.body, type, outcome.final_url, "")
    if found.title is None:
        return Reading(life=Life.EXISTS, lacking="the page: it names no title")
    text = readable(outcome.body, type)
    words = len(text.split()) or None
    return Reading(replace(found, words=words, extra={"source": "page"}), Life.EXISTS, text=text)


def _is_pdf(outcome: Outcome) -> bool:
    return "pdf" in outcome.headers.get("content-type", "").lower() or pdf.is_pdf(outcome.body)


def _read_pdf(outcome: Outcome) -> Reading:
    found = pdf.facts(outcome.body, "")
    if found.title is None:
        return Reading(life=Life.EXISTS, lacking="the page: a PDF that names no title")
    return Reading(replace(found, extra={"source": "page", "format": "pdf"}), Life.EXISTS)
