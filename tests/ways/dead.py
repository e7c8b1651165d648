"""Links that are gone, however well their servers hide it."""

from __future__ import annotations

import time

from tests import servers
from tests.servers import Handler
from tests.ways.base import (
    MENU,
    PLACED,
    B,
    Route,
    article,
    dead,
    enter,
    everything,
    html,
    prose,
    site,
    way,
)

# -- dead ------------------------------------------------------------------------------------------


@way(dead, B, name="404")
def _404(handler: Handler, rest: str) -> None:
    servers.missing(handler, rest)


@way(dead, B, name="410")
def _410(handler: Handler, rest: str) -> None:
    handler.answer(410, b"")


@way(dead, B)
def head_is_fine_and_get_is_404(handler: Handler, rest: str) -> None:
    servers.missing(handler, rest)


@way(dead, B)
def circle(handler: Handler, rest: str) -> None:
    page, _, half = rest.partition("/")
    handler.redirect(f"{handler.base}/{page}" + ("" if half else "/b"))


@way(dead, B)
def redirect_to_itself(handler: Handler, rest: str) -> None:
    handler.redirect(f"{handler.base}/{rest}", 302)


@way(dead, B)
def redirects_without_end(handler: Handler, rest: str) -> None:
    page, _, count = rest.partition("/")
    handler.redirect(f"{handler.base}/{page}/{int(count or 0) + 1}")


@way(dead, B)
def redirect_to_nowhere(handler: Handler, rest: str) -> None:
    handler.answer(301, b"", None)


@way(dead, B)
def redirect_to_404(handler: Handler, rest: str) -> None:
    handler.redirect(f"/404/{rest}")


@way(dead, B)
def redirect_to_404_for_now(handler: Handler, rest: str) -> None:
    handler.redirect(f"/404/{rest}", 302)


_SORRY = "<p>The page you are looking for does not exist or has been moved.</p>"
enter(
    dead, B, "says-404-in-its-title", everything(lambda rest: html("404 Not Found", "<h1>404 Not Found</h1>"))
)
enter(dead, B, "says-so-in-words", everything(lambda rest: html("Acme", f"<h1>Oops!</h1>{_SORRY}")))
enter(
    dead,
    B,
    "says-so-under-a-menu",
    everything(lambda rest: html("Page not found", f"{MENU}<h1>Page not found</h1>{_SORRY}")),
)
enter(dead, B, "says-so-in-german", everything(lambda rest: html("Seite nicht gefunden", "<h1>Hoppla</h1>")))
enter(
    dead,
    B,
    "same-page-for-any-path",
    everything(lambda rest: html("The site", f"{MENU}<h1>Hello</h1><p>{prose('same')}</p>")),
)
enter(
    dead,
    B,
    "same-page-but-for-its-address",
    everything(lambda rest: html(f"{rest} at Acme", f"{MENU}<p>You came to {rest}. {prose('echo', 40)}</p>")),
)
enter(
    dead,
    B,
    "long-page-for-any-path",
    everything(lambda rest: html("News", MENU + f"<p>{prose('news', 3000)}</p><p>{time.monotonic_ns()}</p>")),
)


@way(dead, B)
def redirect_to_an_error_page(handler: Handler, rest: str) -> None:
    if rest == "error":
        handler.answer(body=html("Error", f"<h1>Page not found</h1>{_SORRY}"))
    else:
        handler.redirect(f"{handler.base}/error", 302)


@way(dead, B)
def redirect_to_search(handler: Handler, rest: str) -> None:
    if rest == "search":
        handler.answer(body=html("Search", f"{MENU}<p>{prose('search')}</p>"))
    else:
        handler.redirect(f"{handler.base}/search", 302)


def _to_home(target: str, code: int) -> Route:
    return lambda handler, rest: handler.redirect(target, code)


enter(dead, B, "redirect-to-home-301", _to_home("/", 301))
enter(dead, B, "redirect-to-home-302", _to_home("/", 302))
enter(dead, B, "redirect-to-no-part-of-home", _to_home("/#prices", 301))
enter(dead, B, "redirect-to-all-of-home", _to_home("/#content", 302))
enter(dead, B, "redirect-to-home-counted", _to_home("/#utm_source=old", 302))
enter(dead, B, "any-path-to-a-part-of-home", _to_home("/#about", 301))
enter(dead, B, "redirect-to-home-in-a-language", _to_home("/en/", 302))
enter(dead, B, "redirect-to-index", _to_home("/index.html", 301))


@way(dead, B)
def any_path_to_another_home(handler: Handler, rest: str) -> None:
    handler.redirect(handler.server.url("", "127.0.0.1"))


_FOR_SALE = "<h1>acme.example</h1><p>This domain may be for sale. Make an offer.</p>"
enter(dead, B, "domain-for-sale", everything(lambda rest: html("acme.example", _FOR_SALE)))
enter(
    dead,
    B,
    "parked-domain",
    everything(
        lambda rest: html(
            "acme.example",
            "<p>Related links: loans, hotels, phones</p>",
            '<script src="//d1.parkingcrew.net/js.js"></script>',
        )
    ),
)
enter(
    dead,
    B,
    "parked-behind-a-script",
    everything(lambda rest: b'<html><script>window.location.href="/lander"</script></html>'),
)
enter(dead, B, "missing-place", site(lambda rest: article(rest, extra=PLACED)), rest="p{n}#gone")
enter(dead, B, "missing-place-of-no-ids", site(article), rest="p{n}#chapter-2")
enter(dead, B, "missing-text", site(article), rest="p{n}#:~:text=words%20nobody%20wrote")
