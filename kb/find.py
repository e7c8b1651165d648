"""Search, put together: the query taken apart, two lists from store and model, one answer.

Nothing here needs numpy: meaning comes in as a `Semantic`, made by whoever wants it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Protocol

from kb.errors import ModelError, UsageError
from kb.model import Filter, Hit
from kb.search.query import Query, banned, fts_match, merge, parse_query, quote, required
from kb.search.rank import Ranked, fold, fuse, marks
from kb.store.store import Store
from kb.values import dataclass

LEAST_COSINE = 0.33
"""Below it a passage that no word of the query led to is no answer.

With all-MiniLM-L6-v2 over 1,800 paragraphs of software's own descriptions the nearest passage to
a question on another subject lay at .14 to .29, that to a paraphrase of one at .37 to .69.
"""

LEAST_COSINE_OF_STRANGER = 0.40
"""The same for a single word that stands nowhere in the notebook.

One word says little, and letters that are no word lie nearer to everything: up to .40 for
`quaxl` and `qwe`, while `spreadsheet` and `colours` found tables and terminals at .45 and .61.
"""

FAR = 0.15
"""Below it a passage that holds less than half of the query's words is no answer either."""

BEHIND = 0.9
"""What a saved page's score is worth: at equal score the person's own words come first.

A page has no note's title to lengthen it, which alone is worth some hundredths of BM25.
"""

_DEPTH = 200  # candidates from each list: places beyond it do not reach the first page


class Mode(StrEnum):
    """By words, by meaning, or both."""

    HYBRID = "hybrid"
    KEYWORD = "keyword"
    SEMANTIC = "semantic"


class Semantic(Protocol):
    """What a search asks of a model; `kb.search.semantic.Semantic` is the one there is."""

    @property
    def model(self) -> str:
        """The name under which the store maps the rows. ModelError if nothing is embedded."""

    @property
    def rows(self) -> int:
        """How many rows there are."""

    def nearest(self, text: str, k: int, rows: Iterable[int] | None = None) -> list[tuple[int, float]]:
        """The k rows nearest to a query, of `rows` alone where given: (row, cosine), best first."""

    def cosines(self, text: str, rows: Sequence[int]) -> list[float]:
        """The cosine of each row with a query."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. `words` are those to mark in the hits; `notices` go to stderr.

    `advice` says what to try where there is no hit.
    """

    hits: tuple[Hit, ...] = ()
    notices: tuple[str, ...] = ()
    advice: str = ""
    words: tuple[str, ...] = ()


def find(
    store: Store,
    query_text: str,
    *,
    filter: Filter | None = None,
    mode: Mode | str = Mode.HYBRID,
    limit: int = 10,
    semantic: Semantic | None = None,
) -> Found:
    """The passages that answer a query, best first, at most `limit`.

    A model that cannot be used costs a notice and leaves the keyword hits, unless the mode asks
    for meaning alone: then it raises ModelError. UsageError for a query that asks nothing.
    """
    mode = _mode(mode)
    query = parse_query(query_text)
    narrow = merge(filter or Filter(), query.filter)
    notices: list[str] = []
    keyword: list[tuple[int, float]] = []
    if mode is not Mode.SEMANTIC:
        keyword = store.keyword(fts_match(query), narrow, _DEPTH)
    dense: list[tuple[int, float]] = []
    cosines: dict[int, float] = {}
    if mode is not Mode.KEYWORD:
        try:
            if semantic is None:
                raise ModelError("there is no embedding model to search by meaning with")
            dense = _dense(store, semantic, query, narrow)
            cosines = _cosines(store, semantic, query, [id for id, _ in keyword])
            if store.vector_count(semantic.model) > semantic.rows:
                notices.append(
                    "some vectors are lost, so some passages are found by their words alone (kb sync)"
                )
        except ModelError as error:
            if mode is Mode.SEMANTIC:
                raise
            notices.append(f"{error}; these are keyword results" + (f" ({error.hint})" if error.hint else ""))
    ranked = _hits(store, _own_words_first(store, fuse(keyword, dense, cosines)))
    hits = _first(fold(hit for hit in ranked if _is_answer(hit, query)), limit)
    words = (*query.phrases, *query.terms)
    return Found(tuple(hits), tuple(notices), "" if hits else _advice(store, query, narrow), words)


def _mode(mode: Mode | str) -> Mode:
    try:
        return Mode(mode)
    except ValueError:
        raise UsageError(f"there is no mode {mode!r}", hint="modes: " + ", ".join(Mode)) from None


def _dense(store: Store, semantic: Semantic, query: Query, narrow: Filter) -> list[tuple[int, float]]:
    """Passages by cosine, best first: those that pass the filters, and are near enough to be an answer."""
    wanted = _wanted(store, query, narrow)
    unwanted = _matching(store, banned(query), narrow) if query.excluded else set()
    model = semantic.model
    rows: Iterable[int] | None = None
    if wanted is not None:
        by_passage = store.passages_to_rows(model, sorted(wanted))
        rows = sorted({row for found in by_passage.values() for row in found})
    least = LEAST_COSINE_OF_STRANGER if _is_stranger(store, query) else LEAST_COSINE
    near = [pair for pair in semantic.nearest(query.text, _DEPTH + len(unwanted), rows) if pair[1] >= least]
    passages = store.rows_to_passages(model, [row for row, _ in near])
    found: dict[int, float] = {}
    for row, cosine in near:
        for id in passages.get(row, ()):
            if id not in unwanted and (wanted is None or id in wanted):
                found.setdefault(id, cosine)  # the best of its windows comes first
    return list(found.items())


def _is_stranger(store: Store, query: Query) -> bool:
    words = (*query.phrases, *query.terms)
    return len(words) == 1 and not store.keyword(quote(words[0]), limit=1)


def _is_answer(hit: Hit, query: Query) -> bool:
    """Whether a hit is more than one common word of a long question, met by chance."""
    if hit.cosine is None or hit.cosine >= FAR:
        return True
    said = "\n".join((hit.title, *hit.heading, *hit.parents, hit.text, *(link.url for link in hit.links)))
    words = (*query.phrases, *query.terms)
    return 2 * sum(bool(marks(said, [word])) for word in words) >= len(words)


def _wanted(store: Store, query: Query, narrow: Filter) -> set[int] | None:
    """Passages that pass the filter and hold the phrases; None where nothing narrows."""
    if query.phrases:
        return _matching(store, required(query), narrow)
    return store.allowed(narrow)


def _matching(store: Store, match: str, narrow: Filter) -> set[int]:
    return {id for id, _ in store.keyword(match, narrow, -1)}


def _cosines(store: Store, semantic: Semantic, query: Query, ids: Sequence[int]) -> dict[int, float]:
    """How near the keyword hits are, so that none is judged by its words alone."""
    rows = store.passages_to_rows(semantic.model, ids)
    flat = [(id, row) for id, found in rows.items() for row in found]
    cosines: dict[int, float] = {}
    for (id, _), cosine in zip(flat, semantic.cosines(query.text, [row for _, row in flat]), strict=True):
        cosines[id] = max(cosine, cosines.get(id, -1.0))
    return cosines


def _hits(store: Store, ranked: Sequence[Ranked]) -> Iterator[Hit]:
    size = 50
    for start in range(0, len(ranked), size):
        part = ranked[start : start + size]
        found = store.hits([one.id for one in part])
        for one in part:
            if one.id in found:
                yield replace(
                    found[one.id],
                    score=one.score,
                    keyword_rank=one.keyword_rank,
                    semantic_rank=one.semantic_rank,
                    cosine=one.cosine,
                )


def _own_words_first(store: Store, ranked: Sequence[Ranked]) -> list[Ranked]:
    """The list with saved pages set back a little, and without those that no note mentions any more."""
    pages = store.of_pages([one.id for one in ranked])
    if not pages:
        return list(ranked)
    kept = [
        one._replace(score=min(one.score, one.score * BEHIND)) if one.id in pages else one
        for one in ranked
        if pages.get(one.id, True)
    ]
    return sorted(kept, key=lambda one: (-one.score, one.id in pages, one.id))


def _first(hits: Iterator[Hit], limit: int) -> list[Hit]:
    return [hit for _, hit in zip(range(limit), hits, strict=False)]


def _advice(store: Store, query: Query, narrow: Filter) -> str:
    if narrow:
        return "nothing found within these filters; try it without them"
    for word in (*query.phrases, *query.terms):
        close = _close(store, word)
        if close:
            return f"nothing found; did you mean {close}?"
    if query.phrases:
        return "nothing holds that phrase as it stands; try it without the quotes"
    if query.excluded:
        return "nothing found that way; try it without -" + query.excluded[0]
    return "nothing found; try other words, or fewer"


def _close(store: Store, word: str) -> str | None:
    """The word of the notebook most like one that stands nowhere in it, spelled as a passage has it."""
    lower = word.lower()
    if not lower.isalnum() or store.keyword(quote(word), limit=1):
        return None
    from difflib import get_close_matches  # 3 ms, needed only where nothing was found

    for stem in get_close_matches(lower, store.vocabulary(lower[0]), n=1, cutoff=0.75):
        for id, _ in store.keyword(quote(stem), limit=1):
            hit = store.hits([id])[id]
            for text in (hit.text, hit.title, *hit.heading, *hit.parents):
                for spelled in re.findall(r"\w+", text):
                    if spelled.lower().startswith(stem):
                        return str(spelled)
    return None
