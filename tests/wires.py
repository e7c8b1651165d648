"""A wire without a network: bytes in, an answer or a fault out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple, cast

from kb.web.fetch.wire import NotHttp, Wire


class Pipe(asyncio.Transport):
    """A transport that keeps what is written to it, and whether reading was asked to pause."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.reading = True
        self.closed = False

    def write(self, data: object) -> None:
        self.written += bytes(cast(bytes, data))

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Heard(NamedTuple):
    """What was understood: the head (status None where there was none), the body, how it ended.

    `most` is how many bytes the wire held back at a time, `kept` whether it would serve again.
    """

    status: int | None
    headers: dict[str, str]
    cookies: list[str]
    body: bytes
    ended: str
    most: int
    kept: bool


async def heard(pieces: Sequence[bytes], *, close: bool = True) -> Heard:
    """What a wire makes of an answer that comes in these pieces, its connection closed then."""
    kept: list[Wire] = []
    wire, pipe, most = Wire(kept.append), Pipe(), 0
    wire.connection_made(pipe)

    async def feed() -> None:
        nonlocal most
        await asyncio.sleep(0)
        for piece in pieces:
            if pipe.closed:
                return
            wire.data_received(piece)
            most = max(most, len(wire._raw))
            await asyncio.sleep(0)
        if close:
            wire.connection_lost(None)

    feeding = asyncio.ensure_future(feed())
    status, headers, cookies, body, ended = None, {}, [], b"", "whole"
    try:
        async with asyncio.timeout(5):  # which it never takes: it gives up before, or is closed
            answer = await wire.ask(b"GET / HTTP/1.1\r\n\r\n")
            status, headers, cookies = answer.status, answer.headers, answer.cookies
            while piece := await answer.read():
                body += piece
            answer.close()
    except (NotHttp, OSError) as error:
        ended = type(error).__name__
    finally:
        await feeding
    return Heard(status, headers, cookies, body, ended, most, bool(kept))
