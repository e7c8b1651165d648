"""The site, from the store: plain values read out, handed to `pages`, and gathered for a door.

Only what may be seen leaves the store here: private notes and drafts give no page, no mention,
no term and no count.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files as resource_files
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from kb.config import Settings
from kb.errors import UnknownNote, UsageError
from kb.model.kinds import Standing
from kb.model.links import LinkRecord
from kb.model.notes import Entry, LinkForm
from kb.model.reports import Severity
from kb.model.site import Page, Site
from kb.notes.files import read
from kb.notes.source import read_source
from kb.pages import (
    glossary,
    graph,
    health,
    home,
    html,
    links,
    listing,
    menu,
    note,
    plainly,
    shelves,
    timeline,
)
from kb.pages.card import Card
from kb.pages.finish import Terms, marked, marks
from kb.pages.note import Backlink
from kb.pages.tame import tamed
from kb.places import Places, read_wikilink
from kb.store import saved
from kb.store.store import Store
from kb.web.ignore import with_ignored

_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif")
_HOMES = ("index.md", "README.md", "readme.md")

Related = Callable[[], Mapping[str, list[str]]]


@dataclass(frozen=True, slots=True)
class _Public:
    """What may be seen."""

    cards: dict[str, Card]
    sources: dict[str, str]
    records: list[LinkRecord]
    entries: list[Entry]
    places: Places


def publish(store: Store, settings: Settings, related: Related) -> Site:
    """The whole site as it stands in the store. Reads the notes' files; writes nothing.

    `related` tells which notes are near each other in meaning; it is asked once.
    """
    public = _public(store, settings)
    pointing = list(_backlinks(store, public))
    trusted = settings["site.trust_html"]
    known, terms = marks(public.records), Terms(public.entries)

    where = menu.places(public.cards)

    def finish(page: Page, text: str) -> str:
        if page.style == "note":
            text = marked(listing.linked_tags(text, where), known)
        return terms.explained(text)

    front = next((path for path in _HOMES if path in public.cards), None)
    own = _own_pages(public, settings, where, pointing, store)
    if front is None:
        front = _HOMES[0]
        own.insert(0, _home(front, settings, public, where))
    pages = tuple(map(_without_logins, (*_note_pages(public, pointing, related()), *own)))
    return Site(
        pages=pages,
        nav=menu.nav(front, where),
        assets=tuple(_assets()),
        clean=(lambda text: text) if trusted else html.clean,
        clean_own=html.clean,
        trusted=trusted,
        finish=finish,
        finish_key=hash((tuple(known.items()), tuple(public.entries), tuple(where.items()))),
        places=public.places,
        files=tuple(sorted(set(_files(store, public, settings.notes)))),
    )


# However it is spelled on a page: as written, or with its punctuation encoded.
_LOGIN = re.compile(
    r"((?:https?|ftp)(?::|&#58;)(?:/|&#47;){2})"
    r"(?:&#(?!(?:47|64|63|35);)\d+;|&(?!#)|[^\s/?#@&<>\"'`|\\\[\](){}])+(?:@|&#64;)",
    re.IGNORECASE,
)


def _without_logins(page: Page) -> Page:
    """The page without user names and passwords in the addresses on it: they are for the person alone."""
    shown = (page.title, page.description, page.markdown, page.more)
    title, description, markdown, more = (_LOGIN.sub(r"\1", text) for text in shown)
    return replace(page, title=title, description=description, markdown=markdown, more=more)


def _public(store: Store, settings: Settings) -> _Public:
    cards, sources, names = {}, {}, []
    for card, source, aliases in _notes(store, settings.notes):
        cards[card.path], sources[card.path] = card, source
        names.append((card.path, card.title, aliases))
    everyone = with_ignored(store.links(), settings["links.ignore"])
    records = [record for record in (_seen(one, cards) for one in everyone) if record]
    entries = [
        Entry(term, path, tuple(use for use in store.uses(term, private=False) if use.path in cards))
        for path, term in store.terms(private=False)
        if path in cards
    ]
    return _Public(cards, sources, records, entries, Places(names))


def _notes(store: Store, root: Path) -> Iterator[tuple[Card, str, tuple[str, ...]]]:
    """The notes that may be seen, each with its text and its other names."""
    broken = {problem.path for problem in store.problems() if problem.severity is Severity.ERROR}
    for row in store.notes(private=False):
        if row.private or row.draft or is_private_path(row.path):
            continue
        try:
            data = read(root, row.path)
        except (OSError, UnknownNote):
            continue  # gone since the sync; the next one will say so
        source = tamed(read_source(row.path, data).raw.decode("utf-8", "replace"))
        if note.is_withheld(source, broken=row.path in broken):
            continue
        about = row.description or note.first_words(source) or None
        yield Card(row.path, row.title, row.kind, row.noted, row.tags, about), source, row.aliases


def is_private_path(path: str) -> bool:
    """Whether a file lies under a `private/` folder."""
    return any(part.casefold() == "private" for part in PurePosixPath(path).parts[:-1])


def _seen(record: LinkRecord, cards: dict[str, Card]) -> LinkRecord | None:
    mentions = tuple(mention for mention in record.mentions if mention.path in cards and not mention.private)
    return replace(record, mentions=mentions) if mentions else None


def _backlinks(store: Store, public: _Public) -> Iterator[tuple[str, Backlink]]:
    """(path, what points to it) for every link between notes that may be seen, each passage once."""
    seen = set()
    for link in store.inner_links():
        if link.path not in public.cards:
            continue
        if link.form is LinkForm.WIKILINK:
            wiki = read_wikilink(link.url, link.anchor)
            target = public.places.named(link.path, wiki.name)
            anchor = wiki.words
        else:
            address = _address_path(link.url)
            target = public.places.at(link.path, address) if address else None
            anchor = link.anchor
        if target in public.cards and target != link.path and (target, link.path, link.text) not in seen:
            seen.add((target, link.path, link.text))
            yield target, Backlink(public.cards[link.path], anchor, link.text)


def _address_path(url: str) -> str:
    """The path of an address; empty where it cannot be read as one."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _files(store: Store, public: _Public, root: Path) -> Iterator[str]:
    """What notes that may be seen show or link beside notes: regular files below the notes folder."""
    inside = root.resolve()
    for note_path, url in store.local_addresses():
        address = unquote(_address_path(url))
        if note_path not in public.cards or not address or "\0" in address:
            continue
        base = "" if address.startswith("/") else posixpath.dirname(note_path)
        path = posixpath.normpath(posixpath.join(base, address.lstrip("/")))
        hidden = any(part.startswith(".") for part in path.split("/"))
        if hidden or is_private_path(path) or path.lower().endswith((".md", ".markdown")):
            continue
        real = root / path
        if real.is_file() and real.resolve().is_relative_to(inside):
            yield path


def _note_pages(
    public: _Public, pointing: Iterable[tuple[str, Backlink]], near: Mapping[str, list[str]]
) -> Iterator[Page]:
    by_target: dict[str, list[Backlink]] = {}
    for target, backlink in pointing:
        by_target.setdefault(target, []).append(backlink)
    for path, card in public.cards.items():
        related = [public.cards[one] for one in near.get(path, ()) if one in public.cards]
        yield note.page(card, public.sources[path], backlinks=by_target.get(path, ()), related=related)


def _home(front: str, settings: Settings, public: _Public, where: Mapping[str, str]) -> Page:
    title = str(settings["notebook.title"])
    return home.page(front, title, list(public.cards.values()), public.records, public.entries, where)


def _own_pages(
    public: _Public,
    settings: Settings,
    where: Mapping[str, str],
    pointing: Iterable[tuple[str, Backlink]],
    store: Store,
) -> list[Page]:
    cards, records, entries = public.cards, public.records, public.entries
    listed = {path: card for path, card in cards.items() if path not in _HOMES}
    spoken = (
        timeline.Moment(one.date, one.text, one.path, one.noted)
        for one in store.dated_passages()
        if one.path in cards
    )
    between = [(backlink.card.path, target) for target, backlink in pointing]
    return [
        listing.notes(where, list(listed.values())),
        *timeline.pages(where, listed, spoken),
        listing.tags(where, list(listed.values())),
        *links.pages(where, records, cards),
        *(shelves.page(shelf, where, listed, records) for shelf in shelves.SHELVES),
        health.page(where, records, cards, _kept_texts(settings, records)),
        glossary.page(where["glossary"], entries, cards),
        graph.page(where, listed, records, entries, between),
    ]


def _kept_texts(settings: Settings, records: Iterable[LinkRecord]) -> dict[str, str]:
    """The saved text of links that have died, by key."""
    died = (one for one in records if one.standing is Standing.DEAD and one.facts.extra.get("saved"))
    found = {one.key.key: saved.find((settings.saved,), one.key.key) for one in died}
    return {key: one.text or one.abstract for key, one in found.items() if one}


def _assets() -> Iterator[tuple[str, bytes]]:
    folder = resource_files("kb.pages") / "assets"
    for item in sorted(folder.iterdir(), key=lambda one: one.name):
        if item.is_file():
            yield f"assets/kb/{item.name}", item.read_bytes()


# -- plain Markdown ----------------------------------------------------------------------------

_LIST = ".kb-site.json"


def write_site(site: Site, notes: Path, folder: Path) -> int:
    """Write every page to `folder` as plain Markdown, with assets and the notes' pictures; how many pages.

    A list of what was written lies beside, so that the next time what is no longer made is
    removed and nothing else is touched. UsageError for a folder with files of another origin.
    """
    before = _written_before(folder)
    renamed = plainly.file_names([page.path for page in site.pages])
    files = {
        renamed.get(page.path, page.path): plainly.page(page, site.places, renamed).encode()
        for page in site.pages
    }
    files |= dict(site.assets)
    files |= dict(_pictures(notes, folder))
    for path in sorted(before - set(files)):
        _target(folder, path).unlink(missing_ok=True)
    for path, data in files.items():
        target = _target(folder, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    _target(folder, _LIST).write_text(json.dumps(sorted(files), indent=0), encoding="utf-8")
    return len(site.pages)


def _target(folder: Path, path: str) -> Path:
    """Where a file of the site goes. UsageError where a link would lead it out of its folder."""
    target = folder / path
    if not target.parent.resolve().is_relative_to(folder.resolve()) or target.is_symlink():
        raise UsageError(
            f"{target}: a link leads elsewhere; nothing is written there", hint="delete the link"
        )
    return target


def _written_before(folder: Path) -> set[str]:
    try:
        paths = json.loads((folder / _LIST).read_text(encoding="utf-8"))
        # The list lies in a folder that anybody may have written to.
        return {str(path) for path in paths if not PurePosixPath(path).is_absolute() and ".." not in path}
    except FileNotFoundError:
        pass
    except (ValueError, TypeError, OSError) as error:
        raise UsageError(f"{folder / _LIST}: {error}", hint="name another folder") from None
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder}: holds files that kb did not write", hint="name a new or an empty folder")
    return set()


def _pictures(notes: Path, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Pictures that lie among the notes, private folders and hidden ones apart."""
    for file in sorted(notes.rglob("*")):
        path = file.relative_to(notes).as_posix()
        hidden = any(part.startswith(".") for part in PurePosixPath(path).parts)
        if file.suffix.lower() not in _PICTURES or hidden or is_private_path(path) or not file.is_file():
            continue
        real = file.resolve()
        if real.is_relative_to(notes.resolve()) and not real.is_relative_to(folder.resolve()):
            yield path, file.read_bytes()
