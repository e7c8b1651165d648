"""The arguments of a search, without click, whose import would be a fifth of a search's time.

It knows what people type: the options below, each spelled out, with a value that is none of an
option's. Anything else, a wrong value too, is left to click, which knows what to say. A test asks
both of them the same.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from kb.cli import Session
from kb.cli.plain import KINDS, STANDINGS

MODES = ("hybrid", "keyword", "semantic")
PLACES = ("notes", "pages", "all")

_FLAGS = {"--explain": "explain", "--json": "as_json"}
_SINGLE = {"--mode": "mode", "-n": "limit", "--limit": "limit", "--in": "where"}
_SINGLE |= {"--since": "since", "--until": "until"}
_MANY = {f"--{name}": name for name in ("kind", "tag", "host", "standing", "note")}
_CHOICES = {"mode": MODES, "where": PLACES, "kind": KINDS, "standing": STANDINGS}


def parse(args: Sequence[str]) -> dict[str, Any] | None:
    """What `searching.search` takes, of the arguments of kb; None if click has to look at them."""
    session, rest = Session(), list(args)
    if "_KB_COMPLETE" in os.environ:
        return None
    while rest and rest[0] != "search":
        option = rest.pop(0)
        if option in ("-q", "--quiet"):
            session.quiet = True
        elif option == "--root" and rest and not rest[0].startswith("-"):
            session.root = rest.pop(0) or session.root
        else:
            return None
    options = _options(rest[1:]) if rest else None
    return options and {"session": session, **options}


def _options(args: list[str]) -> dict[str, Any] | None:
    found: dict[str, Any] = {"mode": "hybrid", "limit": 5, "where": "all", "since": None, "until": None}
    found |= dict.fromkeys(_FLAGS.values(), False)
    lists: dict[str, list[str]] = {name: [] for name in _MANY.values()}
    words: list[str] = []
    excluded: list[str] = []
    rest = iter(args)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if argument in _FLAGS:
            found[_FLAGS[argument]] = True
        elif name in _SINGLE or name in _MANY:
            if not equals:
                value = next(rest, "-")
            if value.startswith("-") or (equals and not name.startswith("--")):
                return None
            known = _SINGLE.get(name) or _MANY[name]
            if known in _CHOICES and value not in _CHOICES[known]:
                return None
            if known in lists:
                lists[known].append(value)
            else:
                found[known] = value
        elif excludes(argument):
            excluded.append(argument)
        elif argument.startswith("-"):
            return None
        else:
            words.append(argument)
    limit = str(found["limit"])
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= 1000) or not (words or excluded):
        return None
    found |= {name: tuple(values) for name, values in lists.items()}
    return {**found, "limit": int(limit), "query": (*words, *excluded)}


def excludes(argument: str) -> bool:
    """Whether an argument is a word to leave out: -not and -70b are, -n5 is an option with its value."""
    if not argument.startswith("-") or argument.startswith("--") or argument == "-h":
        return False
    number = argument.startswith("-n") and (argument[2:].isdecimal() or len(argument) == 2)
    return not number and (argument[1:2].isalnum() or argument[1:2] == "_")
