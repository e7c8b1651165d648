"""kb enrich: what linked pages are, and a copy of their text."""

from __future__ import annotations

from typing import Any

import click

from kb import contract
from kb.cli import reports
from kb.cli.clean import plain
from kb.cli.help import Command
from kb.cli.shared import (
    as_json,
    counter,
    filter_of,
    filters,
    notebook,
    print_json,
    print_problems,
    told_to_end,
    warn,
)


@click.command("enrich", cls=Command)
@click.option("--all", "everything", is_flag=True, help="Ask again about links whose facts are known.")
@click.option("--write-titles", is_flag=True, help="Show the diff that gives bare addresses their titles.")
@click.option("--apply", is_flag=True, help="With --write-titles: write that diff into the notes.")
@as_json
@filters
def command(everything: bool, write_titles: bool, apply: bool, as_json: bool, **narrow: Any) -> int:
    """Fetch titles, authors, abstracts and readable text of linked pages that lack them.

    Papers, threads, repositories, videos and encyclopedias are asked about at their own sites,
    one request a host at a time; all others are read themselves. Interrupted, it keeps what it has
    done, and goes on from there the next time.

    \b
      kb enrich
      kb enrich --host arxiv.org --all
      kb enrich --write-titles            the diff;  --apply writes it
    """
    with told_to_end(), notebook() as base:
        chosen = filter_of(**narrow)
        if write_titles:
            plan = base.write_titles(chosen, apply=apply)
            click.echo(reports.titles(plan, base.shown, apply), nl=False)
            print_problems(base, plan.problems)
            return 1 if plan.problems else 0
        report = base.enrich(chosen, everything=everything, progress=counter("asking"))
        for url, why in report.lacking:
            warn(f"{plain(url)}: {plain(why)}")
        if as_json:
            print_json(map(contract.facts, report.links))
        else:
            click.echo(reports.enriched(report))
        return 0
