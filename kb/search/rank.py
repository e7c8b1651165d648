"""Which passages come first: two lists made one, and what says the same thing said once. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from kb.model.search import Hit

KEYWORD_WEIGHT = 0.5
"""What the best keyword hit that holds every word adds to a cosine; see `fuse`."""

ALIKE = 0.9
"""Share of words (Jaccard) from which two passages say the same."""

_WORD = re.compile(r"\w+")


class Ranked(NamedTuple):
    """A passage's place: fused score, rank in each list from 1 (None where it is not in it), cosine."""

    id: int
    score: float
    keyword_rank: int | None = None
    semantic_rank: int | None = None
    cosine: float | None = None


def fuse(
    keyword: Sequence[tuple[int, float]],
    dense: Sequence[tuple[int, float]],
    cosines: Mapping[int, float] | None = None,
    coverage: Mapping[int, float] | None = None,
) -> list[Ranked]:
    """One list of two, best first: cosine + 0.5 x (BM25 / the best BM25 of this query) x coverage².

    `keyword` and `dense` are (id, score), best first; `cosines` tells those of keyword hits that
    are not in `dense`. A passage that one of them lacks has nothing from it. Ties go by id.
    `coverage` is the share of the query's words, weighted by rarity, that a keyword hit holds
    (everything, where it is not given): one stray word of a question should not lift a passage
    over those that are near in meaning, all the words of a title should.

    Chosen on one half of bench/data/queries.tsv (MRR@10 of 69 queries): this .86, the same
    without coverage .75, cosines alone .78. Weights from .3 to .8 and powers from 1.5 to 3 are
    within .01 of it. Reciprocal rank fusion, which forgets by how much one passage beats the
    next, drags questions below cosines alone.
    """
    best = max((score for _, score in keyword), default=0.0)
    by_words = {id: (rank, score / best if best > 0 else 0.0) for rank, (id, score) in enumerate(keyword, 1)}
    by_meaning = {id: (rank, score) for rank, (id, score) in enumerate(dense, 1)}
    alone = not by_meaning and not cosines
    ranked = []
    for id in by_words.keys() | by_meaning.keys():
        keyword_rank, share = by_words.get(id, (None, 0.0))
        semantic_rank, cosine = by_meaning.get(id, (None, (cosines or {}).get(id)))
        weight = 1.0 if alone else KEYWORD_WEIGHT * (1.0 if coverage is None else coverage.get(id, 0.0)) ** 2
        ranked.append(Ranked(id, (cosine or 0.0) + weight * share, keyword_rank, semantic_rank, cosine))
    return sorted(ranked, key=lambda one: (-one.score, one.id))


def fold(hits: Iterable[Hit]) -> Iterator[Hit]:
    """The hits, best first, without those that a better one makes needless.

    Needless is what says the same as a better hit, word for word or nearly, and a bullet's own
    parent, or the parent's own child, since either is shown with the other.
    """
    kept: list[tuple[Hit, frozenset[str]]] = []
    for hit in hits:
        words = frozenset(_WORD.findall(hit.text.lower()))
        if any(_says_same(hit, words, other, theirs) or _is_kin(hit, other) for other, theirs in kept):
            continue
        kept.append((hit, words))
        yield hit


def marks(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where in a text words of the query stand, as (start, end) in characters, in order.

    A word is matched as a beginning once its own ending is cut, which is near enough to how the
    index stems: `tuning` marks `tune` and `tuned`.
    """
    stems = {_stem(part.lower()) for word in words for part in _WORD.findall(word)} - {""}
    found = [
        match.span()
        for match in _WORD.finditer(text)
        if (lower := match[0].lower()) in stems or _stem(lower) in stems
    ]
    if not text.isascii():  # a script without spaces: parts of its runs are words too
        parts = [re.escape(word) for word in words if not word.isascii()]
        inside = [match.span() for match in re.finditer("|".join(parts), text)] if parts else []
        found = sorted({*found, *(span for span in inside if not _within(span, found))})
    return found


def _within(span: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    return any(start <= span[0] and span[1] <= end for start, end in others)


_ENDING = re.compile(r"(?<=\w{3})(?:ings?|ed|ers?|es|e|s|ly)\Z")


def _stem(word: str) -> str:
    return _ENDING.sub("", word)


def _says_same(hit: Hit, words: frozenset[str], other: Hit, theirs: frozenset[str]) -> bool:
    if not words:
        return hit.text == other.text
    shared = len(words & theirs)
    return shared >= ALIKE * (len(words) + len(theirs) - shared)


def _is_kin(hit: Hit, other: Hit) -> bool:
    """Whether one is the bullet that the other hangs under."""
    if hit.path != other.path or hit.heading != other.heading:
        return False
    return _is_parent(hit, other) or _is_parent(other, hit)


def _is_parent(parent: Hit, child: Hit) -> bool:
    return child.parents == (*parent.parents, parent.text)
