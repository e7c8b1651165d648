"""Dates with the precision known, and ranges of them."""

from __future__ import annotations

import re
from functools import lru_cache

from kb.values import dataclass

_ISO_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?\Z")


@dataclass(frozen=True, slots=True, order=True)
class When:
    """A date with the precision known, or a range of two such dates.

    `first` and `last` are `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, and equal unless it is a range.
    """

    first: str
    last: str

    @classmethod
    def parse(cls, text: str) -> When:
        """Read `2023`, `2023-09`, `2023-09-01` or `first/last`. ValueError if it is none."""
        first, slash, last = text.partition("/")
        when = cls(first, last if slash else first)
        if when.earliest > when.latest:
            raise ValueError(f"a range that ends before it begins: {text!r}")
        return when

    @classmethod
    def read(cls, text: str) -> When | None:
        """The same; None if it is none."""
        try:
            return cls.parse(text)
        except ValueError:
            return None

    def __str__(self) -> str:
        return self.first if self.first == self.last else f"{self.first}/{self.last}"

    @property
    def earliest(self) -> str:
        """The first day it may mean, `YYYY-MM-DD`."""
        return _bound(self.first, last=False)

    @property
    def latest(self) -> str:
        """The last day it may mean, `YYYY-MM-DD`."""
        return _bound(self.last, last=True)


@lru_cache(maxsize=4096)
def _bound(text: str, *, last: bool) -> str:
    match = _ISO_PARTIAL.match(text)
    if match is None:
        raise ValueError(f"not a date: {text!r}")
    year, month, day = (int(part) if part else None for part in match.groups())
    if not year or (month is not None and not 1 <= month <= 12):
        raise ValueError(f"not a date: {text!r}")
    month = month or (12 if last else 1)
    length = _days(year, month)
    if day is None:
        day = length if last else 1
    if not 1 <= day <= length:
        raise ValueError(f"not a date: {text!r}")
    return f"{year:04d}-{month:02d}-{day:02d}"


def _days(year: int, month: int) -> int:
    # The calendar module would say the same, and loads locales for it.
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31
