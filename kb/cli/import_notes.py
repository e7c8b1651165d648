"""kb import: other files as dated notes."""

from __future__ import annotations

import click

from kb.cli import reports
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
        plan = base.plan_import(source, overwrite=overwrite)
        print_problems(base, plan.problems)
        click.echo(reports.imported(plan, base.shown, dry_run))
        failed = () if dry_run else base.apply_import(plan).problems
        print_problems(base, failed)
        return 1 if plan.refused or failed else 0
