"""Where wires come from: connected to a given address, over TLS or a proxy, kept for the next request."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

import certifi

from kb.web.fetch.wire import Answer, Disconnected, Wire

_KEPT: Final = 0.5  # seconds that a wire may wait for its next use


class ProxyRefused(ConnectionError):
    """The proxy is not there, or will not do it."""


class NotConnected(Exception):
    """No connection could be made to an address; the cause says why. Another address may do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a wire leads: an address and port; whom TLS is to be with (None for plain HTTP).

    `proxy` is the URL of one that stands between. It is told the host's name where TLS goes
    through it, and is itself all that is connected to where it does not.
    """

    address: str
    port: int
    tls: str | None = None
    proxy: str | None = None


class Connections:
    """Opens wires and keeps those that can be used again. Within one event loop.

    One TLS context for all: it takes 30 ms to make, once it is needed. It trusts what
    SSL_CERT_FILE and SSL_CERT_DIR name, or else the system's authorities and Mozilla's.
    """

    def __init__(self, verify: ssl.SSLContext | None = None) -> None:
        self._verify = verify
        self._idle: dict[Place, list[tuple[float, Wire]]] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    async def ask(
        self, place: Place, target: str, headers: Mapping[str, str], *, connect: float | None = None
    ) -> Answer:
        """The answer to a GET of `target`, its body unread; close it.

        `connect` is how many seconds a connection may take. OSError (TLS faults and
        ProxyRefused are such) or NotHttp where none comes; NotConnected where it is a
        connection that could not be made.
        """
        if place.proxy is not None and place.tls is None:
            headers = {**headers, **_introduction(place.proxy)}
        request = _request("GET", target, headers)
        while (wire := self._kept(place)) is not None:
            try:
                return await wire.ask(request)
            except ConnectionError:
                if not wire.silent:
                    raise
                # It was closed just when it was to be used: another one knows nothing of that.
        wire = await self._connected(place, connect)
        return await wire.ask(request)

    # -- kept wires --------------------------------------------------------------------------------

    def _kept(self, place: Place) -> Wire | None:
        waiting = self._idle.get(place)
        while waiting:
            wire = waiting.pop()[1]
            if wire.open:
                return wire
        return None

    def _keep(self, place: Place, wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        self._idle.setdefault(place, []).append((loop.time() + _KEPT, wire))
        if self._sweeping is None:
            self._sweeping = loop.call_later(_KEPT, self._sweep)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for place, waiting in list(self._idle.items()):
            for until, wire in waiting:
                if until <= now:
                    wire.close()
            self._idle[place] = [(until, wire) for until, wire in waiting if until > now]
            if not self._idle[place]:
                del self._idle[place]
        self._sweeping = loop.call_later(_KEPT, self._sweep) if self._idle else None

    async def aclose(self) -> None:
        """Close what is kept."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for waiting in self._idle.values():
            for _, wire in waiting:
                wire.close()
        self._idle.clear()
        await asyncio.sleep(0)  # asyncio lets go of what was closed in its next round

    # -- new ones ----------------------------------------------------------------------------------

    async def _connected(self, place: Place, connect: float | None) -> Wire:
        wire = Wire(lambda wire: self._keep(place, wire))
        loop = asyncio.get_running_loop()
        if place.proxy is not None:
            await self._through_proxy(wire, place, connect)
            return wire
        family = socket.AF_INET6 if ":" in place.address else socket.AF_INET
        near = socket.socket(family, socket.SOCK_STREAM)
        try:
            near.setblocking(False)
            async with asyncio.timeout(connect):
                await loop.sock_connect(near, (place.address, place.port))
        except BaseException as error:
            near.close()
            if isinstance(error, OSError):
                raise NotConnected from error
            raise
        secure = None if place.tls is None else self._trust()
        await loop.create_connection(lambda: wire, sock=near, ssl=secure, server_hostname=place.tls)
        return wire

    async def _through_proxy(self, wire: Wire, place: Place, connect: float | None) -> None:
        """Connect to the proxy and, for TLS, through it to the place."""
        loop = asyncio.get_running_loop()
        proxy = urlsplit(place.proxy or "")
        if proxy.scheme not in ("http", "https") or not proxy.hostname:
            raise ProxyRefused(f"a proxy of another kind ({proxy.scheme})")
        secure = proxy.scheme == "https"
        named = f"{proxy.hostname}:{proxy.port or (443 if secure else 80)}"
        try:
            async with asyncio.timeout(connect):
                await loop.create_connection(
                    lambda: wire,
                    proxy.hostname,
                    proxy.port or (443 if secure else 80),
                    ssl=self._trust() if secure else None,
                )
        except OSError as error:
            raise ProxyRefused(f"{named} cannot be reached") from error
        if place.tls is None:
            return
        through = f"[{place.address}]" if ":" in place.address else place.address
        through = f"{through}:{place.port}"
        headers = {"Host": through, **_introduction(place.proxy or "")}
        try:
            answer = await wire.ask(_request("CONNECT", through, headers))
        except Disconnected as error:
            raise ProxyRefused(f"{named} closed the connection") from error
        if not 200 <= answer.status < 300:
            wire.close()
            raise ProxyRefused(f"{named} answered {answer.status}")
        try:
            carrier = await loop.start_tls(wire.transport, wire, self._trust(), server_hostname=place.tls)
        except BaseException:
            wire.close()
            raise
        if carrier is None:  # it was closed while hands were shaken
            raise Disconnected("the connection was closed during the TLS handshake")
        wire.over(carrier)

    def _trust(self) -> ssl.SSLContext:
        if self._verify is None:
            self._verify = trust()
        return self._verify


def trust() -> ssl.SSLContext:
    """A TLS context that verifies, with the authorities that the environment names, or all that are known."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or folder:
        context = ssl.create_default_context(cafile=file or None, capath=folder or None)
    else:
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def _request(method: str, target: str, headers: Mapping[str, str]) -> bytes:
    """The bytes of a request. ValueError where they would be more than one."""
    if not target.isascii() or any(char <= " " or char == "\x7f" for char in target):
        raise ValueError("an address with characters that may not stand in it")
    lines = "".join(f"{name}: {_one_line(value)}\r\n" for name, value in headers.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("utf-8", "replace")


def _one_line(value: str) -> str:
    # What a server told, an ETag say, is sent back to it; a ledger may have passed through any hands.
    return value if value.isprintable() else "".join(char for char in value if char.isprintable())


def _introduction(proxy: str) -> dict[str, str]:
    """What a proxy that asks who one is has to be told."""
    parts = urlsplit(proxy)
    if not parts.username:
        return {}
    told = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(told.encode()).decode('ascii')}"}
