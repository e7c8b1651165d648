"""Several at once: syncs, ten add-links to one note, an editor that saves meanwhile, a site being served.

python -m torture.crowd --rounds 20 --seed 1
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Final

from kb.notes.parse import parse
from torture import crash
from torture.child import preload
from torture.scene import Web, write_notebook, write_notes

_MKDOCS: Final = """site_name: Torture
docs_dir: notes
plugins: [search, kb]
theme: {name: material, font: false}
"""
_RUN: Final = "from kb.cli import run; run()"
# Between its last look at a note, the exchange and the look at what came out lie microseconds: make it
# hundredths of a second, so that every save of the editor falls into one of them.
_RUN_SLOWLY: Final = f"""
import random, time
from kb.notes import exchange, files
at_once = exchange.exchange
def slowly(one, other):
    time.sleep(random.uniform(0, 0.04))
    try:
        return at_once(one, other)
    finally:
        time.sleep(random.uniform(0, 0.04))
files.exchange = exchange.exchange = slowly
{_RUN}
"""
#: Words that reach nobody, whatever happens beside.
_NEVER: Final = ("Traceback", "database is locked", "OperationalError")


def _commands(root: Path, *many: Sequence[str], code: str = _RUN) -> list[subprocess.CompletedProcess[str]]:
    """Run commands at the same time, each in a process of its own."""

    def one(args: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, *args],
            cwd=root,
            env={**os.environ, **crash._ENVIRON},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    with ThreadPool(len(many)) as pool:
        return pool.map(one, many)


def _well(done: Sequence[subprocess.CompletedProcess[str]], allowed: tuple[int, ...] = (0,)) -> None:
    for one in done:
        said = one.stdout + one.stderr
        assert one.returncode in allowed, f"{one.args[3:]} left with {one.returncode}:\n{said}"
        assert not any(words in said for words in _NEVER), said


def two_syncs(root: Path, web: Web, chance: random.Random) -> None:
    """Two or three syncs of a notebook that no store knows yet, and of one that changed."""
    write_notebook(root, web)
    for generation in (1, 2):
        write_notes(root / "notes", web, generation=generation)
        _well(
            _commands(root, *[["sync"]] * chance.randint(2, 3), ["search", "--mode", "keyword", "sheep"]),
            (0, 1),
        )
    (done,) = _commands(root, ["sync"])
    assert "8 notes (none changed), 24 passages, 24 links" in done.stderr, done.stdout + done.stderr
    crash._check_store(root)


def ten_links(root: Path, web: Web, chance: random.Random) -> None:
    """Ten links added to one note at once: each stands there once, and nothing else changed."""
    write_notebook(root, web)
    before = (root / "notes/n1.md").read_bytes()
    urls = [web.url(number, f"text/Added-{number}") for number in range(10)]
    _well(_commands(root, *(["add-link", url, "--note", "n1"] for url in chance.sample(urls, 10))))
    after = (root / "notes/n1.md").read_bytes()
    assert after.startswith(before)
    found = [link.url for link in parse("n1.md", after).links]
    assert sorted(found[-10:]) == sorted(urls), after.decode()
    (done,) = _commands(root, ["links", "--json"])
    assert all(f'"{url}"' in done.stdout for url in urls)
    crash._check_store(root)


def an_editor(root: Path, web: Web, chance: random.Random) -> None:
    """A person saves a note over and over, each time with a line more, while links are added to it.

    As an editor does: it reads the file before it saves, and takes over what has come into it.
    """
    write_notebook(root, web)
    note = root / "notes/n2.md"
    urls = [web.url(number, f"text/Added-{number}") for number in range(4)]
    editor = subprocess.Popen(
        [sys.executable, "-m", "torture.editor", str(note), str(chance.randrange(10**6))],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )
    assert editor.stdout is not None
    assert editor.stdout.readline() == "saving\n"
    pending = set(urls)
    for _ in range(5):  # a note that changes under every attempt is told of, and the link added again
        todo = (["add-link", url, "--note", "n2"] for url in sorted(pending))
        done = _commands(root, *todo, code=_RUN_SLOWLY)
        _well(done, (0, 2))
        refused = [one for one in done if one.returncode == 2]
        assert all("changed since it was read" in one.stderr for one in refused), [
            one.stderr for one in refused
        ]
        pending = {one.args[4] for one in refused}
        if not pending:
            break
    editor.send_signal(signal.SIGTERM)
    saved = int(editor.communicate(timeout=30)[0])
    text = note.read_text()
    lines = re.findall(r"^\* edit (\d+)$", text, re.MULTILINE)
    assert lines == [str(number) for number in range(saved)], (
        f"edits are lost or doubled: {len(lines)} of {saved}"
    )
    found = [link.url for link in parse("n2.md", text.encode()).links]
    assert sorted(found[3:]) == sorted(set(urls) - pending), text


def beside_a_site(root: Path, web: Web, chance: random.Random) -> None:
    """Syncs, checks and links while `mkdocs serve` builds the site again at every change."""
    write_notebook(root, web)
    (root / "mkdocs.yml").write_text(_MKDOCS)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = subprocess.Popen(
        [sys.executable, "-m", "mkdocs", "serve", "-a", f"127.0.0.1:{port}"],
        cwd=root,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        _wait_for(port)
        for generation in (2, 3):
            write_notes(root / "notes", web, generation=generation)
            added = web.url(generation, f"text/Served-{generation}")
            todo = [["sync"], ["sync"], ["check-links", "--all"], ["add-link", added, "--note", "n4"]]
            _well(_commands(root, *chance.sample(todo, 4)), (0, 1))
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/n4/", timeout=30).read().decode()
        assert "Note 4" in page
    finally:
        with suppress(ProcessLookupError):
            os.killpg(serve.pid, signal.SIGTERM)
        said = serve.communicate(timeout=30)[0].decode()
    assert not any(words in said for words in (*_NEVER, "ERROR")), said
    crash._check_store(root)


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        select.select([], [], [], 0.1)
    raise AssertionError("mkdocs serve did not begin to serve")


SCENES: Final[dict[str, Callable[[Path, Web, random.Random], None]]] = {
    "syncs": two_syncs,
    "links": ten_links,
    "editor": an_editor,
    "serve": beside_a_site,
}


def main() -> int:
    """Each scene so many times; 1 if anything was lost, or anybody was told of a lock."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=20)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", choices=SCENES)
    chosen = options.parse_args()
    preload()
    gc.freeze()
    faults = 0
    with tempfile.TemporaryDirectory() as name, Web() as web:
        os.environ["XDG_CONFIG_HOME"] = f"{name}/no-config"
        os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)
        for scene, act in SCENES.items():
            if chosen.only not in (None, scene):
                continue
            began, caught = time.monotonic(), 0
            for number in range(chosen.rounds):
                try:
                    act(
                        Path(name) / f"{scene}-{number}",
                        web,
                        random.Random(f"{chosen.seed} {scene} {number}"),
                    )
                except AssertionError as error:
                    caught += 1
                    print(f"{scene}: {error}", file=sys.stderr)
            faults += caught
            print(
                f"{scene:8} {chosen.rounds} runs, {caught} amiss, {time.monotonic() - began:.0f} s",
                flush=True,
            )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
