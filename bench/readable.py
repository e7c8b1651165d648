"""How well the readable text of a page is found: words kept and words that do not belong, against others.

    python -m bench.readable [FOLDER...]

Three sets of pages whose text is known:
  pairs   pages that lie beside the Markdown they were made from (Node.js's documentation, say)
  bare    the same pages without a word that names their parts: `main`, `nav`, classes, ids, roles
  built   the READMEs of the packages installed here, built by MkDocs with Material

Trafilatura, readability-lxml and jusText are measured where they are installed; they are no
dependency of kb. Precision, recall and F1 are of words, averaged over pages.
"""

from __future__ import annotations

import argparse
import importlib
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import markdown
from mkdocs.commands.build import build
from mkdocs.config import load_config

from bench.pages import default_folders
from kb.web.page.text import readable

Pair = tuple[str, str]
Extractor = Callable[[str], str]
MOST_CHARS = 400_000


def words(text: str) -> Counter[str]:
    """The words of a text, counted."""
    return Counter(re.findall(r"\w+", text.lower()))


def pairs(folders: list[Path]) -> Iterator[Pair]:
    """Pages, and the Markdown beside them, addresses and comments left out."""
    for folder in folders:
        for path in sorted(folder.rglob("*.html")):
            source = path.with_suffix(".md")
            if source.is_file() and path.stat().st_size < MOST_CHARS:
                text = re.sub(r"\]\([^)]*\)|<!--.*?-->", " ", source.read_text("utf-8"), flags=re.DOTALL)
                yield path.read_text("utf-8", "replace"), text


def bare(page: str) -> str:
    """A page in which nothing says what is content and what is not."""
    page = re.sub(r"<(/?)(?:main|article|nav|header|footer|aside)\b", r"<\1div", page)
    return re.sub(r'\s(?:id|class|role)="[^"]*"', "", page)


def built() -> Iterator[Pair]:
    """READMEs of installed packages as pages of a site, and their words."""
    readmes: dict[str, str] = {}
    for package in distributions():
        about: Any = package.metadata  # an email.message.Message, which its type does not tell
        text = str(about.get_payload() or about.get("Description") or "")
        if "markdown" in str(about.get("Description-Content-Type")) and 1_000 < len(text) < 60_000:
            readmes[package.name.lower()] = text
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "docs").mkdir()
        for package_name, text in readmes.items():
            (root / "docs" / f"{package_name}.md").write_text(text, encoding="utf-8")
        (root / "mkdocs.yml").write_text("site_name: Packages\ntheme: {name: material, font: false}\n")
        config = load_config(str(root / "mkdocs.yml"))
        build(config)
        for package_name, text in readmes.items():
            page = (root / "site" / package_name / "index.html").read_text("utf-8")
            yield page, re.sub(r"<[^>]*>", " ", markdown.markdown(text, extensions=["tables", "fenced_code"]))


def extractors() -> Iterator[tuple[str, Extractor]]:
    """Ours, and those that are installed."""
    yield "kb", lambda page: readable(page.encode(), "text/html; charset=utf-8")
    with suppress(ImportError):
        trafilatura = importlib.import_module("trafilatura")
        yield "trafilatura", lambda page: trafilatura.extract(page, include_comments=False) or ""
    with suppress(ImportError):
        document = importlib.import_module("readability").Document
        yield "readability", lambda page: re.sub(r"<[^>]*>", " ", document(page).summary())
    with suppress(ImportError):
        justext = importlib.import_module("justext")
        stops = justext.get_stoplist("English")
        yield (
            "justext",
            lambda page: " ".join(
                one.text for one in justext.justext(page.encode(), stops) if not one.is_boilerplate
            ),
        )
    yield "all words", lambda page: re.sub(r"(?s)<(script|style).*?</\1>|<[^>]*>", " ", page)


def measure(name: str, extract: Extractor, known: list[Pair]) -> None:
    """One extractor over one set."""
    precision, recall, f1 = [], [], []
    seconds = 0.0
    for page, text in known:
        began = time.perf_counter()
        found = words(extract(page))
        seconds += time.perf_counter() - began
        truth = words(text)
        shared = sum((found & truth).values())
        precision.append(shared / max(1, sum(found.values())))
        recall.append(shared / max(1, sum(truth.values())))
        f1.append(2 * precision[-1] * recall[-1] / max(precision[-1] + recall[-1], 1e-9))
    means = (statistics.mean(side) for side in (precision, recall, f1))
    told = "  ".join(f"{value:.3f}" for value in means)
    print(f"  {name:12} {told}  {sorted(f1)[len(f1) // 20]:.2f}  {seconds / len(known) * 1e3:7.1f} ms")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path)
    asked = parser.parse_args()
    beside = list(pairs(asked.folders or default_folders()))
    sets = {"pairs": beside, "bare": [(bare(page), text) for page, text in beside], "built": list(built())}
    for name, known in sets.items():
        if known:
            print(
                f"{name}: {len(known)} pages; precision, recall, F1, F1 of the worst twentieth, time a page"
            )
            for label, extract in extractors():
                measure(label, extract, known)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
