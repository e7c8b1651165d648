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

from tests.notebook import NOTES, write_notebook
from tests.site_build import HOSTILE_TITLE, MORE_NOTES, build, write_mkdocs_yml

pytestmark = pytest.mark.browser

PAGES = ("", "notes/", "all-terms/", "links/", "threads/llama-2/", "odd/hostile/")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")  # playwright keeps an event loop running while it is open
def chromium() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        reason = "no Chromium on this machine: the browser tests did NOT run (apt-get install chromium)"
        if os.environ.get("KB_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        warnings.warn(reason, stacklevel=1)
        pytest.skip(reason)
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
    www = root.parent / "www"
    shutil.copytree(build(root), www / "people/me")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(www)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/people/me/"
    server.shutdown()
    server.server_close()
    thread.join()


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
        if response.status >= 400:
            self.errors.append(f"{response.status} {response.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _dialog(self, dialog: Dialog) -> None:
        self.errors.append(f"a script of a note ran: {dialog.message}")
        dialog.dismiss()

    def go(self, path: str) -> Page:
        self.page.goto(self.address + path, wait_until="networkidle")
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


DARK = pytest.mark.parametrize("visit", [{"color_scheme": "dark"}], indirect=True)
PHONE = pytest.mark.parametrize("visit", [{"viewport": {"width": 360, "height": 740}}], indirect=True)


def test_no_page_asks_another_host_or_has_an_error(visit: Visit) -> None:
    for path in PAGES:
        page = visit.go(path)
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
    search(page, "llama animal")
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
    page.reload(wait_until="networkidle")
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
