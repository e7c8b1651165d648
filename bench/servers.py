"""Servers for the benchmarks of links, as processes of their own. Loopback only.

    python bench/servers.py ways HOSTS FOLDER     misbehave in every way, HOSTS addresses a way
    python bench/servers.py plain HOSTS DELAY [PORT]     answer at once, or after DELAY seconds

Each prints what a client needs to know as one line of JSON, and runs until it is killed or its
standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import cast

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.servers import Certificates, Server, refused_url
from tests.ways import WAYS, routes


def places(hosts: int) -> dict[str, list[str]]:
    """Loopback addresses of every way that is served over plain HTTP."""
    ways = [way.name for way in WAYS.values() if way.route]
    return {
        name: [f"127.{10 + number // 200}.{number % 200 + 1}.{host + 1}" for host in range(hosts)]
        for number, name in enumerate(ways)
    }


def misbehave(hosts: int, folder: Path) -> None:
    """Serve every way until standard input ends."""
    found = places(hosts)
    certificates = Certificates(folder)
    with ExitStack() as stack:
        server = stack.enter_context(
            Server("127.0.0.1", routes=routes(), more=[one for all in found.values() for one in all])
        )
        bases = {
            name: [f"http://{address}:{server.port}/" for address in addresses]
            for name, addresses in found.items()
        }
        for fault in ("self-signed", "expired", "wrong-host"):
            tls = certificates.server(
                "other.example", expired=fault == "expired", self_signed=fault == "self-signed"
            )
            bases[fault] = [stack.enter_context(Server(tls=tls)).url()]
        bases["not-tls"] = [server.url().replace("http:", "https:")]
        bases["refused"] = [refused_url()]
        print(json.dumps(bases), flush=True)
        sys.stdin.read()


_PAGE = (
    b"<!doctype html><html><head><meta charset=utf-8><title>Page %s</title>"
    b'<meta name="description" content="What page %s is about"></head><body>'
    + b"<p>Words to be read, and <a href=/x>a link</a>.</p>" * 100
    + b"<p>%s</p></body></html>"
)


class Plain(asyncio.Protocol):
    """HTTP as simple as it gets: a page for `/pN`, 404 for the rest, after a pause."""

    pause = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember whom to answer."""
        self.transport = cast(asyncio.Transport, transport)
        self.data = b""

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self.data += data
        while b"\r\n\r\n" in self.data:
            request, _, self.data = self.data.partition(b"\r\n\r\n")
            path = request.split(b" ", 2)[1]
            asyncio.get_running_loop().call_later(self.pause, self.answer, path)

    def answer(self, path: bytes) -> None:
        """The page of that path."""
        good = path.startswith(b"/p") and path[2:].isdigit()
        body = _PAGE % (path, path, path) if good else b"<title>Not found</title>"
        status = b"200 OK" if good else b"404 Not Found"
        head = b"HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n"
        if not self.transport.is_closing():
            self.transport.write(head % (status, len(body)) + body)


async def answer_plainly(hosts: int, pause: float, port: int = 0) -> None:
    """Serve pages from so many addresses until standard input ends; `port` 0 takes a free one."""
    Plain.pause = pause
    loop = asyncio.get_running_loop()
    bases = []
    for address in _addresses(hosts):
        server = await loop.create_server(Plain, address, port, backlog=1000)
        port = server.sockets[0].getsockname()[1]
        bases.append(f"http://{address}:{port}/")
    print(json.dumps(bases), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def _addresses(hosts: int) -> Iterator[str]:
    return map(address, range(hosts))


def address(number: int) -> str:
    """One loopback address of many."""
    return f"127.0.{1 + number // 250}.{number % 250 + 1}"


if __name__ == "__main__":
    if sys.argv[1] == "ways":
        misbehave(int(sys.argv[2]), Path(sys.argv[3]))
    else:
        asyncio.run(answer_plainly(int(sys.argv[2]), float(sys.argv[3]), *map(int, sys.argv[4:5])))
