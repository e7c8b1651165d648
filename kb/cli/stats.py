"""kb stats: figures and small plots."""

from __future__ import annotations

import click

from kb import contract
from kb.cli import figures
from kb.cli.help import Command
from kb.cli.shared import notebook, page, print_object


@click.command("stats", cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> int:
    """Count notes, passages and links, and plot how links rot.

    Links are counted by standing, kind, host and month; the last plot shows the share of links that is
    dead, by the years since they were noted, of those that a look has judged.

    \b
      kb stats
      kb stats --json | jq .standings.dead
    """
    with notebook() as base:
        value = base.stats()
        if as_json:
            print_object(contract.stats(value))
        else:
            page(figures.stats(value))
        return 0
