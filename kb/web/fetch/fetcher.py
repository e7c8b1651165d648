"""The fetcher: asks for one link as a careful browser would, and says what came of it.

Redirects are followed here, each hop's name resolved, the address checked, and
that very address connected to.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Protocol, Self
from urllib.parse import urljoin

from kb import __version__, urls
from kb.web.fetch.addresses import NameNotFound, ResolveFailed, Resolver, SystemResolver, is_private, literal
from kb.web.fetch.connections import Connections, NotConnected, Place
from kb.web.fetch.transport import Cookies, Stop, Trail, Unpacker, classify
from kb.web.fetch.wire import Answer, NotHttp
from kb.web.outcome import Failure, Outcome, seconds_until

USER_AGENT: Final = f"kb/{__version__} (+link check; a person's own bookmarks, a few requests a week)"
BROWSER_AGENT: Final = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
_HEADERS: Final = {
    "User-Agent": USER_AGENT,
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en;q=0.9,*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
}

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
MAX_HOPS: Final = 20  # as browsers
# Some servers answer programs they do not know with these and a browser with the page.
_TRY_AS_BROWSER: Final = frozenset({400, 403, 404, 405, 406, 409, 418, 999})
_TRY_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 530})
_FAILED_BUT_TRY_AGAIN: Final = frozenset({Failure.RESET, Failure.NOT_HTTP})
_MAX_ADDRESSES: Final = 3
_PDF: Final = 8  # a PDF that is wanted whole may be so many times longer than a page
_NEXT_ADDRESS: Final = 3.0  # seconds for an address when there is another to try
_SLASHES: Final = re.compile(r"\A(https?:)[/\\]{3,}", re.IGNORECASE)  # browsers take two of them
_BINARY: Final = re.compile(
    r"(?:image|audio|video|font)/|application/(?:pdf|zip|gzip|x-tar|epub)", re.IGNORECASE
)


class Fetcher(Protocol):
    """The seam at which tests stand in for the network."""

    async def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        whole: bool = False,
        once: bool = False,
    ) -> Outcome:
        """Ask for `url`; for the `whole` page, or its beginning; only `once`, or again if that may help.

        Never raises for what the network does.
        """


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one link. Seconds and bytes.

    `timeout` covers everything: lookups, redirects, the second try. `patience` is the longest
    `Retry-After` worth waiting for, `pause` the wait before trying a failing server again.
    `body_bytes` caps what is read, `decoded_bytes` what that unpacks to, `body_seconds` the
    time spent on a body once the answer itself has come.
    """

    timeout: float = 20.0
    connect: float = 10.0
    patience: float = 3.0
    pause: float = 1.0
    body_bytes: int = 2 * 1024 * 1024
    decoded_bytes: int = 2 * 1024 * 1024
    body_seconds: float = 5.0


class Asker(Fetcher, Protocol):
    """The same seam for those who also ask a site's API."""

    async def ask(self, url: str, headers: Mapping[str, str]) -> Outcome:
        """Ask once, as a program. Never raises for what the network does."""


class HttpFetcher:
    """Fetches over the network. An async context manager; use it within one event loop.

    `proxies` maps `http`, `https` and `all` to a proxy's URL (the environment's where None);
    behind one, names are resolved there and only literal private addresses can be refused.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        allow_private: bool = False,
        resolver: Resolver | None = None,
        proxies: Mapping[str, str] | None = None,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._allow_private = allow_private
        self._system = None if resolver else SystemResolver()
        self._resolver: Resolver = resolver or self._system or SystemResolver()
        self._from_environment = proxies is None
        self._proxies = urllib.request.getproxies() if proxies is None else dict(proxies)
        self._connections = Connections(verify)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._connections.aclose()
        if self._system is not None:
            await self._system.aclose()

    async def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        whole: bool = False,
        once: bool = False,
    ) -> Outcome:
        """Ask for `url`, once more if that may help, within `limits.timeout` seconds in all.

        The body is read as far as its head and some text; with `whole`, up to the caps,
        and a PDF too.
        """
        started = time.monotonic()
        conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        headers = _HEADERS | {name: value for name, value in conditions.items() if value}
        answered: dict[str, None] = {}
        first: Outcome | None = None
        trail = Trail.start(url, full=whole)
        try:
            async with asyncio.timeout(self._limits.timeout):
                outcome = first = await self._try(url, trail, headers, answered)
                unasked = first.status == 304 and not (etag or last_modified)
                if unasked:  # a cache in disorder, perhaps, that can be asked to look itself
                    headers |= {"Cache-Control": "no-cache"}
                wait = 0.0 if unasked else None if once else self._wait(first, started)
                if wait is not None:
                    await asyncio.sleep(wait)
                    trail = Trail.start(url, full=whole)
                    second = await self._try(url, trail, headers | {"User-Agent": BROWSER_AGENT}, answered)
                    outcome = _better(first, second)
                    if unasked and outcome.status == 304 and outcome.failure is None:
                        words = "304 Not Modified, though nothing was held against it"
                        outcome = replace(outcome, failure=Failure.NOT_HTTP, detail=words)
        except TimeoutError:
            # An answer whose body ran out of time is an answer all the same.
            outcome = trail.outcome() if trail.final else first or trail.outcome(Failure.TIMEOUT)
        return replace(outcome, answered=tuple(answered), seconds=time.monotonic() - started)

    async def ask(self, url: str, headers: Mapping[str, str]) -> Outcome:
        """Ask for `url` once and as ourselves, with these headers of its own, within `limits.timeout`.

        They go to the origin of `url` alone: a redirect takes no token along.
        """
        started = time.monotonic()
        answered: dict[str, None] = {}
        trail = Trail.start(url, full=True, own=headers)
        try:
            async with asyncio.timeout(self._limits.timeout):
                outcome = await self._try(url, trail, _HEADERS, answered)
        except TimeoutError:
            outcome = trail.outcome() if trail.final else trail.outcome(Failure.TIMEOUT)
        return replace(outcome, answered=tuple(answered), seconds=time.monotonic() - started)

    def _wait(self, outcome: Outcome, started: float) -> float | None:
        """Seconds until a second try, or None where it could not help."""
        if outcome.failure is not None:
            return self._limits.pause if outcome.failure in _FAILED_BUT_TRY_AGAIN else None
        if outcome.status in _TRY_AGAIN:
            after = seconds_until(outcome.headers.get("retry-after", ""), datetime.now(UTC))
            if after is None:
                return self._limits.pause
            left = self._limits.timeout - (time.monotonic() - started)
            return after if after <= min(self._limits.patience, left) else None
        return 0.0 if outcome.status in _TRY_AS_BROWSER else None

    async def _try(
        self, url: str, trail: Trail, headers: Mapping[str, str], answered: dict[str, None]
    ) -> Outcome:
        """One try, from the first hop to the last."""
        try:
            await self._follow(trail, headers, urls.credentials(url), answered)
        except Stop as stop:
            return trail.outcome(stop.failure, stop.detail)
        except (NotConnected, NotHttp, OSError, ValueError) as error:
            failure, detail = classify(error)
            return trail.outcome(failure, detail)
        return trail.outcome()

    async def _follow(
        self,
        trail: Trail,
        headers: Mapping[str, str],
        login: tuple[str, str] | None,
        answered: dict[str, None],
    ) -> None:
        """Go from hop to hop until there is a final answer; Stop or the error where there is none."""
        cookies = Cookies()
        seen = {(trail.url, frozenset[str]())}
        while True:
            origin = urls.origin(trail.final_url)
            if origin is None:
                scheme = urls.scheme(trail.final_url)
                raise Stop(Failure.SCHEME, f"{scheme}: is not fetched" if scheme else "no web address")
            sent = dict(headers)
            if origin == urls.origin(trail.url):
                sent |= trail.own
            if cookie := cookies.header(trail.final_url):
                sent["Cookie"] = cookie
            if login and origin == urls.origin(trail.url):
                token = base64.b64encode(":".join(login).encode("utf-8", "replace")).decode("ascii")
                sent["Authorization"] = f"Basic {token}"
            answer = await self._answer(trail.final_url, origin, sent)
            try:
                answered[origin[1]] = None
                trail.take(answer)
                if answer.status not in REDIRECTS:
                    await self._read(answer, trail)
                    return
                if answer.cookies:
                    cookies.take(trail.final_url, answer.cookies)
            finally:
                answer.close()
            trail.hop(*_target(trail.final_url, answer))
            state = (trail.final_url, cookies.state)
            if state in seen:
                raise Stop(Failure.COOKIE_LOOP if state[1] else Failure.LOOP)
            if len(trail.hops) > MAX_HOPS:
                raise Stop(Failure.COOKIE_LOOP if state[1] else Failure.TOO_MANY_HOPS)
            seen.add(state)

    async def _answer(self, url: str, origin: tuple[str, str, int], headers: Mapping[str, str]) -> Answer:
        """The answer of one hop, its body not yet read: over a proxy, or from a checked address."""
        scheme, host, port = origin
        authority, rest = url.split("/", 3)[2:]
        proxy = self._proxy(scheme, host) if self._proxies else None
        name = host.strip("[]").removesuffix(".")
        tls = name if scheme == "https" else None
        sent = {"Host": authority, **headers}
        limit = self._limits.connect
        if proxy is not None:
            self._refuse_private(host)
            # Only what goes through it under TLS is hidden from the proxy, which is asked for all else.
            place = Place(name, port, tls, proxy) if tls else Place("", 0, None, proxy)
            return await self._connections.ask(place, f"/{rest}" if tls else url, sent, connect=limit)
        *others, last = await self._addresses(host, port)
        for address in others:
            try:
                return await self._connections.ask(
                    Place(address, port, tls), f"/{rest}", sent, connect=min(limit, _NEXT_ADDRESS)
                )
            except NotConnected:
                continue
        return await self._connections.ask(Place(last, port, tls), f"/{rest}", sent, connect=limit)

    async def _addresses(self, host: str, port: int) -> list[str]:
        """Addresses to try, in order: those of the public internet, unless private ones are allowed."""
        plain = host.strip("[]")
        address = literal(plain)
        if address is not None:
            found = [plain if address.version == 6 else str(address)]
        else:
            try:
                found = await self._resolver.resolve(plain, port)
            except NameNotFound as error:
                raise Stop(Failure.NO_NAME, str(error)) from None
            except ResolveFailed as error:
                raise Stop(Failure.UNRESOLVED, str(error)) from None
        allowed = found if self._allow_private else [address for address in found if not is_private(address)]
        if not found:
            raise Stop(Failure.NO_NAME, "no address")
        if not allowed:
            shown = host if plain == found[0] else f"{host} ({found[0]})"
            raise Stop(Failure.PRIVATE, f"{shown} is a private address")
        return allowed[:_MAX_ADDRESSES]

    def _refuse_private(self, host: str) -> None:
        """Stop where a host that a proxy would resolve is plainly a private one."""
        plain = host.strip("[]").removesuffix(".")
        local = plain == "localhost" or plain.endswith(".localhost")
        if not self._allow_private and (local or (literal(plain) is not None and is_private(plain))):
            raise Stop(Failure.PRIVATE, f"{host} is a private address")

    def _proxy(self, scheme: str, host: str) -> str | None:
        proxy = self._proxies.get(scheme) or self._proxies.get("all")
        if not proxy or (self._from_environment and urllib.request.proxy_bypass(host.strip("[]"))):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"

    async def _read(self, answer: Answer, trail: Trail) -> None:
        """The body's beginning, as much as facts need. Whatever happens to it, the answer stands."""
        type = answer.headers.get("content-type", "")
        paper = trail.full and "application/pdf" in type.lower()
        if _BINARY.match(type) and not paper:
            trail.truncated = True
            return
        longer = _PDF if paper else 1
        encoding = answer.headers.get("content-encoding", "")
        unpacker = Unpacker(encoding, longer * self._limits.decoded_bytes, whole=trail.full)
        try:
            if answer.complete:  # most pages have come by now, and need no clock
                trail.truncated = await self._unpack(answer, unpacker, longer)
            else:
                async with asyncio.timeout(longer * self._limits.body_seconds):
                    trail.truncated = await self._unpack(answer, unpacker, longer)
        except (OSError, NotHttp, ValueError):  # TimeoutError is an OSError
            trail.truncated = True
        finally:
            trail.body = bytes(unpacker.out)

    async def _unpack(self, answer: Answer, unpacker: Unpacker, longer: int) -> bool:
        """Read until there is enough; whether there was or may be more."""
        taken = 0
        while chunk := await answer.read():
            taken += len(chunk)
            unpacker.feed(chunk)
            if taken >= longer * self._limits.body_bytes or unpacker.enough:
                return True
        return False


def _better(first: Outcome, second: Outcome) -> Outcome:
    """Which of two tries tells more. Only a page overturns a 404 or 410."""
    if second.ok or first.failure is not None:
        return second
    return first if second.failure is not None or first.status in (404, 410) else second


def _target(here: str, answer: Answer) -> tuple[str, str]:
    """Where a redirect leads, absolute, and the place within that page; Stop where it does not say."""
    location = answer.headers.get("location", "").strip()
    location = _SLASHES.sub(r"\1//", location)
    try:
        whole = urljoin(here, location) if location else ""
        target = urls.fetch_url(whole)
    except ValueError:
        whole = target = ""
    if not target:
        raise Stop(Failure.NO_TARGET, location)
    return target, whole.partition("#")[2]
