"""kb check-links: which links have died."""

from __future__ import annotations

from typing import Any

import click

from kb import contract
from kb.cli import render, reports
from kb.cli.shared import as_json, counter, filter_of, filters, notebook, print_json, warn


@click.command("check-links")
@click.option("--all", "everything", is_flag=True, help="Look at every link, due or not.")
@as_json
@filters
def command(everything: bool, as_json: bool, **narrow: Any) -> int:
    """Look at the links that are due, record what was seen, and tell which have died.

    One bad answer makes a link suspect; it is dead after three over three days. Exit status 1
    says that a link in scope is broken or dead, 2 that the network is away.

    \b
      kb check-links
      kb check-links --all --host arxiv.org
      kb check-links --note papers --json
    """
    with notebook() as base:
        report = base.check_links(
            filter_of(**narrow), everything=everything, progress=counter("looking at pages")
        )
        if as_json:
            print_json(map(contract.link, report.links))
        else:
            if report.troubled:
                click.echo(render.links(report.troubled, base.shown))
            warn(reports.checked(report.counts, report.not_due))
        return 1 if report.bad else 0
