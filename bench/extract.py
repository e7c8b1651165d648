"""What title and metadata of a page cost, against BeautifulSoup over the whole page. One run, both sides.

    python -m bench.extract [FOLDER...] [--pages 200]

Pages are those of the documentation installed on this machine, or in the folders named. Each page
is read by both sides in turn, the quicker of three readings counts. The exit status is 1 if ours
costs more than a twentieth of the other's, or if fewer pages than asked for were found.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from bs4 import BeautifulSoup

from bench.pages import pages
from bench.report import row
from kb.web.page import facts

BOUND = 1 / 20
AT = "2026-11-24T12:00:00Z"


def ours(body: bytes) -> str | None:
    """Title and facts as kb reads them."""
    return facts(body, "text/html", "https://docs.example/page.html", AT).title


def whole(body: bytes) -> str | None:
    """The same few things, out of a tree of the whole page."""
    soup = BeautifulSoup(body, "html.parser")
    metas = {tag.get("property") or tag.get("name"): tag.get("content") for tag in soup.find_all("meta")}
    title = metas.get("og:title") or (soup.title.get_text() if soup.title else None)
    return str(title) if title else None


def best(read: Callable[[bytes], str | None], body: bytes, times: int) -> float:
    """Seconds of the quickest of some readings."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        read(body)
        found.append(time.perf_counter() - began)
    return min(found)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--pages", type=int, default=200)
    asked = parser.parse_args()
    found = pages(asked.pages, asked.folders)
    rows = []
    titled = 0
    for path in found:
        body = path.read_bytes()
        titled += ours(body) is not None
        rows.append((best(ours, body, 3), best(whole, body, 1)))
    if not rows:
        print("no pages found; name folders that hold some")
        return 1
    mine, theirs = (sum(side) for side in zip(*rows, strict=True))
    each = sorted(one / other for one, other in rows)
    size = sum(path.stat().st_size for path in found) / len(found)
    print(f"{len(found)} pages, {size / 1024:.0f} KiB on average, {titled} with a title")
    print(f"title and metadata   {mine / len(found) * 1e3:8.2f} ms a page")
    print(f"whole tree           {theirs / len(found) * 1e3:8.2f} ms a page")
    print(f"ratio {mine / theirs:.4f} (1/{theirs / mine:.0f}); median of pages {statistics.median(each):.4f}")
    row(
        "title and facts of a page, to a tree of the whole page",
        mine / theirs,
        BOUND,
        ours=f"{mine / len(found) * 1e3:.2f} ms",
        floor=f"{theirs / len(found) * 1e3:.1f} ms",
    )
    print(f"bound {BOUND:.4f}: {'held' if mine / theirs <= BOUND else 'NOT HELD'}")
    return 0 if mine / theirs <= BOUND and len(found) >= asked.pages else 1


if __name__ == "__main__":
    raise SystemExit(main())
