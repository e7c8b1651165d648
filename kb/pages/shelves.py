"""Papers, threads and tutorials: the notes of a kind, and the links of the kinds that go with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kb.model.kinds import LinkKind, NoteKind
from kb.model.links import LinkRecord
from kb.model.site import Page
from kb.pages import markup, menu
from kb.pages.card import Card, newest_first
from kb.pages.finish import shown
from kb.pages.links import latest_day, link_title, mentioned, standing
from kb.pages.text import clipped, count, plain


class Shelf(NamedTuple):
    """One such page: its name in the menu, its title, what it holds, and what to say where it is empty."""

    name: str
    title: str
    note: NoteKind
    links: tuple[tuple[LinkKind, str, str, str], ...]
    empty: str


SHELVES = (
    Shelf(
        "papers",
        "Papers",
        NoteKind.PAPER,
        ((LinkKind.PAPER, "Papers linked", "paper", "papers"),),
        "No paper yet: a link to arXiv or a DOI is one, and so is a note with `kind: paper`.",
    ),
    Shelf(
        "threads",
        "Threads",
        NoteKind.HN_THREAD,
        (
            (LinkKind.HN_THREAD, "Threads linked", "thread", "threads"),
            (LinkKind.HN_COMMENT, "Comments", "comment", "comments"),
            (LinkKind.HN_USER, "People", "person", "people"),
        ),
        "No thread yet: a link to Hacker News is one, and so is a note with `kind: hn-thread`.",
    ),
    Shelf(
        "tutorials",
        "Tutorials",
        NoteKind.TUTORIAL,
        (
            (LinkKind.VIDEO, "Videos", "video", "videos"),
            (LinkKind.REPO, "Repositories", "repository", "repositories"),
            (LinkKind.CHANNEL, "Channels", "channel", "channels"),
        ),
        "No tutorial yet: a note with `kind: tutorial` is one.",
    ),
)


def page(
    shelf: Shelf, where: Mapping[str, str], cards: Mapping[str, Card], records: Sequence[LinkRecord]
) -> Page:
    """A shelf: its notes first, then its links by kind, each with what is known of it."""
    notes = sorted((card for card in cards.values() if card.kind is shelf.note), key=newest_first)
    parts, figures = [], []
    if notes:
        figures.append(count(len(notes), "note"))
        parts += [markup.heading("Notes", "kb-notes"), markup.items(map(_note, notes), "kb-cards")]
    for kind, title, one_word, many in shelf.links:
        group = sorted(
            (one for one in records if one.kind is kind), key=lambda one: link_title(one).casefold()
        )
        group.sort(key=latest_day, reverse=True)
        if group:
            figures.append(count(len(group), one_word, many))
            parts.append(markup.heading(title, f"kb-{kind}"))
            parts.append(markup.items((_link(one, cards) for one in group), "kb-cards"))
    said = ", ".join(figures) + "." if figures else shelf.empty
    lines = [f"# {shelf.title}", "", *menu.line(shelf.name, where), said, ""]
    about = plain(f"{shelf.title}: {', '.join(figures) or 'none yet'}")
    # A note may well be called so; the title of the page tells the two apart.
    return Page(
        where[shelf.name], f"All {shelf.name}", about, "\n".join(lines), "shelf", more="\n".join(parts)
    )


def _note(card: Card) -> str:
    when = f" <small>{markup.date(card.noted)}</small>" if card.noted else ""
    about = f"<p>{markup.words(clipped(card.description, 200))}</p>" if card.description else ""
    return f"{markup.page_a(card.title, card.path)}{when}{about}"


def _link(record: LinkRecord, cards: Mapping[str, Card]) -> str:
    facts = record.facts
    authors = ", ".join(facts.authors[:3]) + (" and others" if len(facts.authors) > 3 else "")
    about = [authors, facts.published or "", record.host if facts.title else shown(record.address)]
    line = markup.DOT.join(markup.words(part) for part in about if part)
    text = f"<p>{markup.words(clipped(facts.description, 260))}</p>" if facts.description else ""
    where = mentioned(record, cards)
    return (
        f"{markup.web_a(link_title(record), record.address)} {standing(record)}{text}"
        f"<small>{markup.DOT.join(part for part in (line, where and f'in {where}') if part)}</small>"
    )
