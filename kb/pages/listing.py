"""All notes by the date they were written, and by tag."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import unescape
from itertools import groupby

from kb.model.kinds import NoteKind
from kb.model.site import Page
from kb.pages import markup, menu
from kb.pages.card import KIND_WORDS, Card, newest_first
from kb.pages.text import count, day, plain, slug

_BYLINE = re.compile(r'<p class="kb-byline">.*?</p>', re.DOTALL)
_TAG = re.compile(r'<span class="kb-tag">(.*?)</span>')


def notes(where: Mapping[str, str], cards: Sequence[Card]) -> Page:
    """The list of notes, latest first, a heading for each year."""
    lines = ["# Notes", "", *menu.line("notes", where), f"{count(len(cards), 'note')}, latest first.", ""]
    parts = []
    for year, group in groupby(sorted(cards, key=newest_first), key=_year):
        parts.append(markup.heading(year or "Without a date", f"y{year or 'none'}"))
        parts.append(markup.items(_line(card, where) for card in group))
    about = plain(f"{count(len(cards), 'note')}, by the date they were written")
    return Page(where["notes"], "Notes", about, "\n".join(lines), "notes", more="\n".join(parts))


def tags(where: Mapping[str, str], cards: Sequence[Card]) -> Page:
    """Every tag with its notes, A to Z."""
    by_tag: dict[str, list[Card]] = {}
    spelling: dict[str, str] = {}
    for card in sorted(cards, key=newest_first):
        for tag in card.tags:
            key = spelling.setdefault(tag.casefold(), tag)
            if card not in by_tag.setdefault(key, []):
                by_tag[key].append(card)
    names = sorted(by_tag, key=str.casefold)
    said = f"{count(len(names), 'tag')} on {count(sum(bool(card.tags) for card in cards), 'note')}."
    empty = "No note has a tag yet: `tags: [qlora]` in its front matter gives it one."
    lines = ["# Tags", "", *menu.line("tags", where), said if names else empty, ""]
    parts = []
    if names:
        chips = " ".join(
            f'<a class="kb-tag" href="#{tag_anchor(name)}">'
            f"{markup.words(name)} <b>{len(by_tag[name])}</b></a>"
            for name in names
        )
        parts.append(f'<p class="kb-tags-all">{chips}</p>')
    for name in names:
        parts.append(markup.heading(name, tag_anchor(name)))
        parts.append(markup.items(_dated(card) for card in by_tag[name]))
    about = plain(f"Notes by tag: {', '.join(names[:12])}" if names else "Notes by tag")
    return Page(where["tags"], "Tags", about, "\n".join(lines), "tags", more="\n".join(parts))


def tag_anchor(tag: str) -> str:
    """The anchor of a tag on the page of tags. Tags in other scripts have one too."""
    name = slug(tag)
    return f"tag-{name or 'u' + '-'.join(f'{ord(char):x}' for char in tag.casefold())}"


def tag_links(tags: Sequence[str], where: Mapping[str, str]) -> str:
    """A note's tags, each leading to the notes that share it."""
    return " ".join(
        markup.page_a(tag, where["tags"], tag_anchor(tag)).replace("<a ", '<a class="kb-tag" ')
        for tag in tags
    )


def linked_tags(html: str, where: Mapping[str, str]) -> str:
    """A note's HTML with the tags under its title leading to the notes that share them."""
    line = _BYLINE.search(html)
    if line is None:
        return html
    tags = _TAG.sub(lambda match: tag_links([unescape(match[1])], where), line[0])
    return html[: line.start()] + tags + html[line.end() :]


def _year(card: Card) -> str:
    return card.noted.last[:4] if card.noted else ""


def _line(card: Card, where: Mapping[str, str]) -> str:
    kind = f" {markup.small(KIND_WORDS[card.kind][0])}" if card.kind is not NoteKind.NOTE else ""
    tags = f' <span class="kb-line-tags">{tag_links(card.tags, where)}</span>' if card.tags else ""
    return f"{_date(card)}<span>{markup.page_a(card.title, card.path)}{kind}{tags}</span>"


def _dated(card: Card) -> str:
    return f"{_date(card, year=True)}<span>{markup.page_a(card.title, card.path)}</span>"


def _date(card: Card, *, year: bool = False) -> str:
    """The date, without the year where a heading says it."""
    if card.noted is None:
        return "<time></time>"
    short = day(card.noted) if year else day(card.noted).removesuffix(f" {_year(card)}")
    return f'<time datetime="{card.noted.first}">{short}</time>'
