"""kb sync: notes into the store."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress

import click

from kb.cli import reports
from kb.cli.help import Command
from kb.cli.shared import notebook, print_problems, progress, warn
from kb.errors import KbError
from kb.knowledge import KnowledgeBase
from kb.model.reports import Problem, Severity, SyncReport


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
                base.watch(teller(base, report.problems), embed=not no_embed)
            return 0
        return 1 if any(problem.severity is Severity.ERROR for problem in report.problems) else 0


def teller(base: KnowledgeBase, known: Iterable[Problem]) -> Callable[[SyncReport | KbError], None]:
    """What says a line for what was read or embedded, and what is newly wrong with a note.

    At once: whoever reads may wait for it.
    """
    told = set(known)

    def tell(change: SyncReport | KbError) -> None:
        nonlocal told
        if isinstance(change, KbError):
            warn(f"kb: {change}")
        else:
            warn(reports.seen(change))
            print_problems(base, (one for one in change.problems if one not in told))
            told = set(change.problems)  # what was mended and is broken again is told again
        if sys.stderr is not None:
            sys.stderr.flush()

    return tell
