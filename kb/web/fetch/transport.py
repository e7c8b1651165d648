"""What the fetcher stands on: a transport per origin, faults by their name, bodies unpacked in bounds."""

from __future__ import annotations

import errno
import socket
import ssl
import urllib.request
import zlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.cookiejar import CookieJar
from typing import Any, Final, Self

import httpx

from kb import urls
from kb.web.outcome import Failure, Hop, Outcome


class Stop(Exception):
    """Ends a try with a failure."""

    def __init__(self, failure: Failure, detail: str = "") -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


@dataclass(slots=True)
class Trail:
    """What is known of a try as it goes; kept apart from it, so that a time-out loses nothing.

    `final` tells that an answer came which is no redirect; `full`, that its page is wanted to
    the end. `own` are headers for the first origin alone.
    """

    url: str
    final_url: str
    hops: list[Hop] = field(default_factory=list)
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    truncated: bool = False
    final: bool = False
    full: bool = False
    own: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def start(cls, url: str, *, full: bool = False, own: Mapping[str, str] | None = None) -> Self:
        """A trail at its beginning, credentials left behind."""
        asked = urls.safe_display(urls.fetch_url(url))
        return cls(asked, asked, full=full, own=own or {})

    def take(self, response: httpx.Response) -> None:
        """An answer came."""
        self.status, self.headers = response.status_code, dict(response.headers)
        self.final = not 300 <= response.status_code < 400

    def hop(self, target: str) -> None:
        """The answer was a redirect, and is followed."""
        self.hops.append(Hop(self.final_url, self.status or 0, target))
        self.final_url = target

    def outcome(self, failure: Failure | None = None, detail: str = "") -> Outcome:
        """The outcome, should the try end here."""
        return Outcome(
            url=self.url,
            final_url=self.final_url,
            status=self.status,
            headers=self.headers,
            body=self.body,
            truncated=self.truncated,
            hops=tuple(self.hops),
            failure=failure,
            detail=detail,
        )


class Cookies:
    """Cookies of one link's hops, by the rules of the standard library's jar."""

    def __init__(self) -> None:
        self._jar = CookieJar()

    def header(self, url: str) -> str | None:
        """What to send to `url`."""
        request = urllib.request.Request(url)  # noqa: S310  # a value for the jar; nothing is opened
        self._jar.add_cookie_header(request)
        return request.get_header("Cookie")

    def take(self, url: str, headers: Iterable[tuple[str, str]]) -> None:
        """Keep what the answer of `url` set."""
        message = Message()
        for name, value in headers:
            if name.lower() == "set-cookie":
                message[name] = value
        request = urllib.request.Request(url)  # noqa: S310  # as above
        self._jar.extract_cookies(_Answer(message), request)  # type: ignore[arg-type]  # only info() is used

    @property
    def state(self) -> frozenset[str]:
        """All that is kept, to tell whether a redirect changed anything."""
        return frozenset(f"{one.domain}{one.path} {one.name}={one.value}" for one in self._jar)


@dataclass(frozen=True, slots=True)
class _Answer:
    """As much of an answer as a cookie jar asks of one."""

    message: Message

    def info(self) -> Message:
        """Its headers."""
        return self.message


# -- connections -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Origin:
    """Whom connections lead to. The name, not its address: TLS and Host are of the name."""

    scheme: str
    host: str
    port: int
    proxy: str | None = None


@dataclass(slots=True)
class _Lent:
    transport: httpx.AsyncHTTPTransport
    users: int = 0


class Origins:
    """A transport per origin, lent out. Few idle ones are kept, so that thousands of hosts fit.

    The TLS context is one for all: it takes 50 ms to make. httpx makes it, so SSL_CERT_FILE and
    SSL_CERT_DIR are honoured.
    """

    def __init__(self, verify: ssl.SSLContext | None = None, idle: int = 64) -> None:
        self._verify = verify
        self._idle = idle
        self._lent: OrderedDict[Origin, _Lent] = OrderedDict()

    @asynccontextmanager
    async def lend(self, origin: Origin) -> AsyncIterator[httpx.AsyncHTTPTransport]:
        """The transport of an origin, for one request."""
        lent = self._lent.get(origin)
        if lent is None:
            if self._verify is None:
                self._verify = httpx.create_ssl_context()
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=10)
            lent = self._lent[origin] = _Lent(
                httpx.AsyncHTTPTransport(verify=self._verify, limits=limits, proxy=origin.proxy)
            )
        self._lent.move_to_end(origin)
        lent.users += 1
        try:
            yield lent.transport
        finally:
            lent.users -= 1
            await self._shed()

    async def _shed(self) -> None:
        while len(self._lent) > self._idle:
            idle = next((origin for origin, lent in self._lent.items() if not lent.users), None)
            if idle is None:
                return
            await self._lent.pop(idle).transport.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        while self._lent:
            await self._lent.popitem()[1].transport.aclose()


# -- faults ----------------------------------------------------------------------------------------

_ERRNO: Final = {
    errno.ECONNREFUSED: Failure.REFUSED,
    errno.ECONNRESET: Failure.RESET,
    errno.ECONNABORTED: Failure.RESET,
    errno.EPIPE: Failure.RESET,
    errno.ETIMEDOUT: Failure.TIMEOUT,
    errno.EHOSTUNREACH: Failure.NO_ROUTE,
    errno.ENETUNREACH: Failure.NO_ROUTE,
    errno.ENETDOWN: Failure.NO_ROUTE,
    errno.EADDRNOTAVAIL: Failure.NO_ROUTE,
}

# OpenSSL's X509_V_ERR_* codes, as x509_vfy.h numbers them.
_CERTIFICATE: Final = {
    9: "certificate not yet valid",
    10: "certificate expired",
    18: "certificate is self-signed",
    19: "certificate is self-signed (in its chain)",
    20: "certificate of an unknown issuer",
    21: "certificate of an unknown issuer",
    23: "certificate revoked",
    62: "certificate is for another host",
    64: "certificate is for another address",
}


def classify(error: BaseException) -> tuple[Failure, str]:
    """The failure that an error of httpx, or one below it, means, and words for it."""
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Failure.TLS, _CERTIFICATE.get(cause.verify_code, f"certificate: {cause.verify_message}")
        if isinstance(cause, ssl.SSLError) and not isinstance(
            cause, ssl.SSLEOFError | ssl.SSLZeroReturnError
        ):
            return (
                Failure.TLS,
                f"TLS handshake failed ({(cause.reason or 'no reason').lower().replace('_', ' ')})",
            )
    for cause in chain:
        if isinstance(cause, socket.gaierror):
            return Failure.UNRESOLVED, str(cause)
        if isinstance(cause, TimeoutError | httpx.TimeoutException):
            return Failure.TIMEOUT, ""
        if isinstance(cause, OSError) and cause.errno in _ERRNO:
            return _ERRNO[cause.errno], ""
    if isinstance(error, httpx.ProxyError):
        return Failure.NO_ROUTE, f"the proxy refused: {error}"
    if isinstance(error, httpx.RemoteProtocolError | httpx.LocalProtocolError):
        gone = "disconnected" in str(error)
        return (Failure.RESET, "") if gone else (Failure.NOT_HTTP, f"the answer is not HTTP ({error})")
    if isinstance(error, httpx.InvalidURL | ValueError):
        return Failure.SCHEME, f"no valid web address ({error})"
    return Failure.REFUSED if isinstance(error, httpx.ConnectError) else Failure.RESET, str(error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that lies behind it, groups opened."""
    waiting, seen = [error], set[int]()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            waiting.extend(cause.exceptions)
        waiting.extend(behind for behind in (cause.__cause__, cause.__context__) if behind is not None)


# -- bodies ----------------------------------------------------------------------------------------

_HEAD_AND_MORE: Final = 64 * 1024


class Unpacker:
    """Decodes a body as it comes, never to more than `cap` bytes: a small archive can unpack to gigabytes."""

    def __init__(self, encoding: str, cap: int) -> None:
        self.out = bytearray()
        self._cap = cap
        self._inflate: Any = None
        self._dead = False
        self._headed = False
        match encoding.strip().lower():
            case "" | "identity" | "none" | "utf-8":
                pass
            case "gzip" | "x-gzip":
                self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
            case "deflate":
                self._inflate = zlib.decompressobj()
            case _:  # not what was asked for: nothing to read in it
                self._dead = True

    @property
    def enough(self) -> bool:
        """Whether the cap is reached, or the head of a page and some of its text has come."""
        return self._dead or len(self.out) >= self._cap or (self._headed and len(self.out) >= _HEAD_AND_MORE)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes off the wire."""
        if self._dead:
            return
        room = self._cap - len(self.out)
        if self._inflate is None:
            plain = chunk[:room]
        elif room > 0:
            plain = self._unpack(chunk, room)
        else:
            return
        tail = bytes(self.out[-8:]) + plain
        self.out += plain
        self._headed = self._headed or b"</head" in tail.lower() or b"<body" in tail.lower()

    def _unpack(self, chunk: bytes, room: int) -> bytes:
        try:
            return bytes(self._inflate.decompress(chunk, room))
        except zlib.error:
            if self.out:
                self._dead = True
                return b""
        try:  # "deflate" without its wrapper is common
            self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            return bytes(self._inflate.decompress(chunk, room))
        except zlib.error:
            self._inflate = None  # it says gzip and is not
            return chunk[:room]
