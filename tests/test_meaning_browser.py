"""Search by meaning in a real browser: its parts against Python's, then the whole as a reader drives it."""

from __future__ import annotations

import json
import re
import shutil
import threading
import unicodedata
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from kb.knowledge import KnowledgeBase
from kb.search.encode import NumpyEncoder
from kb.search.query import STOP_WORDS, parse_query
from kb.search.weights import packaged_model
from kb.search.wordpiece import WordPiece
from kb.store import schema
from tests.notebook import NOTES, write_notebook
from tests.site_build import MORE_NOTES, build, write_mkdocs_yml
from tests.test_browser import DARK, PHONE, Quiet, Visit, axe, chromium, give_links_a_history

__all__ = ["axe", "chromium"]  # fixtures

pytestmark = pytest.mark.browser

MORE = {
    "cooking/bread.md": (
        "---\ntitle: Bread\ndate: 2024-03-01\n---\n\n## Dough\n\n"
        "* Stretch a piece until light shines through\n"
        "\t* Fold it every half an hour\n\n## Oven\n\n* Steam for the first ten minutes\n"
    ),
    "language/chinese.md": "---\ntitle: Mandarin\n---\n\n* 声调 are four, and 你好 is the first word\n",
    "language/thai.md": "---\ntitle: Thai\n---\n\n* การเรียนรู้ของเครื่อง is one phrase\n",
}
QUESTION = "how much graphics memory does adapting a model at home take"
ANSWER = "12 GB RTX 3060"

ENGINE = """async () => {
  const start = document.querySelector("script[src*='kb/meaning']").src;
  const load = (name) => import(new URL(name, start));
  const [{ Engine }, { Files }, words, query, rank] =
    await Promise.all(["engine.js", "files.js", "words.js", "query.js", "rank.js"].map(load));
  const files = new Files(new URL("../", start).href);
  window.engine = new Engine(files, await files.index());
  await window.engine.load();
  Object.assign(window, { words, query, rank });
}"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_notebook(tmp_path_factory.mktemp("meaning") / "notebook", NOTES | MORE_NOTES | MORE)
    write_mkdocs_yml(folder)
    give_links_a_history(folder)
    return folder


@pytest.fixture(scope="module")
def address(root: Path) -> Iterator[str]:
    """The site on a plain server, below a sub-path."""
    www = root.parent / "www"
    shutil.copytree(build(root), www / "people/me")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(www)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/people/me/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def visit(chromium: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    context = chromium.new_context(**getattr(request, "param", {}))
    context.set_default_timeout(15_000)
    seen = Visit(context, address)
    yield seen
    context.close()
    assert seen.errors == []
    assert seen.away == []


@pytest.fixture(scope="module")
def engine(chromium: Browser, address: str) -> Iterator[Page]:
    """A page in which the parts are loaded, to be asked one by one."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(address)
    page.evaluate(ENGINE)
    yield page
    context.close()


# -- the parts -----------------------------------------------------------------------------------

TEXTS = (
    *("", "RAG", "how much graphics memory does a 7B model need", "def f(x):\n\treturn {k: v >= 0.5}"),
    *("Café naïve — “quoted” … ½ ™ Ωμέγα ΣΑΣ Привет 你好，世界 🙂", "x" * 130 + " long", "İSTANBUL ſß µ"),
    *("[MASK] of [sep] and [UNK]", "a\u200bb\ufeffc \u2028 d\x07e", "don't (or) do-not_this", "नमस्ते שלום"),
    "speech to text on a laptop " * 60,
)


def test_texts_are_cut_into_the_pieces_that_python_cuts(engine: Page) -> None:
    pieces = WordPiece.from_folder(packaged_model())
    expected = [[pieces.first, *pieces.ids(text)[:254], pieces.last] for text in TEXTS]
    assert engine.evaluate("texts => texts.map(t => engine.pieces.ids(t, 256))", list(TEXTS)) == expected


def test_vectors_are_those_of_the_numpy_reader(engine: Page) -> None:
    texts = [text for text in TEXTS if text]
    encoder = NumpyEncoder(packaged_model())
    found = engine.evaluate(
        "async texts => { const all = []; for (const text of texts) all.push([...await engine.encode(text)]);"
        " return all; }",
        texts,
    )
    for text, vector in zip(texts, found, strict=True):
        assert encoder.embed_query(text) @ np.array(vector) >= 0.998, text


def test_words_are_folded_and_stemmed_as_sqlite_does_it(engine: Page) -> None:
    said = {word for text in (*NOTES.values(), *MORE.values()) for word in re.findall(r"\w+", text)}
    endings = (
        "ational ization iveness fulness biliti icate alize ness ement ies sses eed ing ed y logi ion ll"
    )
    made = [begin + end for begin in ("", "b", "rel", "tro", "hopp") for end in endings.split()]
    letters = [f"a{chr(code)}b {chr(code)}" for code in range(0xA0, 0x530) if unicodedata.name(chr(code), "")]
    # Accents upon accents of the Skolt Sami, and letters younger than SQLite's tables.
    letters = [one for one in letters if one[1] not in "ǠǡͿԨԪԬԮ"]
    texts = [*sorted(said), *made, *letters, "Fine-tuning adapters, running don't", "你好 world"]
    with schema.memory() as store:
        expected = store.tokens(texts)
    found = engine.evaluate("texts => texts.map(t => words.stems(t))", texts)
    assert [pair for pair in zip(texts, found, expected, strict=True) if pair[1] != pair[2]] == []


@pytest.mark.parametrize(
    "typed",
    [
        "qlora vram", 'fine-tuning "form, not facts" -openai', "what is it",
        'a "" b', '-"a b" word', "c++ -1",
        '"unclosed phrase', "--x", "!!! word", "don't (stop) stop", "http://a.example/b?c=d",
    ],
)  # fmt: skip
def test_a_query_is_taken_apart_as_on_the_command_line(engine: Page, typed: str) -> None:
    expected = parse_query(typed)
    found = engine.evaluate("([typed, rules]) => query.parseQuery(typed, engine.rules)", [typed, None])
    assert found["text"] == expected.text
    assert found["terms"] == list(expected.terms)
    assert set(found["phrases"]) == set(expected.phrases)
    assert found["excluded"] == list(expected.excluded)
    assert sorted(engine.evaluate("engine.rules.stop")) == sorted(STOP_WORDS)


QUERIES = (
    *(
        QUESTION,
        "qlora vram",
        "rag",
        "speech to text",
        "dough",
        '"light shines"',
        "dough -steam",
        "声调",
        "你",
        "เครื่อง",
    ),
    *(
        "weather on mars",
        "quaxl",
        "retrieval or tuning",
        "case study",
        '"form, not facts" tuning',
        "llama animal",
    ),
)


@pytest.mark.parametrize("typed", QUERIES)
def test_answers_are_those_of_kb_search_with_the_same_words_marked(
    engine: Page, root: Path, typed: str
) -> None:
    with KnowledgeBase.open(root) as base:
        found = base.search(typed)
    answer = engine.evaluate("typed => engine.answer(typed)", typed)
    # Near ties may change places; nothing may come or go but at the end.
    ours, theirs = [hit.text for hit in found.hits], [hit["text"] for hit in answer["hits"]]
    assert set(ours[:8]) <= set(theirs)
    assert set(theirs[:8]) <= set(ours)
    scores = {hit.text: hit for hit in found.hits}
    for hit in answer["hits"]:
        if hit["text"] in scores and hit["text"].isascii():
            assert hit["score"] == pytest.approx(scores[hit["text"]].score, abs=0.02)
            assert [tuple(mark) for mark in hit["marks"]] == found.marks(hit["text"])


# -- the whole -----------------------------------------------------------------------------------


def opened(page: Page) -> Page:
    """The search dialog, open."""
    page.get_by_placeholder("Search").click()
    return page


def switched(page: Page) -> Page:
    page.get_by_role("switch", name="Search by meaning").click()
    return page


def hits(page: Page) -> Any:
    return page.locator(".kb-meaning-hits > li")


def test_nothing_of_it_is_fetched_before_it_is_asked_for(visit: Visit) -> None:
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    page = opened(visit.go("threads/llama-2/"))
    page.get_by_placeholder("Search").press_sequentially("rtx 3060")
    expect(page.locator(".md-search-result__item").first).to_be_visible()
    own = [url.rsplit("/", 1)[1].split("?")[0] for url in asked if "kb/meaning" in url]
    assert sorted(own) == ["meaning.css", "start.js"]
    expect(page.get_by_role("switch")).to_contain_text(re.compile(r"fetches \d+ MB the first time"))


def test_a_question_is_answered_with_the_bullet_its_place_its_date_and_its_links(visit: Visit) -> None:
    page = switched(opened(visit.go("")))
    page.get_by_placeholder("Search").fill(QUESTION)
    hit = hits(page).filter(has_text=ANSWER).first
    expect(hit).to_be_visible()
    expect(hit).to_contain_text(
        "Adapting Llama 2 at home \u203a September 2023 \u203a A study and what people said"
    )
    expect(hit).to_contain_text("2023-08-11 (noted 2023-09)")
    expect(hit.get_by_role("link", name="HN comment", exact=True)).to_have_attribute(
        "href", re.compile("37091586")
    )
    expect(page.get_by_role("status").filter(has_text="best first")).to_be_visible()
    expect(page.locator(".md-search-result")).to_be_hidden()
    hit.locator(".kb-meaning-to").click()
    page.wait_for_url(re.compile(r"/people/me/threads/llama-2/#a-study-and-what-people-said-of-it"))
    expect(page.get_by_text(ANSWER).first).to_be_in_viewport()


def test_every_answer_leads_to_an_anchor_that_its_page_has(visit: Visit, engine: Page) -> None:
    urls: list[str] = engine.evaluate(
        "async () => { const all = []; for (let id = 0; id < engine.passages.count; id++) "
        "all.push((await engine.hit({id})).url); return all; }"
    )
    for path in sorted({url.split("#")[0] for url in urls}):
        page = visit.go(path)
        for url in {url for url in urls if url.startswith(path + "#")}:
            assert page.locator(f"[id='{url.split('#')[1]}']").count() == 1, url


def test_it_is_driven_by_keys_alone(visit: Visit) -> None:
    page = visit.go("")
    page.keyboard.press("/")
    page.keyboard.press("Tab")
    while not page.evaluate("document.activeElement.matches('[role=switch]')"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('.md-search') !== null")
    page.keyboard.press("Space")
    expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "true")
    page.keyboard.press("Shift+Tab")
    page.get_by_placeholder("Search").focus()
    page.keyboard.type("bread dough")
    expect(hits(page).first).to_contain_text("Stretch a piece")
    page.keyboard.press("ArrowDown")
    expect(hits(page).nth(0).locator("a").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(hits(page).nth(1).locator("a").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_placeholder("Search")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#__search")).not_to_be_checked()
    page.keyboard.press("/")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/cooking/bread/#dough"))


def test_who_walks_in_the_answers_when_others_come_stays_at_the_same_place(visit: Visit) -> None:
    page = switched(opened(visit.go("")))
    page.get_by_placeholder("Search").fill("bread dough")
    expect(hits(page).first).to_contain_text("Stretch a piece")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(hits(page).nth(1).locator("a").first).to_be_focused()
    # As when the answer to the last letters comes late.
    ask = "(input, words) => { input.value = words; input.dispatchEvent(new Event('input')) }"
    page.get_by_placeholder("Search").evaluate(ask, QUESTION)
    expect(hits(page).filter(has_text=ANSWER)).to_have_count(1)
    expect(hits(page).nth(1).locator("a").first).to_be_focused()
    page.get_by_placeholder("Search").evaluate(ask, "quaxl")
    expect(hits(page)).to_have_count(0)
    expect(page.get_by_placeholder("Search")).to_be_focused()


def test_escape_gives_the_keys_back_to_the_page_wherever_one_was_in_the_dialog(visit: Visit) -> None:
    page = visit.go("")
    for tabs in (1, 2):  # the list of results, then the switch
        page.keyboard.press("/")
        expect(page.get_by_placeholder("Search")).to_be_focused()
        expect(page.locator("#__search")).to_be_checked()  # the theme opens it a moment later
        for _ in range(tabs):
            page.keyboard.press("Tab")
        page.keyboard.press("Escape")
        expect(page.locator("#__search")).not_to_be_checked()
        expect(page.locator(".md-search :focus")).to_have_count(0)


def test_on_the_next_page_it_is_on_and_nothing_is_fetched_again(visit: Visit) -> None:
    page = switched(opened(visit.go("")))
    page.get_by_placeholder("Search").fill(QUESTION)
    expect(hits(page).first).to_be_visible()
    moved: list[str] = []
    page.on("request", lambda request: moved.append(request.url))
    opened(visit.go("links/"))
    page.get_by_placeholder("Search").fill(QUESTION)
    expect(hits(page).first).to_be_visible()
    assert [url for url in moved if url.endswith(".bin")] == []


def test_progress_is_shown_on_a_slow_network_and_the_answer_comes(visit: Visit) -> None:
    page = opened(visit.go(""))

    def slowly(route: Route) -> None:
        held.append(route)

    held: list[Route] = []
    page.route("**/layers-*.bin", slowly)
    switched(page)
    page.get_by_placeholder("Search").fill("bread dough")
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.locator(".kb-meaning-bytes")).to_contain_text(re.compile(r"0\.\d of \d+\.\d MB"))
    expect(page.get_by_role("status").filter(has_text="It stays in this browser")).to_be_visible()
    expect(hits(page)).to_have_count(0)
    page.wait_for_timeout(100)
    for route in held:
        route.continue_()
    expect(hits(page).first).to_contain_text("Stretch a piece")
    expect(page.get_by_role("progressbar")).to_be_hidden()


def test_a_throttled_network_brings_it_too(visit: Visit) -> None:
    page = opened(visit.go(""))
    session = page.context.new_cdp_session(page)
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 100, "downloadThroughput": 4_000_000, "uploadThroughput": 500_000},
    )
    switched(page)
    page.get_by_placeholder("Search").fill("bread dough")
    # Half of the usual patience is spent on the throttle alone.
    expect(hits(page).first).to_contain_text("Stretch a piece", timeout=20_000)


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "does not have all of its files any more"), (200, "Something is wrong|connection broke off")],
)
def test_what_cannot_be_fetched_is_said_in_a_sentence_and_tried_again_on_demand(
    chromium: Browser,
    address: str,
    status: int,
    said: str,
) -> None:
    page = chromium.new_context().new_page()
    page.goto(address)
    page.context.route("**/layers-*.bin", lambda route: route.fulfill(status=status, body="no such thing"))
    switched(opened(page))
    page.get_by_placeholder("Search").fill("bread dough")
    expect(page.locator(".kb-meaning-status")).to_contain_text(re.compile(said))
    page.context.unroute("**/layers-*.bin")
    page.get_by_role("button", name="Try again").click()
    expect(hits(page).first).to_contain_text("Stretch a piece")
    page.context.close()


def test_without_a_network_it_says_so_and_once_fetched_it_works_without_one(
    chromium: Browser,
    address: str,
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(address)
    switched(opened(page))
    page.get_by_placeholder("Search").fill("bread dough")
    expect(hits(page).first).to_be_visible()
    context.set_offline(True)
    page.get_by_placeholder("Search").fill("dough bread")
    expect(page.locator(".kb-meaning-status")).to_contain_text("best first")
    context.close()


def test_a_browser_that_lacks_what_it_takes_is_told_and_searches_by_words_as_before(
    chromium: Browser,
    address: str,
) -> None:
    context = chromium.new_context()
    context.add_init_script("delete window.DecompressionStream;")
    page = context.new_page()
    page.goto(address)
    switched(opened(page))
    expect(page.locator(".kb-meaning-status")).to_contain_text(
        "This browser cannot search by meaning: it has no DecompressionStream"
    )
    expect(page.get_by_role("button", name="Try again")).to_be_hidden()
    context.close()


def test_what_is_not_there_is_said(visit: Visit) -> None:
    page = switched(opened(visit.go("")))
    page.get_by_placeholder("Search").fill("quaxl")
    expect(page.locator(".kb-meaning-status")).to_contain_text("Nothing here is near to that")
    page.get_by_placeholder("Search").fill("kind:paper")
    expect(page.locator(".kb-meaning-status")).to_contain_text("narrows on the command line alone")
    page.get_by_placeholder("Search").fill("")
    expect(page.locator(".kb-meaning-status")).to_contain_text("Ask in your own words")


def test_the_words_of_a_hostile_note_are_shown_and_do_nothing(visit: Visit) -> None:
    page = switched(opened(visit.go("")))
    page.get_by_placeholder("Search").fill("<script>alert hostile bold")
    expect(hits(page).filter(has_text="<script>").first).to_be_visible()
    assert page.locator(".kb-meaning-hits a[href^='javascript']").count() == 0


@PHONE
def test_answers_are_not_wider_than_a_phone(visit: Visit) -> None:
    page = visit.go("")
    page.locator("label.md-header__button[for=__search]").click()
    switched(page)
    page.get_by_placeholder("Search").fill(QUESTION)
    expect(hits(page).first).to_be_visible()
    assert page.locator(".kb-meaning").evaluate("e => e.scrollWidth <= e.clientWidth && e.clientWidth <= 360")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@DARK
def test_answers_are_light_on_dark_for_whoever_prefers_that(visit: Visit) -> None:
    page = switched(opened(visit.go("")))
    page.get_by_placeholder("Search").fill(QUESTION)
    expect(hits(page).first).to_be_visible()
    colour = page.locator(".kb-meaning-text").first.evaluate("e => getComputedStyle(e).color")
    assert min(map(int, re.findall(r"\d+", colour)[:3])) > 150


@pytest.mark.parametrize(
    "visit",
    [{"color_scheme": scheme, "bypass_csp": True} for scheme in ("light", "dark")],
    indirect=True,
    ids=["light", "dark"],
)
def test_axe_finds_nothing_serious_in_the_open_panel(visit: Visit, axe: str) -> None:
    page = switched(opened(visit.go("")))
    page.get_by_placeholder("Search").fill(QUESTION)
    expect(hits(page).first).to_be_visible()
    page.evaluate(axe)
    result = page.evaluate("axe.run('.md-search', {resultTypes: ['violations']})")
    assert len(result["passes"]) > 5
    serious = [one for one in result["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], node["html"][:160]) for one in serious for node in one["nodes"]] == []


def test_the_list_of_files_names_every_file_and_its_size(address: str, root: Path) -> None:
    folder = root / "site/assets/kb/meaning"
    index = json.loads((folder / "index.json").read_text())
    entries = [index["model"]["file"], index["model"]["pieces"], *index["model"]["words"]]
    entries += [index["notes"]["index"], *index["notes"]["vectors"], *index["notes"]["texts"]]
    assert {name for name, _ in entries} == {file.name for file in folder.glob("*.bin")}
    assert all((folder / name).stat().st_size == size for name, size in entries)
