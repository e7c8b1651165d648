"""What a backup is made of: the manifest that it begins with, and the files that it may hold."""

from __future__ import annotations

from hashlib import blake2b
from typing import IO

from kb.notes.walk import SKIPPED_FOLDERS
from kb.values import dataclass

MANIFEST = "kb-backup.json"
VERSION = 1
_DOTTED = frozenset({".gitignore", ".gitattributes", ".templates", ".gitkeep"})


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a backup: path in the notebook, bytes, blake2b-16 hex, permissions, mtime in seconds."""

    path: str
    size: int
    digest: str
    mode: int
    mtime: int


def may_stand(path: str) -> bool:
    """Whether a backup may hold a file of this name: nothing hidden, nothing outside, nothing derived."""
    parts = path.split("/")
    return all(
        part not in ("", "..") and part not in SKIPPED_FOLDERS and (part[0] != "." or part in _DOTTED)
        for part in parts
    ) and not any(ord(char) < 32 or ord(char) == 127 or char == "\\" for char in path)


def copied(source: IO[bytes], target: IO[bytes] | None) -> str:
    """The digest of what is left to read, which goes to `target` on the way. No file is held in memory."""
    hashed = blake2b(digest_size=16)
    while block := source.read(1024 * 1024):
        hashed.update(block)
        if target is not None:
            target.write(block)
    return hashed.hexdigest()


def plain_mode(mode: int) -> int:
    """What a backup tells of a file's mode: who may read and run it, and that its owner may write it."""
    return mode & 0o755 | 0o600
