"""kb restore: a notebook back from a backup."""

from __future__ import annotations

import click

from kb import contract
from kb.cli import reports
from kb.cli.help import Command
from kb.cli.shared import dry_run, print_object
from kb.knowledge import KnowledgeBase


@click.command("restore", cls=Command)
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.argument("folder", default=".", type=click.Path(file_okay=False), metavar="[DIR]")
@click.option("--force", is_flag=True, help="Replace files that stand there with other bytes.")
@dry_run
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(file: str, folder: str, force: bool, dry_run: bool, as_json: bool) -> int:
    """Bring back the notebook that FILE holds, in DIR (here, if none is named): all of it or nothing.

    Every file is proved before any is written. Files of DIR that are not in FILE stay.

    \b
      kb restore notes-2026-11-24.tar.gz my-notes
      kb restore notes-2026-11-24.tar.gz --dry-run
    """
    plan = KnowledgeBase.restore(file, folder, force=force, dry_run=dry_run)
    if as_json:
        print_object(contract.restored(plan))
    else:
        click.echo(reports.restored(plan, folder, dry_run))
    return 0
