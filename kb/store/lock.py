"""The notebook's locks: two syncs queue, and so do two writers of the ledger.

`flock` on a small file under `.kb/`: the kernel lets go of it when its holder dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kb.errors import StoreBusy, StoreError

#: Seconds to wait for another kb before giving up.
WAIT = 30.0
_PAUSE = 0.02


@contextmanager
def hold(path: Path, wait: float = WAIT) -> Iterator[None]:
    """Hold the lock at `path` for the block. StoreBusy if another holds it for longer than `wait` seconds."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be opened ({error.strerror})", hint="is the notebook read-only?"
        ) from None
    try:
        deadline = time.monotonic() + wait
        while not _taken(handle):
            if time.monotonic() >= deadline:
                raise StoreBusy(
                    f"another kb has been at work in this notebook for {wait:g} s",
                    hint="wait until it has finished, and try again",
                )
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
