"""Links that live, however oddly their servers answer."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from functools import cache

from tests import servers
from tests.servers import Handler
from tests.ways.base import (
    MENU,
    PLACED,
    WAYS,
    A,
    M,
    Route,
    Way,
    article,
    enter,
    everything,
    html,
    known,
    living,
    prose,
    site,
    way,
)

# -- living ----------------------------------------------------------------------------------------

enter(living, A, "article", site(article))


@way(living, A)
def head_is_refused(handler: Handler, rest: str) -> None:
    """GET is fine; HEAD is 405, see `Handler.do_HEAD`."""
    site(article)(handler, rest)


def _once_then_page(fail: Callable[[Handler], None]) -> Route:
    def route(handler: Handler, rest: str) -> None:
        if not known(rest):
            servers.missing(handler, rest)
        elif handler.visits > 1:
            handler.answer(body=article(rest))
        else:
            fail(handler)

    return route


def _failing(code: int, **headers: str) -> Route:
    def fail(handler: Handler) -> None:
        handler.answer(code, b"", **headers)

    return _once_then_page(fail)


for code in (500, 502, 503):
    enter(living, A, f"fails-once-{code}", _failing(code))
for code in (429, 503):
    enter(living, A, f"asks-to-wait-{code}", _failing(code, Retry_After="1"))
enter(living, A, "resets-once", _once_then_page(lambda handler: handler.reset()))


def _hops(count: int, code: int) -> Route:
    def route(handler: Handler, rest: str) -> None:
        page, _, left = rest.partition("/")
        if not known(page):
            servers.missing(handler, rest)
        elif int(left or count):
            handler.redirect(f"{handler.base}/{page}/{int(left or count) - 1}", code)
        else:
            handler.answer(body=article(page))

    return route


enter(living, M, "moved-301", _hops(1, 301))
enter(living, M, "moved-308", _hops(1, 308))
enter(living, A, "elsewhere-302", _hops(1, 302))
enter(living, A, "elsewhere-303", _hops(1, 303))
enter(living, A, "elsewhere-307", _hops(1, 307))
enter(living, M, "long-chain", _hops(9, 301))


@way(living, M)
def relative_redirect(handler: Handler, rest: str) -> None:
    if known(rest):
        handler.redirect(f"../article/{rest}")
    else:
        servers.missing(handler, rest)


@way(living, M)
def slash_added(handler: Handler, rest: str) -> None:
    if known(rest):
        handler.redirect(f"{handler.base}/{rest}/")
    else:
        site(article)(handler, rest.rstrip("/"))


def _headed(**headers: str) -> Route:
    return lambda handler, rest: (
        handler.answer(body=article(rest), **headers) if known(rest) else servers.missing(handler, rest)  # type: ignore[arg-type]
    )


def _typed(type: str | None) -> Route:
    return lambda handler, rest: (
        handler.answer(body=article(rest), type=type) if known(rest) else servers.missing(handler, rest)
    )


enter(living, A, "no-content-type", _typed(None))
enter(living, A, "wrong-content-type", _typed("application/octet-stream"))
enter(living, A, "content-type-of-nonsense", _typed("yes please"))
enter(living, A, "unknown-charset", _typed("text/html; charset=klingon"))
enter(living, A, "wrong-charset", _typed("text/html; charset=utf-16"))
enter(living, A, "says-gzip-and-is-not", _headed(Content_Encoding="gzip"))


@way(living, A)
def gzipped(handler: Handler, rest: str) -> None:
    if known(rest):
        handler.answer(body=gzip.compress(article(rest)), Content_Encoding="gzip")
    else:
        servers.missing(handler, rest)


@cache
def _bomb() -> bytes:
    return gzip.compress(html("A small archive", "<p>" + prose("bomb")) + bytes(100_000_000), 9)


@way(living, A)
def gzip_bomb(handler: Handler, rest: str) -> None:
    if known(rest):
        handler.answer(body=_bomb(), Content_Encoding="gzip")
    else:
        servers.missing(handler, rest)


def _unending(pause: float, piece: bytes, seconds: float) -> Route:
    def route(handler: Handler, rest: str) -> None:
        if not known(rest):
            return servers.missing(handler, rest)
        handler.begin_endless()
        handler.wfile.write(article(rest).removesuffix(b"</body></html>"))
        until = time.monotonic() + seconds
        while time.monotonic() < until and not handler.server.closing.wait(pause):
            handler.wfile.write(piece)
            handler.wfile.flush()
        return None

    return route


enter(living, A, "endless-body", _unending(0.002, b"<p>more and more of it</p>" * 400, 8))
enter(living, A, "dripping-body", _unending(0.5, b"<p>drop</p>", 8), slow=True)
enter(living, A, "stalled-body", _unending(8, b"", 8), slow=True)


@way(living, A)
def cut_body(handler: Handler, rest: str) -> None:
    if not known(rest):
        return servers.missing(handler, rest)
    handler.begin_endless(Content_Length="100000")
    handler.wfile.write(article(rest))
    return None


@way(living, A)
def slow_to_answer(handler: Handler, rest: str) -> None:
    handler.server.closing.wait(0.4)
    site(article)(handler, rest)


@way(living, A)
def consent_leads_back(handler: Handler, rest: str) -> None:
    if "consent=yes" in handler.headers.get("Cookie", ""):
        site(article)(handler, rest)
    elif rest.startswith("consent/"):
        handler.redirect(
            f"{handler.base}/{rest.removeprefix('consent/')}", 302, Set_Cookie="consent=yes; Path=/"
        )
    else:
        handler.redirect(f"{handler.base}/consent/{rest}", 302)


@way(living, A)
def cookie_before_page(handler: Handler, rest: str) -> None:
    if "seen=" in handler.headers.get("Cookie", ""):
        site(article)(handler, rest)
    else:
        handler.redirect(f"{handler.base}/{rest}", 302, Set_Cookie="seen=1; Path=/")


def _for_browsers(code: int) -> Route:
    def route(handler: Handler, rest: str) -> None:
        if "Mozilla" in handler.headers.get("User-Agent", ""):
            site(article)(handler, rest)
        else:
            handler.answer(code, b"")

    return route


for code in (403, 404, 406):
    enter(living, A, f"browsers-only-{code}", _for_browsers(code))

enter(
    living,
    A,
    "about-404s",
    site(lambda rest: article(rest, "How to fix a 404", "<p>A page says: not found.</p>")),
)
enter(
    living,
    A,
    "about-not-found-pages",
    site(
        lambda rest: article(
            rest,
            "404 Not Found: what it means",
            "<p>The page you are looking for could not be found, it says.</p>",
            400,
        )
    ),
)
enter(
    living,
    A,
    "film-of-that-name",
    site(lambda rest: article(rest, "Page not found (film)")),
    rest="p{n}.not-found",
)
enter(
    living,
    A,
    "about-domains",
    site(lambda rest: article(rest, "The trade in names", "<p>Buy this domain, it said.</p>", 400)),
)
enter(living, A, "about-walls", site(lambda rest: article(rest, "Are you a robot?", count=400)))
enter(living, A, "about-maintenance", site(lambda rest: article(rest, "Maintenance", count=300)))
enter(
    living,
    A,
    "login-form-in-the-menu",
    site(lambda rest: article(rest, extra='<form>Log in <input type="password"></form>')),
)
enter(
    living,
    A,
    "one-title-for-all",
    everything(
        lambda rest: html(
            "The site", f"{MENU}<p>{prose(rest, 80) if known(rest) else 'Sorry, look again.'}</p>"
        )
    ),
)
enter(
    living,
    A,
    "shell-of-a-script",
    everything(
        lambda rest: html("An app", '<div id="root"></div>', '<script src="/app.js" type="module"></script>')
    ),
)
enter(
    living,
    A,
    "asks-for-javascript",
    everything(
        lambda rest: html(
            "An app",
            "<noscript>You need to enable JavaScript to run this app.</noscript><main></main>"
            "<script src=/a.js></script>",
        )
    ),
)
enter(
    living,
    A,
    "only-the-number-counts",
    lambda handler, rest: (
        handler.answer(body=article("p" + rest.split("/")[0]))
        if rest.split("/")[0].isdigit()
        else servers.missing(handler, rest)
    ),
    rest="{n}/how-llamas-sleep",
)
enter(
    living,
    A,
    "only-the-name-counts",
    lambda handler, rest: handler.answer(
        body=html(
            "The shop",
            f"{MENU}<h1>A fine kettle</h1><p>{prose(rest.split('/')[0])}</p>",
            f'<link rel="canonical" href="/only-the-name-counts/{rest.split("/")[0]}">',
        )
    ),
    rest="kettle/ref={n}",
)
enter(living, A, "wiki-of-any-name", everything(lambda rest: article(rest)))

enter(living, A, "place-by-id", site(lambda rest: article(rest, extra=PLACED)), rest="p{n}#plan")
enter(living, A, "place-by-name", site(lambda rest: article(rest, extra=PLACED)), rest="p{n}#named")
enter(living, A, "place-escaped", site(lambda rest: article(rest, extra=PLACED)), rest="p{n}#gr%C3%B6%C3%9Fe")
enter(living, A, "top-of-a-page", site(article), rest="p{n}#top")
enter(
    living,
    A,
    "place-far-down",
    site(lambda rest: article(rest, count=30_000).replace(b"</body>", b'<h2 id="end">End</h2></body>')),
    rest="p{n}#end",
)
enter(
    living,
    A,
    "quoted-text",
    site(lambda rest: article(rest, extra=PLACED)),
    rest="p{n}#:~:text=sentence%20that%20is,here",
)
enter(
    living,
    A,
    "place-made-by-a-script",
    site(
        lambda rest: html(
            "An app", f'<div id="root"><p>{prose(rest)}</p></div>', '<script src="/app.js"></script>'
        )
    ),
    rest="p{n}#section-4",
)


def _file(type: str, data: bytes) -> Route:
    return lambda handler, rest: (
        handler.answer(body=data, type=type)
        if known(rest.partition(".")[0])
        else servers.missing(handler, rest)
    )


enter(living, A, "pdf", _file("application/pdf", b"%PDF-1.4 \xff\xfe" * 500), rest="p{n}.pdf#page=3")
enter(living, A, "image", _file("image/png", b"\x89PNG\r\n" + bytes(2000)), rest="p{n}.png")
enter(living, A, "json", _file("application/json", b'{"error": "not found"}'), rest="p{n}.json")
enter(
    living,
    A,
    "text-file",
    _file("text/plain", b"Error 404: page not found\nis what it says"),
    rest="p{n}.txt",
)
enter(living, A, "empty-page", _file("text/html", b""))


@way(living, A)
def no_content(handler: Handler, rest: str) -> None:
    if known(rest):
        handler.answer(204, b"", None)
    else:
        servers.missing(handler, rest)


@way(living, A)
def query_of_its_own(handler: Handler, rest: str) -> None:
    if "id=" in rest:
        handler.answer(body=article(rest))
    else:
        servers.missing(handler, rest)


WAYS["query-of-its-own"] = Way("query-of-its-own", living, A, query_of_its_own, "?id={n}&x=%2F")


@way(living, M)
def project_got_its_own_site(handler: Handler, rest: str) -> None:
    if known(rest):
        handler.redirect(handler.server.url("", "127.0.0.1"))
    else:
        servers.missing(handler, rest)


@way(living, M)
def folder_index(handler: Handler, rest: str) -> None:
    if known(rest):
        handler.redirect(f"{handler.base}/{rest}/index.html")
    else:
        site(article)(handler, rest.partition("/")[0])


@way(living, M)
def part_of_the_home_page(handler: Handler, rest: str) -> None:
    if known(rest):
        handler.redirect("/#about")
    else:
        servers.missing(handler, rest)


@way(living, A)
def route_of_the_home_page(handler: Handler, rest: str) -> None:
    if known(rest):
        handler.redirect(f"/#/{rest}", 302)
    else:
        servers.missing(handler, rest)
