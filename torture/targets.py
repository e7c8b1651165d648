"""What must hold for any bytes at all, one function a target, for the fuzzer and the replay of its corpus.

A target never raises but for a fault of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from kb import urls
from kb.errors import ImportRefused, LedgerError, NoteError
from kb.model import When
from kb.notes import dates
from kb.notes.edit import append_bullet, bullet, replace_url
from kb.notes.importers.page import split_page
from kb.notes.parse import outline, parse
from kb.store import ledger
from kb.web.fetch.fetcher import _target
from kb.web.fetch.transport import Cookies, Stop, Unpacker
from kb.web.fetch.wire import HEAD_BYTES, Answer, Wire
from kb.web.page import facts, pdf, text
from kb.web.plain import Plain
from tests.wires import Heard, heard

CORPUS: Final = Path(__file__).parent.parent / "tests" / "corpus"
_AT: Final = "2026-11-24T00:00:00Z"
_NEW: Final = "https://new.example/z"
_TYPES: Final = (None, "text/html", "text/html; charset=utf-16", "application/xhtml+xml; charset=gb18030")
_UNSEEMLY: Final = "\x00\x1b\x9b\u202e"


def parse_note(data: bytes) -> None:
    """A note: spans point at what they name, a change changes what it says, nothing is lost by a split."""
    note = parse("2023/n.md", data)
    last = 0
    for passage in note.passages:
        assert last <= passage.span.start <= passage.span.end <= len(data)
        last = passage.span.start
        assert passage.line >= 1
    assert parse("2023/n.md", data) == note
    assert all(problem.line >= 1 for problem in note.problems)
    faithful = _is_utf8(data) and not data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if faithful:
        for link in note.links:
            assert data[link.span.start : link.span.end].decode() == link.href
    _edit(data, [link.href for link in note.links] if faithful else None)
    body, _ = outline(data)
    assert 0 <= body <= len(data)
    try:
        drafts = split_page("p.md", data).drafts
    except ImportRefused:
        return
    assert len({draft.path for draft in drafts}) == len(drafts)


def _edit(data: bytes, hrefs: list[str] | None) -> None:
    try:
        longer = append_bullet(data, bullet("new", _NEW))
    except NoteError:
        longer = b""
    if longer:
        assert longer.startswith(data)
        assert _NEW in [link.href for link in parse("n.md", longer).links]
    if not hrefs:
        return
    links = parse("n.md", data).links
    link = links[len(data) % len(links)]
    try:
        after = replace_url(data, link.span, link.href, _NEW)
    except NoteError:
        return
    assert after == data[: link.span.start] + _NEW.encode() + data[link.span.end :]


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def read_dates(data: bytes) -> None:
    """Dates: of the calendar, and the same when what they say is read again."""
    words = data.decode("utf-8", "replace")
    found = [
        dates.find_date(words),
        dates.find_date(words, day_first=True, year=2023),
        dates.heading_date(words),
        dates.heading_date(words, day_first=True, year=2024),
        dates.filename_date(words),
        dates.written_date(words),
    ]
    for when in found:
        if when is not None:
            assert when.earliest <= when.latest
            assert When.parse(str(when)) == when


def read_url(data: bytes) -> None:
    """Addresses: one canonical form, one key, no password shown, nothing of the web made of what is not."""
    url = data.decode("utf-8", "surrogateescape")
    once = urls.canonical(url)
    assert urls.canonical(once) == once
    key = urls.key(url)
    assert urls.key(once).key == key.key
    if urls.is_web(key.key):
        assert urls.canonical(key.key) == key.key
    assert urls.may_be_same(url, url)
    urls.link_kind(url, "the paper")
    asked = urls.fetch_url(url)
    if urls.is_web(url):
        assert asked.isascii()
        assert asked.startswith(("http://", "https://"))
        assert urls.is_web(asked)
        assert urls.origin(asked) == urls.origin(url)
        assert urls.credentials(asked) is None
        assert urls.credentials(once) is None
        assert urls.credentials(key.key) is None
        assert urls.credentials(urls.safe_display(url)) is None


def read_page(data: bytes) -> None:
    """A page of the web: facts and text without controls, whatever it is."""
    url = "https://acme.example/a"
    for kind in _TYPES:
        told = facts(data, kind, url, _AT)
        readable = text.readable(data, kind)
        assert len(readable) <= text.MAX_CHARS
        for words in (told.title, told.description, told.site, *told.authors, readable):
            assert words is None or not any(char in words for char in _UNSEEMLY), repr(words)
    seen = Plain(data.decode("utf-8", "replace"))
    _ = (seen.title, seen.heading, seen.site, seen.canonical)
    pdf.facts(data, _AT)


def read_ledger(data: bytes) -> None:
    """A ledger: read or refused by line; what is read is written and read the same."""
    words = data.decode("utf-8", "replace")
    try:
        entries = ledger.parse(words)
    except LedgerError as error:
        assert str(error).startswith("links.jsonl:")
        assert error.hint
        return
    once = ledger.render(entries.values())
    assert ledger.render(ledger.parse(once).values()) == once
    for entry in entries.values():
        assert ledger.merge(entry, entry) == entry


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def read_wire(data: bytes) -> None:
    """What a server says: an answer or a fault, the same in whatever pieces it comes, and within bounds."""
    size = data[0] + 1 if data else 1
    said = data[1:]
    whole = _heard([said])
    pieces = [said[at : at + size] for at in range(0, len(said), size)]
    assert _heard(pieces)[:5] == whole[:5]
    assert whole.most <= HEAD_BYTES + len(said)
    assert len(whole.body) <= len(said)
    assert whole.status is None or 100 <= whole.status <= 999
    assert whole.ended in ("whole", "NotHttp", "Disconnected")
    if whole.status is None:
        return
    assert not any("\n" in words for words in (*whole.headers, *whole.headers.values(), *whole.cookies))
    here = "https://acme.example/a/b"
    cookies = Cookies()
    cookies.take(here, whole.cookies)
    cookies.header(here)
    answer = Answer(whole.status, whole.headers, whole.cookies, Wire())
    with suppress(Stop):
        target, _ = _target(here, answer)
        if urls.origin(target) is not None:  # anything else is not asked for
            assert urls.is_web(target)
            assert target.isascii()
            assert target.isprintable()
            assert len(target.split("/", 3)) == 4
    unpacker = Unpacker(whole.headers.get("content-encoding", ""), 10_000)
    unpacker.feed(whole.body)
    assert len(unpacker.out) <= 10_000


def _heard(pieces: list[bytes]) -> Heard:
    return _loop().run_until_complete(heard(pieces))


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "parse": parse_note,
    "dates": read_dates,
    "urls": read_url,
    "page": read_page,
    "ledger": read_ledger,
    "wire": read_wire,
}
