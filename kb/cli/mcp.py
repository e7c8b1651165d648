"""kb mcp: the notebook for a language model."""

from __future__ import annotations

import click

from kb.cli.help import Command
from kb.cli.shared import notebook
from kb.errors import UsageError


@click.command("mcp", cls=Command)
@click.option("--write", is_flag=True, help="Offer a tool that adds links to the notes.")
@click.option("--private", is_flag=True, help="Give private notes too, and what only they link.")
def command(write: bool, private: bool) -> int:
    """Serve the notebook to a language model's client, by the Model Context Protocol on stdin and stdout.

    The client starts this command itself and is given search, read_note, read_page, list_links and
    glossary. What it reads goes where its model is; private notes are left out.

    \b
      kb mcp
      kb --root ~/notes mcp --write
    """
    try:
        from kb.mcp import serve
    except ModuleNotFoundError as missing:
        raise UsageError(
            f"kb mcp needs the package mcp, which is not installed ({missing})",
            hint="pip install 'mcp>=2.2,<3'   into the environment that kb is in",
        ) from None
    with notebook() as base:
        serve(base, write=write, private=private)
        return 0
