"""JSON Lines: a link of the contract a line, with the date and tags that another kb wants to know."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from kb import contract
from kb.notes.exporters.base import Exported, Exporter


def write(links: Iterable[Exported]) -> Iterator[str]:
    """A JSON object a line."""
    return (json.dumps(_value(link), ensure_ascii=False) + "\n" for link in links)


def _value(link: Exported) -> dict[str, object]:
    date = str(link.when) if link.when is not None else None
    told = {"url": link.url, "title": link.title or None, "date": date, "tags": list(link.tags)}
    return {**contract.link(link.record), **told}


EXPORTER = Exporter("jsonl", "JSON Lines, a link a line with all that is known of it", write)
