"""Hostile answers of the sites' APIs, and three good ones of each, through the commands that hear them.

python -m torture.apis

The sites are a server on loopback: in the child that runs a command, the fetcher takes an address
of theirs to it. Pages themselves keep programs out, so that all that is known comes from the APIs.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from kb.config import load
from kb.store import ledger
from kb.web.fetch import HttpFetcher
from kb.web.outcome import Outcome
from kb.web.sources.arxiv import Arxiv
from kb.web.sources.doi import Doi
from tests.replicas import REPO
from tests.servers import Handler
from torture import answers
from torture.child import preload
from torture.hostile import CONTROL, MKDOCS, Place, look_at
from torture.scene import HOSTS, Web

_GOOD: Final = 3
#: How a page of each source is addressed; `{}` is its number.
PAGES: Final = {
    "arxiv": "https://arxiv.org/abs/2500.{:05}",
    "hackernews": "https://news.ycombinator.com/item?id={:05}",
    "github": "https://github.com/o/r{}",
    "youtube": "https://www.youtube.com/watch?v=v{:010}",
    "wikipedia": "https://en.wikipedia.org/wiki/Thing_{}",
    "doi": "https://doi.org/10.9999/x{}",
}
#: By the host that is asked, whose answers those are, and where they say of which page.
_SITES: Final = {
    "export.arxiv.org": ("arxiv", r"id_list=2500\.(\d+)"),
    "hacker-news.firebaseio.com": ("hackernews", r"item/(\d+)"),
    "hn.algolia.com": ("hackernews", r"items/(\d+)"),
    "api.github.com": ("github", r"repos/o/r(\d+)"),
    "www.youtube.com": ("youtube", r"v%3Dv(\d+)"),
    "img.youtube.com": ("youtube", r"vi/v(\d+)"),
    "en.wikipedia.org": ("wikipedia", r"Thing_(\d+)"),
    "api.crossref.org": ("doi", r"x(\d+)"),
    "doi.org": ("csl", r"x(\d+)"),
    "archive.org": ("wayback", r"off%2F(\d+)"),
}


def variants(source: str, number: int) -> Iterator[Callable[[Handler], None]]:
    """Every hostile way in which a source may answer."""
    for body in (*answers.RAW, *answers.spoilt(source, number)):
        yield lambda handler, body=body: handler.answer(body=body, type="application/json")  # type: ignore[misc]
    yield from answers.WAYS


def count(source: str) -> int:
    """How many that are."""
    return sum(1 for _ in variants(source, 0))


def _site(handler: Handler, rest: str) -> None:
    """Answer as the site would, or in the way that the number asks for."""
    host = rest.partition("/")[0]
    source, pattern = _SITES[host]
    found = re.search(pattern, handler.path)
    number = int(found[1]) if found else 0
    if number >= _GOOD:
        next(itertools.islice(variants(source, number), number - _GOOD, None))(handler)
    elif source == "arxiv":
        handler.answer(body=answers.feed(answers.paper(number)), type="application/atom+xml")
    else:
        handler.answer(body=answers.written(answers.good(source, number)), type="application/json")


def _elsewhere(handler: Handler, rest: str) -> None:
    """Where a redirect leads, off the site: a token that came along is shown to all."""
    sent = str(handler.headers.get("Authorization"))
    handler.answer(body=answers.written(REPO | {"full_name": "o/r0", "description": sent}))


def _off(handler: Handler, rest: str) -> None:
    handler.answer(410, b"<title>Gone</title>")


_ROUTES: Final = {"site": _site, "elsewhere": _elsewhere, "off": _off}


def taken_to(port: int) -> Callable[[], None]:
    """A function by which the sites' addresses lead to the server at that port."""

    def install() -> None:
        get, ask = HttpFetcher.get, HttpFetcher.ask

        def local(url: str) -> str:
            return f"http://127.0.0.2:{port}/site/{url.split('://', 1)[1]}"

        async def got(self: HttpFetcher, url: str, **how: Any) -> Outcome:
            if "//archive.org/" in url:
                return replace(await get(self, local(url), **how), url=url)
            if "//127.0.0." in url:
                return await get(self, url, **how)
            return Outcome(url, url, 403, answered=("a",))

        async def asked(self: HttpFetcher, url: str, headers: Mapping[str, str]) -> Outcome:
            return replace(await ask(self, local(url), headers), url=url)

        vars_of: Any = HttpFetcher
        vars_of.get, vars_of.ask = got, asked
        for source in (Arxiv, Doi):
            source.pause = 0.0
        Arxiv.at_once = 1

    return install


def _notebook(root: Path, web: Web, every: int) -> int:
    """Notes with three good links of each source, and hostile ones; how many are hostile."""
    (root / "notes").mkdir(parents=True)
    (root / "kb.toml").write_text('[notebook]\ntitle = "Sites"\n[links]\ninterval = 0.001\n')
    (root / "mkdocs.yml").write_text(MKDOCS)
    total = 0
    for source, page in PAGES.items():
        hostile = range(_GOOD, _GOOD + count(source), every)
        total += len(hostile)
        lines = [f"* <{page.format(number)}>" for number in (*range(_GOOD), *hostile)]
        (root / f"notes/{source}.md").write_text(f"# {source}\n\n" + "\n".join(lines) + "\n")
    gone = range(_GOOD, _GOOD + count("wayback"), every)
    lines = [
        f"* [gone {number}](http://{HOSTS[number % 8]}:{web.port}/off/{number})"
        for number in (*range(_GOOD), *gone)
    ]
    (root / "notes/wayback.md").write_text("# Gone\n\n" + "\n".join(lines) + "\n")
    return total + len(gone)


def visit(place: Place, *, build: bool) -> None:
    """Every command that asks a site, and those that show what it said."""
    place.run("sync")
    place.run("enrich", "--all")
    place.run("enrich", "--all")
    _told(place)
    place.run("enrich")
    place.run("check-links", "--all")
    time.sleep(1.1)  # the second that dead links must have been gone
    place.run("check-links", "--all")
    _told(place)
    repair = place.twice("repair")
    for number in range(_GOOD):
        place.expect(
            f"https://web.archive.org/web/20230601000000/https://x.example/{number}", repair, "repair"
        )
    for words in ("evil.example", "javascript:", "file:"):
        if words in repair:
            place.fault(f"repair: offers {words}")
    for format in ("jsonl", "csv", "bookmarks", "bibtex"):
        place.twice("export", format)
    place.twice("links")
    before = len((place.root / "notes/github.md").read_text().splitlines())
    place.run("enrich", "--write-titles", "--apply")
    place.run("repair", "--apply")
    if len((place.root / "notes/github.md").read_text().splitlines()) != before:
        place.fault("a title broke a line of a note")
    place.run("sync")
    for name, entry in ledger.read(load(place.root).ledger).items():
        if CONTROL.search(json.dumps(answers.everywhere([str(entry)], str(entry)), ensure_ascii=False)):
            place.fault(f"the ledger keeps controls of {name}")
    place.run("site", "out")
    look_at(place, place.root / "out")
    if build:
        place.build()
        look_at(place, place.root / "site")


def _told(place: Place) -> None:
    links = json.loads(place.run("links", "--json"))
    titles = {link["title"] or "" for link in links}
    for source, number in itertools.product(PAGES, range(_GOOD)):
        if not any(f"Good {source} {number}" in title for title in titles):
            place.fault(f"links: no title of {source} {number}")
    for link in links:
        if CONTROL.search(f"{link['title']}{link['reason']}"):
            place.fault(f"links: controls in {link['url']}: {link['title']!r} {link['reason']!r}")


def main() -> int:
    """Once through all; 1 if anything was amiss."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--every", type=int, default=1, help="one answer in so many, and no built site")
    chosen = options.parse_args()
    preload()
    gc.freeze()
    with tempfile.TemporaryDirectory() as name, Web(_ROUTES) as web:
        os.environ["XDG_CONFIG_HOME"] = f"{name}/no-config"
        environ = {"KB_LINKS_PRIVATE_HOSTS": "check", "KB_LINKS_TIMEOUT": "1", "KB_GITHUB_TOKEN": "tok3n"}
        gone = {"KB_LINKS_GONE_LOOKS": "2", "KB_LINKS_GONE_DAYS": "0.000001"}
        place = Place(Path(name) / "sites", web, environ | gone, before=taken_to(web.port))
        hostile = _notebook(place.root, web, chosen.every)
        visit(place, build=chosen.every == 1)
    print(f"{hostile} hostile answers, {len(place.faults)} amiss")
    print("\n".join(place.faults), file=sys.stderr)
    return 1 if place.faults else 0


if __name__ == "__main__":
    sys.exit(main())
