"""The Wayback machine: the copy of a page nearest to a date, and asking for a new copy.

https://archive.org/help/wayback_api.php describes the first; the second is the "Save Page Now"
address, which leads to the copy it made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from kb import urls
from kb.model.dates import When
from kb.web.fetch import Fetcher
from kb.web.outcome import Outcome
from kb.web.sources.base import as_object

AVAILABLE: Final = "https://archive.org"
SAVE: Final = "https://web.archive.org"

_COPY: Final = re.compile(r"/web/(\d{8,14})[a-z_]*/")
_HOSTS: Final = ("web.archive.org", "archive.org", "archive.ph", "archive.today", "archive.is")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of a page: its address, and the day it was made, `YYYY-MM-DD`."""

    url: str
    day: str


def is_copy(url: str) -> bool:
    """Whether an address is that of an archived copy already."""
    return urls.host(url) in _HOSTS


async def nearest(fetcher: Fetcher, url: str, when: When | None, *, base: str = AVAILABLE) -> Snapshot | None:
    """The copy of `url` nearest to the first day of `when`, or the latest one; None if there is none.

    ConnectionError where the archive did not answer the question.
    """
    stamp = f"&timestamp={when.earliest.replace('-', '')}" if when else ""
    asked = f"{base}/wayback/available?url={quote(urls.safe_display(url), safe='')}{stamp}"
    outcome = await fetcher.get(asked)
    return read(outcome)


def read(outcome: Outcome) -> Snapshot | None:
    """The copy that an answer names; None if it names none. ConnectionError if it is no answer."""
    answer = as_object(outcome)
    if answer is None or not isinstance(answer.get("archived_snapshots"), dict):
        raise ConnectionError(f"no answer from {urls.host(outcome.url)}")
    closest = answer["archived_snapshots"].get("closest")
    if not isinstance(closest, dict) or not closest.get("available") or str(closest.get("status")) != "200":
        return None
    url = closest.get("url")
    # A copy that somebody else keeps would put their words in the place of the page's.
    return _snapshot(url) if isinstance(url, str) and urls.host(url) in _HOSTS[:2] else None


async def save(fetcher: Fetcher, url: str, *, base: str = SAVE) -> Snapshot | None:
    """Ask for a copy of `url` to be made; None if none came of it. Never raises for the network."""
    outcome = await fetcher.get(f"{base}/save/{urls.fetch_url(url)}")
    if not outcome.ok:
        return None
    told = outcome.headers.get("content-location", "")
    if _COPY.match(told):
        parts = urlsplit(outcome.final_url)
        return _snapshot(f"{parts.scheme}://{parts.netloc}{told}")
    return _snapshot(outcome.final_url)


def _snapshot(url: str) -> Snapshot | None:
    found = _COPY.search(urlsplit(url).path)
    if found is None or not urls.is_web(url):
        return None
    stamp = found[1]
    secure = re.sub(r"\Ahttp://(?=web\.archive\.org/)", "https://", url)
    return Snapshot(secure, f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}")
