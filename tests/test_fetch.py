"""The fetcher against servers that misbehave: what came, and that it stays within bounds."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Iterator
from email.utils import formatdate

import pytest

from kb.web.fetch import Failure, HttpFetcher, Limits, Outcome, Resolver, is_private
from tests.servers import PAGE, Certificates, Server, StubResolver, refused_url

QUICK = Limits(timeout=5, pause=0, body_seconds=0.3)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def get(
    url: str,
    *,
    limits: Limits = QUICK,
    allow_private: bool = True,
    resolver: Resolver | None = None,
    verify: ssl.SSLContext | None = None,
    proxies: dict[str, str] | None = None,
    etag: str | None = None,
) -> Outcome:
    async def run() -> Outcome:
        async with HttpFetcher(
            limits=limits,
            allow_private=allow_private,
            resolver=resolver,
            verify=verify,
            proxies=proxies or {},
        ) as fetcher:
            return await fetcher.get(url, etag=etag)

    return asyncio.run(run())


def test_a_page_comes_with_its_status_headers_and_body(server: Server) -> None:
    outcome = get(server.url("page/Hello"))
    assert (outcome.status, outcome.failure, outcome.hops) == (200, None, ())
    assert b"<title>Hello</title>" in outcome.body
    assert outcome.headers["content-type"] == "text/html; charset=utf-8"
    assert outcome.answered == ("127.0.0.1",)
    assert outcome.ok
    assert not outcome.truncated


def test_the_first_try_says_who_asks(server: Server) -> None:
    get(server.url("page/agent"))
    assert [agent.startswith("kb/") for agent in server.agents("page/agent")] == [True]


@pytest.mark.parametrize("status", [403, 404, 406])
def test_a_wall_against_unknown_programs_is_passed_as_a_browser(server: Server, status: int) -> None:
    assert get(server.url(f"agent-wall/{status}")).status == 200
    first, second = server.agents(f"agent-wall/{status}")
    assert first.startswith("kb/")
    assert "Mozilla" in second


@pytest.mark.parametrize("how", ["500", "502", "503", "reset"])
def test_a_server_that_fails_once_is_asked_again(server: Server, how: str) -> None:
    assert get(server.url(f"flaky/{how}")).status == 200


@pytest.mark.parametrize("how", ["status/500", "status/503", "status/404", "not-http"])
def test_a_server_that_keeps_failing_is_asked_twice_and_no_more(server: Server, how: str) -> None:
    get(server.url(how))
    assert server.times["/" + how] == 2


def test_a_short_retry_after_is_waited_for_and_a_long_one_is_not(server: Server) -> None:
    started = time.monotonic()
    assert get(server.url("later/429/1")).status == 200
    assert time.monotonic() - started >= 1
    long = get(server.url("later/503/3600"))
    assert (long.status, long.headers["retry-after"]) == (503, "3600")
    assert server.times["/later/503/3600"] == 1


def test_a_retry_after_of_tomorrow_is_not_waited_for(server: Server) -> None:
    tomorrow = formatdate(time.time() + 86_400, usegmt=True)
    server.routes["tomorrow"] = lambda handler, rest: handler.answer(503, b"", Retry_After=tomorrow)
    assert get(server.url("tomorrow")).status == 503
    assert server.times["/tomorrow"] == 1


def test_every_hop_of_a_redirect_is_recorded(server: Server) -> None:
    outcome = get(server.url("to/301/to/302/page/End"))
    assert outcome.final_url == server.url("page/End")
    assert [(hop.status, hop.target) for hop in outcome.hops] == [
        (301, server.url("to/302/page/End")),
        (302, server.url("page/End")),
    ]


def test_a_long_chain_that_ends_is_followed_to_its_end(server: Server) -> None:
    outcome = get(server.url("chain/19"))
    assert (outcome.status, len(outcome.hops)) == (200, 19)


@pytest.mark.parametrize(
    ("path", "failure"),
    [
        ("chain/50", Failure.TOO_MANY_HOPS),
        ("circle/a", Failure.LOOP),
        ("cookie-circle", Failure.COOKIE_LOOP),
        ("nowhere", Failure.NO_TARGET),
        ("to/302/ftp://files.example/x", Failure.SCHEME),
        ("reset", Failure.RESET),
        ("not-http", Failure.NOT_HTTP),
    ],
)
def test_each_way_not_to_answer_has_its_name(server: Server, path: str, failure: Failure) -> None:
    assert get(server.url(path)).failure is failure


def test_a_refused_connection_is_told(server: Server) -> None:
    outcome = get(refused_url())
    assert (outcome.failure, outcome.status, outcome.answered) == (Failure.REFUSED, None, ())


def test_a_consent_page_leads_back_since_cookies_are_kept_along_one_link(server: Server) -> None:
    assert get(server.url("cookie-wall")).status == 200


def test_cookies_of_one_link_are_not_sent_with_the_next(server: Server) -> None:
    async def run() -> None:
        async with HttpFetcher(limits=QUICK, allow_private=True, proxies={}) as fetcher:
            await fetcher.get(server.url("cookie-wall"))
            await fetcher.get(server.url("page/after"))

    asyncio.run(run())
    assert "cookie" not in next(headers for path, headers in server.asked if path == "/page/after")


def test_the_time_of_a_link_is_bounded_as_a_whole(server: Server) -> None:
    started = time.monotonic()
    outcome = get(server.url("slow"), limits=Limits(timeout=0.3))
    assert outcome.failure is Failure.TIMEOUT
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("path", ["slow-body", "cut-body"])
def test_a_body_that_never_ends_well_leaves_the_answer_standing(server: Server, path: str) -> None:
    outcome = get(server.url(path))
    assert (outcome.status, outcome.failure, outcome.truncated) == (200, None, True)
    assert b"A living page" in outcome.body


def test_time_that_runs_out_within_a_body_is_no_time_out(server: Server) -> None:
    outcome = get(server.url("slow-body"), limits=Limits(timeout=0.5, body_seconds=9))
    assert (outcome.status, outcome.failure) == (200, None)
    assert b"A living page" in outcome.body


def test_a_second_try_that_runs_out_of_time_leaves_the_first_answer(server: Server) -> None:
    outcome = get(server.url("status/503"), limits=Limits(timeout=0.5, pause=10))
    assert (outcome.status, outcome.failure) == (503, None)


def test_an_endless_body_is_cut_at_its_cap(server: Server) -> None:
    outcome = get(server.url("endless-body"), limits=Limits(body_bytes=300_000, body_seconds=5))
    assert outcome.truncated
    assert 300_000 <= len(outcome.body) < 600_000


def test_what_has_no_head_is_not_read_to_its_end(server: Server) -> None:
    outcome = get(server.url("bomb"))
    assert (outcome.status, outcome.truncated) == (200, True)
    assert len(outcome.body) < 1_000_000


def test_a_small_archive_never_unpacks_beyond_its_cap(server: Server) -> None:
    outcome = get(server.url("bomb"), limits=Limits(decoded_bytes=100_000))
    assert (outcome.status, outcome.truncated, len(outcome.body)) == (200, True, 100_000)
    assert b"Bomb" in outcome.body[:100]


@pytest.mark.parametrize("path", ["packed", "mispacked", "untyped"])
def test_bodies_are_read_whatever_the_headers_say_of_them(server: Server, path: str) -> None:
    assert get(server.url(path)).body == PAGE


def test_a_conditional_request_may_be_answered_by_304(server: Server) -> None:
    fresh = get(server.url("tagged"))
    assert (fresh.status, fresh.headers["etag"]) == (200, '"v1"')
    again = get(server.url("tagged"), etag='"v1"')
    assert (again.status, again.ok) == (304, True)


OK = b"HTTP/1.1 200 OK\r\n"
MOVED = b"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n"


@pytest.mark.parametrize(
    ("answer", "status", "failure"),
    [
        (b"HTTP/1.0 200\r\n\r\nold", 200, None),
        (OK + b"Content-Length: -5\r\n\r\nx", 200, None),
        (OK + b"Content-Length: 5, 6\r\n\r\nx", 200, None),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", 200, None),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", 200, None),
        (OK + b"X: " + b"y" * 300_000 + b"\r\n\r\n", None, Failure.NOT_HTTP),
        (OK + b"X-\xff: \xfe\r\n\r\n", 200, None),
        (OK + b"Server: caf\xe9\r\n\r\nx", 200, None),
        (OK + b"Content-Encoding: br\r\n\r\nx", 200, None),
        (OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00", 200, None),
        (OK + b"Set-Cookie: \xff=\xfe; Expires=never\r\n\r\nx", 200, None),
        (b"HTTP/1.1 999 \r\n\r\n", 999, None),
        (b"ICY 200 OK\r\nicy-name: a station\r\n\r\n", 200, None),
        (b"HTTP/1.1 200 OK\nContent-Type: text/html\n\nx", 200, None),
        (OK + b"no colon\r\n: no name\r\nServer: a\r\n b\r\n\r\n", 200, None),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK + b"\r\nx", 200, None),
        (b"HTTP/1.1 100 Continue\r\n\r\n", None, Failure.RESET),
        (b"\r\n" + OK + b"\r\nx", 200, None),
        (b"HTTP/1.1 200 OK\r\nContent-Ty", None, Failure.RESET),
        (b"HTTP/1.1 42 No\r\n\r\n", None, Failure.NOT_HTTP),
        (b"<html>no headers</html>\r\n\r\n", None, Failure.NOT_HTTP),
        (b"", None, Failure.RESET),
        (MOVED + b"Location: \r\n\r\n", 301, Failure.NO_TARGET),
        (MOVED + b"Location: http://[bad/\r\n\r\n", 301, Failure.NO_TARGET),
        (MOVED + b"Location: https://\r\n\r\n", 301, Failure.SCHEME),
        (MOVED + b"Location: http://xn--\xff.example/\r\n\r\n", 301, Failure.NO_NAME),
        (MOVED + b"Location: http://127.0.0.1:99999/\r\n\r\n", 301, Failure.SCHEME),
        (MOVED + b"Location: market://details\r\n\r\n", 301, Failure.SCHEME),
        (MOVED + b"Location: /page/caf\xc3\xa9 au lait\r\n\r\n", 200, None),
        (MOVED + b"Location: ../nothing/x\r\n\r\n", 404, None),
        (MOVED + b"Location: /page/x\r\nLocation: /page/y\r\n\r\n", 200, None),
    ],
)
def test_no_answer_however_odd_is_more_than_an_outcome(
    server: Server, answer: bytes, status: int | None, failure: Failure | None
) -> None:
    server.raw.append(answer)
    outcome = get(server.url(f"raw/{len(server.raw) - 1}"), resolver=StubResolver({}))
    assert (outcome.status, outcome.failure) == (status, failure)


# -- names and addresses ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.0.192",
        "168.63.129.16",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "ff02::1",
        "fec0::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "::ffff:0:127.0.0.1",
        "2001:db8::5efe:7f00:1",
        "2600::5efe:a00:1",
        "2130706433",
        "0177.0.0.1",
        "0x7f.1",
        "0",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "not an address",
    ],
)
def test_addresses_that_are_not_of_the_public_internet_are_private(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "151.101.1.164", "2606:4700::6810:84e5", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses_are_not_private(address: str) -> None:
    assert not is_private(address)


SPELLINGS = [
    "127.0.0.1",
    "127.0.0.1.",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0x7f.1",
    "0x7f000001",
    "127.1",
    "0",
    "0.0.0.0",
    "１２７.0.0.1",
    "127。0.0.1",
    "%31%32%37.0.0.1",
]


@pytest.mark.parametrize("host", SPELLINGS)
def test_behind_a_proxy_a_private_address_is_refused_however_it_is_spelled(host: str) -> None:
    outcome = get(f"http://{host}:1/", allow_private=False, proxies={"http": "http://127.0.0.1:9"})
    assert outcome.failure is Failure.PRIVATE


@pytest.mark.parametrize("host", SPELLINGS)
def test_a_private_address_is_refused_however_it_is_spelled(host: str) -> None:
    outcome = get(f"http://{host}:1/", allow_private=False)
    assert outcome.failure is Failure.PRIVATE


def test_a_name_is_refused_for_the_address_it_resolves_to(server: Server) -> None:
    resolver = StubResolver({"inside.example": ["127.0.0.1"]})
    outcome = get(server.url("page/inside", host="inside.example"), allow_private=False, resolver=resolver)
    assert outcome.failure is Failure.PRIVATE
    assert outcome.detail == "inside.example (127.0.0.1) is a private address"
    assert not server.times["/page/inside"]


class Rebinding:
    """A name whose address changes from one question to the next, as an attacker's does."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(self, host: str, port: int) -> list[str]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def test_a_name_that_changes_its_address_after_it_was_checked_gains_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.web.fetch.fetcher.is_private", lambda one: one != "127.0.0.2")
    with Server("127.0.0.2", port=server.port) as public:
        url = public.url("page/rebound", host="evil.example")
        # One question, one address: what the next question would say is not asked.
        outcome = get(url, allow_private=False, resolver=Rebinding(["127.0.0.2"], ["127.0.0.1"]))
        assert (outcome.status, public.times["/page/rebound"]) == (200, 1)
        # Of several addresses only the public ones are tried, whichever comes first.
        get(url, allow_private=False, resolver=Rebinding(["127.0.0.1", "127.0.0.2"]))
        assert public.times["/page/rebound"] == 2
        # A hop to the same name asks anew, and is checked anew.
        hop = public.url("to/302/" + url, host="evil.example")
        moved = get(hop, allow_private=False, resolver=Rebinding(["127.0.0.2"], ["127.0.0.1"]))
        assert (moved.failure, moved.status) == (Failure.PRIVATE, 302)
    assert not server.times["/page/rebound"]


def test_the_address_that_was_checked_is_the_one_connected_to(server: Server) -> None:
    resolver = StubResolver({"pinned.example": ["127.0.0.1"]})
    outcome = get(server.url("page/pinned", host="pinned.example"), resolver=resolver)
    assert (outcome.status, outcome.answered) == (200, ("pinned.example",))
    assert resolver.asked == ["pinned.example"]
    host = next(headers["host"] for path, headers in server.asked if path == "/page/pinned")
    assert host == f"pinned.example:{server.port}"


def test_a_redirect_to_a_private_address_is_not_followed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 127.0.0.2 stands in for a public address, so that a hop from it to a private one can be seen.
    def private(address: str) -> bool:
        return address != "127.0.0.2" and is_private(address)

    monkeypatch.setattr("kb.web.fetch.fetcher.is_private", private)
    with Server("127.0.0.2") as public:
        outcome = get(public.url(f"to/302/{server.url('page/secret')}"), allow_private=False)
    assert (outcome.failure, outcome.status) == (Failure.PRIVATE, 302)
    assert not server.times["/page/secret"]


def test_the_next_address_is_tried_when_one_refuses(server: Server) -> None:
    resolver = StubResolver({"two.example": ["127.0.0.9", "127.0.0.1"]})
    assert get(server.url("page/two", host="two.example"), resolver=resolver).status == 200


def test_names_beyond_ascii_are_asked_for_in_punycode_emoji_included(server: Server) -> None:
    resolver = StubResolver({"xn--bcher-kva.example": ["127.0.0.1"], "xn--i-7iq.example": ["127.0.0.1"]})
    for name in ("bücher.example", "i❤.example"):
        assert get(server.url("page", host=name), resolver=resolver).status == 200
    assert server.asked[-1][1]["host"] == f"xn--i-7iq.example:{server.port}"


def test_names_that_do_not_exist_are_told_from_lookups_that_fail() -> None:
    resolver = StubResolver({}, failing=("shaky.example",))
    assert get("http://gone.example/", resolver=resolver).failure is Failure.NO_NAME
    assert get("http://shaky.example/", resolver=resolver).failure is Failure.UNRESOLVED


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "notes.md", "http://"]
)
def test_only_http_and_https_are_fetched(url: str) -> None:
    assert get(url).failure is Failure.SCHEME


# -- credentials and proxies -----------------------------------------------------------------------


def test_credentials_go_to_their_own_host_and_no_other(server: Server) -> None:
    with Server("127.0.0.2") as other:
        inner = f"to/302/{other.url('page/other')}"
        url = server.url(inner).replace("://", "://me:p%40ss@", 1)
        outcome = get(url)
        assert outcome.status == 200
        first = next(headers for path, headers in server.asked if path == "/" + inner)
        assert first["authorization"] == "Basic bWU6cEBzcw=="
        assert "authorization" not in other.asked[0][1]
    assert "p%40ss" not in repr(outcome)


def test_behind_a_proxy_names_are_left_to_it_and_literal_private_addresses_refused(server: Server) -> None:
    resolver = StubResolver({})
    proxies = {"http": f"127.0.0.1:{server.port}"}
    outcome = get("http://far.example/page", resolver=resolver, proxies=proxies, allow_private=False)
    assert outcome.status == 404  # the server, which is no proxy, was asked for the whole URL
    assert server.asked[-1][0] == "http://far.example/page"
    assert resolver.asked == []
    for host in ("127.0.0.1", "localhost", "[::1]"):
        refused = get(f"http://{host}/", proxies=proxies, allow_private=False)
        assert refused.failure is Failure.PRIVATE


class Tunnel:
    """A proxy that opens tunnels: it connects to the server behind it, whatever name it is asked for."""

    def __init__(self, behind: int) -> None:
        self.behind = behind
        self.asked: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.split(b"\r\n")[0].decode())
        there, to_there = await asyncio.open_connection("127.0.0.1", self.behind)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(self.carry(reader, to_there), self.carry(there, writer))

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
            writer.close()


def test_behind_a_proxy_tls_is_with_the_host_and_its_certificate_is_verified(
    certificates: Certificates,
) -> None:
    async def run(name: str, port: int) -> tuple[Outcome, list[str]]:
        tunnel = Tunnel(port)
        proxy = await asyncio.start_server(tunnel.serve, "127.0.0.1")
        proxies = {"https": f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"}
        async with HttpFetcher(limits=QUICK, proxies=proxies, verify=certificates.trusting()) as fetcher:
            outcome = await fetcher.get(f"https://{name}/page/far")
        proxy.close()
        return outcome, tunnel.asked

    with Server(tls=certificates.server("far.example")) as server:
        outcome, asked = asyncio.run(run("far.example", server.port))
        assert (outcome.status, outcome.failure) == (200, None)
        assert asked == ["CONNECT far.example:443 HTTP/1.1"]
        outcome, _ = asyncio.run(run("other.example", server.port))
        assert (outcome.failure, outcome.detail) == (Failure.TLS, "certificate is for another host")


# -- TLS -------------------------------------------------------------------------------------------


def test_a_certificate_is_verified_against_the_name_not_the_address(certificates: Certificates) -> None:
    resolver = StubResolver({"good.example": ["127.0.0.1"]})
    with Server(tls=certificates.server("good.example")) as server:
        outcome = get(server.url("page", "good.example"), resolver=resolver, verify=certificates.trusting())
    assert (outcome.status, outcome.failure) == (200, None)


def test_the_authorities_of_the_environment_are_trusted(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.folder / "ca.pem"))
    resolver = StubResolver({"good.example": ["127.0.0.1"]})
    with Server(tls=certificates.server("good.example")) as server:
        assert get(server.url("page", "good.example"), resolver=resolver).status == 200


@pytest.mark.parametrize(
    ("named", "expired", "self_signed", "words"),
    [
        ("tls.example", True, False, "certificate expired"),
        ("tls.example", False, True, "certificate is self-signed"),
        ("other.example", False, False, "certificate is for another host"),
    ],
)
def test_faults_of_a_certificate_are_named(
    certificates: Certificates, named: str, expired: bool, self_signed: bool, words: str
) -> None:
    resolver = StubResolver({"tls.example": ["127.0.0.1"]})
    with Server(tls=certificates.server(named, expired=expired, self_signed=self_signed)) as server:
        outcome = get(server.url("page", "tls.example"), resolver=resolver, verify=certificates.trusting())
    assert (outcome.failure, outcome.detail) == (Failure.TLS, words)


def test_a_server_that_does_not_speak_tls_is_a_fault_of_tls(server: Server) -> None:
    outcome = get(server.url("page").replace("http://", "https://"))
    assert outcome.failure is Failure.TLS
