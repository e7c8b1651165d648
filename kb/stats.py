"""Figures of a notebook: links by standing, kind, host and month, how they rot, what the notes hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from kb import urls
from kb.model.kinds import Standing
from kb.model.links import LinkRecord
from kb.store.notes import NoteRow
from kb.values import dataclass

#: Where one age ends and the next begins, in years.
AGES = (0, 1, 2, 3, 5, 8, 12)
HOSTS = 10
#: What a look has shown, one way or the other.
KNOWN = (Standing.ALIVE, Standing.MOVED, Standing.SUSPECT, Standing.DEAD)


@dataclass(frozen=True, slots=True)
class Age:
    """Links noted `since` to `until` years ago (None: or more), judged by a look; how many are dead."""

    since: int
    until: int | None
    links: int
    dead: int


@dataclass(frozen=True, slots=True)
class Stats:
    """The figures. Each mapping is in the order in which it is to be shown.

    `months` counts links by the month in which they were first noted; all figures of links are of
    those that lead to the web.
    """

    notes: int
    passages: int
    embedded: int
    links: int
    mentions: int
    hosts: int
    terms: int
    titled: int
    saved: int
    note_kinds: Mapping[str, int]
    standings: Mapping[str, int]
    kinds: Mapping[str, int]
    top_hosts: Mapping[str, int]
    months: Mapping[str, int]
    rot: tuple[Age, ...]


def stats(
    records: Iterable[LinkRecord],
    notes: Sequence[NoteRow],
    *,
    passages: int,
    pending: int,
    terms: int,
    saved: int,
    today: str,
) -> Stats:
    """Count, one link after another. Pure; `today` is `YYYY-MM-DD`."""
    hosts: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    standings: Counter[Standing] = Counter()
    months: Counter[str] = Counter()
    ages = _Ages(today)
    mentions = titled = 0
    for record in records:
        if not urls.is_web(record.address):
            continue
        standings[record.standing] += 1
        kinds[str(record.kind)] += 1
        if record.host:
            hosts[record.host] += 1
        mentions += len(record.mentions)
        titled += record.facts.title is not None
        if born := _born(record):
            months[born[:7]] += 1
            ages.take(born, record.standing)
    return Stats(
        notes=len(notes),
        passages=passages,
        embedded=passages - pending,
        links=standings.total(),
        mentions=mentions,
        hosts=len(hosts),
        terms=terms,
        titled=titled,
        saved=saved,
        note_kinds=_most(Counter(str(note.kind) for note in notes)),
        standings={str(one): count for one in Standing if (count := standings[one])},
        kinds=_most(kinds),
        top_hosts=_most(hosts, HOSTS),
        months=dict(sorted(months.items())),
        rot=ages.told(),
    )


class _Ages:
    """Judged links counted by their age in years, and the dead among them.

    A link is as old as its first mention's date.
    """

    def __init__(self, today: str) -> None:
        self.today = date.fromisoformat(today)
        self.counts: Counter[int] = Counter()
        self.dead: Counter[int] = Counter()

    def take(self, born: str, standing: Standing) -> None:
        """Count a link, if a look has judged it."""
        if standing in KNOWN:
            years = (self.today - date.fromisoformat(born)).days / 365.25
            place = sum(years >= age for age in AGES[1:])
            self.counts[place] += 1
            self.dead[place] += standing is Standing.DEAD

    def told(self) -> tuple[Age, ...]:
        """The ages of which there are any."""
        ends = (*AGES[1:], None)
        counts, dead = self.counts, self.dead
        return tuple(Age(AGES[at], ends[at], counts[at], dead[at]) for at in range(len(AGES)) if counts[at])


def _most(counts: Counter[str], limit: int | None = None) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit])


def _born(record: LinkRecord) -> str | None:
    """The first day on which the notes hold a link."""
    return min((when.earliest for one in record.mentions if (when := one.noted or one.date)), default=None)
