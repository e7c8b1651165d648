"""kb import: other files as dated notes."""

from __future__ import annotations

import click

from kb.cli import render
from kb.cli.shared import dry_run, notebook, print_problems


@click.command("import")
@click.argument("source", type=click.Path(exists=True))
@dry_run
@click.option("--overwrite", is_flag=True, help="Replace notes that differ from what would be written.")
def command(source: str, dry_run: bool, overwrite: bool) -> int:
    """Split SOURCE, a page of notes under dated headings, into one note a date.

    Every byte of the page's body lands in a note. A note that stands already is left as it is
    unless --overwrite; importing twice adds nothing.

    \b
      kb import page.md --dry-run
      kb import page.md
    """
    with notebook() as base:
        plan = base.import_notes(source, overwrite=overwrite, dry_run=dry_run)
        print_problems(base, plan.problems)
        click.echo(render.imported(plan, base.shown, dry_run))
        return 1 if plan.refused else 0
