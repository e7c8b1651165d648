"""Facts, looks and person to and from JSON values, driven by the fields of their dataclasses.

What equals its default is left out, so that a line or a column holds only what is known. A
value of the wrong type is a ValueError that names the field: the ledger can be edited by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from kb.model.kinds import Standing
from kb.model.links import Facts, Looks, Person, Transition, Verdict

Group = TypeVar("Group", Facts, Looks, Person)


def to_json(group: Facts | Looks | Person) -> dict[str, object]:
    """The fields that say something, as JSON values."""
    return {
        name: _plain(value)
        for name, default, _ in _fields(cast(Hashable, type(group)))
        if (value := getattr(group, name)) != default
    }


def from_json(kind: type[Group], values: Mapping[str, object]) -> tuple[Group, dict[str, object]]:
    """The group that `values` hold, and those that this version does not know.

    ValueError, naming the field, where one is not what it should be.
    """
    known = {name: read for name, _, read in _fields(cast(Hashable, kind))}
    found: dict[str, Any] = {}
    unknown: dict[str, object] = {}
    for name, value in values.items():
        if name not in known:
            unknown[name] = value
            continue
        if value is None:
            continue
        try:
            found[name] = known[name](value)
        except (TypeError, ValueError):
            raise ValueError(f"{name} is {value!r}") from None
    return kind(**found), unknown


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [[one.at, one.standing] if isinstance(one, Transition) else one for one in value]
    return dict(value) if isinstance(value, Mapping) else value


def _as(kind: type) -> Callable[[object], object]:
    def check(value: object) -> object:
        if not isinstance(value, kind):
            raise TypeError
        return value

    return check


def _number(value: object) -> int:
    # True is an int to Python and no number to anybody else; SQLite holds 64 bits.
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
        raise TypeError
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError
    return tuple(value)


def _transitions(value: object) -> tuple[Transition, ...]:
    pairs = cast("list[tuple[object, object]]", _as(list)(value))
    return tuple(Transition(str(_as(str)(at)), Standing(cast(str, standing))) for at, standing in pairs)


_READ: dict[str, Callable[[Any], object]] = {
    "str": _as(str),
    "str | None": _as(str),
    "int": _number,
    "int | None": _number,
    "bool": _as(bool),
    "tuple[str, ...]": _texts,
    "Mapping[str, object]": _as(dict),
    "Standing": Standing,
    "Verdict | None": Verdict,
    "tuple[Transition, ...]": _transitions,
}


@cache
def _fields(kind: Hashable) -> tuple[tuple[str, object, Callable[[Any], object]], ...]:
    """Name, default and reader of each field."""
    from dataclasses import MISSING, fields  # 7 ms, which a search need not pay

    return tuple(
        (
            field.name,
            field.default_factory() if field.default_factory is not MISSING else field.default,
            _READ[str(field.type)],
        )
        for field in fields(cast("type[Facts | Looks | Person]", kind))
    )
