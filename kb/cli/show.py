"""kb show: the saved text of a linked page."""

from __future__ import annotations

import click

from kb import contract
from kb.cli import reports
from kb.cli.shared import as_json, notebook, print_json


@click.command("show")
@click.argument("url")
@as_json
def command(url: str, as_json: bool) -> int:
    """Print the text of a linked page as it was when it was last read, under its title and that date.

    \b
      kb show https://arxiv.org/abs/2305.14314
      kb show https://example.org/post --json
    """
    with notebook() as base:
        page = base.saved(url)
        if as_json:
            print_json([contract.saved_page(page)])
        else:
            click.echo(reports.saved_page(page))
        return 0
