"""kb config: the settings that hold, and where each comes from."""

from __future__ import annotations

from typing import Any

import click

from kb import contract
from kb.cli import figures, reports
from kb.cli.clean import plain
from kb.cli.help import Command
from kb.cli.shared import as_json, completing, named_root, page, print_json, warn
from kb.errors import UsageError
from kb.knowledge import KnowledgeBase


@click.command("config", cls=Command)
@click.argument("key", required=False, shell_complete=completing("keys"))
@click.argument("value", required=False)
@click.option("--unset", is_flag=True, help="Take KEY out of its file, so that its default holds.")
@as_json
def command(key: str | None, value: str | None, unset: bool, as_json: bool) -> int:
    """Show every setting and where it comes from; one of them; or set one.

    First holds --set KEY=VALUE, then the environment (KB_LINKS_TIMEOUT), kb.toml, your own config, the
    default. What runs a program, names a folder elsewhere or is a secret is set in your own config,
    ~/.config/kb/config.toml, and so, for this notebook alone, is what lets its links into your own network
    (links.private_hosts) or its HTML onto the site (site.trust_html); all else is set in kb.toml. Nothing
    else in the file is changed.

    \b
      kb config
      kb config links.timeout
      kb config links.timeout 30
      kb config editor.command 'code -g {path}:{line}'
      kb config links.ignore '*://intranet.*,*://localhost*'
      kb config --unset links.timeout
    """
    place: dict[str, Any] = named_root()
    if unset and (key is None or value is not None):
        raise UsageError("--unset takes a KEY and no value", hint="kb config --unset links.timeout")
    if key is not None and (value is not None or unset):
        warn(reports.configured(*KnowledgeBase.configure(key, value, place["root"]), unset=unset))
        return 0
    found = [KnowledgeBase.held(key, **place)] if key is not None else KnowledgeBase.holding(**place)
    if as_json:
        print_json(map(contract.setting, found))
    elif key is None:
        page(figures.settings(found))
    else:
        one = found[0].value
        click.echo(plain(one if isinstance(one, str) else figures.toml(one)))
        warn(f"from {found[0].origin}; {found[0].key.help}")
    return 0
