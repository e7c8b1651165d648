"""The connection below the fetcher: what servers say, however it comes in, and whom it is asked of."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.web.fetch import Failure, HttpFetcher, Limits, Outcome
from kb.web.fetch.connections import Connections, Place
from kb.web.fetch.wire import Wire
from tests.servers import Certificates
from tests.wires import Pipe, heard


def hear(pieces: list[bytes], *, close: bool = True) -> tuple[int | None, bytes, str]:
    """The status, the body, and how it ended, of an answer that comes in these pieces."""
    found = asyncio.run(heard(pieces, close=close))
    return found.status, found.body, found.ended


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "body", "end"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc", "whole"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", b"abc", "whole"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", b"abc", "whole"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", b"abc", "Disconnected"),
        (b"HTTP/1.1 200 OK\r\n\r\nabc", b"abc", "whole"),
        (CHUNKED + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n", b"abcde", "whole"),
        (CHUNKED + b"3\nabc\n0\n\n", b"abc", "whole"),
        (CHUNKED + b"3\r\nabcd\r\n", b"abc", "NotHttp"),
        (CHUNKED + b"x\r\n", b"", "NotHttp"),
        (CHUNKED + b"A\r\nabc", b"abc", "Disconnected"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", "whole"),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", b"", "whole"),
    ],
)
def test_a_body_ends_where_its_head_says(answer: bytes, body: bytes, end: str) -> None:
    status, read, ended = hear([answer])
    assert status is not None
    assert (read, ended) == (body, end)


ANSWERS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nServer: x\r\n\r\nhello, world",
        b"HTTP/1.0 404 No\nX: y\n\nnot here",
        CHUNKED + b"5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n",
        b"\r\nHTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 301 Moved\r\nLocation: /x\r\n\r\n",
        b"220 mail.example ESMTP\r\n",
    ]
)


@given(answer=ANSWERS, cuts=st.lists(st.integers(0, 120), max_size=8))
def test_how_an_answer_is_cut_into_pieces_makes_no_difference(answer: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(answer), *(cut for cut in cuts if cut < len(answer))})
    pieces = [answer[start:end] for start, end in pairwise(edges)]
    assert hear(pieces) == hear([answer])


@given(st.lists(st.binary(max_size=80), max_size=6), st.booleans())
def test_no_bytes_are_more_than_an_answer_or_a_fault(pieces: list[bytes], begun: bool) -> None:
    status, _, ended = hear([b"HTTP/1.1 200 OK\r\n", *pieces] if begun else pieces)
    assert ended in ("whole", "NotHttp", "Disconnected")
    assert status is None or 100 <= status <= 999


def test_a_head_without_end_is_given_up() -> None:
    assert hear([b"HTTP/1.1 200 OK\r\n", *[b"A: b\r\n" * 1000] * 60], close=False) == (None, b"", "NotHttp")


def test_a_chunk_whose_size_has_no_end_is_given_up() -> None:
    assert hear([CHUNKED, *[b"1" * 1_000] * 20], close=False) == (200, b"", "NotHttp")


def test_what_nobody_asked_for_is_no_answer_to_what_is_asked_next() -> None:
    wire, pipe = Wire(), Pipe()
    wire.connection_made(pipe)
    wire.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")
    assert (pipe.closed, wire.open) == (True, False)


def test_a_body_that_nobody_reads_is_not_taken_in_without_end() -> None:
    async def run() -> tuple[bool, bool]:
        wire, pipe = Wire(), Pipe()
        wire.connection_made(pipe)
        asking = asyncio.create_task(wire.ask(b"GET / HTTP/1.1\r\n\r\n"))
        await asyncio.sleep(0)
        wire.data_received(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000)
        answer = await asking
        paused = not pipe.reading
        await answer.read()
        return paused, pipe.reading

    assert asyncio.run(run()) == (True, True)


# -- over real sockets -----------------------------------------------------------------------------

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def serving(serve: Serve) -> tuple[asyncio.Server, int]:
    async def safely(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(safely, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


def test_a_connection_serves_the_next_request_once_its_answer_is_read() -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def run() -> None:
        server, port = await serving(serve)
        async with HttpFetcher(allow_private=True, proxies={}) as fetcher:
            for number in range(5):
                assert (await fetcher.get(f"http://127.0.0.1:{port}/{number}")).body == b"ok"
        server.close()

    asyncio.run(run())
    assert connections == 1


def test_a_connection_that_was_closed_meanwhile_costs_no_answer() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")  # and closes, without a word of it

    async def run() -> list[int | None]:
        server, port = await serving(serve)
        async with HttpFetcher(allow_private=True, proxies={}) as fetcher:
            found = [(await fetcher.get(f"http://127.0.0.1:{port}/")).status for _ in range(5)]
        server.close()
        return found

    assert asyncio.run(run()) == [200] * 5


def test_what_a_server_told_cannot_add_a_header_to_the_next_request() -> None:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 304 Same\r\n\r\n")

    async def run() -> None:
        server, port = await serving(serve)
        async with HttpFetcher(allow_private=True, proxies={}) as fetcher:
            await fetcher.get(f"http://127.0.0.1:{port}/", etag='"v1"\r\nX-Evil: yes\r\n\r\nGET /more')
        with pytest.raises(ValueError, match="characters"):
            await Connections().ask(Place("127.0.0.1", port), "/a HTTP/1.1\r\nX: y", {})
        server.close()

    asyncio.run(run())
    lines = heard[0].split(b"\r\n")
    assert b'If-None-Match: "v1"X-Evil: yesGET /more' in lines
    assert not any(line.startswith(b"X-Evil") for line in lines)


# -- proxies ---------------------------------------------------------------------------------------


def through(proxy: str, url: str, **more: object) -> Outcome:
    async def run() -> Outcome:
        proxies = {"all": proxy}
        limits = Limits(timeout=5, pause=0)
        async with HttpFetcher(limits=limits, proxies=proxies, **more) as fetcher:  # type: ignore[arg-type]
            return await fetcher.get(url)

    return asyncio.run(run())


def test_a_proxy_that_is_not_there_is_no_fault_of_the_page() -> None:
    for url in ("http://far.example/", "https://far.example/"):
        outcome = through("http://127.0.0.1:9", url)
        assert (outcome.failure, outcome.status) == (Failure.NO_ROUTE, None)
        assert outcome.detail == "the proxy refused: 127.0.0.1:9 cannot be reached"


def test_a_proxy_of_a_kind_that_is_not_spoken_is_told() -> None:
    outcome = through("socks5://127.0.0.1:9", "https://far.example/")
    assert (outcome.failure, outcome.detail) == (
        Failure.NO_ROUTE,
        "the proxy refused: a proxy of another kind (socks5)",
    )


def test_a_proxy_that_asks_who_one_is_is_told_and_nobody_else() -> None:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    async def run() -> Outcome:
        server, port = await serving(serve)
        proxies = {"all": f"http://me:p%40ss@127.0.0.1:{port}"}
        async with HttpFetcher(limits=Limits(timeout=5, pause=0), proxies=proxies) as fetcher:
            found = await fetcher.get("https://far.example/x")
            await fetcher.get("http://far.example/x")
        server.close()
        return found

    outcome = asyncio.run(run())
    assert (outcome.failure, outcome.detail.endswith("answered 407")) == (Failure.NO_ROUTE, True)
    token = b"Proxy-Authorization: Basic " + base64.b64encode(b"me:p@ss")
    assert heard[0].startswith(b"CONNECT far.example:443 HTTP/1.1\r\n")
    assert heard[1].startswith(b"GET http://far.example/x HTTP/1.1\r\n")
    assert all(token in head.split(b"\r\n") for head in heard)


def test_a_proxy_may_itself_be_behind_tls(tmp_path_factory: pytest.TempPathFactory) -> None:
    certificates = Certificates(tmp_path_factory.mktemp("certificates"))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(head), head))

    async def run() -> Outcome:
        tls = certificates.server("localhost")
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
        proxies = {"http": f"https://localhost:{server.sockets[0].getsockname()[1]}"}
        async with HttpFetcher(proxies=proxies, verify=certificates.trusting()) as fetcher:
            outcome = await fetcher.get("http://far.example/x")
        server.close()
        return outcome

    outcome = asyncio.run(run())
    assert (outcome.status, outcome.failure) == (200, None)
    assert outcome.body.startswith(b"GET http://far.example/x HTTP/1.1")
