"""What changed lately: links added, died, revived, moved; notes written and changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from kb import urls
from kb.config import Settings
from kb.instants import local_day, spelled
from kb.model.kinds import Standing
from kb.model.links import LinkRecord, Transition
from kb.notes.walk import walk
from kb.store.notes import NoteRow
from kb.values import dataclass


class Change(StrEnum):
    """What happened to a link or a note."""

    ADDED = "added"
    DIED = "died"
    REVIVED = "revived"
    MOVED = "moved"
    FAILED = "failed"
    WRITTEN = "written"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Event:
    """One change. `at` is an instant, or a day where no more is known; `url` is empty for a note.

    `day` is that on which it fell where the person is, as they name days in notes and options.
    """

    at: str
    change: Change
    path: str
    line: int = 0
    title: str = ""
    url: str = ""

    @property
    def day(self) -> str:
        """The local day."""
        return local_day(self.at)


def lately(
    records: Iterable[LinkRecord], notes: Iterable[NoteRow], mtimes: dict[str, str], since: str
) -> list[Event]:
    """Everything since a day (`YYYY-MM-DD`), the newest first.

    A note is `written` on its own date, and `changed` when its file was, if on a later day.
    """
    web = (record for record in records if urls.is_web(record.address))
    found = [event for record in web for event in _of_link(record) if event.day >= since]
    found += [
        event for note in notes for event in _of_note(note, mtimes.get(note.path)) if event.day >= since
    ]
    return sorted(found, key=lambda event: (event.at, event.path, event.line), reverse=True)


def mtimes(settings: Settings) -> dict[str, str]:
    """When each note's file was changed, in UTC to the second, by path."""
    return {
        found.path: spelled(datetime.fromtimestamp(found.mtime_ns // 10**9, UTC))
        for found in walk(settings.notes).found
        if 0 <= found.mtime_ns < 253402300800 * 10**9  # beyond, the year has five digits
    }


def _of_link(record: LinkRecord) -> Iterator[Event]:
    place = record.mentions[0]
    title = record.facts.title or place.anchor

    def event(at: str, change: Change) -> Event:
        return Event(at, change, place.path, place.line, title, record.url)

    if record.looks.first_seen:
        yield event(record.looks.first_seen, Change.ADDED)
    for at, change in _turns(record.looks.turns):
        yield event(at, change)


def _turns(transitions: Sequence[Transition]) -> Iterator[tuple[str, Change]]:
    """Each change of standing that tells something; that a new link lives does not."""
    failed = False  # and what became unknown since has not been found alive either
    for one in transitions:
        if one.standing is Standing.DEAD:
            yield one.at, Change.DIED
        elif one.standing is Standing.MOVED:
            yield one.at, Change.MOVED
        elif one.standing is Standing.SUSPECT and not failed:
            yield one.at, Change.FAILED
        elif one.standing is Standing.ALIVE and failed:
            yield one.at, Change.REVIVED
        if one.standing is not Standing.UNKNOWN:
            failed = one.standing in (Standing.DEAD, Standing.SUSPECT)


def _of_note(note: NoteRow, changed: str | None) -> Iterator[Event]:
    day = note.noted.first if note.noted and len(note.noted.first) == 10 else None
    if day:
        yield Event(day, Change.WRITTEN, note.path, title=note.title)
    if changed and (day is None or local_day(changed) > day):
        yield Event(changed, Change.CHANGED, note.path, title=note.title)
