"""BibTeX -> notes: a bullet for each entry that has an address, a DOI or an arXiv number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from kb.errors import ImportRefused
from kb.model.dates import When
from kb.model.kinds import NoteKind
from kb.notes.importers.base import Imported, Importer, head, read_file
from kb.notes.importers.marks import Mark, imported

_ENTRY = re.compile(r"@\s*(\w+)\s*\{\s*([^\s,{}]*)\s*,")
_FIELD = re.compile(r"\s*,?\s*([\w-]+)\s*=\s*")
_SIGN = re.compile(r"\\([&%$#_{}])|\\text(backslash|asciitilde|asciicircum)(?:\{\})?|[{}]|(~)")
_SIGNS = {"backslash": "\\", "asciitilde": "~", "asciicircum": "^"}
_SKIPPED = frozenset({"comment", "preamble", "string"})


def _entries(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, fields in lower case) of each entry; what cannot be read ends its entry."""
    at = 0
    while (entry := _ENTRY.search(text, at)) is not None:
        at = entry.end()
        if entry[1].lower() in _SKIPPED:
            continue
        fields: dict[str, str] = {}
        while (field := _FIELD.match(text, at)) is not None:
            value, at = _value(text, field.end())
            fields.setdefault(field[1].lower(), value)
        yield text.count("\n", 0, entry.start()) + 1, fields


def _value(text: str, at: int) -> tuple[str, int]:
    """The value that begins at `at`, its outer braces or quotes off, and where it ends."""
    opening = text[at : at + 1]
    if opening not in ("{", '"'):
        end = re.compile(r"[,}\s]").search(text, at)
        stop = end.start() if end else len(text)
        return text[at:stop], stop
    depth, index = 0, at + 1
    while index < len(text):
        char = text[index]
        if char == "\\":
            index += 1
        elif char == "{":
            depth += 1
        elif char == "}" and depth:
            depth -= 1
        elif char == ("}" if opening == "{" else '"') and not depth:
            break
        index += 1
    return text[at + 1 : index], index + 1


def _plain(text: str) -> str:
    return " ".join(
        _SIGN.sub(lambda match: match[1] or _SIGNS.get(match[2] or "", " " if match[3] else ""), text).split()
    )


def _address(fields: Mapping[str, str]) -> str:
    url, doi, eprint = (fields.get(name, "").strip() for name in ("url", "doi", "eprint"))
    if url:
        return re.sub(r"\\([&%$#_{}~])", r"\1", url)
    if eprint and fields.get("archiveprefix", fields.get("eprinttype", "")).lower() == "arxiv":
        return f"https://arxiv.org/abs/{eprint}"
    return f"https://doi.org/{doi}" if doi and "://" not in doi else doi


def _when(fields: Mapping[str, str]) -> When | None:
    """When the person met it; not when it was published, which the paper's own facts say."""
    return When.read(fields.get("urldate", ""))


def _sniff(source: Path) -> bool:
    return source.name.lower().endswith(".bib") and b"@" in head(source)


def _read(source: Path, day_first: bool) -> Imported:
    text = read_file(source).decode("utf-8-sig", "replace")
    marks = [
        Mark(
            _address(fields),
            _plain(fields.get("title", "")),
            _when(fields),
            tuple(_plain(fields.get("keywords", "")).split(",")),
            line=line,
            kind=NoteKind.PAPER,
        )
        for line, fields in _entries(text)
        if _address(fields)
    ]
    if not marks:
        raise ImportRefused(f"{source}: no entry has an address, a DOI or an arXiv number")
    return imported(marks)


IMPORTER = Importer("bibtex", "BibTeX: entries with a url, doi or arXiv eprint", _sniff, _read)
