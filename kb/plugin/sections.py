"""What the keyword search of the site finds on a page: its sections, as Material's search wants them.

Material reads each page's HTML mark by mark to learn them. What has been cleaned is regular enough
to be cut with a few patterns, in a tenth of the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mkdocs.structure.pages import Page

_REST = r'(?:[^>"]|"[^"]*")*'
_HEADING = re.compile(rf"<h([1-6])\b({_REST})>(.*?)</h\1>", re.DOTALL)
_ID = re.compile(r'\bid="([^"]*)"')
_PERMALINK = re.compile(rf'<a\b{_REST}\bclass="headerlink"{_REST}>.*?</a>', re.DOTALL)
# Marks that the result list shows; all others go, and theirs lose their attributes.
_KEPT = "p|code|pre|li|ol|ul|sub|sup"
_OTHER = re.compile(rf"<(?!/?(?:{_KEPT})[\s>]){_REST}>")
_FULL = re.compile(rf"<({_KEPT})\s{_REST}>")
_EMPTY = re.compile(rf"<({_KEPT})>\s*</\1>")
_PRE = re.compile(r"(<pre>.*?</pre>)", re.DOTALL)
_SPACE = re.compile(r"\s+")


class _Section:
    """A section as Material's index takes it."""

    def __init__(self, name: str | None, title: str, text: str) -> None:
        self.id, self.title, self.text = name, [title] if title else [], [text]


def add(index: Any, page: Page) -> None:
    """Add a page's sections to Material's search index. `page.content` has been cleaned."""
    for part in cut(page.content or ""):
        index.create_entry_for_section(_Section(*part), page.toc, page.url, page)


def cut(html: str) -> Iterator[tuple[str | None, str, str]]:
    """(anchor, title, text) of each part of a page that begins with a heading; the first has no anchor."""
    headings = [match for match in _HEADING.finditer(html) if _ID.search(match[2])]
    before = html[: headings[0].start()] if headings else html
    # The page's own heading stands for the page; without it, or with anything above it, the page does.
    lead = not headings or headings[0][1] != "1" or bool(before)
    if lead:
        yield None, "", _text(before)
    for at, match in enumerate(headings):
        name = _ID.search(match[2]) if at or lead else None
        end = headings[at + 1].start() if at + 1 < len(headings) else len(html)
        title = _text(_PERMALINK.sub("", match[3]))
        yield name[1] if name else None, title, _text(html[match.end() : end])


def _text(html: str) -> str:
    text = _FULL.sub(r"<\1>", _OTHER.sub("", html))
    parts = _PRE.split(text) if "<pre>" in text else [text]
    text = "".join(part if at % 2 else _SPACE.sub(" ", part) for at, part in enumerate(parts))
    while _EMPTY.search(text):
        text = _EMPTY.sub("", text)
    return text.replace("&nbsp;", "\xa0").strip()
