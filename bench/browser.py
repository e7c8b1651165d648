"""Search by meaning in the browser against `kb search`: sameness, bytes, time, memory. Both sides in one run.

    python bench/browser.py [--notebook DIR] [--queries 200] [--passages 5000]

The notebook is made of the docstrings of Python's own library, in plain English and the same
everywhere: making it embeds 5,000 passages, which takes a minute or two; --notebook keeps it for
the next run. The site is served by a server that compresses nothing, and again by one that
compresses everything, below a sub-path; a query's time is the least of many, on both sides, taking
turns. The exit status is 1 if a figure misses its bound. Needs Chromium.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from bench.quality import DATA, DEPTH, Question, judge, mean, read
from bench.report import row
from kb.knowledge import KnowledgeBase
from kb.search.encode import NumpyEncoder
from kb.search.vectors import VectorFile, best, vector_path
from kb.search.weights import packaged_model

ROOT = Path(__file__).resolve().parent.parent
COSINE, AGREE, BYTES, SLOWER, MEMORY, MRR = 0.998, 9.5, 13.0, 8.0, 250.0, 0.02  # bytes, memory: MB
TWELVE = "how much memory to fine tune a model at home"  # with its two special pieces, twelve
FIRST = "how do I wait for a thread to finish its work"
SECOND = "reading a compressed file line by line"
ODD = (
    *("RAG", "café naïve", "你好，世界", "Привет", "x" * 130, "[MASK] and [SEP]", "a.b.c(d=1)", "½ ™ Ωμέγα"),
    *(
        "C++ vs. Rust?",
        "don't",
        "2023-09-01",
        "https://example.org/a?b=c#d",
        "speech to text " * 40,
        "🙂 smile",
    ),
)

ENGINE = """async () => {
  const start = document.querySelector("script[src*='kb/meaning']").src;
  const { Engine } = await import(new URL("engine.js", start));
  const { Files } = await import(new URL("files.js", start));
  const files = new Files(new URL("../", start).href);
  window.engine = new Engine(files, await files.index());
  await window.engine.load();
}"""
VECTORS = """async (texts) => { const all = [];
  for (const text of texts) all.push([...await engine.encode(text)]); return all; }"""
NEAREST = """async (texts) => { const all = []; for (const text of texts) {
  const cosines = [...engine.cosines(await engine.encode(text))].map((cosine, id) => [cosine, id]);
  cosines.sort((a, b) => b[0] - a[0] || a[1] - b[1]);
  all.push(cosines.slice(0, 10).map(([, id]) => id)); } return all; }"""
TIMES = """async ([text, turns]) => { await engine.encode(text); let least = Infinity;
  for (let turn = 0; turn < turns; turn++) { const began = performance.now(); await engine.encode(text);
    least = Math.min(least, performance.now() - began); } return least; }"""
ANSWERS = """async (texts) => { const all = [];
  for (const text of texts)
    all.push((await engine.answer(text)).hits.map(({ text }) => text)); return all; }"""


class Answer(NamedTuple):
    """A hit, as far as it is judged."""

    text: str
    path: str | None = None
    line: int = 0


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--notebook", type=Path, help="where to keep the notebook (default: made and deleted)"
    )
    parser.add_argument("--passages", type=int, default=5000)
    parser.add_argument("--queries", type=int, default=200)
    options = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("no Chromium on this machine: apt-get install chromium")
    good = []
    with tempfile.TemporaryDirectory(prefix="kb-bench-") as folder, sync_playwright() as playwright:
        big = library(options.notebook or Path(folder) / "big", options.passages)
        small = labelled(Path(folder) / "small")
        for root in (big, small):
            build(root)
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        good += first_answer(browser, big)
        good += sameness(browser, big, options.queries)
        good += ranking(browser, small)
        browser.close()
    return int(not all(good))


def told(
    name: str,
    value: str,
    measured: float,
    bound: float,
    *,
    least: bool = False,
    ours: str = "",
    floor: str = "",
    unit: str = "",
) -> bool:
    """Print a figure beside its bound, and record it; whether it holds."""
    holds = row(name, measured, bound, ours=ours or value, floor=floor, least=least, unit=unit)
    sense = "at least" if least else "at most"
    print(
        f"{name}: {value} ({sense} {f'{bound:g} {unit}'.strip()}){'' if holds else '   MISSED'}", flush=True
    )
    return holds


# -- notebooks -----------------------------------------------------------------------------------


def library(root: Path, count: int) -> Path:
    """A synced notebook with `count` passages, the sentences of docstrings, a note for each module."""
    mark = root / "built"
    if mark.is_file() and mark.read_text() == str(count):
        return root
    shutil.rmtree(root, ignore_errors=True)
    (root / "notes").mkdir(parents=True)
    (root / "kb.toml").write_text('[notebook]\ntitle = "Library"\n')
    shutil.copy(ROOT / "mkdocs.yml", root)
    left = count
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if left <= 0 or {"test", "tests", "site-packages", "idlelib"} & set(path.parts):
            continue
        bullets = [text for text in docstrings(path) if 30 < len(text) < 400][: min(left, 120)]
        if len(bullets) > 2:
            left -= len(bullets)
            body = "\n".join(f"* {text}" for text in bullets)
            (root / "notes" / f"{path.parent.name}-{path.stem}.md").write_text(
                f"---\ntitle: {json.dumps(path.stem.strip('_'))}\ndate: 2024-01-01\n---\n\n{body}\n"
            )
    sync(root)
    mark.write_text(str(count))
    return root


def docstrings(path: Path) -> Iterator[str]:
    """The first paragraph of each docstring of a file, as plain words."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = (ast.get_docstring(node) or "").split("\n\n")[0]
            yield " ".join("".join(char for char in text if char not in "*_`<>[]|#\\").split())


def labelled(root: Path) -> Path:
    """The notebook whose queries have labels, synced."""
    root.mkdir(parents=True)
    (root / "kb.toml").write_text("")
    shutil.copy(ROOT / "mkdocs.yml", root)
    for source in (ROOT / "notes", DATA / "notes"):
        shutil.copytree(source, root / "notes", dirs_exist_ok=True)
    sync(root)
    return root


def sync(root: Path) -> None:
    """Read and embed a notebook's notes."""
    with KnowledgeBase.open(root) as base:
        base.sync()


def build(root: Path) -> None:
    """The site of a notebook, in its folder `site`."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "-q", "-f", str(root / "mkdocs.yml")]
    subprocess.run(command, check=True, env=environment)


# -- a server that counts ------------------------------------------------------------------------


class Counting(SimpleHTTPRequestHandler):
    """Serves the files below `/people/me/`, compressed or not, and counts the bytes of their bodies."""

    squeeze = False
    sent: dict[str, int]

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Send a file."""
        path = Path(self.translate_path(self.path.replace("/people/me", "", 1)))
        if path.is_dir():
            path /= "index.html"
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        if self.squeeze:
            data = gzip.compress(data, 6)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(data)))
        if self.squeeze:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(data)
        self.sent[self.path] = self.sent.get(self.path, 0) + len(data)


@contextmanager
def served(root: Path, *, squeeze: bool = False) -> Iterator[tuple[str, dict[str, int]]]:
    """The address of a notebook's site, and what has been sent of it so far."""
    sent: dict[str, int] = {}
    handler = type("Handler", (Counting,), {"squeeze": squeeze, "sent": sent})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(root / "site")))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/people/me/", sent
    server.shutdown()
    server.server_close()
    thread.join()


# -- measurements --------------------------------------------------------------------------------


def first_answer(browser: Browser, root: Path) -> list[bool]:
    """Bytes before the first answer, the time of the next ones, and what the page holds then."""
    good = []
    for squeeze in (True, False):
        with served(root, squeeze=squeeze) as (address, sent):
            context = browser.new_context()
            page = context.new_page()
            page.goto(address, wait_until="networkidle")
            before, resting = sum(sent.values()), memory(browser)
            opened(page)
            switch(page)
            asked(page, FIRST)
            moved = sum(sent.values()) - before
            how = "from a host that compresses" if squeeze else "from one that does not"
            megabytes = moved / 1e6
            good.append(told(f"first answer, {how}", f"{megabytes:.2f} MB", megabytes, BYTES, unit="MB"))
            if not squeeze:
                continue
            before = sum(sent.values())
            seconds = asked(page, SECOND)
            print(f"second question: {seconds:.2f} s, {(sum(sent.values()) - before) / 1e3:.0f} kB more")
            before = sum(sent.values())
            page.goto(address + "links/", wait_until="networkidle")
            opened(page)
            seconds = asked(page, FIRST)
            # What a page itself brings is not the search's: its model and its vectors are.
            model = sum(size for path, size in sent.items() if ".bin" in path)
            page.goto(address + "graph/", wait_until="networkidle")
            opened(page)
            asked(page, FIRST)
            again = sum(size for path, size in sent.items() if ".bin" in path) - model
            value = f"answer after {seconds:.2f} s, {again} bytes of model"
            good.append(told("bytes of model on the next page", value, again, 0, ours=f"{again} bytes"))
            above = memory(browser) - resting
            value = f"{above:.0f} MB above the page at rest"
            good.append(
                told(
                    "memory of the page that searched",
                    value,
                    above,
                    MEMORY,
                    floor="the page at rest",
                    unit="MB",
                )
            )
            context.close()
    return good


def opened(page: Page) -> None:
    """Open the search dialog."""
    page.get_by_placeholder("Search").click()


def switch(page: Page) -> None:
    """Turn the search by meaning on."""
    page.get_by_role("switch", name="Search by meaning").click()


def asked(page: Page, question: str) -> float:
    """Seconds until the answers stand there, the pause after typing among them."""
    page.evaluate("document.querySelector('.kb-meaning-hits')?.replaceChildren()")
    began = time.perf_counter()
    page.get_by_placeholder("Search").fill(question)
    page.locator(".kb-meaning-hits li").first.wait_for(timeout=60_000)
    return time.perf_counter() - began


def memory(browser: Browser) -> float:
    """Megabytes that the browser's pages hold for themselves, workers among them."""
    session = browser.new_browser_cdp_session()
    processes: list[dict[str, Any]] = session.send("SystemInfo.getProcessInfo")["processInfo"]
    total = 0
    for process in processes:
        if process["type"] == "renderer":
            for line in Path(f"/proc/{process['id']}/smaps_rollup").read_text().splitlines():
                if line.startswith(("Private_Clean", "Private_Dirty")):
                    total += int(line.split()[1])
    session.detach()
    return total / 1024


def sameness(browser: Browser, root: Path, count: int) -> list[bool]:
    """Vectors and neighbours against NumPy's, and how long a query takes on either side."""
    queries = varied(root, count)
    with KnowledgeBase.open(root) as base:
        encoder = NumpyEncoder(packaged_model(), cache=base.settings.derived / "models.json")
        vectors = VectorFile(
            vector_path(base.settings.derived, encoder.identity), encoder.identity, encoder.width
        )
        rows = dict(base.store.shared_rows(vectors.model))
        order = [rows[one.id] for one in base.store.shared_passages()]
        matrix = vectors.matrix()[order]
    ours = np.stack([encoder.embed_query(query) for query in queries])
    with served(root) as (address, _):
        page = browser.new_context().new_page()
        page.goto(address, wait_until="networkidle")
        page.evaluate(ENGINE)
        theirs = np.array(page.evaluate(VECTORS, queries))
        near = page.evaluate(NEAREST, queries)
        times = [(page.evaluate(TIMES, [TWELVE, 15]), numpy_time(encoder)) for _ in range(3)]
        page.context.close()
    cosines = np.einsum("ij,ij->i", ours, theirs)
    same = [
        len({row for row, _ in best(matrix @ vector, 10)} & set(found))
        for vector, found in zip(ours, near, strict=True)
    ]
    theirs_ms, ours_ms = min(one for one, _ in times), min(one for _, one in times)
    return [
        told(
            f"cosine with NumPy over {len(queries)} queries",
            f"least {cosines.min():.4f}, mean {cosines.mean():.5f}",
            float(cosines.min()),
            COSINE,
            least=True,
        ),
        told(
            f"first ten of {len(order):,} passages, as many the same",
            f"{mean(same):.2f} the same",
            mean(same),
            AGREE,
            least=True,
            floor="NumPy's first ten",
        ),
        told(
            "a query of 12 tokens embedded",
            f"{theirs_ms:.1f} ms, NumPy {ours_ms:.1f} ms, {theirs_ms / ours_ms:.1f}x",
            theirs_ms / ours_ms,
            SLOWER,
            ours=f"{theirs_ms:.1f} ms",
            floor=f"NumPy {ours_ms:.1f} ms",
        ),
    ]


def varied(root: Path, count: int) -> list[str]:
    """Labelled queries, odd ones, and beginnings of passages."""
    queries = [*ODD, *(question.query for question in read(DATA / "queries.tsv"))][:count]
    with KnowledgeBase.open(root) as base:
        texts = [one.text for one in base.store.shared_passages()]
    dice = random.Random(7)  # noqa: S311 - for the same queries every time
    while len(queries) < count:
        words = dice.choice(texts).split()
        start = dice.randrange(max(1, len(words) - 4))
        queries.append(" ".join(words[start : start + dice.randint(1, 12)]))
    return queries


def numpy_time(encoder: NumpyEncoder) -> float:
    """Milliseconds of the quickest of many encodings of the same query."""
    least = float("inf")
    for _ in range(30):
        began = time.perf_counter()
        encoder.embed_query(TWELVE)
        least = min(least, time.perf_counter() - began)
    return least * 1e3


def ranking(browser: Browser, root: Path) -> list[bool]:
    """MRR@10 of the labelled queries, here and there."""
    questions = [one for one in read(DATA / "queries.tsv") if one.expected]
    with KnowledgeBase.open(root) as base:
        ours = [base.search(one.query, limit=DEPTH).hits for one in questions]
    with served(root) as (address, _):
        page = browser.new_context().new_page()
        page.goto(address, wait_until="networkidle")
        page.evaluate(ENGINE)
        theirs = page.evaluate(ANSWERS, [one.query for one in questions])
        page.context.close()
    here, there = (
        reciprocal(questions, ours),
        reciprocal(questions, [[Answer(t) for t in one] for one in theirs]),
    )
    value = f"browser {there:.3f}, kb search {here:.3f}"
    name = f"MRR@10 of {len(questions)} labelled queries, apart from kb search"
    return [told(name, value, abs(here - there), MRR, ours=f"{there:.3f}", floor=f"kb search {here:.3f}")]


def reciprocal(questions: list[Question], found: list[Any]) -> float:
    """The mean reciprocal rank of the first right answer."""
    return mean(judge(hits, one.expected).mrr for one, hits in zip(questions, found, strict=True))


if __name__ == "__main__":
    sys.exit(main())
