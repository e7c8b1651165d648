"""kb new: a dated note from a template."""

from __future__ import annotations

import sys

import click

from kb.cli import reports
from kb.cli.help import Command, Word
from kb.cli.shared import completing, dry_run, notebook
from kb.model.kinds import NoteKind


@click.command("new", cls=Command)
@click.argument("title", nargs=-1, required=True)
@click.option(
    "-k", "--kind", type=Word([str(kind) for kind in NoteKind]), default="note", show_default=True,
    help="Which template to begin with.",
)  # fmt: skip
@click.option(
    "-t", "--tag", "tags", multiple=True, metavar="TAG", shell_complete=completing("tags"),
    help="A tag; may be given several times.",
)  # fmt: skip
@click.option("--no-edit", is_flag=True, help="Make the note and open no editor.")
@dry_run
def command(title: tuple[str, ...], kind: str, tags: tuple[str, ...], no_edit: bool, dry_run: bool) -> int:
    """Start a note called TITLE, dated today, and open it in your editor.

    It begins as the template of its kind: templates/KIND.md beside kb.toml (or .templates/KIND.md), if
    you have one, with {title}, {date}, {kind} and {tags} filled in.

    \b
      kb new "Llama 2 at home" --kind tutorial --tag llama
      kb new "QLoRA" -k paper --no-edit
      kb new "QLoRA" -k paper --dry-run                what it would write
    """
    with notebook() as base:
        words = " ".join(title)
        if dry_run:
            click.echo(reports.would_start(*base.plan_note(words, NoteKind(kind), tags), base.shown))
            return 0
        path = base.new_note(words, NoteKind(kind), tags)
        click.echo(base.shown(path))
        if not no_edit and sys.stdin is not None and sys.stdin.isatty():
            base.edit(path)
        return 0
