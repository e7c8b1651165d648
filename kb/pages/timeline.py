"""All notes, by the date they were written."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from kb.model import NoteKind, Page
from kb.pages.card import KIND_WORDS, Card, newest_first
from kb.pages.text import count, day, page_link, plain


def page(path: str, cards: Sequence[Card]) -> Page:
    """The list of notes, latest first, a heading for each year."""
    lines = ["# Notes", "", f"{count(len(cards), 'note')}, latest first.", ""]
    for year, group in groupby(sorted(cards, key=newest_first), key=_year):
        lines += [f"## {year or 'Without a date'}", ""]
        lines += [_line(card) for card in group]
        lines.append("")
    return Page(path, "Notes", plain(f"{count(len(cards), 'note')}, by date"), "\n".join(lines), "notes")


def _year(card: Card) -> str:
    return card.noted.last[:4] if card.noted else ""


def _line(card: Card) -> str:
    kind = f" <small>{KIND_WORDS[card.kind][0]}</small>" if card.kind is not NoteKind.NOTE else ""
    tags = "".join(f' <span class="kb-tag">{plain(tag)}</span>' for tag in card.tags)
    return f"* {_date(card)}{page_link(card.title, card.path)}{kind}{tags}"


def _date(card: Card) -> str:
    """The date without the year, which its heading says."""
    if card.noted is None:
        return ""
    short = day(card.noted).removesuffix(f" {_year(card)}")
    return f'<time datetime="{card.noted.first}">{short}</time> '
