"""Pictures of every page of the site, to be looked at: phone, tablet and desktop, light and dark.

    python bench/screenshots.py [--out DIR] [--notebook DIR]

Without --notebook, the notebook that ships is copied and its links are given a history, so that
there is something to see on the page of link health. Needs Chromium.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import sync_playwright

from kb.knowledge import KnowledgeBase
from kb.model import Facts, Standing, Transition

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"phone": (390, 844), "tablet": (820, 1180), "desktop": (1440, 900)}
STANDINGS = (
    *(Standing.ALIVE,) * 8,
    *(Standing.MOVED, Standing.DEAD, Standing.SUSPECT, Standing.DEAD, Standing.UNKNOWN),
)


class Quiet(SimpleHTTPRequestHandler):
    """Serves the built site without a word."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def main() -> int:
    """Build, serve, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "screenshots")
    parser.add_argument("--notebook", type=Path)
    options = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("no Chromium on this machine: apt-get install chromium")
    with tempfile.TemporaryDirectory(prefix="kb-look-") as folder:
        site = built(options.notebook or demo(Path(folder) / "notebook"), Path(folder) / "site")
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        pages = sorted(page.parent.relative_to(site).as_posix() for page in site.rglob("index.html"))
        shoot(chromium, f"http://127.0.0.1:{server.server_address[1]}", pages, options.out)
        server.shutdown()
    print(f"{len(pages)} pages in {options.out}")
    return 0


def demo(root: Path) -> Path:
    """The shipped notebook, its links with a history of two years."""
    root.mkdir(parents=True)
    for name in ("kb.toml", "mkdocs.yml"):
        shutil.copy(ROOT / name, root / name)
    shutil.copytree(ROOT / "notes", root / "notes")
    with KnowledgeBase.open(root) as base:
        base.sync()
        for at, record in enumerate(base.store.links()):
            final = STANDINGS[at % len(STANDINGS)]
            first = f"2025-{1 + at % 9:02d}-{1 + at % 27:02d}T08:00:00Z"
            later = f"2026-{1 + (at * 5) % 10:02d}-{1 + at % 27:02d}T08:00:00Z"
            changes = [Transition(first, Standing.ALIVE)]
            if final is not Standing.ALIVE:
                changes.append(Transition(later, final))
            gone = final in (Standing.DEAD, Standing.SUSPECT)
            looks = replace(
                record.looks,
                standing=final,
                transitions=tuple(changes),
                last_checked="2026-11-20T08:00:00Z",
                last_alive=later if gone else "2026-11-20T08:00:00Z",
                reason="404 Not Found" if gone else "",
                streak=3 if final is Standing.DEAD else int(gone),
                final_url=f"https://new.example/{at}" if final is Standing.MOVED else None,
                archived_url=f"https://web.archive.org/web/2023/{record.url}"
                if final is Standing.DEAD
                else None,
            )
            base.store.save_look(record.key, None, looks)
            if at % 4 == 1:
                base.store.save_facts(
                    record.key, Facts(title=f"A fetched title, number {at}", authors=("A. Writer",))
                )
    return root


def built(root: Path, site: Path) -> Path:
    """The site of the notebook at `root`."""
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environ = {**os.environ, "PYTHONPATH": paths, "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "-q", "-f", str(root / "mkdocs.yml"), "-d", str(site)]
    subprocess.run(command, check=True, env=environ)
    return site


def shoot(chromium: str, address: str, pages: list[str], out: Path) -> None:
    """One picture of each page, size and scheme; and of each page as it is printed."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        for size, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if scheme == "dark" else "light",
                )
                page = context.new_page()
                for path in pages:
                    page.goto(f"{address}/{path}/".replace("/./", "/"), wait_until="networkidle")
                    target = (
                        out
                        / f"{size}-{scheme}"
                        / f"{path.replace('/', '-').replace('.', 'home') or 'home'}.png"
                    )
                    target.parent.mkdir(parents=True, exist_ok=True)
                    page.screenshot(path=target, full_page=True)
                    if size == "desktop" and scheme == "light":
                        page.emulate_media(media="print")
                        page.set_viewport_size({"width": 794, "height": 1123})
                        (out / "print").mkdir(exist_ok=True)
                        page.screenshot(path=out / "print" / target.name, full_page=True)
                        page.emulate_media(media="screen")
                        page.set_viewport_size({"width": width, "height": height})
                context.close()
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
