"""What hangs together: notes, the links and the terms they share. A script draws what is listed here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from kb.model.links import LinkRecord
from kb.model.notes import Entry
from kb.model.site import Page
from kb.pages import markup, menu
from kb.pages.card import Card
from kb.pages.links import link_title, to_the_web
from kb.pages.text import clipped, count, plain, slug, web_url

#: A picture of more nodes than this tells nothing, and takes seconds to lay out.
_MOST = 240
_HEADINGS = {"note": "Notes", "term": "Terms", "link": "Links"}


def page(
    where: Mapping[str, str],
    cards: Mapping[str, Card],
    records: Sequence[LinkRecord],
    entries: Sequence[Entry],
    between: Iterable[tuple[str, str]],
) -> Page:
    """The graph page. `between` are (from, to) pairs of notes that link to each other.

    Of many nodes, those with most edges are shown.
    """
    edges = {("note", one, "note", other) for one, other in between if one in cards and other in cards}
    for entry in entries:
        uses = {entry.path, *(use.path for use in entry.uses)}
        edges |= {("note", path, "term", entry.term.term) for path in uses if path in cards}
    by_key = {str(record.key): record for record in to_the_web(records) if web_url(record.address)}
    for key, record in by_key.items():
        edges |= {("note", mention.path, "link", key) for mention in record.mentions if mention.path in cards}
    degrees: dict[tuple[str, str], int] = {("note", path): 0 for path in cards}
    for kind, one, other_kind, other in edges:
        for node in ((kind, one), (other_kind, other)):
            degrees[node] = degrees.get(node, 0) + 1
    # A link that one note alone holds ties nothing together: those come last.
    ranked = sorted(degrees, key=lambda node: (node[0] == "link" and degrees[node] < 2, -degrees[node], node))
    shown = sorted(
        ranked[:_MOST],
        key=lambda node: (list(_HEADINGS).index(node[0]), _label(node, cards, by_key).casefold()),
    )
    number = {node: at for at, node in enumerate(shown)}
    pairs = sorted(
        (number[kind, one], number[other_kind, other])
        for kind, one, other_kind, other in edges
        if (kind, one) in number and (other_kind, other) in number
    )
    rest = len(degrees) - len(shown)
    said = f"{count(len(shown), 'node')} and {count(len(pairs), 'tie')} between them."
    if rest:
        said += f" The {rest:,} with fewest ties are left out."
    lines = ["# Graph", "", *menu.line("graph", where), said, ""]
    # No script element holds the edges: a theme that swaps pages would run it as a script.
    more = (
        f'<div class="kb-net" id="kb-graph" data-edges="{json.dumps(pairs)}">'
        '<div class="kb-graph-stage" id="kb-graph-stage"></div>'
        f'<div class="kb-graph-list" id="kb-graph-list">{_lists(shown, cards, by_key, where)}</div></div>'
    )
    about = plain("How the notes, their links and their terms hang together")
    return Page(where["graph"], "Graph", about, "\n".join(lines), "graph", more=more if shown else "")


def _label(node: tuple[str, str], cards: Mapping[str, Card], records: Mapping[str, LinkRecord]) -> str:
    kind, name = node
    if kind == "note":
        return cards[name].title
    return name if kind == "term" else link_title(records[name])


def _lists(
    nodes: Sequence[tuple[str, str]],
    cards: Mapping[str, Card],
    records: Mapping[str, LinkRecord],
    where: Mapping[str, str],
) -> str:
    parts = []
    for kind, title in _HEADINGS.items():
        rows = []
        for at, node in enumerate(nodes):
            if node[0] != kind:
                continue
            label = clipped(_label(node, cards, records), 80)
            if kind == "note":
                link = markup.page_a(label, node[1])
            elif kind == "term":
                link = markup.page_a(label, where["glossary"], slug(node[1]))
            else:
                link = markup.web_a(label, records[node[1]].address)
            rows.append(link.replace("<a ", f'<a data-node="{at}" data-kind="{kind}" ', 1))
        if rows:
            parts += [markup.heading(title, f"kb-{kind}s"), markup.items(rows)]
    return "\n".join(parts)
