"""kb add-link: a link and its title into today's note, or a note of its own."""

from __future__ import annotations

from typing import Any

import click

from kb import contract
from kb.cli import reports
from kb.cli.help import Command
from kb.cli.shared import as_json, complain, completing, dry_run, notebook, print_json, read_stdin, warn


@click.command("add-link", cls=Command)
@click.argument("urls", nargs=-1, metavar="URL...")
@click.option(
    "--note",
    metavar="PATH",
    shell_complete=completing("notes"),
    help="The note to append to.  [default: today's]",
)
@click.option("--new-note", is_flag=True, help="Start a note about it, by the template of its kind.")
@click.option("-c", "--comment", default="", help="A line of thought to stand beside the link.")
@click.option("--quote", default="", help="A passage of the page to keep beside the link.")
@click.option(
    "-t",
    "--tag",
    "tags",
    multiple=True,
    metavar="TAG",
    shell_complete=completing("tags"),
    help="A tag; may be given several times.",
)
@click.option("--clipboard", is_flag=True, help="Add the addresses that the clipboard holds.")
@as_json
@dry_run
def command(urls: tuple[str, ...], clipboard: bool, as_json: bool, dry_run: bool, **wish: Any) -> int:
    """Append each URL as a bullet to today's note, with its title; `-` reads URLs from standard input.

    A link that the notes already hold, under this spelling or another, is told and not added.
    One that cannot be reached is saved all the same. Of several, what is no web address is told, and
    the others are added; the exit status is then 1.

    \b
      kb add-link https://arxiv.org/abs/2305.14314
      kb add-link https://example.org/post --note papers/qlora.md -c "the 12 GB claim"
      kb add-link https://arxiv.org/abs/2305.14314 --new-note -t qlora
      grep -o 'https://[^ ]*' mail.txt | kb add-link -
    """
    with notebook() as base:
        all_added = []
        good, bad = base.addresses(urls, read_stdin, clipboard=clipboard)
        for error in bad:
            complain(error)
        for url in good:
            added = base.add_link(url, dry_run=dry_run, **wish)
            all_added.append(contract.added(added))
            if not as_json:
                click.echo(reports.added(added, base.shown, dry_run))
            if added.warning:
                warn(added.warning)
        if as_json:
            print_json(all_added)
        return (1 if good else 2) if bad else 0
