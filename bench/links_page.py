"""How soon the page of 12,000 links can be used in Chromium, beside one of 600.

    python -m bench.links_page [--links 12000]

The page shows the latest 600 rows and fetches the others when somebody filters or sorts, so it must be
usable as soon as a page of 600 is. Times are told by the browser's own clock: from the start of the
navigation to the moment at which the filter stands and the page is idle, and from the first letter
typed to the answer over all links.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from bench.browser import build, served
from bench.report import ms, row
from kb.knowledge import KnowledgeBase

FEW, EACH = 600, 40
#: A page of twenty times the links may take this many times as long to be usable.
BOUND = 1.5
#: Milliseconds for which somebody waits who has typed a word, with the other pages still to be fetched.
PATIENCE = 1000

READY = """() => new Promise(done => {
    const look = () => document.querySelector(".kb-filter")
        ? requestIdleCallback(() => done(performance.now())) : requestAnimationFrame(look);
    look();
})"""
ASK = """word => new Promise(done => {
    const begun = performance.now(), input = document.querySelector(".kb-filter input");
    input.focus();
    input.value = word;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    const look = () => / of /.test(document.querySelector(".kb-told").textContent)
        ? done([performance.now() - begun, document.querySelector(".kb-told").textContent])
        : requestAnimationFrame(look);
    look();
})"""


def main() -> int:
    """Build both sites, open both pages, print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--links", type=int, default=12_000)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("no Chromium on this machine: apt-get install chromium")
    with tempfile.TemporaryDirectory(prefix="kb-links-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        seen = {}
        for count in (FEW, options.links):
            root = notebook(Path(folder) / str(count), count)
            build(root)
            seen[count] = opened(browser, root, options.runs)
        browser.close()
    (few, few_asked, _), (many, asked, told) = seen.values()
    print(f"usable after       {many:6.0f} ms with {options.links:,} links, {few:.0f} ms with {FEW}")
    print(
        f"first word typed   {asked:6.0f} ms to '{told}' (at most {PATIENCE}); {few_asked:.0f} ms with {FEW}"
    )
    print(f"ratio {many / few:.2f} (at most {BOUND})")
    sides = f"a page of {options.links:,} links until it is usable, to one of {FEW}"
    good = row(sides, many / few, BOUND, ours=ms(many / 1000), floor=ms(few / 1000))
    good &= row("a first word typed there until it is answered", asked, PATIENCE, unit="ms")
    return int(not good)


def notebook(root: Path, links: int) -> Path:
    """Notes of 40 links each, read and not embedded."""
    (root / "notes").mkdir(parents=True)
    (root / "kb.toml").write_text('[notebook]\ntitle = "Bench"\n\n[site]\nsemantic_search = false\n')
    shipped = Path(__file__).resolve().parent.parent / "mkdocs.yml"
    (root / "mkdocs.yml").write_text(shipped.read_text(encoding="utf-8"), encoding="utf-8")
    for number in range(links // EACH):
        lines = [
            f"# Note {number}",
            "",
            f"## {2010 + number % 15}-{1 + number % 12:02d}-{1 + number % 28:02d}",
            "",
        ]
        for at in range(EACH):
            address = f"https://host{(number * EACH + at) % 397}.example/{number}/{at}"
            lines.append(f"* [Page {at} on subject {number % 53}]({address}) that says so")
        (root / "notes" / f"note-{number}.md").write_text("\n".join(lines) + "\n")
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
    return root


def opened(browser: Browser, root: Path, runs: int) -> tuple[float, float, str]:
    """Milliseconds until the page can be used, and until a first word is answered; the answer."""
    ready, answered, told = [], [], ""
    with served(root) as (address, _):
        for _ in range(runs):
            context = browser.new_context()
            page = context.new_page()
            page.goto(f"{address}links/", wait_until="commit")
            ready.append(page.evaluate(READY))
            took, told = page.evaluate(ASK, "subject 7")
            answered.append(took)
            context.close()
    return statistics.median(ready), statistics.median(answered), told


if __name__ == "__main__":
    sys.exit(main())
