"""Add a link to a note: is it known, what is it called, one bullet, and the store told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from kb import urls
from kb.config import Settings
from kb.errors import NoteChanged, NoteExists, UnknownNote, UsageError
from kb.model import Clock, Facts, Key, LinkRecord, Look, Mention, NoteKind, Verdict
from kb.notes import edit
from kb.notes.files import read, write_atomic
from kb.notes.named import named
from kb.store import lock
from kb.store.store import Store

# Somebody's editor may save between our reading and our writing; then the note is read again.
ATTEMPTS = 5

_ALIVE = (Verdict.ALIVE, Verdict.MOVED)

LookAt = Callable[[str], tuple[Look, Facts | None]]
"""One look at an address, and what the page said of itself where it is alive."""

Keep = Callable[[Key, Look, Facts | None], None]
"""Records such a look for a link that the store knows."""


@dataclass(frozen=True, slots=True)
class Added:
    """A link added; or, with `known`, the place where it stands already, and nothing written."""

    url: str
    path: str
    line: int
    title: str | None
    bullet: str = ""
    known: Mention | None = None
    warning: str = ""


def add_link(
    store: Store,
    settings: Settings,
    clock: Clock,
    url: str,
    *,
    look_at: LookAt,
    reread: Callable[[], object],
    keep: Keep,
    note: str | None = None,
    comment: str = "",
    dry_run: bool = False,
) -> Added:
    """Append `url` to a note unless the notes hold it, under this spelling or another.

    The store must be fresh; `reread` brings it up to date after the note was written. A page out
    of reach is added all the same, with a warning. UsageError for what is no web address,
    UnknownNote for a note that is not there, NoteError where it cannot be written.
    """
    url = web_address(url)
    path = note_path(settings.notes, note, clock.today())
    known = known_link(store, [urls.key(url)])
    if known is None:
        look, facts = look_at(url)
        same = [urls.key(other) for other in _shown(look, facts) if urls.may_be_same(other, url)]
        known = known_link(store, same)
        if known is not None and not dry_run:
            store.add_alias(urls.key(url).key, known.key)
    if known is not None:
        place = known.mentions[0]
        return Added(url, place.path, place.line, known.facts.title or place.anchor, known=place)
    title = facts.title if facts else None
    added = Added(
        url, path, 0, title, edit.bullet(title or "", url, comment), warning=_warning(url, look, title)
    )
    if dry_run:
        return added
    with lock.hold(settings.derived / "notes.lock"):
        append(settings.notes, path, added.bullet, clock.today())
    reread()
    record = store.link(urls.key(url))
    if record is None:
        return added
    for alias in same:
        store.add_alias(alias.key, record.key)
    if look.status is not None:  # where nothing answered, the network may be away
        keep(record.key, look, facts)
    line = max((place.line for place in record.mentions if place.path == path), default=0)
    return replace(added, line=line)


def web_address(text: str) -> str:
    """The address as typed, with `https://` where a bare host was typed. UsageError if it is none."""
    url = text.strip()
    begin, query, rest = url.partition("?")
    # As browsers do: a backslash before the query is a slash, and so one key is one spelling.
    url = begin.replace("\\", "/") + query + rest
    login = "@" in begin.partition("/")[0]  # an e-mail address, not a page
    if "://" not in url and not login and "." in urls.host(f"https://{url}"):
        url = f"https://{url}"
    if not urls.is_web(url) or any(char.isspace() or ord(char) < 32 for char in url):
        raise UsageError(f"{text!r} is no web address", hint="addresses begin with http:// or https://")
    return url


def known_link(store: Store, keys: list[Key]) -> LinkRecord | None:
    """The first of these links that some note mentions."""
    for key in keys:
        record = store.link(key)
        if record is not None and record.mentions:
            return record
    return None


def today_path(today: str) -> str:
    """Where the note of a day stands: `YYYY/YYYY-MM-DD.md`."""
    return f"{today[:4]}/{today}.md"


def note_path(notes: Path, given: str | None, today: str) -> str:
    """The note meant by a path, relative to the notes folder; today's if none is named.

    A path may be relative to the current folder or to the notes, with or without `.md`.
    UnknownNote if no note stands there.
    """
    if given is None:
        return today_path(today)
    path = named(notes, given, Path.cwd())
    if path is None or (notes / path).is_dir():
        raise UnknownNote(
            f"{given}: no such note in {notes}", hint=f'kb new "{PurePosixPath(given).stem}"   starts one'
        )
    return path


def append(notes: Path, path: str, bullet: str, today: str) -> None:
    """Append a bullet to a note, which is made, dated today, if it is missing.

    NoteChanged if it changes under every attempt, NoteUnwritable if it cannot be written.
    """
    for attempt in range(1, ATTEMPTS + 1):
        old = read(notes, path) if (notes / path).exists() else None
        start = old if old is not None else edit.new_note(today, today, NoteKind.NOTE).encode()
        try:
            write_atomic(notes / path, edit.append_bullet(start, bullet), expected=old, root=notes)
        except (NoteChanged, NoteExists):
            if attempt == ATTEMPTS:
                raise
        else:
            return


def start_note(notes: Path, title: str, kind: NoteKind, tags: tuple[str, ...], today: str) -> str:
    """Write a new note called `title`, dated today; its path. NoteExists if one of that name stands."""
    path = f"{today[:4]}/{today}-{_slug(title)}.md"
    text = edit.new_note(title, today, kind, tags) + f"# {edit.escape(' '.join(title.split()))}\n\n"
    write_atomic(notes / path, text.encode(), expected=None, root=notes)
    return path


def _slug(title: str) -> str:
    words = "".join(char if char.isalnum() else " " for char in title.lower()).split()
    return "-".join(words)[:60].strip("-") or "note"


def _shown(look: Look, facts: Facts | None) -> list[str]:
    """Addresses that the look showed for the page: where it redirected to, its canonical link."""
    if look.verdict not in _ALIVE:
        return []
    return [url for url in (look.final_url, facts.canonical if facts else None) if url]


def _warning(url: str, look: Look, title: str | None) -> str:
    shown = urls.safe_display(url)
    if look.verdict not in _ALIVE:
        return f"{shown}: {look.reason}; saved all the same, its title is still to come"
    return "" if title else f"{shown}: the page names no title"
