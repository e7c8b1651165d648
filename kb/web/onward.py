"""Pages that send their reader on as a redirect does: by a refresh, or a script of one line. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import Final
from urllib.parse import urljoin

from kb import urls
from kb.web.outcome import Hop, Outcome
from kb.web.plain import Plain

MOST: Final = 3
"""How often one link is followed so."""
_SOON: Final = 10.0  # seconds: what waits longer is there to be read
_WORDS: Final = 60
_META: Final = re.compile(r"""<meta\b[^<>]*\bhttp-equiv\s*=\s*["']?refresh\b[^<>]*>""", re.IGNORECASE)
_CONTENT: Final = re.compile(r"""\bcontent\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>]+))""", re.IGNORECASE)
_REFRESH: Final = re.compile(
    r"""\s*(\d{0,6}(?:\.\d{0,6})?)\s*[;,\s]\s*(?:url\s*=\s*)?+["']?([^"'\s][^"']{0,2000})""", re.IGNORECASE
)
_BASE: Final = re.compile(
    r"""<base\b[^<>]*[\s"']href\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>]+))""", re.IGNORECASE
)
# A script that does this and nothing else: one that asks anything first may do otherwise in a browser.
_SCRIPT: Final = re.compile(
    r"""<script\b(?![^<>]*\b(?:src\s*=|type\s*=\s*["']?+(?!(?:text|application)/javascript|module)))[^<>]*>"""
    r"""\s*(?:(?:window|document|top|self)\.)?location(?:\.href)?\s*"""
    r"""(?:=\s*|\.(?:replace|assign)\(\s*)["']([^"'<>\s]{1,2000})["']\s*\)?\s*;?\s*</script""",
    re.IGNORECASE,
)
_SCRIPT_CHARS: Final = 4_000
_NEVER_RUN: Final = re.compile(r"<!--.*?-->|<(noscript|template)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_CONDITIONS: Final = frozenset({"etag", "last-modified"})


def target(outcome: Outcome, seen: Plain | None) -> str | None:
    """Where the page that came sends its reader at once, absolute; None where it is there to be read."""
    if not outcome.ok or (seen is not None and seen.exceeds(_WORDS)):
        return None
    said, before = _soon(outcome.headers.get("refresh", "")), ""
    if said is None and seen is not None:
        meta = _META.search(seen.markup) if "efresh" in seen.html or "EFRESH" in seen.html else None
        content = _CONTENT.search(meta[0]) if meta else None
        if meta and content:
            said = _soon(unescape(content[1] or content[2] or content[3] or ""))
            before = seen.markup[: meta.start()]
        elif len(seen.html) < _SCRIPT_CHARS and "ocation" in seen.html and not seen.text:
            run = _NEVER_RUN.sub("", seen.html)
            if script := _SCRIPT.search(run):
                said, before = script[1], run[: script.start()]
    if said is None:
        return None
    try:
        whole = urljoin(_base(outcome.final_url, before), said.strip())
    except ValueError:
        return None
    here = {urls.fetch_url(one) for one in (outcome.url, outcome.final_url)}
    return whole if urls.is_web(whole) and urls.fetch_url(whole) not in here else None


def _base(url: str, before: str) -> str:
    """What an address is relative to behind this part of a page. ValueError where that is no address."""
    base = _BASE.search(before)
    return urljoin(url, unescape(base[1] or base[2] or base[3] or "").strip()) if base else url


def _soon(content: str) -> str | None:
    """The address of `5; url=...`, if it is gone to within seconds."""
    found = _REFRESH.match(content)
    return found[2] if found and float(found[1].strip(".") or 0) <= _SOON else None


def joined(first: Outcome, target: str, then: Outcome) -> Outcome:
    """Both as one outcome: that of the link, led on to `target` by its page.

    Without what makes a request conditional: the first page would answer for the other.
    """
    return replace(
        then,
        url=first.url,
        headers={name: value for name, value in then.headers.items() if name not in _CONDITIONS},
        hops=(*first.hops, Hop(first.final_url, first.status or 200, then.url), *then.hops),
        answered=tuple(dict.fromkeys((*first.answered, *then.answered))),
        seconds=first.seconds + then.seconds,
        place=then.place or target.partition("#")[2],
    )
