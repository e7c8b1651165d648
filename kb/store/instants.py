"""Instants of the ledger, which people and merges may have edited, brought to one spelling."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Any

from kb.instants import instant, spelled
from kb.model.links import Facts, Looks, Person, Transition
from kb.store.codec import Group
from kb.values import replace

#: The fields that hold an instant: ISO, UTC, to the second.
_INSTANTS: dict[type, tuple[str, ...]] = {
    Facts: ("fetched", "changed_at", "text_changed_at"),
    Looks: (
        "streak_since",
        "first_seen",
        "last_checked",
        "last_conclusive",
        "last_alive",
        "due",
        "gone_since",
    ),
    Person: ("alive_at", "said_at"),
}


def with_instants(group: Group) -> Group:
    """The group with its instants in the one spelling that is compared; for what people may have edited.

    ValueError, naming the field, where one is no instant.
    """
    changes: dict[str, Any] = {}
    for name in _INSTANTS[type(group)]:
        text = getattr(group, name)
        if text is not None and (found := _instant(name, text)) != text:
            changes[name] = found
    if isinstance(group, Looks):
        at = tuple(Transition(_instant("transitions", one.at), one.standing) for one in group.transitions)
        if at != group.transitions:
            changes["transitions"] = at
    return replace(group, **changes) if changes else group


def _instant(name: str, text: str) -> str:
    if _INSTANT.fullmatch(text):
        return text
    try:
        when = instant(text).astimezone(UTC)
        if not 1900 <= when.year < 3000:
            raise ValueError("of no web")
    except (ValueError, OverflowError):
        raise ValueError(f"{name} is {text!r}, which is no instant") from None
    return spelled(when)


_INSTANT = re.compile(
    r"[12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ", re.ASCII
)
