"""kb glossary: the terms of the notes."""

from __future__ import annotations

import click

from kb import contract
from kb.cli import render
from kb.cli.help import Command
from kb.cli.shared import as_json, completing, notebook, page, print_json, warn

NO_TERMS = (
    "no terms; a note with `kind: glossary` and bullets such as "
    "`* [RAG](URL) = Retrieval-Augmented Generation.` makes a glossary"
)


@click.command("glossary", cls=Command)
@click.argument("term", required=False, shell_complete=completing("terms"))
@as_json
def command(term: str | None, as_json: bool) -> int:
    """Show the glossary, or one TERM of it: expansion, definition, source, where used.

    \b
      kb glossary
      kb glossary rag
    """
    with notebook() as base:
        entries = base.glossary(term)
        if as_json:
            print_json(map(contract.term, entries))
        elif entries:
            page(render.entries(entries, base.shown))
        else:
            warn(f"no term {term!r}; kb glossary lists them" if term else NO_TERMS)
        return 1 if term and not entries else 0
