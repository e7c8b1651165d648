"""Enriching: what is asked, in what order and how often; what is kept, and what is said to be lacking."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from kb import config, observed, sync, titles
from kb.check import look_at
from kb.config import Settings
from kb.edits import apply_edits
from kb.enrich import EnrichReport, enrich, sources_of
from kb.enrich.meet import learn, meet
from kb.errors import NetworkAway
from kb.find import find
from kb.knowledge import KnowledgeBase
from kb.model import Facts, Filter, Key, LinkKind, Saved, Source, Standing, Verdict
from kb.search.vectors import VectorFile, vector_path
from kb.store import saved
from kb.store.store import Store
from kb.testing import FakeEncoder, FixedClock
from kb.titles import plan_titles
from kb.web.fetch import HttpFetcher, Limits
from kb.web.outcome import Outcome
from kb.web.sources import Met
from tests.pdfs import pdf
from tests.replicas import ROUTES, Pages, bases, no_sleep
from tests.servers import Handler, Server, refused_url
from tests.store_helpers import embedded, notebook, open_store

POST = (
    b"<!doctype html><html lang=en><head><title>How gradients vanish | Blog</title>"
    b"<meta name=author content='A. Writer'><meta property=og:site_name content=Blog></head><body>"
    b"<nav><a href=/>Home</a> <a href=/about>About us and others</a></nav>"
    b"<article><h1>How gradients vanish</h1>"
    b"<p>Zanzibar gradients shrink at every layer they pass on their way back through the network.</p>"
    b"<h2>What helps</h2><p>Residual connections carry them around the layers, which was found late.</p>"
    b"</article><footer>Copyright Blog</footer></body></html>"
)
NOTE = """---
title: Papers
---
* [QLoRA](https://arxiv.org/abs/2305.14314) in 24 GB
* https://arxiv.org/abs/1706.03762
* [words](https://news.ycombinator.com/item?id=8952) on a drive
* <https://github.com/octocat/Hello-World> to clone
* https://blog.example/gradients and https://blog.example/gradients#late
* [gone](https://blog.example/none)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(routes=ROUTES) as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return notebook(tmp_path / "notebook", {"papers.md": NOTE})


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with open_store(settings.store) as opened:
        sync.sync(opened, settings, FixedClock())
        yield opened


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


def page(url: str, body: bytes = POST, status: int = 200, type: str = "text/html") -> Outcome:
    return Outcome(url, url, status, {"content-type": type}, body, answered=("blog.example",))


PAGES = {
    "https://blog.example/gradients": page("https://blog.example/gradients"),
    "https://blog.example/none": page("https://blog.example/none", b"<title>Not found</title>", 404),
}


class Run:
    """Runs of one notebook against the replicas."""

    def __init__(self, server: Server, store: Store, settings: Settings, clock: FixedClock) -> None:
        self.server, self.store, self.settings, self.clock = server, store, settings, clock
        self.slept: list[float] = []
        self.got: list[str] = []
        self.progress: list[tuple[int, int]] = []

    def __call__(
        self, pages: Mapping[str, Outcome] = PAGES, *, filter: Filter | None = None, everything: bool = False
    ) -> EnrichReport:
        self.server.asked.clear()

        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        network = Network(pages)
        report = enrich(
            self.store,
            self.settings,
            self.clock,
            sources=sources_of(self.settings, bases(self.server)),
            network=network,
            filter=filter or Filter(),
            everything=everything,
            progress=lambda done, total: self.progress.append((done, total)),
            sleep=sleep,
        )
        self.got = network.got
        sync.sync(self.store, self.settings, self.clock)
        return report

    @property
    def asked(self) -> list[str]:
        return [path.partition("?")[0].split("/")[1] for path, _ in self.server.asked]


class Network(Pages):
    """Pages by table; APIs over a connection of each request's own, since a run has its own event loop."""

    def __init__(self, pages: Mapping[str, Outcome]) -> None:
        super().__init__(HttpFetcher(), pages)

    async def ask(self, url: str, headers: Mapping[str, str]) -> Outcome:
        async with HttpFetcher(limits=Limits(timeout=5), allow_private=True) as self.network:
            return await super().ask(url, headers)


@pytest.fixture
def run(server: Server, store: Store, settings: Settings, clock: FixedClock) -> Run:
    return Run(server, store, settings, clock)


def facts(store: Store, key: str, fragment: str = "") -> Facts:
    record = store.link(Key(key, fragment))
    assert record is not None
    return record.facts


def test_each_link_is_asked_about_where_it_is_known_best(run: Run, store: Store) -> None:
    report = run()
    assert facts(store, "arxiv:1706.03762").title == "Attention Is All You Need"
    assert facts(store, "gh:octocat/hello-world").extra["stars"] == 80
    assert facts(store, "https://blog.example/gradients").title == "How gradients vanish"
    assert facts(store, "https://blog.example/gradients").authors == ("A. Writer",)
    assert facts(store, "https://blog.example/gradients", "late").title == "How gradients vanish"
    comment = store.link(Key("hn:8952"))
    assert comment is not None
    assert comment.kind is LinkKind.HN_COMMENT
    assert run.asked.count("arxiv") == 1
    assert report.titled == 5
    assert [url for url, _ in report.lacking] == ["https://blog.example/none"]
    assert run.progress[-1] == (6, 6)


def test_a_page_that_sends_its_reader_on_is_read_where_it_leads(run: Run, store: Store) -> None:
    stub = b"<title>Our blog</title><meta http-equiv=refresh content='0; url=/new'><p>It is elsewhere.</p>"
    old, new = "https://blog.example/gradients", "https://blog.example/new"
    run({**PAGES, old: page(old, stub), new: page(new)})
    assert facts(store, old).title == "How gradients vanish"
    kept = saved.find((run.settings.saved,), old)
    assert kept is not None
    assert (kept.url, "Zanzibar" in kept.text) == (old, True)


def test_what_is_known_is_not_asked_again_until_it_is_stale(run: Run, clock: FixedClock) -> None:
    run()
    again = run()
    assert (run.asked, run.got, again.known) == ([], [], 6)
    clock.advance(days=8)  # what was lacking is tried again
    run()
    assert (run.asked, run.got) == ([], ["https://blog.example/none"])
    clock.advance(days=180)
    run()
    assert run.asked.count("arxiv") == 1


def test_everything_is_asked_again_where_that_is_wanted_and_filters_narrow(run: Run) -> None:
    run()
    run(everything=True, filter=Filter(hosts=("arxiv.org",)))
    assert (run.asked, run.got) == (["arxiv"], [])


def test_a_title_that_a_check_found_in_passing_does_not_stand_for_the_facts(run: Run, store: Store) -> None:
    store.save_facts(
        Key("arxiv:2305.14314"), Facts(title="[2305.14314] QLoRA", fetched="2026-11-24T11:00:00Z")
    )
    run()
    assert facts(store, "arxiv:2305.14314").authors[0] == "Tim Dettmers"


def test_a_source_without_an_answer_leaves_the_page_and_says_so(
    server: Server, tmp_path: Path, clock: FixedClock
) -> None:
    url = "https://arxiv.org/abs/2500.00003"
    settings = notebook(tmp_path / "n", {"a.md": f"* {url}\n* https://github.com/limited/repo\n"})
    with open_store(settings.store) as store:
        sync.sync(store, settings, clock)
        abs_page = page(url, b"<head><meta name=citation_title content='A paper by its page'></head>")
        report = Run(server, store, settings, clock)({url: abs_page})
        assert facts(store, "arxiv:2500.00003").title == "A paper by its page"
        assert facts(store, "gh:limited/repo").title is None
    lacking = dict(report.lacking)
    assert lacking[url] == "arXiv: it answered 503"
    assert "limit" in lacking["https://github.com/limited/repo"]
    assert "the page" in lacking["https://github.com/limited/repo"]


def test_a_spent_limit_stops_the_asking_but_not_the_pages(
    server: Server, tmp_path: Path, clock: FixedClock
) -> None:
    notes = "".join(f"* https://github.com/limited/r{number}\n" for number in range(5))
    settings = notebook(tmp_path / "n", {"a.md": notes})
    with open_store(settings.store) as store:
        sync.sync(store, settings, clock)
        run = Run(server, store, settings, clock)
        report = run(
            {f"https://github.com/limited/r{n}": page(f"https://github.com/limited/r{n}") for n in range(5)}
        )
    assert run.asked == ["github"]
    assert (len(run.got), report.titled) == (5, 5)
    assert len(report.lacking) == 5


def test_a_spent_limit_is_asked_again_once_it_is_over(server: Server, tmp_path: Path) -> None:
    settings = notebook(tmp_path / "n", {"a.md": "* https://github.com/limited/repo\n"})
    clock = FixedClock("2026-09-21T00:00:00Z")  # the replica's limit ends on 2026-09-21 at 13:33:20
    with open_store(settings.store) as store:
        sync.sync(store, settings, clock)
        run = Run(server, store, settings, clock)
        run()
        assert facts(store, "gh:limited/repo").extra["retry_at"] == "2026-09-21T14:13:20Z"
        clock.advance(hours=13)
        run()
        assert run.asked == []
        clock.advance(hours=2)
        run()
        assert run.asked == ["github"]


def test_titles_are_never_lost_to_a_later_failure(run: Run, store: Store, clock: FixedClock) -> None:
    run()
    clock.advance(days=400)
    run({})
    assert facts(store, "https://blog.example/gradients").title == "How gradients vanish"
    assert "lacking" in facts(store, "https://blog.example/gradients").extra


def test_pauses_are_kept_between_requests_to_one_host(
    server: Server, tmp_path: Path, clock: FixedClock
) -> None:
    notes = "".join(f"* https://arxiv.org/abs/2101.{number:05d}\n" for number in range(120))
    settings = notebook(tmp_path / "n", {"a.md": notes})
    with open_store(settings.store) as store:
        sync.sync(store, settings, clock)
        run = Run(server, store, settings, clock)
        run(filter=Filter(hosts=("arxiv.org",)))
    assert run.asked.count("arxiv") == 6  # 50 a request, and each empty feed once more
    assert run.slept.count(3.0) >= 5


def test_nothing_is_recorded_when_nothing_answers(
    store: Store, settings: Settings, clock: FixedClock
) -> None:
    away = refused_url().rstrip("/")
    moved = {
        name: {"base": away, **({"algolia": away} if name == "hackernews" else {})} for name in bases_names()
    }

    with pytest.raises(NetworkAway):
        enrich(
            store,
            settings,
            clock,
            sources=sources_of(settings, moved),
            network=Network({}),
            sleep=no_sleep,
        )
    assert all(link.facts == Facts() for link in store.links())
    assert not settings.saved.exists()


def bases_names() -> list[str]:
    return ["arxiv", "hackernews", "github", "youtube", "wikipedia", "doi"]


def test_an_interrupted_run_keeps_what_it_had(
    server: Server, store: Store, settings: Settings, clock: FixedClock
) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises((KeyboardInterrupt, BaseExceptionGroup)):
        enrich(
            store,
            settings,
            clock,
            sources=sources_of(settings, bases(server)),
            network=Network(PAGES),
            progress=stop,
            sleep=no_sleep,
        )
    assert sum(bool(link.facts.fetched) for link in store.links()) >= 2


# -- the saved text --------------------------------------------------------------------------------


def test_the_text_of_a_page_is_kept_and_found(run: Run, store: Store, settings: Settings) -> None:
    run()
    kept = saved.find((settings.saved,), "https://blog.example/gradients")
    assert kept is not None
    assert "Residual connections" in kept.text
    assert "About us" not in kept.text
    assert kept.fetched == "2026-11-24T12:00:00Z"
    found = find(store, "zanzibar layer", mode="keyword").hits
    assert found[0].source is Source.PAGE
    assert found[0].path is None
    assert found[0].heading[0] == "How gradients vanish"
    assert [link.url for link in found[0].links] == ["https://blog.example/gradients"]
    assert find(store, "dominant sequence", mode="keyword").hits[0].links[0].standing is Standing.UNCHECKED


def test_a_search_may_be_of_notes_alone_or_of_pages_alone(run: Run, store: Store) -> None:
    run()
    only_notes, only_pages = Filter(sources=(Source.NOTE,)), Filter(sources=(Source.PAGE,))
    assert not find(store, "zanzibar", mode="keyword", filter=only_notes).hits
    assert find(store, "zanzibar", mode="keyword", filter=only_pages).hits
    assert {hit.source for hit in find(store, "qlora", mode="keyword", filter=only_pages).hits} == {
        Source.PAGE
    }


def test_ones_own_words_come_first_at_equal_score(tmp_path: Path, clock: FixedClock) -> None:
    settings = notebook(
        tmp_path / "n", {"a.md": "* https://a.example/p\n* Zebra crossings are black and white\n"}
    )
    said = Saved(
        "https://a.example/p", "https://a.example/p", "Zebra crossings are black and white", "2026-01-01"
    )
    saved.write(settings.saved, said)
    with open_store(settings.store) as store:
        sync.sync(store, settings, clock)
        found = find(store, "zebra crossings", mode="keyword").hits
    assert next(hit.source for hit in found) is Source.NOTE


def test_bodies_are_not_embedded_unless_wished(run: Run, store: Store, settings: Settings) -> None:
    before = len(store.missing_digests("none"))
    run()
    texts = [excerpt.text for _, excerpt in store.missing_digests("none")]
    assert any("dominant sequence models" in text for text in texts)
    assert not any("Residual connections" in text for text in texts)
    assert len(texts) == before + 5  # a title or an abstract for each page with text
    (settings.root / "kb.toml").write_text("[enrich]\nembed_text = true\n")
    sync.sync(store, config.load(settings.root, {}), run.clock)
    assert any("Residual connections" in excerpt.text for _, excerpt in store.missing_digests("none"))


def test_no_text_is_kept_where_that_is_turned_off(server: Server, tmp_path: Path, clock: FixedClock) -> None:
    settings = notebook(tmp_path / "n", {"a.md": NOTE}, "[enrich]\nkeep_text = false\n")
    with open_store(settings.store) as store:
        sync.sync(store, settings, clock)
        run = Run(server, store, settings, clock)
        assert run().texts == 0
        assert not settings.saved.exists()
        assert "https://github.com/octocat/Hello-World" not in run.got


def test_turning_it_off_forgets_the_passages_and_keeps_the_files(
    run: Run, store: Store, settings: Settings
) -> None:
    run()
    (settings.root / "kb.toml").write_text("[enrich]\nkeep_text = false\n")
    sync.sync(store, config.load(settings.root, {}), run.clock)
    assert not find(store, "zanzibar", mode="keyword").hits
    assert saved.listing(settings.saved)


def test_the_text_of_a_private_notes_link_is_kept_apart(
    server: Server, tmp_path: Path, clock: FixedClock
) -> None:
    note = "---\nprivate: true\n---\n* https://blog.example/gradients\n"
    settings = notebook(tmp_path / "n", {"a.md": note})
    with open_store(settings.store) as store:
        sync.sync(store, settings, clock)
        Run(server, store, settings, clock)()
        assert not saved.listing(settings.saved)
        assert saved.listing(settings.private_saved)
        assert find(store, "zanzibar", mode="keyword").hits


def test_a_page_that_no_note_mentions_any_more_is_not_found(
    run: Run, store: Store, settings: Settings
) -> None:
    run()
    (settings.notes / "papers.md").write_text("* nothing left\n")
    sync.sync(store, settings, run.clock)
    assert not find(store, "zanzibar", mode="keyword").hits


def test_the_saved_text_outlives_the_store_and_the_page(run: Run, store: Store, settings: Settings) -> None:
    run()
    observed.record(store, settings)
    store.close()
    settings.store.unlink()
    with open_store(settings.store) as again:
        sync.sync(again, settings, run.clock)
        assert find(again, "zanzibar", mode="keyword").hits[0].source is Source.PAGE
        assert facts(again, "arxiv:1706.03762").title == "Attention Is All You Need"
        comment = again.link(Key("hn:8952"))
        assert comment is not None
        assert comment.kind is LinkKind.HN_COMMENT


def test_a_file_that_is_damaged_or_a_bomb_is_passed_over(run: Run, store: Store, settings: Settings) -> None:
    run()
    name = saved.file_name("https://blog.example/gradients")
    (settings.saved / name).unlink()
    (settings.saved / name).write_bytes(b"\x1f\x8b nonsense")
    (settings.saved / "bomb.txt.gz").write_bytes(gzip.compress(b"{}\n" + bytes(50_000_000)))
    sync.sync(store, settings, run.clock)
    assert not find(store, "zanzibar", mode="keyword").hits
    assert find(store, "attention", mode="keyword").hits


def test_a_text_that_has_not_changed_keeps_its_date(run: Run, settings: Settings, clock: FixedClock) -> None:
    run()
    clock.advance(days=200)
    run()
    kept = saved.find((settings.saved,), "https://blog.example/gradients")
    assert kept is not None
    assert kept.fetched == "2026-11-24T12:00:00Z"


def test_embedding_sees_titles_and_abstracts_of_pages(run: Run, store: Store, settings: Settings) -> None:
    run()
    encoder = FakeEncoder()
    path = vector_path(settings.derived, encoder.identity)
    vectors = VectorFile(path, encoder.identity, encoder.width)
    report = sync.sync(store, settings, run.clock)
    report = embedded(report, store, settings, encoder, vectors)
    assert report.pending == 0
    assert any("dominant sequence models" in text for text in encoder.texts)
    assert not any("Residual" in text for text in encoder.texts)


# -- titles into notes -----------------------------------------------------------------------------


def test_bare_addresses_get_their_titles_and_no_other_byte_changes(
    run: Run, store: Store, settings: Settings
) -> None:
    run()
    edits = plan_titles(store, settings.notes, Filter())
    assert len(edits) == 1
    shown = edits[0].diff
    assert shown.startswith("--- a/papers.md\n+++ b/papers.md\n@@ ")
    assert "+* [Attention Is All You Need](https://arxiv.org/abs/1706.03762)\n" in shown
    assert (settings.notes / "papers.md").read_text() == NOTE
    apply_edits(edits, settings)
    written = (settings.notes / "papers.md").read_text()
    title = "[octocat/Hello-World: This your first repo!](https://github.com/octocat/Hello-World) to clone"
    assert f"* {title}\n" in written
    assert "[How gradients vanish](https://blog.example/gradients#late)\n" in written
    assert "* [QLoRA](https://arxiv.org/abs/2305.14314) in 24 GB\n" in written
    sync.sync(store, settings, run.clock)
    assert plan_titles(store, settings.notes, Filter()) == []


def test_titles_go_into_the_other_notes_where_one_changed_meanwhile(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.notes / "more.md").write_text("* https://blog.example/gradients\n")
    run()

    def slow(store: Store, notes: Path, filter: Filter) -> list[titles.TitleEdit]:
        edits = plan_titles(store, notes, filter)
        (notes / "more.md").write_text("something else")
        return edits

    monkeypatch.setattr(titles, "plan_titles", slow)
    with KnowledgeBase.open(settings.root) as base:
        done = base.write_titles(apply=True)
    assert [one.path for one in done.edits] == ["papers.md"]
    assert [(one.path, "changed" in one.message) for one in done.problems] == [("more.md", True)]
    assert (settings.notes / "more.md").read_text() == "something else"
    assert (
        "[How gradients vanish](https://blog.example/gradients)" in (settings.notes / "papers.md").read_text()
    )


# -- one link --------------------------------------------------------------------------------------


def met(url: str, settings: Settings, server: Server, pages: Mapping[str, Outcome]) -> tuple[Met, list[str]]:
    network = Network(pages)
    clock = FixedClock()
    run = meet(
        url,
        settings,
        lambda fetcher: look_at(url, settings, clock, fetcher=fetcher),
        sources=sources_of(settings, bases(server)),
        network=network,
    )
    return asyncio.run(run), network.got


def test_a_new_link_is_looked_at_and_its_source_asked_at_once(
    server: Server, settings: Settings, clock: FixedClock, store: Store
) -> None:
    url = "https://arxiv.org/abs/2305.14314"
    found, got = met(url, settings, server, {url: page(url, b"<title>[2305.14314] QLoRA</title>")})
    assert got == [url]  # the look and the reading are of one request
    assert found.look.verdict is Verdict.ALIVE
    assert found.facts is not None
    assert found.facts.title == "QLoRA: Efficient Finetuning of Quantized LLMs"
    learn(store, settings, clock, Key("arxiv:2305.14314"), found.reading)
    assert facts(store, "arxiv:2305.14314").title == found.facts.title
    learn(store, settings, clock, Key("unknown:key"), found.reading)  # of a link nobody knows: nothing


def test_a_new_link_out_of_reach_has_no_facts_and_no_error(server: Server, settings: Settings) -> None:
    found, _ = met("https://blog.example/away", settings, server, {})
    assert (found.look.verdict, found.facts) == (Verdict.UNREACHABLE, None)


def test_a_removed_video_is_told_though_its_page_answers(server: Server, settings: Settings) -> None:
    url = "https://www.youtube.com/watch?v=removed0000"
    found, _ = met(url, settings, server, {url: page(url, b"<title>A video - YouTube</title>")})
    assert (found.look.verdict, found.facts) == (Verdict.BROKEN, None)
    assert found.look.reason == "YouTube: there is no such video"


def test_a_paper_behind_a_wall_is_told_by_the_registry(server: Server, settings: Settings) -> None:
    url = "https://doi.org/10.1002/pssc.201200953"
    found, _ = met(url, settings, server, {url: page(url, b"<title>Just a moment...</title>", 403)})
    assert found.look.verdict is Verdict.ALIVE
    assert found.facts is not None
    assert found.facts.title == "The quantum-confined Stark effect: A study"


def test_the_title_of_an_error_page_is_nobodys(server: Server, settings: Settings) -> None:
    url = "https://blog.example/none"
    found, _ = met(url, settings, server, {url: page(url, b"<title>A shop for hats</title>", 404)})
    assert (found.look.verdict, found.facts) == (Verdict.BROKEN, None)


@pytest.mark.usefixtures("loopback")
def test_a_pdf_is_read_for_its_title(tmp_path: Path) -> None:
    def paper(handler: Handler, rest: str) -> None:
        handler.answer(body=pdf(Title="On Sheep & Goats", Author="A. One and B. Two"), type="application/pdf")

    settings = notebook(tmp_path / "n", {"a.md": "* x\n"})
    with Server(routes={"paper.pdf": paper}) as papers:
        url = papers.url("paper.pdf")
        found = asyncio.run(
            meet(url, settings, lambda fetcher: look_at(url, settings, FixedClock(), fetcher=fetcher))
        )
        assert papers.times["/paper.pdf"] == 1
    assert found.look.verdict is Verdict.ALIVE
    assert found.facts is not None
    assert (found.facts.title, found.facts.authors) == ("On Sheep & Goats", ("A. One", "B. Two"))
