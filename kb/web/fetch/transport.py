"""What the fetcher knows of answers: cookies, faults by their name, bodies unpacked in bounds."""

from __future__ import annotations

import errno
import socket
import ssl
import urllib.request
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.cookiejar import CookieJar
from typing import Any, Final, Self

from kb import urls
from kb.web.fetch.connections import ProxyRefused
from kb.web.fetch.wire import Answer, Disconnected, NotHttp
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
    place: str = ""

    @classmethod
    def start(cls, url: str, *, full: bool = False, own: Mapping[str, str] | None = None) -> Self:
        """A trail at its beginning, credentials left behind."""
        asked = urls.safe_display(urls.fetch_url(url))
        return cls(asked, asked, full=full, own=own or {})

    def take(self, answer: Answer) -> None:
        """An answer came."""
        self.status, self.headers = answer.status, answer.headers
        self.final = not 300 <= answer.status < 400

    def hop(self, target: str, place: str = "") -> None:
        """The answer was a redirect, and is followed. A place within the page outlasts the next one."""
        self.hops.append(Hop(self.final_url, self.status or 0, target))
        self.final_url = target
        self.place = place or self.place

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
            place=self.place,
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

    def take(self, url: str, cookies: Iterable[str]) -> None:
        """Keep what the answer of `url` set: the values of its `Set-Cookie` headers."""
        message = Message()
        for value in cookies:
            message["Set-Cookie"] = value
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
    """The failure that an error of a connection, or one behind it, means, and words for it."""
    if isinstance(error, ProxyRefused):
        return Failure.NO_ROUTE, f"the proxy refused: {error}"
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return Failure.TLS, _CERTIFICATE.get(
                    cause.verify_code, f"certificate: {cause.verify_message}"
                )
            case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
                return Failure.RESET, ""
            case ssl.SSLError():
                words = (cause.reason or "no reason").lower().replace("_", " ")
                return Failure.TLS, f"TLS handshake failed ({words})"
            case NotHttp():
                return Failure.NOT_HTTP, f"the answer is not HTTP ({cause})"
            case socket.gaierror():
                return Failure.UNRESOLVED, str(cause)
            case TimeoutError():
                return Failure.TIMEOUT, ""
            case Disconnected():
                return Failure.RESET, ""
            case OSError() if cause.errno in _ERRNO:
                return _ERRNO[cause.errno], ""
            case ValueError():
                return Failure.SCHEME, f"no valid web address ({cause})"
    return Failure.RESET, str(error)


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
_HEADLESS: Final = 512 * 1024  # what has no head by then is no page to read
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
        # What a server and a proxy before it both say was mostly done once.
        said = {word.strip().lower() for word in encoding.split(",")} - {"", "identity", "none", "utf-8"}
        if said and said <= {"gzip", "x-gzip"}:
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        elif said == {"deflate"}:
            self._inflate = zlib.decompressobj()
        elif said:  # not what was asked for: nothing to read in it
            self._dead = True

    @property
    def enough(self) -> bool:
        """Whether the cap is reached, or the head of a page and some of its text has come."""
        if self._dead or len(self.out) >= self._cap:
            return True
        return not self._whole and len(self.out) >= (_HEAD_AND_MORE if self._headed else _HEADLESS)

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
