"""How surely a page whose text has become another is told from one that only changed its dress.

    python -m bench.drift

Articles are the sections of this project's own documentation and notes, put into pages with a
menu, advertisements, dates and comments, and read as `kb check-links` reads pages. Some pages
are then the same with other surroundings, or edited; others have been replaced. Each article is in one of
two halves: thresholds are tried on the first, and the ones that kb has are measured on the second,
which had no say in them. The exit status is 1 if a bound is broken there.
"""

from __future__ import annotations

import random
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from zlib import crc32

from bench.report import row
from kb.web.page.text import readable
from kb.web.retold import LEAST_SHARED, LEAST_WORDS, RUN, retold, shared, words

ROOT = Path(__file__).resolve().parent.parent
TRIED = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)
ROUNDS = 10
FALSE_ALARMS, CAUGHT = 0.005, 0.95
_MARKS = re.compile(
    r"```.*?```|`|\*\*|!?\[([^\]]*)\]\([^)]*\)|<[^>]*>|^[#>|*+-]+ ?", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Article:
    """A section: which file it is from, its heading, its paragraphs."""

    file: str
    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """What was saved of a page and what is read of it now; whether it is another text."""

    kind: str
    another: bool
    saved: str
    now: str


def articles() -> list[Article]:
    """The sections of this project's prose that are long enough to be an article."""
    found = []
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("notes/**/*.md")]):
        for section in re.split(r"^(?=## )", path.read_text("utf-8"), flags=re.MULTILINE):
            heading, _, text = section.partition("\n")
            paragraphs = [" ".join(_MARKS.sub(r"\1", one).split()) for one in text.split("\n\n")]
            long = tuple(one for one in paragraphs if len(one.split()) > 5)
            if sum(len(one.split()) for one in long) >= 80 and len(long) >= 2:
                found.append(Article(path.name, heading.strip("# "), long))
    return found


# -- pages -----------------------------------------------------------------------------------------

_ADS = ("Fine kettles, now cheaper.", "Learn to play the lute in a week!", "Insure your llama today.")
_MENUS = (("Home", "Guides", "About"), ("Start", "Articles", "Shop", "Contact", "Imprint"))


def page(
    heading: str, paragraphs: tuple[str, ...], pick: random.Random, comments: tuple[str, ...] = ()
) -> str:
    """The readable text of a page with these words, its surroundings picked by chance."""
    menu = "".join(f"<li><a href=/{one}>{one}</a>" for one in pick.choice(_MENUS))
    day = f"{pick.randint(2019, 2026)}-{pick.randint(1, 12):02}-{pick.randint(1, 28):02}"
    body = "".join(f"<p>{escape(one)}</p>" for one in paragraphs)
    said = "".join(f"<div class=comment><p>{escape(one)}</p></div>" for one in comments)
    html = (
        f"<!doctype html><html><head><title>{escape(heading)}</title></head><body><nav><ul>{menu}</ul></nav>"
        f"<div class=ad><p>{pick.choice(_ADS)}</p></div><article><h1>{escape(heading)}</h1>"
        f"<p>By the editors, {day}. {pick.randint(2, 900)} people have read this.</p>{body}</article>"
        f"<section><h2>Comments</h2>{said}</section><footer><p>Updated {day}</p></footer></body></html>"
    )
    return readable(html.encode(), "text/html; charset=utf-8")


Change = Callable[[Article, Article, random.Random], str]


def _same(one: Article, other: Article, pick: random.Random) -> str:
    return page(one.heading, one.paragraphs, pick)


def _commented(one: Article, other: Article, pick: random.Random) -> str:
    return page(one.heading, one.paragraphs, pick, other.paragraphs * 3)


def _cut(one: Article, other: Article, pick: random.Random) -> str:
    return page(one.heading, one.paragraphs[: max(1, len(one.paragraphs) // 2)], pick)


def _reordered(one: Article, other: Article, pick: random.Random) -> str:
    return page(one.heading, tuple(pick.sample(one.paragraphs, len(one.paragraphs))), pick)


def _edited(one: Article, other: Article, pick: random.Random) -> str:
    """One word in eight is another."""
    theirs = " ".join(other.paragraphs).split()
    words = [
        [pick.choice(theirs) if pick.random() < 0.125 else word for word in text.split()]
        for text in one.paragraphs
    ]
    return page(one.heading, tuple(" ".join(text) for text in words), pick)


def _half_new(one: Article, other: Article, pick: random.Random) -> str:
    kept = one.paragraphs[: (len(one.paragraphs) + 1) // 2]
    return page(one.heading, (*kept, *other.paragraphs[: len(one.paragraphs) - len(kept)]), pick)


def _replaced(one: Article, other: Article, pick: random.Random) -> str:
    return page(other.heading, other.paragraphs, pick)


def _replaced_under_its_title(one: Article, other: Article, pick: random.Random) -> str:
    return page(one.heading, other.paragraphs, pick)


def _spun(one: Article, other: Article, pick: random.Random) -> str:
    """The same words, of which no four stand in a row as they did."""
    words = " ".join(one.paragraphs).split()
    pick.shuffle(words)
    return page(one.heading, (" ".join(words),), pick)


_FOR_SALE = (
    "This domain may be for sale. Thousands of names are bought and sold here every day, safely and soon. "
    "Make an offer, and our brokers speak with the owner for you; payment is held until the name is yours. "
    "Related searches: loans, hotels, phones, flights, insurance, casino games, cheap shoes. "
    "All names are offered by third parties, for whom we are not liable; see our terms and notices.",
)


def _parked(one: Article, other: Article, pick: random.Random) -> str:
    return page("acme.example", _FOR_SALE, pick)


KINDS: dict[str, tuple[bool, Change]] = {
    "other ads, dates and menus": (False, _same),
    "comments under it": (False, _commented),
    "cut to its first half": (False, _cut),
    "its paragraphs in another order": (False, _reordered),
    "one word in eight another": (False, _edited),
    "half of it new": (False, _half_new),
    "replaced by another page of the site": (True, _replaced),
    "replaced under the same title": (True, _replaced_under_its_title),
    "its words spun": (True, _spun),
    "parked": (True, _parked),
}


def pairs(among: list[Article], seed: int) -> Iterator[Pair]:
    """Every article changed in every way, several times."""
    pick = random.Random(seed)  # noqa: S311  # chance that comes out the same every time
    for one in among * ROUNDS:
        other = pick.choice([found for found in among if found.heading != one.heading])
        saved = page(one.heading, one.paragraphs, pick)
        for kind, (another, change) in KINDS.items():
            yield Pair(kind, another, saved, change(one, other, pick))


# -- what comes of them ----------------------------------------------------------------------------


def rates(of: list[Pair], least: float) -> tuple[float, float]:
    """Shares of the pages that are the same and told as another, and of the others that are told."""
    told: dict[bool, list[bool]] = defaultdict(list)
    for one in of:
        told[one.another].append(shared(words(one.saved), words(one.now)) < least)
    return sum(told[False]) / len(told[False]), sum(told[True]) / len(told[True])


def main() -> int:
    """Try thresholds on one half, measure kb's own on the other."""
    halves: list[list[Article]] = [[], []]
    for one in articles():
        halves[crc32(one.file.encode()) % 2].append(one)
    first, second = (list(pairs(half, seed)) for seed, half in enumerate(halves))
    print(f"{len(halves[0])} and {len(halves[1])} articles, {len(KINDS)} changes of each, {ROUNDS} times\n")
    print("first half, by the share of runs of words that is asked for:\n")
    for least in TRIED:
        wrong, caught = rates(first, least)
        mark = "  <- kb" if least == LEAST_SHARED else ""
        print(f"  {least:5.2f}   false alarms {wrong:6.1%}   caught {caught:6.1%}{mark}")
    print(f"\nsecond half, as kb has it (runs of {RUN}, {LEAST_SHARED} shared, {LEAST_WORDS} words):\n")
    found: dict[str, list[bool | None]] = defaultdict(list)
    for pair in second:
        came = retold(pair.saved, pair.now)
        found[pair.kind].append(None if came is None else bool(came))
    for kind, answers in found.items():
        open_ = answers.count(None) / len(answers)
        print(
            f"  {kind:38} told as another {answers.count(True) / len(answers):6.1%}, not judged {open_:6.1%}"
        )
    wrong, caught = (
        sum(one is True for kind in found for one in found[kind] if KINDS[kind][0] is another)
        / sum(one is not None for kind in found for one in found[kind] if KINDS[kind][0] is another)
        for another in (False, True)
    )
    print(
        f"\n  false alarms {wrong:.1%} (bound {FALSE_ALARMS:.1%}), caught {caught:.1%} (bound {CAUGHT:.0%})"
    )
    holds = row("pages that are the same, told as another", wrong, FALSE_ALARMS, ours=f"{wrong:.1%}")
    holds &= row("pages that became another, told", caught, CAUGHT, ours=f"{caught:.1%}", least=True)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
