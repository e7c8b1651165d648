"""Every link of the notebook in one table, which a small script sorts and filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from kb.model import LinkKind, LinkRecord, Page, Standing, When
from kb.pages import markup, menu
from kb.pages.card import Card
from kb.pages.finish import shown
from kb.pages.text import clipped, count, day, plain
from kb.urls import safe_display

KIND_NAMES: dict[LinkKind, str] = {
    LinkKind.PAPER: "paper",
    LinkKind.HN_THREAD: "HN thread",
    LinkKind.HN_COMMENT: "HN comment",
    LinkKind.BLOG: "blog",
    LinkKind.REPO: "repository",
    LinkKind.VIDEO: "video",
    LinkKind.CHANNEL: "channel",
    LinkKind.ENCYCLOPEDIA: "encyclopedia",
    LinkKind.HN_USER: "HN person",
    LinkKind.OTHER: "other",
    LinkKind.INTERNAL: "note",
}
_WORTH_SAYING = (Standing.DEAD, Standing.SUSPECT, Standing.MOVED, Standing.UNKNOWN)
_COLUMNS = ("Title", "Kind", "Host", "Date", "Standing", "In")
_NOTES_SHOWN = 3


def page(where: Mapping[str, str], links: Sequence[LinkRecord], notes: Mapping[str, Card]) -> Page:
    """The page of links to the web. `notes` are the notes that may be named, by path."""
    rows = to_the_web(links)
    # Latest first; those of one day, and those of none, by title.
    rows.sort(key=lambda one: link_title(one).casefold())
    rows.sort(key=latest_day, reverse=True)
    lines = ["# Links", "", *menu.line("links", where), _summary(rows), ""]
    head = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
    body = "\n".join(_row(record, notes) for record in rows)
    table = (
        '<div class="kb-scroll"><table class="kb-table" id="kb-links-table">'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )
    about = plain(f"{count(len(rows), 'link')} by kind, host and standing, with the notes that hold them")
    return Page(where["links"], "Links", about, "\n".join(lines), "links", more=table if rows else "")


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
    name = record.standing
    shown = f'<span class="kb-standing kb-{name}" title="{markup.words(about)}">{name}</span>'
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


def mentioned(record: LinkRecord, notes: Mapping[str, Card]) -> str:
    """The notes that hold a link; of many, the first few and how many more."""
    paths = list(dict.fromkeys(mention.path for mention in record.mentions if mention.path in notes))
    named = [markup.page_a(notes[path].title, path) for path in paths[:_NOTES_SHOWN]]
    if len(paths) > _NOTES_SHOWN:
        named.append(f"{len(paths) - _NOTES_SHOWN} more")
    return ", ".join(named)


def latest_day(record: LinkRecord) -> str:
    """The last day that a mention of it speaks of; empty for none."""
    return max((date.latest for date in _dates(record)), default="")


def _summary(links: Sequence[LinkRecord]) -> str:
    if not links:
        return "No note holds a link to the web yet: `kb add-link URL` keeps one."
    standings = Counter(record.standing for record in links)
    hosts = len({record.host for record in links if record.host})
    words = [f"{count(len(links), 'link')} to {count(hosts, 'host')}"]
    words += [f"{standings[one]} {one}" for one in _WORTH_SAYING if standings[one]]
    return ", ".join(words) + "."


def _row(record: LinkRecord, notes: Mapping[str, Card]) -> str:
    dates = _dates(record)
    # Anchors such as "HN comment" stand for many pages; their addresses tell them apart.
    about = "" if record.facts.title else f" {markup.small(clipped(shown(record.url), 60))}"
    latest = max(dates, key=lambda date: date.latest) if dates else None
    sort = latest.latest if latest else ""
    return (
        f"<tr><td>{markup.web_a(link_title(record), record.url)}{about}</td>"
        f"<td>{KIND_NAMES[record.kind]}</td><td>{markup.words(record.host)}</td>"
        f'<td data-sort="{sort}">{day(latest) if latest else ""}</td>'
        f"<td>{standing(record)}</td><td>{mentioned(record, notes)}</td></tr>"
    )


def _dates(record: LinkRecord) -> list[When]:
    dates = (mention.date or mention.noted for mention in record.mentions)
    return [date for date in dates if date]
