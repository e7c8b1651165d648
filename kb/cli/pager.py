"""Long output on a terminal, in the person's pager."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from io import BytesIO
from itertools import chain

from kb.cli.render import coloured


def show(text: str, more: Iterable[str] = ()) -> bool:
    """Show `text` in the pager if the terminal is too low for it; False where it is still to be printed.

    `more` comes below it, each on lines of its own, as far as the person reads.
    `KB_PAGER`, then `PAGER`, name it (empty or `cat` for none); else it is `less -FRX`.
    """
    try:
        rows = os.get_terminal_size(sys.stdout.fileno()).lines
    except (OSError, ValueError):
        return False
    command = _pager()
    if not command or not rows or text.count("\n") + 1 < rows:
        return False
    with suppress(ValueError, OSError):
        sys.stdout.flush()
        return _run(command, chain((text,), more))
    return False


def _pager() -> list[str]:
    named = next((os.environ[name] for name in ("KB_PAGER", "PAGER") if name in os.environ), "less")
    try:
        command = shlex.split(named)
    except ValueError:  # an open quotation mark
        return []
    return [] if not command or command == ["cat"] or os.environ.get("TERM") == "dumb" else command


def _run(command: list[str], pieces: Iterable[str]) -> bool:
    # As git does: a pager that is less shows colours, ends by itself and leaves the screen as it is.
    flags = {"LESS": "FRX", "LV": "-c"} if coloured() else {"LESS": "FX"}
    pager = subprocess.Popen(command, stdin=subprocess.PIPE, env={**flags, **os.environ})  # noqa: S603 - the person's
    # Ctrl-C is the pager's while it runs.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with suppress(BrokenPipeError), pager.stdin or BytesIO() as stdin:
            for piece in pieces:
                stdin.write((piece + "\n").encode("utf-8", "replace"))
    finally:
        pager.wait()
        signal.signal(signal.SIGINT, before)
    return True
