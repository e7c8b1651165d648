"""A KnowledgeBase in other surroundings than a command: a running event loop, other threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from kb import Filter, KnowledgeBase
from kb.errors import UnknownNote, UsageError

NOWHERE = "http://127.0.0.1:9/none"


def in_a_loop(work: Callable[[], object]) -> object:
    """What `work` gives where an event loop runs already, as in Jupyter."""

    async def running() -> object:
        return work()

    return asyncio.run(running())


def elsewhere(work: Callable[[], object]) -> list[BaseException]:
    """What `work` raises in another thread."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = Thread(target=run)
    thread.start()
    thread.join()
    return raised


@pytest.mark.filterwarnings("error")
def test_what_goes_to_the_network_can_be_called_where_an_event_loop_runs(notebook: Path) -> None:
    with KnowledgeBase.open(notebook) as base:
        base.sync(embed=False)
        in_a_loop(lambda: base.add_link(NOWHERE, note="papers/qlora.md"))
        assert NOWHERE in (notebook / "notes/papers/qlora.md").read_text()
        narrow = Filter(hosts=("127.0.0.1",))
        in_a_loop(lambda: base.check_links(narrow, everything=True))
        in_a_loop(lambda: base.enrich(narrow, everything=True))
        in_a_loop(lambda: base.repair(narrow))
        assert [link.url for link in base.links(narrow)] == [NOWHERE]


def test_what_it_raises_there_is_what_it_raises_elsewhere(notebook: Path) -> None:
    with KnowledgeBase.open(notebook) as base, pytest.raises(UnknownNote):
        in_a_loop(lambda: base.add_link(NOWHERE, note="no/such.txt"))


def test_another_thread_is_told_to_open_its_own(notebook: Path) -> None:
    with KnowledgeBase.open(notebook) as base:
        base.sync(embed=False)
        (error,) = elsewhere(base.links)
        assert isinstance(error, UsageError)
        assert "another thread" in str(error)
        assert base.links()
        assert elsewhere(lambda: KnowledgeBase.open(notebook).links()) == []
