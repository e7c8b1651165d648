"""The closed sets by which notes and links are told apart, and narrowed to."""

from __future__ import annotations

from enum import StrEnum


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


class Source(StrEnum):
    """Whose words a passage is: the person's note, or the saved text of a linked page."""

    NOTE = "note"
    PAGE = "page"


class Standing(StrEnum):
    """What all looks at a link say together, over time."""

    UNCHECKED = "unchecked"
    ALIVE = "alive"
    MOVED = "moved"
    SUSPECT = "suspect"
    DEAD = "dead"
    UNKNOWN = "unknown"
    IGNORED = "ignored"
