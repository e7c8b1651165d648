"""kb search: the passages that answer."""

from __future__ import annotations

import re
from typing import Any

import click

from kb import contract
from kb.cli import render
from kb.cli.help import Command, Word
from kb.cli.shared import (
    as_json,
    filter_of,
    filters,
    notebook,
    page,
    print_json,
    progress,
    remember,
    warn,
    within,
)


class WithExclusions(Command):
    """Takes `-word` for a part of the query, as it is inside quotes; no option here is so long."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move exclusions behind `--`, where click takes them as they are."""
        excluded = [arg for arg in args if EXCLUSION.match(arg)]
        kept = [arg for arg in args if arg not in excluded]
        split = [] if "--" in kept or not excluded else ["--"]
        return super().parse_args(ctx, [*kept, *split, *excluded])


# -n5 is an option with its value, -not and -70b are words to leave out.
EXCLUSION = re.compile(r"-(?!-)(?!n\d*$)(?!h$)\w")


@click.command("search", cls=WithExclusions)
@click.argument("query", nargs=-1, required=True)
@click.option(
    "--mode",
    type=Word(["hybrid", "keyword", "semantic"]),
    default="hybrid",
    show_default=True,
    help="By words, by meaning, or both together.",
)
@click.option(
    "-n", "--limit", type=click.IntRange(1, 1000), default=5, show_default=True, help="Hits to show."
)
@click.option(
    "--in",
    "where",
    type=Word(["notes", "pages", "all"]),
    default="all",
    show_default=True,
    help="Your own notes, the saved text of linked pages, or both.",
)
@click.option("--explain", is_flag=True, help="Show the two ranks and the fused score.")
@as_json
@filters
def command(
    query: tuple[str, ...], mode: str, limit: int, where: str, explain: bool, as_json: bool, **narrow: Any
) -> int:
    """Find the passages that answer QUERY, by words and by meaning together.

    "A phrase" in quotes must stand as it is, -word must not stand at all, and filters may be
    written into the query: kind:paper tag:rag since:2023-09 host:arxiv.org

    \b
      kb search "qlora vram"
      kb search "how much graphics memory do I need at home" --since 2023
      kb search 'rag -anyscale kind:hn-thread' --json
      kb open 1                                         the first hit, in your editor
    """
    with notebook() as base:
        found = base.search(
            " ".join(query),
            narrow=within(filter_of(**narrow), where),
            mode=mode,
            limit=limit,
            progress=progress(),
        )
        for notice in found.notices:
            warn(notice)
        if as_json:
            print_json(map(contract.hit, found.hits))
        elif found.hits:
            page(render.hits(found.hits, base, found.marks, explain))
        else:
            click.echo(found.advice or "nothing found", err=True)
        if found.hits and not as_json:
            remember(base, found.hits)
        return 0 if found.hits else 1
