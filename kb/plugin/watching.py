"""What `mkdocs serve` does not see by itself: the ledger, the settings, new folders, and a folder come back.

MkDocs looks at the folders and files that it was told of at its start, and gives each up for good once it
is gone for a moment, as a file is while some editors save it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

from mkdocs.livereload import LiveReloadServer

#: Seconds between two looks, as MkDocs has it; where there are many folders, so many times what a look takes.
PAUSE, SHARE = 0.5, 50


class Sight(NamedTuple):
    """What a look finds: (size, mtime) of each file, None where it is not; and folders to watch."""

    files: tuple[tuple[int, int] | None, ...]
    folders: frozenset[str]


def seen(files: tuple[Path, ...], folders: frozenset[str]) -> Sight:
    """What there is now."""
    return Sight(tuple(map(_signature, files)), folders)


def start(server: LiveReloadServer, look: Callable[[], Sight]) -> Event:
    """Look now and then, in a thread of its own, until the event is set. Each change asks for a build."""
    stop, first = Event(), look()
    for folder in first.folders:
        _watch(server, folder)
    Thread(target=_keep_looking, args=(server, look, first, stop), daemon=True).start()
    return stop


def _keep_looking(server: LiveReloadServer, look: Callable[[], Sight], last: Sight, stop: Event) -> None:
    took = 0.0
    while not stop.wait(max(PAUSE, SHARE * took)):
        if not server.observer.is_alive():  # not yet begun, or over
            continue
        began = time.monotonic()
        found = look()
        took = time.monotonic() - began
        for folder in found.folders - last.folders:
            _watch(server, folder)
        revived = _revive(server)
        if revived or found != last:
            _ask(server)
        last = found


def _watch(server: LiveReloadServer, folder: str) -> None:
    if folder not in server._watched_paths:
        with suppress(OSError):  # gone again: the next look finds it anew
            server.watch(folder, recursive=False)


def _revive(server: LiveReloadServer) -> bool:
    """Watch again what was given up and is there again; whether there was any."""
    given_up = [emitter.watch for emitter in list(server.observer.emitters) if not emitter.is_alive()]
    revived = False
    for watch in given_up:
        path = os.fsdecode(watch.path)
        if os.path.exists(path):
            while path in server._watched_paths:
                server.unwatch(path)
            with suppress(OSError):
                server.watch(path, recursive=watch.is_recursive)
                revived = True
    return revived


def _ask(server: LiveReloadServer) -> None:
    with server._rebuild_cond:  # MkDocs has no other way in
        server._want_rebuild = True
        server._rebuild_cond.notify_all()


def _signature(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
