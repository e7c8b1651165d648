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
    records: Sequence[LinkRecord],
    notes: Sequence[NoteRow],
    *,
    passages: int,
    pending: int,
    terms: int,
    saved: int,
    today: str,
) -> Stats:
    """Count. Pure; `today` is `YYYY-MM-DD`."""
    web = [record for record in records if urls.is_web(record.address)]
    hosts = Counter(record.host for record in web if record.host)
    return Stats(
        notes=len(notes),
        passages=passages,
        embedded=passages - pending,
        links=len(web),
        mentions=sum(len(record.mentions) for record in web),
        hosts=len(hosts),
        terms=terms,
        titled=sum(record.facts.title is not None for record in web),
        saved=saved,
        note_kinds=_most(Counter(str(note.kind) for note in notes)),
        standings={str(one): count for one in Standing if (count := _standing(web, one))},
        kinds=_most(Counter(str(record.kind) for record in web)),
        top_hosts=_most(hosts, HOSTS),
        months=_months(web),
        rot=rot(web, today),
    )


def rot(records: Iterable[LinkRecord], today: str) -> tuple[Age, ...]:
    """How many of the judged links of each age are dead; ages without any are left out.

    A link is as old as its first mention's date.
    """
    counts: Counter[int] = Counter()
    dead: Counter[int] = Counter()
    for record in records:
        born = _born(record)
        if born is None or record.standing not in KNOWN:
            continue
        years = (date.fromisoformat(today) - date.fromisoformat(born)).days / 365.25
        place = sum(years >= age for age in AGES[1:])
        counts[place] += 1
        dead[place] += record.standing is Standing.DEAD
    ends = (*AGES[1:], None)
    return tuple(Age(AGES[at], ends[at], counts[at], dead[at]) for at in range(len(AGES)) if counts[at])


def _standing(records: Iterable[LinkRecord], standing: Standing) -> int:
    return sum(record.standing is standing for record in records)


def _most(counts: Counter[str], limit: int | None = None) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit])


def _born(record: LinkRecord) -> str | None:
    """The first day on which the notes hold a link."""
    return min((when.earliest for one in record.mentions if (when := one.noted or one.date)), default=None)


def _months(records: Iterable[LinkRecord]) -> dict[str, int]:
    return dict(sorted(Counter(born[:7] for record in records if (born := _born(record))).items()))
