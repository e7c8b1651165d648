"""How soon `kb --help` and a shell's completion answer, against a bare click program. Both in one run.

    python bench/start.py [--runs N]

The bare program is one file with as many commands, options and arguments as kb has, which does
nothing but what click does. Each side is a whole process, started anew, the sides taking turns.
Completions of notes and tags are read from the store of a small notebook; their bound is that of
the bare program completing a choice. The exit status is 1 if a ratio is over its bound.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import click  # noqa: E402  # after the checkout is put on the path

from kb.cli import COMMANDS, main  # noqa: E402
from kb.knowledge import KnowledgeBase  # noqa: E402

BOUND = 1.6
KB = "from kb.cli import run; run()"


def bare() -> str:
    """A click program with the commands and options of kb, and nothing behind them."""
    lines = ["import click", "@click.group(help='Notes.')", "def kb(): pass"]
    context = click.Context(main)
    for number, name in enumerate(COMMANDS):
        command = main.get_command(context, name)
        lines.append(f"@kb.command({name!r}, help={(command.help if command else '') or ''!r})")
        for param in command.params if command else ():
            choices = list(getattr(param.type, "choices", ()))
            kind = f", type=click.Choice({choices!r})" if choices else ""
            if isinstance(param, click.Option):
                flag = ", is_flag=True" if param.is_flag else f", multiple={param.multiple}{kind}"
                lines.append(f"@click.option({max(param.opts, key=len)!r}, help={param.help or ''!r}{flag})")
            else:
                lines.append(f"@click.argument({param.name!r}, nargs={param.nargs}{kind})")
        lines.append(f"def command_{number}(**options): pass")
    return "\n".join([*lines, "kb(prog_name='kb')", ""])


class Side:
    """A process that is started again and again: its command and its environment."""

    def __init__(self, folder: Path, command: list[str], words: str | None) -> None:
        self.folder, self.command, self.words = folder, command, words
        self.seconds: list[float] = []
        self.out = ""

    def run(self, *, count: bool) -> None:
        """Start it once and wait for it."""
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), env.get("PYTHONPATH", ""))))
        if self.words is not None:
            number = str(len(self.words.split(" ")) - 1)
            env |= {"_KB_COMPLETE": "bash_complete", "COMP_WORDS": self.words, "COMP_CWORD": number}
        began = time.perf_counter()
        done = subprocess.run(
            self.command, cwd=self.folder, env=env, capture_output=True, text=True, check=False
        )
        took = time.perf_counter() - began
        self.out = done.stdout
        if done.returncode or not done.stdout:
            sys.exit(f"{self.command}: exit status {done.returncode}\n{done.stderr}")
        if count:
            self.seconds.append(took)


def notebook(root: Path) -> Path:
    """A synced notebook with tags and folders."""
    (root / "notes" / "papers").mkdir(parents=True)
    (root / "kb.toml").write_text("")
    for number in range(50):
        note = f"---\ntags: [tag-{number}]\n---\n* [x](https://host-{number}.example/)\n"
        (root / "notes" / "papers" / f"note-{number}.md").write_text(note)
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
    return root


def measure(runs: int) -> int:
    """Measure and print; 1 if anything is over its bound."""
    with tempfile.TemporaryDirectory() as name:
        program = Path(name) / "bare.py"
        program.write_text(bare())
        # As kb's own modules are: a script would be compiled anew each time.
        plain = [sys.executable, "-c", "import bare"]
        root = notebook(Path(name) / "notebook")
        (root / "bare.py").write_text(program.read_text())
        cases: list[tuple[str, list[str], str | None, str | None]] = [
            ("--help", ["--help"], None, None),
            ("completing a command", [], "kb se", "kb se"),
            ("completing an option", [], "kb links --", "kb links --"),
            ("completing a standing", [], "kb links --standing d", "kb links --standing d"),
            ("completing a note", [], "kb links --note papers/", "kb links --standing d"),
            ("completing a tag", [], "kb search --tag tag-1", "kb links --standing d"),
        ]
        worst = 0.0
        for what, args, words, plain_words in cases:
            kb = Side(root, [sys.executable, "-c", KB, *args], words)
            other = Side(root, [*plain, *args], plain_words)
            for turn in range(-1, runs):
                for side in (kb, other):
                    side.run(count=turn >= 0)
            ratio = statistics.median(a / b for a, b in zip(kb.seconds, other.seconds, strict=True))
            least = min(kb.seconds) / min(other.seconds)
            worst = max(worst, min(ratio, least))
            print(
                f"{what:<24} kb {statistics.median(kb.seconds) * 1000:5.0f} ms   bare click "
                f"{statistics.median(other.seconds) * 1000:5.0f} ms   ratio {ratio:.2f} "
                f"(of the least {least:.2f}, bound {BOUND})"
            )
    return int(worst > BOUND)


def run() -> int:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=15)
    return measure(parser.parse_args().runs)


if __name__ == "__main__":
    sys.exit(run())
