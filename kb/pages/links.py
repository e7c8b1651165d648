"""Every link of the notebook in one table, which a small script sorts and filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from kb.model.dates import When
from kb.model.kinds import LinkKind, Standing
from kb.model.links import LinkRecord
from kb.model.site import Page
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
#: Rows of one page: some 200 kB of HTML.
ROWS = 600


def pages(
    where: Mapping[str, str], links: Sequence[LinkRecord], notes: Mapping[str, Card], *, rows: int = ROWS
) -> list[Page]:
    """The links to the web. `notes` are the notes that may be named, by path.

    Of many links the latest `rows` stand on the page of links and the others on parts of their
    own, which a script gathers when somebody sorts or filters.
    """
    found = to_the_web(links)
    # Latest first; those of one day, and those of none, by title.
    found.sort(key=lambda one: link_title(one).casefold())
    found.sort(key=latest_day, reverse=True)
    parts = [found[at : at + rows] for at in range(0, len(found), rows)] or [[]]
    own = [where["links"]]
    own += [menu.part(where["links"], f"part-{number}", notes) for number in range(2, len(parts) + 1)]
    made = []
    for number, (path, part) in enumerate(zip(own, parts, strict=True), 1):
        title = "Links" if number == 1 else f"Links, part {number}"
        lines = [f"# {title}", "", *menu.line("links", where), _summary(found), ""]
        about = plain(
            f"{count(len(found), 'link')} by kind, host and standing, with the notes that hold them"
        )
        if number > 1:
            about = plain(f"Part {number} of {count(len(found), 'link')}, by date")
        pager = _pager(own, parts, number) if len(parts) > 1 else ""
        more = f"{pager}{_table(part, notes, len(found))}" if part else ""
        made.append(Page(path, title, about, "\n".join(lines), "links", more=more))
    return made


def _table(rows: Sequence[LinkRecord], notes: Mapping[str, Card], total: int) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
    body = "\n".join(_row(record, notes) for record in rows)
    return (
        f'<div class="kb-scroll"><table class="kb-table" id="kb-links-table" data-total="{total}">'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def _pager(own: Sequence[str], parts: Sequence[Sequence[LinkRecord]], here: int) -> str:
    """Where the other parts are, each by its first day."""
    ways = []
    for number, (path, part) in enumerate(zip(own, parts, strict=True), 1):
        day_of = latest_day(part[0])
        words = f"{number}" + (f" (from {day_of[:7]})" if day_of else "")
        ways.append(f"<b>{words}</b>" if number == here else markup.page_a(words, path))
    return f'<nav class="kb-parts" aria-label="Parts of the list">Parts: {markup.DOT.join(ways)}</nav>'


def to_the_web(links: Sequence[LinkRecord]) -> list[LinkRecord]:
    """The links that leave the notebook."""
    return [record for record in links if record.kind is not LinkKind.INTERNAL]


def link_title(record: LinkRecord) -> str:
    """What a link is called: its fetched title, else the anchor it was given, else its address."""
    anchor = record.mentions[0].anchor if record.mentions else ""
    if anchor.startswith(("http://", "https://")):  # a bare address, which says the same in fewer letters
        anchor = shown(anchor)
    return clipped(record.facts.title or anchor or safe_display(record.address), 120)


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
    when = When.read(saved)
    return f" <small>text of {day(when)} kept</small>" if when else ""


def mentioned(record: LinkRecord, notes: Mapping[str, Card]) -> str:
    """The notes that hold a link; of many, the first few and how many more."""
    paths = list(dict.fromkeys(mention.path for mention in record.mentions if mention.path in notes))
    named = [markup.page_a(notes[path].title, path) for path in paths[:_NOTES_SHOWN]]
    if len(paths) > _NOTES_SHOWN:
        named.append(f"{len(paths) - _NOTES_SHOWN} more")
    return ", ".join(named)


def last_change(record: LinkRecord) -> str:
    """The instant at which its standing changed last; empty where it never did."""
    return max((change.at for change in record.looks.turns), default="")


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
    address = clipped(shown(record.address), 60)
    about = "" if record.facts.title or address == link_title(record) else f" {markup.small(address)}"
    latest = max(dates, key=lambda date: date.latest) if dates else None
    sort = latest.latest if latest else ""
    return (
        f"<tr><td>{markup.web_a(link_title(record), record.address)}{about}</td>"
        f"<td>{KIND_NAMES[record.kind]}</td><td>{markup.words(record.host)}</td>"
        f'<td data-sort="{sort}">{day(latest) if latest else ""}</td>'
        f"<td>{standing(record)}</td><td>{mentioned(record, notes)}</td></tr>"
    )


def _dates(record: LinkRecord) -> list[When]:
    dates = (mention.date or mention.noted for mention in record.mentions)
    return [date for date in dates if date]
