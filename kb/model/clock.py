"""What time it is, and how a test says so."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The seam at which a fixed time stands in for the machine's."""

    def now(self) -> str:
        """This instant, ISO 8601 in UTC to the second."""

    def today(self) -> str:
        """The person's local date, `YYYY-MM-DD`."""
