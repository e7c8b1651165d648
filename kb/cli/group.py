"""The commands as click has them: the group, its options, and what click's own errors become."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from kb import __version__
from kb.cli import COMMANDS, Session

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


def dispatch(args: list[str]) -> int:
    """Run a command; its exit status. KeyboardInterrupt where it was stopped."""
    try:
        result: Any = main.main(args=args, prog_name="kb", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except click.Abort:
        raise KeyboardInterrupt from None
