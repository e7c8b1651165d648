"""kb related: what is near in meaning to a note or a passage."""

from __future__ import annotations

import click

from kb import contract
from kb.cli import render
from kb.cli.clean import plain
from kb.cli.help import Command
from kb.cli.shared import as_json, completing, notebook, page, print_json, progress, remember, warn


@click.command("related", cls=Command)
@click.argument("place", metavar="PATH[:LINE]", shell_complete=completing("notes"))
@click.option(
    "-n", "--limit", type=click.IntRange(1, 1000), default=5, show_default=True, help="Passages to show."
)
@as_json
def command(place: str, limit: int, as_json: bool) -> int:
    """Show the passages nearest in meaning to a note, or to the passage at a line of it.

    Those of the note itself are left out; beside a single passage, only itself is. Exit status 1
    says that nothing is near.

    \b
      kb related notes/papers/2023-09-qlora.md
      kb related notes/papers/2023-09-qlora.md:12 --json
    """
    with notebook() as base:
        found = base.related(place, limit=limit, progress=progress())
        for notice in found.notices:
            warn(notice)
        if as_json:
            print_json(map(contract.hit, found.hits))
        elif found.hits:
            page(render.hits(found.hits, base, found.marks, False))
        else:
            click.echo(plain(found.advice), err=True)
        if found.hits and not as_json:
            remember(base, found.hits)
        return 0 if found.hits else 1
