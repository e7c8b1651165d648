"""Other tools' files as notes: one importer a module, found by its registry."""

from __future__ import annotations

from pathlib import Path

from kb.errors import ImportRefused
from kb.notes.importers import bibtex, bookmarks, folder, jekyll, jsonl, page, table
from kb.notes.importers.base import Attachment, Draft, Imported, Importer

__all__ = ["IMPORTERS", "Attachment", "Draft", "Imported", "Importer", "find", "named"]

# In the order in which they are asked.
IMPORTERS: tuple[Importer, ...] = (
    page.IMPORTER,
    jekyll.IMPORTER,
    folder.OBSIDIAN,
    folder.FOLDER,
    bookmarks.IMPORTER,
    *table.IMPORTERS,
    jsonl.IMPORTER,
    bibtex.IMPORTER,
)


def find(source: Path) -> Importer:
    """The importer for a source. ImportRefused where there is none."""
    _there(source)
    for importer in IMPORTERS:
        if importer.sniff(source):
            return importer
    raise ImportRefused(f"{source}: nothing here knows how to read it", hint=_known())


def named(name: str, source: Path) -> Importer:
    """The importer of that name. ImportRefused where there is none."""
    _there(source)
    for importer in IMPORTERS:
        if importer.name == name:
            return importer
    raise ImportRefused(f"there is no importer {name!r}", hint=_known())


def _there(source: Path) -> None:
    if not source.exists():
        raise ImportRefused(f"{source}: no such file or folder")


def _known() -> str:
    return "known:\n" + "\n".join(f"  {importer.name}: {importer.help}" for importer in IMPORTERS)
