"""The site in a real browser: Playwright's driver, and whatever Chromium the system has."""

from __future__ import annotations

import os
import re
import shutil
import threading
import warnings
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

from kb.knowledge import KnowledgeBase
from kb.model import Looks, Standing, Transition
from tests.notebook import NOTES, write_notebook
from tests.site_build import HOSTILE_TITLE, MORE_NOTES, build, write_mkdocs_yml

pytestmark = pytest.mark.browser

PAGES = (
    *("", "notes/", "timeline/", "tags/", "links/", "papers/", "threads/", "tutorials/", "link-health/"),
    *("all-terms/", "graph/", "threads/llama-2/", "odd/hostile/", "nowhere/"),
)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        page = Path(self.directory) / "people/me/404.html"  # as static hosts do
        self.send_response(code)
        self.end_headers()
        self.wfile.write(page.read_bytes())


@pytest.fixture(scope="module")  # playwright keeps an event loop running while it is open
def chromium() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        reason = "no Chromium on this machine: the browser tests did NOT run (apt-get install chromium)"
        if os.environ.get("KB_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        warnings.warn(reason, stacklevel=1)
        pytest.skip(reason)
    expect.set_options(timeout=15_000)  # a machine that does other work as well is no fault of a page
    with sync_playwright() as playwright:
        # Root has no sandbox, and a container little shared memory.
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The site on a server, below a sub-path."""
    root = write_notebook(tmp_path_factory.mktemp("browser") / "notebook", NOTES | MORE_NOTES)
    write_mkdocs_yml(root)
    give_links_a_history(root)
    www = root.parent / "www"
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(www)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SITE_URL", f"http://127.0.0.1:{server.server_address[1]}/people/me/")
        shutil.copytree(build(root), www / "people/me")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/people/me/"
    server.shutdown()
    server.server_close()
    thread.join()


def give_links_a_history(root: Path) -> None:
    """A dead link with an archived copy, and others of every standing, so that no page is bare."""
    standings = (Standing.DEAD, Standing.ALIVE, Standing.SUSPECT, Standing.MOVED, Standing.UNKNOWN)
    with KnowledgeBase.open(root) as base:
        base.sync()
        for at, record in enumerate(base.store.links()):
            standing = standings[at % len(standings)]
            looks = Looks(
                standing=standing,
                last_checked="2026-03-01T00:00:00Z",
                last_alive="2026-01-01T00:00:00Z",
                reason="404 Not Found" if standing is Standing.DEAD else "",
                archived_url="https://archive.example/1" if standing is Standing.DEAD else None,
                transitions=(
                    Transition("2026-01-01T00:00:00Z", Standing.ALIVE),
                    Transition("2026-02-01T00:00:00Z", standing),
                ),
            )
            base.store.save_look(record.key, None, looks)


class Visit:
    """A browser window that keeps what went wrong in it and what it asked of other hosts."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.address = address
        self.away: list[str] = []
        self.errors: list[str] = []
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("dialog", self._dialog)
        self.page: Page = context.new_page()

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.away.append(request.url)

    def _response(self, response: Response) -> None:
        if response.status >= 400 and not response.url.endswith("/nowhere/"):
            self.errors.append(f"{response.status} {response.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "/nowhere/" not in str(message.location.get("url")):
            self.errors.append(message.text)

    def _dialog(self, dialog: Dialog) -> None:
        self.errors.append(f"a script of a note ran: {dialog.message}")
        dialog.dismiss()

    def go(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page


@pytest.fixture
def visit(chromium: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    context = chromium.new_context(**getattr(request, "param", {}))
    context.set_default_timeout(10_000)
    seen = Visit(context, address)
    yield seen
    context.close()
    assert seen.errors == []
    assert seen.away == []


def search(page: Page, words: str) -> None:
    page.get_by_placeholder("Search").click()
    page.get_by_placeholder("Search").press_sequentially(words)


TERM = "abbr.kb-term"
TIP = ".md-tooltip2--active"

DARK = pytest.mark.parametrize("visit", [{"color_scheme": "dark"}], indirect=True)
PHONE = pytest.mark.parametrize("visit", [{"viewport": {"width": 360, "height": 740}}], indirect=True)
# The width that Chromium gives a page on A4 paper.
A4 = pytest.mark.parametrize("visit", [{"viewport": {"width": 718, "height": 1000}}], indirect=True)
WITHOUT_SCRIPTS = pytest.mark.parametrize("visit", [{"java_script_enabled": False}], indirect=True)


def test_no_page_asks_another_host_or_has_an_error(visit: Visit) -> None:
    pages = []
    for path in PAGES:  # each in a tab of its own, so that all may come to rest at once
        pages.append(visit.page.context.new_page())
        pages[-1].goto(visit.address + path)
    for page in pages:
        page.wait_for_load_state("networkidle")
        expect(page.locator("h1")).to_have_count(1)


def test_the_glossary_is_reached_from_home_and_has_both_terms(visit: Visit) -> None:
    page = visit.go("")
    page.locator(".md-tabs").get_by_role("link", name="Glossary").click()
    expect(page.get_by_role("heading", name="PEFT")).to_be_visible()
    expect(page.get_by_text("Retrieval-Augmented Generation")).to_be_visible()


def test_search_finds_a_word_of_a_note_and_leads_to_it(visit: Visit) -> None:
    page = visit.go("")
    search(page, "rtx 3060")
    hit = page.locator(".md-search-result__item", has_text="Llama 2").first
    expect(hit).to_be_visible()
    hit.locator("a").first.click()
    page.wait_for_url(re.compile(r"/people/me/threads/llama-2/"))
    expect(page.get_by_text("12 GB").first).to_be_visible()


def test_search_shows_the_words_of_a_hostile_title_and_runs_none(visit: Visit) -> None:
    page = visit.go("")
    search(page, "nowhere heading")
    expect(page.locator(".md-search-result__item", has_text="<script>").first).to_be_visible()
    visit.go("odd/hostile/")
    expect(page.locator("h1")).to_contain_text(HOSTILE_TITLE)
    assert HOSTILE_TITLE in page.title()


def test_the_moon_turns_the_page_dark_and_it_stays_so(visit: Visit) -> None:
    page = visit.go("")
    body = page.locator("body")
    light = body.evaluate("e => getComputedStyle(e).backgroundColor")
    page.locator("label[title=Dark]").click()
    expect(body).to_have_attribute("data-md-color-scheme", "slate")
    page.reload()
    expect(body).to_have_attribute("data-md-color-scheme", "slate")
    assert body.evaluate("e => getComputedStyle(e).backgroundColor") != light


@DARK
def test_whoever_prefers_dark_gets_it_at_once(visit: Visit) -> None:
    expect(visit.go("").locator("body")).to_have_attribute("data-md-color-scheme", "slate")


@PHONE
def test_nothing_is_wider_than_a_phone(visit: Visit) -> None:
    for path in PAGES:
        page = visit.go(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_links_in_text_are_not_told_by_colour_alone(visit: Visit) -> None:
    link = visit.go("threads/llama-2/").locator("article li a").first
    assert "underline" in link.evaluate("e => getComputedStyle(e).textDecorationLine")


def test_a_term_is_explained_under_the_mouse(visit: Visit) -> None:
    page = visit.go("odd/terms/")
    page.locator(TERM, has_text="RAG").first.hover()
    expect(page.locator(TIP)).to_contain_text("Retrieval-Augmented Generation")


def test_a_term_is_explained_to_the_keyboard(visit: Visit) -> None:
    page = visit.go("odd/terms/")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('abbr.kb-term')"):
            break
    else:
        pytest.fail("no Tab leads to a term")
    expect(page.locator(TIP)).to_contain_text("Retrieval-Augmented Generation")


def test_a_link_tells_its_standing_under_the_mouse(visit: Visit) -> None:
    page = visit.go("papers/qlora/")
    page.locator(".kb-link", has_text="The paper").hover()
    expect(page.locator(TIP)).to_contain_text("arxiv.org")


def shown_rows(page: Page) -> list[str]:
    rows = page.locator("#kb-links-table tbody tr:visible td:first-child a")
    return [text.strip() for text in rows.all_inner_texts()]


def test_the_links_are_filtered_by_words_kind_host_and_standing(visit: Visit) -> None:
    page = visit.go("links/")
    everything = shown_rows(page)
    count = page.locator("#kb-links-table tbody tr").count()
    page.get_by_label("Kind").select_option("HN comment")
    assert shown_rows(page) == ["HN comment", "HN comment"]
    expect(page.get_by_role("status")).to_have_text(f"2 of {count}")
    page.get_by_label("Kind").select_option("")
    page.get_by_label("Host").fill("github")
    assert shown_rows(page) == ["Whisper.cpp"]
    page.get_by_label("Host").fill("")
    page.get_by_label("Find").fill("form facts")
    assert shown_rows(page) == ["Form, not facts"]
    page.get_by_label("Find").fill("")
    page.get_by_label("Standing").select_option("dead")
    assert 0 < len(shown_rows(page)) < len(everything)
    page.get_by_label("Standing").select_option("")
    assert shown_rows(page) == everything


def test_the_links_are_sorted_by_any_column_from_the_keyboard(visit: Visit) -> None:
    page = visit.go("links/")
    page.get_by_role("button", name="Title").focus()
    page.keyboard.press("Enter")
    titles = shown_rows(page)
    assert titles == sorted(titles, key=str.lower)
    expect(page.get_by_role("columnheader", name="Title")).to_have_attribute("aria-sort", "ascending")
    page.keyboard.press("Enter")
    assert shown_rows(page) == sorted(titles, key=str.lower, reverse=True)
    page.get_by_role("button", name="Date").click()
    assert shown_rows(page)[-1] != titles[-1]


def test_the_graph_is_walked_by_keyboard_and_opens_a_note(visit: Visit) -> None:
    page = visit.go("graph/")
    picture = page.get_by_role("application")
    picture.focus()
    page.keyboard.press("ArrowRight")
    told = page.locator(".kb-graph-told")
    expect(told).to_contain_text("ties")
    first = told.inner_text()
    for key in ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
    assert told.inner_text()
    page.keyboard.press("Escape")
    expect(told).to_have_text("")
    page.keyboard.press("ArrowRight")
    expect(told).to_have_text(first)
    assert first.startswith("note: ")
    page.keyboard.press("Enter")
    expect(page.locator("article.kb-note")).to_be_visible()


def test_the_list_beside_the_graph_shows_where_its_nodes_are(visit: Visit) -> None:
    page = visit.go("graph/")
    page.locator("#kb-graph-list a", has_text="QLoRA").first.focus()
    expect(page.locator(".kb-knot-on")).to_have_count(1)
    page.get_by_label("Find in the list").fill("qlora")
    visible = page.locator("#kb-graph-list li:visible")
    assert visible.count() == page.locator("#kb-graph-list li", has_text=re.compile("qlora", re.I)).count()


def test_what_scrolls_within_a_page_has_bars_of_the_pages_colours(visit: Visit) -> None:
    for path, box in (("graph/", ".kb-graph-list"), ("links/", ".kb-scroll")):
        colours = visit.go(path).locator(box).first.evaluate("box => getComputedStyle(box).scrollbarColor")
        assert colours.endswith("rgba(0, 0, 0, 0)"), box


@A4
def test_on_paper_nothing_is_cut_off_and_nothing_is_to_be_pressed(visit: Visit) -> None:
    for path, box in (("graph/", ".kb-graph-list"), ("links/", ".kb-scroll")):
        page = visit.go(path)
        page.emulate_media(media="print")
        whole = page.locator(box).first.evaluate(
            "box => box.scrollWidth <= box.clientWidth && box.scrollHeight <= box.clientHeight"
        )
        assert whole, path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        expect(page.locator("article input:visible")).to_have_count(0)


@WITHOUT_SCRIPTS
def test_without_scripts_the_list_of_the_graph_has_the_page_to_itself(visit: Visit) -> None:
    page = visit.go("graph/")
    box, heading = page.locator("#kb-graph-list").bounding_box(), page.locator("h1").bounding_box()
    assert box
    assert heading
    assert box["x"] == heading["x"]
    expect(page.locator("#kb-graph-list a").last).to_be_visible()


def test_a_wrong_address_leads_back_home(visit: Visit) -> None:
    page = visit.go("nowhere/much/nowhere/")
    page.get_by_role("link", name="the front page").click()
    expect(page.get_by_role("heading", name="Added lately")).to_be_visible()


# -- for everybody -------------------------------------------------------------------------------

AUDITED = (
    *("", "threads/llama-2/", "odd/terms/", "all-terms/", "links/", "timeline/", "link-health/", "graph/"),
    *("notes/", "tags/", "papers/", "threads/", "tutorials/", "nowhere/"),
)


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core's script. It comes from npm, so not every machine has it; KB_REQUIRE_AXE=1 asks for it."""
    place = Path(os.environ.get("KB_AXE") or Path(__file__).parent.parent / ".cache/axe/package/axe.min.js")
    if not place.is_file():
        reason = f"no axe-core at {place}: pages were NOT audited (bench/axe.sh fetches it from npm)"
        if os.environ.get("KB_REQUIRE_AXE") == "1":
            pytest.fail(reason)
        warnings.warn(reason, stacklevel=1)
        pytest.skip(reason)
    return place.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("visit", "rules"),
    [
        ({"color_scheme": "light", "bypass_csp": True}, None),
        ({"color_scheme": "dark", "bypass_csp": True}, ["color-contrast"]),  # the rest is the same page
    ],
    indirect=["visit"],
    ids=["light", "dark"],
)
def test_axe_finds_nothing_serious(visit: Visit, axe: str, rules: list[str] | None) -> None:
    found = []
    for path in AUDITED:
        page = visit.go(path)
        page.evaluate(axe)
        options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
        result = page.evaluate("options => axe.run(document, options)", options)
        assert len(result["passes"]) > (0 if rules else 10)  # it did run
        found += [
            f"{path}: {one['id']}: {node['html'][:160]}"
            for one in result["violations"]
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]
    assert found == []


# -- a list of very many links --------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site of 1,500 links, on a server."""
    bullets = "".join(f"* [Link {at}](https://host{at % 7}.example/{at})\n" for at in range(1500))
    root = write_notebook(tmp_path_factory.mktemp("many") / "n", {"a.md": f"# Many\n\n{bullets}"})
    write_mkdocs_yml(root)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(build(root))))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_long_list_of_links_is_searched_and_sorted_as_a_whole(chromium: Browser, many: str) -> None:
    context = chromium.new_context()
    visit = Visit(context, many)
    page = visit.go("links/")
    rows = page.locator("#kb-links-table tbody tr")
    expect(rows).to_have_count(600)
    expect(page.get_by_role("navigation", name="Parts of the list")).to_be_visible()
    page.get_by_label("Find").fill("link 1499")
    expect(page.get_by_role("status")).to_have_text("1 of 1500")
    assert shown_rows(page) == ["Link 1499"]
    page.get_by_label("Find").fill("")
    page.get_by_role("button", name="Title").press("Enter")
    expect(page.get_by_role("columnheader", name="Title")).to_have_attribute("aria-sort", "ascending")
    expect(rows.nth(2)).to_contain_text("Link 2")
    page.get_by_role("button", name="Show more").press("Enter")
    expect(rows).to_have_count(1200)
    expect(rows.nth(600).locator("a").first).to_be_focused()
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(1500)
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    assert visit.errors == []
    context.close()


def test_a_long_list_of_links_is_read_without_scripts(chromium: Browser, many: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{many}links/")
    found = page.locator("#kb-links-table tbody tr").count()
    for part in (2, 3):
        with page.expect_navigation():
            page.get_by_role("link", name=f"{part}", exact=True).click()
        found += page.locator("#kb-links-table tbody tr").count()
    assert found == 1500
    context.close()
