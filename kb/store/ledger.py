"""The ledger: what was seen on the web, one line of JSON a link, made to be kept and merged by git.

A line holds the format's version, the key and fragment, aliases, and three groups: facts (what
the page said), looks (the whole state of its standing), person (what the person said of it).
Lines are sorted and written alike for alike values, so that a change of one link is a change of
one line. Git merges by union and may leave several lines for one link: reading takes the newest
of each group, the earliest first seen, the latest last alive, and the union of transitions and
aliases, in whatever order they stand. Fields of a newer kb are carried along unread, and so is a line
that is none of ours: it costs itself, and is told, and stays as it is for people to mend.
"""

from __future__ import annotations

import errno
import io
import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import IO

from kb.errors import LedgerError
from kb.model.links import Facts, Key, LinkRecord, Looks, Person
from kb.store.codec import Group, from_json, to_json
from kb.store.instants import with_instants
from kb.store.rows import dump
from kb.temporary import replacing
from kb.values import dataclass, field, replace

VERSION = 1
_KNOWN = ("v", "key", "fragment", "aliases", "facts", "looks", "person")
_NO_UTF8 = re.compile("[\ud800-\udfff]")  # what bytes that are no UTF-8 are read as
_OURS = f'{{"v":{VERSION},'
_NOTHING: Mapping[str, object] = {}
_BLOCK = 1024 * 1024
_CONFLICT = ("<<<<<<< ", "=======", ">>>>>>> ", "||||||| ")


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger holds of one link. `unknown` keeps what this version does not read.

    The names of unknown fields of a group are prefixed with it: `facts.citations`.
    """

    key: Key
    facts: Facts = field(default_factory=Facts)
    looks: Looks = field(default_factory=Looks)
    person: Person = field(default_factory=Person)
    aliases: tuple[str, ...] = ()
    unknown: Mapping[str, object] = field(default_factory=dict)

    @property
    def silent(self) -> bool:
        """Whether it says nothing that could not be had from the notes: no line is written for it."""
        seen = replace(self.looks, first_seen=None)
        # Aliases are the page's: the line without a fragment says them.
        aliases = () if self.key.fragment else self.aliases
        return (self.facts, seen, self.person, aliases) == (Facts(), Looks(), Person(), ())


Entries = dict[Key, Entry]


def entry(record: LinkRecord) -> Entry:
    """The ledger's side of a link."""
    return Entry(record.key, record.facts, record.looks, record.person, tuple(sorted(record.aliases)))


# -- merge -------------------------------------------------------------------------------------


def merge(one: Entry, other: Entry) -> Entry:
    """What two lines of one link say together. The order does not matter."""
    return Entry(
        key=one.key,
        facts=_newest(one.facts, other.facts, one.facts.fetched, other.facts.fetched),
        looks=_merge_looks(one.looks, other.looks),
        person=_newest(one.person, other.person, one.person.said_at, other.person.said_at),
        aliases=tuple(sorted({*one.aliases, *other.aliases})),
        unknown={
            name: max((side[name] for side in (one.unknown, other.unknown) if name in side), key=dump)
            for name in {**one.unknown, **other.unknown}
        },
    )


def _newest(one: Group, other: Group, at: str | None, other_at: str | None) -> Group:
    if one == other or (at or "") != (other_at or ""):
        return one if (at or "") >= (other_at or "") else other
    # The text breaks ties, so that two clones come to the same end.
    return max(one, other, key=_text)


def _text(group: Facts | Looks | Person) -> str:
    if isinstance(group, Looks):  # what is merged from both sides must not choose between them
        group = replace(group, first_seen=None, last_alive=None, archived_url=None, transitions=())
    return dump(to_json(group))


def _merge_looks(one: Looks, other: Looks) -> Looks:
    sides = (one, other)
    newest = _newest(one, other, _last_instant(one), _last_instant(other))
    return replace(
        newest,
        first_seen=min((s.first_seen for s in sides if s.first_seen), default=None),
        last_alive=max((s.last_alive for s in sides if s.last_alive), default=None),
        archived_url=max((s.archived_url for s in sides if s.archived_url), default=None),
        transitions=tuple(sorted({*one.transitions, *other.transitions}, key=lambda t: (t.at, t.standing))),
    )


def _last_instant(looks: Looks) -> str:
    """When this state came about: mostly the last look, or the person's "it lives" after it."""
    instants = (
        looks.last_checked,
        looks.last_conclusive,
        *(one.at for one in looks.transitions),
        looks.last_alive,
    )
    return max((at for at in instants if at), default="")


# -- text --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stray:
    """A line that could not be read: its number, what it holds, what is wrong with it."""

    line: int
    text: str
    why: str
    hint: str


class _Malformed(LedgerError):
    """No line of ours; all others can be read."""


def parse(text: str, name: str = "links.jsonl", strays: list[Stray] | None = None) -> Entries:
    """The entries of a ledger; several lines of one link become one.

    LedgerError, naming the line, for git's conflict marks, for a line of a newer format, and for
    what is no line of ours: unless there are `strays` to put the last into.
    """
    # Not splitlines: JSON may hold U+2028 and its kin, which are no line ends here.
    return joined(entries_of(text.split("\n"), name, strays))


def joined(found: Iterable[Entry], known: Entries | None = None) -> Entries:
    """Entries by key, several of one link made one; put into those that are `known`, if any."""
    entries: Entries = {} if known is None else known
    for one in found:
        before = entries.get(one.key)
        entries[one.key] = one if before is None else merge(before, one)
    return entries


def entries_of(lines: Iterable[str], name: str, strays: list[Stray] | None) -> Iterator[Entry]:
    """What each line says, those of one link apart."""
    for number, line in enumerate(lines, 1):
        line = (line.removeprefix("\ufeff") if number == 1 else line).rstrip("\r\n")
        if not line.strip():
            continue
        try:
            yield _line(line, f"{name}:{number}")
        except _Malformed as error:
            if strays is None:
                raise
            strays.append(Stray(number, line, str(error).partition(": ")[2], error.hint))


def _line(line: str, where: str) -> Entry:
    if line.startswith(_CONFLICT):
        raise LedgerError(
            f"{where}: marks of a merge conflict",
            hint="delete the lines that begin with <<<<<<<, |||||||, ======= or >>>>>>> and keep all others: "
            "kb joins the lines of one link. `links*.jsonl merge=union` in .gitattributes avoids them",
        )
    try:
        if _NO_UTF8.search(line):
            raise ValueError("not UTF-8")
        raw = json.loads(line, parse_constant=_refuse, parse_float=_finite)
        if "\\u" in line:
            raw = json.loads(dump(raw))  # without the half characters that such an escape can make
        if not isinstance(raw, dict):
            raise ValueError("not an object")
        version, key, fragment = raw.get("v"), raw.get("key"), raw.get("fragment", "")
        if isinstance(version, int) and version > VERSION:
            raise LedgerError(
                f"{where}: written by a newer kb (format {version}; this one reads {VERSION})",
                hint="update kb; the ledger was left untouched",
            )
        if version != VERSION or not isinstance(key, str) or not key or not isinstance(fragment, str):
            raise ValueError("v, key or fragment is missing or of the wrong type")
        unknown = {name: value for name, value in raw.items() if name not in _KNOWN}
        aliases = raw.get("aliases", [])
        if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
            raise ValueError(f"aliases is {aliases!r}")
        return Entry(
            Key(key, fragment),
            _group(Facts, raw, "facts", unknown),
            _group(Looks, raw, "looks", unknown),
            _group(Person, raw, "person", unknown),
            tuple(sorted(set(aliases))),
            unknown,
        )
    except (ValueError, RecursionError) as error:
        raise _Malformed(
            f"{where}: not a line of the ledger ({error})",
            hint="restore it with `git checkout`, or delete the line: that link is then looked at anew",
        ) from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):  # it would be written as a word that no JSON knows, and never read again
        raise ValueError(f"{digits[:20]} is beyond all numbers")
    return number


def _group(kind: type[Group], raw: dict[str, object], name: str, unknown: dict[str, object]) -> Group:
    values = raw.get(name, {})
    if not isinstance(values, dict):
        raise ValueError(f"{name} is {values!r}")
    try:
        group, rest = from_json(kind, values)
        group = with_instants(group)
    except ValueError as error:
        raise ValueError(f"{name}.{error}") from None
    unknown.update({f"{name}.{field}": value for field, value in rest.items()})
    return group


def render(entries: Iterable[Entry]) -> str:
    """One line an entry, in order of key and fragment; entries that say nothing are left out."""
    return "".join(f"{text}\n" for text in _rendered(entries))


def _rendered(entries: Iterable[Entry]) -> Iterator[str]:
    telling = (one for one in entries if not one.silent or one.unknown)
    return map(_render, sorted(telling, key=lambda one: _order(one.key)))


def _order(key: Key) -> tuple[str, str]:
    return key.key, key.fragment


def _render(entry: Entry) -> str:
    groups = {"facts": to_json(entry.facts), "looks": to_json(entry.looks), "person": to_json(entry.person)}
    extra: dict[str, object] = {}
    for name, value in entry.unknown.items():
        group, dot, inner = name.partition(".")
        if dot and group in groups:
            groups[group][inner] = value
        else:
            extra[name] = value
    told = {name: dump(group) for name, group in groups.items() if group}
    return line(entry.key.key, entry.key.fragment, entry.aliases, told, extra)


def line(
    key: str,
    fragment: str,
    aliases: Sequence[str],
    groups: Mapping[str, str],
    extra: Mapping[str, object] = _NOTHING,
) -> str:
    """A line. Its groups (facts, looks, person, in this order) are JSON already; no empty ones."""
    # The key comes first, for people who read the diff; inside a group the names are sorted.
    pieces = [f'{{"v":{VERSION},"key":{dump(key)}']
    if fragment:
        pieces.append(f'"fragment":{dump(fragment)}')
    if aliases:
        pieces.append(f'"aliases":{dump(list(aliases))}')
    pieces += [f'"{name}":{text}' for name, text in groups.items()]
    pieces += [f"{dump(name)}:{dump(value)}" for name, value in sorted(extra.items())]
    return ",".join(pieces) + "}"


# -- files -------------------------------------------------------------------------------------


def read(path: Path, strays: list[Stray] | None = None) -> Entries:
    """The entries of the file at `path`; none where there is no file. LedgerError as in `parse`."""
    return joined(each(path, strays))


def refuse(path: Path) -> None:
    """LedgerError for what `each` refuses whatever its `strays`: before anything of a file is taken."""
    for number, text in enumerate(lines_of(path), 1):
        if not text.startswith(_OURS):
            with suppress(_Malformed):
                _line(text.rstrip("\r\n"), f"{path.name}:{number}")


def each(path: Path, strays: list[Stray] | None = None) -> Iterator[Entry]:
    """What each line of the file says, those of one link apart. LedgerError as in `parse`."""
    return entries_of(lines_of(path), path.name, strays)


def lines_of(path: Path) -> Iterator[str]:
    """The file's lines with their ends; none where there is no file. LedgerError where it cannot be read."""
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            yield from file
    except FileNotFoundError:
        return
    except OSError as error:
        raise LedgerError(f"{path}: cannot be read ({error.strerror})") from None


def write(path: Path, entries: Iterable[Entry], strays: Iterable[Stray] = ()) -> bool:
    """`write_lines` of the entries that say something, in order of key and fragment."""
    return write_lines(path, _rendered(entries), strays)


def write_lines(path: Path, lines: Iterable[str], strays: Iterable[Stray] = ()) -> bool:
    """Put the lines into the file, whole or not at all; whether its bytes changed.

    `strays`, the lines that could not be read, stay as they are, below. A symlink is followed;
    the file's mode, owner and attributes are kept. LedgerError where it cannot be written.
    """
    unread = dict.fromkeys(one.text for one in strays)
    data: Iterator[bytes] = (f"{text}\n".encode("utf-8", "surrogateescape") for text in chain(lines, unread))
    path = Path(os.path.realpath(path))
    try:
        try:
            before: IO[bytes] = path.open("rb")
        except FileNotFoundError:
            before = io.BytesIO()
        with before:
            same = 0
            for one in data:
                if before.read(len(one)) != one:
                    data = chain((one,), data)
                    break
                same += len(one)
            else:
                if not before.read(1):
                    return False
            _replace(path, before, same, data)
    except OSError as error:
        raise LedgerError(f"{path}: cannot be written ({error.strerror})") from None
    return True


def _replace(path: Path, before: IO[bytes], same: int, data: Iterable[bytes]) -> None:
    """Write anew: the first `same` bytes of what stands there, then `data`."""
    with replacing(path, like=path if path.exists() else None, durable=True) as file:
        before.seek(0)
        while same:
            block = before.read(min(same, _BLOCK))
            if not block:
                raise OSError(errno.EIO, "it was cut short while it was read")
            file.write(block)
            same -= len(block)
        file.writelines(data)
