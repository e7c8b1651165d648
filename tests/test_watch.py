"""kb sync --watch: an edit can be searched at once, whatever way the editor saves it, and without PyTorch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import click
import pytest

from kb import watch
from kb.cli.sync import command, teller
from kb.errors import KbError
from kb.knowledge import KnowledgeBase
from kb.model import Problem, Severity, SyncReport
from kb.store.store import Store

# Far more than it takes: a busy machine is no fault of the code.
PATIENCE = 30.0


@contextmanager
def watching(root: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", "from kb.cli import run; run()", "sync", "--watch"],
        cwd=root, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("watching"):
                break
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def found(root: Path, word: str) -> bool:
    """Whether the store, as the watcher left it, finds the word; nothing here reads the notes."""
    with Store.open(root / ".kb" / "kb.sqlite3") as store:
        return bool(store.keyword(word, limit=1))


def test_every_way_of_saving_is_seen(notebook: Path) -> None:
    note = notebook / "notes" / "new.md"
    with watching(notebook) as process:
        time.sleep(0.3)  # the watcher says so before the system has begun to tell it
        note.write_text("* a walrus\n")
        until(lambda: found(notebook, "walrus"))
        (notebook / "notes" / "new.md~").write_text("* an otter\n")
        os.replace(notebook / "notes" / "new.md~", note)
        until(lambda: found(notebook, "otter") and not found(notebook, "walrus"))
        for number in range(40):
            (notebook / "notes" / f"burst-{number}.md").write_text(f"* burst{number}\n")
        until(lambda: all(found(notebook, f"burst{number}") for number in range(40)))
        note.unlink()
        until(lambda: not found(notebook, "otter"))
        (notebook / "notes").rename(notebook / "away")
        (notebook / "away").rename(notebook / "notes")
        (notebook / "notes" / "after.md").write_text("* a capybara\n")
        until(lambda: found(notebook, "capybara"))
        maps = Path(f"/proc/{process.pid}/maps")
        if maps.exists():
            assert "torch" not in maps.read_text()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        assert "Traceback" not in errors
        assert "stopped" not in errors
        assert "1 new" in errors


def test_what_is_wrong_with_a_note_is_told_when_it_is_saved_and_once(
    notebook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = Problem("old.md", 3, Severity.ERROR, "front matter cannot be read")
    new = Problem("new.md", 3, Severity.ERROR, "front matter cannot be read")
    with KnowledgeBase.open(notebook) as base, click.Context(command):
        tell = teller(base, [old])
        for problems in ((old, new), (old, new), (old,), (old, new)):
            tell(SyncReport(changed=1, problems=problems))
    told = capsys.readouterr().err.splitlines()
    assert [line.rpartition("/")[2] for line in told if "error" in line] == [
        "new.md:3: error: front matter cannot be read"
    ] * 2


def test_a_fault_is_told_once_and_the_next_change_is_tried_anew(notebook: Path) -> None:
    from threading import Event, Thread

    from kb.errors import KbError
    from kb.knowledge import KnowledgeBase
    from kb.model import SyncReport

    told: list[SyncReport | KbError] = []
    stop = Event()

    def watch() -> None:
        with KnowledgeBase.open(notebook) as base:
            base.watch(told.append, embed=False, stop=stop)

    thread = Thread(target=watch)
    (notebook / "links.jsonl").write_text("<<<<<<< ours\n")
    thread.start()
    try:
        time.sleep(0.3)
        number = 0

        def told_fault() -> bool:
            nonlocal number
            number += 1
            (notebook / "notes" / "x.md").write_text(f"* change {number}\n")
            time.sleep(0.2)
            return any(isinstance(one, KbError) for one in told)

        until(told_fault)
        (notebook / "links.jsonl").unlink()
        (notebook / "notes" / "x.md").write_text("* a walrus\n")
        until(lambda: any(isinstance(one, SyncReport) for one in told) and found(notebook, "walrus"))
        assert sum(isinstance(one, KbError) for one in told) == 1
    finally:
        stop.set()
        thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("path", "wanted"),
    [("a.md", True), ("deep/b.MARKDOWN", True), ("folder", True), (".kb-x.tmp", False), ("a.png", False),
     (".git/x.md", False), ("node_modules/x.md", False), ("deep/.a.md.swp", False), ("a.md~", False)],
)  # fmt: skip
def test_only_notes_and_folders_wake_it(path: str, wanted: bool, tmp_path: Path) -> None:
    from watchfiles import Change

    from kb.watch import _of_notes

    assert _of_notes(tmp_path)(Change.modified, str(tmp_path / path)) is wanted


def test_where_the_system_tells_of_fewer_folders_it_is_said_and_changes_are_found_by_looking(
    notebook: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    limit = tmp_path / "limit"
    limit.write_text("2\n")
    monkeypatch.setattr(watch, "LIMITS", (str(limit), "/no/such/file"))
    told: list[str] = []
    stop = Event()

    def hear(change: SyncReport | KbError) -> None:
        told.append(str(change))
        stop.set()

    with KnowledgeBase.open(notebook) as base:
        base.sync(embed=False)
        base.watch(hear, embed=False, stop=stop)
    assert "the system tells of 2: changes are found within 5 s" in told[0]
    limit.write_text("1000\n")
    assert watch.shortfall(notebook / "notes") is None
    monkeypatch.setattr(watch, "LIMITS", ("/no/such/file",))
    assert watch.shortfall(notebook / "notes") is None, "a system without such a limit"
