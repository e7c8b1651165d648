"""Commands in forked children, which can be killed at a chosen moment or be put under a limit.

Forked from a process that has everything imported, a command begins with its own work: a moment
chosen at random falls into that.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

from kb.cli import COMMANDS, invoke
from kb.notes import exchange, files

_PRELOADED: Final = (
    *(f"kb.{name}" for name in ("sync", "check", "add", "repair", "transfer", "find", "publish", "titles")),
    *("kb.enrich", "kb.enrich.meet", "kb.store.schema", "kb.search.semantic", "kb.search.choose"),
    *("kb.web.wayback", "kb.init", "kb.clipboard"),
    *(f"kb.cli.{module}" for module, _ in COMMANDS.values()),
)
#: What the interpreter says before it changes something on disk.
_CHANGES: Final = frozenset(
    {
        "os.rename",
        "os.link",
        "os.remove",
        "os.mkdir",
        "os.chmod",
        "os.truncate",
        "sqlite3.connect",
        "fcntl.flock",
    }
)


class Done(NamedTuple):
    """How a command ended: status (negative for a signal), what it printed, how long, how many changes."""

    status: int
    text: str
    seconds: float
    changes: int


def preload() -> None:
    """Import what commands need, once, before any child is made."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for name in _PRELOADED:
        import_module(name)


def run(
    args: Sequence[str],
    root: Path,
    *,
    after: float | None = None,
    at: int | None = None,
    before: Callable[[], None] | None = None,
    environ: Mapping[str, str] | None = None,
    timeout: float = 90.0,
) -> Done:
    """Run `kb ARGS` in the folder `root`; SIGKILL it `after` seconds or `at` a change on disk, by count.

    `before` is called in the child first. A command that outlives `timeout` is killed: status -9.
    """
    output, told = os.pipe(), os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _be_the_command(args, root, output[1], told[1], at, before, environ or {})
    os.close(output[1])
    os.close(told[1])
    text = _read_until(output[0], began + (timeout if after is None else after))
    if text is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what it started does not outlive it
    seconds = time.monotonic() - began
    changes = os.read(told[0], 32)
    os.close(output[0])
    os.close(told[0])
    return Done(status, text or "", seconds, int(changes or 0))


def _read_until(handle: int, deadline: float) -> str | None:
    """All that comes until the other end is closed; None where that takes too long."""
    parts: list[bytes] = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([handle], [], [], left)[0]:
            return None
        part = os.read(handle, 65536)
        if not part:
            return b"".join(parts).decode("utf-8", "backslashreplace")
        parts.append(part)


def _be_the_command(
    args: Sequence[str],
    root: Path,
    output: int,
    told: int,
    at: int | None,
    before: Callable[[], None] | None,
    environ: Mapping[str, str],
) -> None:
    status = 99
    try:
        os.setsid()
        os.chdir(root)
        os.environ.update(environ)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        counter = _Counter(at)
        if before is not None:
            before()
        counter.install()
        status = invoke(list(args))
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(told, str(counter.count).encode())
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


class _Counter:
    """Counts changes on disk as they begin, and dies at the one of a given number."""

    def __init__(self, at: int | None) -> None:
        self.count = 0
        self._at = at

    def install(self) -> None:
        sys.addaudithook(self._hear)
        real = exchange.exchange

        def exchanged(one: str, other: str) -> bool:
            self._tick()
            done = real(one, other)
            self._tick()
            return done

        vars(files)["exchange"] = vars(exchange)["exchange"] = exchanged

    def _hear(self, event: str, args: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or event in _CHANGES:
            self._tick()

    def _tick(self) -> None:
        self.count += 1
        if self.count == self._at:
            os.kill(os.getpid(), signal.SIGKILL)
