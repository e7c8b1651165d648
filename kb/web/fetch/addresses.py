"""Which addresses may be connected to, and how names become addresses."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import threading
from contextlib import suppress
from functools import lru_cache
from typing import Final, Protocol

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NameNotFound(Exception):
    """The name does not exist, or has no address."""


class ResolveFailed(Exception):
    """Whether the name exists could not be found out: server failure, time-out, no network."""


class Resolver(Protocol):
    """The seam at which tests map names to loopback addresses."""

    async def resolve(self, host: str, port: int) -> list[str]:
        """Addresses of `host`, best first. Raises NameNotFound or ResolveFailed."""


_NOT_FOUND: Final = {
    getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY") if hasattr(socket, name)
}


class SystemResolver:
    """The machine's resolver, one lookup a name.

    In daemon threads of its own: asyncio's few would wait behind slow names, and a pool's are
    waited for when the process ends.
    """

    def __init__(self, threads: int = 32) -> None:
        self._room = asyncio.Semaphore(threads)
        self._known: dict[str, asyncio.Task[list[str] | Exception]] = {}

    async def resolve(self, host: str, port: int) -> list[str]:
        """Addresses of `host`; one lookup serves all that ask for the same name."""
        known = self._known.get(host)
        if known is None:
            known = self._known[host] = asyncio.create_task(self._ask(host, port))
        # Shielded: one asker whose time is up must not take the answer from the others.
        found = await asyncio.shield(known)
        if isinstance(found, Exception):
            raise found
        return found

    async def _ask(self, host: str, port: int) -> list[str] | Exception:
        async with self._room:
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[list[str] | Exception] = loop.create_future()

            def settle(found: list[str] | Exception) -> None:
                if not answer.done():
                    answer.set_result(found)

            def work() -> None:
                found = lookup(host, port)
                with suppress(RuntimeError):  # the loop is gone, and with it whoever asked
                    loop.call_soon_threadsafe(settle, found)

            threading.Thread(target=work, name="kb-resolve", daemon=True).start()
            return await answer

    async def aclose(self) -> None:
        """Forget the lookups that still run."""
        for task in self._known.values():
            task.cancel()
        await asyncio.gather(*self._known.values(), return_exceptions=True)


def lookup(host: str, port: int) -> list[str] | Exception:
    """What getaddrinfo says: addresses, NameNotFound or ResolveFailed. Blocks."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return (NameNotFound if error.errno in _NOT_FOUND else ResolveFailed)(str(error))
    except (OSError, UnicodeError) as error:
        return ResolveFailed(str(error))
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


# What `is_global` of some Python versions lets pass: cloud metadata, site-local, local NAT64.
_MORE_PRIVATE: Final = tuple(
    ipaddress.ip_network(text) for text in ("168.63.129.16/32", "192.0.0.0/24", "fec0::/10", "64:ff9b:1::/48")
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_IPV4_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")
_IPV4_TRANSLATED: Final = ipaddress.IPv6Network("::ffff:0:0:0/96")  # RFC 2765
_ISATAP: Final = (0x00005EFE, 0x02005EFE)  # RFC 5214: what stands before the IPv4 address, in any network
_NUMBERS: Final = re.compile(r"(?:(?:0[xX][0-9a-fA-F]*|\d+)\.){0,3}(?:0[xX][0-9a-fA-F]*|\d+)\.?\Z", re.ASCII)


@lru_cache(maxsize=1024)
def literal(host: str) -> Address | None:
    """The address that `host` (brackets allowed) is, or None for a name.

    Numbers alone, octal and hexadecimal ones too, are an IPv4 address, as to browsers and the
    system's resolver.
    """
    plain = host.strip("[]").partition("%")[0]
    with suppress(ValueError):
        return ipaddress.ip_address(plain)
    if _NUMBERS.match(plain):
        with suppress(OSError):
            return ipaddress.IPv4Address(socket.inet_aton(plain.removesuffix(".")))
    return None


def is_private(text: str) -> bool:
    """Whether an address is not of the public internet; what cannot be read counts as private.

    Loopback, link-local (cloud metadata), private, shared (CGNAT), multicast, reserved; and IPv6
    forms that carry such an IPv4 address within them.
    """
    address = literal(text)
    return address is None or _is_private(address)


def _is_private(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        carries = any(address in network for network in (_NAT64, _IPV4_COMPATIBLE, _IPV4_TRANSLATED))
        if carries or (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.teredo is not None:
            inner = address.teredo[1]
        if inner is not None:
            return _is_private(inner)
    return (
        not address.is_global
        or address.is_multicast
        or address.is_reserved
        or any(address in network for network in _MORE_PRIVATE if network.version == address.version)
    )
