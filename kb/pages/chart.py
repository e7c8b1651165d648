"""Pictures as SVG, drawn at build: colours come from the stylesheet, so they follow light and dark."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from kb.pages import markup

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 720, 220, 34, 24
_STEPS = 60


class Band(NamedTuple):
    """A share of a whole: the standing that names it, and how many."""

    name: str
    number: int


def bar(bands: Sequence[Band]) -> str:
    """One bar cut into shares, with a legend in words."""
    total = sum(band.number for band in bands)
    at, pieces = 0.0, []
    for band in bands:
        width = _WIDTH * band.number / total
        pieces.append(
            f'<rect class="kb-fill-{band.name}" x="{at:.1f}" y="0" width="{width:.1f}" height="14"/>'
        )
        at += width
    said = ", ".join(f"{band.number} {band.name}" for band in bands)
    legend = " ".join(
        f'<span><i class="kb-key kb-key-{band.name}"></i>{band.name} <b>{band.number}</b></span>'
        for band in bands
    )
    return (
        f'<svg class="kb-bar" viewBox="0 0 {_WIDTH} 14" preserveAspectRatio="none" role="img"'
        f' aria-label="{markup.words(said)}">{"".join(pieces)}</svg><p class="kb-legend">{legend}</p>'
    )


def over_time(histories: Sequence[Sequence[tuple[str, str]]], last: str, names: Sequence[str]) -> str:
    """How many links had each standing, day by day, as stacked areas; empty where a day tells it all.

    `histories` are (instant, standing) in order, one list a link; `last` is the instant up to
    which they hold; `names` are the standings, the lowest area first.
    """
    if not histories or not last:
        return ""
    first = date.fromisoformat(min(history[0][0] for history in histories)[:10])
    end = date.fromisoformat(last[:10])
    days = (end - first).days
    if days < 1:
        return ""
    steps = min(days, _STEPS)
    moments = [first + timedelta(days=round(days * step / steps)) for step in range(steps + 1)]
    counts = [_standing_at(histories, moment) for moment in moments]
    top = max(sum(one.values()) for one in counts) or 1
    x = [_LEFT + (_WIDTH - _LEFT) * step / steps for step in range(steps + 1)]
    scale = (_HEIGHT - _BOTTOM - 8) / top
    base = [float(_HEIGHT - _BOTTOM)] * (steps + 1)
    areas = []
    for name in names:
        upper = [y - counts[at].get(name, 0) * scale for at, y in enumerate(base)]
        if upper != base:
            points = [f"{x[at]:.1f},{upper[at]:.1f}" for at in range(steps + 1)]
            points += [f"{x[at]:.1f},{base[at]:.1f}" for at in range(steps, -1, -1)]
            areas.append(
                f'<polygon class="kb-fill-{name}" points="{" ".join(points)}"><title>{name}</title></polygon>'
            )
        base = upper
    start, stop = counts[0], counts[-1]
    said = (
        f"Standing of links from {first} to {end}. "
        f"At first {_words(start, names)}; at the end {_words(stop, names)}."
    )
    axis = (
        f'<text x="{_LEFT}" y="{_HEIGHT - 6}">{first}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT - 6}" text-anchor="end">{end}</text>'
        f'<text x="{_LEFT - 6}" y="14" text-anchor="end">{top}</text>'
        f'<text x="{_LEFT - 6}" y="{_HEIGHT - _BOTTOM}" text-anchor="end">0</text>'
        f'<path class="kb-axis" d="M{_LEFT} 8V{_HEIGHT - _BOTTOM}H{_WIDTH}"/>'
    )
    return (
        f'<figure class="kb-figure"><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        f' aria-label="{markup.words(said)}">{"".join(areas)}{axis}</svg>'
        "<figcaption>Standing of the links that were looked at, over time</figcaption></figure>"
    )


def _standing_at(histories: Sequence[Sequence[tuple[str, str]]], moment: date) -> dict[str, int]:
    until = f"{moment.isoformat()}T23:59:59Z"
    found: dict[str, int] = {}
    for history in histories:
        at = bisect_right(history, until, key=lambda change: change[0])
        if at:
            name = history[at - 1][1]
            found[name] = found.get(name, 0) + 1
    return found


def _words(counts: dict[str, int], names: Sequence[str]) -> str:
    return ", ".join(f"{counts[name]} {name}" for name in names if counts.get(name)) or "none"
