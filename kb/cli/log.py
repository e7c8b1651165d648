"""kb log: what changed lately."""

from __future__ import annotations

import click

from kb import contract
from kb.cli import figures
from kb.cli.help import Command
from kb.cli.shared import as_json, date, notebook, page, print_json, warn


@click.command("log", cls=Command)
@click.option(
    "--since",
    metavar="DATE",
    help="From this date on: 2023, 2023-09, 2023-09-01.  [default: two weeks ago]",
)
@click.option("-n", "--limit", type=click.IntRange(1), help="Show so many at most.")
@as_json
def command(since: str | None, limit: int | None, as_json: bool) -> int:
    """Show what changed lately, the newest first.

    Of links: added, died, revived, moved, or failed for the first time. Of notes: written (by their own
    date) and changed (by their file's).

    \b
      kb log
      kb log --since 2026-11
      kb log --since 2026 --json | jq '.[] | select(.change == "died")'
    """
    with notebook() as base:
        events = base.log(date("--since", since).earliest if since else None)[:limit]
        if as_json:
            print_json(map(contract.event, events))
        elif events:
            page(figures.events(events, base))
        else:
            warn("nothing changed since then; --since 2023 looks further back")
        return 0
