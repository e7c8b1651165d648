"""Between the model's values and columns: dates with their bounds, lists of texts, JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

from kb.model.dates import When
from kb.model.kinds import LinkKind
from kb.model.links import Key

T = TypeVar("T")

#: Between the texts of a list in one column: no note holds it, and the tokenizer reads it as a gap.
SEPARATOR = "\x1f"


class Stamp(NamedTuple):
    """What tells whether a file changed: its size, its mtime, the blake2b-16 hex of its bytes.

    A tuple, since a sync compares ten thousand of them before it does anything else.
    """

    size: int
    mtime_ns: int
    digest: str


class Identity(NamedTuple):
    """Which link a mention means, and what its address says of it."""

    key: Key
    kind: LinkKind
    host: str


class Dates(NamedTuple):
    """A date as its three columns: text, first day, last day; all None for no date."""

    text: str | None
    first: str | None
    last: str | None


@lru_cache(maxsize=4096)
def dates(when: When | None) -> Dates:
    """The columns of a date."""
    return Dates(None, None, None) if when is None else Dates(str(when), when.earliest, when.latest)


@lru_cache(maxsize=4096)
def when(text: str | None) -> When | None:
    """The date of a column."""
    return None if text is None else When.parse(text)


def join(texts: Collection[str]) -> str:
    """Several short texts in one column."""
    joined = SEPARATOR.join(texts)
    if joined.count(SEPARATOR) >= len(texts):  # one of them holds it itself
        return SEPARATOR.join([text.replace(SEPARATOR, " ") for text in texts])
    return joined


def split(text: str) -> tuple[str, ...]:
    """The texts of a column."""
    return tuple(text.split(SEPARATOR)) if text else ()


# json.dumps makes an encoder each time, which for small values is most of the work.
_COMPACT = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def clean(text: str) -> str:
    """The text with lone surrogates replaced, which neither SQLite nor UTF-8 can hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def dump(value: object) -> str:
    """Compact JSON with sorted keys, the same for equal values."""
    return clean(_COMPACT(value))


def phrase(text: str) -> str:
    """The text as one quoted FTS5 phrase, whatever stands in it. FTS5 reads no further than a NUL."""
    return '"' + text.replace('"', '""').replace("\0", " ") + '"'


def marks(count: int) -> str:
    """`?,?,?` for an IN list."""
    return ",".join("?" * count)


def chunks(values: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """Slices of at most `size`: SQLite takes so many parameters at once."""
    return (values[start : start + size] for start in range(0, len(values), size))
