"""Links as other tools read them: one format a module, found by its name. Pure: values in, text out."""

from __future__ import annotations

from kb.errors import UsageError
from kb.notes.exporters import bibtex, bookmarks, jsonl, table
from kb.notes.exporters.base import Exported, Exporter

__all__ = ["EXPORTERS", "Exported", "Exporter", "named"]

EXPORTERS: tuple[Exporter, ...] = (
    jsonl.EXPORTER,
    table.EXPORTER,
    bookmarks.EXPORTER,
    bibtex.EXPORTER,
)


def named(name: str) -> Exporter:
    """The exporter of that name. UsageError where there is none."""
    for exporter in EXPORTERS:
        if exporter.name == name:
            return exporter
    known = "; ".join(f"{exporter.name}: {exporter.help}" for exporter in EXPORTERS)
    raise UsageError(f"there is no format {name!r} to export", hint=known)
