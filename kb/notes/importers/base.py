"""What an importer hands over, and what it is made of."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from kb.errors import ImportRefused
from kb.model.reports import Problem

#: A source other than Markdown is read whole; a larger one is no list of bookmarks.
MAX_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Draft:
    """A note to be: its POSIX path under the notes folder, and its bytes.

    `copy` says that the bytes are those of a file of the source, untouched; `listed`, that it is a
    list of bookmarks, a bullet each, and that what a note of that name lacks may stand in another.
    """

    path: str
    data: bytes
    copy: bool = False
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a note shows or links to, to be copied as it is: POSIX path, and where it lies."""

    path: str
    origin: Path


@dataclass(frozen=True, slots=True)
class Imported:
    """What a source gave. Paths of `problems` are relative to the source, `.` the source itself."""

    drafts: tuple[Draft, ...]
    problems: tuple[Problem, ...] = ()
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Importer:
    """One kind of source. `sniff` tells it by name and first bytes; `read` may raise ImportRefused.

    `read` takes the source and whether 7/05/2023 is 7 May.
    """

    name: str
    help: str
    sniff: Callable[[Path], bool]
    read: Callable[[Path, bool], Imported]


def read_file(source: Path) -> bytes:
    """The bytes of a regular file. ImportRefused where they cannot be had."""
    try:
        if not source.is_file():
            raise ImportRefused(f"{source}: is no file")
        if source.stat().st_size > MAX_BYTES:
            raise ImportRefused(f"{source}: is larger than {MAX_BYTES // 2**20} MiB")
        return source.read_bytes()
    except OSError as error:
        raise ImportRefused(f"{source}: cannot be read: {error.strerror}") from error


def head(source: Path, size: int = 4096) -> bytes:
    """The first bytes of a file, to tell its kind by; empty for anything else."""
    try:
        if not source.is_file():
            return b""
        with source.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""


def slugify(text: str) -> str:
    """A file name's stem: letters and digits of any script, lower case, joined by hyphens."""
    folded = unicodedata.normalize("NFKD", text).lower()
    folded = "".join(char for char in folded if not unicodedata.combining(char))
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", folded))
    return "-".join(words)[:60].strip("-") or "note"


def free(base: str, taken: Iterable[str]) -> str:
    """`base.md`, or the first of `base-2.md`, `base-3.md` ... that is not taken."""
    path, number = f"{base}.md", 1
    while path in taken:
        number += 1
        path = f"{base}-{number}.md"
    return path
