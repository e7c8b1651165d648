"""Words from front matter and from the web, made fit to stand in Markdown and in HTML.

What the person or a stranger's page wrote as plain text must come out as that text: no tag, no
emphasis, no attribute list, no new line. Every ASCII punctuation mark but the comma becomes an
entity, which Markdown and HTML both read as the mark itself and neither as syntax.
"""

from __future__ import annotations

import re
import string
import unicodedata
from functools import lru_cache
from urllib.parse import quote, urlsplit

from kb.model.dates import When
from kb.places import slug as slug

_ENTITIES = {ord(mark): f"&#{ord(mark)};" for mark in string.punctuation if mark != ","}
_ESCAPED_IN_URL = re.compile(r"[^\w\-.~:/?#@!$&+,;=%]")
_PLAIN_URL = re.compile(r"[\w\-.~:/?#@!$&+,;=%]*\Z")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def flat(text: str) -> str:
    """One line: runs of white space are a space; control and bidi-override characters are gone."""
    spaced = " ".join(text.split())
    if spaced.isprintable():  # which neither sort is, and most text is
        return spaced
    return "".join(
        char
        for char in spaced
        if unicodedata.category(char) not in ("Cc", "Cs") and char not in "\u202a\u202b\u202c\u202d\u202e"
    )


def plain(text: str) -> str:
    """`text` on one line, to stand as itself in the middle of Markdown or HTML, or in a quoted attribute."""
    return flat(text).translate(_ENTITIES)


def clipped(text: str, limit: int = 160) -> str:
    """`text` on one line, cut at a word to `limit` characters at most, an ellipsis included."""
    line = flat(text)
    if len(line) <= limit:
        return line
    head = line[: limit - 1]
    return (head.rsplit(" ", 1)[0] if " " in head else head).rstrip(" ,;:.-") + "…"


def web_url(url: str) -> str | None:
    """`url` as it may stand in `[..](..)`, or None unless it is http, https or mailto."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https", "mailto") or not (parts.netloc or parts.scheme == "mailto"):
        return None
    line = flat(url)
    if not _PLAIN_URL.match(line):
        line = _ESCAPED_IN_URL.sub(_percent, line)
    return line.replace("&", "&amp;")


def link(label: str, url: str) -> str:
    """A Markdown link to a web address; the label alone where the address may not become a link."""
    target = web_url(url)
    return f"[{plain(label)}]({target})" if target else plain(label)


def page_link(label: str, path: str, anchor: str = "") -> str:
    """A Markdown link to another page of the site, by its path from the root of the site."""
    target = quote(path.encode("utf-8", "replace"))
    return f"[{plain(label)}]({target}{'#' + anchor if anchor else ''})"


@lru_cache(maxsize=4096)
def day(when: When) -> str:
    """A date for people, as precise as it is known: `11 August 2023`, `August 2023`, `2023`."""
    if when.first == when.last:
        return _one_day(when.first)
    first, last = when.first.split("-"), when.last.split("-")
    if len(first) == len(last) == 3 and first[:2] == last[:2]:
        return f"{int(first[2])}\u2013{_one_day(when.last)}"  # 9-12 February 2023
    return f"{_one_day(when.first)} \u2013 {_one_day(when.last)}"


def instant_day(instant: str) -> str:
    """The day of an instant, for people; as it is where it cannot be read as one."""
    iso = instant[:10]
    when = When.read(iso)
    return day(when) if when else iso


def _one_day(iso: str) -> str:
    year, *rest = iso.split("-")
    words = [str(int(part)) if place else _MONTHS[int(part) - 1] for place, part in enumerate(rest)]
    return " ".join([*reversed(words), year])


def count(number: int, one: str, many: str = "") -> str:
    """`1 note`, `12 notes`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "replace"))
