"""One file of the notes: read, and written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from kb.errors import NoteChanged, NoteExists, NoteUnwritable, UnknownNote
from kb.notes.exchange import exchange, give_back, holds, shut
from kb.notes.walk import inside, reason
from kb.temporary import beside, dress

_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_READING = os.O_RDONLY | _NO_WAIT | getattr(os, "O_BINARY", 0)


def read(root: Path, path: str) -> bytes:
    """Bytes of the note at `path`, relative to `root`.

    UnknownNote when there is none, or when it lies outside of `root`; OSError when it cannot be
    read. Never waits on a FIFO.
    """
    outside = UnknownNote(f"{path!r}: outside of the notes folder")
    if path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise outside
    full = f"{root}/{path}"
    try:
        handle = _open(full)
    except (FileNotFoundError, NotADirectoryError):
        raise UnknownNote(f"{path}: no such note") from None
    try:
        if not inside(_opened(handle, full), _real_root(str(root))) and not inside(
            os.path.realpath(full), os.path.realpath(root)
        ):
            raise outside
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise UnknownNote(f"{path}: is no regular file")
        with open(handle, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(handle)


def _open(full: str) -> int:
    """Without waiting at a FIFO; but at a note that a kb is about to put into its place, for an instant."""
    try:
        return os.open(full, _READING)
    except BlockingIOError:
        if not stat.S_ISREG(os.stat(full).st_mode):
            raise
        return os.open(full, _READING & ~_NO_WAIT)


def _opened(handle: int, full: str) -> str:
    """The real path of an open file: the kernel knows it at once where it has /proc."""
    try:
        return os.readlink(f"/proc/self/fd/{handle}")
    except OSError:
        return os.path.realpath(full)


@lru_cache(maxsize=8)
def _real_root(root: str) -> str:
    return os.path.realpath(root)


def write_atomic(target: Path, data: bytes, *, expected: bytes | None, root: Path | None = None) -> None:
    """Give `target` the bytes `data`, whole or not at all; on any error it is as it was.

    `expected` is what the file must still hold, None that it must not exist yet. A symlink is
    followed and its target written, when that lies under `root` (default: the symlink's folder).
    Mode, owner, group and extended attributes are kept; a hard link is not, since its other names may
    be a snapshot's. Missing folders of a new note are made.
    NoteChanged, NoteExists, NoteUnwritable.
    """
    real = Path(os.path.realpath(target))
    fence = os.path.realpath(root if root is not None else target.parent)
    if not inside(str(real), fence):
        raise NoteUnwritable(f"{target}: leads to {real}, outside of the notebook; nothing was written")
    try:
        if expected is None:
            real.parent.mkdir(parents=True, exist_ok=True)
            _write_new(target, real, data)
        else:
            _replace(target, real, data, expected)
    except OSError as error:
        raise NoteUnwritable(f"{target}: cannot be written: {reason(error)}") from error


def _write_new(target: Path, real: Path, data: bytes) -> None:
    with _temporary(real, data) as (temporary, _):
        try:
            if os.path.lexists(real):
                raise FileExistsError
            try:
                os.link(temporary, real)  # fails when the name is taken, unlike a rename
            except FileExistsError:
                raise
            except OSError:  # a file system without hard links
                os.replace(temporary, real)
        except FileExistsError:
            raise NoteExists(f"{target}: a file of this name is there already; nothing was written") from None
    _sync_folder(real.parent)


def _replace(target: Path, real: Path, data: bytes, expected: bytes) -> None:
    status = _check_unchanged(target, real, expected)
    # Root may write what nobody may; others may replace what they may not write.
    if not (stat.S_IMODE(status.st_mode) & 0o222 and os.access(real, os.W_OK)):
        raise NoteUnwritable(f"{target}: is read-only; nothing was written", hint=f"chmod u+w {target}")
    if data == expected:
        return
    with _temporary(real, data, like=real) as (temporary, ours):
        # As late as can be: an editor may have saved while the disk was busy.
        _check_unchanged(target, real, expected)
        _put(temporary, ours, str(real), expected, _changed(target))
    _sync_folder(real.parent)


def _put(temporary: str, ours: int, real: str, expected: bytes, changed: NoteChanged) -> None:
    """Move the new bytes into their place, unless something else stands there by now."""
    try:
        with shut(ours):
            if not exchange(temporary, real):
                os.replace(temporary, real)
            elif not holds(temporary, expected):
                # Saved between the last look and the exchange: theirs goes back, and ours out.
                give_back(temporary, real, ours)
                raise changed
    except FileNotFoundError:
        raise changed from None


def _changed(target: Path) -> NoteChanged:
    return NoteChanged(f"{target}: changed since it was read; nothing was written", hint="run it again")


def _check_unchanged(target: Path, real: Path, expected: bytes) -> os.stat_result:
    changed = _changed(target)
    try:
        status = os.stat(real)
        if not stat.S_ISREG(status.st_mode):
            raise NoteUnwritable(f"{target}: is no regular file")
        if status.st_size != len(expected) or real.read_bytes() != expected:
            raise changed
    except FileNotFoundError:
        raise changed from None
    return status


@contextlib.contextmanager
def _temporary(real: Path, data: bytes, *, like: Path | None = None) -> Iterator[tuple[str, int]]:
    """A synced file with `data` beside `real`, dressed as `like`; without it, as the umask has it.

    Its name, which is nobody's after the block, and a handle of it.
    """
    # As tempfile does it, whose import every search would pay for.
    name = beside(real)
    handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with open(handle, "wb", closefd=False) as file:
            file.write(data)
        if like is None:
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(name, 0o666 & ~umask)
        else:
            dress(name, like)
        os.fsync(handle)
        yield name, handle
    finally:
        os.close(handle)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable. Not every file system lets a folder be synced."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
