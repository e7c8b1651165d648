"""Disks that are full or may not be written: no traceback, notes whole, and all well once there is room.

python -m torture.disk --rounds 20 --seed 1
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from torture import crash
from torture.child import Done, preload, run
from torture.crash import Attack, Whole
from torture.scene import Web, write_notebook

#: What must work in a notebook that was synced and may not be written, and what must say that it cannot.
_READING: Final = (
    ["search", "sheep"],
    ["search", "--mode", "keyword", "sheep"],
    ["links"],
    ["glossary"],
    ["related", "n1"],
    ["export", "csv"],
    ["sync"],
)
_WRITING: Final = (
    ["add-link", "http://127.0.0.1:9/none", "--note", "n1"],
    ["check-links", "--all"],
    ["new", "A thought", "--no-edit"],
    ["links", "--ignore", "http://127.0.0.1:9/"],
)


def short_files(whole: Whole, root: Path, chance: random.Random) -> str:
    """No file may grow beyond some size: as a full disk, or a quota, has it."""
    shutil.copytree(whole.before, root)
    size = int(2 ** chance.uniform(4, 17))
    done = run(whole.attack.args, root, before=lambda: _limit(size), environ=crash._ENVIRON)
    return _judge(whole, root, done, f"{whole.attack.name} with files of at most {size} bytes")


def _limit(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def full_disk(whole: Whole, root: Path, chance: random.Random) -> str:
    """A file system of its own with so much room left, and then room again."""
    with _small_disk(root, 4) as disk:
        notebook = disk / "notebook"
        shutil.copytree(whole.before, notebook)
        left = int(2 ** chance.uniform(0, 8))
        with _filled(disk, left * 1024):
            done = run(whole.attack.args, notebook, environ=crash._ENVIRON)
        return _judge(whole, notebook, done, f"{whole.attack.name} with {left} KiB left")


@contextmanager
def _small_disk(root: Path, mebi: int) -> Iterator[Path]:
    root.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebi}m", "tmpfs", str(root)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        yield root
    finally:
        subprocess.run(["umount", str(root)], check=True, capture_output=True)


@contextmanager
def _filled(disk: Path, left: int) -> Iterator[None]:
    ballast = disk / "ballast"
    status = os.statvfs(disk)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(status.f_bavail * status.f_frsize - left, 1))
    try:
        yield
    finally:
        ballast.unlink()


def may_mount() -> bool:
    """Whether this process may have a file system of its own."""
    with tempfile.TemporaryDirectory() as name:
        try:
            with _small_disk(Path(name) / "try", 1):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


def _judge(whole: Whole, root: Path, done: Done, where: str) -> str:
    try:
        assert done.status in (0, 1, 2), f"left with {done.status}:\n{done.text}"
        assert "Traceback" not in done.text, done.text
        crash._check_left(whole, root)
        crash._age(root)
        again = crash.kb(root, *whole.attack.args)
        crash.kb(root, "sync")
        crash._check_end(whole, root, again)
    except (AssertionError, sqlite3.Error, OSError) as error:
        raise AssertionError(f"{where} (status {done.status}): {error}\n{done.text}") from error
    return where


# -- read-only -------------------------------------------------------------------------------------


def read_only(web: Web, place: Path) -> list[str]:
    """What is wrong with a notebook that may be read and not written."""
    root = place / "read-only"
    write_notebook(root, web)
    for path in (root / "notes").iterdir():
        os.utime(path, (1e9, 1e9))  # written just now, they would have to be read again
    fresh = place / "never-synced"
    shutil.copytree(root, fresh)
    crash.kb(root, "sync")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    faults: list[str] = []
    with _shut(root), _shut(fresh):
        for args in _READING:
            done = run(args, root, environ=crash._ENVIRON)
            if done.status != 0 or "Traceback" in done.text:
                faults.append(f"read-only: kb {' '.join(args)} left with {done.status}:\n{done.text}")
        for args, where in [*((one, root) for one in _WRITING), *((one, fresh) for one in _READING)]:
            done = run(args, where, environ=crash._ENVIRON)
            if done.status != 2 or "Traceback" in done.text:
                faults.append(f"{where.name}: kb {' '.join(args)} left with {done.status}:\n{done.text}")
    after = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    if after != before:
        faults.append(f"read-only: changed {[str(p) for p in after if after[p] != before.get(p)]}")
    return faults


@contextmanager
def _shut(root: Path) -> Iterator[None]:
    """Not to be written while the block lasts: root, whom no mode stops, by a mount that is read-only."""
    if os.getuid() == 0:
        subprocess.run(["mount", "--bind", str(root), str(root)], check=True, capture_output=True)
        try:
            subprocess.run(["mount", "-o", "remount,bind,ro", str(root)], check=True, capture_output=True)
            yield
        finally:
            subprocess.run(["umount", str(root)], check=True, capture_output=True)
        return
    everything = [root, *root.rglob("*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        for path in everything:
            path.chmod(0o755 if path.is_dir() else 0o644)


# -- all of it -------------------------------------------------------------------------------------


def main() -> int:
    """Every writing command so many times on each kind of disk; 1 if anything was amiss."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=30)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    preload()
    gc.freeze()
    faults: list[str] = []
    ways: list[Callable[[Whole, Path, random.Random], str]] = [short_files]
    if may_mount():
        ways.append(full_disk)
    else:
        print("no file system of its own may be mounted here: limits on a file's size alone")
    with tempfile.TemporaryDirectory() as name, Web() as web:
        place = Path(name)
        place.chmod(0o755)
        os.environ["XDG_CONFIG_HOME"] = str(place / "no-config")
        for attack in crash.attacks(web, place):
            whole = crash.undisturbed(attack, place)
            for way in ways:
                amiss = _attack(attack, whole, way, place, chosen.rounds, chosen.seed)
                print(
                    f"{attack.name:12} {way.__name__:12} {chosen.rounds} runs, {len(amiss)} amiss", flush=True
                )
                faults += amiss
        if os.getuid() != 0 or may_mount():
            amiss = read_only(web, place)
            print(f"read-only    {len(_READING) * 2 + len(_WRITING)} commands, {len(amiss)} amiss")
            faults += amiss
    print("\n".join(faults), file=sys.stderr)
    return 1 if faults else 0


def _attack(
    attack: Attack,
    whole: Whole,
    way: Callable[[Whole, Path, random.Random], str],
    place: Path,
    rounds: int,
    seed: int,
) -> list[str]:
    chance = random.Random(f"{seed} {attack.name} {way.__name__}")
    amiss = []
    for number in range(rounds):
        root = place / f"{attack.name}-{way.__name__}-{number}"
        try:
            way(whole, root, chance)
        except AssertionError as error:
            amiss.append(str(error))
        shutil.rmtree(root, ignore_errors=True)
    return amiss


if __name__ == "__main__":
    sys.exit(main())
