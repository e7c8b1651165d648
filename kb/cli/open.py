"""kb open: a hit of the last search, in the editor or the browser."""

from __future__ import annotations

import click

from kb.cli.clean import plain
from kb.cli.help import Command
from kb.cli.shared import completing, notebook
from kb.errors import UsageError


@click.command("open", cls=Command)
@click.argument("what", metavar="N|PATH[:LINE]", shell_complete=completing("notes"))
@click.option("-l", "--link", is_flag=True, help="Open the hit's link in the browser.")
@click.option("-p", "--print", "show", is_flag=True, help="Print the place, or the link, and open nothing.")
def command(what: str, link: bool, show: bool) -> int:
    """Open hit N of the last search, or a note, in your editor at its line.

    The editor is editor.command of your own config ('code -g {path}:{line}'), else KB_EDITOR, VISUAL or
    EDITOR. A hit in a saved page opens in the browser.

    \b
      kb open 1                       the first hit, in the editor
      kb open 2 --link                the link of the second, in the browser
      kb open papers/qlora.md:12
      vim $(kb open 1 --print)
    """
    with notebook() as base:
        target = base.target(what)
        if link or target.path is None:
            if not target.links:
                raise UsageError(f"{what} holds no link", hint=f"kb open {what}")
            click.echo(plain(target.links[0]))
            if not show:
                base.browse(target.links[0])
        elif show:
            click.echo(f"{base.shown(target.path)}:{max(target.line, 1)}")
        else:
            base.edit(target.path, target.line)
        return 0
