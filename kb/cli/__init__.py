"""The command line: parse arguments, ask the KnowledgeBase, print. No logic lives here.

Commands are loaded by name when they are called, so `kb --help` costs no more than click does.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, NoReturn

import click

from kb import __version__
from kb.cli.help import Command
from kb.errors import KbError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

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

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Find": ("search", "open", "related", "glossary", "show"),
    "Write": ("new", "add-link", "import", "export"),
    "Links": ("links", "check-links", "repair", "enrich", "log", "stats"),
    "Notebook": ("init", "sync", "site", "mcp", "doctor", "backup", "restore", "config", "completion"),
}

HELP = """Research notes and the links in them: found by meaning, checked for rot, published.

\b
  kb init                           make a notebook of this folder
  kb search "qlora vram"            the passage, its date, its links
  kb open 1                         the first hit, in your editor
  kb add-link https://arxiv.org/abs/2305.14314
  kb check-links                    which links have died
  kb links --standing dead          what is known of them
  mkdocs serve                      read the notes in a browser

'kb COMMAND --help' shows examples of each command. Exit status: 0 clean, 1 something found (a dead link, no
hit), 2 cannot run.
"""


class Loader(Command, click.Group):
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
        grouped = {name for names in GROUPS.values() for name in names}
        others = {"Other": tuple(name for name in COMMANDS if name not in grouped)}
        for title, names in {**GROUPS, **others}.items():
            if names:
                with formatter.section(title):
                    formatter.write_dl([(name, COMMANDS[name][1]) for name in names])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands first: they are what people look for."""
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command from the table, without importing any."""
        found = [
            (name, line) for name, (_, line) in COMMANDS.items() if name.startswith(incomplete)
        ]  # fmt: skip
        named = _items(found)
        return named if not incomplete.startswith("-") else super().shell_complete(ctx, incomplete)


def _items(found: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    make = import_module("click.shell_completion").CompletionItem
    return [make(name, help=line) for name, line in found]


class Session:
    """What the options before the command said."""

    def __init__(self) -> None:
        self.root: str | None = os.environ.get("KB_ROOT") or None
        self.quiet = False
        self.pager = True
        self.given: dict[str, str] = {}


def _settings(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise click.BadParameter(f"{one!r} is not KEY=VALUE; 'kb config' lists the keys")
        pairs[name.strip()] = value
    return pairs


@click.command(
    cls=Loader,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=HELP,
    invoke_without_command=True,
)
@click.option("--root", metavar="DIR", help="The notebook: a folder with kb.toml.  [default: nearest upward]")
@click.option(
    "--set", "given", metavar="KEY=VALUE", multiple=True, callback=_settings,
    help="A setting for this run; 'kb config' lists them.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="No progress and no warnings.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto",
    help="Colour: on a terminal, always, or never.  [default: auto]",
)  # fmt: skip
@click.option("--no-pager", is_flag=True, help="Print long output without a pager.")
@click.version_option(__version__, prog_name="kb", message="%(prog)s %(version)s")
@click.pass_context
def main(
    ctx: click.Context, root: str | None, given: dict[str, str], quiet: bool, color: str, no_pager: bool
) -> int:
    """Note what the options said; the command does the rest. Without one: help, and the next step."""
    session = ctx.ensure_object(Session)
    session.root = root or session.root
    session.given, session.quiet, session.pager = given, quiet, not no_pager
    ctx.color = _coloured(color)
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
        import_module("kb.cli.shared").say_next_step()
    return 0


def _coloured(asked: str) -> bool | None:
    """Whether to colour; None to let stdout say. The option goes before NO_COLOR, that before FORCE_COLOR."""
    if asked != "auto":
        return asked == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return True if os.environ.get("FORCE_COLOR", "0") not in ("", "0") else None


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
    except SystemExit as leaving:  # click leaves so when it has answered a shell's completion
        return leaving.code if isinstance(leaving.code, int) else 0
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
    except Exception as error:
        if os.environ.get("KB_DEBUG"):
            raise
        _say(f"a fault of kb's own: {type(error).__name__}: {error}\nKB_DEBUG=1 kb ...   shows where")
        return 2


def _say(text: str, prefix: str = "kb: ") -> None:
    if "_KB_COMPLETE" in os.environ:
        return  # a shell is completing: a word now would stand in the middle of the person's line
    with suppress(BrokenPipeError):
        click.echo("\n".join(prefix + line for line in text.splitlines()), err=True)
