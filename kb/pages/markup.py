"""Pieces of HTML. What comes in as text comes out as text: every mark of syntax is encoded.

An address that begins with `kb:` is the path of a page, from the root of the site; whoever
carries the HTML to a site knows what address that page has there.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from html import escape
from urllib.parse import quote

from kb.model.dates import When
from kb.pages.text import day, flat, web_url

#: Stands between words of a line, so that it reads well with no style at all.
DOT = " \u00b7 "


def words(text: str) -> str:
    """`text` on one line, as HTML text or as the value of a quoted attribute."""
    return escape(flat(text))


@lru_cache(maxsize=4096)
def page_a(label: str, path: str, anchor: str = "") -> str:
    """A link to another page of the site, by its path."""
    target = quote(path.encode("utf-8", "replace"))
    return f'<a href="kb:{target}{"#" + quote(anchor) if anchor else ""}">{words(label)}</a>'


def web_a(label: str, url: str) -> str:
    """A link to a web address; the label alone where the address may not become a link."""
    target = web_url(url)
    return f'<a href="{target}">{words(label)}</a>' if target else words(label)


def date(when: When) -> str:
    """A date for people and machines."""
    return f'<time datetime="{when.first}">{day(when)}</time>'


def small(text: str) -> str:
    """Words that stand back."""
    return f"<small>{words(text)}</small>"


def items(lines: Iterable[str], style: str = "kb-list") -> str:
    """A list of lines of HTML; nothing for none."""
    rows = "\n".join(f"<li>{line}</li>" for line in lines)
    return f'<ul class="{style}">\n{rows}\n</ul>' if rows else ""


def heading(text: str, anchor: str, level: int = 2) -> str:
    """A heading with an anchor of its own."""
    return f'<h{level} id="{anchor}">{words(text)}</h{level}>'
