"""What commands have in common and click has no part in: the filter, JSON, warnings, progress."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from kb.cli.clean import json_text, plain_lines
from kb.errors import UsageError
from kb.model.dates import When
from kb.model.kinds import LinkKind, NoteKind, Source, Standing
from kb.model.search import Filter, Hit
from kb.values import replace

if TYPE_CHECKING:
    from kb.knowledge import KnowledgeBase

KINDS = tuple(dict.fromkeys([*map(str, NoteKind), *map(str, LinkKind)]))
STANDINGS = tuple(map(str, Standing))


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
        tags=tuple(map(_whole, tag)),
        hosts=tuple(map(_whole, host)),
        standings=tuple(Standing(word) for word in standing),
        paths=tuple(note),
        since=date("--since", since).earliest if since else None,
        until=date("--until", until).latest if until else None,
    )


def within(narrow: Filter, where: str) -> Filter:
    """The same filter over `notes`, `pages` or `all`."""
    sources = {"notes": (Source.NOTE,), "pages": (Source.PAGE,)}.get(where, ())
    return replace(narrow, sources=sources)


def _whole(text: str) -> str:
    """Without the halves of characters that bytes which are no UTF-8 become."""
    return text.encode("utf-8", "replace").decode()


def date(option: str, text: str) -> When:
    """The date that an option names. UsageError for one that is none."""
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
        text = json_text(json.dumps(value, ensure_ascii=False, indent=2)).replace("\n", "\n  ")
        print(("[\n  " if empty else ",\n  ") + text, end="")
        empty = False
    print("[]" if empty else "\n]")


def page(text: str, *, pager: bool, end: str = "\n") -> None:
    """Print it; with `pager`, on a terminal too low for it, in a pager."""
    pages((text,), pager=pager, end=end)


def pages(pieces: Iterable[str], *, pager: bool, end: str = "\n") -> bool:
    """The same for a text that comes in pieces, each of whole lines; whether there were any."""
    left = iter(pieces)
    first = next(left, None)
    if first is None:
        return False
    if pager and sys.stdout is not None and sys.stdout.isatty():
        from kb.cli import pager as program

        if program.show(first, left):
            return True
    print(first, end=end)
    for piece in left:
        print(piece, end=end)
    return True


def remember(base: KnowledgeBase, hits: Sequence[Hit]) -> None:
    """Keep the hits for `kb open`, when the person has them before them."""
    if sys.stdout is not None:
        sys.stdout.flush()
    base.remember(hits)


def warn(text: str, *, quiet: bool) -> None:
    """A word to stderr, unless they were asked away."""
    if not quiet:
        print(plain_lines(text), file=sys.stderr, flush=True)


def progress(*, quiet: bool) -> Callable[[str, int, int], None] | None:
    """A callback (what, done, total) that draws one line, with the rate, on a terminal; None elsewhere."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        return None

    began: dict[str, tuple[float, int]] = {}

    def draw(what: str, done: int, total: int) -> None:
        now = monotonic()
        at, first = began.setdefault(what, (now, done))
        rate = f", {(done - first) / (now - at):.0f}/s" if done > first and now > at else ""
        sys.stderr.write(f"\r\x1b[K{what} {done}/{total}{rate}" if done < total else "\r\x1b[K")
        sys.stderr.flush()

    return draw
