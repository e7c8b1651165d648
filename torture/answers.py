"""Hostile answers of the sites' APIs: what each would answer, and every way of spoiling that.

A source's good answer is a JSON value, or an Atom feed; `spoilt` are the same with something else
in the place of one field, or of all. `RAW` and `WAYS` spoil any of them.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any, Final
from xml.sax.saxutils import escape

from tests.replicas import ARTICLE, CSL, REPO, VIDEO, WORK
from tests.servers import Handler
from torture.zoo import BIDI, ESCAPES, SCRIPT

#: A number that fits nowhere, written out by hand: as a float it would be rounded.
_HUGE: Final = "9" * 5_000
#: What stands where something else was expected.
WRONG: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 2**63, 1e308, float("nan"), float("inf"), "", " ", "\0", "null", "NaN"),
    *([], [[]], [None], {}, {"a": {}}, [[[[1]]]], ["x"] * 3_000, "x" * 100_000, ESCAPES, BIDI, SCRIPT),
    *("](javascript:alert(1)) [x", "a\nb\r\nc", "{{ config }} {onclick=alert(1)}", "javascript:alert(1)"),
    *("\ud800", "https://evil.example/web/20230101000000/https://x.example/", "file:///etc/passwd"),
)
_ENTRY: Final = (
    "<entry><id>http://arxiv.org/abs/{id}v1</id><published>2023-05-23T17:50:33Z</published>"
    "<title>{title}</title><summary>{summary}</summary><author><name>{author}</name></author>"
    '<category term="{term}"/></entry>'
)
_FEED: Final = '<?xml version="1.0" encoding="{}"?>{}<feed xmlns="http://www.w3.org/2005/Atom">{}</feed>'
_LAUGHS: Final = (
    "<!DOCTYPE feed [<!ENTITY a '"
    + "ha" * 50
    + "'>"
    + "".join(
        f"<!ENTITY {one} '{f'&{before};' * 10}'>" for before, one in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)
_OUTSIDE: Final = "<!DOCTYPE feed [<!ENTITY i SYSTEM 'file:///etc/passwd'>]>"


def fields(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each value of a document stands, the document itself left out."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, below in inner:
        yield (*path, name)
        yield from fields(below, (*path, name))


def with_field(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The document with another value there."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = with_field(value[path[0]], path[1:], new)
    return copy


def everywhere(value: Any, new: Any) -> Any:
    """The document with another value in the place of each that holds no others."""
    if isinstance(value, dict) and value:
        return {name: everywhere(below, new) for name, below in value.items()}
    return [everywhere(below, new) for below in value] if isinstance(value, list) and value else new


def good(source: str, number: int) -> Any:
    """What a source says of its page of that number."""
    title = f"Good {source} {number}"
    match source:
        case "hackernews":
            story = {"id": number, "type": "story", "by": "someone", "title": title, "time": 1175714200}
            return story | {"score": 1, "descendants": 2, "text": "Words", "url": "https://x.example/"}
        case "github":
            return REPO | {"full_name": f"o/r{number}", "description": title}
        case "youtube":
            return VIDEO | {"title": title}
        case "wikipedia":
            return ARTICLE | {"title": title, "titles": {"normalized": title}}
        case "doi":
            return {"status": "ok", "message": WORK | {"title": [title], "subtitle": []}}
        case "csl":
            return CSL | {"title": title}
        case "wayback":
            copy = f"http://web.archive.org/web/20230601000000/https://x.example/{number}"
            closest = {"available": True, "url": copy, "timestamp": "20230601000000", "status": "200"}
            return {"archived_snapshots": {"closest": closest}}
    raise LookupError(source)


def paper(number: int, **more: str) -> str:
    """An entry of arXiv's feed."""
    told = {
        "id": f"2500.{number:05}",
        "title": f"Good arxiv {number}",
        "summary": "Words",
        "author": "A. Name",
    }
    return _ENTRY.format(**(told | {"author": "A. Name", "term": "cs.LG"} | more))


def feed(entries: str, head: str = "", encoding: str = "UTF-8") -> bytes:
    """A feed of arXiv's."""
    return _FEED.format(encoding, head, entries).encode(encoding, "replace")


def spoilt(source: str, number: int) -> Iterator[bytes]:
    """Documents with wrong values: each in the place of all, and one after another in each field."""
    if source == "arxiv":
        yield from _spoilt_feeds(number)
        return
    whole = good(source, number)
    for new in WRONG:
        yield written(everywhere(whole, new))
    for at, path in enumerate(fields(whole)):
        yield written(with_field(whole, path, WRONG[at % len(WRONG)]))
        yield written(with_field(whole, path, WRONG[(at * 7 + 3) % len(WRONG)]))
    yield written(whole).replace(b"1", _HUGE.encode())


def written(value: Any) -> bytes:
    """As JSON, with what JSON does not have."""
    return json.dumps(value).encode("utf-8", "replace")


def _spoilt_feeds(number: int) -> Iterator[bytes]:
    entry = paper(number)
    for words in (text for text in WRONG if isinstance(text, str)):
        clean = escape("".join(char for char in words if char.isprintable() or char in "\n\u202e"))
        yield feed(paper(number, title=clean, summary=clean, author=clean, term=escape(clean, {'"': "'"})))
        yield feed(paper(number, title=words))
    yield feed(paper(number, title="&i;"), _OUTSIDE)
    for encoding in ("UTF-8", "UTF-16"):
        yield feed(paper(number, title="&i;"), _LAUGHS, encoding)
    yield feed(paper(number, id="../../etc/passwd"))
    yield feed(entry * 2_000)
    yield feed("<entry>" * 50_000)
    yield feed("<entry " + " ".join(f"a{n}='b'" for n in range(5_000)) + "/>" + entry)
    yield feed(entry).replace(b"UTF-8", b"cp037")
    yield feed(entry).replace(b"UTF-8", b"x-nothing")
    yield feed(entry).replace(b"http://www.w3.org/2005/Atom", b"urn:x")
    yield feed(entry)[:-20]


#: Bodies that are no such document at all.
RAW: Final = (
    *(b"", b"null", b"[]", b"3", b'"words"', b"NaN", b"-Infinity", b"{", b"\xff\xfe{}", b"\xef\xbb\xbf"),
    *(b"[" * 100_000, b'{"a":' * 100_000, b'{"error": "not today", "message": "no"}', bytes(1_000)),
    *(b"<html><title>Sign in</title><body>Please sign in.</body></html>", _HUGE.encode(), b"9" * 3_000_000),
    *(b'{"title": "' + b"y" * 3_000_000 + b'"}', ESCAPES.encode(), json.dumps(SCRIPT).encode()),
    *(b'{"title": "twice", "title": ["twice"]}', b"{}{}", b"<?xml version='1.0'?><!DOCTYPE a []><a/>"),
)


def _endless(handler: Handler) -> None:
    handler.begin_endless()
    while not handler.server.closing.is_set():
        handler.wfile.write(b'[{"title": "on and on"},' * 500)


def _drops(handler: Handler) -> None:
    """A byte now and then, for ever."""
    handler.begin_endless()
    while not handler.server.closing.wait(0.2):
        handler.wfile.write(b"[")
        handler.wfile.flush()


def _bomb(handler: Handler) -> None:
    packed = gzip.compress(b'{"title": "' + b" " * 50_000_000 + b'"}', 9)
    handler.answer(body=packed, type="application/json", Content_Encoding="gzip")


def _slow(handler: Handler) -> None:
    handler.close_connection = True
    handler.server.closing.wait(20)


def _cut(handler: Handler) -> None:
    handler.begin_endless(Content_Length="100000")
    handler.wfile.write(b'{"title": "cut')


def _not_http(handler: Handler) -> None:
    handler.close_connection = True
    handler.wfile.write(b"\x1b[2J220 mail.example ESMTP\r\n\r\n")


#: Ways of answering that have nothing to do with what is asked.
WAYS: Final[tuple[Callable[[Handler], None], ...]] = (
    *(_endless, _drops, _bomb, _slow, _cut, _not_http, Handler.reset),
    lambda handler: handler.answer(204, b""),
    lambda handler: handler.answer(500, b"<h1>\x1b[31moops</h1>"),
    lambda handler: handler.answer(429, b"{}", Retry_After="99999999999"),
    lambda handler: handler.answer(403, b"{}", X_RateLimit_Remaining="0", X_RateLimit_Reset="9" * 400),
    lambda handler: handler.answer(999, b"\x1b[2J"),
    lambda handler: handler.redirect(handler.path),
    lambda handler: handler.redirect("file:///etc/passwd"),
    lambda handler: handler.redirect("http://[::1"),
    lambda handler: handler.redirect(f"http://127.0.0.9:{handler.server.port}/elsewhere"),
    lambda handler: handler.redirect("https://evil.invalid/"),
)
