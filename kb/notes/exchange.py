"""Two files change places in one step, where the system can: to replace a file and see what was there.

A rename takes no look at what it replaces; a note that somebody saved an instant before would be
gone. Python has no call for it, so the C library is asked (Linux, `renameat2`).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
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


def give_back(taken: str, real: str, ours: bytes) -> None:
    """Put what an exchange took back into its place, from which ours then goes.

    What somebody saved over ours in the meantime is newer than what was taken, and comes after it.
    """
    there: bytes | None = ours
    putting = _bytes(taken)
    for _ in range(_SAVES):
        exchange(taken, real)
        came = _bytes(taken)
        if came == there:
            return
        there, putting = putting, came


def holds(path: str, data: bytes) -> bool:
    """Whether a file is there, can be read, and holds just these bytes."""
    return _bytes(path) == data


def _bytes(path: str) -> bytes | None:
    try:
        return Path(path).read_bytes()
    except OSError:
        return None
