"""Set one key in kb.toml or the person's config, and leave every other byte of the file as it is."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kb import config
from kb.config import CONFIG_NAME, KEYS, Key, Scope, Settings
from kb.errors import ConfigError, NoteError
from kb.notes.files import write_atomic
from kb.values import dataclass

_HEADER = re.compile(r"\s*\[[^\[].*\]\s*(?:#.*)?$")
_BARE = re.compile(r"[\w-]+\Z", re.ASCII)
_BY_HAND = "edit that file by hand"


@dataclass(frozen=True, slots=True)
class Holding:
    """A key with the value that holds, as JSON has it, and where that comes from."""

    key: Key
    value: Any
    origin: str


def holding(settings: Settings) -> list[Holding]:
    """Every key with its value and origin; a secret's value is told by dots alone."""
    return [
        Holding(key, _shown(key, settings[key.name], secret=True), settings.origin(key.name)) for key in KEYS
    ]


def held(settings: Settings, name: str) -> Holding:
    """One key, its value in full. ConfigError for one that is none."""
    key = config.known(name)
    return Holding(key, _shown(key, settings[name], secret=False), settings.origin(name))


def _shown(key: Key, value: Any, *, secret: bool) -> Any:
    if secret and key.secret and value:
        return "…"
    return list(value) if isinstance(value, tuple) else value


def file_of(key: Key, root: Path) -> Path:
    """The file in which a key of this scope is set."""
    return root / CONFIG_NAME if key.scope is Scope.NOTEBOOK else config.personal_config()


def set_key(root: Path, name: str, text: str | None) -> tuple[Path, bool]:
    """Give a key the value that `text` spells, in the file of its scope; None takes the line out.

    What loosens a guard is loosened for the notebook at `root` alone. The file, and whether it
    changed. ConfigError for what is no key or no value of it, and for a file too odd to be changed
    without harm.
    """
    key = config.known(name)
    path = file_of(key, root)
    within = _named(path, root) if key.scope is Scope.TRUST else ()
    value = None if text is None else config.typed(name, key, text)
    if name == "notebook.notes" and value is not None:
        config.inside(root, {name: value})
    old = path.read_bytes() if path.exists() else None
    try:
        before = (old or b"").decode("utf-8-sig")
        new = assign(before, name, value, within)
        changed = new != before
        if changed:
            mark = b"\xef\xbb\xbf" if (old or b"").startswith(b"\xef\xbb\xbf") else b""
            write_atomic(path, mark + new.encode(), expected=old, root=Path(path.anchor))
            if key.scope is not Scope.NOTEBOOK and old is None:
                os.chmod(path, 0o600)  # it may come to hold a secret
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}", hint="mend it first; nothing was written") from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}", hint=error.hint or _BY_HAND) from None
    except NoteError as error:  # which names the file
        raise ConfigError(str(error), hint=error.hint or _BY_HAND) from None
    return path, changed


def _named(path: Path, root: Path) -> tuple[str, ...]:
    """The table in which the person's config speaks of a notebook, by the name that it has there already."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig")).get(config.NOTEBOOKS, {})
    except (OSError, ValueError):  # it is told of when it is read to be changed
        tables = {}
    here = root.resolve()
    known = (name for name in tables if config.is_folder(name, here)) if isinstance(tables, dict) else ()
    return config.NOTEBOOKS, next(iter(known), str(here))


def assign(text: str, name: str, value: Any, within: tuple[str, ...] = ()) -> str:
    """TOML with one key set, or without it (None); all else stays. ConfigError where that cannot be done.

    `within` are the tables in which the key's own table lies.
    """
    outer, _, leaf = name.rpartition(".")
    table = (*within, outer)
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = [
        line for line in re.split(r"(?<=\n)", text) if line
    ]  # a line separator in a comment ends no line
    line = None if value is None else f"{leaf} = {toml(value)}"
    found = _find(lines, table, leaf)
    if found is not None:
        first, last, comment = found
        end = newline if lines[last - 1].endswith("\n") else ""
        lines[first:last] = [] if line is None else [line + comment + end]
    elif line is not None:
        at = _end_of(lines, table)
        if at is None:
            at, line = len(lines), f"[{_header(table)}]{newline}{line}"
            if lines and lines[-1].strip():
                line = newline + line
        if at and not lines[at - 1].endswith("\n"):
            lines[at - 1] += newline
        lines.insert(at, line + newline)
    changed = "".join(lines)
    wanted = _with(tomllib.loads(text), table, leaf, value)
    try:
        sound = tomllib.loads(changed) == wanted
    except tomllib.TOMLDecodeError:
        sound = False
    if not sound:
        raise ConfigError(f"{name} cannot be set there without changing more", hint=_BY_HAND)
    return changed


def toml(value: Any) -> str:
    """A value as TOML spells it."""
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # as a person writes it
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _header(table: tuple[str, ...]) -> str:
    return ".".join(part if _BARE.match(part) else toml(part) for part in table)


def _table_of(line: str) -> tuple[str, ...] | None:
    """The table that a line begins; None where it begins none."""
    found = _loads(line) if _HEADER.match(line.rstrip("\r\n")) else None
    parts: list[str] = []
    while found:
        (name, found), *_ = found.items()
        parts.append(name)
    return tuple(parts) or None


def _find(lines: list[str], table: tuple[str, ...], leaf: str) -> tuple[int, int, str] | None:
    """The lines (first, behind the last) that set a key, and the comment behind its value."""
    here: tuple[str, ...] = ()
    dotted = _header((*table, leaf))
    for number, line in enumerate(lines):
        header = _table_of(line)
        if header:
            here = header
        elif (here == table and _sets(line, leaf)) or (not here and _sets(line, dotted)):
            if here != table:
                raise ConfigError(f"{dotted} stands there as a dotted key", hint=_BY_HAND)
            for last in range(number + 1, len(lines) + 1):
                whole = "".join(lines[number:last])
                if _loads(whole) is not None:
                    return number, last, _comment(whole)
    return None


def _sets(line: str, name: str) -> bool:
    return re.match(rf"\s*{re.escape(name)}\s*=", line) is not None


def _comment(text: str) -> str:
    """What follows the value on its last line: a comment with the space before it, or nothing."""
    value, text = _loads(text), text.rstrip("\r\n")
    last = text.rpartition("\n")[2]
    for at in (place for place, char in enumerate(last) if char == "#"):
        # A `#` may stand within the value, before that of the comment.
        if _loads(text[: len(text) - len(last) + at]) == value:
            return last[len(last[:at].rstrip()) :]
    return ""


def _loads(text: str) -> Mapping[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _end_of(lines: list[str], table: tuple[str, ...]) -> int | None:
    """Where a line may be added to a table: behind its last line that says something."""
    here: tuple[str, ...] = ()
    found = None
    for number, line in enumerate(lines):
        header = _table_of(line)
        if header:
            here = header
        if here == table and line.strip() and (header or not line.lstrip().startswith("#")):
            found = number + 1
    return found


def _with(values: dict[str, Any], table: tuple[str, ...], leaf: str, value: Any) -> dict[str, Any]:
    values, (name, *more) = {**values}, table
    there = values.get(name, {})
    if not isinstance(there, dict):
        raise ConfigError(f"{name} is no table there", hint=_BY_HAND)
    if more:
        inner = _with(there, tuple(more), leaf, value)
    else:
        inner = {**there}
        if value is None:
            inner.pop(leaf, None)
        else:
            inner[leaf] = list(value) if isinstance(value, tuple) else value
    if inner or name in values:
        values[name] = inner
    return values
