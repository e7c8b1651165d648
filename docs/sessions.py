"""The console sessions of README and docs/, run as they stand and compared, or written anew.

    python docs/sessions.py            says which output is no longer what is printed
    python docs/sessions.py --write    writes what is printed into the pages

A session is a ```console block: `$ command`, `> ` before each further line of it, and beneath it
what it prints, errors among it. The blocks of one page share a folder and run in order. A page's
web is a small server here, whose address stands in the pages as `https://blog.example`; today is
the 24th of November 2026 in them, whatever day it is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.servers import Handler, Server  # noqa: E402  # after the checkout is put on the path

BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
WEB, TODAY = "https://blog.example", "2026-11-24"
OTTERS = b"""<!doctype html><html lang=en><head><title>Otters keep a stone in a pocket</title></head>
<body><main><h1>Otters keep a stone in a pocket</h1><p>A fold of skin under each foreleg holds it.</p>
</main></body></html>"""
TOOLS = OTTERS.replace(b"Otters keep a stone in a pocket", b"Which animals use tools")

#: Every page with sessions, and whether they run in the notebook that ships or in an empty folder.
PAGES = {"README.md": True, "docs/tutorial.md": False, "docs/how-to.md": True}


class Step(NamedTuple):
    """A command and what the page says that it prints."""

    command: str
    output: str


def steps(text: str) -> Iterator[Step]:
    """Each `$ command` of the console blocks, in order."""
    for block in BLOCK.findall(text):
        for session in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            first, *lines = session.splitlines()
            more = []
            while lines and (lines[0].startswith("> ") or lines[0] == ">"):
                more.append(lines.pop(0)[2:])
            yield Step("\n".join([first, *more]), "".join(line + "\n" for line in lines))


def served() -> dict[str, Callable[[Handler, str], None]]:
    """The web of the pages: an article, one that has moved for good, and nothing else."""
    return {
        "otters": lambda handler, _: handler.answer(body=OTTERS),
        "animals-and-tools": lambda handler, _: handler.answer(body=TOOLS),
        "2019": lambda handler, _: handler.redirect("/animals-and-tools"),
    }


class Shell:
    """A shell far from the person's settings; each step goes on where the last ended."""

    def __init__(self, home: Path, web: str) -> None:
        self.home = home
        self.web = web
        self.here = home
        self.today = time.strftime("%Y-%m-%d")
        bin = home / ".bin"
        bin.mkdir()
        for name, call in (
            ("kb", "from kb.cli import run; run()"),
            ("mkdocs", "from mkdocs.__main__ import cli; cli()"),
        ):
            script = f"import sys; sys.path[0] = {str(ROOT)!r}; sys.argv[0] = {name!r}; {call}"
            (bin / name).write_text(f"#!{sys.executable}\n{script}\n")
            (bin / name).chmod(0o755)
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("KB_", "XDG_", "GIT_"))
        }
        self.environment = {
            **kept,
            "HOME": str(home),
            "PATH": f"{bin}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "NO_MKDOCS_2_WARNING": "1",
            "KB_LINKS_PRIVATE_HOSTS": "check",
            "KB_LINKS_INTERVAL": "0.001",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "you", "GIT_AUTHOR_EMAIL": "you@localhost",
            "GIT_COMMITTER_NAME": "you", "GIT_COMMITTER_EMAIL": "you@localhost",
        }  # fmt: skip

    def run(self, command: str) -> str:
        """What a command prints, with the pages' web, home and day in the place of those of here."""
        command = command.replace(WEB, self.web).replace(TODAY, self.today)
        done = subprocess.run(  # noqa: S603  # the pages' own commands, in a folder made for them
            ["bash", "-c", f'{command}\npwd > "$HOME/.here"'],  # noqa: S607
            cwd=self.here, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=240, check=False,
        )  # fmt: skip
        self.here = Path((self.home / ".here").read_text().strip())
        said = "\n".join(line.rstrip() for line in done.stdout.splitlines())
        said = said.replace(self.web, WEB).replace(str(self.home), "~").replace(self.today, TODAY)
        return f"{said}\n" if said else ""


def run(page: str, home: Path) -> Iterator[tuple[Step, str]]:
    """Each step of a page, with what it prints now."""
    with Server(routes=served()) as server:
        shell = Shell(home, server.url("").rstrip("/"))
        if PAGES[page]:
            shell.here = home / "kb"
            shutil.copytree(ROOT / "notes", shell.here / "notes")
            shutil.copy(ROOT / "kb.toml", shell.here)
            shell.run("kb sync")
        for step in steps((ROOT / page).read_text(encoding="utf-8")):
            yield step, shell.run(step.command)


def main() -> int:
    """Compare, or write."""
    write = "--write" in sys.argv[1:]
    status = 0
    for page in PAGES:
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as home:
            for step, printed in run(page, Path(home)):
                if printed == step.output:
                    continue
                shown = "$ " + "\n".join(f"> {one}".rstrip() for one in step.command.split("\n"))[2:] + "\n"
                if not write:
                    print(f"{page}: {shown}--- the page\n{step.output}--- now\n{printed}")
                    status = 1
                at = text.index(shown + step.output) + len(shown)
                text = text[:at] + printed + text[at + len(step.output) :]
        if write:
            path.write_text(text, encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
