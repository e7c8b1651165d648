"""Every way in which a link can live, be gone, or not say: a table that tests and benchmarks share.

A way is a handler of the misbehaving server, and what a careful reader may conclude from it.
Pages of a living way differ from one another, and paths that are not among them are honestly
missing, unless the way says otherwise.
"""

from __future__ import annotations

import gzip
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from kb.model import Verdict
from tests import servers
from tests.servers import Handler

Route = Callable[[Handler, str], None]


class Life(StrEnum):
    """What is true of a link, whatever a checker says of it."""

    LIVING = "living"
    DEAD = "dead"
    UNKNOWABLE = "unknowable"


A, M, B, K, U = Verdict.ALIVE, Verdict.MOVED, Verdict.BROKEN, Verdict.BLOCKED, Verdict.UNREACHABLE


@dataclass(frozen=True)
class Way:
    """One way: its name, what it means, the verdict of one look, its route and the rest of its address.

    `slow` ways take a whole time-out; `tls` ways need a certificate, named here.
    """

    name: str
    life: Life
    verdict: Verdict
    route: Route | None
    rest: str = "p{n}"
    slow: bool = False
    tls: str = ""

    def path(self, number: int) -> str:
        """The address of its link of that number, below a server."""
        return f"{self.name}/{self.rest}".format(n=number)


WAYS: dict[str, Way] = {}


def way(
    life: Life, verdict: Verdict, *, rest: str = "p{n}", slow: bool = False, name: str = ""
) -> Callable[[Route], Route]:
    """Enter a handler into the table."""

    def enter(route: Route) -> Route:
        called = name or route.__name__.strip("_").replace("_", "-")
        WAYS[called] = Way(called, life, verdict, route, rest, slow)
        return route

    return enter


living, dead, unknowable = Life.LIVING, Life.DEAD, Life.UNKNOWABLE


# -- pages -----------------------------------------------------------------------------------------

_VOCABULARY = """
adapter answer batch bullet cache card chapter choice column cost curve data date depth draft editor
error evening field figure folder garden glossary gradient graph heading history home index journey
kernel kettle lamp layer ledger letter line link list loss margin memory model morning night note
number page paper passage path pencil place plan price quiet range reader recall record river road
room rule sample sentence session shelf sign source speed stage station step stone store story
summer table task text thread title token tower train tree tuning value vector vowel water week
weight window winter word year
"""
_WORDS = _VOCABULARY.split()


def prose(seed: str, count: int = 120) -> str:
    """Words that are the same for one seed and others for another."""
    pick = random.Random(seed)
    return " ".join(pick.choice(_WORDS) for _ in range(count))


def html(title: str, body: str, head: str = "") -> bytes:
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title>{head}</head>"
        f"<body>{body}</body></html>"
    ).encode()


MENU = "<nav>" + " ".join(f"<a href=/s{n}>{word}</a>" for n, word in enumerate(_WORDS[:60])) + "</nav>"


def article(rest: str, title: str = "", extra: str = "", count: int = 120) -> bytes:
    title = title or f"On {prose(rest, 4)}"
    return html(title, f"{MENU}<h1>{title}</h1>{extra}<p>{prose(rest, count)}</p>")


def known(rest: str) -> bool:
    """Whether a path is one of a way's pages; others do not exist."""
    return rest.startswith("p") and rest[1:].isdigit()


def site(make: Callable[[str], bytes]) -> Route:
    """A handler that serves pages, and honest 404s beside them."""

    def route(handler: Handler, rest: str) -> None:
        if known(rest.partition(".")[0]):
            handler.answer(body=make(rest))
        else:
            servers.missing(handler, rest)

    return route


def everything(make: Callable[[str], bytes]) -> Route:
    """A handler that has a page for any path."""
    return lambda handler, rest: handler.answer(body=make(rest))


def enter(life: Life, verdict: Verdict, name: str, route: Route, **more: object) -> None:
    way(life, verdict, name=name, **more)(route)  # type: ignore[arg-type]


def home(handler: Handler, rest: str) -> None:
    handler.answer(body=html("The site", f"{MENU}<h1>Welcome</h1><p>{prose('home')}</p>"))


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


for code in (500, 502, 503):
    enter(
        living,
        A,
        f"fails-once-{code}",
        _once_then_page(lambda handler, code=code: handler.answer(code, b"")),  # type: ignore[misc]
    )
for code in (429, 503):
    enter(
        living,
        A,
        f"asks-to-wait-{code}",
        _once_then_page(lambda handler, code=code: handler.answer(code, b"", Retry_After="1")),  # type: ignore[misc]
    )
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
enter(living, A, "wiki-of-any-name", everything(lambda rest: article(rest)))

_PLACED = (
    '<h2 id="plan">Plan</h2><a name="named"></a><h3 id="größe">Größe</h3>'
    "<p>A sentence that is quoted here.</p>"
)
enter(living, A, "place-by-id", site(lambda rest: article(rest, extra=_PLACED)), rest="p{n}#plan")
enter(living, A, "place-by-name", site(lambda rest: article(rest, extra=_PLACED)), rest="p{n}#named")
enter(
    living, A, "place-escaped", site(lambda rest: article(rest, extra=_PLACED)), rest="p{n}#gr%C3%B6%C3%9Fe"
)
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
    site(lambda rest: article(rest, extra=_PLACED)),
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
enter(dead, B, "missing-place", site(lambda rest: article(rest, extra=_PLACED)), rest="p{n}#gone")
enter(dead, B, "missing-place-of-no-ids", site(article), rest="p{n}#chapter-2")
enter(dead, B, "missing-text", site(article), rest="p{n}#:~:text=words%20nobody%20wrote")


# -- unknowable ------------------------------------------------------------------------------------


def _answers(code: int, body: bytes = b"", **headers: str) -> Route:
    return lambda handler, rest: handler.answer(code, body, **headers)


for code, verdict in (
    (401, K),
    (402, K),
    (403, K),
    (407, K),
    (451, K),
    (999, K),
    (400, U),
    (500, U),
    (502, U),
    (520, U),
):
    enter(unknowable, verdict, f"always-{code}", _answers(code))
enter(unknowable, K, "too-many-429", _answers(429, Retry_After="3600"))
enter(unknowable, K, "down-503", _answers(503, Retry_After="7200"))
_MOMENT = html("Just a moment...", "<p>Checking your browser</p>")
enter(unknowable, K, "challenge-403", _answers(403, _MOMENT, cf_mitigated="challenge"))
enter(unknowable, K, "challenge-by-header", _answers(200, article("x"), cf_mitigated="challenge"))
enter(unknowable, K, "challenge-200", _answers(200, _MOMENT))
enter(unknowable, K, "challenge-202", _answers(202, b"", x_amzn_waf_action="challenge"))
enter(
    unknowable,
    K,
    "captcha",
    _answers(200, html("acme.example", "<p>Press and hold</p><div id=px-captcha></div>")),
)
enter(unknowable, K, "robot-check", _answers(200, html("Robot Check", "<p>Type the letters you see</p>")))
enter(
    unknowable, U, "out-of-order-200", _answers(200, html("Site under maintenance", "<p>Back at noon.</p>"))
)
_DOOR = html("Log in - Acme", "<form>Name <input name=u> Word <input type=password name=p></form>")
enter(unknowable, K, "login-page-instead", _answers(200, _DOOR))


def _to_a_door(place: str) -> Route:
    def route(handler: Handler, rest: str) -> None:
        if rest.startswith(place.partition("?")[0]):
            handler.answer(body=_DOOR if "log" in place else html("Your privacy", "<button>Accept</button>"))
        else:
            handler.redirect(f"{handler.base}/{place}", 302)

    return route


enter(unknowable, K, "redirect-to-login", _to_a_door("login?next=/p1"))
enter(unknowable, K, "consent-that-leads-nowhere", _to_a_door("consent?continue=/p1"))


@way(unknowable, K)
def cookie_circle(handler: Handler, rest: str) -> None:
    handler.redirect(f"{handler.base}/{rest}", 302, Set_Cookie=f"seen={handler.visits}")


@way(unknowable, U)
def reset(handler: Handler, rest: str) -> None:
    handler.reset()


@way(unknowable, U)
def empty_answer(handler: Handler, rest: str) -> None:
    handler.close_connection = True


@way(unknowable, U)
def not_http(handler: Handler, rest: str) -> None:
    servers.not_http(handler, rest)


@way(unknowable, U, slow=True)
def never_answers(handler: Handler, rest: str) -> None:
    handler.close_connection = True
    handler.server.closing.wait(12)


@way(unknowable, U, slow=True)
def redirect_to_what_never_answers(handler: Handler, rest: str) -> None:
    handler.redirect(f"/never-answers/{rest}", 302)


WAYS["refused"] = Way("refused", unknowable, U, None)
for fault in ("self-signed", "expired", "wrong-host", "not-tls"):
    WAYS[fault] = Way(fault, unknowable, U, None, tls=fault)


def routes() -> dict[str, Route]:
    """What a server needs to misbehave in all of these ways."""
    found = {one.name: one.route for one in WAYS.values() if one.route is not None}
    return {**found, "": home, "en": home, "index.html": home}


def count(life: Life) -> int:
    return sum(one.life is life for one in WAYS.values())


def numbered(links: int) -> Iterator[tuple[Way, int]]:
    """So many links, the ways taking turns."""
    ways = list(WAYS.values())
    for number in range(links):
        yield ways[number % len(ways)], number // len(ways)
