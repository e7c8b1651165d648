"""kb beside the tools that a person might take instead: ripgrep, recoll, LinkChecker. All sides in one run.

    python bench/peers.py [--folder DIR] [--runs N] [--linkchecker PATH] [words] [links]

words   a cold `kb search` over 25,000 passages, a grep over the same files, a query of recoll's
        index of them; what a file-by-file answer costs, and what a ranked one does
links   1,000 links of 50 hosts that answer after 50 ms: `kb check-links` and LinkChecker

There is no bound for ripgrep: it reads files anew and ranks nothing, and is quicker for it. recoll is the
other ranked search. ripgrep and recollcmd are Debian packages, LinkChecker is on PyPI; what is
not there is said and left out.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import links as link_bench  # noqa: E402  # after the checkout is put on the path
from bench.cold_search import environment  # noqa: E402
from bench.report import ms, row  # noqa: E402
from bench.synthetic import QUERY, build  # noqa: E402

KB = [sys.executable, "-c", "from kb.cli import run; run()"]


def timed(command: list[str], folder: Path) -> float:
    """Seconds of a whole process, whose exit status may say that it found nothing."""
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(
            f"{command[:3]}: exit status {done.returncode}\n{done.stderr.decode(errors='replace')[-2000:]}"
        )
    return time.perf_counter() - began


def words(args: argparse.Namespace, work: Path) -> None:
    """One question put to each, the sides taking turns."""
    notebook = build((args.folder or work) / "25000", 2_500, 10)
    sides = {
        "kb search": [*KB, "search", QUERY],
        "kb search --mode keyword": [*KB, "search", "--mode", "keyword", QUERY],
    }
    if shutil.which("rg"):
        terms = "|".join(re.escape(word) for word in QUERY.split() if len(word) > 3)
        sides["ripgrep"] = ["rg", "-i", "--no-heading", terms, "notes"]
    if shutil.which("recollindex") and shutil.which("recollq"):
        config = work / "recoll"
        config.mkdir()
        (config / "recoll.conf").write_text(f"topdirs = {notebook / 'notes'}\n")
        subprocess.run(["recollindex", "-c", str(config)], check=True, capture_output=True)
        sides["recoll"] = ["recollq", "-c", str(config), "-n", "5", "-o", QUERY]
    missing = sorted({"ripgrep", "recoll"} - sides.keys())
    if missing:
        print(f"not there, and left out: {', '.join(missing)} (Debian's ripgrep and recollcmd)")
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(-1, args.runs):
        for name, command in sides.items():
            took = timed(command, notebook)
            if turn >= 0:
                seconds[name].append(took)
    middle = {name: statistics.median(taken) for name, taken in seconds.items()}
    for name, taken in middle.items():
        print(f"{name:<26} {taken * 1000:7.0f} ms")
    for other in ("ripgrep", "recoll"):
        for name in ("kb search", "kb search --mode keyword"):
            if other in middle:
                row(
                    f"cold {name}, 25,000 passages, to {other}",
                    middle[name] / middle[other],
                    ours=ms(middle[name]),
                    floor=f"{other} {ms(middle[other])}",
                )


def links(args: argparse.Namespace, work: Path) -> None:
    """The same links, each side at its own best within 50 at a time."""
    if shutil.which(args.linkchecker) is None:
        print(f"not there, and left out: {args.linkchecker} (LinkChecker, on PyPI)")
        return
    count, hosts = 1_000, 50
    with link_bench.serving("plain", hosts, 0.05) as bases:
        addresses = [f"{bases[number % hosts]}p{number}" for number in range(count)]
        settings = "concurrency = 400\nper_host = 50\ninterval = 0.0001"
        page = work / "links.html"
        page.write_text("".join(f'<a href="{url}">x</a>\n' for url in addresses))
        config = work / "linkcheckerrc"
        config.write_text("[checking]\nmaxrequestspersecond=1000\n")
        other = [
            args.linkchecker,
            "--config",
            str(config),
            "--no-robots",
            "--check-extern",
            "-t",
            "50",
            "-r1",
        ]
        sides: dict[str, list[float]] = {"kb check-links": [], "LinkChecker": []}
        for _ in range(max(1, args.runs // 5)):
            root = link_bench.notebook(work, addresses, settings)
            sides["kb check-links"].append(timed([*KB, "check-links"], root))
            sides["LinkChecker"].append(timed([*other, str(page)], work))
    ours, theirs = (min(taken) for taken in sides.values())
    print(f"{count} links of {hosts} hosts: kb check-links {ours:.2f} s, LinkChecker {theirs:.2f} s")
    row(
        "kb check-links, 1,000 links of 50 hosts, to LinkChecker",
        ours / theirs,
        1.0,
        ours=ms(ours),
        floor=f"LinkChecker {ms(theirs)}",
    )


PARTS = {"words": words, "links": links}


def main() -> int:
    """Run the parts that were asked for, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="where the generated notebook stays")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--linkchecker", default=os.environ.get("KB_LINKCHECKER", "linkchecker"))
    parser.add_argument("parts", nargs="*", metavar="part", help="words, links")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kb-bench-") as folder:
        for part in args.parts or PARTS:
            PARTS[part](args, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
