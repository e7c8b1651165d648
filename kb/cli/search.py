"""kb search: the passages that answer."""

from __future__ import annotations

from typing import Any

import click

from kb.cli.help import Command, Word
from kb.cli.quick import MODES, PLACES, excludes
from kb.cli.searching import search
from kb.cli.shared import as_json, filters, session


class WithExclusions(Command):
    """Takes `-word` for a part of the query, as it is inside quotes; no option here is so long."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move exclusions behind `--`, where click takes them as they are."""
        excluded = [arg for arg in args if excludes(arg)]
        kept = [arg for arg in args if arg not in excluded]
        split = [] if "--" in kept or not excluded else ["--"]
        return super().parse_args(ctx, [*kept, *split, *excluded])


@click.command("search", cls=WithExclusions)
@click.argument("query", nargs=-1, required=True)
@click.option(
    "--mode",
    type=Word(MODES),
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
    type=Word(PLACES),
    default="all",
    show_default=True,
    help="Your own notes, the saved text of linked pages, or both.",
)
@click.option("--explain", is_flag=True, help="Show the two ranks and the fused score.")
@as_json
@filters
def command(query: tuple[str, ...], **options: Any) -> int:
    """Find the passages that answer QUERY, by words and by meaning together.

    "A phrase" in quotes must stand as it is, -word must not stand at all, and filters may be
    written into the query: kind:paper tag:rag since:2023-09 host:arxiv.org

    \b
      kb search "qlora vram"
      kb search "how much graphics memory do I need at home" --since 2023
      kb search 'rag -anyscale kind:hn-thread' --json
      kb open 1                                         the first hit, in your editor
    """
    return search(session(), query=query, **options)
