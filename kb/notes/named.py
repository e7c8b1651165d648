"""What a person means by a path: as printed, as typed here, or as it stands under the notes folder."""

from __future__ import annotations

from pathlib import Path

from kb.errors import UnknownNote
from kb.notes.walk import SKIPPED_FOLDERS, SUFFIXES, walk

#: What to do who means a note that is none.
LISTED = "name one as `kb links` prints it"


def named(notes: Path, text: str, here: Path) -> str | None:
    """The note or folder meant by `text`, relative to the notes folder; `.` for the whole. None if none is.

    Taken from `here` first, then from the notes folder, a note's `.md` given or not. What the
    notes are never read from (a dot-folder, another kind of file) is not meant.
    """
    if not text.strip() or "\0" in text:
        return None
    inside = notes.resolve()
    for base in (here, notes):
        whole = base / text
        for path in (whole, whole.parent / f"{whole.name}.md"):
            try:
                real = path.resolve()
            except (OSError, RuntimeError):  # a circle of links
                continue
            if real.is_relative_to(inside) and (real.is_dir() or _is_note(real)):
                relative = real.relative_to(inside)
                if not any(part.startswith(".") or part in SKIPPED_FOLDERS for part in relative.parts):
                    return relative.as_posix()
    return None


def named_place(notes: Path, typed: str, here: Path, otherwise: str = LISTED) -> str:
    """The same; UnknownNote if none is meant, with what was probably meant, or else with that advice."""
    meant = named(notes, typed, here)
    if meant is None:
        near = alike(notes, typed)
        raise UnknownNote(
            f"{typed}: no such note or folder in {notes}", hint=f"did you mean {near}?" if near else otherwise
        )
    return meant


def named_note(notes: Path, typed: str, here: Path, otherwise: str = LISTED) -> str:
    """The note meant, as `named_place` tells it. UnknownNote for a folder too."""
    meant = named_place(notes, typed, here, otherwise)
    if (notes / meant).is_dir():
        raise UnknownNote(f"{typed} is a folder", hint="name a note in it")
    return meant


def _is_note(path: Path) -> bool:
    return path.is_file() and path.name.lower().endswith(SUFFIXES)


def alike(notes: Path, text: str) -> str | None:
    """The note whose path or name is spelled most like `text`; None if none is."""
    from difflib import get_close_matches  # 5 ms, needed only to word an error

    paths = [found.path for found in walk(notes).found]
    wanted = text.removeprefix(f"{notes.name}/").casefold()
    by_name: dict[str, str] = {}
    for path in reversed(paths):
        stem = path.rpartition(".")[0].casefold()
        by_name |= {stem.rpartition("/")[2]: path, stem: path, path.casefold(): path}
    for name in (wanted, wanted.rpartition("/")[2].removesuffix(".md")):
        if close := get_close_matches(name, by_name, n=1, cutoff=0.7):
            return by_name[close[0]]
    return None
