"""How well searches answer: MRR@10, recall@5 and nDCG@10 of keyword, semantic and hybrid.

    python bench/quality.py [QUERIES] [--notebook DIR] [--half choose|report|both] [--misses]

QUERIES is TSV or JSON Lines, one query a line: the query, what answers it, and optionally a kind
to report by. An answer is `path`, `path:line`, or a piece of the passage's text; several are
parted by ` | ` in TSV, or a list in JSON ({"query": ..., "expected": [...], "kind": ...}). A query
with no answer should find nothing; those are counted apart, by kind, and beside them the queries
that have an answer and found nothing at all.

Without arguments the queries of bench/data are put to the shipped notebook and the notes beside
them, read together into a temporary notebook. Constants are chosen on one half (the first, third,
fifth... query of each kind), so figures are reported on the other. Under each block stands the
difference of hybrid and the better of the two others, with a 95 % interval from a paired bootstrap
over queries (Sakai 2006, 10,000 draws).
"""

from __future__ import annotations

import argparse
import json
import math
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.report import row  # noqa: E402  # after the checkout is put on the path
from kb import config  # noqa: E402  # after the checkout is put on the path
from kb.config import Settings  # noqa: E402
from kb.find import Mode, find  # noqa: E402
from kb.knowledge import KnowledgeBase  # noqa: E402
from kb.model import Hit  # noqa: E402
from kb.search.encode import NumpyEncoder  # noqa: E402
from kb.search.semantic import Semantic  # noqa: E402
from kb.search.vectors import VectorFile, vector_path  # noqa: E402
from kb.search.weights import packaged_model  # noqa: E402
from kb.store.store import Store  # noqa: E402

DEPTH = 10
DRAWS = 10_000
SPOILT, KEYWORD = -0.02, 0.95
DATA = Path(__file__).resolve().parent / "data"


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


def halves(questions: Sequence[Question]) -> tuple[list[Question], list[Question]]:
    """The half to choose constants on, and the half to report on: within each kind, every other one."""
    seen: Counter[str] = Counter()
    parts: tuple[list[Question], list[Question]] = ([], [])
    for question in questions:
        parts[seen[question.kind] % 2].append(question)
        seen[question.kind] += 1
    return parts


def interval(differences: Sequence[float], draws: int = DRAWS) -> tuple[float, float]:
    """The 95 % interval of a mean of paired differences, by bootstrap; always the same for the same."""
    dice = random.Random(0)  # noqa: S311  # no secret
    means = sorted(mean(dice.choices(differences, k=len(differences))) for _ in range(draws))
    return means[int(draws * 0.025)], means[int(draws * 0.975) - 1]


def mean(values: Iterable[float]) -> float:
    """Arithmetic mean; 0 of nothing."""
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0


def report(title: str, scores: dict[Mode, list[Score]]) -> None:
    """One block of figures, a line a mode, and how hybrid stands to the better of the others."""
    print(f"\n{title} ({len(next(iter(scores.values())))} queries)")
    print(f"{'':<10}{'MRR@10':>8}{'recall@5':>10}{'nDCG@10':>9}")
    for mode, ones in scores.items():
        mrr, recall, ndcg = (mean(getattr(one, name) for one in ones) for name in ("mrr", "recall", "ndcg"))
        print(f"{mode:<10}{mrr:>8.3f}{recall:>10.3f}{ndcg:>9.3f}")
    others = [mode for mode in scores if mode is not Mode.HYBRID]
    better = max(others, key=lambda mode: mean(one.mrr for one in scores[mode]))
    pairs = zip(scores[Mode.HYBRID], scores[better], strict=True)
    differences = [ours.mrr - theirs.mrr for ours, theirs in pairs]
    low, high = interval(differences)
    print(f"hybrid - {better}: MRR@10 {mean(differences):+.3f} ({low:+.3f} to {high:+.3f})")
    best, other = (mean(one.mrr for one in scores[mode]) for mode in (Mode.HYBRID, better))
    sides = {"ours": f"hybrid {best:.3f}", "floor": f"{better} {other:.3f}"}
    what = f"MRR@10, {title} ({len(differences)} queries)"
    if title == "all":
        row(f"{what}: hybrid less the better of the two others", best - other, 0, least=True, **sides)
        return
    # The interval may not lie wholly below the bound: so much is what differences by chance come to.
    row(f"{what}: the same, upper end of its 95 % interval", high, SPOILT, least=True, **sides)
    if title == "keyword":
        row(f"{what}: hybrid", best, KEYWORD, least=True, **sides)


@contextmanager
def notebook(folder: Path | None) -> Iterator[Settings]:
    """A notebook's settings; without one, shipped and labelled notes together, synced and then deleted."""
    if folder is not None:
        yield config.load(folder.absolute())
        return
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "kb.toml").write_text("")
        for source in (ROOT / "notes", DATA / "notes"):
            shutil.copytree(source, root / "notes", dirs_exist_ok=True)
        with KnowledgeBase.open(root) as base:
            base.sync()
        yield config.load(root)


class Asked(NamedTuple):
    """What came of the questions, by kind and mode: scores of those that have an answer, and of all
    of them whether nothing was found (`False` of one that has an answer: something was)."""

    scores: dict[str, dict[Mode, list[Score]]]
    silent: dict[str, dict[Mode, list[bool]]]


def ask(store: Store, semantic: Semantic, questions: Sequence[Question], *, misses: bool) -> Asked:
    """Every question in every mode; `all` and `answered` are kinds too."""
    asked = Asked({}, {})
    for question in questions:
        for mode in Mode:
            hits = find(store, question.query, mode=mode, limit=DEPTH, semantic=semantic).hits
            silent = "answered" if question.expected else question.kind or "unanswered"
            asked.silent.setdefault(silent, {one: [] for one in Mode})[mode].append(not hits)
            if question.expected:
                score = judge(hits, question.expected)
                for kind in {"all", question.kind or "all"}:
                    asked.scores.setdefault(kind, {one: [] for one in Mode})[mode].append(score)
            right = score.mrr == 1 if question.expected else not hits
            if misses and mode is Mode.HYBRID and not right:
                first = f"{hits[0].path}:{hits[0].line}" if hits else "nothing"
                print(f"{question.kind}: {question.query}   -> {first}")
    return asked


def silence(silent: dict[str, dict[Mode, list[bool]]]) -> None:
    """How many queries found something although nothing answers them, and the reverse."""
    for kind, modes in sorted(silent.items(), key=lambda pair: pair[0] == "answered"):
        wrongly = kind == "answered"
        told = ", ".join(f"{mode} {sum(one is wrongly for one in ones)}" for mode, ones in modes.items())
        what = "answered, but found nothing" if wrongly else f"{kind}: not answered, but found something"
        ones = modes[Mode.HYBRID]
        print(f"{what}: {told} of {len(ones)}")
        row(f"{what}, hybrid", sum(one is wrongly for one in ones), floor=f"of {len(ones)} queries")


def main() -> int:
    """Ask every question in every mode and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("queries", type=Path, nargs="?", default=DATA / "queries.tsv")
    parser.add_argument("--notebook", type=Path, help="a synced notebook (default: see above)")
    parser.add_argument("--half", choices=["choose", "report", "both"], default="report")
    parser.add_argument(
        "--misses", action="store_true", help="name the queries whose first hybrid hit is wrong"
    )
    options = parser.parse_args()
    questions = read(options.queries)
    if options.half != "both":
        questions = halves(questions)[options.half == "report"]
    with notebook(options.notebook) as settings:
        encoder = NumpyEncoder(packaged_model(), cache=settings.derived / "models.json")
        vectors = VectorFile(vector_path(settings.derived, encoder.identity), encoder.identity, encoder.width)
        with Store.open(settings.store) as store:
            asked = ask(store, Semantic(encoder, vectors), questions, misses=options.misses)
    print(f"half: {options.half}")
    for kind in sorted(asked.scores, key=lambda name: (name != "all", name)):
        report(kind, asked.scores[kind])
    print()
    silence(asked.silent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
