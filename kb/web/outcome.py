"""What came of asking for one link: plain values that the fetcher hands to the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum


class Failure(StrEnum):
    """Every way in which a request can end without a final answer. Closed."""

    TIMEOUT = "timeout"
    REFUSED = "refused"
    RESET = "reset"
    TLS = "tls"
    NO_NAME = "no-name"
    UNRESOLVED = "unresolved"
    NO_ROUTE = "no-route"
    NOT_HTTP = "not-http"
    LOOP = "loop"
    COOKIE_LOOP = "cookie-loop"
    TOO_MANY_HOPS = "too-many-hops"
    NO_TARGET = "no-target"
    PRIVATE = "private"
    SCHEME = "scheme"


@dataclass(frozen=True, slots=True)
class Hop:
    """A redirect that was followed: who answered, with what status, and where it pointed."""

    url: str
    status: int
    target: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One link, asked for once (retries included). No URL in it holds credentials.

    `status` and `headers` (names in lower case) are of the last answer, also where a failure
    followed it; `body` is its decoded beginning, `truncated` where there was or may be more.
    `place` is the fragment that redirects led to, where they named one. `detail` says in words
    what a failure alone does not. `answered` names the hosts that gave
    any HTTP answer on the way; `seconds` is how long it took, or was waited for.
    """

    url: str
    final_url: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    truncated: bool = False
    hops: tuple[Hop, ...] = ()
    failure: Failure | None = None
    detail: str = ""
    answered: tuple[str, ...] = ()
    seconds: float = 0.0
    place: str = ""

    @property
    def landing(self) -> str:
        """Where it ended, with the place within the page if a redirect named one."""
        return f"{self.final_url}#{self.place}" if self.place else self.final_url

    @property
    def ok(self) -> bool:
        """Whether a page came: a 2xx, or a 304 to a conditional request."""
        return (
            self.failure is None
            and self.status is not None
            and (200 <= self.status < 300 or self.status == 304)
        )


def seconds_until(retry_after: str, now: datetime) -> float | None:
    """How long a `Retry-After` asks to wait, in seconds or until a date; None where it says neither."""
    said = retry_after.strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        until = parsedate_to_datetime(said)
        return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
