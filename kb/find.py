"""Search, put together: the query taken apart, two lists from store and model, one answer.

Nothing here needs numpy: meaning comes in as a `Semantic`, made by whoever wants it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from math import log
from typing import NamedTuple, Protocol

from kb.errors import ModelError, UnknownNote, UsageError
from kb.model.search import Filter, Hit
from kb.search.query import Query, fts_match, merge, parse_query, quote
from kb.search.rank import Ranked, fold, fuse, marks
from kb.store.grams import spaceless
from kb.store.store import Store
from kb.values import dataclass, replace

LEAST_COSINE = 0.26
"""Below it a passage that no word of the query led to is no answer.

Chosen on one half of bench/data/queries.tsv: .24 finds something for two in three of the questions
on subjects that the notes know nothing of, .26 for one in three, and a paraphrase that is answered
by .27 is worth more than the silence that .33 would keep for all but one in twenty of them.
"""

LEAST_COSINE_OF_STRANGER = 0.40
"""The same for a single word that stands nowhere in the notebook.

One word says little, and letters that are no word lie nearer to everything: up to .40 for
`quaxl` and `qwe`, while `spreadsheet` and `colours` found tables and terminals at .45 and .61.
"""

FAR = 0.2
"""Below it a passage that holds less than HALF of what the query says is no answer either.

Lower than LEAST_COSINE, for a word in common speaks for a passage: a question put in a line of few
of the note's own words ("is a home graphics card enough") may have a cosine of .21 with its answer.
"""

BEHIND = 0.9
"""What a saved page's score is worth: at equal score the person's own words come first.

A page has no note's title to lengthen it, which alone is worth some hundredths of BM25.
"""

HALF = 0.5

COMMON = 0.05
"""Share of the passages from which a word tells too little to be looked up."""

_WORD = re.compile(r"\w+")

DEPTH = 200
"""Candidates from each list: places beyond it do not reach the first page."""


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

    def knows(self, text: str) -> bool:
        """Whether the model has words for a query: without, it is near to all for which it has none."""

    def nearest(self, text: str, k: int, rows: Iterable[int] | None = None) -> list[tuple[int, float]]:
        """The k rows nearest to a query, of `rows` alone where given: (row, cosine), best first."""

    def around(self, rows: Sequence[int], k: int) -> list[tuple[int, float]]:
        """The k rows nearest to the middle of some rows: (row, cosine), best first."""

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

    def marks(self, text: str) -> list[tuple[int, int]]:
        """Where in a text those words stand, in any of their forms: (start, end) in characters."""
        return marks(text, self.words)


def find(
    store: Store,
    query_text: str,
    *,
    filter: Filter | None = None,
    mode: Mode | str = Mode.HYBRID,
    limit: int = 10,
    semantic: Semantic | Callable[[], Semantic] | None = None,
) -> Found:
    """The passages that answer a query, best first, at most `limit`.

    A model that cannot be used costs a notice and leaves the keyword hits, unless the mode asks
    for meaning alone: then it raises ModelError. UsageError for a query that asks nothing.
    `semantic` may be what waits for one that is still being made: the words are looked up first.
    """
    mode = _mode(mode)
    query = parse_query(query_text)
    narrow = merge(filter or Filter(), query.filter)
    notices: list[str] = []
    asked = _asked(store, query)
    keyword = [] if mode is Mode.SEMANTIC else _keyword(store, asked, narrow)
    coverage: dict[int, float] = {}
    dense: list[tuple[int, float]] = []
    cosines: dict[int, float] = {}
    if mode is not Mode.KEYWORD:
        try:
            if callable(semantic):
                semantic = semantic()
            if semantic is None:
                raise ModelError("there is no embedding model to search by meaning with")
            if semantic.knows(query.text):
                dense = _dense(store, semantic, query, narrow)
                cosines = _cosines(store, semantic, query, [id for id, _ in keyword])
            elif mode is Mode.SEMANTIC:
                notices.append("the model has no words for this query; try --mode keyword")
            coverage = _coverage(store, asked, [id for id, _ in keyword])
            if store.vector_count(semantic.model) > semantic.rows:
                notices.append(
                    "some vectors are lost, so some passages are found by their words alone (kb sync)"
                )
        except ModelError as error:
            if mode is Mode.SEMANTIC:
                raise
            notices.append(
                f"{error}; these are keyword results"
                + (f" ({' '.join(error.hint.split())})" if error.hint else "")
            )
    fused = _own_words_first(store, fuse(keyword, dense, cosines, coverage))
    ranked = [one for one in fused if _is_answer(one, coverage)]
    hits = _first(fold(_hits(store, ranked)), limit)
    words = (*query.phrases, *query.terms, *(other for _, other in asked.others))
    return Found(tuple(hits), tuple(notices), "" if hits else _advice(store, query, narrow), words)


def related(store: Store, vectors: Semantic, path: str, line: int | None = None, *, limit: int = 10) -> Found:
    """The passages nearest to a note, without its own; or to its passage at `line`, without itself.

    UnknownNote if the store has no such note; ModelError if nothing is embedded.
    """
    own = store.passages_of(path)
    if not own:
        raise UnknownNote(f"{path}: nothing in it that is near to anything", hint="kb sync   reads new notes")
    asked = [id for id, _ in own]
    if line is not None:
        asked = [next((id for id, start in reversed(own) if start <= line), own[0][0])]
    rows = sorted({row for found in store.passages_to_rows(vectors.model, asked).values() for row in found})
    if not rows:
        return Found(advice="it is not embedded yet; kb sync")
    near = vectors.around(rows, DEPTH + len(rows))
    passages = store.rows_to_passages(vectors.model, [row for row, _ in near])
    cosines: dict[int, float] = {}
    for row, cosine in near:
        for id in passages.get(row, ()):
            if cosine >= LEAST_COSINE and id not in asked:
                cosines.setdefault(id, cosine)
    origin = list(store.hits(asked).values()) if line is not None else []
    # Folding against the passage itself drops its copies, its parent and its own bullets.
    hits = [hit for hit in fold([*origin, *_near_hits(store, cosines)]) if hit not in origin]
    return Found(tuple(hits[:limit]), advice="" if hits else "nothing is near in meaning")


def _near_hits(store: Store, cosines: dict[int, float]) -> Iterator[Hit]:
    found = store.hits(list(cosines))
    for rank, (id, cosine) in enumerate(cosines.items(), 1):
        if id in found:
            yield replace(found[id], score=cosine, semantic_rank=rank, cosine=cosine)


def _mode(mode: Mode | str) -> Mode:
    try:
        return Mode(mode)
    except ValueError:
        raise UsageError(f"there is no mode {mode!r}", hint="modes: " + ", ".join(Mode)) from None


def _dense(store: Store, semantic: Semantic, query: Query, narrow: Filter) -> list[tuple[int, float]]:
    """Passages by cosine, best first: those that pass the filters, and are near enough to be an answer."""
    wanted = _wanted(store, query, narrow)
    unwanted = _unwanted(store, query, narrow)
    model = semantic.model
    rows: Iterable[int] | None = None
    if wanted is not None:
        by_passage = store.passages_to_rows(model, sorted(wanted))
        rows = sorted({row for found in by_passage.values() for row in found})
    least = LEAST_COSINE_OF_STRANGER if _is_stranger(store, query) else LEAST_COSINE
    near = [pair for pair in semantic.nearest(query.text, DEPTH + len(unwanted), rows) if pair[1] >= least]
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


def _is_answer(one: Ranked, coverage: Mapping[int, float]) -> bool:
    """Whether a passage is more than one common word of a long question, met by chance."""
    return one.cosine is None or one.cosine >= FAR or coverage.get(one.id, 0.0) >= HALF


class _Asked(NamedTuple):
    """A query as the keyword index is asked it.

    `query` without the words that are everywhere; `others` are names that a glossary gives for
    some of its words, with those words.
    """

    query: Query
    others: tuple[tuple[tuple[str, ...], str], ...] = ()


def _asked(store: Store, query: Query) -> _Asked:
    """Leave out what is in more than COMMON of the passages, unless all is; add the glossary's names."""
    counts = {term: store.common(term) or 0 for term in query.terms}
    if any(counts.values()):
        most = COMMON * store.counts().passages
        rare = tuple(term for term in query.terms if counts[term] <= most)
        rarest = () if query.phrases else tuple(sorted(query.terms, key=counts.__getitem__)[:1])
        query = replace(query, terms=rare or rarest)
    return _Asked(query, tuple(_widened(query, store.glossary_names())))


def _widened(query: Query, glossary: Iterable[Sequence[str]]) -> Iterator[tuple[tuple[str, ...], str]]:
    said = [word.lower() for word in _WORD.findall(query.text)]
    for names in glossary:
        spelled = [[word.lower() for word in _WORD.findall(name)] for name in names]
        for name, words in zip(names, spelled, strict=True):
            if words and any(said[at : at + len(words)] == words for at in range(len(said))):
                covers = tuple(term for term in query.terms if set(_WORD.findall(term.lower())) & set(words))
                yield from ((covers, other) for other in names if other != name)
                break


def _keyword(store: Store, asked: _Asked, narrow: Filter) -> list[tuple[int, float]]:
    """Passages by their words, best first, those in scripts without spaces among them."""
    query = asked.query
    if not any(map(spaceless, (*query.terms, *query.phrases, *query.excluded))):
        return store.keyword(fts_match(query, [other for _, other in asked.others]), narrow, DEPTH)
    plain = replace(
        query,
        phrases=tuple(part for part in query.phrases if not spaceless(part)),
        excluded=tuple(part for part in query.excluded if not spaceless(part)),
    )
    found = dict(store.keyword(fts_match(plain), narrow, DEPTH)) if plain.terms or plain.phrases else {}
    for part in (*query.terms, *query.phrases):
        for id, score in store.spaceless(part, narrow, DEPTH):
            found[id] = found.get(id, 0.0) + score
    wanted = _wanted(store, query, narrow) if query.phrases else None
    unwanted = _unwanted(store, query, narrow)
    kept = [(id, s) for id, s in found.items() if (wanted is None or id in wanted) and id not in unwanted]
    return sorted(kept, key=lambda pair: (-pair[1], pair[0]))


def _coverage(store: Store, asked: _Asked, ids: Sequence[int]) -> dict[int, float]:
    """The share of the query's words that each passage holds, each word counting by its rarity."""
    passages = max(store.counts().passages, 1)
    covered: dict[int, float] = dict.fromkeys(ids, 0.0)
    total = 0.0
    for part in (*asked.query.phrases, *asked.query.terms):
        count = min(store.document_frequency(part), passages)
        weight = log(1 + (passages - count + 0.5) / (count + 0.5))
        total += weight
        holding = store.holding(part, ids)
        for words, other in asked.others:
            if part in words:
                holding |= store.holding(other, ids)
        if spaceless(part):
            holding |= {id for id, _ in store.spaceless(part, limit=-1)}.intersection(ids)
        for id in holding:
            covered[id] += weight
    return {id: weight / total for id, weight in covered.items()} if total else covered


def _wanted(store: Store, query: Query, narrow: Filter) -> set[int] | None:
    """Passages that pass the filter and hold the phrases; None where nothing narrows."""
    if not query.phrases:
        return store.allowed(narrow)
    return set.intersection(*(_matching(store, phrase, narrow) for phrase in query.phrases))


def _unwanted(store: Store, query: Query, narrow: Filter) -> set[int]:
    return {id for part in query.excluded for id in _matching(store, part, narrow)}


def _matching(store: Store, part: str, narrow: Filter, limit: int = -1) -> set[int]:
    look = (
        store.spaceless(part, narrow, limit) if spaceless(part) else store.keyword(quote(part), narrow, limit)
    )
    return {id for id, _ in look}


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
    for word in (*query.phrases, *query.terms):
        close = _close(store, word)
        if close:
            return f"nothing found; did you mean {close}?"
    if narrow:
        return "nothing found within these filters; try it without them"
    if not all(_matching(store, phrase, narrow, 1) for phrase in query.phrases):
        return "nothing holds that phrase as it stands; try it without the quotes"
    if query.excluded:
        return "nothing found that way; try it without -" + _typed(query.excluded[0])
    if query.phrases:
        return "nothing holds these phrases together; try it without one of them"
    return "nothing found; try other words, or fewer"


def _typed(part: str) -> str:
    return f'"{part}"' if " " in part else part


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
