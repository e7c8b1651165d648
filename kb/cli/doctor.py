"""kb doctor: what is wrong, and what to type."""

from __future__ import annotations

import click

from kb import contract
from kb.cli import figures
from kb.cli.help import Command
from kb.cli.shared import as_json, notebook, page, print_json, warn


@click.command("doctor", cls=Command)
@as_json
def command(as_json: bool) -> int:
    """Look for what is wrong with the notebook; beneath each finding stands what to type.

    It looks at the store, the vectors and the model, the ledger, the notes and their names, the site's
    settings, git's files and the saved pages, and changes none of them. Errors are to be mended and
    make the exit status 1; warnings may be as you mean them.

    \b
      kb doctor
      kb doctor --json
    """
    with notebook() as base:
        found = base.doctor()
        errors = sum(one.severity == "error" for one in found)
        if as_json:
            print_json(map(contract.finding, found))
        elif found:
            page(figures.findings(found, base.shown))
        if not as_json:
            warn(f"{errors} to mend, {len(found) - errors} to know of" if found else "nothing is wrong")
        return 1 if errors else 0
