"""Hostile notes, pages and answers through every command: the good notes beside them must always work.

python -m torture.hostile
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from tests.servers import Handler
from torture import zoo
from torture.child import preload, run
from torture.scene import Web

SECONDS: Final = 120
ROOT: Final = Path(__file__).parent.parent
_ENVIRON: Final = {"KB_LINKS_PRIVATE_HOSTS": "check", "KB_LINKS_TIMEOUT": "2"}
CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
MKDOCS: Final = """site_name: Zoo
site_url: https://zoo.example/
docs_dir: notes
plugins: [search, kb]
theme: {name: material, font: false}
markdown_extensions: [attr_list, admonition, tables, toc]
"""
_QUERIES: Final = ('"NEAR(a b)" OR *', "'); DROP TABLE", "-rf", "{a b}:", "walrus", "\x1b[31m", "\u202e")
_TITLES: Final = (
    zoo.SCRIPT,
    zoo.ESCAPES,
    zoo.BIDI,
    "</title><script>alert(2)</script>",
    "{{ config }} {onclick=alert(1)}",
    "](javascript:alert(1)) [x",
    "a" * 100_000,
    "&#27;[31m&#x9b;31m&#x202e;",
    "\0\0",
)


def _titled(handler: Handler, rest: str) -> None:
    title = _TITLES[int(rest)]
    metas = f'<meta name=description content="{title}"><meta name=author content="{title}">'
    head = f"<html lang='{title}'><head><title>{title}</title>{metas}</head>"
    body = f"<body><main><h1>{title}</h1>" + f"<p>{title} of many words that are kept here.</p>" * 3
    handler.answer(body=f"{head}{body}".encode())


def _headed(handler: Handler, rest: str) -> None:
    handler.close_connection = True
    head = b"HTTP/1.1 200 \x1b[31mOK\r\nContent-Type: text/html; charset=\x1b]0;x\r\nETag: \x1b[2J"
    handler.wfile.write(head + b"\r\n\r\n<title>Headed</title>")


def _many_headers(handler: Handler, rest: str) -> None:
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n<title>Many</title>")


def _chunked_badly(handler: Handler, rest: str) -> None:
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n<title>")


def _far(handler: Handler, rest: str) -> None:
    handler.redirect(f"file:///etc/passwd#{zoo.ESCAPES.encode().hex()}", 302)


_ROUTES: Final = {
    "titled": _titled,
    "headed": _headed,
    "many-headers": _many_headers,
    "chunked": _chunked_badly,
    "far": _far,
}
_PATHS: Final = (
    *(f"titled/{number}" for number in range(len(_TITLES))),
    *(
        "headed",
        "many-headers",
        "chunked",
        "far",
        "bomb",
        "endless-body",
        "cut-body",
        "slow-body",
        "circle/a",
    ),
    *("cookie-circle", "chain/30", "mispacked", "not-http", "reset", "nowhere", "to/302/http://[::1"),
    *("status/999", "status/204", "to/301/javascript:alert(1)", "to/301/../../../x", "slow"),
)


class Place:
    """A notebook, and commands run in it as a person would; `before` is called in their processes first."""

    def __init__(
        self,
        root: Path,
        web: Web,
        environ: Mapping[str, str] = _ENVIRON,
        before: Callable[[], None] | None = None,
    ) -> None:
        self.root, self.web = root, web
        self.faults: list[str] = []
        self._environ, self._before = environ, before

    def run(self, *args: str, statuses: Sequence[int] = (0, 1)) -> str:
        """Run a command; what it printed. What is amiss is kept."""
        done = run(args, self.root, environ=self._environ, before=self._before, timeout=SECONDS)
        said = done.text
        if done.status not in statuses:
            why = "hangs" if done.status == -9 else f"left with {done.status}"
            self.fault(f"{args}: {why}: {said[-3000:]}")
        if "Traceback" in said:
            self.fault(f"{args}: {said[-3000:]}")
        if control := CONTROL.search(said):
            near = said[max(control.start() - 60, 0) : control.end() + 60]
            self.fault(f"{args}: lets {control[0]!r} through: {near!r}")
        return said

    def build(self) -> None:
        """mkdocs build, as a person calls it."""
        done = subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "-q"],
            cwd=self.root,
            env={**os.environ, "NOMKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=5 * SECONDS,
            check=False,
        )
        said = done.stdout + done.stderr
        if done.returncode != 0 or "Traceback" in said:
            self.fault(f"mkdocs build: left with {done.returncode}: {said[-3000:]}")

    def fault(self, words: str) -> None:
        """What is amiss."""
        self.faults.append(words)

    def expect(self, words: str, said: str, where: str) -> None:
        """What must be there."""
        if words not in said:
            self.fault(f"{where}: lacks {words!r}:\n{said[-1500:]}")

    def twice(self, *args: str, statuses: Sequence[int] = (0, 1)) -> str:
        """The same command again says the same."""
        first, second = (self.run(*args, statuses=statuses) for _ in range(2))
        if first != second:
            self.fault(f"{args}: says something else the second time:\n{first[-500:]}\n--\n{second[-500:]}")
        return second


class Zoo(Place):
    """A notebook full of hostile notes, and of links to hostile pages."""

    def __init__(self, root: Path, web: Web, longest: int) -> None:
        super().__init__(root, web)
        (root / "notes").mkdir(parents=True)
        (root / "kb.toml").write_text('[notebook]\ntitle = "Zoo"\n[links]\ninterval = 0.001\n')
        (root / "mkdocs.yml").write_text(MKDOCS)
        self.hostile = zoo.fill(root / "notes", longest=longest)
        lines = [f"* [page {at}]({web.url(at, path)})" for at, path in enumerate(_PATHS)]
        (root / "notes/pages.md").write_text("\n".join(lines) + "\n")
        good = root / "notes/good/one.md"
        good.write_text(good.read_text().replace("http://127.0.0.2:1/", web.url(1, "")))


def visit(place: Zoo, *, build: bool) -> None:
    """Every command over the zoo."""
    said = place.run("sync")
    for name in zoo.NAMED:
        if not list((place.root / "notes").glob(f"{name}.*")):
            continue
        place.expect(f"/{name}.", said.replace("notes", "", 1), "the first sync")
    again = place.twice("sync")
    place.expect("(none changed)", again, "the second sync")
    place.run("check-links", "--all")
    place.run("enrich")
    for mode in ("keyword", "hybrid"):
        found = place.twice("search", "--mode", mode, "zebrafish")
        place.expect("good/one.md", found, f"search by {mode}")
    for query in _QUERIES:
        # One that asks for nothing is refused in words.
        place.run("search", "--mode", "keyword", "--", query, statuses=(0, 1, 2))
        place.run("search", "--mode", "keyword", "--json", "--", query, statuses=(0, 1, 2))
    place.expect("good/one.md", place.twice("links"), "links")
    place.run("links", "--json")
    place.run("links", "--format", "markdown")
    place.expect("Retrieval-Augmented", place.twice("glossary"), "glossary")
    place.run("glossary", "--json")
    for number in range(len(_TITLES)):
        place.run("show", place.web.url(number, f"titled/{number}"), statuses=(0, 2))
    for format in ("jsonl", "csv", "bookmarks", "bibtex"):
        place.twice("export", format)
    place.twice("repair")
    place.run("site", "out")
    look_at(place, place.root / "out")
    if build:
        place.build()
        built = place.root / "site"
        for page in ("good/one/index.html", "good/two/index.html", "glossary/index.html"):
            if not (built / page).is_file():
                place.fault(f"mkdocs build: no {page}")
        look_at(place, built)
        place.build()
    if (place.root / "owned").exists() or (place.root / "notes/owned").exists():
        place.fault("something ran a program")


def look_at(place: Place, folder: Path) -> None:
    """Nothing on a site runs, nothing on it comes from outside, nobody's password is on it."""
    for path in folder.rglob("*"):
        if not path.is_file() or path.suffix not in (".html", ".md", ".json", ".xml"):
            continue
        text = path.read_text("utf-8", "replace")
        for words in ("sw0rdfish", "tok3n", "root:x:0:0"):
            if words in text:
                place.fault(f"{path.relative_to(place.root)}: publishes {words}")
        if path.suffix == ".html":
            reader = _Reader()
            reader.feed(text)
            for found in reader.runs:
                place.fault(f"{path.relative_to(place.root)}: {found}")


class _Reader(HTMLParser):
    """Finds what would run in a reader's browser."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Handlers, and addresses that are programs."""
        self._script = tag == "script"
        for name, value in attrs:
            address = re.sub(r"[\x00-\x20]", "", value or "").lower()
            if name.startswith("on") or address.startswith(("javascript:", "vbscript:", "data:text/html")):
                self.runs.append(f"<{tag} {name}={value!r}>")

    def handle_data(self, data: str) -> None:
        """Scripts of the zoo."""
        if self._script and "alert(" in data:
            self.runs.append(f"<script>{data[:80]}")

    def handle_endtag(self, tag: str) -> None:
        """The end of a script."""
        self._script = False


def main() -> int:
    """Once through the zoo; 1 if anything was amiss."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--small", action="store_true", help="without giants, and without the site's HTML")
    options.add_argument("--keep", type=Path, help="lay the notebook here and leave it")
    chosen = options.parse_args()
    place = chosen.keep or Path(tempfile.mkdtemp())
    os.environ["XDG_CONFIG_HOME"] = str(place / "no-config")
    preload()
    gc.freeze()
    with Web(_ROUTES) as web:
        held = Zoo(place / "zoo", web, 20_000 if chosen.small else 10**9)
        visit(held, build=not chosen.small)
    if not chosen.keep:
        for shut in place.rglob("shut"):
            shut.chmod(0o755)
        shutil.rmtree(place)
    print(f"{held.hostile} hostile files, {len(_PATHS)} hostile pages, {len(held.faults)} amiss")
    print("\n".join(held.faults), file=sys.stderr)
    return 1 if held.faults else 0


if __name__ == "__main__":
    sys.exit(main())
