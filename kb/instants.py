"""Reckoning with instants as they are written down. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def spelled(when: datetime) -> str:
    """An instant in its one spelling: ISO 8601 in UTC to the second."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> datetime:
    """The instant that a text spells; UTC where it names no zone. ValueError if it spells none."""
    when = datetime.fromisoformat(text)
    return when.replace(tzinfo=when.tzinfo or UTC)


def local_day(at: str) -> str:
    """The day on which an instant fell where the person is; a day is itself."""
    if len(at) <= 10:
        return at
    try:
        return instant(at).astimezone().strftime("%Y-%m-%d").zfill(10)
    except (ValueError, OverflowError):  # within a day of the beginning or the end of all years
        return at[:10]


def later(at: str, days: float) -> str:
    """The instant so many days after another, or before it."""
    return spelled(instant(at) + timedelta(days=days))


def days_between(since: str, until: str) -> float:
    """How many days lie between two instants."""
    return (instant(until) - instant(since)).total_seconds() / 86400
