"""Whether a page is still called what it was called, and what to know of it then. Pure."""

from __future__ import annotations

import re
from typing import Final

from kb.model import Facts
from kb.values import replace

_COUNT: Final = re.compile(r"\A\s*[(\[]\d+\+?[)\]]\s*")
_WORD: Final = re.compile(r"\w+")


def changed(old: str, new: str) -> bool:
    """Whether a title is another one, not the same in another dress.

    Case, punctuation, a count of messages in front, and a site's name beside it are dress: one
    title holds all of the other's words in a row.
    """
    one, other = _words(old), _words(new)
    return bool(one and other) and f" {one} " not in f" {other} " and f" {other} " not in f" {one} "


def _words(title: str) -> str:
    return " ".join(_WORD.findall(re.sub(r"['\u2019]", "", _COUNT.sub("", title).casefold())))


def learn(known: Facts, told: Facts) -> Facts:
    """What is known of a page once it has told `told` of itself, when it was looked at.

    A title that is known stays: one that is no longer the page's is noted beside it. What a
    site's API called the page is another matter than what stands on it, and is left as it is.
    """
    if not told.title or (known.title and _source(known) != "page"):
        return known
    if not known.title:
        return told
    if not changed(known.title, told.title):
        if known.now_title is None:
            return known
        return replace(known, now_title=None, changed_at=None, fetched=told.fetched)
    if known.now_title == told.title:
        return known
    since = known.changed_at or told.fetched
    return replace(known, now_title=told.title, changed_at=since, fetched=told.fetched)


def refreshed(old: Facts, new: Facts) -> Facts:
    """`new` in the place of `old`, but for a title: another one from the same source is noted beside it."""
    same = _source(old) == _source(new)
    if not (old.title and new.title and same and changed(old.title, new.title)):
        return new
    return replace(new, title=old.title, now_title=new.title, changed_at=old.changed_at or new.fetched)


def _source(facts: Facts) -> object:
    return facts.extra.get("source", "page")


def accept(facts: Facts, at: str) -> Facts:
    """The facts once the person has looked, at the instant `at`: the page's title is what it is now."""
    if facts.now_title is None:
        return facts
    return replace(facts, title=facts.now_title, now_title=None, changed_at=None, fetched=at)
