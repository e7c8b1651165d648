"""Kills: every command that writes, at moments chosen by a seed; then everything must be whole.

python -m torture.crash --rounds 200 --seed 1
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kb.store import ledger, saved
from kb.temporary import is_temporary
from torture.child import Done, preload, run
from torture.scene import Web, write_notebook, write_notes, write_source

_ENVIRON: Final = {"KB_LINKS_PRIVATE_HOSTS": "check", "KB_LINKS_TIMEOUT": "10", "NO_COLOR": "1"}
LEFT_BY_SQLITE: Final = ("-wal", "-shm")


@dataclass(frozen=True)
class Attack:
    """A command, and how the notebook is made on which it is killed."""

    name: str
    args: Sequence[str]
    make: Callable[[Path], None]
    #: Whether the next run learns again what the killed one was about to record.
    learns_again: bool = True


@dataclass
class Whole:
    """A notebook before the command and after a run that nobody disturbed."""

    attack: Attack
    before: Path
    after: Path
    seconds: float
    changes: int
    notes: dict[str, set[bytes]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


def attacks(web: Web, place: Path) -> list[Attack]:
    """All of them. `place` is where their sources may be laid."""
    source, added = place / "source", web.url(3, "text/Added")
    write_source(source)

    def synced(root: Path) -> None:
        write_notebook(root, web)
        kb(root, "sync")

    def changed(root: Path) -> None:
        synced(root)
        write_notes(root / "notes", web, generation=2)
        (root / "notes/n7.md").unlink()
        os.rename(root / "notes/n6.md", root / "notes/renamed.md")
        shutil.copy(root / "notes/n5.md", root / "notes/copied.md")

    def checked(root: Path) -> None:
        synced(root)
        kb(root, "check-links", "--all")

    return [
        Attack("sync", ["sync"], changed),
        Attack("add-link", ["add-link", added, "--note", "n3"], synced, learns_again=False),
        Attack("check-links", ["check-links", "--all"], synced),
        Attack("enrich", ["enrich"], synced),
        Attack("repair", ["repair", "--apply"], checked),
        Attack("import", ["import", str(source)], synced),
    ]


def kb(root: Path, *args: str) -> Done:
    """A command that must end by itself, and without a traceback."""
    done = run(args, root, environ=_ENVIRON)
    if done.status not in (0, 1) or "Traceback" in done.text:
        raise AssertionError(f"kb {' '.join(args)} left with {done.status}:\n{done.text}")
    return done


def undisturbed(attack: Attack, place: Path) -> Whole:
    """What the command makes of the notebook when nobody kills it."""
    before, after = place / f"{attack.name}-before", place / f"{attack.name}-after"
    attack.make(before)
    shutil.copytree(before, after)
    done = kb(after, *attack.args)
    whole = Whole(attack, before, after, done.seconds, done.changes)
    for root in (before, after):
        for path, data in _notes(root).items():
            whole.notes.setdefault(path, set()).add(data)
    kb(after, "sync")
    whole.names = _names(after)
    return whole


def kill(whole: Whole, root: Path, chance: random.Random) -> str:
    """Kill the command once on a copy, and check what it left. Says at what moment; AssertionError."""
    shutil.copytree(whole.before, root)
    if chance.random() < 0.5:
        at = chance.randint(1, max(whole.changes, 1))
        moment = f"change {at} of {whole.changes}"
        done = run(whole.attack.args, root, at=at, environ=_ENVIRON)
    else:
        after = chance.uniform(0.002, whole.seconds * 1.02)
        moment = f"{after * 1000:.1f} of {whole.seconds * 1000:.0f} ms"
        done = run(whole.attack.args, root, after=after, environ=_ENVIRON)
    where = f"{whole.attack.name} killed at {moment} (status {done.status})"
    try:
        _check_left(whole, root)
        _age(root)
        again = kb(root, *whole.attack.args)
        kb(root, "sync")
        _check_end(whole, root, again)
    except (AssertionError, sqlite3.Error, OSError) as error:
        raise AssertionError(f"{where}: {error}") from error
    return where


def _check_left(whole: Whole, root: Path) -> None:
    """What a kill leaves: whole notes, a sound store, a ledger that can be read."""
    for path, data in _notes(root).items():
        assert data in whole.notes.get(path, ()), f"{path} is neither old nor new: {data[:200]!r}"
    missing = [path for path in _notes(whole.before) if not (root / "notes" / path).exists()]
    assert not missing, f"notes are gone: {missing}"
    _check_store(root)
    for name in ("links.jsonl", "links.private.jsonl"):
        ledger.read(root / name)
    for name in saved.listing(root / "saved"):
        assert saved.read(root / "saved" / name) is not None, f"saved/{name} is cut short"


def _check_store(root: Path) -> None:
    path = root / ".kb/kb.sqlite3"
    if path.exists():
        with closing(sqlite3.connect(path)) as store:
            found = store.execute("PRAGMA integrity_check").fetchall()
            assert found == [("ok",)], f"integrity_check: {found[:3]}"
            assert not store.execute("PRAGMA foreign_key_check").fetchall(), "foreign_key_check"


def _check_end(whole: Whole, root: Path, again: Done) -> None:
    """The next run completes: the same notes as undisturbed, and no file that is too many."""
    assert _notes(root) == _notes(whole.after), f"the next run did not complete it:\n{again.text}"
    _check_store(root)
    if whole.attack.learns_again:
        one, other = (set(ledger.read(place / "links.jsonl")) for place in (root, whole.after))
        assert one == other, f"the ledger differs by {one ^ other}"
        assert set(saved.listing(root / "saved")) == set(saved.listing(whole.after / "saved")), (
            "saved/ differs"
        )
    more = _names(root) - whole.names
    assert not more, f"left for good: {sorted(more)}"


def _notes(root: Path) -> dict[str, bytes]:
    notes = root / "notes"
    return {
        path.relative_to(notes).as_posix(): path.read_bytes()
        for path in notes.rglob("*")
        if path.is_file() and not is_temporary(path.name)
    }


def _names(root: Path) -> set[str]:
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    return {name for name in found if not name.endswith(LEFT_BY_SQLITE) and name != ".kb/notes.lock"}


def _age(root: Path) -> None:
    """Let an hour pass for what was left half-written."""
    for path in root.rglob(".kb-*"):
        then = time.time() - 3600
        os.utime(path, (then, then))


def main() -> int:
    """Kill each command so many times; 1 if anything was not whole."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", help="this command alone")
    chosen = options.parse_args()
    preload()
    gc.freeze()
    faults = 0
    with tempfile.TemporaryDirectory() as name, Web() as web:
        place = Path(name)
        os.environ["XDG_CONFIG_HOME"] = str(place / "no-config")
        for attack in attacks(web, place):
            if chosen.only not in (None, attack.name):
                continue
            began, chance = time.monotonic(), random.Random(f"{chosen.seed} {attack.name}")
            whole, caught, killed = undisturbed(attack, place), 0, 0
            for number in range(chosen.rounds):
                root = place / f"{attack.name}-{number}"
                try:
                    killed += "status -9" in kill(whole, root, chance)
                except AssertionError as error:
                    caught += 1
                    print(error, file=sys.stderr)
                shutil.rmtree(root)
            faults += caught
            told = f"{chosen.rounds} runs, {killed} killed before their end, {caught} not whole"
            print(f"{attack.name:12} {told}, {time.monotonic() - began:.0f} s", flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
