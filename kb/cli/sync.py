"""kb sync: notes into the store."""

from __future__ import annotations

import click

from kb.cli import reports
from kb.cli.shared import notebook, print_problems, progress, warn
from kb.model import Severity


@click.command("sync")
@click.option("--rehash", is_flag=True, help="Read every note again, whatever its date and size say.")
@click.option("--no-embed", is_flag=True, help="Leave the embeddings for later.")
def command(rehash: bool, no_embed: bool) -> int:
    """Read changed notes into the store and embed what changed.

    Notes are only read. Exit status 1 says that a note has a problem that costs part of it.

    \b
      kb sync
      kb sync --rehash
    """
    with notebook() as base:
        report = base.sync(embed=not no_embed, rehash=rehash, progress=progress())
        print_problems(base, report.problems)
        warn(reports.synced(report))
        return 1 if any(problem.severity is Severity.ERROR for problem in report.problems) else 0
