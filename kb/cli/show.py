"""kb show: the saved text of a linked page."""

from __future__ import annotations

import click

from kb import contract
from kb.cli import reports
from kb.cli.help import Command
from kb.cli.shared import as_json, notebook, page, print_json


@click.command("show", cls=Command)
@click.argument("url")
@as_json
def command(url: str, as_json: bool) -> int:
    """Print the text of a linked page as it was when it was last read, under its title and that date.

    \b
      kb show https://arxiv.org/abs/2305.14314
      kb show https://example.org/post --json
    """
    with notebook() as base:
        saved = base.saved(url)
        if as_json:
            print_json([contract.saved_page(saved)])
        else:
            page(reports.saved_page(saved))
        return 0
