"""The command line: parse arguments, ask the KnowledgeBase, print. No logic lives here.

Commands are loaded by name when they are called, so `kb --help` costs no more than click does.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import Any, NoReturn

import click

from kb import __version__
from kb.cli.plain import plain
from kb.errors import KbError

# name -> (module under kb.cli, one line for `kb --help`); a test holds the lines against the commands
COMMANDS: dict[str, tuple[str, str]] = {
    "search": ("search", "Find the passages that answer, by words and by meaning."),
    "related": ("related", "Show what is near in meaning to a note or a passage."),
    "add-link": ("add_link", "Append links to today's note, with their titles."),
    "links": ("links", "List the links of the notes with their standing."),
    "check-links": ("check_links", "Look at the links that are due, and tell which have died."),
    "repair": ("repair", "Rewrite moved links, and dead ones to archived copies."),
    "enrich": ("enrich", "Fetch titles, facts and readable text of linked pages."),
    "show": ("show", "Print the saved text of a linked page."),
    "glossary": ("glossary", "Show the terms: expansion, definition, where used."),
    "sync": ("sync", "Read changed notes into the store and embed them."),
    "site": ("site", "Write the site's pages as plain Markdown, for any generator."),
    "new": ("new", "Start a dated note and open it in your editor."),
    "import": ("import_notes", "Make notes of a page, a folder, a site or bookmarks."),
    "export": ("export", "Write the links as JSON Lines, CSV, bookmarks.html or BibTeX."),
    "init": ("init", "Make a notebook in a folder."),
}

EXAMPLES = """\b
  kb search "qlora vram"            the passage, its date, its links
  kb add-link https://arxiv.org/abs/2305.14314
  kb check-links                    which links have died
  kb links --standing dead          what is known of them
  mkdocs serve                      read the notes in a browser
"""


class Loader(click.Group):
    """A group that imports a command's module only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order in which a person meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return the command of that name, or None."""
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"kb.cli.{COMMANDS[name][0]}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but a mistyped name is answered with the nearest one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            close = import_module("difflib").get_close_matches(args[0], COMMANDS, n=1, cutoff=0.5)
            hint = f"Did you mean 'kb {close[0]}'?" if close else "'kb --help' lists the commands."
            raise click.UsageError(f"there is no command {args[0]!r}. {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


class Session:
    """What the options before the command said."""

    def __init__(self) -> None:
        self.root: str | None = os.environ.get("KB_ROOT") or None
        self.quiet = False


@click.command(
    cls=Loader,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=f"Research notes and the links in them: found by meaning, checked for rot, published.\n\n{EXAMPLES}",
)
@click.option("--root", metavar="DIR", help="The notebook: a folder with kb.toml.  [default: nearest upward]")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no warnings.")
@click.version_option(__version__, prog_name="kb", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, root: str | None, quiet: bool) -> None:
    """Note what the options said; the command does the rest."""
    session = ctx.ensure_object(Session)
    session.root = root or session.root
    session.quiet = quiet


def run() -> NoReturn:
    """Run a command and leave with its exit status: 0 clean, 1 something found, 2 cannot run."""
    # Ten thousand notes are scanned into some objects each, none of them garbage: looking for
    # cycles every 700 objects would take a third of that time.
    gc.set_threshold(100_000, 50, 100)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that lacks a letter shows its number; a dash in a note is no reason to stop.
            stream.reconfigure(errors="backslashreplace")
    status = invoke(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError):
            if stream is not None:
                stream.flush()
    # Nothing is left to write: the interpreter's own tidying would cost ten milliseconds more.
    os._exit(status)


def invoke(args: list[str]) -> int:
    """Run a command; its exit status. What went wrong is said on stderr, never as a traceback."""
    try:
        result: Any = main.main(args=args, prog_name="kb", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
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
        _say(f"{where}{error.strerror or error}")
        return 2


def _say(text: str, prefix: str = "kb: ") -> None:
    with suppress(BrokenPipeError):
        click.echo("\n".join(prefix + plain(line) for line in text.splitlines()), err=True)
