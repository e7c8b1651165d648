"""Whether a page is still what it was, by title and text, and what to know of it then. Pure."""

from __future__ import annotations

import re
from typing import Final

from kb.model.links import Facts
from kb.values import replace
from kb.web.retold import Retold

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
    if not told.title or (known.title and known.source != "page"):
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


def learn_text(known: Facts, found: Retold | None, at: str) -> Facts:
    """What is known of a page once its text was held against the saved one, at the instant `at`.

    What the person has taken for the page's text is told anew only when it is another again.
    """
    if found is None:
        return known
    if not found:
        if known.now_text is None:
            return known
        return replace(known, was_text=None, now_text=None, text_changed_at=None, fetched=at)
    accepted = known.now_text is not None and known.text_changed_at is None
    if found.now == known.now_text and (accepted or found.was == known.was_text):
        return known
    since = known.text_changed_at or at
    return replace(known, was_text=found.was, now_text=found.now, text_changed_at=since, fetched=at)


def refreshed(old: Facts, new: Facts) -> Facts:
    """`new` in the place of `old`, but for what has drifted: another title from the same source is noted
    beside the old one, and what was seen of the text stays."""
    new = replace(new, was_text=old.was_text, now_text=old.now_text, text_changed_at=old.text_changed_at)
    same = old.source == new.source
    if not (old.title and new.title and same and changed(old.title, new.title)):
        return new
    return replace(new, title=old.title, now_title=new.title, changed_at=old.changed_at or new.fetched)


def accept(facts: Facts, at: str) -> Facts:
    """The facts once the person has looked, at the instant `at`: title and text are what they are now."""
    if facts.now_title is not None:
        facts = replace(facts, title=facts.now_title, now_title=None, changed_at=None, fetched=at)
    if facts.text_changed_at is not None:
        facts = replace(facts, was_text=None, text_changed_at=None, fetched=at)
    return facts
