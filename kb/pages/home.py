"""The front page: what is new, what has died, and where to go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain

from kb.model.kinds import Standing
from kb.model.links import LinkRecord
from kb.model.notes import Entry
from kb.model.site import Page
from kb.pages.card import KIND_WORDS, Card, newest_first
from kb.pages.links import last_change, link_title, to_the_web
from kb.pages.listing import tag_anchor
from kb.pages.text import clipped, count, day, instant_day, link, page_link, plain, slug

_LATEST = 6
_DEAD = 5
_TERMS = 24


def page(
    path: str,
    title: str,
    cards: Sequence[Card],
    links: Sequence[LinkRecord],
    entries: Sequence[Entry],
    places: Mapping[str, str],
) -> Page:
    """The home page. `places` says where kb's own pages are, by name."""
    links = to_the_web(links)
    lines = [f"# {plain(title)}", "", _figures(cards, links, entries, places), ""]
    lines += _latest(cards, places)
    lines += _dead(links, places)
    lines += _kinds(cards, places)
    lines += _terms(entries, places)
    if not cards:
        lines += ["There are no notes yet. `kb new` writes one, `kb add-link` keeps a link.", ""]
    figures = f"{count(len(cards), 'note')} and {count(len(links), 'link')}"
    return Page(path, plain(title), plain(f"{title}: {figures}"), "\n".join(lines), "home")


def _figures(
    cards: Sequence[Card], links: Sequence[LinkRecord], entries: Sequence[Entry], places: Mapping[str, str]
) -> str:
    parts = [
        page_link(count(len(cards), "note"), places["notes"]),
        page_link(count(len(links), "link"), places["links"]),
        page_link(count(len(entries), "term"), places["glossary"]),
    ]
    since = min((card.noted.earliest for card in cards if card.noted), default="")
    # The separator stands between words, so that it reads well with no style at all.
    return " \u00b7 ".join(parts + ([f"since {since[:4]}"] if since else []))


def _latest(cards: Sequence[Card], places: Mapping[str, str]) -> list[str]:
    if not cards:
        return []
    lines = ["## Added lately", ""]
    for card in sorted(cards, key=newest_first)[:_LATEST]:
        what = " \u00b7 ".join([*([day(card.noted)] if card.noted else []), KIND_WORDS[card.kind][0]])
        about = f" <br>{plain(clipped(card.description, 140))}" if card.description else ""
        lines.append(f"* {page_link(card.title, card.path)} <small>{what}</small>{about}")
    ways = [page_link("All notes", places["notes"]), page_link("Timeline", places["timeline"])]
    return [*lines, "", " \u00b7 ".join(ways), ""]


def _dead(links: Sequence[LinkRecord], places: Mapping[str, str]) -> list[str]:
    died = [record for record in links if record.standing is Standing.DEAD]
    if not died:
        return []
    died.sort(key=last_change, reverse=True)
    lines = ["## Died lately", ""]
    for record in died[:_DEAD]:
        last = record.looks.last_alive
        about = record.host + (f" \u00b7 last seen alive {instant_day(last)}" if last else "")
        lines.append(f"* {link(link_title(record), record.address)} <small>{plain(about)}</small>")
    return [*lines, "", page_link("Link health", places["health"]), ""]


def _kinds(cards: Sequence[Card], places: Mapping[str, str]) -> list[str]:
    kinds = Counter(card.kind for card in cards)
    tags = Counter(chain.from_iterable(card.tags for card in cards))
    if not cards:
        return []
    words = [count(kinds[kind], *names) for kind, names in KIND_WORDS.items() if kinds[kind]]
    lines = ["## What is here", "", ", ".join(words) + "."]
    if tags:
        common = sorted(tags.items(), key=lambda item: (-item[1], item[0]))[:12]
        chips = (page_link(tag, places["tags"], tag_anchor(tag)) for tag, _ in common)
        lines += ["", "Tags: " + " \u00b7 ".join(chips)]
    return [*lines, ""]


def _terms(entries: Sequence[Entry], places: Mapping[str, str]) -> list[str]:
    if not entries:
        return []
    shown = sorted(entries, key=lambda entry: entry.term.term.casefold())[:_TERMS]
    words = [page_link(entry.term.term, places["glossary"], slug(entry.term.term)) for entry in shown]
    return ["## Terms", "", " \u00b7 ".join(words), ""]
