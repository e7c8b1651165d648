"""How soon an edit can be searched under `kb sync --watch`, against watchfiles' own word of it.

    python bench/watch.py [--notes N] [--edits N]

A notebook of N notes is watched by kb, and by a bare process that prints what watchfiles tells
it. A note is edited, now in place, now by a rename as editors do; taken is the time until the
bare process has printed, and until the store finds the new word. Both sides see the same edits.
The exit status is 1 if an edit took a second or more, or PyTorch was loaded.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.report import ms, row  # noqa: E402  # after the checkout is put on the path
from bench.synthetic import texts  # noqa: E402
from kb.knowledge import KnowledgeBase  # noqa: E402
from kb.store.store import Store  # noqa: E402

BOUND = 1.0
BARE = (
    "import sys, watchfiles\n"
    "for _ in watchfiles.watch(sys.argv[1], debounce=400, step=50): print('seen', flush=True)\n"
)


def notebook(root: Path, notes: int) -> Path:
    """A synced notebook; its passages have no vectors, so that nothing is embedded but the edits."""
    (root / "notes").mkdir(parents=True)
    (root / "kb.toml").write_text("")
    for path, text in texts(notes, 10):
        target = root / "notes" / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
    return root


class Seen:
    """When a process last printed a line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.at = 0.0
        self._process = process
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for _ in self._process.stdout or ():
            self.at = time.perf_counter()


def measure(notes: int, edits: int) -> int:
    """Measure and print; 1 if anything is over its bound."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    with tempfile.TemporaryDirectory() as name:
        root = notebook(Path(name) / "notebook", notes)
        kb = subprocess.Popen(
            [sys.executable, "-c", "from kb.cli import run; run()", "sync", "--no-embed", "--watch"],
            cwd=root, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        bare = subprocess.Popen(
            [sys.executable, "-c", BARE, str(root / "notes")], env=env, stdout=subprocess.PIPE, text=True
        )
        try:
            return report(root, kb, bare, edits)
        finally:
            for process in (kb, bare):
                process.send_signal(signal.SIGKILL)
                process.wait()


def report(root: Path, kb: subprocess.Popen[str], bare: subprocess.Popen[str], edits: int) -> int:
    """Make the edits and print what they took."""
    seen, note = Seen(bare), root / "notes" / "edited.md"
    time.sleep(3.0)  # both have begun to watch
    took: list[float] = []
    told: list[float] = []
    for number in range(edits):
        word = f"walrus{number}"
        began = time.perf_counter()
        if number % 2:
            note.with_suffix(".new").write_text(f"* {word}\n")
            os.replace(note.with_suffix(".new"), note)
        else:
            note.write_text(f"* {word}\n")
        with Store.open(root / ".kb" / "kb.sqlite3") as store:
            while not store.keyword(word, limit=1) and time.perf_counter() - began < 20:
                time.sleep(0.002)
        took.append(time.perf_counter() - began)
        time.sleep(0.8)
        told.append(seen.at - began)
    torch = "torch" in Path(f"/proc/{kb.pid}/maps").read_text() if Path("/proc").exists() else None
    middle, most = statistics.median(took) * 1000, max(took) * 1000
    print(f"{edits} edits: searchable after {middle:.0f} ms, at most {most:.0f} (bound {BOUND * 1000:.0f})")
    print(f"watchfiles alone tells of them after {statistics.median(told) * 1000:.0f} ms")
    print(f"ratio {statistics.median(took) / statistics.median(told):.2f}; PyTorch loaded: {torch}")
    floor = f"watchfiles {ms(statistics.median(told))}"
    row("slowest of the edits until it is searchable", max(took), BOUND, ours=ms(max(took)), unit="s")
    ratio = statistics.median(took) / statistics.median(told)
    row(
        "an edit until it is searchable, to watchfiles' word of it",
        ratio,
        ours=ms(middle / 1000),
        floor=floor,
    )
    row("PyTorch loaded by the watching process", float(bool(torch)), 0)
    return int(max(took) >= BOUND or bool(torch))


def main() -> int:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--notes", type=int, default=1_000)
    parser.add_argument("--edits", type=int, default=10)
    options = parser.parse_args()
    return measure(options.notes, options.edits)


if __name__ == "__main__":
    sys.exit(main())
