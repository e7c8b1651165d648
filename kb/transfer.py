"""Import: other people's files -> notes. Planned first, shown, then written.

Nothing is ever overwritten unless asked; importing twice adds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kb.errors import ImportRefused, NoteError
from kb.model import Problem, Severity
from kb.notes import files, importers
from kb.notes.importers import Draft


@dataclass(frozen=True, slots=True)
class Write:
    """A note to write; `before` is what stands there now, None for nothing."""

    draft: Draft
    before: bytes | None


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do. Paths are relative to `root`, the notes folder.

    `same` are notes that already stand there byte for byte; `refused` are notes that stand there
    and differ.
    """

    root: Path
    importer: str
    writes: tuple[Write, ...]
    same: tuple[str, ...]
    refused: tuple[str, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did."""

    written: tuple[str, ...]
    problems: tuple[Problem, ...]


def plan_import(
    source: Path, notes_root: Path, *, overwrite: bool = False, day_first: bool = False
) -> ImportPlan:
    """Read a source and lay it against the notes. Writes nothing. ImportRefused."""
    importer = importers.find(source)
    imported = importer.read(source, day_first)
    if not imported.drafts:
        raise ImportRefused(f"{source}: holds nothing to import")
    writes: list[Write] = []
    same: list[str] = []
    refused: list[str] = []
    problems = list(imported.problems)
    for draft in imported.drafts:
        before = _standing(notes_root, draft.path)
        if before == draft.data:
            same.append(draft.path)
        elif before is None or overwrite:
            writes.append(Write(draft, before))
        else:
            refused.append(draft.path)
            problems.append(
                Problem(
                    draft.path,
                    1,
                    Severity.WARNING,
                    "a note of this name stands there and differs; it was left alone",
                    "--overwrite replaces it",
                )
            )
    return ImportPlan(notes_root, importer.name, tuple(writes), tuple(same), tuple(refused), tuple(problems))


def _standing(root: Path, path: str) -> bytes | None:
    try:
        return (root / path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ImportRefused(f"{path}: what stands there cannot be read: {error.strerror}") from error


def apply_import(plan: ImportPlan) -> ImportReport:
    """Write what was planned. A note that changed meanwhile is left alone and said."""
    written: list[str] = []
    problems: list[Problem] = []
    for write in plan.writes:
        target = plan.root / write.draft.path
        try:
            files.write_atomic(target, write.draft.data, expected=write.before, root=plan.root)
            written.append(write.draft.path)
        except NoteError as error:
            problems.append(Problem(write.draft.path, 1, Severity.ERROR, str(error), error.hint))
    return ImportReport(tuple(written), tuple(problems))
