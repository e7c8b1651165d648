"""kb add-link: a link and its title into today's note, or a note of its own."""

from __future__ import annotations

import sys
from typing import Any

import click

from kb import contract
from kb.cli import reports
from kb.cli.shared import as_json, dry_run, notebook, print_json, warn


@click.command("add-link")
@click.argument("urls", nargs=-1, metavar="URL...")
@click.option("--note", metavar="PATH", help="The note to append to.  [default: today's]")
@click.option("--new-note", is_flag=True, help="Start a note about it, by the template of its kind.")
@click.option("-c", "--comment", default="", help="A line of thought to stand beside the link.")
@click.option("--quote", default="", help="A passage of the page to keep beside the link.")
@click.option("-t", "--tag", "tags", multiple=True, help="A tag; may be given several times.")
@click.option("--clipboard", is_flag=True, help="Add the addresses that the clipboard holds.")
@as_json
@dry_run
def command(urls: tuple[str, ...], clipboard: bool, as_json: bool, dry_run: bool, **wish: Any) -> int:
    """Append each URL as a bullet to today's note, with its title; `-` reads URLs from standard input.

    A link that the notes already hold, under this spelling or another, is told and not added.
    One that cannot be reached is saved all the same.

    \b
      kb add-link https://arxiv.org/abs/2305.14314
      kb add-link https://example.org/post --note papers/qlora.md -c "the 12 GB claim"
      kb add-link https://arxiv.org/abs/2305.14314 --new-note -t qlora
      grep -o 'https://[^ ]*' mail.txt | kb add-link -
    """
    with notebook() as base:
        all_added = []
        for url in base.addresses(urls, sys.stdin.read, clipboard=clipboard):
            added = base.add_link(url, dry_run=dry_run, **wish)
            all_added.append(contract.added(added))
            if not as_json:
                click.echo(reports.added(added, base.shown, dry_run))
            if added.warning:
                warn(added.warning)
        if as_json:
            print_json(all_added)
        return 0
