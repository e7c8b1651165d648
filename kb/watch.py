"""Wait for changes under the notes folder: the system tells of them, and a look now and then makes sure."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event

from watchfiles import Change, watch

from kb.notes.walk import SKIPPED_FOLDERS, SUFFIXES
from kb.temporary import PREFIX

#: Milliseconds: a burst of saves is told at once when it has been quiet for so long, or lasts so long.
QUIET_MS, BURST_MS = 50, 400
#: Seconds between two looks that no event asked for: network disks tell of nothing, and the
#: ledger, which git may bring anew, lies elsewhere.
LOOK_ANYWAY = 5.0
#: Where Linux says how many folders it tells one person of.
LIMITS = ("/proc/sys/fs/inotify/max_user_watches", "/proc/sys/user/max_inotify_watches")


def changes(notes: Path, stop: Event | None = None) -> Iterator[bool]:
    """True when a note may have changed, False when it is time to look anyway; ends on Ctrl-C or `stop`.

    Survives that the folder is gone for a while, or is another than it was.
    """
    stop = stop or Event()
    while not stop.is_set():
        place = _identity(notes)
        if place is None:
            if stop.wait(min(LOOK_ANYWAY, 1.0)):
                return
            continue
        for found in watch(
            os.path.realpath(notes),
            watch_filter=_of_notes(notes),
            debounce=BURST_MS,
            step=QUIET_MS,
            rust_timeout=int(LOOK_ANYWAY * 1000),
            yield_on_timeout=True,
            stop_event=stop,
            raise_interrupt=True,
            ignore_permission_denied=True,
        ):
            yield bool(found)
            if _identity(notes) != place:
                break  # what was watched is no longer there


def shortfall(notes: Path) -> tuple[int, int] | None:
    """(folders below, folders that the system tells of) where the second are fewer; else None.

    Beyond what Linux allows a person, watching fails without a word, and only the look now and then is left.
    """
    allowed = []
    for path in LIMITS:
        with suppress(OSError, ValueError):
            allowed.append(int(Path(path).read_text()))
    if not allowed:
        return None
    folders = sum(1 for _ in os.walk(notes))
    return (folders, min(allowed)) if folders > min(allowed) else None


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _of_notes(notes: Path) -> Callable[[Change, str], bool]:
    """Notes and folders (one may be moved with all its notes), but nothing hidden and no file of our own."""
    above = len(Path(os.path.realpath(notes)).parts)

    def wanted(change: Change, path: str) -> bool:
        parts = Path(path).parts[above:]
        if any(part in SKIPPED_FOLDERS or (part[:1] == "." and part != ".") for part in parts):
            return False
        name = parts[-1] if parts else ""
        return not name.startswith(PREFIX) and ("." not in name or name.lower().endswith(SUFFIXES))

    return wanted
