"""kb import: other tools' files as notes."""

from __future__ import annotations

import click

from kb.cli import reports
from kb.cli.help import Command
from kb.cli.shared import dry_run, notebook, print_problems


@click.command("import", cls=Command)
@click.argument("source", type=click.Path(exists=True))
@click.option("--from", "importer", metavar="NAME", help="Read SOURCE as this.  [default: told by SOURCE]")
@dry_run
@click.option("--overwrite", is_flag=True, help="Replace notes that differ from what would be written.")
def command(source: str, importer: str | None, dry_run: bool, overwrite: bool) -> int:
    """Make notes of SOURCE, a file or folder of another tool.

    \b
      page         Markdown under dated headings: a note for each
      jekyll       a Jekyll site: posts, drafts, collections, pages
      obsidian     an Obsidian vault, its notes and attachments as they are
      folder       a folder of Markdown, likewise
      bookmarks    bookmarks.html as browsers write it; folders become tags
      pocket, raindrop, instapaper, csv
                   CSV as these export it, or with the columns url, title, date, tags
      jsonl, bibtex
                   as kb export writes them; BibTeX of other tools too

    Every byte of a note's body is kept. A note that stands already is left as it is unless
    --overwrite; importing twice adds nothing.

    \b
      kb import page.md --dry-run
      kb import ~/vault
      kb import bookmarks.html
    """
    with notebook() as base:
        plan = base.plan_import(source, overwrite=overwrite, importer=importer)
        print_problems(base, plan.problems)
        failed = () if dry_run else base.apply_import(plan).problems
        click.echo(reports.imported(plan, base.shown, dry_run, {one.path for one in failed}))
        print_problems(base, failed)
        return 1 if plan.refused or failed else 0
