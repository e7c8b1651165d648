"""Links on stdout, in the shape that was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from kb import contract
from kb.cli import render
from kb.cli.shared import page, print_json
from kb.knowledge import KnowledgeBase
from kb.model.links import LinkRecord


def print_links(base: KnowledgeBase, records: Sequence[LinkRecord], shape: str) -> None:
    """As one JSON array, as a table of Markdown, or as blocks of text; nothing where there are none."""
    if shape == "json":
        print_json(map(contract.link, records))
    elif records:
        draw = render.links_in_markdown if shape == "markdown" else render.links
        page(draw(records, base.shown, base.clock.now()))
