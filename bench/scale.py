"""What each command costs in a notebook of 100,000 notes, a million links and a million passages.

    python -m bench.scale FOLDER [--notes N] [--only NAME ...] [--again] [--table] [--page FILE]

Makes the notebook in FOLDER (about 5 GB for 100,000 notes of ten passages and ten links each) and
runs the commands on it one after another, each a process of its own, all of them together in 4 GB:
in a cgroup, if one can be made, which then counts the notes, the server, this program and the
system's cache of their files as well; else by a limit on the data of each process. It can be
stopped and started again: what is done, and what was measured, stays in FOLDER/scale.json, and
`--again` measures those named anew. `--table` prints what is there and measures nothing; `--page`
puts it into a page, between the two marks that stand there.

A tenth of the links lead to 2,000 loopback addresses, where a server of this program answers (one
page in twenty is gone), the others to 20,000 names that nobody asks for: what a year of checks
would have said of them is put into the store by the store's own writer, and so are the vectors.

Told are seconds by the clock, seconds of processor time, the most memory that one process held
(mapped files that it read count in it), and the most that all of them held as their own at once.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.__main__ import machine  # noqa: E402  # the path had to be set first
from bench.links import KB, environment, serving  # noqa: E402  # the path had to be set first
from bench.servers import address  # noqa: E402
from bench.synthetic import QUERY, put_vectors, texts  # noqa: E402

NOTES, EACH, TERMS = 100_000, 10, 300
MEMORY = 4 * 2**30
PORT, HOSTS, NAMES = 18_433, 2_000, 20_000
SERVED = 10  # of the hundred folders
PAGES = ("2000", "5000", "10000")
_BEGIN, _END = "<!-- bench.scale writes from here -->", "<!-- to here -->"
_ENDINGS = ("com", "org", "net", "io", "dev", "edu", "co.uk", "github.io")
_WORDS = ("blog", "docs", "paper", "notes", "post", "article", "guide", "release", "issue", "talk")


def link(number: int, place: int) -> str:
    """The address in a passage of a note."""
    folder, many = number % 100, number * EACH + place
    if folder < SERVED:
        return f"http://{address(many % HOSTS)}:{PORT}/{'gone' if many % 20 == 7 else 'p'}{many}"
    # Few names are linked often, many hardly ever.
    name = int(NAMES * (random.Random(many).random() ** 3))  # noqa: S311  # no secret
    words = f"{_WORDS[many % 10]}/20{10 + many % 15}/{1 + many % 12:02d}/{_WORDS[many // 10 % 10]}-{many}"
    return f"https://www.site{name}.{_ENDINGS[name % len(_ENDINGS)]}/{words}"


# -- the notebook ----------------------------------------------------------------------------------


def write_notes(root: Path, notes: int) -> None:
    """The notes, their settings, and as many as there are of each kind; what stands is taken."""
    (root / "notes").mkdir(parents=True, exist_ok=True)
    (root / "kb.toml").write_text("")
    made: set[Path] = set()
    terms: dict[str, None] = {}
    for path, text in texts(notes, EACH, link):
        if len(terms) < TERMS:
            terms.update(dict.fromkeys(word for word in text.split() if len(word) > 5 and word.isalpha()))
        target = root / "notes" / path
        if target.parent not in made:
            target.parent.mkdir(exist_ok=True)
            made.add(target.parent)
        target.write_text(text)
        os.utime(target, (1e9, 1e9))  # long ago, so that a sync takes them for settled
    lines = "".join(f"* **{term}**: What {term} stands for.\n" for term in list(terms)[:TERMS])
    (root / "notes" / "glossary.md").write_text(f"---\ntitle: Glossary\nkind: glossary\n---\n\n{lines}")
    os.utime(root / "notes" / "glossary.md", (1e9, 1e9))


def put_looks(root: Path) -> None:
    """What a year of checks would have said of every link that nobody serves; a twentieth is dead."""
    from kb.knowledge import KnowledgeBase
    from kb.model import Facts, Key, Look, Looks, Standing, Transition, Verdict

    with KnowledgeBase.open(root) as base, closing(base.store.connection.cursor()) as cursor:
        store = base.store
        cursor.execute("SELECT key, fragment FROM links WHERE standing = 'unchecked' AND host LIKE '%site%'")
        left = [Key(*row) for row in cursor.fetchall()]
        for start in range(0, len(left), 10_000):
            with store.transaction():
                for number, key in enumerate(left[start : start + 10_000], start):
                    gone = number % 20 == 3
                    standing = Standing.DEAD if gone else Standing.ALIVE
                    verdict, status = (Verdict.BROKEN, 404) if gone else (Verdict.ALIVE, 200)
                    at = f"2026-{1 + number % 9:02d}-{1 + number % 28:02d}T10:00:00Z"
                    looks = Looks(
                        standing=standing, verdict=verdict, status=status, last_checked=at,
                        last_conclusive=at, last_alive=None if gone else at, due="2099-01-01T00:00:00Z",
                        etag=f'"{number:x}"', transitions=(Transition(at, standing),),
                    )  # fmt: skip
                    facts = Facts(title=f"Page {number} of {key.key[:40]}", fetched=at)
                    store.save_look(key, Look(at, verdict, status), looks, None if gone else facts)


def vectors(root: Path) -> None:
    """A vector for every passage."""
    from kb.knowledge import KnowledgeBase

    with KnowledgeBase.open(root) as base:
        put_vectors(base)


def write_subset(root: Path, notes: int) -> None:
    """A notebook of some of the notes, with a site."""
    write_notes(root, notes)
    (root / "mkdocs.yml").write_text(
        "site_name: Notes\ndocs_dir: notes\ntheme:\n  name: material\nplugins:\n  - search\n  - kb\n"
    )


# -- 4 GB ------------------------------------------------------------------------------------------


class Cage:
    """The memory that all processes share, and how much of it is in use. Without a cgroup, less is known."""

    def __init__(self) -> None:
        self.folder, self.kind = None, f"RLIMIT_DATA of {MEMORY >> 30} GiB for each process"
        self.home: Path | None = None
        for home, limit in (
            (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
            (Path("/sys/fs/cgroup"), "memory.max"),
        ):
            folder = home / f"kb-scale-{os.getpid()}"
            try:
                folder.mkdir()
                (folder / limit).write_text(str(MEMORY))
                (folder / "cgroup.procs").write_text(str(os.getpid()))
            except OSError:
                if folder.is_dir():
                    folder.rmdir()
                continue
            self.folder, self.home = folder, home
            self.kind = f"a cgroup of {MEMORY >> 30} GiB for all of them together, file cache included"
            return

    def limit(self) -> None:
        """Called in a process before its program: without a cgroup, its own limit."""
        if self.folder is None:
            resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))

    def own(self) -> float:
        """GiB that the processes hold as their own, file cache apart."""
        if self.folder is None:
            return 0.0
        stat = dict(line.split() for line in (self.folder / "memory.stat").read_text().splitlines())
        return int(stat.get("total_rss", stat.get("anon", 0))) / 2**30

    def close(self) -> None:
        """Leave it and take it away."""
        if self.folder is not None and self.home is not None:
            (self.home / "cgroup.procs").write_text(str(os.getpid()))
            self.folder.rmdir()


@contextmanager
def watched(cage: Cage) -> Iterator[list[float]]:
    """The most that was held meanwhile, beyond what was held before."""
    before, most, done = cage.own(), [0.0], Event()

    def sample() -> None:
        while not done.wait(0.05):
            most[0] = max(most[0], cage.own() - before)

    thread = Thread(target=sample)
    thread.start()
    try:
        yield most
    finally:
        done.set()
        thread.join()


@dataclass(frozen=True)
class Ran:
    """One process, with those that it started."""

    seconds: float
    cpu: float
    peak: float
    own: float
    status: int
    told: str


def run(cage: Cage, folder: Path, command: list[str], out: IO[Any] | int = subprocess.DEVNULL) -> Ran:
    """Run one to its end and measure it."""
    errors = folder / "stderr.txt"
    with watched(cage) as most, errors.open("w+") as told:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=told, env=environment(), preexec_fn=cage.limit
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()  # else it would go on without its server
            raise
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        lines = [line for line in told.read().splitlines() if line.strip()]
    errors.unlink()
    return Ran(
        seconds,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 2**20,
        most[0],
        process.returncode,
        lines[-1][:200] if lines else "",
    )


# -- what is measured ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One command; `before` is done first and not measured. `size` tells which file it wrote."""

    name: str
    what: str
    command: tuple[str, ...]
    before: Callable[[Path], None] | None = None
    size: str = ""
    served: bool = False
    cached: bool = True


def _edit(root: Path) -> None:
    for number in (111, 222, 333):
        with (root / "notes" / f"{number % 100:02d}" / f"{number}.md").open("a") as note:
            note.write("* one thought more\n")
    time.sleep(3)


def _rename(root: Path) -> None:
    (root / "notes" / "50").rename(root / "notes" / "fifty")


def _without_store(root: Path) -> None:
    shutil.rmtree(root / ".kb")


def _here(call: str) -> tuple[str, ...]:
    return ("-c", f"import sys; from pathlib import Path; from bench import scale; scale.{call}")


STEPS = (
    Step("first", "first `kb sync --no-embed`", ("sync", "--no-embed"), size=".kb/kb.sqlite3"),
    Step("noop", "`kb sync` with nothing to do", ("sync", "--no-embed")),
    Step("edit", "`kb sync`, 3 notes edited", ("sync", "--no-embed"), _edit),
    Step("rename", "`kb sync`, a folder of 1,000 renamed", ("sync", "--no-embed"), _rename),
    Step("vectors", "a vector for every passage, put in", _here("vectors(Path('.'))")),
    Step("keyword", "`kb search --mode keyword`", ("search", "--mode", "keyword", QUERY)),
    Step("hybrid", "`kb search`", ("search", QUERY)),
    Step("common", "`kb search`, words that are common", ("search", "time of the card and the wind")),
    Step(
        "filtered", "`kb search --since 2020 --tag t7`", ("search", "--since", "2020", "--tag", "t7", QUERY)
    ),
    Step("related", "`kb related` of a note", ("related", "notes/07/7.md")),
    Step("looks", "a look at 900,000 links, put in", _here("put_looks(Path('.'))")),
    Step(
        "alive",
        "`kb links --alive URL`: one word, a line in the ledger",
        ("links", "--alive", link(11, 0)),
        size="links.jsonl",
    ),
    Step(
        "check1",
        "`kb check-links --note`: 20,000 links due",
        ("check-links", "--note", "notes/00", "--note", "notes/01"),
        served=True,
    ),
    Step(
        "check",
        "`kb check-links`: 80,000 due of a million",
        ("check-links",),
        served=True,
        size="links.jsonl",
    ),
    Step("nodue", "`kb check-links` with none due", ("check-links",), served=True),
    Step(
        "enrich", "`kb enrich --note` of a note: 10 links", ("enrich", "--note", "notes/02/2.md"), served=True
    ),
    Step("dead", "`kb links --standing dead`", ("links", "--standing", "dead"), size="stdout"),
    Step("links", "`kb links --json`, all of them", ("links", "--json"), size="stdout"),
    Step("host", "`kb links --host` of one host", ("links", "--host", "site7.github.io"), size="stdout"),
    Step("stats", "`kb stats`", ("stats",)),
    Step("doctor", "`kb doctor`", ("doctor",)),
    Step("log", "`kb log`", ("log",), size="stdout"),
    Step("export", "`kb export jsonl`", ("export", "jsonl", "-o", "links-out.jsonl"), size="links-out.jsonl"),
    Step("glossary", "`kb glossary`, 300 terms", ("glossary",), size="stdout"),
    Step("backup", "`kb backup`", ("backup", "--force", "backup.tar.gz"), size="backup.tar.gz"),
    Step(
        "rebuild",
        "`rm -r .kb; kb sync --no-embed`: notes and ledger",
        ("sync", "--no-embed"),
        _without_store,
        size=".kb/kb.sqlite3",
    ),
    *(
        Step(f"site{count}", f"`mkdocs build`, {int(count):,} notes", ("build", count), size="site")
        for count in PAGES
    ),
)


def measure(step: Step, root: Path, cage: Cage) -> dict[str, Any]:
    """Run a step; what it cost."""
    command = [sys.executable, "-c", KB, *step.command]
    where = root
    if step.command[0] == "-c":
        command = [sys.executable, *step.command]
    elif step.command[0] == "build":
        where = root / f"site-{step.command[1]}"
        write_subset(where, int(step.command[1]))
        run(cage, where, [sys.executable, "-c", KB, "sync", "--no-embed"])
        command = [sys.executable, "-m", "mkdocs", "build", "-q"]
    if step.before is not None:
        step.before(root)
    server = serving("plain", HOSTS, 0.02, PORT) if step.served else nullcontext()
    printed = where / "stdout.txt"
    with server, printed.open("wb") as out:
        done = run(cage, where, command, out)
    size = printed.stat().st_size if step.size == "stdout" else _size(where / step.size) if step.size else 0
    printed.unlink()
    if step.command[0] == "build":
        shutil.rmtree(where)
    return {**done.__dict__, "size": size, "at": time.strftime("%Y-%m-%d"), "load": os.getloadavg()[0]}


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(one.stat().st_size for one in files if one.is_file())


def table(kept: dict[str, Any]) -> Iterator[str]:
    """The figures as Markdown, and where and when they were taken."""
    days = sorted({done["at"] for done in kept["steps"].values()})
    when = " to ".join(dict.fromkeys((days[0], days[-1])))
    yield f"{kept['notes']:,} notes, {when}. {machine()}. Memory: {kept['cage']}."
    yield ""
    yield "| | clock, s | processor, s | largest process, MiB | own memory together, MiB | written, MB |"
    yield "|---|---:|---:|---:|---:|---:|"
    for step in STEPS:
        done = kept["steps"].get(step.name)
        if done is None:
            continue
        failed = f" **(status {done['status']})**" if done["status"] not in (0, 1) else ""
        size = f"{done['size'] / 1e6:,.1f}" if done["size"] else ""
        yield (
            f"| {step.what}{failed} | {_few(done['seconds'])} | {_few(done['cpu'])} |"
            f" {done['peak'] * 1024:,.0f} | {done['own'] * 1024:,.0f} | {size} |"
        )


def _few(seconds: float) -> str:
    return f"{seconds:,.2f}" if seconds < 10 else f"{seconds:,.1f}" if seconds < 100 else f"{seconds:,.0f}"


def main() -> int:
    """Make, measure, print; 1 if a command failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--notes", type=int, default=NOTES)
    parser.add_argument("--only", nargs="+", choices=[one.name for one in STEPS], metavar="NAME")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--page", type=Path)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    root: Path = asked.folder
    record = root / "scale.json"
    kept: dict[str, Any] = json.loads(record.read_text()) if record.is_file() else {"steps": {}}
    if not asked.table:
        cage = Cage()
        print(f"{asked.notes:,} notes in {root}; {cage.kind}", flush=True)
        try:
            if kept.get("notes") != asked.notes:
                write_notes(root, asked.notes)
                kept["notes"] = asked.notes
            kept["cage"] = cage.kind
            record.write_text(json.dumps(kept, indent=1))
            for step in STEPS:
                if (asked.only and step.name not in asked.only) or (
                    step.name in kept["steps"] and not asked.again
                ):
                    continue
                done = kept["steps"][step.name] = measure(step, root, cage)
                record.write_text(json.dumps(kept, indent=1))
                print(
                    f"{step.name:10} {done['seconds']:8.2f} s  {done['cpu']:8.2f} s cpu"
                    f"  {done['peak'] * 1024:6.0f} MiB  {done['own'] * 1024:6.0f} MiB  {done['status']}"
                    f"  {done['told']}",
                    flush=True,
                )
        finally:
            cage.close()
    told = "\n".join(table(kept))
    print(told)
    if asked.page:
        above, _, rest = asked.page.read_text(encoding="utf-8").partition(_BEGIN)
        below = rest.partition(_END)[2]
        asked.page.write_text(f"{above}{_BEGIN}\n\n{told}\n\n{_END}{below}", encoding="utf-8")
    return int(any(one["status"] not in (0, 1) for one in kept["steps"].values()))


if __name__ == "__main__":
    sys.exit(main())
