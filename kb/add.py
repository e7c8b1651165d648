"""Add a link to a note: is it known, what is it called, one bullet, and the store told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from kb import around, urls
from kb.config import Settings
from kb.errors import NoteChanged, NoteExists, UsageError
from kb.model.clock import Clock
from kb.model.kinds import NoteKind
from kb.model.links import LIVES, Added, Facts, Key, LinkRecord, Mention
from kb.model.search import Filter
from kb.notes import edit
from kb.notes.files import read, write_atomic
from kb.notes.link_note import link_note, prose, tagged
from kb.notes.named import named_note
from kb.notes.parse import parse
from kb.notes.templates import filled
from kb.store import lock
from kb.store.store import Store
from kb.web.sources.base import Met

# Somebody's editor may save between our reading and our writing; then the note is read again.
ATTEMPTS = 5


LookAt = Callable[[str], Met]
"""One look at an address, and what the page and its site say of it where it is alive."""

Keep = Callable[[Key, Met], None]
"""Records such a look for a link that the store knows."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How a link is to be added: to a note (today's, if none is named) or, `new_note`, as one of its own."""

    note: str | None = None
    comment: str = ""
    quote: str = ""
    tags: tuple[str, ...] = ()
    new_note: bool = False
    dry_run: bool = False


def add_link(
    store: Store,
    settings: Settings,
    clock: Clock,
    url: str,
    *,
    look_at: LookAt,
    reread: Callable[[], object],
    keep: Keep,
    wish: Wish,
) -> Added:
    """Add `url` to a note unless the notes hold it, under this spelling or another.

    The store must be fresh; `reread` brings it up to date after the note was written. A page out
    of reach is added all the same, with a warning. UsageError for what is no web address,
    UnknownNote for a note that is not there, NoteError where it cannot be written.
    """
    url = web_address(url)
    path = note_path(settings.notes, wish.note, clock.today())
    known = known_link(store, [urls.key(url)])
    if known is None:
        met = look_at(url)
        same = [urls.key(other) for other in _shown(met) if urls.may_be_same(other, url)]
        known = known_link(store, same)
        if known is not None and not wish.dry_run:
            store.add_alias(urls.key(url).key, known.key)
    if known is not None:
        place = known.mentions[0]
        title = known.facts.title or place.anchor
        return Added(url, place.path, place.line, title, known.kind, known=place)
    added = replace(
        _planned(url, met, wish, path, clock.today()), paired=_paired(store, [urls.key(url), *same], met)
    )
    if wish.dry_run:
        return added
    with lock.hold(settings.derived / "notes.lock"):
        if wish.new_note:
            write_atomic(settings.notes / added.path, added.text.encode(), expected=None, root=settings.notes)
        else:
            append(settings.notes, path, added.bullet, clock.today())
    reread()
    record = store.link(urls.key(url))
    if record is None:
        return added
    for alias in same:
        store.add_alias(alias.key, record.key)
    if met.look.status is not None:  # where nothing answered, the network may be away
        keep(record.key, met)
    line = max((place.line for place in record.mentions if place.path == added.path), default=0)
    return replace(added, line=line)


def _paired(store: Store, keys: list[Key], met: Met) -> tuple[Mention, ...]:
    """Where the other half stands: the article of a thread, the threads about an article."""
    article = met.facts.extra.get("article") if met.facts else None
    if isinstance(article, str):
        behind = known_link(store, [urls.key(article)])
        return behind.mentions[:1] if behind else ()
    about = [
        link
        for link in store.links(Filter(hosts=("news.ycombinator.com",)))
        if isinstance(named := link.facts.extra.get("article"), str) and urls.key(named) in keys
    ]
    return tuple(link.mentions[0] for link in about)


def _planned(url: str, met: Met, wish: Wish, path: str, today: str) -> Added:
    """What is to be written, and where."""
    title = met.facts.title if met.facts else None
    kind = urls.link_kind(url)
    if met.reading.kind is not None:
        kind = met.reading.kind
    warning = _warning(url, met)
    if wish.new_note:
        named = title or urls.host(url) or url
        name = f"{today[:4]}/{today}-{_slug(named)}.md"
        facts = met.facts or Facts()
        text = link_note(
            named, url, kind, facts, today, tags=wish.tags, comment=wish.comment, quote=wish.quote
        )
        return Added(url, name, 0, title, kind, edit.bullet(named, url, wish.comment), text, warning=warning)
    said = " ".join(filter(None, [wish.comment, f"“{prose(wish.quote)}”" if wish.quote else ""]))
    line = tagged(edit.bullet(title or "", url, said), wish.tags)
    return Added(url, path, 0, title, kind, line, warning=warning)


def addresses(text: str) -> list[str]:
    """The web addresses in a text, in order, once each: its links, else its lines as they stand."""
    found = [
        link.url for link in parse("text.md", text.encode("utf-8", "replace")).links if urls.is_web(link.url)
    ]
    return list(dict.fromkeys(found or [line.strip() for line in text.splitlines() if line.strip()]))


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


def sorted_out(texts: Iterable[str]) -> tuple[list[str], list[UsageError]]:
    """The web addresses among texts, in order and once each; and what is wrong with each of the others."""
    good: list[str] = []
    bad: list[UsageError] = []
    for text in dict.fromkeys(texts):
        try:
            good.append(web_address(text))
        except UsageError as error:
            bad.append(error)
    return list(dict.fromkeys(good)), bad


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
    UnknownNote if it is none.
    """
    if given is None:
        return today_path(today)
    return named_note(
        notes, given, Path.cwd(), otherwise=f'kb new "{PurePosixPath(given).stem}"   starts one'
    )


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


def start_note(
    notes: Path, title: str, kind: NoteKind, tags: tuple[str, ...], today: str, template: Template
) -> str:
    """Write a new note called `title`, dated today; its path. NoteExists if one of that name stands.

    UsageError for a template that makes no such note.
    """
    path, text = plan_note(notes, title, kind, tags, today, template)
    write_atomic(notes / path, text.encode("utf-8", "replace"), expected=None, root=notes)
    return path


def plan_note(
    notes: Path, title: str, kind: NoteKind, tags: tuple[str, ...], today: str, template: Template
) -> tuple[str, str]:
    """The path and the text of the note that `start_note` writes; nothing is written. It raises the same."""
    path = f"{today[:4]}/{today}-{_slug(title)}.md"
    text = filled(template.name, template.text, title, kind, tags, today)
    if (notes / path).exists():
        raise NoteExists(f"{notes / path}: a file of this name is there already; nothing was written")
    return path, text


class Template(NamedTuple):
    """A template's text, and its name for people."""

    name: str
    text: str


def template_of(root: Path, kind: NoteKind) -> Template:
    """The notebook's template for a kind (`templates/KIND.md`, else `.templates/KIND.md`), else kb's own."""
    for folder in ("templates", ".templates"):
        path = root / folder / f"{kind}.md"
        try:
            return Template(f"{folder}/{kind}.md", path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path}: cannot be read as a template ({error})") from None
    return Template(f"{kind}.md", around.template(f"templates/{kind}.md"))


def _slug(title: str) -> str:
    words = "".join(char if char.isalnum() else " " for char in title.lower()).split()
    return "-".join(words)[:60].strip("-") or "note"


def _shown(met: Met) -> list[str]:
    """Addresses that the look showed for the page: where it redirected to, its canonical link."""
    if met.look.verdict not in LIVES:
        return []
    canonical = met.facts.canonical if met.facts else None
    return [url for url in (met.look.final_url, canonical, met.reading.moved_to) if url]


def _warning(url: str, met: Met) -> str:
    shown = urls.safe_display(url)
    if met.look.verdict not in LIVES and met.facts is None:
        return f"{shown}: {met.look.reason}; saved all the same, its title is still to come"
    if met.facts is None:
        return f"{shown}: {met.reading.lacking or 'the page names no title'}"
    return f"{shown}: could not get all of it ({met.reading.lacking})" if met.reading.lacking else ""
