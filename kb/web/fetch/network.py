"""The network as a notebook's settings have it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from kb.config import Settings
from kb.web.fetch.fetcher import Fetcher, HttpFetcher, Limits

_Given = TypeVar("_Given", bound=Fetcher)


@asynccontextmanager
async def connected(
    given: _Given | None, settings: Settings, *, seconds: float | None = None
) -> AsyncIterator[_Given | HttpFetcher]:
    """The fetcher given, or one that lets `links.timeout` (or so many `seconds`) run for each link."""
    if given is not None:
        yield given
        return
    limits = Limits(timeout=seconds or settings["links.timeout"])
    async with HttpFetcher(limits=limits, allow_private=settings["links.private_hosts"] == "check") as made:
        yield made
