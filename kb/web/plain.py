"""A page as its reader meets it: title, heading, words, places; and whether a script builds it.

Made for judging pages, so it is quick and forgiving: patterns, each of which costs no more than
the length of the text, and pieces that are made when they are asked for.
"""

from __future__ import annotations

import re
from functools import cached_property
from html import unescape
from typing import Final

# Most tags are told apart by their first letter, four times as fast as by names in any case.
_OPAQUE: Final = re.compile(
    r"<(?=[!sStTnN])(?:(script|style|svg|template|noscript)\b[^<>]*>|!--)", re.IGNORECASE
)
_CLOSING: Final = {
    name: re.compile(rf"</{name}\b[^<>]*>" if name else r"--!?>", re.IGNORECASE)
    for name in ("script", "style", "svg", "template", "noscript", "title", "h1", "")
}
_TITLE: Final = re.compile(r"<title\b[^<>]*>", re.IGNORECASE)
_H1: Final = re.compile(r"<h1\b[^<>]*>", re.IGNORECASE)
_BODY: Final = re.compile(r"<body\b[^<>]*>", re.IGNORECASE)
_TAG: Final = re.compile(r"<[^<>]*>")
_WORD: Final = re.compile(r"\w+(?:['\u2019]\w+)*")
_UNSPACED: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")  # no spaces between words
_SITE: Final = re.compile(
    r"""<meta\b[^<>]*?\bproperty\s*=\s*["']?og:site_name["']?[^<>]*?\bcontent\s*=\s*["']([^"'<>]*)""",
    re.IGNORECASE,
)
_CANONICAL: Final = re.compile(r"""<link\b[^<>]*\brel\s*=\s*["']?canonical\b[^<>]*>""", re.IGNORECASE)
_HREF: Final = re.compile(r"""\bhref\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>]+))""", re.IGNORECASE)
_PLACE: Final = re.compile(
    r"""[\s"'](?:id|name)\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>]+))""", re.IGNORECASE
)
# An empty element that a script fills, and what frameworks leave in a page that they fill.
_ROOT: Final = re.compile(
    r"""<(?:div|main|section)\b[^<>]*\bid\s*=\s*["']?(?:root|app|__next|__nuxt|___gatsby|svelte|application)"""
    r"""["']?[^<>]*>\s*</|<app-root\b""",
    re.IGNORECASE,
)
_FRAMEWORK: Final = re.compile(
    r"""__NEXT_DATA__|__NUXT__|data-reactroot|data-server-rendered|\bng-(?:app|version)\b|data-turbo-|"""
    r"""<react-app\b|<astro-island\b|\bid\s*=\s*["']?(?:root|app|__next|__nuxt|___gatsby)["'\s>]""",
    re.IGNORECASE,
)
_ENABLE: Final = re.compile(
    r"(?:enable|turn on|requires?|needs?) javascript|javascript is (?:disabled|required)"
)
_HEADING_CHARS: Final = 2_000
_LEAD_CHARS: Final = 3_000
_OPENING_CHARS: Final = 12_000
_FRONT_CHARS: Final = 16_384  # what mostly holds the head and enough of the body
_SHELL_WORDS: Final = 20


class Plain:
    """A page of HTML, read as it is asked about. Never raises."""

    def __init__(self, html: str) -> None:
        self.html = html

    @cached_property
    def title(self) -> str:
        """The tab's title, on one line."""
        return self._element(_TITLE, "title")

    @cached_property
    def heading(self) -> str:
        """The first main heading, on one line."""
        return self._element(_H1, "h1")

    @cached_property
    def site(self) -> str:
        """The site's name, where the page tells it."""
        found = _SITE.search(self.html) if "og:site_name" in self._lowered else None
        return _line(found[1]) if found else ""

    @cached_property
    def canonical(self) -> str:
        """The address that the page gives as its own, as written."""
        tag = _CANONICAL.search(self.html)
        href = _HREF.search(tag[0]) if tag else None
        return unescape(href[1] or href[2] or href[3] or "").strip() if href else ""

    @cached_property
    def text(self) -> str:
        """What stands in the body to be read, on one line."""
        return _line(self._body())

    @cached_property
    def opening(self) -> str:
        """The text's beginning, which costs a tenth of all of it."""
        return _line(self._body(_OPENING_CHARS))

    @cached_property
    def lead(self) -> str:
        """The text's first lines."""
        return _line(self._body(_LEAD_CHARS))

    @cached_property
    def size(self) -> int:
        """How many words the beginning has: enough to tell a page of few words."""
        spaced = len(_WORD.findall(self.opening))
        return spaced if self.opening.isascii() else spaced + len(_UNSPACED.findall(self.opening)) // 2

    def exceeds(self, words: int) -> bool:
        """Whether the size is more than this: told from as little of a long page as tells it."""
        return self._few > words or self._more > words or self.size > words

    @cached_property
    def _few(self) -> int:
        """Words that the first lines have at the least."""
        return _at_least(self._body(_LEAD_CHARS))

    @cached_property
    def _more(self) -> int:
        """Words that the beginning has at the least."""
        return _at_least(self._body(_OPENING_CHARS))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the text, in lower case."""
        return tuple(_WORD.findall(self.text.lower()))

    @cached_property
    def places(self) -> frozenset[str]:
        """Every id and name: what a fragment can point at."""
        return frozenset(
            unescape(one or two or three)
            for one, two, three in _PLACE.findall(self.markup)
            if one or two or three
        )

    @cached_property
    def shell(self) -> bool:
        """Whether a script builds the page, and little of it is there without."""
        if "<script" not in self._lowered:
            return False
        if self.size < _SHELL_WORDS or _ROOT.search(self.html):
            return True
        return self.size < 5 * _SHELL_WORDS and _ENABLE.search(self._lowered) is not None

    @cached_property
    def built(self) -> bool:
        """Whether a script may add places to the page, shell or not."""
        return self.shell or bool(_FRAMEWORK.search(self.html))

    @cached_property
    def _lowered(self) -> str:
        return self.html.lower()

    @cached_property
    def markup(self) -> str:
        """The page without scripts, styles, drawings and comments."""
        return _without_opaque(self.html)

    @cached_property
    def _front(self) -> str:
        """The same of the page's beginning: all that most questions need, for a tenth of the cost."""
        return self.markup if len(self.html) <= _FRONT_CHARS else _without_opaque(self.html[:_FRONT_CHARS])

    def _body(self, chars: int | None = None) -> str:
        """The markup of the body, or so many characters of its beginning, no tag cut in two."""
        opened = _BODY.search(self._front)
        markup = self._front
        if chars is None or opened is None or len(markup) - opened.end() < chars:
            markup = self.markup
            opened = _BODY.search(markup)
        start = opened.end() if opened else 0
        if chars is None or len(markup) - start <= chars:
            return markup[start:]
        front = markup[start : start + chars]
        half = front.rfind("<")
        return front[:half] if half > front.rfind(">") else front

    def _element(self, opening: re.Pattern[str], name: str) -> str:
        for markup in (self._front, self.markup) if self._front is not self.markup else (self._front,):
            opened = opening.search(markup)
            inner = markup[opened.end() : opened.end() + _HEADING_CHARS] if opened else ""
            if closed := _CLOSING[name].search(inner):
                return _line(inner[: closed.start()])
        return ""


def _at_least(markup: str) -> int:
    """How many words there are at the least: pieces of letters alone are one or more, and quick to count."""
    return sum(map(str.isalnum, _TAG.sub(" ", markup).split()))


def _without_opaque(html: str) -> str:
    kept: list[str] = []
    at = 0
    while opened := _OPAQUE.search(html, at):
        kept.append(html[at : opened.start()])
        closed = _CLOSING[(opened[1] or "").lower()].search(html, opened.end())
        if closed is None:
            return " ".join(kept)
        at = closed.end()
    return " ".join((*kept, html[at:])) if kept else html


def _line(markup: str) -> str:
    return " ".join(unescape(_TAG.sub(" ", markup)).split())
