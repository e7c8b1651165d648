"""kb's own JSON Lines -> notes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kb.errors import ImportRefused
from kb.model.dates import When
from kb.notes.importers.base import Imported, Importer, head, read_file
from kb.notes.importers.marks import Mark, imported


def _marks(source: Path) -> Iterator[Mark]:
    text = read_file(source).decode("utf-8-sig", "replace")
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            raise ImportRefused(f"{source}:{number}: is no JSON") from None
        if not isinstance(value, dict) or not isinstance(value.get("url"), str):
            raise ImportRefused(f"{source}:{number}: is no link: an object with a url is wanted")
        title, tags = value.get("title"), value.get("tags")
        yield Mark(
            value["url"],
            title if isinstance(title, str) else "",
            _when(value.get("date")),
            tuple(map(str, tags)) if isinstance(tags, list) else (),
            line=number,
        )


def _when(value: Any) -> When | None:
    return When.read(value) if isinstance(value, str) else None


def _sniff(source: Path) -> bool:
    return source.name.lower().endswith((".jsonl", ".ndjson")) and head(source).lstrip().startswith(b"{")


def _read(source: Path, day_first: bool) -> Imported:
    return imported(_marks(source))


IMPORTER = Importer("jsonl", "JSON Lines, as kb export writes them", _sniff, _read)
