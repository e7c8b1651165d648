"""Fetched titles into notes that hold bare addresses: planned as edits, shown as a diff, then written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kb import urls
from kb.config import Settings
from kb.errors import UnknownNote
from kb.model.links import Key
from kb.model.search import Filter
from kb.notes.diffs import diff
from kb.notes.files import read, write_atomic
from kb.notes.titles import with_titles
from kb.store import lock
from kb.store.store import Store


@dataclass(frozen=True, slots=True)
class TitleEdit:
    """A note as it is and as it is to be."""

    path: str
    before: bytes
    after: bytes

    @property
    def diff(self) -> str:
        """The change, as a unified diff."""
        return diff(self.path, self.before, self.after)


def plan_titles(store: Store, notes: Path, filter: Filter) -> list[TitleEdit]:
    """One edit for each note in which a bare address has a title by now, in order of path."""
    titles: dict[Key, str] = {}
    paths: set[str] = set()
    for part in store.link_parts(filter):
        for link in part:
            if link.facts.title:
                titles[link.key] = link.facts.title
                paths.update(place.path for place in link.mentions)
    edits = []
    for path in sorted(paths):
        try:
            before = read(notes, path)
        except (UnknownNote, OSError):
            continue
        after = with_titles(before, lambda url: titles.get(urls.key(url)))
        if after != before:
            edits.append(TitleEdit(path, before, after))
    return edits


def apply_titles(settings: Settings, edits: list[TitleEdit]) -> None:
    """Write the edits. NoteChanged, that note untouched, where one is no longer as it was read."""
    with lock.hold(settings.derived / "notes.lock"):
        for one in edits:
            write_atomic(settings.notes / one.path, one.after, expected=one.before, root=settings.notes)
