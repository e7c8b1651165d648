"""One connection and what is said over it: HTTP/1.1 as browsers put up with it, and no more of it.

A client for asking once: a GET without a body, one answer at a time, nothing pipelined. What
breaks framing ends the body, not the answer: whoever asks whether a page lives has been told.
RFC 9112 is what servers should say; https://fetch.spec.whatwg.org and what browsers let pass is
what they may.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, cast

HEAD_BYTES: Final = 256 * 1024
"""Longest head of an answer, as browsers."""
_LINE_BYTES: Final = 16 * 1024
_AHEAD: Final = 256 * 1024  # bytes of a body that wait to be read before the server has to

# What radio stations say in the place of HTTP is understood by every browser.
_STATUS: Final = re.compile(rb"(?:HTTP/(\d)(?:\.(\d))?|ICY)[ \t]+(\d{3})(?![^ \t\r\n])", re.IGNORECASE)
_BEGINS: Final = (b"HTTP/", b"ICY ")
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_HEX: Final = re.compile(rb"[0-9A-Fa-f]{1,15}")
# Of these names every value counts; of all others the first.
_LISTS: Final = frozenset({"connection", "content-encoding", "transfer-encoding", "vary", "cache-control"})


class NotHttp(Exception):
    """What came is no HTTP."""


class Disconnected(ConnectionError):
    """The connection ended before there was an answer."""


class _Body(Enum):
    """How the end of a body is told."""

    NONE = auto()
    COUNTED = auto()
    CHUNKED = auto()
    UNTIL_CLOSED = auto()


@dataclass(slots=True)
class Answer:
    """An answer, its body unread: status, headers (lower-case names), what cookies it sets.

    Read it or leave it, but `close` it.
    """

    status: int
    headers: dict[str, str]
    cookies: list[str]
    wire: Wire

    async def read(self) -> bytes:
        """The next bytes of the body; none at its end. OSError or NotHttp where it breaks off."""
        return await self.wire.read()

    @property
    def complete(self) -> bool:
        """Whether all of the body has come, read or not."""
        return self.wire.done

    def close(self) -> None:
        """Let go: the connection serves the next request if the answer was read to its end."""
        self.wire.leave()


class Wire(asyncio.Protocol):
    """A connection. One request at a time; whoever gives up on one must `close` the wire.

    `keep` is called with it whenever it is free for the next request.
    """

    def __init__(self, keep: Callable[[Wire], None] | None = None) -> None:
        self._keep = keep
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._raw = bytearray()  # what came and is not understood yet
        self._searched = 0  # so much of it holds no end of a head
        self._answer: Answer | None = None
        self._asked = False
        self._start_body(_Body.NONE)

    def _start_body(self, kind: _Body, left: int = 0) -> None:
        self._body = bytearray()
        self._kind = kind
        self._left = left  # bytes of the body, or of the chunk, that are to come
        self._between = False  # a chunk has ended, its line has not
        self._trailing = False  # the last chunk has come
        self._paused = False
        self._reusable = False
        self.done = False

    # -- what asyncio calls ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands, or stands anew with TLS around it."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._answer is None:
            self._raw += data
            if not self._asked:
                self.close()  # nobody asked: there is no telling what it answers
                return
            self._read_head()
        else:
            self._take(data)
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """It is gone, by whoever's doing."""
        if self._error is None and not self.done:
            if self._answer is not None and self._kind is _Body.UNTIL_CLOSED and error is None:
                self.done = True
            else:
                self._error = error or Disconnected("the server closed the connection")
        self._transport = None
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def over(self, transport: asyncio.Transport) -> None:
        """From now on it is carried by this: TLS around what carried it before."""
        self._transport = transport

    # -- asking ------------------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        """Whether something can still be sent."""
        return self._transport is not None and not self._transport.is_closing() and self._error is None

    @property
    def silent(self) -> bool:
        """Whether nothing has come in answer to what was asked last."""
        return self._answer is None and not self._raw

    @property
    def transport(self) -> asyncio.Transport:
        """What carries it. Disconnected where it is gone."""
        if self._transport is None:
            raise Disconnected("the connection is closed")
        return self._transport

    async def ask(self, request: bytes) -> Answer:
        """Send a request and wait for the head of its answer. OSError or NotHttp where none comes."""
        self._answer, self._asked, self.done = None, True, False
        self._searched = 0
        self.transport.write(request)
        try:
            while self._answer is None:
                if self._error is not None:
                    raise self._error
                await self._wait()
        except BaseException:
            self.close()
            raise
        return self._answer

    async def read(self) -> bytes:
        """See Answer.read."""
        while not self._body:
            if self.done:
                return b""
            if self._error is not None:
                raise self._error
            await self._wait()
        piece = bytes(self._body)
        self._body.clear()
        if self._paused:
            self._paused = False
            if self.open:
                self.transport.resume_reading()
        return piece

    def leave(self) -> None:
        """See Answer.close."""
        self._answer, self._asked = None, False
        if self.done and self._reusable and self.open and self._keep is not None:
            self._body.clear()
            self._keep(self)
        else:
            self.close()

    def close(self) -> None:
        """End it, at once: there is nothing left to send."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    # -- understanding -----------------------------------------------------------------------------

    def _fail(self, error: Exception) -> None:
        self._error = error
        self.close()

    def _read_head(self) -> None:
        """Understand the head, once all of it is there; answers such as 103 are passed over."""
        while self._answer is None:
            if self._raw[:1].isspace():
                self._raw = self._raw.lstrip()
            lead = bytes(self._raw[:5]).upper()
            if not any(lead[: len(one)] == one[: len(lead)] for one in _BEGINS):
                self._fail(NotHttp("it does not begin as HTTP does"))
                return
            end = _HEAD_END.search(self._raw, self._searched)
            if end is None:
                self._searched = max(0, len(self._raw) - 3)
                if len(self._raw) > HEAD_BYTES:
                    self._fail(NotHttp("its head has no end"))
                return
            if end.start() > HEAD_BYTES:
                self._fail(NotHttp("its head is too long"))
                return
            head, rest = bytes(self._raw[: end.start()]), bytes(self._raw[end.end() :])
            self._raw.clear()
            self._searched = 0
            found = _STATUS.match(head)
            status = int(found[3]) if found else 0
            if found is None or status < 100:
                self._fail(NotHttp("its status is no number"))
                return
            if status < 200 and status != 101:
                self._raw += rest
                continue
            self._begin(status, head[found.end() :], old=found[1] == b"1" and found[2] == b"0")
            if rest and not self.done:
                self._take(rest)
            elif rest:
                self._reusable = False

    def _begin(self, status: int, lines: bytes, *, old: bool) -> None:
        """The head is understood: what comes now is the body."""
        headers: dict[str, str] = {}
        cookies: list[str] = []
        lengths: set[str] = set()
        for name, value in _fields(lines):
            if name == "set-cookie":
                cookies.append(value)
            elif name == "content-length":
                lengths.update(part.strip() for part in value.split(","))
            if name not in headers:
                headers[name] = value
            elif name in _LISTS:
                headers[name] += f", {value}"
        length = lengths.pop() if len(lengths) == 1 else ""
        connection = headers.get("connection", "").lower()
        if status in (101, 204, 304):
            self._start_body(_Body.NONE)
            self.done = True
        elif "chunked" in headers.get("transfer-encoding", "").lower():
            self._start_body(_Body.CHUNKED)
        elif length.isascii() and length.isdigit() and len(length) < 16:
            self._start_body(_Body.COUNTED, int(length))
            self.done = self._left == 0
        else:
            self._start_body(_Body.UNTIL_CLOSED)
        self._reusable = (
            status != 101
            and self._kind is not _Body.UNTIL_CLOSED
            and ("keep-alive" in connection if old else "close" not in connection)
        )
        self._answer = Answer(status, headers, cookies, self)

    def _take(self, data: bytes) -> None:
        """More of the body."""
        match self._kind:
            case _Body.CHUNKED if not self.done:
                self._raw += data
                self._read_chunks()
            case _Body.COUNTED if not self.done:
                self._body += data[: self._left]
                self._reusable &= len(data) <= self._left
                self._left = max(0, self._left - len(data))
                self.done = self._left == 0
            case _Body.UNTIL_CLOSED:
                self._body += data
            case _:
                self._reusable = False  # more than was announced
        if len(self._body) > _AHEAD and not self._paused and not self.done and self.open:
            self._paused = True
            self.transport.pause_reading()

    def _read_chunks(self) -> None:
        raw = self._raw
        while not self.done:
            if self._left:
                piece = raw[: self._left]
                self._body += piece
                del raw[: len(piece)]
                self._left -= len(piece)
                if self._left:
                    return
                self._between = True
            end = raw.find(b"\n")
            if end < 0:
                if len(raw) > _LINE_BYTES:
                    self._fail(NotHttp("a chunk without a size"))
                return
            line = bytes(raw[:end]).strip()
            del raw[: end + 1]
            if self._trailing:
                self.done = not line
            elif self._between:
                self._between = False
                if line:
                    self._fail(NotHttp("a chunk that is longer than it says"))
                    return
            elif size := _HEX.match(line):
                self._left = int(size[0], 16)
                self._trailing = self._left == 0
            else:
                self._fail(NotHttp("a chunk without a size"))
                return
        self._reusable &= not raw
        raw.clear()


def _fields(lines: bytes) -> Iterator[tuple[str, str]]:
    """Names (lower case) and values; lines that are no header are passed over, as browsers do."""
    utf8 = True
    try:
        text = lines.decode("utf-8")
    except UnicodeDecodeError:
        text, utf8 = lines.decode("latin-1"), False
    if "\n " in text or "\n\t" in text:  # a value that goes on in the next line
        text = re.sub(r"\r?\n[ \t]+", " ", text)
    for line in text.split("\n")[1:]:
        name, colon, value = line.partition(":")
        if colon and (name := name.strip().lower()):
            value = value.strip()
            if name == "location" and not utf8:  # whatever letters these are: its bytes are asked for
                value = "".join(char if char.isascii() else f"%{ord(char):02X}" for char in value)
            yield name, value
