"""kb new: a dated note from a template."""

from __future__ import annotations

import sys

import click

from kb.cli.shared import notebook
from kb.model import NoteKind


@click.command("new")
@click.argument("title")
@click.option(
    "--kind", type=click.Choice([str(kind) for kind in NoteKind]), default="note", show_default=True
)
@click.option("--tag", "tags", multiple=True, help="A tag; may be given several times.")
@click.option("--no-edit", is_flag=True, help="Make the note and open no editor.")
def command(title: str, kind: str, tags: tuple[str, ...], no_edit: bool) -> int:
    """Start a note called TITLE, dated today, and open it in your editor.

    \b
      kb new "Llama 2 at home" --kind tutorial --tag llama
    """
    with notebook() as base:
        path = base.new_note(title, NoteKind(kind), tags)
        click.echo(base.shown(path))
        if not no_edit and sys.stdin.isatty():
            click.edit(filename=str(base.settings.notes / path), editor=base.editor)
        return 0
