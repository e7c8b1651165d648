"""kb new: a dated note from a template."""

from __future__ import annotations

import sys

import click

from kb.cli.help import Command, Word
from kb.cli.shared import completing, notebook
from kb.model.kinds import NoteKind


@click.command("new", cls=Command)
@click.argument("title")
@click.option(
    "-k", "--kind", type=Word([str(kind) for kind in NoteKind]), default="note", show_default=True,
    help="Which template to begin with.",
)  # fmt: skip
@click.option(
    "-t", "--tag", "tags", multiple=True, metavar="TAG", shell_complete=completing("tags"),
    help="A tag; may be given several times.",
)  # fmt: skip
@click.option("--no-edit", is_flag=True, help="Make the note and open no editor.")
def command(title: str, kind: str, tags: tuple[str, ...], no_edit: bool) -> int:
    """Start a note called TITLE, dated today, and open it in your editor.

    It begins as the template of its kind: templates/KIND.md beside kb.toml (or .templates/KIND.md), if
    you have one, with {title}, {date}, {kind} and {tags} filled in.

    \b
      kb new "Llama 2 at home" --kind tutorial --tag llama
      kb new "QLoRA" -k paper --no-edit
    """
    with notebook() as base:
        path = base.new_note(title, NoteKind(kind), tags)
        click.echo(base.shown(path))
        if not no_edit and sys.stdin is not None and sys.stdin.isatty():
            base.edit(path)
        return 0
