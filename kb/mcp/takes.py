"""What each tool takes: the arguments, checked before anything is asked of the notebook."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from kb.errors import KbError
from kb.model.dates import When
from kb.model.kinds import Source, Standing
from kb.model.search import Filter

#: Characters of one text within a list, and of what is written beside a link.
EXCERPT = 2_000
#: Values of one list: a filter of more is no question, and a bullet of more tags no line.
MANY = 50

# Written out, for type checkers cannot read an enum into one; a test holds them to the enums.
Kind = Literal[
    "note", "tutorial", "paper", "hn-thread", "glossary", "hn-comment", "hn-user", "repo", "video", "channel",
    "encyclopedia", "blog", "internal", "other",
]  # fmt: skip

Stands = Literal["unchecked", "alive", "moved", "suspect", "dead", "unknown", "ignored"]


class Takes(BaseModel):
    """The arguments of a tool: what is not named here is refused."""

    model_config = ConfigDict(extra="forbid", str_max_length=4_000)


class Narrow(Takes):
    """The filters; the values of one widen, the fields narrow together."""

    kind: list[Kind] = Field([], max_length=MANY, description="kinds of note or link")
    tag: list[str] = Field([], max_length=MANY, description="tags of the note")
    host: list[str] = Field([], max_length=MANY, description="hosts of a link, such as arxiv.org")
    standing: list[Stands] = Field([], max_length=MANY, description="standings of a link")
    note: list[str] = Field([], max_length=MANY, description="notes or folders, relative to the notes folder")
    since: str | None = Field(None, description="from this date on: 2023, 2023-09 or 2023-09-01")
    until: str | None = Field(None, description="up to this date, its last day included")

    def filter(self, private: bool, sources: tuple[Source, ...] = ()) -> Filter:
        """The filter that these spell. Refused for a date that is none."""
        return Filter(
            kinds=tuple(self.kind),
            tags=tuple(self.tag),
            hosts=tuple(self.host),
            standings=tuple(map(Standing, self.standing)),
            paths=tuple(self.note),
            since=_date("since", self.since).earliest if self.since else None,
            until=_date("until", self.until).latest if self.until else None,
            sources=sources,
            public=not private,
        )


class Search(Narrow):
    """What a search takes."""

    query: str = Field(description='words or a question; "a phrase" and -word narrow it', min_length=1)
    mode: Literal["hybrid", "keyword", "semantic"] = Field("hybrid", description="by words, meaning, or both")
    where: Literal["notes", "pages", "all"] = Field(
        "all", description="the person's own notes, the saved text of linked pages, or both"
    )
    limit: int = Field(8, ge=1, le=50, description="hits at most")


class ReadNote(Takes):
    """What reading a note takes."""

    path: str = Field(description="the note's path, as a hit gives it")
    first: int = Field(1, ge=1, description="the first line")
    last: int | None = Field(None, ge=1, description="the last line; to the note's end if none is given")


class ReadPage(Takes):
    """What reading a saved page takes."""

    url: str = Field(description="the page's address, as a hit or a link gives it")
    offset: int = Field(0, ge=0, description="characters to pass over; `next_offset` of the part before")


class Links(Narrow):
    """What listing links takes."""

    limit: int = Field(30, ge=1, le=200, description="links at most")
    offset: int = Field(0, ge=0, description="links to pass over")


class Glossary(Takes):
    """What the glossary takes."""

    term: str | None = Field(None, description="one term, alias or expansion; all terms if none is given")
    limit: int = Field(50, ge=1, le=200, description="terms at most")
    offset: int = Field(0, ge=0, description="terms to pass over")


class AddLink(Takes):
    """What adding a link takes."""

    url: str = Field(description="the page's address")
    note: str | None = Field(None, description="the note to append to; today's if none is given")
    comment: str = Field("", description="a line to stand beside the link", max_length=EXCERPT)
    quote: str = Field("", description="a passage of the page to keep beside it", max_length=EXCERPT)
    tags: list[str] = Field([], max_length=MANY, description="tags to write behind it")


class Refused(KbError):
    """Arguments that cannot be meant."""


def _date(name: str, text: str) -> When:
    try:
        return When.parse(text)
    except ValueError:
        raise Refused(f"{name}: {text!r} is no date; dates look like 2023, 2023-09 or 2023-09-01") from None
