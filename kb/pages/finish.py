"""The last touch on a note's HTML: what is known of its links, and its terms explained.

Both are laid over HTML that has been rendered, cleaned and indexed, so that neither a link's new
standing nor a new term makes a page's Markdown be rendered anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape, unescape
from typing import NamedTuple

from kb.model.kinds import LinkKind, Standing
from kb.model.links import LinkRecord
from kb.model.notes import Entry
from kb.pages.text import clipped, day, flat, web_url
from kb.urls import safe_display

_TIP = 320
_MANY = 300
_LINK = re.compile(r'<a\b([^>]*?)\bhref="(https?:[^"]*)"([^>]*)>(.*?)</a>', re.DOTALL | re.IGNORECASE)


class Mark(NamedTuple):
    """What a link shows: its standing, a line on hover, and HTML after it (mostly none)."""

    standing: str
    about: str
    after: str


def marks(records: Iterable[LinkRecord]) -> dict[str, Mark]:
    """What each link shows, by its address as HTML gives it."""
    found: dict[str, Mark] = {}
    for record in records:
        if record.kind is LinkKind.INTERNAL:
            continue
        mark = _mark(record)
        for mention in record.mentions:
            for spelling in (mention.url, unescape(mention.url)):
                found.setdefault(spelling, mark)
    return found


def _mark(record: LinkRecord) -> Mark:
    facts, looks, standing = record.facts, record.looks, record.standing
    dates = [mention.date or mention.noted for mention in record.mentions if mention.date or mention.noted]
    about = [clipped(facts.title, 120) if facts.title else "", record.host]
    if dates and dates[0]:
        about.append(day(dates[0]))
    about.append(
        f"{standing}, checked {looks.last_checked[:10]}" if looks.last_checked else "not checked yet"
    )
    if looks.reason and standing in (Standing.DEAD, Standing.SUSPECT, Standing.UNKNOWN):
        about.append(clipped(looks.reason, 80))
    return Mark(str(standing), escape(" \u00b7 ".join(part for part in about if part)), _fate(record))


def _fate(record: LinkRecord) -> str:
    """Words after a link that has died or may have: a colour alone would not tell everybody."""
    if record.standing not in (Standing.DEAD, Standing.SUSPECT):
        return ""
    words = [str(record.standing)]
    archived = web_url(record.looks.archived_url or "")
    if archived:
        words.append(f'<a href="{archived}">archived copy</a>')
    return f' <span class="kb-fate">{", ".join(words)}</span>'


def marked(html: str, known: Mapping[str, Mark]) -> str:
    """`html` with each link that is known telling its title, host, date and standing."""

    def tell(match: re.Match[str]) -> str:
        before, href, rest, words = match.groups()
        mark = known.get(unescape(href))
        if mark is None:
            return match[0]
        inside = before + rest
        title = "" if re.search(r"\btitle=", inside) else f' title="{mark.about}"'
        style = "" if re.search(r"\bclass=", inside) else f' class="kb-link kb-is-{mark.standing}"'
        return f'<a{before}href="{href}"{rest}{style}{title}>{words}</a>{mark.after}'

    return _LINK.sub(tell, html)


# -- terms -------------------------------------------------------------------------------------

_TAG = re.compile(r"(<!--.*?-->|<[^>]*>)", re.DOTALL)
_NAME = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# Where a term is not running text, or is explained, or would be a control within a control.
_APART = frozenset(
    (
        *("a", "abbr", "button", "code", "kbd", "label", "math", "pre", "samp", "script", "select"),
        *("style", "summary", "svg", "textarea", "time", "title", "h1", "h2", "h3", "h4", "h5", "h6"),
    )
)


class Terms:
    """The glossary as tooltips."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._exact: dict[str, str] = {}
        self._loose: dict[str, str] = {}
        for entry in sorted(entries, key=lambda one: one.term.definition is None):
            term = entry.term
            said = [flat(part) for part in (term.expansion, term.definition) if part and flat(part)]
            about = ". ".join(part.rstrip(".") for part in said)
            if not about:
                continue
            for name in (flat(term.term), *map(flat, term.aliases)):
                # A name with a capital must match letter for letter, so that RAG is not found in a rag.
                table, key = (
                    (self._exact, name)
                    if " " not in name and name.lower() != name
                    else (self._loose, name.casefold())
                )
                if re.search(r"\w", name):
                    table.setdefault(key, escape(clipped(about, _TIP)))
        # Of very many names only those are looked for that a page holds somewhere.
        names = (*self._exact, *self._loose)
        self._folded = {name: escape(name).casefold() for name in names} if len(names) > _MANY else {}
        self._all = self._compiled(names) if names and not self._folded else None

    def explained(self, html: str) -> str:
        """`html` with each term, or its plural, as an `abbr`; the first of each can be tabbed to."""
        pattern = self._all
        if self._folded:
            folded = html.casefold()
            pattern = self._compiled([name for name, form in self._folded.items() if form in folded])
        if pattern is None:
            return html
        seen: set[str] = set()

        def explain(match: re.Match[str]) -> str:
            name = unescape(match[1])
            about = self._exact.get(name) or self._loose.get(" ".join(name.split()).casefold())
            if about is None:
                return match[0]
            stop = "" if about in seen else ' tabindex="0"'
            seen.add(about)
            return f'<abbr class="kb-term" title="{about}"{stop}>{match[0]}</abbr>'

        pieces, apart = _TAG.split(html), 0
        for at, piece in enumerate(pieces):
            if at % 2:
                name = _NAME.match(piece)
                if name and name[2].lower() in _APART and not piece.endswith("/>"):
                    apart = max(0, apart - 1) if name[1] else apart + 1
            elif not apart and piece.strip():
                pieces[at] = pattern.sub(explain, piece)
        return "".join(pieces)

    def _compiled(self, names: Iterable[str]) -> re.Pattern[str] | None:
        ordered = sorted(names, key=lambda name: (-len(name), name))
        if not ordered:
            return None
        one = "|".join(
            words if name in self._exact else f"(?i:{words})"
            for name in ordered
            for words in [r"\s+".join(re.escape(escape(word)) for word in name.split())]
        )
        return re.compile(rf"(?<![\w&#])({one})(?:'s|s|es)?(?!\w)")


def shown(url: str) -> str:
    """An address without scheme, `www.` and closing slash, for people."""
    return re.sub(r"^https?://(www\.)?|/$", "", safe_display(url))
