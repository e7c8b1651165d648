"""Figures, events, findings and settings as text that fits the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kb.cli.clean import plain
from kb.cli.columns import columns, cut, padded
from kb.cli.render import Notes, linked, on_terminal, styled, width

if TYPE_CHECKING:
    from kb.knowledge import Event, Finding, Holding, Stats

_COLOURS = {
    "alive": "green", "moved": "yellow", "suspect": "yellow", "dead": "red",
    "added": "green", "revived": "green", "died": "red", "failed": "yellow",
    "error": "red", "warning": "yellow",
}  # fmt: skip
_EIGHTHS = " ▏▎▍▌▋▊▉"
_HEIGHTS = "▁▂▃▄▅▆▇█"
_MONTHS = 36


def fits(text: str, room: int) -> str:
    """The text in so many columns of a terminal, cut where it is longer; whole where no terminal is."""
    return cut(text, room) if on_terminal() else text


def _blocks() -> bool:
    """Whether stdout can show the characters that plots are drawn with."""
    try:
        (_EIGHTHS + _HEIGHTS + "█").encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def bar(share: float, columns: int) -> str:
    """A bar of at most `columns`, for a share of 0 to 1; what is more than nothing is seen."""
    eighths = round(share * columns * 8)
    if share > 0:
        eighths = max(eighths, 1)
    if not _blocks():
        return "#" * max(round(share * columns), int(share > 0))
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


def bars(counts: Mapping[str, int], *, total: int | None = None) -> list[str]:
    """A line a name: its bar against the greatest, its count and, with a total, its share."""
    if not counts:
        return []
    most, names = max(counts.values()), max(columns(plain(name)) for name in counts)
    names = min(names, 40)
    room = max(width() - names - 18, 8)
    room = min(room, 40)
    lines = []
    for name, count in counts.items():
        share = f" {count / total:4.0%}" if total else ""
        drawn = styled(f"{bar(count / most, room):<{room}}", _COLOURS.get(name, "cyan"))
        lines.append(f"  {padded(fits(plain(name), names), names)}  {drawn} {count:>6,}{share}")
    return lines


def stats(value: Stats) -> str:
    """The figures, each group under its heading."""
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in value.note_kinds.items())
    left = value.passages - value.embedded
    embedded = "all embedded" if not left else f"{left:,} not embedded"
    lines = [
        f"notes     {value.notes:>7,}  {kinds}",
        f"passages  {value.passages:>7,}  {embedded if value.passages else ''}",
        f"terms     {value.terms:>7,}",
        f"links     {value.links:>7,}  {value.mentions:,} mentions, {value.hosts:,} hosts",
        f"titles    {value.titled:>7,}  of pages, fetched",
        f"texts     {value.saved:>7,}  of pages, saved",
    ]
    groups = [
        ("Links by standing", bars(value.standings, total=value.links)),
        ("Links by kind", bars(value.kinds, total=value.links)),
        ("Hosts with most links", bars(value.top_hosts)),
        ("Links by the month in which they were noted", months(value.months)),
        ("How links rot: the share that is dead, by years since they were noted", rot(value)),
    ]
    for title, drawn in groups:
        if drawn:
            lines += ["", styled(title, "bold"), *drawn]
    return "\n".join(line.rstrip() for line in lines)


def months(counts: Mapping[str, int]) -> list[str]:
    """A column a month, the last `_MONTHS` of them up to the latest, under its greatest count."""
    if not counts:
        return []
    year, month = map(int, max(counts).split("-"))
    names = []
    for _ in range(_MONTHS):
        names.append(f"{year:04d}-{month:02d}")
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)
    names = [name for name in reversed(names) if name >= min(counts)]
    values = [counts.get(name, 0) for name in names]
    most = max(values)
    if _blocks():
        drawn = "".join(_HEIGHTS[round(one / most * 7)] if one else " " for one in values)
    else:
        drawn = "".join(str(round(one / most * 9)) if one else " " for one in values)
    older = sum(count for name, count in counts.items() if name < names[0])
    said = f"at most {most:,} a month" + (f"; {older:,} before {names[0]}" if older else "")
    span = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
    return [f"  {styled(drawn, 'cyan')}", f"  {span}, {said}"]


def rot(value: Stats) -> list[str]:
    """A line an age; nothing before a look has judged any link."""
    lines = []
    for age in value.rot:
        years = f"{age.since} to {age.until}" if age.until is not None else f"{age.since} or more"
        share = age.dead / age.links
        drawn = styled(f"{bar(share, 30):<30}", "red")
        lines.append(f"  {years:<10} {drawn} {share:>5.0%}  {age.dead:,} of {age.links:,}")
    return lines


def events(values: Sequence[Event], places: Notes) -> str:
    """A line an event: day, what, title and address, place.

    On a terminal it is cut to fit, and title and place lead to the page and the note.
    """
    lines = []
    for one in values:
        place = plain(places.shown(one.path)) + (f":{one.line}" if one.line else "")
        head = f"{one.day}  {styled(f'{one.change:<7}', _COLOURS.get(one.change, 'dim'))}  "
        title = plain(one.title) or plain(one.url)
        if on_terminal():
            most = max(width() // 2 - 12, 20)
            shown = place if columns(place) <= most else "…" + cut(place[::-1], most)[-2::-1]
            room = max(width() - 23 - columns(shown), 10)
            text = fits(title, room)
            padding = " " * (room - columns(text))
            text = linked(text, one.url) if one.url else text
            where = linked(styled(shown, "dim"), places.address(one.path, max(one.line, 1)))
            lines.append(f"{head}{text}{padding}  {where}")
        else:
            what = "  ".join(dict.fromkeys(part for part in (title, plain(one.url)) if part))
            lines.append(f"{head}{what}  {place}")
    return "\n".join(lines)


def findings(values: Sequence[Finding], shown: Callable[[str], str]) -> str:
    """Each finding, where it is, and beneath it what to type; those to be mended come first."""
    lines = []
    for one in sorted(values, key=lambda one: one.severity != "error"):
        where = shown(one.path) if one.path is not None else one.file or ""
        place = f"{plain(where)}{f':{one.line}' if one.line else ''}: " if where else ""
        lines.append(f"{place}{styled(str(one.severity), _COLOURS[one.severity])}: {plain(one.message)}")
        lines += [f"    {plain(line)}" for line in one.hint.splitlines()]
    return "\n".join(lines)


def settings(values: Sequence[Holding]) -> str:
    """A line a key: name, value, where it comes from; those that are set in bold."""
    names = max(len(one.key.name) for one in values)
    told = [toml(one.value) for one in values]
    room = min(max(map(columns, told)), 30)
    lines = []
    for one, value in zip(values, told, strict=True):
        style = "dim" if one.origin == "default" else "bold"
        lines.append(
            f"{styled(f'{one.key.name:<{names}}', style)}  {padded(plain(value), room)}  {plain(one.origin)}"
        )
    return "\n".join(lines)


def toml(value: Any) -> str:
    """A value as kb.toml spells it, near enough to be read."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"
