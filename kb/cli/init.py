"""kb init: a notebook in a folder."""

from __future__ import annotations

import click

from kb.cli import reports
from kb.cli.help import Command
from kb.cli.shared import dry_run
from kb.knowledge import KnowledgeBase


@click.command("init", cls=Command)
@click.argument("folder", default=".", type=click.Path(file_okay=False), metavar="[DIR]")
@dry_run
def command(folder: str, dry_run: bool) -> int:
    """Make a notebook in DIR (here, if none is named).

    An empty folder gets an example of each kind of note. A folder that already holds Markdown
    is adopted as it is: no note of yours is moved or changed.

    \b
      kb init my-notes
      cd my-notes && kb search "what a bullet is"
    """
    plan = KnowledgeBase.init(folder, dry_run=dry_run)
    click.echo(reports.initialised(plan, dry_run))
    return 0
