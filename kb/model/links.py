"""A link over time: what looks at it said, what its page is, what the person said, where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from kb.model.dates import When
from kb.model.kinds import LinkKind, Standing
from kb.model.notes import Span
from kb.values import dataclass, field


class Verdict(StrEnum):
    """What one look at a link said."""

    ALIVE = "alive"
    MOVED = "moved"
    BROKEN = "broken"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    SKIPPED = "skipped"


#: The verdicts that find a page where it was, or where it went.
LIVES = frozenset({Verdict.ALIVE, Verdict.MOVED})


@dataclass(frozen=True, slots=True)
class Key:
    """A link's identity: the dedupe key of its page and, where there is one, the fragment."""

    key: str
    fragment: str = ""

    def __str__(self) -> str:
        return f"{self.key}#{self.fragment}" if self.fragment else self.key


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a link: what was asked, what came back, and what it means.

    `status` is the last HTTP status (None where none came). `reason` is a sentence for people.
    `gone` marks the two findings that need fewer strikes: 410, and a name that does not exist.
    `retry_at` is when the server asked to be looked at again.
    """

    at: str
    verdict: Verdict
    status: int | None = None
    final_url: str | None = None
    reason: str = ""
    gone: bool = False
    etag: str | None = None
    last_modified: str | None = None
    retry_at: str | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """The instant at which a link's standing changed, and to what."""

    at: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class Looks:
    """The whole state of a link's standing, as `advance` folds it from looks.

    `streak` counts broken looks in a row and `streak_since` is the first of them;
    `last_conclusive` is the last look that was alive, moved or broken; `due` is when to look
    again. `gone_streak` and `gone_since` count, of that streak, the looks since which each one
    said "gone".
    """

    standing: Standing = Standing.UNCHECKED
    verdict: Verdict | None = None
    status: int | None = None
    final_url: str | None = None
    reason: str = ""
    streak: int = 0
    streak_since: str | None = None
    first_seen: str | None = None
    last_checked: str | None = None
    last_conclusive: str | None = None
    last_alive: str | None = None
    due: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    archived_url: str | None = None
    transitions: tuple[Transition, ...] = ()
    gone_streak: int = 0
    gone_since: str | None = None

    @property
    def turns(self) -> tuple[Transition, ...]:
        """The transitions, without what only says again what stood: two machines that looked at a link
        each tell of a change, and the ledger that was merged keeps both."""
        told: list[Transition] = []
        for one in self.transitions:
            before = told[-1].standing if told else Standing.UNCHECKED
            # Nor does what is dead become suspect.
            if one.standing is not before and (before, one.standing) != (Standing.DEAD, Standing.SUSPECT):
                told.append(one)
        return tuple(told)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a linked page or its site's API said of itself. `published` is ISO, as precise as known.

    `extra` holds what only one source knows (stars, points, categories): plain JSON values.
    `now_title` is the page's title since `changed_at`, where that is no longer `title`.
    `was_text` are the first words of the text that was saved of it and `now_text` those of what
    it has said since `text_changed_at`, where that is another text; with no date, the person has
    taken the new one for what it is.
    """

    title: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None
    site: str | None = None
    description: str | None = None
    canonical: str | None = None
    language: str | None = None
    words: int | None = None
    fetched: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
    now_title: str | None = None
    changed_at: str | None = None
    was_text: str | None = None
    now_text: str | None = None
    text_changed_at: str | None = None

    @property
    def source(self) -> str:
        """Who told them: the name of a site's API, or `page` for the page itself."""
        return str(self.extra.get("source", "page"))

    @property
    def drifted(self) -> bool:
        """Whether the page is no longer what was recorded of it: its title, or its text."""
        return self.now_title is not None or self.text_changed_at is not None


@dataclass(frozen=True, slots=True)
class Person:
    """What the person said of a link: leave it out, or "I looked, it lives"; and when."""

    ignored: bool = False
    alive_at: str | None = None
    said_at: str | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a link stands: `url` is the href as written, `span` its bytes.

    `meant` is the address it means, where Markdown's escapes or entities make the two differ.
    """

    path: str
    line: int
    url: str
    anchor: str
    date: When | None
    noted: When | None
    span: Span
    private: bool = False
    meant: str | None = None

    @property
    def address(self) -> str:
        """What to ask for, and where to lead."""
        return self.meant or self.url


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """All that is known of a link. `mentions` are in order of path and place.

    `aliases` are other keys that evidence (a redirect, a canonical link) showed to be the same.
    """

    key: Key
    kind: LinkKind
    host: str
    facts: Facts = Facts()
    looks: Looks = Looks()
    person: Person = Person()
    aliases: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = ()

    @property
    def url(self) -> str:
        """The first mention's href as written, or the key where nothing mentions it any more."""
        return self.mentions[0].url if self.mentions else str(self.key)

    @property
    def address(self) -> str:
        """What to ask for, and where to lead: the first mention's href once Markdown is undone."""
        return self.mentions[0].address if self.mentions else str(self.key)

    @property
    def standing(self) -> Standing:
        """Standing over time; the person's "ignore" comes first."""
        return Standing.IGNORED if self.person.ignored else self.looks.standing

    @property
    def private(self) -> bool:
        """Whether it stands in private notes only, so that no shared file may name it."""
        return bool(self.mentions) and all(mention.private for mention in self.mentions)


@dataclass(frozen=True, slots=True)
class Added:
    """A link added; or, with `known`, the place where it stands already, and nothing written.

    `bullet` is the line written, `text` the whole note where it is a new one. `paired` is where
    the article behind a thread stands already, or the threads about an article.
    """

    url: str
    path: str
    line: int
    title: str | None
    kind: LinkKind = LinkKind.OTHER
    bullet: str = ""
    text: str = ""
    known: Mention | None = None
    paired: tuple[Mention, ...] = ()
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Saved:
    """A page's text as it was at the instant `fetched`. `abstract` is a summary in its own words."""

    key: str
    url: str
    title: str
    fetched: str
    text: str = ""
    abstract: str = ""
    published: str | None = None
