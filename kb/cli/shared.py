"""What the commands have in common with click: the notebook of the session, the filter options, progress."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from kb.cli import Session, plain
from kb.cli.plain import KINDS, STANDINGS
from kb.cli.plain import filter_of as filter_of  # for the commands, with what stands below
from kb.cli.plain import print_json as print_json
from kb.knowledge import KnowledgeBase
from kb.model import Problem

_F = TypeVar("_F", bound=Callable[..., Any])


def notebook() -> KnowledgeBase:
    """The notebook that the options before the command name, or the nearest upward."""
    return KnowledgeBase.open(session().root)


def quiet() -> bool:
    """Whether progress and warnings were asked away."""
    return session().quiet


def session() -> Session:
    """What the options before the command said."""
    return click.get_current_context().ensure_object(Session)


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
formats = click.option(
    "--format",
    "shape",
    type=click.Choice(["table", "markdown", "json"]),
    default="table",
    help="How to print them; markdown suits a job's summary.  [default: table]",
)
dry_run = click.option("--dry-run", is_flag=True, help="Show what would be written; write nothing.")


def filters(function: _F) -> _F:
    """The options that narrow a search or a listing; each may be given several times."""
    for option in reversed(
        [
            click.option(
                "--kind",
                multiple=True,
                type=click.Choice(KINDS),
                metavar="KIND",
                help="Kind of note or link.",
            ),
            click.option("--tag", multiple=True, help="Tag of the note."),
            click.option("--host", multiple=True, help="Host of a link, its subdomains included."),
            click.option(
                "--standing",
                multiple=True,
                type=click.Choice(STANDINGS),
                help="Standing of a link.",
            ),
            click.option("--note", multiple=True, metavar="PATH", help="This note, or notes in this folder."),
            click.option("--since", metavar="DATE", help="From this date on: 2023, 2023-09 or 2023-09-01."),
            click.option("--until", metavar="DATE", help="Up to this date, its last day included."),
        ]
    ):
        function = option(function)
    return function


def warn(text: str) -> None:
    """A word to stderr, unless they were asked away."""
    if not quiet():
        click.echo(text, err=True)


def print_problems(base: KnowledgeBase, problems: Iterable[Problem]) -> None:
    """Problems with notes, on stderr: `path:line: message`, and what to do beneath."""
    for problem in problems:
        where = f"{base.shown(problem.path)}:{problem.line}" if problem.line else base.shown(problem.path)
        warn(f"{where}: {problem.severity}: {problem.message}")
        if problem.hint:
            warn(f"    {problem.hint}")


def progress() -> Callable[[str, int, int], None] | None:
    """A callback (what, done, total) that draws one line, with the rate, on a terminal; None elsewhere."""
    return plain.progress(quiet=quiet())


def counter(what: str) -> Callable[[int, int], None] | None:
    """The same for a callback (done, total) whose work has one name; with its rate and the time left."""
    if quiet() or not sys.stderr.isatty():
        return None
    began = time.monotonic()

    def draw(done: int, total: int) -> None:
        line = f"{what} {done}/{total}{pace(done, total, time.monotonic() - began)}"
        sys.stderr.write(f"\r\x1b[K{line}" if done < total else "\r\x1b[K")
        sys.stderr.flush()

    return draw


def pace(done: int, total: int, seconds: float) -> str:
    """`, 38/s, 50 s left`; nothing before there is anything to go by."""
    if not done or seconds < 1:
        return ""
    rate = done / seconds
    left = (total - done) / rate
    shown = f"{left:.0f} s" if left < 100 else f"{left / 60:.0f} min"
    return f", {rate:.0f}/s, {shown} left" if rate >= 1 else f", {shown} left"
