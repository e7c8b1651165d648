"""Every command, listened to: nothing is written outside of the notebook and the person's own folders.

    python -m torture.within

The interpreter tells of each file that is opened for writing, made, moved or deleted, of each store
that is opened, and of each program that is started.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from torture import crash
from torture.child import preload, run
from torture.scene import Web, write_notebook, write_source

_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PATHS: Final = {
    "os.rename": 2, "os.link": 2, "os.symlink": 2, "os.remove": 1, "os.rmdir": 1, "os.mkdir": 1,
    "os.truncate": 1, "os.chmod": 1, "os.chown": 1, "os.utime": 1, "sqlite3.connect": 1,
    "shutil.copyfile": 2, "shutil.move": 2, "shutil.rmtree": 1,
}  # fmt: skip
_PROGRAMS: Final = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.startfile", "pty.spawn")
_NOWHERE: Final = ("/dev/null", "/dev/tty", ":memory:")


def _listener(told: Path) -> Callable[[], None]:
    """A function that has the process that calls it tell what it writes, into the file `told`."""

    def install() -> None:
        handle = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

        def tell(word: str, path: object) -> None:
            if isinstance(path, str | bytes | os.PathLike):
                full = os.path.abspath(os.fsdecode(path).removeprefix("file://").partition("?")[0])
                os.write(handle, f"{word}\t{full}\n".encode("utf-8", "backslashreplace"))

        def hear(event: str, args: tuple[object, ...]) -> None:
            if event == "open":
                flags = args[2]
                if isinstance(flags, int) and flags & _WRITES:
                    tell("open", args[0])
            elif event in _PATHS:
                for path in args[: _PATHS[event]]:
                    tell(event, path)
            elif event in _PROGRAMS:
                os.write(handle, f"program\t{args[0]!r}\n".encode("utf-8", "backslashreplace"))

        sys.addaudithook(hear)

    return install


def commands(web: Web, place: Path) -> list[Sequence[str]]:
    """One of each command, those that write in every way they can."""
    source = place / "source"
    write_source(source)
    url = web.url(1, "text/Added")
    return [
        ["sync"],
        ["search", "sheep"],
        ["related", "n1"],
        ["links", "--json"],
        ["add-link", url, "--note", "n1"],
        ["add-link", web.url(2, "text/New"), "--new-note"],
        ["check-links", "--all"],
        ["links", "--ignore", url],
        ["links", "--alive", url],
        ["enrich"],
        ["enrich", "--write-titles"],
        ["repair", "--apply"],
        ["show", url],
        ["glossary"],
        ["new", "A thought", "--no-edit"],
        ["import", str(source)],
        ["export", "bookmarks", "-o", "bookmarks.html"],
        ["export", "jsonl"],
        ["site", "out"],
        ["sync", "--rehash"],
        ["init", "another"],
    ]


def beyond(told: Path, allowed: Sequence[Path]) -> list[str]:
    """What was written elsewhere, or run."""
    found = []
    for line in told.read_text().splitlines():
        word, _, path = line.partition("\t")
        inside = any(Path(os.path.realpath(path)).is_relative_to(folder) for folder in allowed)
        own_helper = word == "program" and os.path.basename(path.strip("'")) == os.path.basename(
            sys.executable
        )
        if not inside and path not in _NOWHERE and not own_helper:
            found.append(line)
    return found


def main() -> int:
    """Once through all commands; 1 if anything went beyond."""
    sys.dont_write_bytecode = True  # what the interpreter keeps of a module is no command's doing
    preload()
    gc.freeze()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as name, Web() as web:
        place = Path(os.path.realpath(name))
        home, root = place / "home", place / "notebook"
        home.mkdir()
        write_notebook(root, web)
        environ = {**crash._ENVIRON, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
        environ["PYTHONDONTWRITEBYTECODE"] = "1"
        allowed = (root, home / ".config/kb", home / ".cache/kb")
        everything = commands(web, place)
        before = {path for path in place.rglob("*") if not path.is_relative_to(root)}
        for number, args in enumerate(everything):
            told = root / f"told-{number}"
            done = run(args, root, before=_listener(told), environ=environ)
            if done.status not in (0, 1):
                faults.append(f"kb {' '.join(args)} left with {done.status}: {done.text}")
            faults += [f"kb {' '.join(args)}: {line}" for line in beyond(told, allowed)]
        after = {path for path in place.rglob("*") if not path.is_relative_to(root)}
        faults += [f"made {path}" for path in after - before]
    print(f"{len(everything)} commands, {len(faults)} beyond the notebook")
    print("\n".join(faults), file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
