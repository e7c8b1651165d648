"""What the commands have in common with click: the notebook of the session, the filter options, progress."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kb.cli import Session, plain
from kb.cli.clean import json_text, plain_lines
from kb.cli.help import Narrowing, Word
from kb.cli.plain import KINDS, STANDINGS
from kb.cli.plain import date as date  # for the commands, with what stands below
from kb.cli.plain import filter_of as filter_of
from kb.cli.plain import print_json as print_json
from kb.cli.plain import remember as remember
from kb.errors import KbError
from kb.knowledge import KnowledgeBase
from kb.model.reports import Problem

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_F = TypeVar("_F", bound=Callable[..., Any])


def notebook() -> KnowledgeBase:
    """The notebook that the options before the command name, or the nearest upward."""
    options = session()
    base = KnowledgeBase.open(options.root, options.given)
    base.told = warn
    return base


@contextmanager
def told_to_end() -> Iterator[None]:
    """Let a job that is told to end (SIGTERM: cron, CI) keep what it has done, as one that Ctrl-C stops."""
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def quiet() -> bool:
    """Whether progress and warnings were asked away."""
    return session().quiet


def say_next_step() -> None:
    """On stderr, where this folder is in no notebook: how to make one of it."""
    if session().root is None and (advice := KnowledgeBase.next_step()):
        warn(f"\n{advice}")


def page(text: str, *, nl: bool = True) -> None:
    """Print it; on a terminal too low for it, in a pager."""
    plain.page(text, pager=session().pager, end="\n" if nl else "")


def pages(pieces: Iterable[str]) -> bool:
    """The same for a long text that comes in pieces, each of whole lines; whether there were any."""
    return plain.pages(pieces, pager=session().pager)


def session() -> Session:
    """What the options before the command said."""
    return click.get_current_context().ensure_object(Session)


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
formats = click.option(
    "--format",
    "shape",
    type=Word(["table", "markdown", "json"]),
    default="table",
    help="How to print them; markdown suits a job's summary.  [default: table]",
)
dry_run = click.option("--dry-run", is_flag=True, help="Show what would be written; write nothing.")


def completing(what: str) -> Callable[..., list[CompletionItem]]:
    """What completes a value: `notes`, `tags`, `hosts` or `terms` of the notebook, or `keys` of settings."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        item = import_module("click.shell_completion").CompletionItem
        root = ctx.find_root().params.get("root") or os.environ.get("KB_ROOT") or None
        found = KnowledgeBase.suggest(what, incomplete, root)
        if not found and what == "notes":
            # A path that begins as one of this folder's does is the shell's to complete.
            return [item(incomplete, type="file")]
        return [item(_typed(value)) for value in found if value.isprintable()]

    return complete


def _typed(value: str) -> str:
    """As a person would type it: bash takes what it is given for a piece of the command line.

    A tag may be a stranger's, and `$(...)`; zsh and fish quote by themselves.
    """
    if os.environ.get("_KB_COMPLETE") != "bash_complete":
        return value
    return "".join(char if char.isalnum() or char in "/._-+@%:,=" else f"\\{char}" for char in value)


def filters(function: _F) -> _F:
    """The options that narrow a search or a listing; each may be given several times."""
    for option in reversed(
        [
            click.option(
                "--kind",
                cls=Narrowing,
                multiple=True,
                type=Word(KINDS),
                metavar="KIND",
                help="Kind of note or link: paper, video, ...",
            ),
            click.option(
                "--tag",
                cls=Narrowing,
                multiple=True,
                metavar="TAG",
                shell_complete=completing("tags"),
                help="Tag of the note.",
            ),
            click.option(
                "--host",
                cls=Narrowing,
                multiple=True,
                metavar="HOST",
                shell_complete=completing("hosts"),
                help="Host of a link, its subdomains included.",
            ),
            click.option(
                "--standing",
                cls=Narrowing,
                multiple=True,
                metavar="STANDING",
                type=Word(STANDINGS),
                help="Standing of a link: " + ", ".join(STANDINGS) + ".",
            ),
            click.option(
                "--note",
                cls=Narrowing,
                multiple=True,
                metavar="PATH",
                shell_complete=completing("notes"),
                help="This note, or notes in this folder.",
            ),
            click.option(
                "--since",
                cls=Narrowing,
                metavar="DATE",
                help="From this date on: 2023, 2023-09 or 2023-09-01.",
            ),
            click.option(
                "--until", cls=Narrowing, metavar="DATE", help="Up to this date, its last day included."
            ),
        ]
    ):
        function = option(function)
    return function


def print_object(value: Any) -> None:
    """One JSON object on stdout."""
    click.echo(json_text(json.dumps(value, ensure_ascii=False, indent=2)))


def read_stdin() -> str:
    """All of standard input; nothing where it is closed."""
    return "" if sys.stdin is None else sys.stdin.read()


def complain(error: KbError) -> None:
    """On stderr: what went wrong, and what to type; the run goes on."""
    click.echo(plain_lines(f"kb: {error}" + (f"\n    {error.hint}" if error.hint else "")), err=True)


def named_root() -> dict[str, Any]:
    """The notebook and the settings that the options before the command name."""
    options = session()
    return {"root": options.root, "given": options.given}


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
    return plain.progress(quiet=quiet())


def _watched() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def counter(what: str) -> Callable[[int, int], None] | None:
    """The same for a callback (done, total) whose work has one name; with its rate and the time left."""
    if quiet() or not _watched():
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
