"""Words of scripts that are written without spaces, as pairs of characters. Pure.

FTS5 takes a whole run of such characters for one word, so that nobody finds a part of it. Its
trigram tokenizer needs three characters to find any, and most Chinese words have two.
"""

from __future__ import annotations

import re
from functools import cache

# Thai, Lao, Burmese, Khmer; the signs that stand for Han; kana, Han and their extensions; Hangul
# syllables; narrow kana.
_RUN = (
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f]+"
)


@cache
def _runs() -> re.Pattern[str]:
    return re.compile(_RUN)  # 2 ms, which a query in plain letters need not pay


def spaceless(text: str) -> bool:
    """Whether any of the text is in such a script."""
    return not text.isascii() and _runs().search(text) is not None


def grams(text: str) -> str:
    """What to index of a text: of each run its pairs of neighbours, then its last character alone."""
    if text.isascii():
        return ""
    return " ".join(gram for run in _runs().findall(text) for gram in (*_pairs(run), run[-1]))


def gram_match(text: str) -> str:
    """The FTS5 expression for passages that hold each run of a text; empty where it has none.

    The pairs of a run must stand side by side. A single character begins a pair, or ends a run.
    """
    if text.isascii():
        return ""
    runs = _runs().findall(text)
    return " AND ".join(f'"{" ".join(_pairs(run))}"' if len(run) > 1 else f'"{run}" *' for run in runs)


def _pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run) - 1)]
