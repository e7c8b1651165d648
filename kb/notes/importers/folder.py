"""A folder of Markdown, or an Obsidian vault -> the same notes, byte for byte.

Notes keep their place under the folder; wikilinks, aliases and tags stay as they are written,
since kb reads them. The files that notes show or link to come along.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from kb.errors import ImportRefused
from kb.model.notes import LinkForm, Note
from kb.model.reports import Problem, Severity
from kb.notes import files
from kb.notes import walk as walks
from kb.notes.importers.base import Attachment, Draft, Imported, Importer
from kb.notes.parse import parse


def read_folder(source: Path, day_first: bool) -> Imported:
    """Every note under a folder as it is, and the files that they mention."""
    if not source.is_dir():
        raise ImportRefused(f"{source}: is no folder")
    found = walks.walk(source)
    problems = list(found.problems)
    drafts: list[Draft] = []
    mentioned = Mentioned(source)
    for one in found.found:
        try:
            data = files.read(source, one.path)
        except OSError as error:
            message = f"cannot be read: {walks.reason(error)}; left behind"
            problems.append(Problem(one.path, 0, Severity.WARNING, message))
            continue
        drafts.append(Draft(one.path, data, copy=True))
        note = parse(one.path, data, day_first=day_first)
        problems += note.problems
        mentioned.of(note)
    return Imported(tuple(drafts), (*problems, *mentioned.problems()), mentioned.attachments())


class Mentioned:
    """The files of a folder that its notes mention, gathered note by note."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._files = set(_others(source))
        # Obsidian finds a file by its bare name, wherever it lies; the nearest to the top is meant.
        self._names: dict[str, str] = {}
        for path in sorted(self._files, key=lambda path: (path.count("/"), path)):
            self._names.setdefault(PurePosixPath(path).name.casefold(), path)
        self._used: set[str] = set()

    def of(self, note: Note) -> None:
        """Gather what this note mentions."""
        folder = os.path.dirname(note.path)
        for link in note.links:
            path = unquote(link.url.split("#")[0].split("?")[0])
            near = os.path.normpath(os.path.join(folder, path)) if path else ""
            guesses = [near, os.path.normpath(path.lstrip("/")) if path else ""]
            if link.form in (LinkForm.WIKILINK, LinkForm.IMAGE):
                guesses.append(self._names.get(PurePosixPath(path).name.casefold(), ""))
            self._used.update([guess for guess in guesses if guess in self._files][:1])

    def attachments(self) -> tuple[Attachment, ...]:
        """What was mentioned, in order of path."""
        return tuple(Attachment(path, self._source / path) for path in sorted(self._used))

    def problems(self) -> list[Problem]:
        """What was not."""
        left = sorted(self._files - self._used)
        if not left:
            return []
        shown = ", ".join(left[:3]) + (", ..." if len(left) > 3 else "")
        message = f"{len(left)} file(s) that no note mentions are left behind: {shown}"
        return [Problem(".", 0, Severity.WARNING, message)]


def _others(source: Path) -> Iterator[str]:
    """Regular files that are no notes, relative to `source`; dot-files and dot-folders apart."""
    for folder, folders, names in os.walk(source):
        folders[:] = [
            name
            for name in folders
            if not name.startswith((".", "_site")) and name not in walks.SKIPPED_FOLDERS
        ]
        inside = os.path.relpath(folder, source).replace(os.sep, "/")
        for name in names:
            full = os.path.join(folder, name)
            note = name.lower().endswith(walks.SUFFIXES)
            if not note and not name.startswith(".") and os.path.isfile(full) and not os.path.islink(full):
                yield name if inside == "." else f"{inside}/{name}"


def _holds_notes(source: Path) -> bool:
    return source.is_dir() and bool(walks.walk(source).found)


def _is_vault(source: Path) -> bool:
    return (source / ".obsidian").is_dir()


OBSIDIAN = Importer(
    "obsidian", "an Obsidian vault: its notes and attachments as they are", _is_vault, read_folder
)
FOLDER = Importer(
    "folder", "a folder of Markdown: its notes and attachments as they are", _holds_notes, read_folder
)
