"""Store and ledger, each told what the other knows better: a thousand links at a time.

Neither is ever in memory whole, since a ledger may hold a million links. Joining the lines of one
link does not depend on their order, so that those of the file are taken one part after another.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

from kb import fresh, urls
from kb.config import Settings
from kb.model.kinds import LinkKind, settled_kind
from kb.model.links import Key, LinkRecord
from kb.model.reports import Problem, Severity
from kb.store import ledger, lock
from kb.store.lines import lines
from kb.store.store import Store

T = TypeVar("T")

_TOGETHER = 1_000


def record(store: Store, settings: Settings, *, wait: float = lock.WAIT) -> bool:
    """Write what was seen of links into the ledger, after a check, facts, or a word of the person.

    What the files say beyond the store (after a git pull, say) is taken in first, so nothing is
    lost. Links that stand in private notes only go to the private ledger. Returns whether a file
    changed. StoreBusy, LedgerError.
    """
    with lock.hold(settings.derived / "lock", wait):
        before = _Ledger() if _is_known(store, settings) else take(store, settings)
        public = lines(store, unknown=before.unknown)
        changed = ledger.write_lines(settings.ledger, public, before.strays)
        private = lines(store, private=True, unknown=before.unknown)
        changed |= ledger.write_lines(settings.private_ledger, private, before.private_strays)
        _remember(store, settings, before)
    return changed


@dataclass(slots=True)
class _Ledger:
    """What both files of the ledger hold that the store does not: fields of a newer kb, and strays."""

    unknown: dict[Key, dict[str, object]] = field(default_factory=dict)
    strays: list[ledger.Stray] = field(default_factory=list)
    private_strays: list[ledger.Stray] = field(default_factory=list)
    problems: tuple[Problem, ...] = ()


def take(store: Store, settings: Settings) -> _Ledger:
    """Take into the store what the ledger knows better. While a line cannot be read, it is read each time."""
    found = _Ledger()
    files = (
        (settings.ledger, found.strays, False),
        (settings.private_ledger, found.private_strays, True),
    )
    for path, _, _ in files:
        ledger.refuse(path)
    with store.bulk():
        for path, strays, private in files:
            for part in _parts(ledger.each(path, strays)):
                _take_all(store, part, private=private)
                _keep_unknown(found.unknown, part)
    found.problems = tuple(
        problem for path, strays, _ in files for problem in _strayed(settings, path, strays)
    )
    _remember(store, settings, found)
    return found


def _is_known(store: Store, settings: Settings) -> bool:
    """Whether the files are as they were last read or written, and held nothing but what the store holds."""
    return store.setting("ledger_plain") == fresh.ledger_signature(settings)


def _remember(store: Store, settings: Settings, found: _Ledger) -> None:
    signature = fresh.ledger_signature(settings)
    with store.transaction():
        store.remember("ledger", None if found.problems else signature)
        store.remember("ledger_plain", None if found.problems or found.unknown else signature)


def _parts(values: Iterable[T]) -> Iterator[list[T]]:
    left = iter(values)
    while part := list(islice(left, _TOGETHER)):
        yield part


def _strayed(settings: Settings, path: Path, strays: Iterable[ledger.Stray]) -> list[Problem]:
    """A problem for each line of a ledger that could not be read; paths are relative to the notes folder."""
    where = os.path.relpath(path, settings.notes)
    return [Problem(where, one.line, Severity.ERROR, one.why, one.hint) for one in strays]


def _keep_unknown(unknown: dict[Key, dict[str, object]], part: Sequence[ledger.Entry]) -> None:
    for one in part:
        if one.unknown:
            known = ledger.Entry(one.key, unknown=unknown.get(one.key, {}))
            unknown[one.key] = dict(ledger.merge(known, one).unknown)


def _take_all(store: Store, part: Sequence[ledger.Entry], *, private: bool) -> None:
    entries = ledger.joined(part)
    with store.transaction():
        records = store.states(entries)
        for key, one in entries.items():
            _take(store, one, records.get(key), private=private)


def _take(store: Store, one: ledger.Entry, record: LinkRecord | None, *, private: bool) -> None:
    if record is None:
        address = str(one.key)
        store.know(one.key, urls.link_kind(address), urls.host(address), private=private)
    old = ledger.Entry(one.key) if record is None else ledger.entry(record)
    new = ledger.merge(old, one)
    if new.facts != old.facts:
        store.save_facts(one.key, new.facts)
        kind = record.kind if record is not None else urls.link_kind(str(one.key))
        told = new.facts.extra.get("kind")
        if told in tuple(LinkKind) and settled_kind(kind, LinkKind(str(told))) is not kind:
            store.save_kind(one.key, LinkKind(str(told)))
    if new.looks != old.looks:
        store.save_look(one.key, None, new.looks)
    if new.person != old.person:
        store.save_person(one.key, new.person)
    for alias in set(new.aliases) - set(old.aliases):
        store.add_alias(alias, one.key)


# -- for the doctor --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """How many links of private notes the shared file holds, how many lines it has more than links,
    and of how many links the files do not say what the store knows.
    """

    leaked: int
    doubled: int
    behind: int


def difference(store: Store, settings: Settings) -> Difference:
    """The files against the store. LedgerError where one cannot be read.

    Most lines are just what the store would write: of those no more than a number is kept.
    """
    hidden = {hash(text) for text in lines(store, private=True)}
    left = {hash(text) for text in lines(store)} | hidden
    shared, secret = _Against(left), _Against(left)
    shared.read(settings.ledger)
    secret.read(settings.private_ledger)
    again = {
        key
        for part in _parts(shared.odd)
        for key, record in store.states(part).items()
        if hash(ledger.render([ledger.entry(record)])[:-1]) in shared.alike
    }
    private, odd = store.private_keys(), {**shared.odd, **secret.odd}
    return Difference(
        leaked=len(shared.alike & hidden) + len(shared.odd.keys() & private - again),
        doubled=shared.count - len(shared.alike) - len(shared.odd.keys() - again),
        behind=sum(
            _differs(text, odd)
            for of_private in (False, True)
            for text in lines(store, private=of_private)
            if hash(text) in left
        ),
    )


class _Against:
    """A file's lines: those of `left`, which are taken out of it, and the odd ones."""

    def __init__(self, left: set[int]) -> None:
        self.left = left
        self.alike: set[int] = set()
        self.odd: ledger.Entries = {}
        self.count = 0

    def read(self, path: Path) -> None:
        ledger.joined(ledger.entries_of(map(self._odd, ledger.lines_of(path)), path.name, None), self.odd)

    def _odd(self, text: str) -> str:
        """The line, or nothing where it is just what the store would write."""
        self.count += bool(text.strip())
        number = hash(text.rstrip("\r\n"))
        if number not in self.left:
            return text
        self.left.remove(number)
        self.alike.add(number)
        return ""


def _differs(text: str, files: ledger.Entries) -> bool:
    return any(
        (there := files.get(own.key)) is None or (there.looks, there.facts) != (own.looks, own.facts)
        for own in ledger.parse(text).values()
    )
