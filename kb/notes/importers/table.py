"""CSV as Pocket, Raindrop, Instapaper and kb itself write it -> notes."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kb.errors import ImportRefused
from kb.model.dates import When
from kb.notes.importers.base import Imported, Importer, head, read_file
from kb.notes.importers.marks import Mark, from_seconds, imported

# A cell may hold a whole page's excerpt; csv's own limit is 128 KiB.
_MAX_CELL = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a tool calls its columns (in lower case), and how it writes what is in them.

    A column named nowhere in a file is an empty one. `ignored` are folders that say only
    whether the person has read a page.
    """

    url: str
    title: str
    date: str
    tags: str
    separator: str
    folder: str = ""
    comments: tuple[str, ...] = ()
    ignored: frozenset[str] = frozenset()
    known_by: frozenset[str] = frozenset()
    when: Callable[[str], When | None] = from_seconds


def _either(text: str) -> When | None:
    """Raindrop writes ISO instants, and takes Unix seconds too, so both are met."""
    return from_seconds(text) if text.strip().isdecimal() and len(text.strip()) > 4 else _iso(text)


def _text(data: bytes) -> str:
    """The text of a file as spreadsheets save it: UTF-8 or UTF-16, with a byte order mark or without."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if wide else "utf-8-sig", "replace").replace("\0", "").lstrip("\ufeff")


def _dialect(text: str) -> str:
    """What stands between the columns: a spreadsheet may have saved the file with its own sign."""
    first = text.partition("\n")[0]
    return next((sign for sign in (",", ";", "\t") if sign in first), ",")


def _iso(text: str) -> When | None:
    """A date of kb's own (`2023-09`, a range), or the day of an ISO instant."""
    return When.read(text.strip()) or When.read(text.strip()[:10])


SHAPES: Mapping[str, _Shape] = {
    "pocket": _Shape(
        "url", "title", "time_added", "tags", "|", known_by=frozenset({"url", "time_added", "tags"})
    ),
    "raindrop": _Shape(
        "url",
        "title",
        "created",
        "tags",
        ",",
        folder="folder",
        comments=("note", "excerpt"),
        ignored=frozenset({"unsorted", "trash"}),
        known_by=frozenset({"url", "folder", "created"}),
        when=_either,
    ),
    "instapaper": _Shape(
        "url",
        "title",
        "timestamp",
        "tags",
        ",",
        folder="folder",
        comments=("selection",),
        ignored=frozenset({"unread", "archive", "starred", "home"}),
        known_by=frozenset({"url", "folder", "timestamp"}),
    ),
    "csv": _Shape(
        "url", "title", "date", "tags", ",", comments=("comment",), known_by=frozenset({"url"}), when=_iso
    ),
}


def _read(source: Path, shape: _Shape) -> Imported:
    text = _text(read_file(source))
    csv.field_size_limit(_MAX_CELL)
    try:
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=_dialect(text))
        names = {name.strip().lower(): name for name in rows.fieldnames or ()}
        if shape.url not in names:
            raise ImportRefused(f"{source}: no column {shape.url!r}")
        marks = [_mark(row, names, shape, rows.line_num) for row in rows]
    except csv.Error as error:
        raise ImportRefused(f"{source}: cannot be read as CSV: {error}") from None
    return imported(mark for mark in marks if mark.url)


def _mark(row: Mapping[str, str | None], names: Mapping[str, str], shape: _Shape, line: int) -> Mark:
    def cell(column: str) -> str:
        return (row.get(names.get(column, "")) or "").strip()

    url, title, folder = cell(shape.url), cell(shape.title), cell(shape.folder)
    folders = [part for part in folder.split("/") if part.strip().casefold() not in shape.ignored]
    comment = next((text for column in shape.comments if (text := cell(column))), "")
    return Mark(
        url,
        "" if title == url else title,
        shape.when(cell(shape.date)),
        (*folders, *_tags(cell(shape.tags), shape.separator)),
        comment,
        line,
    )


def _tags(text: str, separator: str) -> list[str]:
    if text.startswith("["):  # Instapaper's newer column
        try:
            return [str(tag) for tag in json.loads(text)]
        except (ValueError, TypeError):
            pass
    return text.split(separator)


def _columns(source: Path) -> frozenset[str]:
    start = _text(head(source))
    if not source.name.lower().endswith(".csv") or not start:
        return frozenset()
    try:
        names = next(csv.reader(io.StringIO(start, newline=""), delimiter=_dialect(start)), [])
    except csv.Error:
        return frozenset()
    return frozenset(name.strip().lower() for name in names)


def _importer(name: str, shape: _Shape) -> Importer:
    return Importer(
        name,
        "CSV with the columns url, title, date, tags, comment"
        if name == "csv"
        else f"CSV as {name.title()} exports it",
        lambda source: shape.known_by <= _columns(source),
        lambda source, day_first: _read(source, shape),
    )


IMPORTERS = tuple(_importer(name, shape) for name, shape in SHAPES.items())
