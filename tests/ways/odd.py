"""Answers that bend HTTP, and pages that lead on by other means: the web as it is."""

from __future__ import annotations

import gzip
from email.utils import formatdate
from time import time

from tests import servers
from tests.servers import Handler
from tests.ways.base import (
    MENU,
    A,
    B,
    K,
    M,
    Route,
    U,
    article,
    dead,
    enter,
    everything,
    html,
    known,
    living,
    prose,
    site,
    unknowable,
    way,
)


def _raw(handler: Handler, *pieces: bytes, close: bool = True) -> None:
    """An answer byte for byte."""
    handler.close_connection = close
    for piece in pieces:
        handler.wfile.write(piece)
        handler.wfile.flush()


_HTML = b"Content-Type: text/html; charset=utf-8\r\n"


def _page_or_missing(answer: Route) -> Route:
    return lambda handler, rest: answer(handler, rest) if known(rest) else servers.missing(handler, rest)


# -- framing ---------------------------------------------------------------------------------------


def _old_http(handler: Handler, rest: str) -> None:
    _raw(handler, b"HTTP/1.0 200 OK\r\n" + _HTML + b"\r\n", article(rest))


def _announced(handler: Handler, rest: str) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
    _raw(handler, early * 3 + b"HTTP/1.1 100 Continue\r\n\r\n" * 40)
    handler.answer(body=article(rest))


def _in_chunks(handler: Handler, rest: str) -> None:
    body = article(rest)
    half = len(body) // 2
    _raw(
        handler,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n" + _HTML + b"\r\n",
        *(b'%X;name="a;b"\r\n%b\r\n' % (len(part), part) for part in (body[:half], body[half:])),
        b"000\r\nX-Sum: 12\r\n\r\n",
        close=False,
    )


def _both_framings(handler: Handler, rest: str) -> None:
    body = article(rest)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n" + _HTML + b"\r\n"
    _raw(handler, head, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))


def _says_more_than_asked(handler: Handler, rest: str) -> None:
    """Another answer behind the one that was asked for, on a connection that is kept."""
    body = article(rest)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(body) + _HTML + b"\r\n"
    _raw(handler, head + body + b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", close=False)


def _closes_without_a_word(handler: Handler, rest: str) -> None:
    """It keeps the connection, says so, and closes it."""
    handler.answer(body=article(rest), Connection="keep-alive")
    handler.close_connection = True


def _times_out_what_is_kept(handler: Handler, rest: str) -> None:
    """What proxies say to a connection that nobody uses, whether asked or not."""
    handler.answer(body=article(rest))
    _raw(handler, b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")


for name, answer in {
    "http-1.0-without-length": _old_http,
    "early-hints": _announced,
    "chunks-with-extensions": _in_chunks,
    "two-framings": _both_framings,
    "an-answer-too-many": _says_more_than_asked,
    "closes-what-it-keeps": _closes_without_a_word,
    "times-out-what-is-kept": _times_out_what_is_kept,
}.items():
    enter(living, A, name, _page_or_missing(answer))


def _encoded(name: str, data: bytes | None = None) -> Route:
    """A body in an encoding that nobody asked for."""

    def answer(handler: Handler, rest: str) -> None:
        handler.answer(body=data or gzip.compress(article(rest)), Content_Encoding=name)

    return _page_or_missing(answer)


enter(living, A, "brotli-unasked", _encoded("br", b"\x8b\x02\x80some brotli\x03"))
enter(living, A, "zstd-unasked", _encoded("zstd", b"\x28\xb5\x2f\xfd\x04\x00some zstd"))
enter(living, A, "gzip-said-twice", _encoded("gzip, gzip"))


@way(dead, B)
def gzip_said_twice_of_an_error(handler: Handler, rest: str) -> None:
    body = gzip.compress(html("404 Not Found", "<h1>404 Not Found</h1>"))
    handler.answer(body=body, Content_Encoding="gzip, gzip")


# -- statuses --------------------------------------------------------------------------------------

enter(living, A, "reset-content", _page_or_missing(lambda handler, rest: handler.answer(205, b"", None)))
enter(
    living,
    A,
    "part-unasked",
    _page_or_missing(
        lambda handler, rest: handler.answer(206, article(rest), Content_Range="bytes 0-99/100")
    ),
)
enter(
    living,
    A,
    "several-choices",
    _page_or_missing(lambda handler, rest: handler.answer(300, article(rest))),
)


def _unchanged(once: bool) -> Route:
    """304 to a question that held nothing against it: once, as a cache in disorder, or always."""

    def answer(handler: Handler, rest: str) -> None:
        if once and handler.visits > 1:
            handler.answer(body=article(rest))
        else:
            handler.answer(304, b"", None)

    return _page_or_missing(answer)


enter(living, A, "unchanged-once", _unchanged(once=True))
enter(unknowable, U, "unchanged-always", _unchanged(once=False))


def _answers(code: int) -> Route:
    return lambda handler, rest: handler.answer(code, b"")


for code, verdict in ((418, K), (521, U), (522, U), (523, U), (525, U), (526, U), (530, U)):
    enter(unknowable, verdict, f"always-{code}", _answers(code))


def _later(value: object) -> Route:
    def answer(handler: Handler, rest: str) -> None:
        if handler.visits > 1:
            handler.answer(body=article(rest))
        else:
            after = value() if callable(value) else str(value)
            handler.answer(503, b"", Retry_After=str(after))

    return _page_or_missing(answer)


enter(living, A, "asks-to-wait-until-a-date", _later(lambda: formatdate(time() + 1, usegmt=True)))
enter(living, A, "asks-to-wait-until-a-date-gone-by", _later("Wed, 21 Oct 2015 07:28:00 GMT"))
enter(living, A, "asks-to-wait-in-words", _later("soon"))


# -- where to --------------------------------------------------------------------------------------


def _location(spell: str) -> Route:
    """A redirect whose address is spelled as it should not be; raw bytes, `{}` the way's own path."""

    def route(handler: Handler, rest: str) -> None:
        if known(rest):
            base, host = handler.base, handler.headers["Host"]
            target = spell.format(base=base, back=base.replace("/", "\\"), page=rest, host=host)
            head = f"HTTP/1.1 301 Moved\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"
            _raw(handler, head.encode("latin-1"), close=False)
        elif "found" in rest:
            handler.answer(body=article(rest))
        else:
            servers.missing(handler, rest)

    return route


for name, spell in {
    "location-with-spaces": "{base}/found {page} here",
    "location-in-utf-8": "{base}/found-{page}-" + "größe".encode().decode("latin-1"),
    "location-with-backslashes": "{back}\\found-{page}",
    "location-of-the-same-scheme": "http:{base}/found-{page}",
    "location-with-more-slashes": "http:////{host}{base}/found-{page}",
    "location-backwards": "\\\\{host}{back}\\found-{page}",
}.items():
    enter(living, M, name, _location(spell))


@way(living, M)
def location_in_latin_1(handler: Handler, rest: str) -> None:
    if known(rest):
        target = f"{handler.base}/caf\xe9-{rest}"
        head = f"HTTP/1.1 301 Moved\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"
        _raw(handler, head.encode("latin-1"), close=False)
    elif "%E9" in handler.path.upper():
        handler.answer(body=article(handler.path))
    else:
        servers.missing(handler, rest)


@way(dead, B)
def location_of_a_fragment_alone(handler: Handler, rest: str) -> None:
    handler.redirect("#top", 302)


def _cookie(line: str) -> Route:
    """A wall of one cookie, set as sites do."""

    def route(handler: Handler, rest: str) -> None:
        if "pass=" in handler.headers.get("Cookie", ""):
            site(article)(handler, rest)
        else:
            host = handler.headers["Host"].partition(":")[0]
            value = line.format(base=handler.base, host=host)
            handler.redirect(f"{handler.base}/{rest}", 302, Set_Cookie=value)

    return route


for name, line in {
    "cookie-for-the-path": "pass=1; Path={base}; HttpOnly; SameSite=Lax",
    "cookie-for-the-domain": "pass=1; Domain={host}; Path=/; Max-Age=600",
    "cookie-with-an-odd-date": "pass=a,b; expires=Fri, 31-Dec-2038 23:59:59 GMT; path=/",
    "cookie-of-the-host": "__Host-pass=1; Path=/; Partitioned",
}.items():
    enter(living, A, name, _cookie(line))


# -- pages that lead on ----------------------------------------------------------------------------


def _refresh(target: str, seconds: str = "0") -> bytes:
    return html("", "", f'<meta http-equiv="refresh" content="{seconds}; URL={target}">')


def _leads_on(handler: Handler, rest: str) -> None:
    if "found" in rest:
        handler.answer(body=article(rest))
    elif known(rest):
        words = "<p>Redirecting... <a href=.>Click here if you are not redirected.</a></p>"
        body = _refresh(f"{handler.base}/found-{rest}").replace(b"<body>", b"<body>" + words.encode())
        handler.answer(body=body)
    else:
        servers.missing(handler, rest)


enter(living, A, "refresh-to-its-place", _leads_on)


@way(living, A)
def refresh_in_the_header(handler: Handler, rest: str) -> None:
    if "found" in rest:
        handler.answer(body=article(rest))
    elif known(rest):
        handler.answer(body=b"", Refresh=f"0;url={handler.base}/found-{rest}")
    else:
        servers.missing(handler, rest)


@way(living, A)
def refreshes_itself(handler: Handler, rest: str) -> None:
    meta = b'<meta http-equiv="refresh" content="30">'
    site(lambda rest: article(rest).replace(b"</head>", meta + b"</head>"))(handler, rest)


@way(living, A)
def refresh_for_those_without_scripts(handler: Handler, rest: str) -> None:
    meta = b'<noscript><meta http-equiv=refresh content="0; url=/gone"></noscript>'
    site(lambda rest: article(rest).replace(b"</head>", meta + b"</head>"))(handler, rest)


enter(dead, B, "refresh-to-home", everything(lambda rest: _refresh("/")))
enter(dead, B, "refresh-to-what-is-gone", everything(lambda rest: _refresh(f"/404/{rest}")))
enter(
    dead,
    B,
    "script-to-home",
    everything(lambda rest: b'<html><script>window.location.replace("/");</script></html>'),
)


@way(unknowable, K)
def refresh_to_login(handler: Handler, rest: str) -> None:
    if rest.startswith("login"):
        handler.answer(body=html("Log in", "<form>Name <input name=u> <input type=password></form>"))
    else:
        handler.answer(body=_refresh(f"{handler.base}/login?next={handler.base}/{rest}"))


# -- words in other languages ----------------------------------------------------------------------


def _says(title: str) -> Route:
    # A page beside it is honestly missing, so that only the words can tell.
    return site(lambda rest: html(title, f"<h1>{title}</h1>"))


for language, title in {
    "spanish": "Página no encontrada",
    "french": "Page introuvable",
    "turkish": "Sayfa bulunamadı",
    "czech": "Stránka nenalezena",
    "finnish": "Sivua ei löytynyt",
    "hungarian": "Az oldal nem található",
    "ukrainian": "Сторінку не знайдено",
    "greek": "Η σελίδα δεν βρέθηκε",
    "hebrew": "העמוד לא נמצא",
    "arabic": "الصفحة غير موجودة",
    "vietnamese": "Không tìm thấy trang",
    "japanese": "お探しのページは見つかりません",
}.items():
    enter(dead, B, f"says-so-in-{language}", _says(title))

_PAUSE = "<p>Wir arbeiten gerade an unserer Seite und sind in Kürze wieder für Sie da.</p>"
enter(
    unknowable,
    U,
    "out-of-order-in-german",
    everything(lambda rest: html("Wartungsarbeiten", f"<h1>Wartungsarbeiten</h1>{_PAUSE}")),
)
enter(
    unknowable,
    U,
    "out-of-order-for-any-path",
    everything(
        lambda rest: html(
            "Acme",
            "<h1>We'll be back soon</h1><p>Acme is undergoing scheduled maintenance to serve you better. "
            "Thank you for your patience. For urgent matters write to us by mail, and follow our news "
            "to learn when the work is done and all pages are there again as you knew them.</p>",
        )
    ),
)
_ELSEWHERE = (
    "<h1>Sorry</h1><p>This content is not available in your region. Our pages cannot be reached from "
    "the European Economic Area, including the EU, as it enforces rules on personal data. For any "
    "questions write to us or call the office; we are looking at ways to bring our stories to readers "
    "everywhere, and thank you for your interest in what we do here.</p>"
)
enter(unknowable, K, "not-in-your-region", everything(lambda rest: html("Acme News", _ELSEWHERE)))
_AGE = f"<h1>Are you over 18?</h1><p>You must be of legal age to enter. {prose('age', 20)}</p>"
enter(unknowable, K, "asks-for-ones-age", everything(lambda rest: html("Acme Cellars", _AGE)))
enter(
    living,
    A,
    "about-regions",
    site(
        lambda rest: article(
            rest, "Why shops refuse", "<p>This content is not available in your region, it says.</p>", 400
        )
    ),
)
enter(
    living,
    A,
    "short-page-of-a-site-under-work",
    site(lambda rest: html(prose(rest, 3), f"{MENU}<p>Maintenance of looms. {prose(rest, 60)}</p>")),
)
