"""The part of the store that holds links: what was seen of them, and where they stand."""

# ruff: noqa: S608  # statements are put together from our own names and `?`; every value is bound

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from kb.model.kinds import LinkKind, Standing
from kb.model.links import Facts, Key, LinkRecord, Look, Looks, Mention, Person, Transition, Verdict
from kb.model.notes import Span
from kb.model.search import Filter
from kb.store.codec import from_json, to_json
from kb.store.connection import Connected
from kb.store.filters import EVERYTHING, link_clause
from kb.store.rows import chunks, clean, dump, marks, when
from kb.values import replace

_LOOKS = tuple(Looks.__annotations__)
_COLUMNS = f"l.id, l.key, l.fragment, l.kind, l.host, l.facts, {', '.join('l.' + name for name in _LOOKS)}, \
l.ignored, l.alive_at, l.said_at"
# So many are read together: each statement costs as much as a few links do.
_TOGETHER = 500
_WALKED = "notes n CROSS JOIN passages p ON p.note_id = n.id CROSS JOIN mentions m ON m.passage_id = p.id"
_MENTIONED = "mentions m JOIN passages p ON p.id = m.passage_id JOIN notes n ON n.id = p.note_id"

_STATE = f"SELECT facts, {', '.join(_LOOKS)} FROM links WHERE id = ?"

_NO_FACTS, _NO_WORD = Facts(), Person()


def _assigned(column: str) -> str:
    # A state folded from looks alone does not know when a sync first saw the link.
    return "first_seen = coalesce(?, first_seen)" if column == "first_seen" else f"{column} = ?"


_TRANSITIONS = _LOOKS.index("transitions")
_SAVE_LOOKS = f"UPDATE links SET {', '.join(map(_assigned, _LOOKS))} WHERE id = ?"
_SAVE_ALL = f"UPDATE links SET {', '.join(map(_assigned, _LOOKS))}, title = ?, facts = ? WHERE id = ?"


class Outline(NamedTuple):
    """What there is of a link before it is looked at: its id here, its page, what to ask for, what is due."""

    id: int
    key: str
    address: str
    ignored: bool
    due: str | None


class Links(Connected):
    """Links with their mentions, facts, looks and aliases."""

    # -- read ----------------------------------------------------------------------------------

    def links(self, filter: Filter = EVERYTHING) -> list[LinkRecord]:
        """The links that some note mentions, in order of their first mention, each with all mentions."""
        return list(self.records(self._in_order(filter)))

    def link_parts(self, filter: Filter = EVERYTHING) -> Iterator[list[LinkRecord]]:
        """What `links` gives, a few hundred at a time: a million of them are more than memory holds.

        What is written meanwhile may be seen or not; no statement stays open between two parts.
        """
        return map(self._records, chunks(self._in_order(filter), _TOGETHER))

    def outlines(self, filter: Filter = EVERYTHING) -> Iterator[Outline]:
        """What tells which links to look at, in order of their first mention within the filter."""
        rows = self._mentioned("l.id, l.key, coalesce(m.meant, m.url), l.ignored, l.due", filter, links=True)
        seen: set[int] = set()
        for id, key, address, ignored, due in rows:
            if id not in seen:
                seen.add(id)
                yield Outline(id, key, address, bool(ignored), due)

    def notable(self) -> set[int]:
        """Ids of the links that are suspect or dead, or whose page has changed since."""
        rows = self.connection.execute(
            "SELECT id FROM links WHERE standing IN (?, ?) OR instr(facts, '\"now_title\":') > 0"
            " OR instr(facts, '\"text_changed_at\":') > 0",
            [Standing.SUSPECT, Standing.DEAD],
        )
        return {row[0] for row in rows}

    def _in_order(self, filter: Filter) -> array[int]:
        """Ids of the links in order of their first mention."""
        return array("q", dict.fromkeys(row[0] for row in self._mentioned("m.link_id", filter)))

    def _mentioned(self, columns: str, filter: Filter, *, links: bool = False) -> sqlite3.Cursor:
        """Columns of every mention within the filter, in order of path and place."""
        condition, values = link_clause(filter)
        joined = f"{_MENTIONED} JOIN links l ON l.id = m.link_id"
        if not filter:
            # The notes are walked in their order, so that no more than a passage is sorted at a time.
            joined = _WALKED + (" CROSS JOIN links l ON l.id = m.link_id" if links else "")
        return self.connection.execute(
            f"SELECT {columns} FROM {joined} WHERE {condition} ORDER BY n.path, p.ordinal, m.start, m.id",
            values,
        )

    def records(self, ids: Sequence[int]) -> Iterator[LinkRecord]:
        """The links of these ids, in this order, with their mentions."""
        return chain.from_iterable(map(self._records, chunks(ids, _TOGETHER)))

    def link(self, key: Key) -> LinkRecord | None:
        """A link by its key, or by an alias of its key; mentioned or not. None if unknown."""
        id = self._find(key)
        return None if id is None else self._records([id])[0]

    def state(self, key: Key) -> tuple[Looks, Facts] | None:
        """Where a link stands and what its page said of itself, and no more; None if it is unknown."""
        id = self._find(key)
        if id is None:
            return None
        facts, *looks = self.connection.execute(_STATE, [id]).fetchone()
        return _looks(looks), _NO_FACTS if facts is None else from_json(Facts, json.loads(facts))[0]

    def states(self, keys: Iterable[Key]) -> dict[Key, LinkRecord]:
        """The links of just these keys, aliases apart, without their mentions; those unknown are left out."""
        wanted = set(keys)
        ids = [
            id
            for part in chunks([clean(key) for key in {one.key for one in wanted}])
            for id, *key in self.connection.execute(
                f"SELECT id, key, fragment FROM links WHERE key IN ({marks(len(part))})", part
            )
            if Key(*key) in wanted
        ]
        return {
            record.key: record for part in chunks(ids, _TOGETHER) for record in self._states(part).values()
        }

    def checks(self, key: Key) -> list[Look]:
        """Every look at a link since this store was made, oldest first."""
        rows = self.connection.execute(
            "SELECT at, verdict, status, final_url, reason, gone, etag, last_modified, retry_at FROM checks"
            " WHERE link_id = ? ORDER BY at, id",
            [self._find(key)],
        )
        return [
            Look(at, Verdict(verdict), status, final_url, reason, bool(gone), etag, modified, retry_at)
            for at, verdict, status, final_url, reason, gone, etag, modified, retry_at in rows
        ]

    def private_keys(self) -> set[Key]:
        """Links that stand in private notes only, or did when a note last mentioned them."""
        return {Key(*row) for row in self.connection.execute("SELECT key, fragment FROM links WHERE private")}

    def link_count(self) -> int:
        """How many links some note mentions."""
        row = self.connection.execute(
            "SELECT count(DISTINCT link_id) FROM mentions m JOIN passages p ON p.id = m.passage_id"
            " WHERE p.source = 'note'"
        ).fetchone()
        return int(row[0])

    def _find(self, key: Key) -> int | None:
        # A link's own row comes before an alias: keys never shift under a link.
        row = self.connection.execute(
            "SELECT id FROM links WHERE key = ?1 AND fragment = ?2 UNION ALL SELECT l.id FROM aliases a"
            " JOIN links l ON l.key = a.key WHERE a.alias = ?1 AND l.fragment = ?2 LIMIT 1",
            [clean(key.key), clean(key.fragment)],
        ).fetchone()
        return None if row is None else int(row[0])

    def _records(self, ids: Sequence[int]) -> list[LinkRecord]:
        """These links with their mentions; no more than `_TOGETHER`."""
        mentions: dict[int, list[Mention]] = {}
        for link, path, line, url, anchor, date, noted, start, end, private, meant in self.connection.execute(
            "SELECT m.link_id, n.path, m.line, m.url, m.anchor, p.date, p.noted, m.start, m.end, n.private,"
            f" m.meant FROM {_MENTIONED} WHERE m.link_id IN ({marks(len(ids))})"
            " ORDER BY n.path, p.ordinal, m.start, m.id",
            ids,
        ):
            mentions.setdefault(link, []).append(
                Mention(
                    path, line, url, anchor, when(date), when(noted), Span(start, end), bool(private), meant
                )
            )
        found = self._states(ids)
        return [replace(found[id], mentions=tuple(mentions.get(id, ()))) for id in ids]

    def _states(self, ids: Sequence[int]) -> dict[int, LinkRecord]:
        """The same without mentions, by id."""
        run = self.connection.execute
        aliases: dict[str, list[str]] = {}
        of_these = f"(SELECT key FROM links WHERE id IN ({marks(len(ids))}))"
        for alias, key in run(f"SELECT alias, key FROM aliases WHERE key IN {of_these} ORDER BY alias", ids):
            aliases.setdefault(key, []).append(alias)
        found: dict[int, LinkRecord] = {}
        rows = run(f"SELECT {_COLUMNS} FROM links l WHERE l.id IN ({marks(len(ids))})", ids)
        for id, key, fragment, kind, host, facts, *rest in rows:
            looks, person = rest[: len(_LOOKS)], rest[len(_LOOKS) :]
            ignored, alive_at, said_at = person
            found[id] = LinkRecord(
                key=Key(key, fragment),
                kind=LinkKind(kind),
                host=host,
                facts=_NO_FACTS if facts is None else from_json(Facts, json.loads(facts))[0],
                looks=_looks(looks),
                person=Person(bool(ignored), alive_at, said_at) if any(person) else _NO_WORD,
                aliases=tuple(aliases.get(key, ())),
            )
        return found

    # -- write ---------------------------------------------------------------------------------

    def save_look(self, key: Key, look: Look | None, looks: Looks, facts: Facts | None = None) -> None:
        """Keep one look in the log, and the state it led to, and what the page said where it said anything.

        Without a look, the state alone.
        """
        with self.transaction():
            id = self._require(key)
            if look is not None:
                self.connection.execute(
                    "INSERT INTO checks (link_id, at, verdict, status, final_url, reason, gone, etag,"
                    f" last_modified, retry_at) VALUES ({marks(10)})",
                    [
                        id,
                        look.at,
                        look.verdict,
                        look.status,
                        _text(look.final_url),
                        clean(look.reason),
                        look.gone,
                        _text(look.etag),
                        _text(look.last_modified),
                        look.retry_at,
                    ],
                )
            values = [getattr(looks, name) for name in _LOOKS]
            values[_TRANSITIONS] = (
                dump([[one.at, one.standing] for one in looks.transitions]) if looks.transitions else None
            )
            told = [] if facts is None else [_text(facts.title), dump(to_json(facts))]
            self.connection.execute(
                _SAVE_LOOKS if facts is None else _SAVE_ALL,
                [*(_text(value) if isinstance(value, str) else value for value in values), *told, id],
            )

    def save_facts(self, key: Key, facts: Facts) -> None:
        """Keep what a page said of itself."""
        with self.transaction():
            self.connection.execute(
                "UPDATE links SET title = ?, facts = ? WHERE id = ?",
                [_text(facts.title), dump(to_json(facts)), self._require(key)],
            )

    def save_person(self, key: Key, person: Person) -> None:
        """Keep what the person said of a link."""
        with self.transaction():
            self.connection.execute(
                "UPDATE links SET ignored = ?, alive_at = ?, said_at = ? WHERE id = ?",
                [person.ignored, person.alive_at, person.said_at, self._require(key)],
            )

    def save_kind(self, key: Key, kind: LinkKind) -> None:
        """Keep the kind that fetched facts showed."""
        with self.transaction():
            self.connection.execute("UPDATE links SET kind = ? WHERE id = ?", [kind, self._require(key)])

    def add_alias(self, alias: str, key: Key | str) -> None:
        """Let another page's key lead to this one's. An alias of itself is nothing."""
        target = key.key if isinstance(key, Key) else key
        if alias == target:
            return
        with self.transaction():
            self.connection.execute(
                "INSERT INTO aliases (alias, key) VALUES (?, ?)"
                " ON CONFLICT (alias) DO UPDATE SET key = excluded.key",
                [clean(alias), clean(target)],
            )

    def know(self, key: Key, kind: LinkKind, host: str, *, private: bool = False) -> None:
        """Make a row for a link that no note mentions (yet), such as one of the ledger."""
        with self.transaction():
            self.connection.execute(
                "INSERT OR IGNORE INTO links (key, fragment, kind, host, private) VALUES (?, ?, ?, ?, ?)",
                [clean(key.key), clean(key.fragment), kind, host, private],
            )

    def _require(self, key: Key) -> int:
        id = self._find(key)
        if id is None:
            raise KeyError(f"no such link: {key}")
        return id


def _text(text: str | None) -> str | None:
    return None if text is None else clean(text)


def _looks(columns: Sequence[Any]) -> Looks:
    values = {name: value for name, value in zip(_LOOKS, columns, strict=True) if value is not None}
    values["standing"] = Standing(values["standing"])
    if "verdict" in values:
        values["verdict"] = Verdict(values["verdict"])
    if "transitions" in values:
        pairs = json.loads(values["transitions"])
        values["transitions"] = tuple(Transition(at, Standing(standing)) for at, standing in pairs)
    return Looks(**values)
