"""kb backup: all that cannot be made again, in one file."""

from __future__ import annotations

import click

from kb import contract
from kb.cli import reports
from kb.cli.help import Command
from kb.cli.shared import notebook, print_object, warn


@click.command("backup", cls=Command)
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--force", is_flag=True, help="Replace FILE if it stands there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(file: str, force: bool, as_json: bool) -> int:
    """Write notes, settings, ledger and saved pages to FILE, one gzipped tar.

    Pictures and other files among the notes come with them; .kb/, the built site and hidden folders do
    not. Private notes and their ledger are in it, so nobody else may read FILE. kb restore reads it.

    \b
      kb backup notes-2026-11-24.tar.gz
      kb backup --force /mnt/usb/notes.tar.gz
    """
    with notebook() as base:
        made = base.backup(file, force=force)
        for path in made.left:
            warn(f"{path}: left out: it leads out of the notebook, or is no plain file")
        if as_json:
            print_object(contract.backed_up(made))
        else:
            click.echo(reports.backed_up(made))
        return 0
