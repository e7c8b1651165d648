"""Fetched titles into notes that hold bare addresses: planned as edits and shown as a diff."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kb import urls
from kb.errors import UnknownNote
from kb.model.links import Key
from kb.model.reports import Problem
from kb.model.search import Filter
from kb.notes.diffs import diff
from kb.notes.files import read
from kb.notes.titles import with_titles
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


@dataclass(frozen=True, slots=True)
class TitlePlan:
    """What would be or was rewritten; `problems` are notes that could not be."""

    edits: tuple[TitleEdit, ...]
    problems: tuple[Problem, ...] = ()


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
