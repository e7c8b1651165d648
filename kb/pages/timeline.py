"""What the notes speak of, day by day: when it happened, told apart from when it was noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from kb.model.dates import When
from kb.model.site import Page
from kb.pages import markup, menu
from kb.pages.card import Card
from kb.pages.text import clipped, count, day, plain

#: A page of more moments than this is cut into one page a year.
_ONE_PAGE = 500
_LATEST = 100


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, what is said of it and in which note. `noted` is None for the note itself."""

    date: When
    text: str
    path: str
    noted: When | None = None


def pages(where: Mapping[str, str], cards: Mapping[str, Card], spoken: Iterable[Moment]) -> list[Page]:
    """The timeline, latest first; where it is long, its latest part and a page for each year."""
    moments = [Moment(card.noted, "", card.path) for card in cards.values() if card.noted]
    moments += [one for one in spoken if one.path in cards]
    moments.sort(key=lambda one: (one.path, one.text))
    moments.sort(key=lambda one: one.date.latest, reverse=True)
    if len(moments) <= _ONE_PAGE:
        return [_page(where["timeline"], "Timeline", moments, where, cards, "")]
    years = Counter(map(_year, moments))
    own = {year: menu.part(where["timeline"], year, cards) for year in years}
    links = markup.DOT.join(
        f"{markup.page_a(year, own[year])} {markup.small(str(years[year]))}" for year in own
    )
    front = _page(
        where["timeline"], "Timeline", moments[:_LATEST], where, cards, f"<p>Year by year: {links}</p>"
    )
    return [
        front,
        *(
            _page(own[year], f"Timeline of {year}", list(group), where, cards, f"<p>Other years: {links}</p>")
            for year, group in groupby(moments, key=_year)
        ),
    ]


def _page(
    path: str,
    title: str,
    moments: Sequence[Moment],
    where: Mapping[str, str],
    cards: Mapping[str, Card],
    links: str,
) -> Page:
    said = (
        "By the day things happened, latest first. A filled mark is something a note speaks of; a hollow one "
        "is the day a note was written."
        if moments
        else "Nothing has a date yet: a note's front matter, its file name or a heading can give one."
    )
    lines = [f"# {plain(title)}", "", *menu.line("timeline", where), said, ""]
    parts = [links] if links else []
    for year, group in groupby(moments, key=_year):
        parts.append(markup.heading(year, f"y{year}"))
        parts.append(markup.items((_moment(one, cards[one.path]) for one in group), "kb-moments"))
    about = plain(f"{count(len(moments), 'moment')} that the notes speak of, by date")
    return Page(path, title, about, "\n".join(lines), "timeline", more="\n".join(parts))


def _year(moment: Moment) -> str:
    return moment.date.last[:4]


def _moment(moment: Moment, card: Card) -> str:
    short = day(moment.date).removesuffix(f" {_year(moment)}")
    when = f'<time datetime="{moment.date.first}">{short}</time>'
    note = markup.page_a(card.title, card.path)
    if not moment.text:
        return f'{when}<span class="kb-written">{note} {markup.small("written")}</span>'
    noted = f", noted {day(moment.noted)}" if moment.noted else ""
    text = markup.words(clipped(moment.text, 220))
    return f'{when}<span class="kb-spoken">{text} <small>in {note}{noted}</small></span>'
