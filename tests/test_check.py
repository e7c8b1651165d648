"""The check stage, with a real store and real servers: what is asked, what is recorded, what is told."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb import check
from kb.check import Page, is_bad, keep, look_at, survey
from kb.config import Settings
from kb.errors import NetworkAway, StoreBusy
from kb.knowledge import KnowledgeBase
from kb.model import Facts, Filter, Key, LinkKind, LinkRecord, Looks, Mention, Person, Span, Standing, Verdict
from kb.store.links import Outline
from kb.store.schema import memory
from kb.store.store import Store
from kb.testing import FixedClock
from kb.urls import host, key
from kb.web.fetch import Failure, Hop, HttpFetcher, Limits, Outcome
from kb.web.ignore import with_ignored
from kb.web.turns import Silence, Turns
from tests.notebook import write_notebook
from tests.servers import Server, StubResolver, refused_url
from tests.store_helpers import note, notebook, passage, put

QUICK = Limits(timeout=0.5, pause=0, body_seconds=0.3)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def store() -> Iterator[Store]:
    with memory() as opened:
        yield opened


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def settings(tmp_path: Path, loopback: None) -> Settings:
    return notebook(tmp_path, {}, "[links]\ntimeout = 0.5\ninterval = 0.001\n")


def mention(store: Store, *urls: str, path: str = "a.md") -> None:
    put(store, note(path, *(passage(f"about {url}", url, line=line) for line, url in enumerate(urls, 1))))


def link(store: Store, url: str) -> LinkRecord:
    found = store.link(key(url))
    assert found is not None
    return found


class Answers:
    """A fetcher that answers from a table, without a network."""

    def __init__(self, table: dict[str, Outcome]) -> None:
        self.table = table
        self.asked: list[str] = []
        self.etags: list[str | None] = []

    async def get(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, **_: bool
    ) -> Outcome:
        self.asked.append(url)
        self.etags.append(etag)
        await asyncio.sleep(0)
        return self.table[url]


def came(url: str, status: int | None = 200, failure: Failure | None = None, **fields: object) -> Outcome:
    answered = () if status is None else (host(url),)
    return Outcome(url, url, status, failure=failure, answered=answered, **fields)  # type: ignore[arg-type]


# -- against real servers --------------------------------------------------------------------------


def test_five_ways_to_answer_give_five_right_verdicts(
    server: Server, store: Store, settings: Settings, clock: FixedClock
) -> None:
    page, missing, slow = server.url("page/Alive"), server.url("none"), server.url("slow")
    moved, refused = server.url("to/301/page/New"), refused_url()
    mention(store, page, missing, moved, slow, refused)
    report = check.check(store, settings, clock)
    verdicts = {found.url: found.looks.verdict for found in report.links}
    assert verdicts == {
        page: Verdict.ALIVE,
        missing: Verdict.BROKEN,
        moved: Verdict.MOVED,
        slow: Verdict.UNREACHABLE,
        refused: Verdict.UNREACHABLE,
    }
    assert [found.url for found in report.bad] == [missing]
    assert {found.url for found in report.troubled} == {missing, moved, slow, refused}
    assert report.counts == {Verdict.ALIVE: 1, Verdict.BROKEN: 1, Verdict.MOVED: 1, Verdict.UNREACHABLE: 2}
    assert link(store, moved).looks.final_url == server.url("page/New")
    assert link(store, missing).looks.reason == "404 Not Found"
    assert link(store, slow).looks.reason.startswith("timed out after 0.")
    assert store.links() == list(report.links)


def test_a_host_that_only_lets_time_run_out_is_given_up_and_nothing_of_it_called_dead(
    server: Server, store: Store, settings: Settings, clock: FixedClock
) -> None:
    with Server("127.0.0.77") as silent:
        pages = [silent.url(f"slow/{n}") for n in range(20)]
        mention(store, server.url("page"), *pages)
        report = check.check(store, settings, clock)
        asked = len(silent.asked)
    assert Silence.PATIENCE <= asked < Silence.PATIENCE + settings["links.per_host"]
    assert report.counts == {Verdict.ALIVE: 1, Verdict.UNREACHABLE: 20}
    assert {link(store, url).standing for url in pages} == {Standing.UNKNOWN}
    words = "not asked for: 127.0.0.77 let time run out 3 times in this run, and never answered"
    assert [link(store, url).looks.reason for url in pages].count(words) == 20 - asked


def test_a_host_that_answers_at_all_is_asked_for_every_page(
    store: Store, settings: Settings, clock: FixedClock
) -> None:
    with Server("127.0.0.78") as half:
        mention(store, half.url("page/0"), *(half.url(f"slow/{n}") for n in range(8)), half.url("page/1"))
        report = check.check(store, settings, clock)
    assert report.counts == {Verdict.ALIVE: 2, Verdict.UNREACHABLE: 8}
    assert not any("not asked" in found.looks.reason for found in report.links)


def test_the_title_comes_from_the_response_that_was_looked_at(
    server: Server, store: Store, settings: Settings, clock: FixedClock
) -> None:
    page, error = server.url("page/Fetched once"), server.url("status/404")
    mention(store, page, error)
    check.check(store, settings, clock)
    assert link(store, page).facts.title == "Fetched once"
    assert link(store, error).facts == Facts()
    assert server.times["/page/Fetched once".replace(" ", "%20")] == 1


def test_a_dead_link_is_dead_only_after_looks_on_several_days(
    server: Server, store: Store, settings: Settings, clock: FixedClock
) -> None:
    url = server.url("status/404")
    mention(store, url, server.url("page"))
    standings = []
    for _ in range(4):
        check.check(store, settings, clock)
        standings.append(link(store, url).standing)
        clock.advance(days=1)
    assert standings == [Standing.SUSPECT, Standing.SUSPECT, Standing.SUSPECT, Standing.DEAD]
    assert [look.verdict for look in store.checks(key(url))] == [Verdict.BROKEN] * 4


def test_private_hosts_are_skipped_and_nothing_is_recorded_of_them(
    server: Server, store: Store, tmp_path: Path, clock: FixedClock
) -> None:
    url = server.url("page/untouched")
    mention(store, url)
    report = check.check(store, notebook(tmp_path, {}), clock)
    assert report.counts == {Verdict.SKIPPED: 1}
    assert link(store, url).standing is Standing.UNCHECKED
    assert store.checks(key(url)) == []
    assert not server.times["/page/untouched"]
    assert not report.bad


def test_a_page_that_has_not_changed_is_asked_for_by_its_etag(
    server: Server, store: Store, settings: Settings, clock: FixedClock
) -> None:
    url = server.url("tagged")
    mention(store, url)
    check.check(store, settings, clock)
    clock.advance(days=7)
    check.check(store, settings, clock)
    assert [look.status for look in store.checks(key(url))] == [200, 304]
    assert link(store, url).standing is Standing.ALIVE


def test_one_host_is_never_asked_more_than_it_is_allowed(
    server: Server, store: Store, settings: Settings, clock: FixedClock
) -> None:
    def settle(handler: object, rest: str) -> None:
        server.closing.wait(0.01)
        handler.answer()  # type: ignore[attr-defined]

    with Server("127.0.0.3", routes={"settle": settle}) as other:
        mention(store, *(other.url(f"settle/{number}") for number in range(24)))
        check.check(store, settings, clock)
        assert 2 <= other.most_together <= settings["links.per_host"]
        assert len(other.asked) == 24 + 1  # and once for a path that cannot exist


# -- the network is away, and names ----------------------------------------------------------------


def test_when_nothing_answers_nothing_is_recorded(
    store: Store, settings: Settings, clock: FixedClock
) -> None:
    urls = ["https://one.example/", "https://two.example/", "http://three.example/"]
    mention(store, *urls)
    table = {
        urls[0]: came(urls[0], None, Failure.NO_NAME),
        urls[1]: came(urls[1], None, Failure.UNRESOLVED),
        urls[2]: came(urls[2], None, Failure.TIMEOUT),
    }
    with pytest.raises(NetworkAway, match="none of 3 pages answered"):
        check.check(store, settings, clock, fetcher=Answers(table))
    assert all(found.looks == Looks(first_seen=found.looks.first_seen) for found in store.links())
    assert all(store.checks(found.key) == [] for found in store.links())


def test_a_name_is_broken_only_if_another_name_answered(
    server: Server, store: Store, settings: Settings, clock: FixedClock
) -> None:
    gone, local = "http://gone.example/", server.url("page")
    mention(store, gone, local)

    def run(*names: str) -> Verdict | None:
        everyone = {name: ["127.0.0.1"] for name in names}

        class Named(HttpFetcher):
            def __init__(self) -> None:
                super().__init__(
                    limits=QUICK, allow_private=True, resolver=StubResolver(everyone), proxies={}
                )

        check.check(store, settings, clock, fetcher=Named(), everything=True)
        return link(store, gone).looks.verdict

    assert run() is Verdict.UNREACHABLE  # an address answered, which proves nothing of names
    mention(store, server.url("page", "lives.example"), path="b.md")
    assert run("lives.example") is Verdict.BROKEN
    assert link(store, gone).looks.reason == "the name gone.example does not exist"


def test_a_link_that_has_no_name_after_a_redirect_needs_another_name_too(
    store: Store, settings: Settings, clock: FixedClock
) -> None:
    url, other = "https://moved.example/", "https://other.example/"
    mention(store, url, other)
    lost = Outcome(url, "https://gone.example/", 301, failure=Failure.NO_NAME, answered=("moved.example",))
    check.check(store, settings, clock, fetcher=Answers({url: lost, other: came(other)}))
    assert link(store, url).looks.verdict is Verdict.BROKEN


# -- what is asked ---------------------------------------------------------------------------------


def test_one_request_serves_all_fragments_of_a_page(
    store: Store, settings: Settings, clock: FixedClock
) -> None:
    page = "https://one.example/a"
    mention(store, page + "#x", page + "#y", page)
    answers = Answers({page + "#x": came(page)})
    report = check.check(store, settings, clock, fetcher=answers)
    assert answers.asked == [page + "#x"]
    assert [found.standing for found in report.looked] == [Standing.ALIVE] * 3


def test_only_what_is_due_is_asked_unless_everything_is_wanted(
    store: Store, settings: Settings, clock: FixedClock
) -> None:
    url = "https://one.example/"
    mention(store, url)
    answers = Answers({url: came(url)})
    check.check(store, settings, clock, fetcher=answers)
    again = check.check(store, settings, clock, fetcher=answers)
    assert (again.not_due, again.looked, len(again.links)) == (1, (), 1)
    assert len(answers.asked) == 1
    check.check(store, settings, clock, fetcher=answers, everything=True)
    assert len(answers.asked) == 2


def test_a_filter_narrows_both_what_is_asked_and_what_is_told(
    store: Store, settings: Settings, clock: FixedClock
) -> None:
    one, two = "https://one.example/", "https://two.example/"
    mention(store, one, two)
    answers = Answers({one: came(one), two: came(two, 404)})
    report = check.check(store, settings, clock, fetcher=answers, filter=Filter(hosts=("one.example",)))
    assert answers.asked == [one]
    assert [found.url for found in report.links] == [one]
    assert not report.bad


def test_ignored_links_and_what_is_not_of_the_web_are_left_alone(
    store: Store, tmp_path: Path, clock: FixedClock
) -> None:
    settings = notebook(tmp_path, {}, '[links]\nignore = ["https://two.example/*", "*/three?"]\n')
    one, two, three, four = (f"https://{name}.example/three1" for name in ("one", "two", "three", "four"))
    plain = "https://plain.example/"
    mention(store, plain, one, two, three, four, "../other.md", "mailto:a@b.example", "javascript:alert(1)")
    person = "https://person.example/"
    mention(store, person, path="b.md")
    store.save_person(key(person), Person(ignored=True))
    answers = Answers({plain: came(plain)})
    report = check.check(store, settings, clock, fetcher=answers)
    assert answers.asked == [plain]
    assert [found.standing for found in report.links] == [Standing.ALIVE] + [Standing.IGNORED] * 5
    assert link(store, two).person == Person(), "a pattern is the notebook's word, not the person's"


def test_what_was_ignored_is_not_bad_though_it_is_dead() -> None:
    dead = record("https://one.example/", standing=Standing.DEAD)
    assert is_bad(dead)
    assert not is_bad(with_ignored([dead], ["*one.example*"])[0])
    assert with_ignored([dead], ["one.example", "https://one.example"]) == [dead]
    assert with_ignored([dead], ["https://[o]ne.example/"]) == [dead]


def record(url: str, *, due: str | None = None, standing: Standing = Standing.UNCHECKED) -> LinkRecord:
    place = Mention("a.md", 1, url, "", None, None, Span(0, 0))
    return LinkRecord(key(url), LinkKind.OTHER, host(url), looks=Looks(standing, due=due), mentions=(place,))


def test_a_plan_takes_what_was_never_seen_or_is_due_by_now() -> None:
    due = {"a": None, "b": "2026-11-24T12:00:00Z", "c": "2026-11-24T12:00:01Z"}
    found = [
        Outline(number, name, f"https://{name}.example/", False, at)
        for number, (name, at) in enumerate(due.items())
    ]
    made = survey(found, "2026-11-24T12:00:00Z")
    assert list(made.pages) == ["a", "b"]
    assert (made.not_due, list(made.scope)) == (1, [0, 1, 2])


def test_a_page_of_which_one_place_is_due_is_looked_at_for_all_its_places() -> None:
    later = "2026-11-25T00:00:00Z"
    found = [
        Outline(7, "a", "https://a.example/#one", False, later),
        Outline(8, "a", "https://a.example/#two", False, None),
        Outline(9, "a", "https://a.example/#three", True, None),
        Outline(10, "b", "mailto:b@b.example", False, None),
        Outline(11, "c", "javascript:alert(1)", False, None),
    ]
    made = survey(found, "2026-11-24T12:00:00Z")
    assert (dict(made.pages), list(made.scope)) == ({"a": [7, 8]}, [7, 8, 9])
    assert (made.not_due, list(made.unsafe)) == (0, [11])


def test_hosts_take_turns() -> None:
    pages = [
        Page(f"https://{name}.example/{number}", f"{name}.example", ())
        for name in "ab"
        for number in range(3)
    ]

    async def order() -> list[str]:
        turns = Turns(pages, 2)
        taken = []
        while (one := await turns.take()) is not None:
            taken.append(one.url.removeprefix("https://"))
            turns.give_back(one)
        return taken

    assert asyncio.run(order()) == [f"{name}.example/{number}" for number in range(3) for name in "ab"]


def test_one_host_rests_between_two_requests_and_others_need_not_wait() -> None:
    pages = [
        Page(f"https://{name}.example/{number}", f"{name}.example", ()) for name in "ab" for number in (1, 2)
    ]

    async def taken() -> list[tuple[str, float]]:
        turns = Turns(pages, 4, 0.05)
        clock = asyncio.get_running_loop()
        found = []
        while (one := await turns.take()) is not None:
            found.append((one.host, clock.time()))
        return found

    found = asyncio.run(taken())
    assert [host[0] for host, _ in found] == ["a", "b", "a", "b"]
    assert found[2][1] - found[0][1] >= 0.045
    assert found[3][1] - found[1][1] >= 0.045


def test_a_worker_that_is_cancelled_while_waiting_takes_nobodys_turn() -> None:
    page = Page("https://a.example/", "a.example", ())

    async def run() -> object:
        turns = Turns([page, page], 1)
        first = await turns.take()
        assert first is not None
        leaving, staying = asyncio.create_task(turns.take()), asyncio.create_task(turns.take())
        await asyncio.sleep(0)
        leaving.cancel()
        turns.give_back(first)
        return await asyncio.wait_for(staying, 5)

    assert asyncio.run(run()) is page


# -- what is recorded ------------------------------------------------------------------------------


def test_a_run_that_is_broken_off_keeps_what_was_done(
    store: Store, settings: Settings, clock: FixedClock
) -> None:
    urls = [f"https://{name}.example/" for name in "abcd"]
    mention(store, *urls)

    class Interrupted(Answers):
        async def get(
            self, url: str, *, etag: str | None = None, last_modified: str | None = None, **_: bool
        ) -> Outcome:
            if url == urls[3]:
                for _step in range(20):
                    await asyncio.sleep(0)
                signal.raise_signal(signal.SIGINT)
                await asyncio.sleep(60)
            return came(url)

    with pytest.raises(KeyboardInterrupt):
        check.check(store, settings, clock, fetcher=Interrupted({}))
    assert [found.standing for found in store.links()] == [Standing.ALIVE] * 3 + [Standing.UNCHECKED]


def test_no_transaction_is_open_while_the_network_is_asked(
    store: Store, settings: Settings, clock: FixedClock
) -> None:
    urls = [f"https://{name}.example/" for name in "abc"]
    mention(store, *urls)

    class Watching(Answers):
        async def get(
            self, url: str, *, etag: str | None = None, last_modified: str | None = None, **_: bool
        ) -> Outcome:
            assert not store.connection.in_transaction
            return came(url)

    report = check.check(store, settings, clock, fetcher=Watching({}))
    assert len(report.looked) == 3


def test_an_error_of_the_store_ends_the_run_as_itself(
    store: Store, settings: Settings, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "https://one.example/"
    mention(store, url)

    def busy(*_: object) -> None:
        raise StoreBusy("another kb is writing")

    monkeypatch.setattr(store, "save_look", busy)
    with pytest.raises(StoreBusy):
        check.check(store, settings, clock, fetcher=Answers({url: came(url)}))


def test_a_word_of_the_person_during_the_run_is_not_lost(
    store: Store, settings: Settings, clock: FixedClock
) -> None:
    url = "https://one.example/"
    mention(store, url)

    class Meanwhile(Answers):
        async def get(
            self, url: str, *, etag: str | None = None, last_modified: str | None = None, **_: bool
        ) -> Outcome:
            store.save_look(key(url), None, Looks(streak=2, streak_since="2026-11-01T00:00:00Z"))
            return came(url, 404)

    check.check(store, settings, clock, fetcher=Meanwhile({}))
    assert link(store, url).standing is Standing.DEAD


@pytest.mark.parametrize(
    ("asked", "final", "alias"),
    [
        ("http://one.example/a", "https://www.one.example/a/", "https://www.one.example/a/"),
        ("https://one.example/a", "https://one.example/", None),
        ("https://one.example/a", "https://one.example/login?next=a", None),
        ("https://one.example/a", "https://two.example/a", None),
    ],
)
def test_a_redirect_between_spellings_of_one_page_makes_an_alias(
    store: Store, settings: Settings, clock: FixedClock, asked: str, final: str, alias: str | None
) -> None:
    mention(store, asked)
    moved = Outcome(asked, final, 200, hops=(Hop(asked, 301, final),), answered=(host(asked),))
    check.check(store, settings, clock, fetcher=Answers({asked: moved}))
    assert link(store, asked).aliases == ((alias,) if alias else ())
    assert (store.link(Key(final)) is not None) == (alias is not None)


def test_progress_is_told_to_the_end(store: Store, settings: Settings, clock: FixedClock) -> None:
    urls = [f"https://{name}.example/" for name in "abc"]
    mention(store, *urls)
    told: list[tuple[int, int]] = []
    check.check(
        store,
        settings,
        clock,
        fetcher=Answers({url: came(url) for url in urls}),
        progress=lambda done, total: told.append((done, total)),
    )
    assert told[-1] == (3, 3)
    assert told == sorted(told)


def test_a_notebook_without_links_is_looked_at_in_peace(
    store: Store, settings: Settings, clock: FixedClock
) -> None:
    report = check.check(store, settings, clock)
    assert (list(report.links), report.looked, report.counts) == ([], (), {})


# -- one look for a new link -----------------------------------------------------------------------


def test_one_look_gives_verdict_and_facts_at_once(
    server: Server, settings: Settings, clock: FixedClock
) -> None:
    look, facts = asyncio.run(look_at(server.url("page/New link"), settings, clock))
    assert (look.verdict, look.at) == (Verdict.ALIVE, clock.now())
    assert facts is not None
    assert facts.title == "New link"


def test_one_look_at_a_name_that_is_not_found_does_not_call_it_broken(
    settings: Settings, clock: FixedClock
) -> None:
    url = "https://gone.example/"
    look, facts = asyncio.run(
        look_at(url, settings, clock, fetcher=Answers({url: came(url, None, Failure.NO_NAME)}))
    )
    assert (look.verdict, facts) == (Verdict.UNREACHABLE, None)


def test_the_title_of_an_error_page_is_nobodys(server: Server, settings: Settings, clock: FixedClock) -> None:
    look, facts = asyncio.run(look_at(server.url("status/404"), settings, clock))
    assert (look.verdict, facts) == (Verdict.BROKEN, None)


def test_the_look_at_a_new_link_is_kept_once_the_store_knows_it(
    server: Server, store: Store, settings: Settings, clock: FixedClock
) -> None:
    url = server.url("page/Kept")
    look, facts = asyncio.run(look_at(url, settings, clock))
    keep(store, key(url), look, facts, settings)
    mention(store, url)
    keep(store, key(url), look, facts, settings)
    assert link(store, url).standing is Standing.ALIVE
    assert link(store, url).facts.title == "Kept"
    assert store.checks(key(url)) == [look]


@pytest.mark.usefixtures("loopback")
def test_the_address_that_is_asked_for_is_the_one_that_markdown_means(tmp_path: Path) -> None:
    note = '* [c]({0}q?x=1&amp;y=2)\n* [e]({0}a\\_b)\n* <a href="{0}h?x=1&amp;y=2">t</a>\n'
    routes = {name: lambda handler, _: handler.answer() for name in ("q?x=1&y=2", "a_b", "h?x=1&y=2")}
    with Server(routes=routes) as server:
        root = write_notebook(tmp_path / "n", {"a.md": note.format(server.url())})
        with KnowledgeBase.open(root) as base:
            report = base.check_links()
            assert dict(report.counts) == {Verdict.ALIVE: 3}
            assert {link.url for link in report.links} == {
                server.url("q?x=1&amp;y=2"), server.url("a\\_b"), server.url("h?x=1&amp;y=2"),
            }  # fmt: skip
