"""Passages as a browser searches them: words and vectors in few bytes, texts in pieces for those shown.

The browser scores words as FTS5 does, so it gets what FTS5 has: the stems of each column, in
order. Columns repeat from passage to passage (a note's title, a heading), so each different one
is written once. A scan of all of them takes a browser a millisecond or two at 5,000 passages,
which no index of places would repay.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from kb.search.bert import Array
from kb.search.browser.model import quantised
from kb.search.browser.parts import Part, part

TEXTS = 128
"""Passages whose texts travel together: some 8 kB on the way."""

VECTORS = 4096
"""Vectors of one file: 1.4 MB on the way, so that a large notebook's come side by side."""

Tokens = Callable[[Sequence[str]], list[list[str]]]


class Passage(NamedTuple):
    """A passage to share.

    `columns` are the texts that the keyword index has, in its order; `grams` its pairs of characters
    in scripts without spaces; `shown` what a hit shows, as JSON; `rows` its vectors.
    """

    columns: tuple[str, ...]
    grams: str
    shown: list[Any]
    rows: tuple[int, ...] = ()


class Notes(NamedTuple):
    """The files of a notebook's passages, and `told`: what the browser is told of them."""

    told: dict[str, Any]
    parts: tuple[Part, ...]


def pack(
    passages: Sequence[Passage],
    names: Iterable[Sequence[str]],
    tokens: Tokens,
    vectors: Callable[[Sequence[int]], Array],
) -> Notes:
    """The passages in files.

    `names` are what each glossary term is called; `tokens` cuts texts as the keyword index does;
    `vectors` gives the unit vectors of rows.
    """
    index = part("index", _index(passages, names, tokens))
    rows = [row for passage in passages for row in passage.rows]
    near = [_near(vectors(rows[at : at + VECTORS])) for at in range(0, len(rows), VECTORS)]
    texts = [
        part("texts", json.dumps([one.shown for one in passages[at : at + TEXTS]], **_PLAIN).encode())
        for at in range(0, len(passages), TEXTS)
    ]
    told = {
        "passages": len(passages),
        "index": index.entry,
        "vectors": [one.entry for one in near],
        "texts": [one.entry for one in texts],
        "each": TEXTS,
    }
    return Notes(told, (index, *near, *texts))


_PLAIN: dict[str, Any] = {"ensure_ascii": False, "separators": (",", ":")}


def _near(rows: Array) -> Part:
    found = quantised(rows)
    return part("vectors", found.scales.tobytes() + found.rows.tobytes(), noise=True)


def _index(passages: Sequence[Passage], names: Iterable[Sequence[str]], tokens: Tokens) -> bytes:
    """What `passages.js` reads: JSON, then lists of numbers, each with its length before it."""
    different = {text: at for at, text in enumerate(dict.fromkeys(chain(*(p.columns for p in passages))))}
    fields = tokens(list(different))
    stems = _numbered(fields)
    pairs = [passage.grams.split() for passage in passages]
    grams = _numbered(pairs)
    head = json.dumps(
        {
            "passages": len(passages),
            "stems": "\n".join(stems),
            "grams": "\n".join(grams),
            "names": [list(one) for one in names],
        },
        **_PLAIN,
    ).encode()
    lists = (
        [len(field) for field in fields],
        [stems[stem] for field in fields for stem in field],
        [different[text] for column in zip(*(p.columns for p in passages), strict=True) for text in column],
        [len(one) for one in pairs] if grams else [],
        [grams[gram] for one in pairs for gram in one],
        [len(passage.rows) for passage in passages],
    )
    return len(head).to_bytes(4, "little") + head + b"".join(map(_planes, lists))


def _numbered(lists: Iterable[Iterable[str]]) -> dict[str, int]:
    """A number for each word, the commonest first, so that most numbers are small."""
    counted = Counter(chain.from_iterable(lists))
    return {
        word: at for at, (word, _) in enumerate(sorted(counted.items(), key=lambda one: (-one[1], one[0])))
    }


def _planes(numbers: Sequence[int]) -> bytes:
    """Numbers below 2^24: how many, then all their lowest bytes, all their middle ones, all their highest.

    The higher bytes are nearly all alike, which compresses better when they stand together.
    """
    four = np.asarray(numbers, dtype="<u4").view(np.uint8).reshape(-1, 4)
    return len(numbers).to_bytes(4, "little") + four[:, :3].T.tobytes()
