"""Cutting what is longer than the model reads into windows that each repeat a capped context."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from kb.model.search import Excerpt

CONTEXT_TOKENS = 64
OVERLAP_TOKENS = 32
_WORD = re.compile(r"\S+")
_PART = re.compile(r"[^\W_]{1,16}|\S")


def windows(excerpt: Excerpt, limit: int, count: Callable[[str], int]) -> list[str]:
    """The texts to embed for one excerpt: itself where it fits in `limit` tokens, which is usual.

    `count` gives the tokens of a text, special ones apart; `limit` is what the model reads, also
    without them. Cuts fall between words (inside one only where it has very many tokens), and
    neighbours share OVERLAP_TOKENS so that a sentence on a cut is whole in one of the two.
    """
    whole = excerpt.text
    # A token is at least one character, so a short text need not be counted.
    if len(whole) <= limit or count(whole) <= limit:
        return [whole]
    context = _head(excerpt.context, min(CONTEXT_TOKENS, limit // 4), count)
    room = max(1, limit - (count(context) if context else 0))
    overlap = min(OVERLAP_TOKENS, room // 4)
    return [Excerpt(context, part).text for part in _parts(excerpt.body, room, overlap, count)] or [whole]


def _head(text: str, cap: int, count: Callable[[str], int]) -> str:
    end = used = 0
    for _, stop, tokens in _units(text, cap, count):
        used += tokens
        if used > cap:
            return text[:end].rstrip()
        end = stop
    return text


def _parts(body: str, room: int, overlap: int, count: Callable[[str], int]) -> Iterator[str]:
    units = list(_units(body, room, count))
    first = 0
    while first < len(units):
        last, used = first, 0
        while last < len(units) and (last == first or used + units[last][2] <= room):
            used += units[last][2]
            last += 1
        yield body[units[first][0] : units[last - 1][1]]
        if last == len(units):
            return
        shared, back = 0, last
        while back - 1 > first and shared + units[back - 1][2] <= overlap:
            back -= 1
            shared += units[back][2]
        first = back


def _units(text: str, room: int, count: Callable[[str], int]) -> Iterator[tuple[int, int, int]]:
    """(start, end, tokens) of each word, and of each part of a word too long to go together."""
    for word in _WORD.finditer(text):
        tokens = count(word[0])
        if tokens <= max(1, room // 8):
            yield word.start(), word.end(), tokens
            continue
        for part in _PART.finditer(text, word.start(), word.end()):
            yield part.start(), part.end(), count(part[0])
