"""The commands as click has them: the group, its options, and what click's own errors become."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from kb import __version__
from kb.cli import COMMANDS, Session
from kb.cli.colour import colour_of
from kb.cli.help import Command

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Find": ("search", "open", "related", "glossary", "show"),
    "Write": ("new", "add-link", "import", "export"),
    "Links": ("links", "check-links", "repair", "enrich", "log", "stats"),
    "Notebook": ("init", "sync", "site", "mcp", "doctor", "backup", "restore", "config", "completion"),
}

# What people type who come from elsewhere, and what does it here.
MEANT: Mapping[str, str] = {
    **dict.fromkeys(("find", "grep", "query", "ask"), "kb search"),
    **dict.fromkeys(("add", "save", "bookmark"), "kb add-link"),
    **dict.fromkeys(("ls", "list"), "kb links"),
    **dict.fromkeys(("check", "lint"), "kb check-links"),
    **dict.fromkeys(("fix", "replace"), "kb repair"),
    **dict.fromkeys(("edit", "view"), "kb open"),
    **dict.fromkeys(("note", "create", "touch"), "kb new"),
    **dict.fromkeys(("similar", "like"), "kb related"),
    **dict.fromkeys(("cat", "read", "page"), "kb show"),
    **dict.fromkeys(("terms", "term", "define"), "kb glossary"),
    **dict.fromkeys(("history", "changes", "recent"), "kb log"),
    **dict.fromkeys(("update", "index", "reindex", "embed", "refresh"), "kb sync"),
    **dict.fromkeys(("health", "status", "fsck", "verify"), "kb doctor"),
    **dict.fromkeys(("settings", "set", "get"), "kb config"),
    **dict.fromkeys(("fetch", "titles"), "kb enrich"),
    "watch": "kb sync --watch",
    "tags": "kb search tag:NAME",
    "serve": "mkdocs serve",
    **dict.fromkeys(("build", "publish"), "mkdocs build"),
    "version": "kb --version",
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
        """As click does, but `help X` is `X --help`, and a wrong name is answered with the right one."""
        if args[:1] == ["help"]:
            if len(args) == 1:
                click.echo(ctx.get_help())
                ctx.exit()
            args = [args[1], "--help"]
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            meant = _meant(args[0])
            hint = f"Did you mean '{meant}'?" if meant else "'kb --help' lists the commands."
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


def _meant(word: str) -> str:
    """What a word that is no command was probably meant for; empty if nobody can tell."""
    if word.lower() in MEANT:
        return MEANT[word.lower()]
    close = import_module("difflib").get_close_matches(word.lower(), COMMANDS, n=1, cutoff=0.6)
    return f"kb {close[0]}" if close else ""


def _items(found: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    make = import_module("click.shell_completion").CompletionItem
    return [make(name, help=line) for name, line in found]


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
@click.version_option(__version__, "-V", "--version", prog_name="kb", message="%(prog)s %(version)s")
@click.pass_context
def main(
    ctx: click.Context, root: str | None, given: dict[str, str], quiet: bool, color: str, no_pager: bool
) -> int:
    """Note what the options said; the command does the rest. Without one: help, and the next step."""
    session = ctx.ensure_object(Session)
    session.root = root or session.root
    session.given, session.quiet, session.pager = given, quiet, not no_pager
    ctx.color = colour_of(color)
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
        import_module("kb.cli.shared").say_next_step()
    return 0


def dispatch(args: list[str]) -> int:
    """Run a command; its exit status. KeyboardInterrupt where it was stopped."""
    try:
        result: Any = main.main(args=args, prog_name="kb", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except SystemExit as leaving:
        # Click leaves so when it has answered a shell's completion; and, with 1, where the reader has
        # left, which is nothing found.
        return leaving.code if "_KB_COMPLETE" in os.environ and isinstance(leaving.code, int) else 0
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except click.Abort:
        raise KeyboardInterrupt from None
