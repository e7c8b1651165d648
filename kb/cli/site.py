"""kb site: the pages of the site as plain Markdown."""

from __future__ import annotations

import click

from kb.cli.help import Command
from kb.cli.shared import notebook


@click.command("site", cls=Command)
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
def command(folder: str) -> int:
    """Write the site's pages to DIR as plain Markdown, wikilinks resolved, for any site generator.

    `mkdocs build` needs no such step. DIR must be new, empty, or written by this command before;
    then what it wrote and no longer makes is removed. Private notes and drafts are left out.

    \b
      kb site build/docs
    """
    with notebook() as base:
        written = base.write_site(folder)
        click.echo(f"{written} pages in {folder}")
        return 0
