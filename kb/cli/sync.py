"""kb sync: notes into the store."""

from __future__ import annotations

import sys
from contextlib import suppress

import click

from kb.cli import reports
from kb.cli.help import Command
from kb.cli.shared import notebook, print_problems, progress, warn
from kb.errors import KbError
from kb.model.reports import Severity, SyncReport


@click.command("sync", cls=Command)
@click.option("--rehash", is_flag=True, help="Read every note again, whatever its date and size say.")
@click.option("--no-embed", is_flag=True, help="Leave the embeddings for later.")
@click.option("--watch", is_flag=True, help="Then read each note as it is saved, until Ctrl-C.")
def command(rehash: bool, no_embed: bool, watch: bool) -> int:
    """Read changed notes into the store and embed what changed.

    Notes are only read. Exit status 1 says that a note has a problem that costs part of it.

    \b
      kb sync
      kb sync --rehash
      kb sync --watch
    """
    with notebook() as base:
        report = base.sync(embed=not no_embed, rehash=rehash, progress=progress())
        print_problems(base, report.problems)
        warn(reports.synced(report))
        if watch:
            warn(f"watching {base.shown('.')}; Ctrl-C ends it")
            with suppress(KeyboardInterrupt):
                base.watch(tell, embed=not no_embed)
            return 0
        return 1 if any(problem.severity is Severity.ERROR for problem in report.problems) else 0


def tell(change: SyncReport | KbError) -> None:
    """A line for what was read or embedded, at once: whoever reads may wait for it."""
    warn(f"kb: {change}" if isinstance(change, KbError) else reports.seen(change))
    if sys.stderr is not None:
        sys.stderr.flush()
