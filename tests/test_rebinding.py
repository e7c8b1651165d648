"""A name whose addresses change between two looks at it leads nowhere that its first answer did not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from kb.web.fetch import Failure, HttpFetcher, Limits, Outcome, is_private
from tests.servers import Handler, Server

QUICK = Limits(timeout=5, connect=1, pause=0.01)
PUBLIC, INSIDE = "127.0.0.2", "127.0.0.1"


class Turning:
    """A resolver whose every answer is the next in a list, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture(autouse=True)
def _one_address_of_loopback_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "kb.web.fetch.fetcher.is_private", lambda address: address != PUBLIC and is_private(address)
    )


@pytest.fixture
def server() -> Iterator[Server]:
    def failing(handler: Handler, rest: str) -> None:
        handler.answer(503, b"")

    with Server(PUBLIC, more=(INSIDE,), routes={"failing": failing}) as made:
        yield made


def get(url: str, resolver: Turning) -> Outcome:
    async def ask() -> Outcome:
        async with HttpFetcher(limits=QUICK, allow_private=False, resolver=resolver, proxies={}) as fetcher:
            return await fetcher.get(url)

    return asyncio.run(ask())


def test_the_address_that_was_looked_at_is_the_one_connected_to(server: Server) -> None:
    resolver = Turning([PUBLIC], [INSIDE])
    assert get(server.url("page/one", host="turning.example"), resolver).status == 200
    assert resolver.asked == 1
    assert server.sockets[1] is not None


def test_a_redirect_to_the_same_name_is_looked_at_again(server: Server) -> None:
    resolver = Turning([PUBLIC], [INSIDE])
    url = server.url("to/302/page/secret", host="turning.example")
    outcome = get(url, resolver)
    assert outcome.failure is Failure.PRIVATE
    assert [path for path, _ in server.asked] == ["/to/302/page/secret"]


def test_a_second_try_is_looked_at_again(server: Server) -> None:
    resolver = Turning([PUBLIC], [INSIDE])
    get(server.url("failing", host="turning.example"), resolver)
    assert resolver.asked == 2
    assert [path for path, _ in server.asked] == ["/failing"]


def test_of_several_addresses_a_private_one_is_not_fallen_back_on(server: Server) -> None:
    # Nothing listens at the public one's port here; the private one would answer.
    with Server(INSIDE) as inside:
        outcome = get(inside.url("page/secret", host="both.example"), Turning([PUBLIC, INSIDE]))
        assert outcome.failure is Failure.REFUSED
        assert inside.asked == []


@pytest.mark.parametrize(
    "inner", ["::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "fe80::1%lo"]
)
def test_a_private_address_within_one_of_ipv6_is_refused(server: Server, inner: str) -> None:
    assert get(server.url("page/secret", host="six.example"), Turning([inner])).failure is Failure.PRIVATE
    assert server.asked == []


def test_an_answer_that_is_no_address_is_refused(server: Server) -> None:
    outcome = get(server.url("page/secret", host="odd.example"), Turning(["localhost"]))
    assert outcome.failure is Failure.PRIVATE
