"""Files that are being written: what they are called, and which of them a killed process left behind.

A file is written under such a name beside its place, then moved there whole. The name tells whose
it is, so that one whose writer is gone can be cleared away by whoever comes next.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

#: What every such name begins and ends with.
PREFIX, SUFFIX = ".kb-", ".tmp"
_NAME = re.compile(r"\.kb-(\d{1,19})-[0-9a-f]{16}\.tmp\Z")

#: A process of another machine or container may write here too, and is none of ours to look up.
LEFT_SECONDS = 60.0


def beside(path: str | os.PathLike[str]) -> str:
    """A new name beside `path`, in the same folder. Nothing is made."""
    return os.path.join(os.path.dirname(path), f".kb-{os.getpid()}-{os.urandom(8).hex()}.tmp")


@contextmanager
def replacing(
    path: str | os.PathLike[str],
    *,
    mode: int | None = None,
    like: str | os.PathLike[str] | None = None,
    durable: bool = False,
) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of `path` once the block has ended: whole or not at all.

    A symlink at `path` is replaced, not followed. `mode` is the file's from its beginning (None: as the umask
    has it); or it is dressed as the file `like`. `durable` has its bytes on the disk before it takes its
    place. OSError, which names `path` and not the file beside it.
    """
    temporary = beside(path)
    try:
        first = 0o666 if mode is None and like is None else 0o600
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, first)
        try:
            with open(handle, "wb") as file:
                if mode is not None:
                    os.chmod(temporary, mode)
                elif like is not None:
                    dress(temporary, like)
                yield file
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        if error.filename != temporary:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def dress(path: str | os.PathLike[str], like: str | os.PathLike[str]) -> None:
    """Give the file at `path` the owner, group, mode and extended attributes of that at `like`.

    So far as this user may: where the group cannot be kept, the new one may do what all others may.
    Access lists are extended attributes. OSError where `like` is gone, or the mode cannot be set.
    """
    there, here = os.stat(like), os.stat(path)
    mode = stat.S_IMODE(there.st_mode)
    if here.st_uid != there.st_uid:
        with suppress(OSError):
            os.chown(path, there.st_uid, -1)
    if here.st_gid != there.st_gid:
        try:
            os.chown(path, -1, there.st_gid)
        except OSError:
            mode = mode & ~(stat.S_IRWXG | stat.S_ISGID) | (mode & stat.S_IRWXO) << 3
    if hasattr(os, "listxattr"):
        with suppress(OSError):  # a file system without
            _copy_attributes(path, like)
    os.chmod(path, mode)  # last: a change of owner, and of access list, changes it


def _copy_attributes(path: str | os.PathLike[str], like: str | os.PathLike[str]) -> None:
    there = os.listxattr(like)
    for name in os.listxattr(path):
        # What the folder hands down, its default access list say, is not always the file's own.
        if name not in there and not name.startswith("security."):
            with suppress(OSError):
                os.removexattr(path, name)
    for name in there:
        with suppress(OSError):
            os.setxattr(path, name, os.getxattr(like, name))


def is_temporary(name: str) -> bool:
    """Whether a file of this name is, or was, being written by a kb."""
    return name.startswith(".kb-") and _NAME.match(name) is not None


def clear(files: Iterable[Path]) -> int:
    """Delete those of the files whose writer is gone; how many. What cannot be deleted stays."""
    count = 0
    for file in files:
        with suppress(OSError):
            if _is_left(file):
                file.unlink()
                count += 1
    return count


def clear_folders(folders: Iterable[Path]) -> int:
    """The same for all that lie in the folders themselves, not below them."""
    return clear(file for folder in folders for file in _temporary_in(folder))


def left_in(folder: Path) -> list[Path]:
    """What lies in the folder itself whose writer is gone, files and folders. Nothing is deleted."""
    found: list[Path] = []
    for path in _temporary_in(folder):
        with suppress(OSError):
            if _is_left(path):
                found.append(path)
    return found


def _temporary_in(folder: Path) -> list[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        return [folder / entry.name for entry in entries if is_temporary(entry.name)]
    return []


def _is_left(file: Path) -> bool:
    match = _NAME.match(file.name)
    if match is None or time.time() - file.lstat().st_mtime < LEFT_SECONDS:
        return False
    try:
        os.kill(int(match[1]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:  # somebody else's, and alive
        return False
    return False
