"""Every way in which a link can live or be gone, against the verdict of one careful look."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from kb import urls
from kb.model import Verdict
from kb.web.fetch import HttpFetcher, Limits
from kb.web.study import Probes, study
from tests.servers import Certificates, Server, StubResolver, refused_url
from tests.ways import WAYS, Life, Way, routes

LIMITS = Limits(timeout=3, pause=0.05, body_seconds=0.3, body_bytes=1_000_000, decoded_bytes=1_000_000)
HOST = "ways.example"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def verdicts(certificates: Certificates) -> Iterator[dict[str, tuple[Verdict, str]]]:
    """One look at a link of every way, all at once; the slow ones take the time of one."""
    with ExitStack() as stack:
        server = stack.enter_context(Server("127.0.0.2", routes=routes(), more=["127.0.0.1"]))
        addresses = {
            name: tls_url(stack, certificates, name) for name in ("self-signed", "expired", "wrong-host")
        }
        addresses["not-tls"] = server.url("article/p1", HOST).replace("http:", "https:")
        addresses["refused"] = refused_url()
        addresses |= {name: server.url(way.path(7), HOST) for name, way in WAYS.items() if way.route}
        yield asyncio.run(look(addresses, certificates))


def tls_url(stack: ExitStack, certificates: Certificates, fault: str) -> str:
    named = "other.example" if fault == "wrong-host" else HOST
    tls = certificates.server(named, expired=fault == "expired", self_signed=fault == "self-signed")
    return stack.enter_context(Server(tls=tls)).url("page", HOST)


async def look(addresses: dict[str, str], certificates: Certificates) -> dict[str, tuple[Verdict, str]]:
    resolver = StubResolver({HOST: ["127.0.0.2", "127.0.0.1"]})
    fetcher = HttpFetcher(
        limits=LIMITS, allow_private=True, resolver=resolver, proxies={}, verify=certificates.trusting()
    )
    # The slow ones wait together; of the others a few at a time, so that on a machine that does other
    # work as well none of them is slow for want of a turn.
    turns = asyncio.Semaphore(10)
    async with fetcher:
        probes = Probes(fetcher, per_host=1000)

        async def one(name: str, url: str) -> tuple[str, tuple[Verdict, str]]:
            if WAYS[name].slow:
                return await seen(name, url)
            async with turns:
                return await seen(name, url)

        async def seen(name: str, url: str) -> tuple[str, tuple[Verdict, str]]:
            outcome = await fetcher.get(url, whole="#" in url)
            came = await study(outcome, probes, whole="#" in url)
            judged = came.at_place(urls.key(url).fragment, came.look("2026-11-24T12:00:00Z"))
            return name, (judged.verdict, judged.reason)

        return dict(await asyncio.gather(*(one(*item) for item in addresses.items())))


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_a_link_is_seen_for_what_it_is(verdicts: dict[str, tuple[Verdict, str]], way: Way) -> None:
    verdict, reason = verdicts[way.name]
    assert verdict is way.verdict, reason
    assert reason


def test_no_way_that_lives_is_called_broken_and_none_that_is_gone_alive() -> None:
    """The table itself: what one look may say of each kind of life."""
    may = {
        Life.LIVING: {Verdict.ALIVE, Verdict.MOVED},
        Life.DEAD: {Verdict.BROKEN},
        Life.UNKNOWABLE: {Verdict.BLOCKED, Verdict.UNREACHABLE},
    }
    assert all(way.verdict in may[way.life] for way in WAYS.values())


def test_reasons_are_words_that_a_person_understands(verdicts: dict[str, tuple[Verdict, str]]) -> None:
    told = {name: reason for name, (_, reason) in verdicts.items()}
    assert told["redirect-to-home-302"].startswith("redirects to the home page, http://ways.example")
    assert told["same-page-for-any-path"] == "the same page as for a path that cannot exist"
    assert told["says-404-in-its-title"] == 'the page says that it is not there ("404 Not Found")'
    assert told["domain-for-sale"] == "the domain is parked or for sale"
    assert told["missing-place"] == 'the page has no place called "gone"'
    assert told["missing-text"] == 'the page no longer says "words nobody wrote"'
    assert told["challenge-200"] == 'a wall against programs ("Just a moment...")'
    assert told["expired"] == "certificate expired"
    assert told["wrong-host"] == "certificate is for another host"
    assert told["out-of-order-200"] == 'out of order for now ("Site under maintenance")'
