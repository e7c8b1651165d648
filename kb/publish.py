"""The site, from the store: plain values read out, handed to `pages`, and gathered for a door.

Only what may be seen leaves the store here: private notes and drafts give no page, no mention,
no term and no count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.resources import files as resource_files
from pathlib import Path, PurePosixPath

from kb.config import Settings
from kb.model import Entry, LinkRecord, Severity, Site
from kb.notes.source import read_source
from kb.pages import glossary, home, html, links, note, timeline
from kb.pages.card import Card
from kb.store.store import Store

# Where kb's own pages go, in order of preference: the person's note of that name comes first.
_PLACES = {
    "notes": ("notes.md", "all-notes.md"),
    "glossary": ("glossary.md", "all-terms.md"),
    "links": ("links.md", "all-links.md"),
}
_LABELS = {"notes": "Notes", "glossary": "Glossary", "links": "Links"}
_HOMES = ("index.md", "README.md", "readme.md")


def publish(store: Store, settings: Settings) -> Site:
    """The whole site as it stands in the store. Reads the notes' files; writes nothing."""
    title = str(settings["notebook.title"])
    notes = list(_notes(store, settings.notes))
    cards = {card.path: card for card, _ in notes}
    records = [record for record in (_public(one, cards) for one in store.links()) if record]
    entries = [
        Entry(term, path, tuple(use for use in store.uses(term) if use.path in cards))
        for path, term in store.terms()
        if path in cards
    ]
    places = dict(_places(cards))
    pages = [note.page(card, source) for card, source in notes]
    listed = [card for card in cards.values() if card.path not in _HOMES]
    front = next((path for path in _HOMES if path in cards), None)
    if front is None:
        front = _HOMES[0]
        pages.append(home.page(front, title, listed, records, entries, places))
    pages += [
        timeline.page(places["notes"], listed),
        glossary.page(places["glossary"], entries, cards),
        links.page(places["links"], records, cards),
    ]
    nav = (("Home", front), *((_LABELS[name], places[name]) for name in _PLACES))
    return Site(tuple(pages), nav, tuple(_assets()), html.clean)


def _notes(store: Store, root: Path) -> Iterator[tuple[Card, str]]:
    """The notes that may be seen, each with its text."""
    broken = {problem.path for problem in store.problems() if problem.severity is Severity.ERROR}
    for row in store.notes(private=False):
        if row.private or row.draft or is_private_path(row.path):
            continue
        try:
            data = (root / row.path).read_bytes()
        except OSError:
            continue  # gone since the sync; the next one will say so
        source = read_source(row.path, data).raw.decode("utf-8", "replace")
        if note.is_withheld(source, broken=row.path in broken):
            continue
        about = row.description or note.first_words(source) or None
        yield Card(row.path, row.title, row.kind, row.noted, row.tags, about), source


def is_private_path(path: str) -> bool:
    """Whether a file lies under a `private/` folder."""
    return any(part.casefold() == "private" for part in PurePosixPath(path).parts[:-1])


def _public(record: LinkRecord, cards: dict[str, Card]) -> LinkRecord | None:
    mentions = tuple(mention for mention in record.mentions if mention.path in cards and not mention.private)
    return replace(record, mentions=mentions) if mentions else None


def _places(taken: Iterable[str]) -> Iterator[tuple[str, str]]:
    used = {_address(path) for path in taken}
    for name, wanted in _PLACES.items():
        numbered = (f"all-{name}-{number}.md" for number in range(2, 10_000))
        yield name, next(path for path in (*wanted, *numbered) if _address(path) not in used)


def _address(path: str) -> str:
    """Where a page lands in the site, so that `a.md` and `a/index.md` are seen to meet."""
    stem = PurePosixPath(path.casefold()).with_suffix("")
    return str(stem.parent if stem.name in ("index", "readme") else stem)


def _assets() -> Iterator[tuple[str, bytes]]:
    folder = resource_files("kb.pages") / "assets"
    for item in sorted(folder.iterdir(), key=lambda one: one.name):
        if item.is_file():
            yield f"assets/kb/{item.name}", item.read_bytes()
