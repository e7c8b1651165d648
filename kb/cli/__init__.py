"""The command line: parse arguments, ask the KnowledgeBase, print. No logic lives here.

A command is loaded when it is called, and click with it: a search that is typed as searches mostly
are is understood by `quick`, which takes a tenth of the time that click takes to be imported.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import Any, NoReturn

from kb.cli.clean import plain as one_line
from kb.errors import KbError

# name -> (module under kb.cli, one line for `kb --help`); a test holds the lines against the commands
COMMANDS: dict[str, tuple[str, str]] = {
    "search": ("search", "Find the passages that answer, by words and by meaning."),
    "open": ("open", "Open a hit of the last search in your editor or browser."),
    "related": ("related", "Show what is near in meaning to a note or a passage."),
    "glossary": ("glossary", "Show the terms: expansion, definition, where used."),
    "show": ("show", "Print the saved text of a linked page."),
    "new": ("new", "Start a dated note and open it in your editor."),
    "add-link": ("add_link", "Append links to today's note, with their titles."),
    "import": ("import_notes", "Make notes of a page, a folder, a site or bookmarks."),
    "export": ("export", "Write the links as JSON Lines, CSV, bookmarks.html or BibTeX."),
    "links": ("links", "List the links of the notes with their standing."),
    "check-links": ("check_links", "Look at the links that are due, and tell which have died."),
    "repair": ("repair", "Rewrite moved links, and dead ones to archived copies."),
    "enrich": ("enrich", "Fetch titles, facts and readable text of linked pages."),
    "log": ("log", "Show what changed lately: links that died or moved, notes written."),
    "stats": ("stats", "Count links and notes, and plot how links rot."),
    "init": ("init", "Make a notebook in a folder."),
    "sync": ("sync", "Read changed notes into the store and embed them."),
    "site": ("site", "Write the site's pages as plain Markdown, for any generator."),
    "mcp": ("mcp", "Serve the notebook to a language model's client."),
    "doctor": ("doctor", "Look for what is wrong with the notebook, and say what to type."),
    "backup": ("backup", "Write all that cannot be made again to one file."),
    "restore": ("restore", "Bring a notebook back from such a file."),
    "config": ("config", "Show the settings and where each comes from, or set one."),
    "completion": ("completion", "Print the script that completes kb in your shell."),
}


class Session:
    """What the options before the command said."""

    def __init__(self) -> None:
        self.root: str | None = os.environ.get("KB_ROOT") or None
        self.quiet = False
        self.pager = True
        self.given: dict[str, str] = {}


def __getattr__(name: str) -> Any:
    """`main` and `Loader`, which are click's, for who asks for them."""
    if name in ("main", "Loader"):
        return getattr(import_module("kb.cli.group"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def run() -> NoReturn:
    """Run a command and leave with its exit status: 0 clean, 1 something found, 2 cannot run."""
    # Ten thousand notes are scanned into some objects each, none of them garbage: looking for
    # cycles every 700 objects would take a third of that time.
    gc.set_threshold(100_000, 50, 100)
    # A query is embedded beside the scan, in many short calls out of Python: after each it would
    # wait for its turn as long as all of them take.
    sys.setswitchinterval(0.0005)
    # Where it is closed, `print` would take stdout in its place.
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115  # for as long as the process is
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that lacks a letter shows its number; a dash in a note is no reason to stop.
            stream.reconfigure(errors="backslashreplace")
    status = 130
    with suppress(KeyboardInterrupt):  # a second one, while the first is answered
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # `kb.__main__` held it off until now
            signal.signal(signal.SIGINT, signal.default_int_handler)
        status = invoke(sys.argv[1:])
        status = _flushed() or status
    # Nothing is left to write: the interpreter's own tidying would cost ten milliseconds more.
    os._exit(status)


def _flushed() -> int:
    """Write out what is buffered; 2 where that cannot be done, as on a full disk."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except BrokenPipeError:
            continue  # the reader has left
        except OSError as error:
            _say(f"the output could not be written: {error.strerror}")
            return 2
    return 0


def invoke(args: list[str]) -> int:
    """Run a command; its exit status. What went wrong is said on stderr, never as a traceback."""
    try:
        asked = import_module("kb.cli.quick").parse(args) if "search" in args else None
        if asked is not None:
            return int(import_module("kb.cli.searching").search(**asked))
        return int(import_module("kb.cli.group").dispatch(args))
    except KeyboardInterrupt:
        _say("stopped; what was done is kept")
        return 130
    except BrokenPipeError:
        return 0
    except KbError as error:
        _say(str(error))
        if error.hint:
            _say(error.hint, prefix="    ")
        return 2
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _say("the current folder is gone" if _is_nowhere() else f"{where}{error.strerror or error}")
        return 2
    except Exception as error:
        if os.environ.get("KB_DEBUG"):
            raise
        _say(f"a fault of kb's own: {type(error).__name__}: {error}\nKB_DEBUG=1 kb ...   shows where")
        return 2


def _is_nowhere() -> bool:
    """Whether the folder that this process is in was deleted."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _say(text: str, prefix: str = "kb: ") -> None:
    if "_KB_COMPLETE" in os.environ:
        return  # a shell is completing: a word now would stand in the middle of the person's line
    with suppress(OSError):  # nobody reads it, or the disk is full: the exit status says it
        print("\n".join(prefix + one_line(line) for line in text.splitlines()), file=sys.stderr, flush=True)
