"""Other tools' files as notes: one importer a module, found by its registry."""

from __future__ import annotations

from pathlib import Path

from kb.errors import ImportRefused
from kb.notes.importers import jekyll
from kb.notes.importers.base import Draft, Imported, Importer

__all__ = ["IMPORTERS", "Draft", "Imported", "Importer", "find"]

# In the order in which they are asked.
IMPORTERS: tuple[Importer, ...] = (jekyll.IMPORTER,)


def find(source: Path) -> Importer:
    """The importer for a source. ImportRefused where there is none."""
    if not source.exists():
        raise ImportRefused(f"{source}: no such file or folder")
    for importer in IMPORTERS:
        if importer.sniff(source):
            return importer
    known = "; ".join(f"{importer.name}: {importer.help}" for importer in IMPORTERS)
    raise ImportRefused(f"{source}: nothing here knows how to read it", hint=f"known: {known}")
