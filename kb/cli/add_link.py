"""kb add-link: a link and its title into today's note."""

from __future__ import annotations

import click

from kb.cli import reports
from kb.cli.shared import dry_run, notebook, warn


@click.command("add-link")
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.option("--note", metavar="PATH", help="The note to append to.  [default: today's]")
@click.option("-c", "--comment", default="", help="A line of thought to stand beside the link.")
@dry_run
def command(urls: tuple[str, ...], note: str | None, comment: str, dry_run: bool) -> int:
    """Append each URL as a bullet to today's note, with its title.

    A link that the notes already hold, under this spelling or another, is told and not added.
    One that cannot be reached is saved all the same.

    \b
      kb add-link https://arxiv.org/abs/2305.14314
      kb add-link https://example.org/post --note papers/qlora.md -c "the 12 GB claim"
    """
    with notebook() as base:
        for url in urls:
            added = base.add_link(url, note=note, comment=comment, dry_run=dry_run)
            click.echo(reports.added(added, base.shown, dry_run))
            if added.warning:
                warn(added.warning)
        return 0
