"""What the plugin costs: a build, a reload and memory, against bare mkdocs-material. Both sides in one run.

    python bench/site.py [--notes 1000] [--memory 5000] [--runs 3]

The same notes, the same Markdown, the same short menu; the bare side has no `kb` and no feed. Its
notes are in sync before the clock starts. A build is a whole process, the sides taking turns; a
reload is what `mkdocs serve` does when one note was saved, timed inside one process. Minima are
printed, then the ratios; the exit status is 1 if one is over its bound.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.report import ms, row  # noqa: E402  # after the checkout is put on the path

BUILD_BOUND, RELOAD_BOUND, MEMORY_BOUND = 1.25, 0.6, 150.0
WORDS = (
    *("adapter", "attention", "batch", "card", "context", "corpus", "decoder", "embedding"),
    *("encoder", "epoch", "evaluation", "gradient", "head", "inference", "kernel", "label"),
    *("layer", "learning", "loss", "memory", "model", "norm", "optimizer", "paper"),
    *("passage", "precision", "prompt", "quantized", "query", "rank", "retrieval", "sample"),
    *("sequence", "speech", "tensor", "token", "training", "transformer", "tuning", "vector"),
    *("vocabulary", "weight", "window"),
)
TERMS = ("RAG", "PEFT", "LoRA", "QLoRA", "VRAM", "RLHF", "GPTQ", "MoE", "BPE", "KV cache")


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--notes", type=int, default=1000)
    parser.add_argument(
        "--memory", type=int, default=5000, help="notes for the memory figure; 0 leaves it out"
    )
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory(prefix="kb-bench-") as folder:
        kb, bare = notebooks(Path(folder) / "a", options.notes)
        first = build(kb)
        times: dict[str, list[float]] = {"kb": [], "cold": [], "bare": []}
        for _ in range(options.runs):
            times["bare"].append(build(bare)[0])
            (kb / ".kb" / "html.jsonl").unlink(missing_ok=True)
            times["cold"].append(build(kb)[0])
            times["kb"].append(build(kb)[0])
        print(
            f"build of {options.notes} notes: bare {min(times['bare']):.2f} s; first with kb {first[0]:.2f} s"
        )
        notes = f"{options.notes:,} notes"
        bad += judge(f"build of {notes}, nothing kept", min(times["cold"]), min(times["bare"]), BUILD_BOUND)
        judge("build again", min(times["kb"]), min(times["bare"]), BUILD_BOUND)
        pairs = [(reload(kb), reload(bare)) for _ in range(options.runs)]
        ours, theirs = (min(pair[side] for pair in pairs) for side in (0, 1))
        print(f"reload after one edit: bare {theirs:.2f} s, with kb {ours:.2f} s")
        bad += judge(f"reload of {notes} after an edit", ours, theirs, RELOAD_BOUND)
        if options.memory:
            kb, bare = notebooks(Path(folder) / "b", options.memory)
            build(kb)
            above = build(kb)[1] - build(bare)[1]
            print(
                f"peak memory at {options.memory} notes: {above:.0f} MB above bare"
                f" (at most {MEMORY_BOUND:.0f})"
            )
            bad += above > MEMORY_BOUND
            row(f"memory above bare at {options.memory:,} notes", above, MEMORY_BOUND, unit="MB")
    return int(bad > 0)


def judge(name: str, ours: float, bare: float, bound: float) -> bool:
    """Print the ratio of two times in seconds beside its bound; True if it is over."""
    print(f"{name}: {ours / bare:.2f}x of bare (at most {bound})")
    return not row(f"{name}, to bare mkdocs-material", ours / bare, bound, ours=ms(ours), floor=ms(bare))


def notebooks(folder: Path, count: int) -> tuple[Path, Path]:
    """Two notebooks of the same notes: with the plugin, synced, and bare."""
    kb, bare = folder / "kb", folder / "bare"
    for root in (kb, bare):
        write_notes(root / "notes", count)
    (kb / "kb.toml").write_text('[notebook]\ntitle = "Bench"\n')
    shipped = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    (kb / "mkdocs.yml").write_text(shipped, encoding="utf-8")
    head, _, rest = shipped.partition("plugins:\n")
    (bare / "mkdocs.yml").write_text(
        head + "plugins:\n  - search\n\n" + rest[rest.index("markdown_extensions:") :] + "\nnav:\n" + NAV,
        encoding="utf-8",
    )
    (bare / "notes/index.md").write_text("# Home\n")
    subprocess.run([sys.executable, "-c", SYNC], cwd=kb, check=True, env=environment())
    return kb, bare


def write_notes(root: Path, count: int) -> None:
    """Notes of the shape of real ones: dated bullets, nested, with links, terms and links to each other."""
    chance = random.Random(7)  # noqa: S311 - for the same notes every time
    for number in range(count):
        lines = [
            "---",
            f"title: Note {number} on {chance.choice(WORDS)} and {chance.choice(WORDS)}",
            f"date: {2018 + number % 7}-{1 + number % 12:02d}-{1 + number % 28:02d}",
            f"tags: [{chance.choice(WORDS)}, {chance.choice(WORDS)}]",
            "---",
            "",
            f"# Note {number}",
            "",
        ]
        for section in range(3):
            lines += [f"## {sentence(chance, 3)}", ""]
            for bullet in range(4):
                link = sentence(chance, 3)
                if bullet % 3 == 0:  # six links a note, twice what the notes that ship have
                    link = f"[{link}](https://host{number % 97}.example/{number}/{section}/{bullet})"
                lines.append(f"* {link} {sentence(chance, 14)} {chance.choice(TERMS)}")
                lines.append(f"\t* {sentence(chance, 20)}")
            lines += [
                "",
                f"{sentence(chance, 40)} `code` **bold**, see [another](../{chance.randrange(count) % 50}/"
                f"note-{chance.randrange(count)}.md).",
                "",
            ]
        path = root / str(number % 50) / f"note-{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines), encoding="utf-8")
    terms = [f"* {term} = {sentence(chance, 4)}. {sentence(chance, 12)}." for term in TERMS]
    (root / "glossary.md").write_text("---\ntitle: Words\nkind: glossary\n---\n\n" + "\n".join(terms) + "\n")


def sentence(chance: random.Random, words: int) -> str:
    """Some words."""
    return " ".join(chance.choices(WORDS, k=words))


# As many entries as kb's own menu has, in the same groups.
NAV = """\
  - Home: index.md
  - Notes: [All: 0/note-0.md, Timeline: 1/note-1.md, Tags: 2/note-2.md]
  - Links: [All: 3/note-3.md, P: 4/note-4.md, T: 5/note-5.md, U: 6/note-6.md, Health: 7/note-7.md]
  - Glossary: glossary.md
  - Graph: 8/note-8.md
"""
SYNC = "from kb.knowledge import KnowledgeBase\nwith KnowledgeBase.open() as base: base.sync(embed=False)\n"
BUILD = (
    "import sys\n"
    "from mkdocs.commands.build import build\n"
    "from mkdocs.config import load_config\n"
    "config = load_config('mkdocs.yml')\n"
    "config.plugins.on_startup(command='build', dirty=False)\n"
    "build(config)\n"
)
# What the server does at a change: load the configuration anew, keep the plugins that ask for it, build.
RELOAD = """
import sys, time
from pathlib import Path
from mkdocs.commands.build import build
from mkdocs.config import load_config
note = Path("notes/0/note-0.md")
config = load_config("mkdocs.yml", site_url="http://127.0.0.1:8000/")
config.plugins.on_startup(command="serve", dirty=False)
build(config, serve_url="/")
best = 1e9
for turn in range(2):
    note.write_text(note.read_text() + f"\\nEdited {turn}.\\n")
    began = time.process_time()
    fresh = load_config("mkdocs.yml", site_url="http://127.0.0.1:8000/")
    build(fresh, serve_url="/")
    best = min(best, time.process_time() - began)
print(best)
"""


def environment() -> dict[str, str]:
    """Ours, with this checkout first, and no warnings of Material's about its future."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "NO_MKDOCS_2_WARNING": "1"}


def build(root: Path) -> tuple[float, float]:
    """One build in a process of its own: seconds of processor time, and peak megabytes.

    A build has one thread and hardly waits: on a busy machine its processor time still compares.
    """
    process = subprocess.Popen([sys.executable, "-c", BUILD], cwd=root, env=environment())
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{root}: the build failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def reload(root: Path) -> float:
    """The best of two reloads in one process, after a build: seconds."""
    out = subprocess.run(
        [sys.executable, "-c", RELOAD], cwd=root, env=environment(), check=True, capture_output=True
    )
    return float(out.stdout.split()[-1])


if __name__ == "__main__":
    sys.exit(main())
