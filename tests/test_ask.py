"""Asking an API, and for whole files: once, as ourselves, and with a token that stays where it belongs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from kb.web.fetch import USER_AGENT, Failure, HttpFetcher, Limits, Outcome
from tests.servers import Handler, Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def ask(url: str, headers: dict[str, str], **limits: float) -> Outcome:
    async def run() -> Outcome:
        async with HttpFetcher(limits=Limits(**limits), allow_private=True) as fetcher:  # type: ignore[arg-type]
            return await fetcher.ask(url, headers)

    return asyncio.run(run())


def test_an_api_is_asked_once_and_never_in_the_guise_of_a_browser(server: Server) -> None:
    outcome = ask(server.url("agent-wall/409"), {"Accept": "application/json"})
    assert (outcome.status, server.agents("agent-wall/409")) == (409, [USER_AGENT])
    assert ask(server.url("flaky/523"), {}).status == 523


def test_the_headers_of_an_api_replace_our_own_and_stay_with_its_origin(server: Server) -> None:
    there = server.url("page/there", host="localhost")
    ask(server.url(f"to/302/{there}"), {"Accept": "application/json", "Authorization": "Bearer x"})
    sent = {path: headers for path, headers in server.asked if "there" in path}
    first = next(headers for path, headers in sent.items() if path.startswith("/to/"))
    last = sent["/page/there"]
    assert (first["accept"], first["authorization"]) == ("application/json", "Bearer x")
    assert "authorization" not in last
    assert "text/html" in last["accept"]


def test_an_api_that_does_not_answer_is_given_up_in_time(server: Server) -> None:
    assert ask(server.url("slow"), {}, timeout=0.3).failure is Failure.TIMEOUT


@pytest.mark.parametrize(("whole", "size"), [(True, 3_000_000), (False, 0)])
def test_a_pdf_is_read_only_where_it_is_wanted_whole(whole: bool, size: int) -> None:
    def paper(handler: Handler, rest: str) -> None:
        handler.answer(body=b"%PDF-" + b"x" * 2_999_995, type="application/pdf")

    async def run(url: str) -> Outcome:
        async with HttpFetcher(allow_private=True) as fetcher:
            return await fetcher.get(url, whole=whole)

    with Server(routes={"paper": paper}) as papers:
        assert len(asyncio.run(run(papers.url("paper"))).body) == size
