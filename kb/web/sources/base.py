"""What a source is: pure functions from what is wanted to a request, and from answers to facts.

A source never talks to the network. It is shown the answers so far and says what to ask next, or
what it read; whoever holds the connection does the asking. So a comment can be followed up to
its story, and a fallback tried, without a source knowing of sockets.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from html import unescape
from typing import Any, ClassVar

from kb.model.dates import When
from kb.model.kinds import LinkKind
from kb.model.links import Facts, Look
from kb.web.outcome import Outcome
from kb.web.page import one_line

TITLE_CHARS = 300
TEXT_CHARS = 2_000


class Life(StrEnum):
    """What a source's API says of whether the page is there."""

    UNKNOWN = "unknown"
    EXISTS = "exists"
    GONE = "gone"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page that facts are wanted of: its dedupe key, an address, and the source's own name for it."""

    key: str
    url: str
    name: str


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `page` asks as a reader of the page would, else as a program asks an API.

    `headers` go to the address's own origin alone: a token must not follow a redirect.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    page: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source read of one page.

    `facts` have a title or are None; their `fetched` is left to whoever knows the time. `lacking`
    says in words what could not be had. `text` is readable text worth keeping (an abstract, a
    comment) as Markdown; `moved_to` the address that now stands for the page.
    """

    facts: Facts | None = None
    life: Life = Life.UNKNOWN
    lacking: str = ""
    text: str = ""
    kind: LinkKind | None = None
    moved_to: str | None = None
    retry_at: int | None = None


@dataclass(frozen=True, slots=True)
class Met:
    """A page met for the first time: whether it lives, and what it and its site say of it."""

    look: Look
    reading: Reading

    @property
    def facts(self) -> Facts | None:
        """Its facts, with a title, or None."""
        return self.reading.facts


Answers = Sequence[Outcome]
Readings = dict[str, Reading]


class Source(ABC):
    """One site. Subclasses are frozen dataclasses whose fields are its addresses."""

    name: ClassVar[str]
    at_once: ClassVar[int] = 1
    """How many pages one request may ask for."""
    pause: ClassVar[float] = 0.0
    """Seconds between two requests."""
    api: ClassVar[bool] = True
    """Whether it is more than the page itself."""
    text_on_page: ClassVar[bool] = False
    """Whether the text worth keeping is on the page, not in what the API gives."""

    @abstractmethod
    def claims(self, key: str, url: str) -> str | None:
        """What the source calls the page with this dedupe key and address; None if it knows it not."""

    @abstractmethod
    def next(self, wanted: Sequence[Wanted], answers: Answers) -> Ask | Readings:
        """What to ask after these answers, or a reading for each wanted key. Never raises."""

    def doubts(self, page: Outcome) -> bool:
        """Whether what the page answered says so little of its life that the API should be asked too."""
        return False


# -- reading answers that may be anything ----------------------------------------------------------


def as_object(outcome: Outcome) -> dict[str, Any] | None:
    """The JSON object of a 2xx answer; None for anything else."""
    value = as_json(outcome)
    return value if isinstance(value, dict) else None


def as_json(outcome: Outcome) -> Any:
    """The JSON value of a 2xx answer; None for `null`, and for what is no JSON."""
    if not outcome.ok or outcome.truncated:
        return None
    try:
        return json.loads(outcome.body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def text_of(value: Any, limit: int = TEXT_CHARS) -> str | None:
    """A text as one clean line; None for anything else, or nothing."""
    return one_line(value, limit) if isinstance(value, str) else None


def title_of(value: Any) -> str | None:
    """The same, if it can be a title."""
    line = text_of(value, TITLE_CHARS)
    return None if line is None or line.lower() in ("none", "null", "error", "undefined") else line


def number_of(value: Any) -> int | None:
    """A count; None for anything else."""
    sound = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if sound else None


def items_of(value: Any, limit: int = 500) -> list[Any]:
    """A list, cut; empty for anything else."""
    return value[:limit] if isinstance(value, list) else []


def object_of(value: Any) -> dict[str, Any]:
    """A JSON object; empty for anything else."""
    return value if isinstance(value, dict) else {}


def day_of(seconds: Any) -> str | None:
    """ISO date (UTC) of a Unix time."""
    try:
        whole = number_of(seconds)
        return None if whole is None else datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%d")
    except (ValueError, OverflowError, OSError):
        return None


def date_of(text: Any) -> str | None:
    """The ISO date at the start of a text."""
    match = re.match(r"\s*(\d{4}(?:-\d{2}(?:-\d{2})?)?)(?!\d)", text) if isinstance(text, str) else None
    when = When.read(match[1]) if match else None
    return when.first if when else None


def names_of(values: Sequence[Any]) -> tuple[str, ...]:
    """Clean names, in order, once each."""
    lines = (text_of(value, 200) for value in values)
    return tuple(dict.fromkeys(line for line in lines if line))


_BREAK = re.compile(r"<(?:/?p|br|/?div|/?li|/?pre|jats:p|jats:title)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def plain_of(markup: Any, limit: int = 100_000) -> str:
    """The paragraphs of a piece of HTML or JATS as plain text, blank lines between them."""
    if not isinstance(markup, str):
        return ""
    text = _TAG.sub("", _BREAK.sub("\n\n", markup[:limit]))
    lines = (one_line(unescape(part), limit) for part in text.split("\n\n"))
    return "\n\n".join(line for line in lines if line)


def extra(source: str, **values: object) -> dict[str, object]:
    """What only this source knows, without what is not known."""
    return {
        "source": source,
        **{name: value for name, value in values.items() if value not in (None, "", [], ())},
    }


def refusal(outcome: Outcome) -> str:
    """Why there is no answer to read, in words."""
    if outcome.failure is not None:
        return outcome.detail or str(outcome.failure).replace("-", " ")
    if outcome.ok:
        return "the answer was cut off" if outcome.truncated else "the answer could not be read"
    return f"it answered {outcome.status}"
