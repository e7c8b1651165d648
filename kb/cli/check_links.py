"""kb check-links: which links have died."""

from __future__ import annotations

from itertools import chain
from typing import Any

import click

from kb.cli import reports
from kb.cli.help import Command
from kb.cli.listing import print_links
from kb.cli.shared import as_json, counter, filter_of, filters, formats, notebook, told_to_end, warn


@click.command("check-links", cls=Command)
@click.option("--all", "everything", is_flag=True, help="Look at every link, due or not.")
@as_json
@formats
@filters
def command(everything: bool, as_json: bool, shape: str, **narrow: Any) -> int:
    """Look at the links that are due, record what was seen, and tell which have died.

    One bad answer makes a link suspect; it is dead after three over three days. Exit status 1
    says that a link in scope is broken or dead, 2 that the network is away.

    \b
      kb check-links
      kb check-links --all --host arxiv.org
      kb check-links --note papers --json
      kb check-links --format markdown >> "$GITHUB_STEP_SUMMARY"
    """
    with told_to_end(), notebook() as base:
        report = base.check_links(
            filter_of(**narrow), everything=everything, progress=counter("looking at pages")
        )
        shape = "json" if as_json else shape
        summary = reports.checked(report.counts, report.turned, report.not_due)
        if shape == "markdown":
            click.echo(f"### Links\n\n{summary}\n")
        print_links(base, chain(report.links, report.unsafe) if shape == "json" else report.troubled, shape)
        if shape == "table":
            warn(summary)
        return 1 if report.bad else 0
