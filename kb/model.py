"""The values that travel through kb: frozen, typed, free of IO.

Everything a stage hands to the next is defined here, so that the rooms need not know each
other. Spans are half-open byte ranges of the file as it lies on disk (its UTF-8 bytes, a BOM
included); lines count from 1; paths are POSIX and relative to the notes folder unless said
otherwise; instants are ISO 8601 in UTC to the second (`2026-11-24T12:00:00Z`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from kb.places import Places

from kb.values import dataclass, field


class NoteKind(StrEnum):
    """What a note is."""

    NOTE = "note"
    TUTORIAL = "tutorial"
    PAPER = "paper"
    HN_THREAD = "hn-thread"
    GLOSSARY = "glossary"


class LinkKind(StrEnum):
    """What a link leads to: told by its address, then its anchor's words, then fetched facts."""

    PAPER = "paper"
    HN_THREAD = "hn-thread"
    HN_COMMENT = "hn-comment"
    HN_USER = "hn-user"
    REPO = "repo"
    VIDEO = "video"
    CHANNEL = "channel"
    ENCYCLOPEDIA = "encyclopedia"
    BLOG = "blog"
    INTERNAL = "internal"
    OTHER = "other"


def settled_kind(now: LinkKind, told: LinkKind | None) -> LinkKind:
    """The kind of a link once its source has spoken: an address cannot tell a comment from a thread."""
    threads = (LinkKind.HN_THREAD, LinkKind.HN_COMMENT)
    if told is None or (now is not LinkKind.OTHER and not (now in threads and told in threads)):
        return now
    return told


class LinkForm(StrEnum):
    """How a link is written in Markdown."""

    INLINE = "inline"
    REFERENCE = "reference"
    AUTOLINK = "autolink"
    BARE = "bare"
    HTML = "html"
    IMAGE = "image"
    WIKILINK = "wikilink"


class PassageKind(StrEnum):
    """What a passage is in the structure of its note."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    BULLET = "bullet"
    QUOTE = "quote"
    ROW = "row"
    CODE = "code"
    DEFINITION = "definition"


class Source(StrEnum):
    """Whose words a passage is: the person's note, or the saved text of a linked page."""

    NOTE = "note"
    PAGE = "page"


class Verdict(StrEnum):
    """What one look at a link said."""

    ALIVE = "alive"
    MOVED = "moved"
    BROKEN = "broken"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    SKIPPED = "skipped"


class Standing(StrEnum):
    """What all looks at a link say together, over time."""

    UNCHECKED = "unchecked"
    ALIVE = "alive"
    MOVED = "moved"
    SUSPECT = "suspect"
    DEAD = "dead"
    UNKNOWN = "unknown"
    IGNORED = "ignored"


class Severity(StrEnum):
    """An error costs part of a note; a warning only says what may surprise."""

    ERROR = "error"
    WARNING = "warning"


class Clock(Protocol):
    """The seam at which a fixed time stands in for the machine's."""

    def now(self) -> str:
        """This instant, ISO 8601 in UTC to the second."""

    def today(self) -> str:
        """The person's local date, `YYYY-MM-DD`."""


# -- dates -----------------------------------------------------------------------------------

_ISO_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?\Z")


@dataclass(frozen=True, slots=True, order=True)
class When:
    """A date with the precision known, or a range of two such dates.

    `first` and `last` are `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, and equal unless it is a range.
    """

    first: str
    last: str

    @classmethod
    def parse(cls, text: str) -> When:
        """Read `2023`, `2023-09`, `2023-09-01` or `first/last`. ValueError if it is none."""
        first, slash, last = text.partition("/")
        when = cls(first, last if slash else first)
        if when.earliest > when.latest:
            raise ValueError(f"a range that ends before it begins: {text!r}")
        return when

    def __str__(self) -> str:
        return self.first if self.first == self.last else f"{self.first}/{self.last}"

    @property
    def earliest(self) -> str:
        """The first day it may mean, `YYYY-MM-DD`."""
        return _bound(self.first, last=False)

    @property
    def latest(self) -> str:
        """The last day it may mean, `YYYY-MM-DD`."""
        return _bound(self.last, last=True)


@lru_cache(maxsize=4096)
def _bound(text: str, *, last: bool) -> str:
    match = _ISO_PARTIAL.match(text)
    if match is None:
        raise ValueError(f"not a date: {text!r}")
    year, month, day = (int(part) if part else None for part in match.groups())
    if not year or (month is not None and not 1 <= month <= 12):
        raise ValueError(f"not a date: {text!r}")
    month = month or (12 if last else 1)
    length = _days(year, month)
    if day is None:
        day = length if last else 1
    if not 1 <= day <= length:
        raise ValueError(f"not a date: {text!r}")
    return f"{year:04d}-{month:02d}-{day:02d}"


def _days(year: int, month: int) -> int:
    # The calendar module would say the same, and loads locales for it.
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


# -- notes -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open byte range in a note's file."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it stands in a note.

    `span` covers exactly the bytes of `href` in the file (for a reference link, those in its
    definition), so replacing the span's bytes rewrites the link and nothing else. `url` is what
    the href means once Markdown escapes and entities are undone; the two mostly agree.
    """

    line: int
    span: Span
    anchor: str
    href: str
    url: str
    form: LinkForm


@dataclass(frozen=True, slots=True)
class Passage:
    """The smallest piece that answers alone: a bullet, paragraph, quote, table row or code block.

    `text` is plain: Markdown's marks undone, links as their anchor text, bare URLs as written,
    the passage's own children apart. `heading` is the path of headings above it and `parents`
    the texts of the bullets it hangs under, both outermost first. `noted` is when it was
    written, `date` what it speaks of; both None where nothing tells.
    """

    kind: PassageKind
    line: int
    span: Span
    text: str
    heading: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    noted: When | None = None
    date: When | None = None
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """A glossary entry as a note gives it. `url` is the first link of its line, as written."""

    term: str
    expansion: str | None
    definition: str | None
    url: str | None
    line: int
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a note, where, and what to do about it."""

    path: str
    line: int
    severity: Severity
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note. `digest` is the blake2b-16 hex of its bytes.

    `noted` is the note's own date (front matter, then file name). `private` and `draft` come
    from front matter; a note under a `private/` folder is private too.
    """

    path: str
    title: str
    kind: NoteKind
    digest: str
    noted: When | None = None
    tags: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    description: str | None = None
    private: bool = False
    draft: bool = False
    passages: tuple[Passage, ...] = ()
    terms: tuple[Term, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def links(self) -> tuple[Link, ...]:
        """Every link of the note, in the order of its passages."""
        return tuple(link for passage in self.passages for link in passage.links)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What the encoder reads of one passage: its context, and the passage itself.

    Kept apart so that each window of a long body can repeat the (capped) context.
    """

    context: str
    body: str

    @property
    def text(self) -> str:
        """The whole, as one window reads it when it fits."""
        return f"{self.context}\n{self.body}" if self.context else self.body

    @property
    def digest(self) -> str:
        """blake2b-16 hex of the text: the key of its vectors, shared by equal passages."""
        digest: str = _blake2b()(self.text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return digest


@lru_cache(maxsize=1)
def _blake2b() -> Callable[..., Any]:
    from hashlib import blake2b  # 3 ms, which a search need not pay

    return blake2b


def excerpt(title: str, heading: Iterable[str], parents: Iterable[str], text: str) -> Excerpt:
    """Compose what the encoder reads: title and heading path on one line, then each parent.

    A heading that only repeats the title is left out.
    """
    places = [title] if title else []
    places += [part for part in heading if part and part != title]
    lines = [" > ".join(places)] if places else []
    lines += [parent for parent in parents if parent]
    return Excerpt("\n".join(lines), text)


# -- links over time -------------------------------------------------------------------------


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


# -- what a person asks and gets ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filter:
    """Narrows a search or a listing; an empty field does not narrow.

    `kinds` match the note's kind or the kind of a link in it; `since` and `until` are
    `YYYY-MM-DD` bounds that `noted` or `date` may overlap. `sources` tell the person's own
    words from saved pages, and narrow passages alone.
    """

    kinds: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    standings: tuple[Standing, ...] = ()
    paths: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    sources: tuple[Source, ...] = ()

    def __bool__(self) -> bool:
        return self != Filter()


@dataclass(frozen=True, slots=True)
class HitLink:
    """A link of a hit: href as written, fetched title or anchor, standing."""

    url: str
    title: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer to a search: the passage, where it stands, and its links.

    `path` is None for a passage of a saved page. `score` is the fused score, higher is better;
    `keyword_rank` and `semantic_rank` count from 1 and are None where that list lacks it.
    """

    path: str | None
    line: int
    text: str
    heading: tuple[str, ...]
    parents: tuple[str, ...]
    title: str
    date: When | None
    noted: When | None
    kind: NoteKind
    tags: tuple[str, ...]
    source: Source
    score: float
    links: tuple[HitLink, ...] = ()
    keyword_rank: int | None = None
    semantic_rank: int | None = None
    cosine: float | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """A place where a glossary term is used."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A glossary term with where it is defined and used."""

    term: Term
    path: str
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did. `pending` counts passages that still lack a vector; `notice` may say why."""

    added: int = 0
    changed: int = 0
    renamed: int = 0
    deleted: int = 0
    unchanged: int = 0
    passages: int = 0
    links: int = 0
    embedded: int = 0
    pending: int = 0
    problems: tuple[Problem, ...] = ()
    seconds: float = 0.0
    notice: str = ""

    @property
    def touched(self) -> int:
        """Notes whose rows were rewritten or removed."""
        return self.added + self.changed + self.renamed + self.deleted


# -- the site ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the site. `path` is relative to the notes folder and ends in `.md`.

    `markdown` is the whole page, its heading included, without front matter. `title`,
    `description` and `tags` are HTML text already: flattened to a line, entities encoded.
    `style` names the look of a page that kb makes itself (`home`, `links`...), or is `note`.
    `more` is HTML to stand below the rendered Markdown, made of encoded words alone: it is
    neither rendered, cleaned nor indexed. An address in it that begins with `kb:` is the path of
    a page. `noted` is the day a note was written, `YYYY-MM-DD`.
    """

    path: str
    title: str
    description: str
    markdown: str
    style: str
    tags: tuple[str, ...] = ()
    noted: str | None = None
    more: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """All that a door needs to carry the notebook to a site generator.

    `pages` holds kb's own pages and every note that may be seen, each ready to render: a note
    that is not among them is private, a draft, or unreadable, and must not be published.
    `nav` is (label, path) in order, or (label, entries) for a group. `assets` are (path, bytes).
    `clean` makes rendered HTML of a note safe to show (`trusted`: the person vouches for it, so it
    stays), and `clean_own` that of a page of kb's own.
    `finish` lays over a page's cleaned HTML what is known of its links and terms, and `finish_key`
    changes with that. `places` says which page an address or a wikilink means. `files` are what
    the pages show and link beside notes, relative to the notes folder: pictures, papers.
    """

    pages: tuple[Page, ...]
    nav: tuple[tuple[str, Any], ...]
    assets: tuple[tuple[str, bytes], ...]
    clean: Callable[[str], str]
    clean_own: Callable[[str], str]
    trusted: bool
    finish: Callable[[Page, str], str]
    finish_key: int
    places: Places
    files: tuple[str, ...] = ()
