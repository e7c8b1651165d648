"""kb links: what is known of the links."""

from __future__ import annotations

from typing import Any

import click

from kb.cli.help import Command
from kb.cli.listing import print_links
from kb.cli.shared import as_json, filter_of, filters, formats, notebook, warn


@click.command("links", cls=Command)
@click.option("--ignore", metavar="URL", help="Leave this link out of checks from now on.")
@click.option("--alive", metavar="URL", help='"I looked, it lives": clear the strikes against this link.')
@as_json
@formats
@filters
def command(ignore: str | None, alive: str | None, as_json: bool, shape: str, **narrow: Any) -> int:
    """List the links of the notes: standing, kind, address, title, and where they stand.

    --alive takes a page's new title and text for its own, too, where they had changed. With
    --json, both print the link as it stands then.

    \b
      kb links --standing dead --standing suspect
      kb links --host arxiv.org --json
      kb links --alive https://example.org/page
    """
    with notebook() as base:
        shape = "json" if as_json else shape
        if ignore or alive:
            told = [base.ignore(ignore)] if ignore else []
            told += [base.vouch(alive)] if alive else []
            if shape == "table":
                warn("\n".join(f"{one.url}: {one.standing}" for one in told))
            else:
                print_links(base, told, shape)
            return 0
        found = print_links(base, base.each_link(filter_of(**narrow)), shape)
        if not found and shape == "table":
            warn("no links" + (" that fit" if any(narrow.values()) else "; kb add-link URL adds one"))
        return 0
