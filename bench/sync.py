"""What a sync costs over what it cannot do without. Both sides in one run, taking turns.

    python bench/sync.py [--notes N] [--runs N]

Full: `kb sync --no-embed` into a notebook without a store, a whole process, against a process
that reads the same files, runs pyromark over each, and inserts the same rows into the same
tables (indexes and FTS5 included) by plain sqlite3 `executemany`, columns that only hold their
default left out, in one transaction; its clock begins when it has started and loaded the rows.

Nothing to do: `kb sync --no-embed` again, against a bare process that walks the folder with
scandir and stats every file.

Notes are made by a fixed seed: 200 words and 8 links each, under headings, in paragraphs and
nested bullets. Minima and medians are printed; the exit status is 1 if a ratio of minima is over
its bound.
"""

from __future__ import annotations

import argparse
import os
import pickle
import random
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FULL_BOUND, IDLE_BOUND = 2.0, 3.0
TABLES = ("notes", "links", "passages", "mentions", "tags", "terms", "problems")

# Processor seconds of each process timed, its own children included.
CPU: list[float] = []

KB = [sys.executable, "-c", "from kb.cli import run; run()", "--quiet", "sync", "--no-embed"]
SCAN = """
import os, sys
stack = [sys.argv[1]]
while stack:
    with os.scandir(stack.pop()) as entries:
        for entry in entries:
            if entry.is_dir():
                stack.append(entry.path)
            else:
                entry.stat()
"""
RAW = """
import pickle, sqlite3, sys, time
import pyromark
from kb.notes.parse import _OPTIONS

store, rows, root = sys.argv[1:]
with open(rows, "rb") as file:
    paths, inserts = pickle.load(file)
began, cpu = time.perf_counter(), time.process_time()
for path in paths:
    with open(f"{root}/{path}", "rb") as file:
        for _ in pyromark.events_with_range(file.read().decode(), options=_OPTIONS):
            pass
parsed = time.perf_counter()
connection = sqlite3.connect(store, isolation_level=None)
connection.execute("PRAGMA synchronous = NORMAL")
connection.execute("BEGIN IMMEDIATE")
for statement, values in inserts:
    connection.executemany(statement, values)
connection.execute("COMMIT")
connection.close()
done = time.perf_counter()
print(parsed - began, done - began, time.process_time() - cpu)
"""

WORDS = """
adapter attention batch card cluster comment context decoder distil draft embedding encoder epoch
eval expert fine float gather graph head hidden index inference kernel layer learning llama loss
memory merge model note optimiser paper passage prompt quantise query rank recall sample search
speed tensor thread token train tune vector weight window
""".split()  # noqa: SIM905 - words read as words


def note(number: int, rng: random.Random) -> str:
    """A note of about 200 words and 8 links."""
    day = f"20{rng.randrange(15, 26)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"

    def words(count: int) -> str:
        return " ".join(rng.choices(WORDS, k=count))

    def link() -> str:
        host = f"site{rng.randrange(400)}.example"
        return f"[{words(3)}](https://{host}/{words(2).replace(' ', '-')}/{rng.randrange(10**6)})"

    lines = [
        "---",
        f"title: Note {number} on {words(2)}",
        f"date: {day}",
        f"tags: [{rng.choice(WORDS)}, {rng.choice(WORDS)}]",
        "---",
        "",
        f"# {words(3).capitalize()}",
        "",
        f"{words(30).capitalize()}. See {link()} for {words(8)}.",
        "",
        f"## {words(2).capitalize()}",
        "",
    ]
    for _ in range(3):
        lines += [f"* {link()} {words(12)}", f"    * {words(9)} {link()}: {words(6)}"]
    lines += [
        "",
        f"{words(25).capitalize()} https://bare{rng.randrange(99)}.example/{rng.randrange(10**6)}.",
        "",
    ]
    return "\n".join(lines)


def make_notebook(root: Path, count: int) -> None:
    """Write kb.toml and `count` notes, a hundred a folder."""
    rng = random.Random(7)  # noqa: S311 - the same notes every time is what is wanted
    root.mkdir(parents=True)
    (root / "kb.toml").write_text('[notebook]\ntitle = "Bench"\n')
    for number in range(count):
        folder = root / "notes" / f"{number // 100:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{number:05d}.md"
        path.write_text(note(number, rng), encoding="utf-8")
        os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))


def _says(connection: sqlite3.Connection, table: str, column: tuple[object, ...]) -> bool:
    """Whether a column ever differs from its default: nobody would insert one that does not."""
    _, name, _, _, default, key = column
    if key:
        return True
    differs = f'SELECT 1 FROM {table} WHERE "{name}" IS NOT {default or "NULL"} LIMIT 1'  # noqa: S608 - names of our own
    return connection.execute(differs).fetchone() is not None


def rows_of(store: Path) -> list[tuple[str, list[tuple[object, ...]]]]:
    """Every row of a store, as the statements that would insert it."""
    connection = sqlite3.connect(store)
    inserts = []
    for table in TABLES:
        if connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is None:  # noqa: S608 - a name of our own
            continue
        known = connection.execute(f"PRAGMA table_info({table})").fetchall()
        names = [row[1] for row in known if _says(connection, table, row)]
        columns, marks = ", ".join(f'"{name}"' for name in names), ",".join("?" * len(names))
        values = connection.execute(f"SELECT {columns} FROM {table}").fetchall()  # noqa: S608 - the same
        inserts.append((f"INSERT INTO {table} ({columns}) VALUES ({marks})", values))  # noqa: S608 - the same
    words = connection.execute("SELECT id, text, heading, title, address, parents FROM searchable").fetchall()
    inserts.append(
        (
            "INSERT INTO passages_fts (rowid, text, heading, title, address, parents) VALUES (?,?,?,?,?,?)",
            words,
        )
    )
    connection.close()
    return inserts


def timed(command: list[str], cwd: Path) -> tuple[float, str]:
    """Seconds of a whole process, and what it printed; its processor time goes into `CPU`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=environment())
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    CPU.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    if done.returncode:
        sys.exit(f"{command[:3]}: exit status {done.returncode}\n{done.stderr}")
    return took, done.stdout


def environment() -> dict[str, str]:
    """The person's, with this kb in front."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def runs(work: Path, count: int, turns: int) -> Iterator[tuple[str, float]]:
    """(side, seconds) of every turn, after one that only warms the caches."""
    root = work / "notebook"
    make_notebook(root, count)
    store = root / ".kb" / "kb.sqlite3"
    timed(KB, root)
    empty = work / "empty.sqlite3"
    schema = f"from pathlib import Path; from kb.store import schema; schema.ensure(Path({str(empty)!r}))"
    timed([sys.executable, "-c", schema], work)
    paths = sorted(path.relative_to(root / "notes").as_posix() for path in root.rglob("*.md"))
    (work / "rows").write_bytes(pickle.dumps((paths, rows_of(store))))
    for _ in range(turns):
        for _ in range(3):
            yield "no-op sync", timed(KB, root)[0]
            yield "bare scan", timed([sys.executable, "-c", SCAN, str(root / "notes")], root)[0]
        shutil.rmtree(root / ".kb")
        yield "full sync", timed(KB, root)[0]
        yield "its processor time", CPU[-1]
        raw = work / "raw.sqlite3"
        for path in work.glob("raw.sqlite3*"):
            path.unlink()
        shutil.copy(empty, raw)
        command = [sys.executable, "-c", RAW, str(raw), str(work / "rows"), str(root / "notes")]
        parsed, whole, spent = map(float, timed(command, root)[1].split())
        yield "raw inserts", whole
        yield "of which pyromark", parsed
        yield "raw processor time", spent


def main() -> int:
    """Print the table; 1 if a ratio is over its bound."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--notes", type=int, default=10_000)
    options.add_argument("--runs", type=int, default=3)
    chosen = options.parse_args()
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="kb-bench-") as work:
        for side, took in runs(Path(work), chosen.notes, chosen.runs):
            seconds.setdefault(side, []).append(took)
    print(f"{chosen.notes:,} notes; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for side, taken in seconds.items():
        print(f"{side:18} min {min(taken):7.3f} s   median {statistics.median(taken):7.3f} s")
    full = min(seconds["full sync"]) / min(seconds["raw inserts"])
    idle = min(seconds["no-op sync"]) / min(seconds["bare scan"])
    print(f"full sync / raw inserts  {full:.2f}  (at most {FULL_BOUND})")
    cpu = min(seconds["its processor time"]) / min(seconds["raw processor time"])
    print(f"the same in processor time, all processes  {cpu:.2f}")
    print(f"no-op sync / bare scan   {idle:.2f}  (at most {IDLE_BOUND})")
    return int(full > FULL_BOUND or idle > IDLE_BOUND)


if __name__ == "__main__":
    sys.exit(main())
