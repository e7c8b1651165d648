"""Add a link to a note: is it known, what is it called, one bullet, and the store told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from kb import urls
from kb.errors import NoteChanged, UnknownNote, UsageError
from kb.model import Facts, Key, LinkRecord, Look, Mention, NoteKind, Verdict
from kb.notes import edit
from kb.notes.files import read, write_atomic
from kb.store.store import Store

# Somebody's editor may save between our reading and our writing; then the note is read again.
ATTEMPTS = 5

# What a look at the new link brings: the look itself, and what the page said where it is alive.
LookAt = Callable[[str], Awaitable[tuple[Look, Facts | None]]]


@dataclass(frozen=True, slots=True)
class Added:
    """A link added, or the place where it stands already (`known`, then nothing was written)."""

    url: str
    key: Key
    path: str
    line: int
    title: str | None
    bullet: str
    known: Mention | None = None
    look: Look | None = None
    facts: Facts | None = None
    warning: str = ""


def normalised(url: str) -> str:
    """The URL as typed, with `https://` where a bare host was typed. UsageError if it is no web address."""
    url = url.strip()
    if "://" not in url and urls.is_web(f"https://{url}") and "." in urls.host(f"https://{url}"):
        url = f"https://{url}"
    if not urls.is_web(url) or any(char.isspace() for char in url):
        raise UsageError(f"{url!r} is no web address", hint="addresses begin with http:// or https://")
    return url


def known_link(store: Store, url: str) -> LinkRecord | None:
    """The link as the notes hold it, under this spelling or another; the fragment counts only where both have one."""
    key = urls.key(url)
    for candidate in (key, Key(key.key)):
        record = store.link(candidate)
        if record is not None and record.mentions:
            return record
    return None


def today_path(today: str) -> str:
    """Where today's note stands: `YYYY/YYYY-MM-DD.md`."""
    return f"{today[:4]}/{today}.md"


def note_path(notes: Path, named: str | None, today: str) -> str:
    """The note to append to, relative to the notes folder. UnknownNote if the named one is not there."""
    if named is None:
        return today_path(today)
    for base in (Path.cwd(), notes):
        candidate = (base / named).absolute()
        for path in (candidate, candidate.with_name(candidate.name + ".md")):
            if path.is_file() and path.resolve().is_relative_to(notes.resolve()):
                return path.resolve().relative_to(notes.resolve()).as_posix()
    raise UnknownNote(
        f"{named}: no such note in {notes}", hint=f"kb new {PurePosixPath(named).stem!r}   makes one"
    )


def already(record: LinkRecord, url: str) -> Added:
    """The answer for a link that the notes hold."""
    place = record.mentions[0]
    return Added(url, record.key, place.path, place.line, record.facts.title or place.anchor, "", known=place)


def append(notes: Path, path: str, bullet: str, today: str) -> int:
    """Append a bullet to a note, making today's note if it is missing; the line it landed on."""
    for attempt in range(1, ATTEMPTS + 1):
        old = read(notes, path) if (notes / path).exists() else None
        start = old if old is not None else edit.new_note(today, today, NoteKind.NOTE).encode()
        new = edit.append_bullet(start, bullet)
        try:
            write_atomic(notes / path, new, expected=old)
        except NoteChanged:
            if attempt == ATTEMPTS:
                raise
        else:
            return len(new.rstrip(b"\r\n").splitlines())
    raise AssertionError("unreachable")


def plan(url: str, path: str, look: Look, facts: Facts | None, comment: str) -> Added:
    """The bullet for a link that is new, with a warning where its title is still to come."""
    title = facts.title if facts else None
    warning = ""
    if look.verdict not in (Verdict.ALIVE, Verdict.MOVED):
        warning = f"{urls.safe_display(url)}: {look.reason}; saved all the same, its title is still to come"
    elif not title:
        warning = f"{urls.safe_display(url)}: the page names no title"
    return Added(
        url, urls.key(url), path, 0, title, edit.bullet(title, url, comment), look=look, facts=facts, warning=warning
    )


def landed(added: Added, line: int) -> Added:
    """The same, now that its line is known."""
    return replace(added, line=line)
