"""What the fetcher stands on: connections, faults by their name, bodies unpacked in bounds."""

from __future__ import annotations

import errno
import socket
import ssl
import urllib.request
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.cookiejar import CookieJar
from typing import Any, Final, Self

import aiohttp
import httpx
import yarl

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
        self._jar: CookieJar | None = None  # few links ever set one

    def header(self, url: str) -> str | None:
        """What to send to `url`."""
        if self._jar is None:
            return None
        request = urllib.request.Request(url)  # noqa: S310  # a value for the jar; nothing is opened
        self._jar.add_cookie_header(request)
        return request.get_header("Cookie")

    def take(self, url: str, headers: Iterable[tuple[str, str]]) -> None:
        """Keep what the answer of `url` set."""
        message = Message()
        for name, value in headers:
            if name.lower() == "set-cookie":
                message[name] = value
        if not message:
            return
        if self._jar is None:
            self._jar = CookieJar()
        request = urllib.request.Request(url)  # noqa: S310  # as above
        self._jar.extract_cookies(_Answer(message), request)  # type: ignore[arg-type]  # only info() is used

    @property
    def state(self) -> frozenset[str]:
        """All that is kept, to tell whether a redirect changed anything."""
        return frozenset(f"{one.domain}{one.path} {one.name}={one.value}" for one in self._jar or ())


@dataclass(frozen=True, slots=True)
class _Answer:
    """As much of an answer as a cookie jar asks of one."""

    message: Message

    def info(self) -> Message:
        """Its headers."""
        return self.message


# -- connections -----------------------------------------------------------------------------------

_HEADER_BYTES: Final = 64 * 1024


class Connections:
    """httpx's answers and errors over aiohttp's connections: httpx's own pool slows with their square.

    One session and one TLS context for all: the latter takes 50 ms to make, once it is needed.
    httpx makes it, so SSL_CERT_FILE and SSL_CERT_DIR are honoured.
    """

    def __init__(self, verify: ssl.SSLContext | None = None) -> None:
        self._verify = verify
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        server_hostname: str | None = None,
        proxy: str | None = None,
        connect: float | None = None,
    ) -> httpx.Response:
        """The answer of one GET, its body unread; close it. Raises what httpx raises.

        `server_hostname` is whom TLS is to be with (None for plain HTTP), `connect` how many
        seconds a connection may take.
        """
        try:
            answer = await self._open().get(
                yarl.URL(url, encoded=True),  # every byte of it as it is
                headers=headers,
                allow_redirects=False,
                proxy=proxy,
                server_hostname=server_hostname,
                ssl=True if server_hostname is None else self._trust(),
                timeout=aiohttp.ClientTimeout(sock_connect=connect),
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _as_httpx(error)(str(error)) from error
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=_Body(answer))

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # As many as are asked for at once; how many that is, the caller decides.
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=3)
            self._session = aiohttp.ClientSession(
                connector=connector,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                max_line_size=_HEADER_BYTES,
                max_field_size=_HEADER_BYTES,
            )
        return self._session

    def _trust(self) -> ssl.SSLContext:
        if self._verify is None:
            self._verify = httpx.create_ssl_context()
        return self._verify

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()


class _Body(httpx.AsyncByteStream):
    """What follows the headers."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._answer.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _as_httpx(error)(str(error)) from error

    async def aclose(self) -> None:
        # Read to its end, the connection serves the next request; else there is no telling what comes.
        if self._answer.content.at_eof():
            await self._answer.release()
        else:
            self._answer.close()


def _as_httpx(error: Exception) -> type[httpx.TransportError]:
    """The error of httpx's that one of aiohttp's is."""
    match error:
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            return httpx.ProxyError
        case aiohttp.ClientConnectorError():
            return httpx.ConnectError
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientResponseError():
            return httpx.RemoteProtocolError
        case TimeoutError():
            return httpx.ConnectTimeout
        case _:
            return httpx.ReadError


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
        # aiohttp's own errors of these kinds lack what OpenSSL said; the cause behind them has it.
        if isinstance(cause, ssl.SSLCertVerificationError) and hasattr(cause, "verify_code"):
            return Failure.TLS, _CERTIFICATE.get(cause.verify_code, f"certificate: {cause.verify_message}")
        ended = isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError)
        if isinstance(cause, ssl.SSLError) and hasattr(cause, "reason") and not ended:
            words = (cause.reason or "no reason").lower().replace("_", " ")
            return Failure.TLS, f"TLS handshake failed ({words})"
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
_PIECE: Final = 64 * 1024


class Unpacker:
    """Decodes a body as it comes, never to more than `cap` bytes: a small archive can unpack to gigabytes."""

    def __init__(self, encoding: str, cap: int, *, whole: bool = False) -> None:
        self.out = bytearray()
        self._cap = cap
        self._whole = whole
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
        if self._dead or len(self.out) >= self._cap:
            return True
        return self._headed and not self._whole and len(self.out) >= _HEAD_AND_MORE

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes off the wire, and unpack as much of them as is wanted."""
        while chunk and not self.enough:
            room = min(self._cap - len(self.out), _PIECE)
            plain = chunk[:room] if self._inflate is None else self._unpack(chunk, room)
            chunk = chunk[len(plain) :] if self._inflate is None else self._inflate.unconsumed_tail
            tail = bytes(self.out[-8:]) + plain
            self.out += plain
            self._headed = self._headed or b"</head" in tail.lower() or b"<body" in tail.lower()
            if not plain:
                return

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
