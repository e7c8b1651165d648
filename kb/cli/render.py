"""Values as text for a terminal. Marks and colour are plain ANSI, and only where a terminal reads."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from kb.cli.clean import CONTROL_IN_LINE, plain
from kb.cli.colour import colour_of
from kb.cli.columns import cut, wrapped
from kb.model.kinds import Standing
from kb.model.links import LinkRecord
from kb.model.notes import Entry
from kb.model.search import Hit

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_COLOURS = {
    Standing.ALIVE: "green",
    Standing.MOVED: "yellow",
    Standing.SUSPECT: "yellow",
    Standing.DEAD: "red",
}


def coloured() -> bool:
    """Whether to colour: as `--color`, NO_COLOR or FORCE_COLOR say, else where stdout is a terminal."""
    click = sys.modules.get("click")  # a search that is typed plainly does without it
    context = click.get_current_context(silent=True) if click else None
    asked = context.color if context is not None else colour_of("auto")
    if asked is not None:
        return bool(asked)
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and on_terminal()


def on_terminal() -> bool:
    """Whether a person reads what is printed."""
    return sys.stdout is not None and sys.stdout.isatty()


def styled(text: str, style: str) -> str:
    """`text` in an ANSI style, where there is to be colour."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if text and coloured() else text


def width() -> int:
    """Columns to write in: the terminal's up to 100; 100 where there is none."""
    try:  # as shutil.get_terminal_size does, whose import takes 2 ms
        columns = int(os.environ.get("COLUMNS") or os.get_terminal_size(sys.stdout.fileno()).columns)
    except (OSError, ValueError, AttributeError):
        columns = 100
    return min(columns or 100, 100)


class Notes(Protocol):
    """Where notes are, as the person sees it; the KnowledgeBase tells."""

    def shown(self, path: str) -> str:
        """A note's path as a person in the current folder would type it."""

    def address(self, path: str, line: int) -> str:
        """The URL that opens a note at a line."""


Marks = Callable[[str], Sequence[tuple[int, int]]]
"""Where in a text the words of the query stand."""


def linked(text: str, address: str) -> str:
    """`text` as a hyperlink (OSC 8), where stdout is a terminal that may know what that is."""
    if not on_terminal() or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b]8;;{plain(address)}\x1b\\{text}\x1b]8;;\x1b\\"


def hits(values: Sequence[Hit], places: Notes, marks: Marks, explain: bool) -> str:
    """Hits, best first: date and place, heading path, the passage, its links with their standing."""
    return "\n\n".join(_hit(number, value, places, marks, explain) for number, value in enumerate(values, 1))


def _hit(number: int, value: Hit, places: Notes, marks: Marks, explain: bool) -> str:
    place = styled("(saved page)", "bold")
    if value.path:
        shown = styled(plain(f"{places.shown(value.path)}:{value.line}"), "bold")
        place = linked(shown, places.address(value.path, value.line))
    date = str(value.date) if value.date else ""
    if value.noted and value.noted != value.date:
        date = f"{date} (noted {value.noted})"
    lines = [f"{number}. {styled(date, 'cyan')}{'  ' if date else ''}{place}"]
    heading = " > ".join(part for part in dict.fromkeys([value.title, *value.heading]) if part)
    lines += _wrapped(heading, "   ", "dim")
    lines += [line for parent in value.parents for line in _wrapped(f"* {parent}", "   ", "dim", short=True)]
    lines += [_marked(line, marks) for line in _wrapped(value.text, "   ")]
    for link in value.links:
        title = "" if link.title in ("", link.url) else f"  {plain(link.title)}"
        lines.append(f"   {plain(link.url)}{styled(title, 'dim')}  {standing(link.standing)}")
    if explain:
        ranks = [f"{name} {rank or '-'}" for name, rank in _ranks(value)]
        cosine = "-" if value.cosine is None else f"{value.cosine:.3f}"
        lines.append(f"   {', '.join(ranks)}, cosine {cosine}, score {value.score:.4f}")
    return "\n".join(lines)


def _ranks(value: Hit) -> list[tuple[str, int | None]]:
    return [("keyword rank", value.keyword_rank), ("semantic rank", value.semantic_rank)]


def _wrapped(text: str, indent: str, style: str | None = None, *, short: bool = False) -> list[str]:
    room = max(width() - len(indent), 20)
    if text.isascii() and text.isprintable() and 0 < len(one := plain(text)) <= room and one[-1] != " ":
        return [indent + (styled(one, style) if style else one)]  # as most are, in a tenth of the time
    lines = [piece for line in text.splitlines() or [text] for piece in wrapped(plain(line), room)]
    if short and len(lines) > 1:
        lines = [cut(lines[0], room - 2).removesuffix("…").rstrip() + " …"]
    return [indent + (styled(line, style) if style else line) for line in lines]


def _marked(line: str, marks: Marks) -> str:
    """Put the query's words in bold where stdout is a terminal."""
    pieces, last = [], 0
    for start, end in marks(line):
        pieces += [line[last:start], styled(line[start:end], "bold")]
        last = end
    return "".join(pieces) + line[last:]


def standing(value: Standing) -> str:
    """A standing in its colour."""
    return styled(str(value), _COLOURS.get(value, "dim"))


def links(values: Sequence[LinkRecord], shown: Callable[[str], str], now: str) -> str:
    """One line a link (standing, kind, address), then its title, what is known, and where it stands.

    `now` is the instant from which to count how long it has stood so.
    """
    blocks = []
    for value in values:
        gap = " " * (9 - len(value.standing))
        url = plain(value.url)
        url = linked(url, value.address) if value.host else url
        block = [f"{standing(value.standing)}{gap}  {value.kind:<12}  {url}"]
        title = _title(value)
        if title and title != value.url:
            block += _wrapped(title, " " * 11)
        known = told(value, now)
        if known:
            block += _wrapped(known, " " * 11, "dim")
        places = ", ".join(_places(value, shown))
        block += _wrapped(places, " " * 11, "dim")
        blocks.append("\n".join(block))
    return "\n".join(blocks)


def links_in_markdown(
    values: Sequence[LinkRecord], shown: Callable[[str], str], now: str, *, head: bool = True
) -> str:
    """The same as a table of Markdown, such as a job's summary shows; without `head` its rows alone."""
    rows = ["| Standing | Link | What is known | Where |", "|---|---|---|---|"] if head else []
    for value in values:
        title = _cell(_title(value) or value.url)
        link = f"[{title}]({_target(value.url)})" if value.url.startswith(("http://", "https://")) else title
        cells = [str(value.standing), link, _cell(told(value, now)), _cell(", ".join(_places(value, shown)))]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _title(value: LinkRecord) -> str:
    return value.facts.title or next((place.anchor for place in value.mentions if place.anchor), "")


def _cell(text: str) -> str:
    """Text of strangers as one cell: nothing in it is Markdown or HTML."""
    marked = re.sub(r"([\\`*_{}\[\]#~!])", r"\\\1", plain(text).replace("&", "&amp;"))
    return marked.replace("<", "&lt;").replace(">", "&gt;").replace("|", "&#124;")


def _target(url: str) -> str:
    return re.sub(r"[\s()<>|\\`\"\[\]]", lambda char: f"%{ord(char[0]):02X}", plain(url))


def told(value: LinkRecord, now: str) -> str:
    """How long a link has stood so, when it was last alive, why, and whether its title changed."""
    looks, parts = value.looks, []
    if value.standing in (Standing.DEAD, Standing.SUSPECT, Standing.UNKNOWN):
        parts.append(_how_long(value, now))
    if looks.reason and value.standing is not Standing.ALIVE:
        parts.append(looks.reason)
        if looks.last_checked:
            parts.append(f"looked {looks.last_checked[:10]}")
    if value.facts.now_title is not None:
        since = (value.facts.changed_at or "")[:10]
        parts.append(f'changed: "{value.facts.title}" is now "{value.facts.now_title}", seen {since}')
    if value.facts.text_changed_at is not None:
        since = value.facts.text_changed_at[:10]
        parts.append(
            f'another text: it began "{value.facts.was_text}" and now "{value.facts.now_text}", seen {since}'
        )
    return "; ".join(part for part in parts if part)


def _how_long(value: LinkRecord, now: str) -> str:
    """`dead for 3 weeks, last alive 2023-10-02`."""
    looks = value.looks
    since = [one.at for one in looks.turns if one.standing is looks.standing]
    lasted = f" for {duration(since[-1], now)}" if since else ""
    alive = f"last alive {looks.last_alive[:10]}" if looks.last_alive else "never seen alive"
    return f"{value.standing}{lasted}, {alive}"


def duration(since: str, until: str) -> str:
    """The time between two instants as people say it: `2 days`, `3 weeks`, `5 months`."""
    from kb.instants import days_between  # datetime takes 2 ms, which a search need not pay

    days = days_between(since, until)
    for least, length, word in ((730, 365.25, "year"), (60, 30.44, "month"), (14, 7, "week"), (1, 1, "day")):
        if days >= least:
            number = int(days / length)
            return f"{number} {word}" if number == 1 else f"{number} {word}s"
    return "less than a day"


def _places(value: LinkRecord, shown: Callable[[str], str]) -> list[str]:
    places = [f"{shown(place.path)}:{place.line}" for place in value.mentions[:3]]
    more = len(value.mentions) - len(places)
    return places + ([f"{more} more"] if more > 0 else [])


def diff(text: str) -> str:
    """A unified diff, additions and removals in colour on a terminal; line ends as they are."""
    colours = {"+": "green", "-": "red", "@": "cyan"}
    lines = (CONTROL_IN_LINE.sub(" ", line) for line in text.split("\n"))
    return "\n".join(styled(line, colours[line[0]]) if line[:1] in colours else line for line in lines)


def entries(values: Sequence[Entry], shown: Callable[[str], str]) -> str:
    """Glossary terms: expansion, definition, source, where defined and used."""
    blocks = []
    for value in values:
        term = value.term
        head = styled(plain(term.term), "bold") + (f"  {plain(term.expansion)}" if term.expansion else "")
        block = [head]
        if term.definition:
            block += _wrapped(term.definition, "   ")
        if term.url:
            block.append(f"   {plain(term.url)}")
        places = [f"{shown(value.path)}:{term.line}"]
        places += [f"{shown(use.path)}:{use.line}" for use in value.uses]
        block += _wrapped(f"defined {places[0]}", "   ", "dim")
        if value.uses:
            block += _wrapped("used " + ", ".join(places[1:]), "   ", "dim")
        blocks.append("\n".join(block))
    return "\n\n".join(blocks)
