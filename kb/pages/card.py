"""What a page tells of a note."""

from __future__ import annotations

from dataclasses import dataclass

from kb.model.dates import When
from kb.model.kinds import NoteKind


@dataclass(frozen=True, slots=True)
class Card:
    """A note as listings show it: its path from the notes folder, and its own words."""

    path: str
    title: str
    kind: NoteKind
    noted: When | None
    tags: tuple[str, ...] = ()
    description: str | None = None


KIND_WORDS: dict[NoteKind, tuple[str, str]] = {
    NoteKind.NOTE: ("note", "notes"),
    NoteKind.TUTORIAL: ("tutorial", "tutorials"),
    NoteKind.PAPER: ("paper", "papers"),
    NoteKind.HN_THREAD: ("HN thread", "HN threads"),
    NoteKind.GLOSSARY: ("glossary", "glossaries"),
}


def newest_first(card: Card) -> tuple[bool, int, str]:
    """Sort key: by date, latest first, undated last; then by path."""
    ordinal = int(card.noted.latest.replace("-", "")) if card.noted else 0
    return (card.noted is None, -ordinal, card.path)
