"""A note and what stands in it: passages, the links written there, glossary terms."""

from __future__ import annotations

from enum import StrEnum

from kb.model.dates import When
from kb.model.kinds import NoteKind
from kb.model.reports import Problem
from kb.values import dataclass


class PassageKind(StrEnum):
    """What a passage is in the structure of its note."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    BULLET = "bullet"
    QUOTE = "quote"
    ROW = "row"
    CODE = "code"
    DEFINITION = "definition"


class LinkForm(StrEnum):
    """How a link is written in Markdown."""

    INLINE = "inline"
    REFERENCE = "reference"
    AUTOLINK = "autolink"
    BARE = "bare"
    HTML = "html"
    IMAGE = "image"
    WIKILINK = "wikilink"


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
class Shown:
    """A note as it lies: `lines` are its text without line ends, as hits and links count them."""

    path: str
    title: str
    kind: NoteKind
    noted: When | None
    tags: tuple[str, ...]
    lines: tuple[str, ...]


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
