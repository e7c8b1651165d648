"""Planned edits of notes, written: each note whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from kb.config import Settings
from kb.errors import NoteError
from kb.model.reports import Problem, Severity
from kb.notes.files import write_atomic
from kb.store import lock


class Edit(Protocol):
    """A note as it was read and as it is to be."""

    @property
    def path(self) -> str:
        """Where it lies in the notes folder."""

    @property
    def before(self) -> bytes:
        """Its bytes when the edit was planned."""

    @property
    def after(self) -> bytes:
        """Its bytes to be."""


@dataclass(slots=True)
class Applied:
    """What was written, and the notes that could not be."""

    written: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def apply_edits(edits: Iterable[Edit], settings: Settings) -> Applied:
    """Write what was planned; a note that changed meanwhile is left alone and told. StoreBusy."""
    done = Applied()
    with lock.hold(settings.derived / "notes.lock"):
        for one in edits:
            try:
                write_atomic(settings.notes / one.path, one.after, expected=one.before, root=settings.notes)
            except NoteError as error:
                done.problems.append(Problem(one.path, 1, Severity.ERROR, str(error), error.hint))
            else:
                done.written.append(one.path)
    return done
