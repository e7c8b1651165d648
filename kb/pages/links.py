"""Every link of the notebook, by kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from kb.model import LinkKind, LinkRecord, Page, Standing, When
from kb.pages.card import Card
from kb.pages.text import clipped, count, day, link, page_link, plain
from kb.urls import safe_display

_HEADINGS: dict[LinkKind, str] = {
    LinkKind.PAPER: "Papers",
    LinkKind.HN_THREAD: "HN threads",
    LinkKind.HN_COMMENT: "HN comments",
    LinkKind.BLOG: "Blogs",
    LinkKind.REPO: "Repositories",
    LinkKind.VIDEO: "Videos",
    LinkKind.CHANNEL: "Channels",
    LinkKind.ENCYCLOPEDIA: "Encyclopedias",
    LinkKind.HN_USER: "HN people",
    LinkKind.OTHER: "Other pages",
}
_WORTH_SAYING = (Standing.DEAD, Standing.SUSPECT, Standing.MOVED, Standing.UNKNOWN)


def page(path: str, links: Sequence[LinkRecord], notes: Mapping[str, Card]) -> Page:
    """The page of links to the web. `notes` are the notes that may be named, by path."""
    shown = to_the_web(links)
    lines = ["# Links", "", _summary(shown), ""]
    for kind, heading in _HEADINGS.items():
        # Latest first; those of one day, and those of none, by title.
        group = sorted((one for one in shown if one.kind is kind), key=lambda one: link_title(one).casefold())
        group.sort(key=_latest_day, reverse=True)
        if group:
            lines += [f"## {heading}", "", "| Title | Date | Standing | In |", "|---|---|---|---|"]
            lines += [_row(record, notes) for record in group]
            lines.append("")
    about = plain(f"{count(len(shown), 'link')}, by kind, with what became of them")
    return Page(path, "Links", about, "\n".join(lines), "links")


def to_the_web(links: Sequence[LinkRecord]) -> list[LinkRecord]:
    """The links that leave the notebook."""
    return [record for record in links if record.kind is not LinkKind.INTERNAL]


def link_title(record: LinkRecord) -> str:
    """What a link is called: its fetched title, else the anchor it was given, else its address."""
    anchor = record.mentions[0].anchor if record.mentions else ""
    return clipped(record.facts.title or anchor or safe_display(record.url), 120)


def standing(record: LinkRecord) -> str:
    """Its standing as a word with a mark; when and why on hover."""
    looks = record.looks
    parts = [looks.reason, f"checked {looks.last_checked[:10]}" if looks.last_checked else ""]
    about = ", ".join(part for part in parts if part) or "not checked yet"
    shown = f'<span class="kb-standing kb-{record.standing}" title="{plain(about)}">{record.standing}</span>'
    return shown + _kept(record)


def _kept(record: LinkRecord) -> str:
    """That a copy of a dead page's text is kept, and of when."""
    saved = record.facts.extra.get("saved")
    if record.standing is not Standing.DEAD or not isinstance(saved, str):
        return ""
    try:
        shown = day(When.parse(saved))
    except ValueError:
        return ""
    return f" <small>text of {shown} kept</small>"


def _summary(links: Sequence[LinkRecord]) -> str:
    standings = Counter(record.standing for record in links)
    hosts = len({record.host for record in links if record.host})
    words = [f"{count(len(links), 'link')} to {count(hosts, 'host')}"]
    words += [f"{standings[one]} {one}" for one in _WORTH_SAYING if standings[one]]
    return ", ".join(words) + "."


def _row(record: LinkRecord, notes: Mapping[str, Card]) -> str:
    dates = _dates(record)
    places = dict.fromkeys(mention.path for mention in record.mentions if mention.path in notes)
    # Anchors such as "HN comment" stand for many pages; their addresses tell them apart.
    about = record.host if record.facts.title else clipped(_bare(record.url), 60)
    cells = [
        link(link_title(record), record.url) + (f" <small>{plain(about)}</small>" if about else ""),
        day(dates[0]) if dates else "",
        standing(record),
        ", ".join(page_link(notes[place].title, place) for place in places),
    ]
    return "| " + " | ".join(cells) + " |"


def _bare(url: str) -> str:
    return re.sub(r"^https?://(www\.)?|/$", "", safe_display(url))


def _dates(record: LinkRecord) -> list[When]:
    dates = (mention.date or mention.noted for mention in record.mentions)
    return [date for date in dates if date]


def _latest_day(record: LinkRecord) -> str:
    return max((date.latest for date in _dates(record)), default="")
