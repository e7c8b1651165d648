"""Lighthouse on the front page and a note, html-validate on every page. Tools come from npm.

    python bench/audit.py [--tools DIR]

Needs Node, npm and Chromium; npm installs the tools into DIR (.cache/audit) once. The exit status
is 1 if a score is under its bound or html-validate finds an error that is ours, not Material's.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

from bench.screenshots import ROOT, Quiet, built, demo

TOOLS = ("lighthouse@13", "html-validate@10")
BOUNDS = {"performance": 0.95, "accessibility": 1.0, "best-practices": 1.0, "seo": 1.0}
PAGES = ("", "threads/2023-09-fine-tuning-llama-2/")
# Of a page the article is ours; what stands around it, Material's templates write.
ARTICLE = re.compile(r"<article[^>]*>(.*)</article>", re.DOTALL)
# Of taste, not of HTML; the two that Python-Markdown's serializer decides; and long titles, whose
# name of the site is the person's.
TASTE = {"long-title": "off", "no-trailing-whitespace": "off", "void-style": "off", "no-inline-style": "off"}


class Compressed(Quiet):
    """Serves as static hosts do: text compressed, files kept for long."""

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        """A file, compressed where it is text."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        kind = self.guess_type(str(path))
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "public, max-age=31536000")
        if kind.startswith("text/") or "javascript" in kind or "json" in kind or "xml" in kind:
            data = gzip.compress(data)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def main() -> int:
    """Build, serve, audit, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tools", type=Path, default=ROOT / ".cache" / "audit")
    options = parser.parse_args()
    tools = installed(options.tools)
    with tempfile.TemporaryDirectory(prefix="kb-audit-") as folder:
        root = demo(Path(folder) / "notebook")
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Compressed, directory=folder + "/site"))
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        os.environ["SITE_URL"] = address
        site = built(root, Path(folder) / "site")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        bad = [lighthouse(tools, address + page, Path(folder)) for page in PAGES]
        server.shutdown()
        bad.append(validated(tools, site))
    return int(any(bad))


def installed(folder: Path) -> Path:
    """The folder of the tools' programs."""
    if shutil.which("npm") is None:
        sys.exit("no npm on this machine: apt-get install npm")
    programs = folder / "node_modules" / ".bin"
    if not (programs / "lighthouse").exists() or not (programs / "html-validate").exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(folder), *TOOLS]
        subprocess.run(command, check=True)
    return programs


def lighthouse(tools: Path, address: str, folder: Path) -> bool:
    """Print the scores of a page and what lost points; True if one is under its bound."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("no Chromium on this machine: apt-get install chromium")
    report = folder / "report.json"
    subprocess.run(
        [
            str(tools / "lighthouse"),
            address,
            "--quiet",
            "--output=json",
            f"--output-path={report}",
            f"--only-categories={','.join(BOUNDS)}",
            "--chrome-flags=--headless=new --no-sandbox --disable-dev-shm-usage --disable-gpu",
        ],
        check=True,
        env={**os.environ, "CHROME_PATH": chromium},
    )
    found = json.loads(report.read_text())
    bad = False
    print(address)
    for name, bound in BOUNDS.items():
        score = found["categories"][name]["score"]
        print(f"  {name} {score * 100:.0f} (at least {bound * 100:.0f})")
        if score < bound:
            bad = True
            for one in found["categories"][name]["auditRefs"]:
                audit = found["audits"][one["id"]]
                if one["weight"] and audit["score"] is not None and audit["score"] < 1:
                    print(f"    {one['id']}: {audit['title']}")
    return bad


def validated(tools: Path, site: Path) -> bool:
    """Print what html-validate finds in our part of each page; True if there is an error."""
    parts = site.parent / "articles"
    for page in sorted(site.rglob("*.html")):
        article = ARTICLE.search(page.read_text(encoding="utf-8"))
        if article:
            target = parts / page.relative_to(site)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(article[1], encoding="utf-8")
    config = {"extends": ["html-validate:recommended"], "root": True, "rules": TASTE}
    (parts / ".htmlvalidate.json").write_text(json.dumps(config))
    # To a file: what it prints is cut short where it goes into a pipe.
    report = site.parent / "html.json"
    command = [str(tools / "html-validate"), f"--formatter=json={report}", str(parts)]
    subprocess.run(command, check=False, cwd=parts)
    count = 0
    for page in json.loads(report.read_text(encoding="utf-8")):
        for message in page["messages"]:
            if message["severity"] == 2:
                count += 1
                where = Path(page["filePath"]).relative_to(parts)
                print(f"{where}:{message['line']}: {message['ruleId']}: {message['message']}")
    print(f"html-validate: {count} errors")
    return count > 0


if __name__ == "__main__":
    sys.exit(main())
