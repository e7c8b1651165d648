"""Many pages to ask for, and hosts that are not to be pressed: who may be asked next."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, Generic, Protocol, TypeVar

from kb import urls
from kb.web.outcome import Failure, Outcome


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let the garbage collector look rarely while hundreds of requests are open at once.

    All that they hold is in use, so it would search through it in vain: a sixth of the time.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


class Silence:
    """Hosts that only let time run out: after `PATIENCE` time-outs, and no answer at all in this run,
    the rest of their pages need not be waited for one after the other."""

    PATIENCE: Final = 3

    def __init__(self) -> None:
        self._times: Counter[str] = Counter()
        self._heard: set[str] = set()

    def listen(self, outcome: Outcome) -> None:
        """Take note of what came of a request."""
        self._heard.update(name.removeprefix("www.") for name in outcome.answered)
        if outcome.failure is Failure.TIMEOUT:
            self._times[urls.host(outcome.final_url)] += 1

    def instead(self, url: str) -> Outcome | None:
        """What stands for asking for `url`, where its host has been given up; None where it has not."""
        host = urls.host(url)
        if host in self._heard or self._times[host] < self.PATIENCE:
            return None
        words = (
            f"not asked for: {host} let time run out {self.PATIENCE} times in this run, and never answered"
        )
        asked = urls.safe_display(url)
        return Outcome(asked, asked, failure=Failure.TIMEOUT, detail=words)


class Hosted(Protocol):
    """What is asked of a host."""

    @property
    def host(self) -> str:
        """The host's name."""
        ...


Item = TypeVar("Item", bound=Hosted)


class Turns(Generic[Item]):
    """Hands out items so that hosts take turns.

    No host has more than `per_host` at once, nor two within `interval` seconds of each other.
    Made and used within one event loop.
    """

    def __init__(self, items: Iterable[Item], per_host: int, interval: float = 0.0) -> None:
        self._waiting: dict[str, deque[Item]] = {}
        for one in items:
            self._waiting.setdefault(one.host, deque()).append(one)
        self._ready = deque(self._waiting)
        self._queued = set(self._waiting)  # ready, or resting until it is
        self._running: Counter[str] = Counter()
        self._per_host = per_host
        self._interval = interval
        self._free_at: dict[str, float] = {}
        self._left = sum(map(len, self._waiting.values()))
        self._takers: deque[asyncio.Future[None]] = deque()

    async def take(self) -> Item | None:
        """The next item, once its host has room; None when none are left."""
        while self._left and not self._ready:
            taker = asyncio.get_running_loop().create_future()
            self._takers.append(taker)
            try:
                await taker
            except asyncio.CancelledError:
                self._wake()  # whoever comes next takes what this one was woken for
                raise
        if not self._left:
            return None
        host = self._ready.popleft()
        self._queued.discard(host)
        one = self._waiting[host].popleft()
        self._left -= 1
        self._running[host] += 1
        if self._interval:
            self._free_at[host] = asyncio.get_running_loop().time() + self._interval
        if self._left:
            self._queue(host)
        else:
            for taker in self._takers:
                if not taker.done():
                    taker.set_result(None)
        return one

    def give_back(self, one: Item) -> None:
        """An item is done: its host has room again."""
        self._running[one.host] -= 1
        self._queue(one.host)

    def _queue(self, host: str) -> None:
        """Let a host wait for its turn if it has work and room."""
        if host in self._queued or not self._waiting[host] or self._running[host] >= self._per_host:
            return
        self._queued.add(host)
        if self._interval:
            asyncio.get_running_loop().call_at(self._free_at.get(host, 0.0), self._make_ready, host)
        else:
            self._make_ready(host)

    def _make_ready(self, host: str) -> None:
        self._ready.append(host)
        self._wake()

    def _wake(self) -> None:
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
                return
