"""Import and export: other tools' files -> notes, planned first, shown, then written; and back.

Nothing is ever overwritten unless asked; importing twice adds nothing.
"""

from __future__ import annotations

import errno
import filecmp
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from kb import urls
from kb.errors import ImportRefused, NoteError, NoteUnwritable
from kb.model.links import LinkRecord
from kb.model.reports import Problem, Severity
from kb.notes import exporters, files, importers
from kb.notes.exporters import Exported
from kb.notes.importers import Attachment, Draft
from kb.notes.importers.marks import SCHEMES, lacking
from kb.notes.walk import reason
from kb.temporary import replacing


@dataclass(frozen=True, slots=True)
class Write:
    """A note to write; `before` is what stands there now, None for nothing."""

    draft: Draft
    before: bytes | None


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do. Paths are relative to `root`, the notes folder.

    `same` are files that already stand there byte for byte; `refused` are files that stand there
    and differ. `copies` are attachments, read only when they are written. Paths of problems with
    the source are absolute.
    """

    root: Path
    importer: str
    writes: tuple[Write, ...]
    same: tuple[str, ...]
    refused: tuple[str, ...]
    problems: tuple[Problem, ...]
    copies: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did."""

    written: tuple[str, ...]
    problems: tuple[Problem, ...]


def plan_import(
    source: Path,
    notes_root: Path,
    *,
    overwrite: bool = False,
    day_first: bool = False,
    importer: str | None = None,
) -> ImportPlan:
    """Read a source and lay it against the notes. Writes nothing. ImportRefused.

    `importer` names one; without it the source tells.
    """
    chosen = importers.named(importer, source) if importer else importers.find(source)
    _check_apart(source, notes_root)
    imported = chosen.read(source, day_first)
    if not imported.drafts:
        raise ImportRefused(f"{source}: holds nothing to import")
    writes: list[Write] = []
    same: list[str] = []
    refused: list[str] = []
    paths = {draft.path for draft in imported.drafts}
    for wanted in imported.drafts:
        draft = wanted if overwrite else _beside(notes_root, wanted, paths)
        before = _standing(notes_root, draft.path)
        if before == draft.data:
            same.append(draft.path)
        elif before is None or overwrite:
            writes.append(Write(draft, before))
        else:
            refused.append(draft.path)
    copies: list[Attachment] = []
    for attachment in imported.attachments:
        target = notes_root / attachment.path
        if not target.exists():
            copies.append(attachment)
        elif target.is_file() and filecmp.cmp(attachment.origin, target, shallow=False):
            same.append(attachment.path)
        else:
            # --overwrite speaks of notes, which can be had again from the source.
            refused.append(attachment.path)
    # What a note that stands there already has, every sync says.
    known = {draft.path for draft in imported.drafts if draft.copy}.intersection(same)
    faults = [one for one in imported.problems if one.path not in known]
    problems = [*_in_source(faults, source), *map(_refused, refused)]
    return ImportPlan(
        notes_root,
        chosen.name,
        tuple(writes),
        tuple(same),
        tuple(refused),
        tuple(problems),
        tuple(copies),
    )


def _beside(root: Path, draft: Draft, taken: set[str]) -> Draft:
    """A list of bookmarks as it is; where a note of its name stands, what that lacks, under the next name.

    Two exports of one tool, or of two, name their lists alike: a bookmark must not be lost by that.
    """
    free, number = draft, 1
    while draft.listed and (before := _standing(root, free.path)) not in (None, free.data):
        rest = lacking(free, before or b"")
        if rest is None:
            return replace(free, data=before or b"")
        while number == 1 or free.path in taken:
            number += 1
            free = replace(rest, path=f"{draft.path.removesuffix('.md')}-{number}.md")
        taken = taken | {free.path}
    return free


def _check_apart(source: Path, notes_root: Path) -> None:
    here, root = source.resolve(), notes_root.resolve()
    if here.is_dir() and (here.is_relative_to(root) or root.is_relative_to(here)):
        raise ImportRefused(
            f"{source}: the notes folder {notes_root} is in it, or it is in that; nothing was read",
            hint="kb init adopts a folder of Markdown where it lies; kb sync reads the notes folder",
        )


def _in_source(problems: Sequence[Problem], source: Path) -> list[Problem]:
    folder = source.is_dir()
    return [replace(one, path=str((source / one.path if folder else source).absolute())) for one in problems]


def _refused(path: str) -> Problem:
    return Problem(
        path,
        0,
        Severity.WARNING,
        "a file of this name stands there and differs; it was left alone",
        "--overwrite replaces a note",
    )


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
    for copy in plan.copies:
        try:
            data = copy.origin.read_bytes()
            files.write_atomic(plan.root / copy.path, data, expected=None, root=plan.root)
            written.append(copy.path)
        except (NoteError, OSError) as error:
            problems.append(Problem(copy.path, 0, Severity.ERROR, str(error)))
    return ImportReport(tuple(written), tuple(problems))


# -- export ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Export:
    """Links as another tool reads them.

    `private` counts those left out because they stand in private notes only; `other` those that
    lead nowhere outside of the notebook, or that the format has no place for.
    """

    text: str
    count: int
    private: int
    other: int


def export(
    records: Iterable[LinkRecord],
    tags: Mapping[str, tuple[str, ...]],
    format: str,
    *,
    private: bool = False,
    out: Callable[[str], object] | None = None,
) -> Export:
    """`records` in a format, those that lead out of the notebook. UsageError for an unknown format.

    With `out`, each piece is handed to it as it comes, and none is kept. `tags` are those of each
    note. A file made for others must not name what is private: such mentions, and links that have
    no other, are left out unless `private`.
    """
    exporter = exporters.named(format)
    count = hidden = other = 0

    def links() -> Iterator[Exported]:
        nonlocal count, hidden, other
        for record in records:
            mentions = tuple(one for one in record.mentions if private or not one.private)
            if not mentions:
                hidden += 1
                continue
            link = _exported(replace(record, mentions=mentions), tags)
            if urls.scheme(link.url) in SCHEMES and exporter.takes(record):
                count += 1
                yield link
            else:
                other += 1

    pieces = exporter.write(links())
    text = ""
    if out is None:
        text = "".join(pieces)
    else:
        for piece in pieces:
            out(piece)
    return Export(text, count, hidden, other)


def _exported(record: LinkRecord, tags: Mapping[str, tuple[str, ...]]) -> Exported:
    first = record.mentions[0]
    dates = (date for one in record.mentions for date in (one.noted, one.date) if date is not None)
    title = record.facts.title or ("" if first.anchor in (first.url, record.url) else first.anchor)
    words = (tag for one in record.mentions for tag in tags.get(one.path, ()))
    return Exported(
        urls.safe_display(record.address), title, next(dates, None), tuple(dict.fromkeys(words)), record
    )


@contextmanager
def writing(path: Path) -> Iterator[Callable[[str], object]]:
    """What writes an export's pieces into a file: whole or not at all; what stood there is replaced.

    A symlink is replaced too, not followed. NoteUnwritable.
    """
    try:
        if path.exists() and not path.is_file():  # a folder, or /dev/null
            raise OSError(errno.EEXIST, "something that is no plain file stands there")
        if path.is_file() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        kept = path.is_file() and not path.is_symlink()
        with replacing(path, like=path if kept else None, durable=True) as file:
            yield lambda text: file.write(text.encode("utf-8", "replace"))
    except OSError as error:
        raise NoteUnwritable(f"{path}: cannot be written: {reason(error)}") from error
