"""The ledger's lines as the store would have them, made from columns: what was seen is text there already.

Making a link's values, only to spell them out again, takes five times as long, and a ledger is written
whole. `ledger.render` of the same links gives the same lines.
"""

# ruff: noqa: S608  # statements are put together from our own names and `?`; every value is bound

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

from kb.model.links import Key, Looks
from kb.store import ledger
from kb.store.connection import Connected
from kb.store.rows import dump
from kb.values import replace

_LOOKS = tuple(Looks.__annotations__)
_NEVER = Looks()
_DEFAULTS = {name: value for name in _LOOKS if (value := getattr(_NEVER, name)) is not None}
_TRANSITIONS = _LOOKS.index("transitions")
_SEEN = {"first_seen"}
_PAGE = 1_000


def lines(
    store: Connected, *, private: bool = False, unknown: Mapping[Key, Mapping[str, object]] | None = None
) -> Iterator[str]:
    """The line of each link that has one, in order, without line ends; or those of private notes.

    `unknown` are the fields that this version does not read, by key, to be carried along.
    """
    carried = unknown or {}
    for key, fragment, own, facts, looks, person in _rows(store, private):
        extra = carried.get(Key(key, fragment))
        if extra is not None:
            text = ledger.line(key, fragment, own, _told(facts, looks, person))
            yield ledger.render([replace(only, unknown=extra) for only in ledger.parse(text).values()])[:-1]
        elif facts or person or looks.keys() - _SEEN or (own and not fragment):
            yield ledger.line(key, fragment, own, _told(facts, looks, person))


def _told(facts: str | None, looks: dict[str, Any], person: dict[str, Any]) -> dict[str, str]:
    groups = {"facts": facts, "looks": dump(looks) if looks else "", "person": dump(person) if person else ""}
    return {name: text for name, text in groups.items() if text}


_Row = tuple[str, str, list[str], str | None, dict[str, Any], dict[str, Any]]


def _rows(store: Connected, private: bool) -> Iterator[_Row]:
    """Key, fragment, aliases, facts, looks and person of every link, in order of key and fragment."""
    run = store.connection.execute
    last: tuple[str, str] = ("", "")
    while page := run(
        f"SELECT key, fragment, facts, ignored, alive_at, said_at, {', '.join(_LOOKS)} FROM links"
        " WHERE (key, fragment) > (?, ?) AND private = ? ORDER BY key, fragment LIMIT ?",
        [*last, private, _PAGE],
    ).fetchall():
        found = run(
            "SELECT key, alias FROM aliases WHERE key BETWEEN ? AND ? ORDER BY key, alias",
            [page[0][0], page[-1][0]],
        )
        aliases = {key: [alias for _, alias in group] for key, group in groupby(found, itemgetter(0))}
        for key, fragment, facts, ignored, alive_at, said_at, *columns in page:
            if columns[_TRANSITIONS] is not None:
                columns[_TRANSITIONS] = json.loads(columns[_TRANSITIONS])
            looks = {
                name: value
                for name, value in zip(_LOOKS, columns, strict=True)
                if value is not None and value != _DEFAULTS.get(name)
            }
            said = (("ignored", bool(ignored)), ("alive_at", alive_at), ("said_at", said_at))
            person = {name: value for name, value in said if value}
            yield (
                key,
                fragment,
                aliases.get(key, []),
                None if facts == "{}" else facts,
                looks,
                person,
            )
        last = page[-1][:2]
