"""What a killed process left half-written is cleared away; what a living one writes is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kb import temporary
from kb.knowledge import KnowledgeBase
from tests.notebook import write_notebook


@pytest.fixture(scope="module")
def dead() -> int:
    """The number of a process that is gone."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def left(folder: Path, pid: int, *, age: float = 3600.0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".kb-{pid}-0123456789abcdef.tmp"
    path.write_text("half a no")
    then = path.stat().st_mtime - age
    os.utime(path, (then, then))
    return path


def test_what_a_dead_process_left_is_cleared(tmp_path: Path, dead: int) -> None:
    path = left(tmp_path, dead)
    assert temporary.clear_folders([tmp_path, tmp_path / "missing"]) == 1
    assert not path.exists()


def test_what_a_living_process_writes_stays(tmp_path: Path) -> None:
    path = left(tmp_path, os.getpid())
    assert temporary.clear_folders([tmp_path]) == 0
    assert path.exists()


def test_what_may_be_of_another_machine_stays_for_a_while(tmp_path: Path, dead: int) -> None:
    path = left(tmp_path, dead, age=5)
    assert temporary.clear_folders([tmp_path]) == 0
    assert path.exists()


def test_files_of_other_names_are_never_cleared(tmp_path: Path, dead: int) -> None:
    for name in (".kb-notes.tmp", f"kb-{dead}-0123456789abcdef.tmp", f".kb-{dead}-short.tmp", "note.md"):
        (tmp_path / name).write_text("mine")
        os.utime(tmp_path / name, (0, 0))
    assert temporary.clear_folders([tmp_path]) == 0
    assert len(list(tmp_path.iterdir())) == 4


def test_a_name_is_of_the_same_folder_and_tells_its_writer() -> None:
    path = Path(temporary.beside("/a/b/note.md"))
    assert path.parent == Path("/a/b")
    assert temporary.is_temporary(path.name)
    assert f"-{os.getpid()}-" in path.name


def test_a_file_takes_its_place_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(TypeError), temporary.replacing(tmp_path / "a") as file:
        file.writelines([b"half of", "what was wanted"])  # type: ignore[list-item]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old"}
    with temporary.replacing(tmp_path / "a", mode=0o600, durable=True) as file:
        file.write(b"new")
        [beside] = set(tmp_path.iterdir()) - {tmp_path / "a"}
        assert beside.stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "a").read_bytes() == b"old"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"new"}
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_written_is_told_by_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", tmp_path / "none" / "a"):
        with pytest.raises(OSError) as told, temporary.replacing(path):
            pass
        assert told.value.filename == str(path)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_sync_clears_what_was_left_anywhere_in_the_notebook(tmp_path: Path, dead: int) -> None:
    root = write_notebook(tmp_path / "n", {"a/b.md": "* one\n"})
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
    folders = [root, root / "notes", root / "notes/a", root / ".kb", root / "saved", root / "saved.private"]
    files = [left(folder, dead) for folder in folders]
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
    assert [file for file in files if file.exists()] == []
