"""Kills: every command that writes, at moments chosen by a seed; then everything must be whole.

python -m torture.crash --kills 200 --seed 1
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
    #: What more must hold of what is left: the notebook, that as it was before, that as it becomes.
    holds: Callable[[Path, Path, Path], None] = lambda root, before, after: None


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

    def backed_up(root: Path) -> None:
        checked(root)
        kb(root, "backup", "b.tar.gz")

    def fuller(root: Path) -> None:
        """A folder in which some of it stands, and stands otherwise."""
        backed_up(root)
        shutil.copytree(root / "notes", root / "there/notes")
        for number in (1, 2, 3):
            (root / f"there/notes/n{number}.md").write_text("other words\n" * 500)
        (root / "there/notes/n4.md").unlink()

    return [
        Attack("sync", ["sync"], changed),
        Attack("add-link", ["add-link", added, "--note", "n3"], synced, learns_again=False),
        Attack("check-links", ["check-links", "--all"], synced),
        Attack("enrich", ["enrich"], synced),
        Attack("repair", ["repair", "--apply"], checked),
        Attack("import", ["import", str(source)], synced),
        Attack("backup", ["backup", "b.tar.gz", "--force"], synced, holds=_backup_is_whole),
        Attack("restore", ["restore", "b.tar.gz", "new"], backed_up, holds=_whole_or_absent),
        Attack("restore-into", ["restore", "b.tar.gz", "there", "--force"], fuller, holds=_old_or_new),
    ]


def _backup_is_whole(root: Path, before: Path, after: Path) -> None:
    if (root / "b.tar.gz").exists():
        kb(root, "restore", "b.tar.gz", "unpacked", "--dry-run")


def _whole_or_absent(root: Path, before: Path, after: Path) -> None:
    assert not (root / "new").exists() or _tree(root / "new") == _tree(after / "new"), "half a notebook"


def _old_or_new(root: Path, before: Path, after: Path) -> None:
    old, new, left = (_tree(place / "there") for place in (before, after, root))
    for path, data in left.items():
        assert data in (old.get(path), new.get(path)), f"{path} is neither old nor new: {data[:200]!r}"
    assert old.keys() <= left.keys(), f"files are gone: {old.keys() - left.keys()}"
    assert "kb.toml" in old or "kb.toml" not in left or left == new, "a notebook before all of it came"


def _tree(root: Path) -> dict[str, bytes]:
    """Every file but what is being written."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not any(map(is_temporary, path.relative_to(root).parts))
    }


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
        whole.attack.holds(root, whole.before, whole.after)
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
    whole.attack.holds(root, whole.before, whole.after)
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
    options.add_argument("--kills", type=int, default=200, help="of each command")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", help="these commands alone, commas between them")
    chosen = options.parse_args()
    preload()
    gc.freeze()
    faults = 0
    with tempfile.TemporaryDirectory() as name, Web() as web:
        place = Path(name)
        os.environ["XDG_CONFIG_HOME"] = str(place / "no-config")
        for attack in attacks(web, place):
            if chosen.only and attack.name not in chosen.only.split(","):
                continue
            began, chance = time.monotonic(), random.Random(f"{chosen.seed} {attack.name}")
            whole, runs, caught, killed = undisturbed(attack, place), 0, 0, 0
            while killed < chosen.kills and runs < 3 * chosen.kills + 10:
                root, runs = place / f"{attack.name}-{runs}", runs + 1
                try:
                    moment = kill(whole, root, chance)
                except AssertionError as error:
                    moment, caught = str(error), caught + 1
                    print(error, file=sys.stderr)
                killed += "(status -9)" in moment
                shutil.rmtree(root)
            faults += caught + (killed < chosen.kills)
            told = f"{runs} runs, {killed} killed before their end, {caught} not whole"
            print(f"{attack.name:12} {told}, {time.monotonic() - began:.0f} s", flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
