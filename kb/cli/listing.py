"""Links on stdout, in the shape that was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from kb import contract
from kb.cli import render
from kb.cli.shared import pages, print_json
from kb.knowledge import KnowledgeBase
from kb.model.links import LinkRecord

_TOGETHER = 500


def print_links(base: KnowledgeBase, records: Iterable[LinkRecord], shape: str) -> bool:
    """As one JSON array, as a table of Markdown, or as blocks of text; whether there were any.

    They are printed as they come: a million of them are more than memory holds.
    """
    if shape == "json":
        print_json(map(contract.link, records))
        return True
    return pages(_drawn(base, iter(records), shape))


def _drawn(base: KnowledgeBase, records: Iterator[LinkRecord], shape: str) -> Iterator[str]:
    now, first = base.clock.now(), True
    while part := list(islice(records, _TOGETHER)):
        if shape == "markdown":
            yield render.links_in_markdown(part, base.shown, now, head=first)
        else:
            yield render.links(part, base.shown, now)
        first = False
