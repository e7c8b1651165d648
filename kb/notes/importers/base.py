"""What an importer hands over, and what it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kb.model import Problem


@dataclass(frozen=True, slots=True)
class Draft:
    """A note to be: its POSIX path under the notes folder, and its bytes."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Imported:
    """What a source gave."""

    drafts: tuple[Draft, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Importer:
    """One kind of source. `sniff` tells it by name and first bytes; `read` may raise ImportRefused.

    `read` takes the source and whether 7/05/2023 is 7 May.
    """

    name: str
    help: str
    sniff: Callable[[Path], bool]
    read: Callable[[Path, bool], Imported]
