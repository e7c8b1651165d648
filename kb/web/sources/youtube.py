"""YouTube: title and channel by oEmbed, and whether a video is there at all.

The page of a removed video answers 200, so the page alone says nothing. oEmbed answers 401 where
embedding is switched off (the video is there) and 404 where there is none; the still picture of
a video that is not there is a 404 too, so that both together are believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

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
    refusal,
    text_of,
    title_of,
)


@dataclass(frozen=True)
class YouTube(Source):
    """oEmbed, and the still picture for a second word."""

    base: str = "https://www.youtube.com"
    stills: str = "https://img.youtube.com"
    name: ClassVar[str] = "youtube"

    def claims(self, key: str, url: str) -> str | None:
        """The video's eleven characters."""
        return key.removeprefix("yt:") if key.startswith("yt:") else None

    def doubts(self, page: Outcome) -> bool:
        """Always, where it answered: a removed video is a page that says so."""
        return page.status is not None

    def next(self, wanted: Sequence[Wanted], answers: Answers) -> Ask | Readings:
        """oEmbed; where it gives no facts, the picture."""
        one = wanted[0]
        if not answers:
            watch = f"https%3A%2F%2Fwww.youtube.com%2Fwatch%3Fv%3D{one.name}"
            return Ask(f"{self.base}/oembed?format=json&url={watch}")
        reading = _read(answers[0])
        if reading is not None:
            return {one.key: reading}
        if len(answers) == 1:
            return Ask(f"{self.stills}/vi/{one.name}/0.jpg")
        status, still = answers[0].status, answers[1]
        if still.status == 404 and status in (400, 404):
            return {one.key: Reading(life=Life.GONE, lacking="YouTube: there is no such video")}
        life = Life.EXISTS if still.ok or status in (401, 403) else Life.UNKNOWN
        why = {401: "embedding is switched off", 403: "the video is private"}.get(status or 0)
        return {one.key: Reading(life=life, lacking=f"YouTube: {why or refusal(answers[0])}")}


def _read(outcome: Outcome) -> Reading | None:
    found = as_object(outcome)
    title = title_of(found.get("title")) if found else None
    if found is None or title is None:
        return None
    channel = text_of(found.get("author_name"), 200)
    page = text_of(found.get("author_url"), 300)
    facts = Facts(
        title=title,
        authors=(channel,) if channel else (),
        site="YouTube",
        extra=extra(
            "youtube", channel=channel, channel_url=page if page and page.startswith("https://") else None
        ),
    )
    return Reading(facts, Life.EXISTS, kind=LinkKind.VIDEO)
