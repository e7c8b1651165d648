"""Link health: what has become of the links over time, and what can be done about those that died."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence

from kb.model.kinds import Standing
from kb.model.links import LinkRecord
from kb.model.site import Page
from kb.pages import markup, menu
from kb.pages.card import Card
from kb.pages.chart import Band, bar, over_time
from kb.pages.links import last_change, link_title, mentioned, standing, to_the_web
from kb.pages.text import clipped, count, instant_day, plain, web_url

_HOSTS = 12
#: Characters of a saved text that are shown: enough to know the page by, and no second publication.
_SAVED = 400
_SHOWN = (
    Standing.ALIVE,
    Standing.MOVED,
    Standing.UNKNOWN,
    Standing.SUSPECT,
    Standing.DEAD,
    Standing.UNCHECKED,
)


def page(
    where: Mapping[str, str],
    links: Sequence[LinkRecord],
    cards: Mapping[str, Card],
    kept: Mapping[str, str] | None = None,
) -> Page:
    """The page of link health, from the standings that the ledger keeps.

    `kept` is what was saved of dead pages' text, by the link's key; its beginning is shown.
    """
    records = to_the_web(links)
    counts = Counter(record.standing for record in records)
    looked = [record for record in records if record.looks.last_checked]
    lines = ["# Link health", "", *menu.line("health", where), _said(records, counts, looked), ""]
    parts = []
    if looked:
        bands = [Band(str(one), counts[one]) for one in _SHOWN if counts[one]]
        parts += [f'<div class="kb-chart">{bar(bands)}</div>', _figure(records)]
    parts += _dead(records, cards, kept or {})
    parts += _suspect(records, cards)
    parts += _moved(records, cards)
    parts += _changed_since(records, cards)
    parts += _hosts(records)
    about = plain(
        f"{counts[Standing.DEAD]} of {count(len(records), 'link')} dead, {counts[Standing.SUSPECT]} suspect"
        if looked
        else f"{count(len(records), 'link')}, none checked yet"
    )
    return Page(
        where["health"], "Link health", about, "\n".join(lines), "health", more="\n".join(filter(None, parts))
    )


def _said(records: Sequence[LinkRecord], counts: Counter[Standing], looked: Sequence[LinkRecord]) -> str:
    if not records:
        return "No note holds a link to the web yet."
    if not looked:
        return f"{count(len(records), 'link')}, and none was looked at yet: `kb check-links` does."
    last = instant_day(max(record.looks.last_checked or "" for record in looked))
    words = [f"{counts[one]} {one}" for one in _SHOWN if counts[one]]
    return f"{count(len(records), 'link')}: {', '.join(words)}. Last looked at on {last}."


def _figure(records: Sequence[LinkRecord]) -> str:
    histories = [
        [(change.at, str(change.standing)) for change in record.looks.turns]
        for record in records
        if record.looks.transitions and record.standing is not Standing.IGNORED
    ]
    last = max((record.looks.last_checked or "" for record in records), default="")
    return over_time(histories, last, [str(one) for one in _SHOWN[:-1]])


def _dead(records: Sequence[LinkRecord], cards: Mapping[str, Card], kept: Mapping[str, str]) -> list[str]:
    died = [record for record in records if record.standing is Standing.DEAD]
    died.sort(key=last_change, reverse=True)
    if not died:
        return []
    return [
        markup.heading(f"Dead ({len(died)})", "dead"),
        markup.items((_case(one, cards) + _saved(one, kept) for one in died), "kb-cards"),
    ]


def _suspect(records: Sequence[LinkRecord], cards: Mapping[str, Card]) -> list[str]:
    found = sorted(
        (one for one in records if one.standing is Standing.SUSPECT), key=last_change, reverse=True
    )
    if not found:
        return []
    said = "<p>These failed lately, and not often enough yet to be called dead.</p>"
    title = markup.heading(f"Suspect ({len(found)})", "suspect")
    return [title, said, markup.items((_case(one, cards) for one in found), "kb-cards")]


def _moved(records: Sequence[LinkRecord], cards: Mapping[str, Card]) -> list[str]:
    found = [one for one in records if one.standing is Standing.MOVED]
    found.sort(key=last_change, reverse=True)
    if not found:
        return []
    rows = (
        f"{markup.web_a(link_title(one), one.address)}"
        + (f" <small>now at {markup.web_a(clipped(one.looks.final_url, 80), one.looks.final_url)}</small>"
           if one.looks.final_url else "")
        for one in found
    )  # fmt: skip
    return [markup.heading(f"Moved ({len(found)})", "moved"), markup.items(rows, "kb-cards")]


def _saved(record: LinkRecord, kept: Mapping[str, str]) -> str:
    """The beginning of the text that was saved while the page lived, and how to read the rest."""
    text = kept.get(record.key.key, "")
    if not text.strip():
        return ""
    return (
        f'<details class="kb-saved"><summary>Saved text</summary><blockquote><p>'
        f"{markup.words(clipped(text, _SAVED))}</p></blockquote>"
        f"<p>All of it: <code>kb show {markup.words(shlex.quote(record.address))}</code></p></details>"
    )


def _changed_since(records: Sequence[LinkRecord], cards: Mapping[str, Card]) -> list[str]:
    """Pages that live and are no longer what they were when they were noted."""
    found = [one for one in records if one.facts.changed_at and one.standing is not Standing.DEAD]
    if not found:
        return []
    found.sort(key=lambda one: one.facts.changed_at or "", reverse=True)
    rows = (_change(one, cards) for one in found)
    title = markup.heading(f"Changed ({len(found)})", "changed")
    said = "<p>These answer, and are not what was noted: look whether the link still says what it did.</p>"
    return [title, said, markup.items(rows, "kb-cards")]


def _change(record: LinkRecord, cards: Mapping[str, Card]) -> str:
    facts = record.facts
    parts = [f"since {instant_day(facts.changed_at or '')}"]
    if facts.now_title:
        parts.append(f"now called {clipped(facts.now_title, 120)}")
    where = mentioned(record, cards)
    line = markup.DOT.join(map(markup.words, parts)) + (f", in {where}" if where else "")
    return f"{markup.web_a(link_title(record), record.address)} {standing(record)}<small>{line}</small>"


def _case(record: LinkRecord, cards: Mapping[str, Card]) -> str:
    looks = record.looks
    facts = [
        f"last seen alive {instant_day(looks.last_alive)}" if looks.last_alive else "never seen alive",
        looks.reason,
        count(looks.streak, "failed look") if looks.streak else "",
    ]
    archived = web_url(looks.archived_url or "")
    copy = f' <a class="kb-archived" href="{archived}">archived copy</a>' if archived else ""
    line = markup.DOT.join(markup.words(clipped(part, 120)) for part in facts if part)
    where = mentioned(record, cards)
    return (
        f"{markup.web_a(link_title(record), record.address)} {standing(record)}{copy}"
        f"<small>{line}{f', in {where}' if where else ''}</small>"
    )


def _hosts(records: Sequence[LinkRecord]) -> list[str]:
    """The hosts with most dead links, and the share of their links that is."""
    dead = Counter(one.host for one in records if one.standing is Standing.DEAD and one.host)
    if not dead:
        return []
    total = Counter(one.host for one in records)
    ranked = sorted(dead, key=lambda host: (-dead[host], -dead[host] / total[host], host))[:_HOSTS]
    rows = "\n".join(
        f"<tr><td>{markup.words(host)}</td><td>{dead[host]}</td><td>{total[host]}</td>"
        f"<td>{dead[host] / total[host]:.0%}</td></tr>"
        for host in ranked
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Host", "Dead", "Links", "Share"))
    return [
        markup.heading("Hosts that rot most", "hosts"),
        f'<div class="kb-scroll"><table class="kb-table kb-figures"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>",
    ]
