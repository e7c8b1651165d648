"""How well searches answer: MRR@10, recall@5 and nDCG@10 of keyword, semantic and hybrid.

    python bench/quality.py QUERIES [--notebook DIR] [--misses]

QUERIES is TSV or JSON Lines, one query a line: the query, what answers it, and optionally a kind
to report by. An answer is `path`, `path:line`, or a piece of the passage's text; several are
parted by ` | ` in TSV, or a list in JSON ({"query": ..., "expected": [...], "kind": ...}). A query
with no answer should find nothing; those are counted apart.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kb import config  # noqa: E402  # after the checkout is put on the path
from kb.find import Mode, find  # noqa: E402
from kb.model import Hit  # noqa: E402
from kb.search.encode import NumpyEncoder, packaged_model  # noqa: E402
from kb.search.semantic import Semantic  # noqa: E402
from kb.search.vectors import VectorFile, vector_path  # noqa: E402
from kb.store.store import Store  # noqa: E402

DEPTH = 10


@dataclass(frozen=True, slots=True)
class Question:
    """A query, what answers it (nothing: it should find nothing), and what sort of query it is."""

    query: str
    expected: tuple[str, ...]
    kind: str = ""


class Score(NamedTuple):
    """One query's figures, each from 0 to 1."""

    mrr: float
    recall: float
    ndcg: float


def read(path: Path) -> list[Question]:
    """The questions of a TSV or JSON Lines file; blank lines and `#` comments are passed over."""
    questions = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("{"):
            entry = json.loads(line)
            expected = entry.get("expected") or []
            answers = [expected] if isinstance(expected, str) else expected
            questions.append(Question(entry["query"], tuple(answers), entry.get("kind", "")))
            continue
        query, *rest = line.split("\t")
        if len(rest) > 2:
            sys.exit(f"{path}:{number}: more than query, answers and kind")
        answers = [part.strip() for part in rest[0].split(" | ") if part.strip()] if rest else []
        questions.append(Question(query, tuple(answers), rest[1].strip() if len(rest) > 1 else ""))
    return questions


def answers(hit: Hit, expected: str) -> bool:
    """Whether a hit is what was expected: a path, a path and line, or a piece of its text."""
    return expected in (hit.path, f"{hit.path}:{hit.line}") or expected.lower() in hit.text.lower()


def judge(hits: Sequence[Hit], expected: Sequence[str]) -> Score:
    """MRR@10, recall@5 and nDCG@10 of one answer, each expected passage being worth the same."""
    ranks = [
        next((rank for rank, hit in enumerate(hits[:DEPTH], 1) if answers(hit, one)), None)
        for one in expected
    ]
    found = sorted({rank for rank in ranks if rank is not None})
    gain = sum(1 / math.log2(rank + 1) for rank in found)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, len(expected) + 1))
    return Score(
        mrr=1 / found[0] if found else 0.0,
        recall=sum(rank is not None and rank <= 5 for rank in ranks) / len(expected),
        ndcg=min(1.0, gain / ideal),
    )


def mean(values: Iterable[float]) -> float:
    """Arithmetic mean; 0 of nothing."""
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0


def report(title: str, scores: dict[Mode, list[Score]]) -> None:
    """One block of figures, a line a mode."""
    print(f"\n{title} ({len(next(iter(scores.values())))} queries)")
    print(f"{'':<10}{'MRR@10':>8}{'recall@5':>10}{'nDCG@10':>9}")
    for mode, ones in scores.items():
        mrr, recall, ndcg = (mean(getattr(one, name) for one in ones) for name in ("mrr", "recall", "ndcg"))
        print(f"{mode:<10}{mrr:>8.3f}{recall:>10.3f}{ndcg:>9.3f}")


def main() -> int:
    """Ask every question in every mode and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("queries", type=Path)
    parser.add_argument(
        "--notebook", type=Path, default=ROOT, help="a synced notebook (default: the shipped one)"
    )
    parser.add_argument(
        "--misses", action="store_true", help="name the queries whose first hybrid hit is wrong"
    )
    options = parser.parse_args()
    settings = config.load(options.notebook.absolute())
    encoder = NumpyEncoder(packaged_model(), cache=settings.derived / "models.json")
    vectors = VectorFile(vector_path(settings.derived, encoder.identity), encoder.identity, encoder.width)
    semantic = Semantic(encoder, vectors)
    questions = read(options.queries)
    by_kind: dict[str, dict[Mode, list[Score]]] = {}
    silent = dict.fromkeys(Mode, 0)
    with Store.open(settings.store) as store:
        for question in questions:
            for mode in Mode:
                found = find(store, question.query, mode=mode, limit=DEPTH, semantic=semantic)
                if not question.expected:
                    silent[mode] += not found.hits
                    continue
                score = judge(found.hits, question.expected)
                for kind in {"all", question.kind or "all"}:
                    by_kind.setdefault(kind, {one: [] for one in Mode})[mode].append(score)
                if options.misses and mode is Mode.HYBRID and score.mrr < 1:
                    first = f"{found.hits[0].path}:{found.hits[0].line}" if found.hits else "nothing"
                    print(f"{score.mrr:.2f}  {question.query}   -> {first}")
    for kind in sorted(by_kind, key=lambda name: (name != "all", name)):
        report(kind, by_kind[kind])
    off_topic = sum(not question.expected for question in questions)
    if off_topic:
        told = ", ".join(f"{mode} {count}" for mode, count in silent.items())
        print(f"\nqueries that should find nothing: {off_topic}; found nothing: {told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
