"""Hugo's front matter in TOML (`+++`), read by the standard library into what YAML's would give.

Dates become ISO text; Zola's `[taxonomies]` count as tags where nothing else names any.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

MAX_DEPTH = 16

_KEY = re.compile(r"[ \t]*(?:\"([^\"\n]+)\"|'([^'\n]+)'|([A-Za-z0-9_-]+))[ \t]*=")
_TABLE = re.compile(r"[ \t]*\[")
_AT_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)\Z")


class Fault(Exception):
    """What is wrong with it, in which of its lines (from 1; 0 for its end)."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line, self.message = line, message


def read(text: str) -> tuple[dict[str, Any], dict[str, int]]:
    """Values, and the line of each key at the top, from 1. Fault if it cannot be read."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _depth(text) > MAX_DEPTH:
        raise Fault(1, f"nested deeper than {MAX_DEPTH} levels")
    try:
        values = {key: _plain(value) for key, value in tomllib.loads(text).items()}
    except tomllib.TOMLDecodeError as error:
        place = _AT_LINE.search(str(error))
        line = int(place[1]) if place is not None and place[1] else 0
        raise Fault(line, _AT_LINE.sub("", str(error)).lower()) from None
    except (ValueError, RecursionError) as error:  # an impossible date, a table of too many dots
        raise Fault(1, str(error).lower()) from None
    taxonomies = values.get("taxonomies")
    if "tags" not in values and isinstance(taxonomies, dict) and "tags" in taxonomies:
        values["tags"] = taxonomies["tags"]
    return values, _lines(text, values)


def _depth(text: str) -> int:
    """How deep brackets nest, those in strings counted too: more than there are, never fewer."""
    depth = deepest = 0
    for char in text:
        if char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth = max(depth - 1, 0)
    return deepest


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, datetime | date | time) else value


def _lines(text: str, values: Mapping[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if _TABLE.match(line):
            break
        match = _KEY.match(line)
        if match is not None:
            key = next(part for part in match.groups() if part is not None)
            if key in values:
                found.setdefault(key, number)
    return found
