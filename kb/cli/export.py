"""kb export: links for other tools."""

from __future__ import annotations

from typing import Any

import click

from kb.cli import reports
from kb.cli.clean import plain_lines
from kb.cli.help import Command, Word
from kb.cli.shared import filter_of, filters, notebook, warn


@click.command("export", cls=Command)
@click.argument("format", type=Word(["jsonl", "csv", "bookmarks", "bibtex"]))
@click.option("-o", "--output", metavar="FILE", type=click.Path(dir_okay=False), help="Write to FILE.")
@click.option("--private", is_flag=True, help="Take in what stands in private notes only.")
@filters
def command(format: str, output: str | None, private: bool, **narrow: Any) -> int:
    """Print the links of the notes in FORMAT: jsonl, csv, bookmarks (HTML) or bibtex (papers only).

    kb import reads each of them back.

    \b
      kb export bookmarks -o bookmarks.html
      kb export bibtex --tag llm > papers.bib
      kb export jsonl --standing dead
    """
    with notebook() as base:
        out = None if output else lambda piece: click.echo(plain_lines(piece), nl=False)
        exported = base.export(format, filter_of(**narrow), private=private, output=output, out=out)
        if told := reports.exported(exported, output):
            warn(told)
        return 0
