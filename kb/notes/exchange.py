"""Two files change places in one step, where the system can: to replace a file and see what was there.

A rename takes no look at what it replaces; a note that somebody saved an instant before would be
gone. Python has no call for it, so the C library is asked (Linux, `renameat2`).

What was there is seen only when the new file stands in its place already. Nobody may read that
file before it is known to be right, or they would go on from a text that we take back: it is kept
shut by a lease (Linux, `F_SETLEASE` of fcntl(2)), at which whoever opens it waits.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_CANNOT = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM})
# Saves that may fall between two exchanges before we stop giving way; nobody types so fast.
_SAVES = 16


def exchange(one: str, other: str) -> bool:
    """Let two files change places; False where system or file system cannot. OSError, as a rename."""
    call = _call()
    if call is None:
        return False
    if call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    code = _errno()
    if code in _CANNOT:
        return False
    raise OSError(code, os.strerror(code), other)


@lru_cache(maxsize=1)
def _call() -> Callable[..., int] | None:
    import ctypes  # 5 ms, which only a write of a note need pay

    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # another system, or an old C library
        return None
    call.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    call.restype = ctypes.c_int
    return call


def _errno() -> int:
    from ctypes import get_errno

    return get_errno()


@contextmanager
def shut(ours: int) -> Iterator[None]:
    """Nobody else can open our own new file, of this handle, until the block ends: they wait.

    Who will not wait (`O_NONBLOCK`) is refused with EAGAIN. Where system, file system or owner do not
    allow a lease, the file is open to all, as ever.
    """
    leased = _lease(ours)
    try:
        yield
    finally:
        if leased:
            _release(ours)


def _lease(handle: int) -> bool:
    try:
        import fcntl
        import signal

        # Who waits is told of by a signal, SIGIO, which would end us; this one is passed over.
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except (ImportError, AttributeError, OSError):  # another system; another's file; a network's
        return False
    return True


def _release(handle: int) -> None:
    import fcntl

    with suppress(OSError):
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def give_back(taken: str, real: str, ours: int) -> None:
    """Put what an exchange took back into its place, from which ours, a handle, then goes.

    What somebody saved over ours in the meantime is newer than what was taken, and comes after it.
    Who waits to read ours gets the newest that we have seen.
    """
    us = there = _identity(os.fstat(ours))
    putting, newest = _identity(os.lstat(taken)), _bytes(taken)
    for _ in range(_SAVES):
        exchange(taken, real)
        came = _identity(os.lstat(taken))
        if came == there:
            break
        if came != us:  # which nobody can read, not even we
            newest = _bytes(taken)
        there, putting = putting, came
    if newest is not None:
        with suppress(OSError):  # a full disk
            os.ftruncate(ours, os.pwrite(ours, newest, 0))


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def holds(path: str, data: bytes) -> bool:
    """Whether a file is there, can be read, and holds just these bytes."""
    return _bytes(path) == data


def _bytes(path: str) -> bytes | None:
    try:
        return Path(path).read_bytes()
    except OSError:
        return None
