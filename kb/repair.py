"""Mend links in the notes: what moved for good gets its target, what died the archived copy of its day.

Planned as edits of bytes and shown as a diff; written only when asked, each note whole or not at
all, and no byte but those of the addresses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from kb import urls
from kb.config import Settings
from kb.errors import NoteError, UnknownNote
from kb.instants import days_between
from kb.model.clock import Clock
from kb.model.dates import When
from kb.model.kinds import Standing
from kb.model.links import LinkRecord, Mention, Verdict
from kb.model.notes import Span
from kb.model.reports import Problem, Severity
from kb.model.search import Filter
from kb.notes import edit
from kb.notes.diffs import diff
from kb.notes.files import read
from kb.store.store import Store
from kb.web import landing, wayback
from kb.web.fetch import Fetcher
from kb.web.fetch.network import connected
from kb.web.ignore import with_ignored

Progress = Callable[[int, int], None]

#: Days out of reach after which a page is offered its archived copy.
OUT_OF_REACH_DAYS: Final = 90
_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Change:
    """One address to be rewritten: where it stands, what becomes of it, and why."""

    path: str
    line: int
    span: Span
    old: str
    new: str
    why: str


@dataclass(frozen=True, slots=True)
class NoteEdit:
    """All changes of one note, as bytes before and after."""

    path: str
    changes: tuple[Change, ...]
    before: bytes
    after: bytes

    @property
    def diff(self) -> str:
        """A unified diff that `git apply` and `patch -p1` take, in the notes folder."""
        return diff(self.path, self.before, self.after)


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """What would be rewritten. `lost` are links that are dead and have no copy; `silent` counts
    those for which the archive gave no answer; `problems` are notes that could not be edited."""

    edits: tuple[NoteEdit, ...] = ()
    lost: tuple[LinkRecord, ...] = ()
    silent: int = 0
    problems: tuple[Problem, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every change, note by note."""
        return tuple(change for one in self.edits for change in one.changes)


# -- what to mend ----------------------------------------------------------------------------------


def target(link: LinkRecord) -> str | None:
    """Where a link moved for good; None where it did not, or to nothing that could stand for it.

    A home page, a login and a page of consent stand for anything and nothing.
    """
    final = link.looks.final_url
    if link.looks.verdict is not Verdict.MOVED or link.standing is not Standing.MOVED or not final:
        return None
    stands_for_nothing = landing.leads_to_home(link.address, final) or landing.leads_to_wall(
        link.address, final
    )
    return None if stands_for_nothing or not urls.is_web(final) else final


def is_lost(link: LinkRecord, now: str) -> bool:
    """Whether a link is dead, or has been out of reach for so long that it may as well be."""
    if wayback.is_copy(link.address):
        return False
    if link.standing is Standing.DEAD:
        return True
    since = link.looks.last_conclusive or link.looks.first_seen
    out_of_reach = link.standing is Standing.UNKNOWN and link.looks.verdict is Verdict.UNREACHABLE
    return out_of_reach and since is not None and days_between(since, now) >= OUT_OF_REACH_DAYS


def moved(link: LinkRecord) -> list[Change]:
    """The changes that a link's move asks for, one a mention; the place within the page is kept."""
    final = target(link)
    if final is None:
        return []
    why = f"{link.looks.reason}, seen {(link.looks.last_checked or '')[:10]}".removesuffix(", seen ")
    return [
        _change(place, final + ("" if "#" in final else _fragment(place.url)), why)
        for place in link.mentions
        # Another spelling of the same page (a PDF, say) was not asked for.
        if urls.canonical(place.url) == urls.canonical(link.url) and urls.credentials(place.url) is None
    ]


def _fragment(url: str) -> str:
    _, hash, fragment = url.partition("#")
    return hash + fragment


def _change(place: Mention, new: str, why: str) -> Change:
    return Change(place.path, place.line, place.span, place.url, new, why)


# -- the archive -----------------------------------------------------------------------------------


async def copies(
    links: Iterable[LinkRecord], fetcher: Fetcher, base: str, progress: Progress | None
) -> dict[tuple[str, str], wayback.Snapshot | None]:
    """The copy of each address nearest to the day of each note that mentions it, by (address, day).

    Without an entry: the archive did not answer.
    """
    wanted = {(place.address, _day(place)): place.noted for link in links for place in link.mentions}
    found: dict[tuple[str, str], wayback.Snapshot | None] = {}
    room = asyncio.Semaphore(_AT_ONCE)
    done = 0

    async def ask(key: tuple[str, str], when: When | None) -> None:
        nonlocal done
        async with room:
            with suppress(ConnectionError):
                found[key] = await wayback.nearest(fetcher, key[0], when, base=base)
            done += 1
            if progress is not None:
                progress(done, len(wanted))

    await asyncio.gather(*(ask(key, when) for key, when in wanted.items()))
    return found


def _day(place: Mention) -> str:
    return place.noted.earliest if place.noted else ""


def archived(
    link: LinkRecord, found: dict[tuple[str, str], wayback.Snapshot | None]
) -> tuple[list[Change], bool]:
    """The changes to archived copies, and whether the archive answered for every mention."""
    changes = []
    answered = True
    for place in link.mentions:
        key = (place.address, _day(place))
        copy = found.get(key)
        answered &= key in found
        if copy is None and link.looks.archived_url:
            copy = wayback.Snapshot(link.looks.archived_url, "")
        if copy is not None and urls.credentials(place.url) is None:
            of_day = f" of {copy.day}" if copy.day else ""
            changes.append(_change(place, copy.url, f"{link.looks.reason}: the archived copy{of_day}"))
    return changes, answered


# -- the stage -------------------------------------------------------------------------------------


def plan_repair(
    store: Store,
    settings: Settings,
    clock: Clock,
    filter: Filter,
    *,
    fetcher: Fetcher | None = None,
    base: str = wayback.AVAILABLE,
    progress: Progress | None = None,
) -> RepairPlan:
    """What to rewrite in the notes that `filter` leaves; nothing is written.

    Only the mentions that the filter names are changed. The store must be fresh.
    """
    links = (
        replace(link, mentions=tuple(place for place in link.mentions if _within(place.path, filter.paths)))
        for part in store.link_parts(filter)
        for link in with_ignored(part, settings["links.ignore"])
        if link.standing is not Standing.IGNORED and urls.is_web(link.address)
    )
    changes: list[Change] = []
    dead: list[LinkRecord] = []
    now = clock.now()
    for link in links:
        changes += moved(link)
        if is_lost(link, now):
            dead.append(link)

    async def ask() -> dict[tuple[str, str], wayback.Snapshot | None]:
        async with connected(fetcher, settings) as network:
            return await copies(dead, network, base, progress)

    lost, silent = [], 0
    found = asyncio.run(ask()) if dead else {}
    for link in dead:
        copied, answered = archived(link, found)
        changes += copied
        silent += not answered and not copied
        if answered and not copied:
            lost.append(link)
    edits, problems = _edits(settings.notes, changes)
    return RepairPlan(tuple(edits), tuple(lost), silent, tuple(problems))


def _within(path: str, folders: tuple[str, ...]) -> bool:
    stripped = [folder.strip("/") for folder in folders]
    return not stripped or any(
        folder in ("", ".") or path == folder or path.startswith(folder + "/") for folder in stripped
    )


def _edits(notes: Path, changes: Iterable[Change]) -> tuple[list[NoteEdit], list[Problem]]:
    by_note: dict[str, list[Change]] = {}
    for change in changes:
        by_note.setdefault(change.path, []).append(change)
    edits, problems = [], []
    for path, wanted in sorted(by_note.items()):
        try:
            before = after = read(notes, path)
        except (UnknownNote, OSError) as error:
            problems.append(Problem(path, 1, Severity.ERROR, str(error), ""))
            continue
        made = []
        # From the end on, so that no change moves the place of another.
        for change in sorted(wanted, key=lambda one: one.span.start, reverse=True):
            try:
                after = edit.replace_url(after, change.span, change.old, change.new)
            except NoteError as error:
                problems.append(Problem(path, change.line, Severity.WARNING, str(error), error.hint))
            else:
                made.append(change)
        if made:
            edits.append(NoteEdit(path, tuple(reversed(made)), before, after))
    return edits, problems


# -- copies of new links ---------------------------------------------------------------------------

_SAVE_SECONDS: Final = 60.0


def keep_copy(
    store: Store,
    settings: Settings,
    url: str,
    *,
    fetcher: Fetcher | None = None,
    base: str = wayback.SAVE,
) -> str:
    """Ask the archive for a copy of a link that was just added, and remember where it is.

    Says in words what went wrong; '' where nothing did. Private addresses are never told.
    """
    link = store.link(urls.key(url))
    if link is None or link.private or urls.credentials(url) is not None:
        return ""

    async def ask() -> wayback.Snapshot | None:
        async with connected(fetcher, settings, seconds=_SAVE_SECONDS) as network:
            return await wayback.save(network, url, base=base)

    copy = asyncio.run(ask())
    if copy is None:
        return f"{urls.safe_display(url)}: the archive made no copy"
    store.save_look(link.key, None, replace(link.looks, archived_url=copy.url))
    return ""
