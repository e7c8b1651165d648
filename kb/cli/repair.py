"""kb repair: moved and dead links with their replacement."""

from __future__ import annotations

from typing import Any

import click

from kb import contract
from kb.cli import render, reports
from kb.cli.help import Command
from kb.cli.shared import (
    as_json,
    counter,
    dry_run,
    filter_of,
    filters,
    notebook,
    page,
    print_json,
    print_problems,
    warn,
)


@click.command("repair", cls=Command)
@click.option("--apply", is_flag=True, help="Write it into the notes.")
@dry_run
@as_json
@filters
def command(apply: bool, dry_run: bool, as_json: bool, **narrow: Any) -> int:
    """Show as a diff what to rewrite: links that moved for good get their target, dead ones the
    Wayback machine's copy nearest to the note's date. Nothing is written without --apply.

    A temporary redirect, a login page and a home page replace nothing.

    \b
      kb repair
      kb repair --host example.org --apply
      kb repair --note papers | less
    """
    with notebook() as base:
        plan = base.repair(
            filter_of(**narrow), apply=apply and not dry_run, progress=counter("asking the archive")
        )
        if as_json:
            print_json(map(contract.change, plan.changes))
        elif plan.edits:
            page(render.diff("".join(edit.diff for edit in plan.edits)), nl=False)
        warn(reports.repaired(plan, apply and not dry_run))
        print_problems(base, plan.problems)
        return 1 if plan.problems else 0
