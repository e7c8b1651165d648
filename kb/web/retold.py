"""Whether a page's text has become another, held against the text that was saved of it. Pure.

Two texts are one as long as a tenth of the shorter one's runs of four words stand in the other
(the shingles of Broder, "On the resemblance and containment of documents", 1997; the share of
the shorter, so that neither what was added nor what was cut counts). `python -m bench.drift`
measures it on pages that were given other surroundings, edited or replaced: a share of .1 to .15
tells 98 to 99 in 100 of the replaced ones and takes one in 1,000 of the others for another text;
at .05 one in seven replaced pages is missed, from .2 on edited ones are taken for others.

Front pages and lists of entries are made to say something else every day, and are not judged;
nor is what has too few words, or is in another language than it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kb.web.page import one_line

RUN: Final = 4
LEAST_SHARED: Final = 0.1
LEAST_WORDS: Final = 60
# A list: so many headings and items, and so few words to each.
_ENTRIES: Final = 5
_WORDS_OF_ENTRY: Final = 80
_EXCERPT: Final = 100

# Scripts without spaces count by the character.
_WORD: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]|\w+")
_ENTRY: Final = re.compile(r"(?:#{1,6} |[*+-] |\d{1,3}[.)] )")
_MARKS: Final = re.compile(r"\A(?:#{1,6} |[*+>-] |\d{1,3}[.)] )+")


@dataclass(frozen=True, slots=True)
class Retold:
    """What came of the comparison: the first words of the saved text and of the page's now.

    False, and empty, where it is the same text.
    """

    was: str = ""
    now: str = ""

    def __bool__(self) -> bool:
        return bool(self.was)


def retold(saved: str, now: str) -> Retold | None:
    """How a page's text compares with the one that was saved; None where that cannot be judged.

    Both as `kb.web.page.text.readable` writes them.
    """
    before, after = words(saved), words(now)
    if min(len(before), len(after)) < LEAST_WORDS:
        return None
    if shared(before, after) >= LEAST_SHARED:
        return Retold()
    if lists(saved, len(before)):
        return None
    return Retold(_opening(saved, now), _opening(now, saved))


def other_language(one: str | None, other: str | None) -> bool:
    """Whether a page says that it is in another language than it was: then its words tell nothing."""
    return bool(one and other) and (one or "")[:2].lower() != (other or "")[:2].lower()


def words(text: str) -> list[str]:
    """The words that are compared, in lower case."""
    return _WORD.findall(text.lower())


def shared(one: list[str], other: list[str]) -> float:
    """The share of the shorter text's runs of words that stand in the other too, 0 to 1."""
    mine, theirs = _runs(one), _runs(other)
    return len(mine & theirs) / max(1, min(len(mine), len(theirs)))


def lists(text: str, words: int) -> bool:
    """Whether a text is a list of entries: many headings and items, little under each."""
    entries = sum(_ENTRY.match(line) is not None for line in text.split("\n"))
    return entries >= _ENTRIES and words < entries * _WORDS_OF_ENTRY


def _runs(words: list[str]) -> set[int]:
    # Hashes, for two texts of 30,000 words are 60,000 tuples of four.
    return {hash(tuple(words[at : at + RUN])) for at in range(len(words) - RUN + 1)}


def _opening(text: str, other: str) -> str:
    """The first words that only this text has."""
    lines = [line for line in text.split("\n") if line.strip()]
    own = next((line for line in lines if line not in other), lines[0])
    return one_line(_MARKS.sub("", own), _EXCERPT) or "no words"
