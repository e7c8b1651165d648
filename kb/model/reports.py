"""What a sync did, and what was wrong with the notes."""

from __future__ import annotations

from enum import StrEnum

from kb.values import dataclass


class Severity(StrEnum):
    """An error costs part of a note; a warning only says what may surprise."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a note, where, and what to do about it."""

    path: str
    line: int
    severity: Severity
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did. `pending` counts passages that still lack a vector; `notice` may say why."""

    added: int = 0
    changed: int = 0
    renamed: int = 0
    deleted: int = 0
    unchanged: int = 0
    passages: int = 0
    links: int = 0
    embedded: int = 0
    pending: int = 0
    problems: tuple[Problem, ...] = ()
    seconds: float = 0.0
    notice: str = ""

    @property
    def touched(self) -> int:
        """Notes whose rows were rewritten or removed."""
        return self.added + self.changed + self.renamed + self.deleted
