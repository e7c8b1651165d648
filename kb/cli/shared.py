"""What the commands have in common: opening the notebook, the filter options, JSON, progress."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from time import monotonic
from typing import Any, TypeVar

import click

from kb.cli import Session
from kb.cli.plain import CONTROL_IN_LINE, plain_lines
from kb.errors import UsageError
from kb.knowledge import KnowledgeBase
from kb.model import Filter, LinkKind, NoteKind, Problem, Source, Standing, When

_F = TypeVar("_F", bound=Callable[..., Any])

KINDS = tuple(dict.fromkeys([*map(str, NoteKind), *map(str, LinkKind)]))


def notebook() -> KnowledgeBase:
    """The notebook that the options before the command name, or the nearest upward."""
    return KnowledgeBase.open(_session().root)


def quiet() -> bool:
    """Whether progress and warnings were asked away."""
    return _session().quiet


def _session() -> Session:
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
                type=click.Choice([str(standing) for standing in Standing]),
                help="Standing of a link.",
            ),
            click.option("--note", multiple=True, metavar="PATH", help="This note, or notes in this folder."),
            click.option("--since", metavar="DATE", help="From this date on: 2023, 2023-09 or 2023-09-01."),
            click.option("--until", metavar="DATE", help="Up to this date, its last day included."),
        ]
    ):
        function = option(function)
    return function


def filter_of(
    kind: Iterable[str],
    tag: Iterable[str],
    host: Iterable[str],
    standing: Iterable[str],
    note: Iterable[str],
    since: str | None,
    until: str | None,
) -> Filter:
    """The filter that those options spell. UsageError for a date that is none."""
    return Filter(
        kinds=tuple(kind),
        tags=tuple(tag),
        hosts=tuple(host),
        standings=tuple(Standing(word) for word in standing),
        paths=tuple(note),
        since=_date("--since", since).earliest if since else None,
        until=_date("--until", until).latest if until else None,
    )


def within(narrow: Filter, where: str) -> Filter:
    """The same filter over `notes`, `pages` or `all`."""
    sources = {"notes": (Source.NOTE,), "pages": (Source.PAGE,)}.get(where, ())
    return replace(narrow, sources=sources)


def _date(option: str, text: str) -> When:
    try:
        return When.parse(text)
    except ValueError:
        raise UsageError(
            f"{option} {text}: that is no date", hint="dates look like 2023, 2023-09 or 2023-09-01"
        ) from None


def print_json(values: Iterable[Any]) -> None:
    """One JSON array on stdout; an empty result is `[]`."""
    empty = True
    for value in values:  # one at a time: thousands of links are many megabytes as one text
        text = json.dumps(value, ensure_ascii=False, indent=2)
        # JSON lets these stand as they are, and a terminal would obey them.
        text = CONTROL_IN_LINE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).replace("\n", "\n  ")
        click.echo(("[\n  " if empty else ",\n  ") + text, nl=False)
        empty = False
    click.echo("[]" if empty else "\n]")


def warn(text: str) -> None:
    """A word to stderr, unless they were asked away."""
    if not quiet():
        click.echo(plain_lines(text), err=True)


def print_problems(base: KnowledgeBase, problems: Iterable[Problem]) -> None:
    """Problems with notes, on stderr: `path:line: message`, and what to do beneath."""
    for problem in problems:
        where = f"{base.shown(problem.path)}:{problem.line}" if problem.line else base.shown(problem.path)
        warn(f"{where}: {problem.severity}: {problem.message}")
        if problem.hint:
            warn(f"    {problem.hint}")


def progress() -> Callable[[str, int, int], None] | None:
    """A callback (what, done, total) that draws one line, with the rate, on a terminal; None elsewhere."""
    if quiet() or not sys.stderr.isatty():
        return None

    began: dict[str, tuple[float, int]] = {}

    def draw(what: str, done: int, total: int) -> None:
        now = monotonic()
        at, first = began.setdefault(what, (now, done))
        rate = f", {(done - first) / (now - at):.0f}/s" if done > first and now > at else ""
        sys.stderr.write(f"\r\x1b[K{what} {done}/{total}{rate}" if done < total else "\r\x1b[K")
        sys.stderr.flush()

    return draw


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
