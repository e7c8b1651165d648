"""Servers on loopback that misbehave in the ways real ones do, and stand-ins for name lookup."""

from __future__ import annotations

import contextlib
import gzip
import selectors
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from kb.web.fetch import NameNotFound, ResolveFailed

PAGE = b"<!doctype html><html><head><title>A living page</title></head><body><p>Text.</p></body></html>"


class StubResolver:
    """Names to addresses, by a table. A name that is not in it does not exist."""

    def __init__(self, table: Mapping[str, list[str]], failing: tuple[str, ...] = ()) -> None:
        self.table = table
        self.failing = failing
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host in self.failing:
            raise ResolveFailed("server failure")
        if host not in self.table:
            raise NameNotFound("no such name")
        return self.table[host]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        path, _, rest = self.path.removeprefix("/").partition("/")
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        self.server.times[self.path] += 1
        with self.server.busy:
            self.server.together += 1
            self.server.most_together = max(self.server.most_together, self.server.together)
        try:
            route = self.server.routes.get(path) or ROUTES.get(path, missing)
            route(self, unquote(rest))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with self.server.busy:
                self.server.together -= 1

    def do_HEAD(self) -> None:
        """Answered as careless servers do: wrongly where the way says so, else without a word."""
        path = self.path.removeprefix("/").partition("/")[0]
        self.answer(405 if path == "head-is-refused" else 200, b"")

    @property
    def base(self) -> str:
        """The first part of the path asked for."""
        return "/" + self.path.removeprefix("/").partition("/")[0].partition("?")[0]

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def answer(
        self,
        status: int = 200,
        body: bytes = PAGE,
        type: str | None = "text/html; charset=utf-8",
        **headers: str,
    ) -> None:
        self.send_response(status)
        if type is not None:
            self.send_header("Content-Type", type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def redirect(self, target: str, status: int = 301, **headers: str) -> None:
        self.answer(status, b"", None, Location=target, **headers)

    def begin_endless(self, **headers: str) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()

    def reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    @property
    def visits(self) -> int:
        return self.server.times[self.path]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        address: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
        routes: Mapping[str, Callable[[Handler, str], None]] | None = None,
        more: Sequence[str] = (),
        port: int = 0,
    ) -> None:
        """`more` are addresses beside the first at which the same server listens."""
        super().__init__((address, port), Handler)
        self.sockets = [self.socket]
        for other in more:
            self.sockets.append(socket.create_server((other, self.port), backlog=self.request_queue_size))
        self.address = address
        self.tls = tls
        self.routes = dict(routes or {})
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.times: Counter[str] = Counter()
        self.closing = threading.Event()
        self.busy = threading.Lock()
        self.together = self.most_together = 0
        self.raw: list[bytes] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def url(self, path: str = "", host: str | None = None) -> str:
        return f"{'https' if self.tls else 'http'}://{host or self.address}:{self.port}/{path}"

    def agents(self, path: str) -> list[str]:
        return [headers["user-agent"] for asked, headers in self.asked if asked == "/" + path]

    def serve(self) -> None:
        """Hand every connection to a thread of its own, until the server closes."""
        with selectors.DefaultSelector() as selector:
            for one in self.sockets:
                one.setblocking(False)
                selector.register(one, selectors.EVENT_READ)
            while not self.closing.is_set():
                for key, _ in selector.select(0.02):
                    with contextlib.suppress(OSError):
                        connection, address = key.fileobj.accept()  # type: ignore[union-attr]
                        connection.setblocking(True)
                        if self.tls is not None:
                            connection.settimeout(5)
                            connection = self.tls.wrap_socket(
                                connection, server_side=True, do_handshake_on_connect=False
                            )
                        self.process_request(connection, address)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is no error here."""

    def __enter__(self) -> Self:
        self.serving = threading.Thread(target=self.serve, daemon=True)
        self.serving.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self.serving.join()
        for one in self.sockets:
            one.close()


# -- the ways to misbehave -------------------------------------------------------------------------


def page(handler: Handler, rest: str) -> None:
    title = rest or "A living page"
    handler.answer(body=f"<html><head><title>{title}</title></head><body>Text.</body></html>".encode())


def missing(handler: Handler, rest: str) -> None:
    handler.answer(404, b"<title>Not here</title>")


def status(handler: Handler, rest: str) -> None:
    handler.answer(int(rest), b"<title>Answer</title>")


def to(handler: Handler, rest: str) -> None:
    code, _, target = rest.partition("/")
    handler.redirect(target if "://" in target else "/" + target, int(code))


def nowhere(handler: Handler, rest: str) -> None:
    handler.answer(301, b"", None)


def circle(handler: Handler, rest: str) -> None:
    handler.redirect("/circle/b" if rest == "a" else "/circle/a")


def cookie_circle(handler: Handler, rest: str) -> None:
    handler.redirect("/cookie-circle", 302, Set_Cookie=f"seen={handler.visits}")


def cookie_wall(handler: Handler, rest: str) -> None:
    if "consent=yes" in handler.headers.get("Cookie", ""):
        handler.answer()
    elif rest == "consent":
        handler.redirect("/cookie-wall", 302, Set_Cookie="consent=yes; Path=/")
    else:
        handler.redirect("/cookie-wall/consent", 302)


def chain(handler: Handler, rest: str) -> None:
    left = int(rest)
    if left:
        handler.redirect(f"/chain/{left - 1}")
    else:
        handler.answer()


def agent_wall(handler: Handler, rest: str) -> None:
    if "Mozilla" in handler.headers["User-Agent"]:
        handler.answer()
    else:
        handler.answer(int(rest), b"")


def flaky(handler: Handler, rest: str) -> None:
    if handler.visits > 1:
        handler.answer()
    elif rest == "reset":
        handler.reset()
    else:
        handler.answer(int(rest), b"")


def later(handler: Handler, rest: str) -> None:
    code, _, seconds = rest.partition("/")
    if handler.visits > 1 and int(seconds) < 5:
        handler.answer()
    else:
        handler.answer(int(code), b"", Retry_After=seconds)


def challenge(handler: Handler, rest: str) -> None:
    handler.answer(int(rest or 403), b"<title>Just a moment...</title>", cf_mitigated="challenge")


def slow(handler: Handler, rest: str) -> None:
    handler.close_connection = True
    handler.server.closing.wait(20)


def slow_body(handler: Handler, rest: str) -> None:
    handler.begin_endless()
    handler.wfile.write(PAGE[:80])
    handler.wfile.flush()
    handler.server.closing.wait(20)


def cut_body(handler: Handler, rest: str) -> None:
    handler.begin_endless(Content_Length="100000")
    handler.wfile.write(PAGE)


def endless_body(handler: Handler, rest: str) -> None:
    handler.begin_endless()
    until = time.monotonic() + 5
    while not handler.server.closing.is_set() and time.monotonic() < until:
        handler.wfile.write(b"<meta name=x content=y>" * 1000)


def bomb(handler: Handler, rest: str) -> None:
    handler.answer(body=gzip.compress(b"<title>Bomb</title>" + bytes(50_000_000), 9), Content_Encoding="gzip")


def packed(handler: Handler, rest: str) -> None:
    handler.answer(body=gzip.compress(PAGE), Content_Encoding="gzip")


def mispacked(handler: Handler, rest: str) -> None:
    handler.answer(Content_Encoding="gzip")


def untyped(handler: Handler, rest: str) -> None:
    handler.answer(type=None)


def miscoded(handler: Handler, rest: str) -> None:
    handler.answer(body="<head><title>Größe</title></head>".encode(), type="text/html; charset=ascii")


def reset(handler: Handler, rest: str) -> None:
    handler.reset()


def not_http(handler: Handler, rest: str) -> None:
    handler.close_connection = True
    handler.wfile.write(b"220 mail.example ESMTP\r\n\r\n")


def raw(handler: Handler, rest: str) -> None:
    handler.close_connection = True
    handler.wfile.write(handler.server.raw[int(rest)])


def tagged(handler: Handler, rest: str) -> None:
    if handler.headers.get("If-None-Match") == '"v1"':
        handler.answer(304, b"", None, ETag='"v1"')
    else:
        handler.answer(ETag='"v1"')


ROUTES: dict[str, Callable[[Handler, str], None]] = {
    "page": page,
    "status": status,
    "to": to,
    "nowhere": nowhere,
    "circle": circle,
    "cookie-circle": cookie_circle,
    "cookie-wall": cookie_wall,
    "chain": chain,
    "agent-wall": agent_wall,
    "flaky": flaky,
    "later": later,
    "challenge": challenge,
    "slow": slow,
    "slow-body": slow_body,
    "cut-body": cut_body,
    "endless-body": endless_body,
    "bomb": bomb,
    "packed": packed,
    "mispacked": mispacked,
    "untyped": untyped,
    "miscoded": miscoded,
    "reset": reset,
    "not-http": not_http,
    "raw": raw,
    "tagged": tagged,
}


def refused_url() -> str:
    """An address at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


# -- certificates ----------------------------------------------------------------------------------


class Certificates:
    """A certificate authority of the test's own, made with the openssl command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._run(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test-ca "
            "-keyout ca.key -out ca.pem"
        )

    def _run(self, command: str) -> None:
        subprocess.run(["openssl", *command.split()], cwd=self.folder, check=True, capture_output=True)

    def trusting(self) -> ssl.SSLContext:
        """A client's context that trusts this authority alone."""
        return ssl.create_default_context(cafile=str(self.folder / "ca.pem"))

    def server(self, name: str, *, expired: bool = False, self_signed: bool = False) -> ssl.SSLContext:
        """A server's context with a certificate for `name`."""
        stem = f"{name}-{expired}-{self_signed}"
        (self.folder / f"{stem}.ext").write_text(f"subjectAltName=DNS:{name}\n")
        self._run(
            f"req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={name} "
            f"-keyout {stem}.key -out {stem}.csr"
        )
        signer = f"-signkey {stem}.key" if self_signed else "-CA ca.pem -CAkey ca.key -CAcreateserial"
        self._run(
            f"x509 -req -in {stem}.csr -out {stem}.pem -extfile {stem}.ext "
            f"-days {-1 if expired else 2} {signer}"
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{stem}.pem", self.folder / f"{stem}.key")
        return context
