"""The glossary: every term the notes define, from A to Z."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby

from kb.model.notes import Entry
from kb.model.site import Page
from kb.pages.card import Card
from kb.pages.text import count, flat, link, page_link, plain, slug

#: From so many terms on, a line of letters leads to the first of each.
_LETTERS = 12
_USES = 8


def page(path: str, entries: Sequence[Entry], notes: Mapping[str, Card]) -> Page:
    """The glossary page. Entries of one term from several notes stand under one heading."""
    ordered = sorted(entries, key=_term)
    groups = [list(group) for _, group in groupby(ordered, key=_term)]
    lines = ["# Glossary", ""]
    if groups:
        lines += [f"{count(len(groups), 'term')}, gathered from the notes.", ""]
        if len(groups) >= _LETTERS:
            lines += [_letters(groups), ""]
    else:
        lines += ["No note defines a term yet: `* RAG = retrieval-augmented generation` would.", ""]
    for group in groups:
        lines += _entry(group, notes)
    terms = ", ".join(flat(group[0].term.term) for group in groups[:12])
    about = plain(f"Terms of these notes: {terms}" if terms else "Terms of these notes")
    return Page(path, "Glossary", about, "\n".join(lines), "glossary")


def _entry(group: Sequence[Entry], notes: Mapping[str, Card]) -> list[str]:
    lines = [f"## {plain(group[0].term.term)}", ""]
    for entry in group:
        term = entry.term
        if term.expansion:
            lines += [f"**{plain(term.expansion)}**", ""]
        if term.definition:
            lines += [f"> {plain(term.definition)}", ""]
        if term.url:
            lines += [f"Source: {link(_host(term.url), term.url)}", ""]
    defined = dict.fromkeys(entry.path for entry in group if entry.path in notes)
    where = [f"Defined in {_places(defined, notes)}."] if defined else []
    own = {(entry.path, entry.term.line) for entry in group}
    uses = {(use.path, use.line) for entry in group for use in entry.uses if use.path in notes} - own
    counts = Counter(path for path, _ in sorted(uses))
    if counts:
        most = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_USES])
        rest = f" and {count(len(counts) - _USES, 'more note')}" if len(counts) > _USES else ""
        where.append(f"Used in {_places(most, notes)}{rest}.")
    return [*lines, f"{' '.join(where)}", ""] if where else lines


def _letters(groups: Sequence[Sequence[Entry]]) -> str:
    firsts: dict[str, str] = {}
    for group in groups:
        term = flat(group[0].term.term)
        letter = term[:1].upper() if term[:1].isalpha() else "#"
        anchor = slug(term)
        if anchor:
            firsts.setdefault(letter, f"[{plain(letter)}](#{anchor})")
    return " ".join(firsts.values())


def _places(counts: Mapping[str, int | None], notes: Mapping[str, Card]) -> str:
    words = []
    for path, times in counts.items():
        again = f" ({times} times)" if times and times > 1 else ""
        words.append(page_link(notes[path].title, path) + again)
    return ", ".join(words)


def _term(entry: Entry) -> tuple[str, str]:
    # The exact spelling counts: "RAG" and "rag" may be two things.
    return flat(entry.term.term).casefold(), flat(entry.term.term)


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2].removeprefix("www.") or url
