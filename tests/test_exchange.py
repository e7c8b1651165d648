"""A note is replaced only if it still is what was read, to the last instant."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kb.errors import NoteChanged
from kb.notes import exchange, files


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "n.md"
    path.write_bytes(b"old\n")
    if not exchange.exchange(str(path), str(path)):
        pytest.skip("this system cannot let two files change places")
    return path


def saved_before_the_exchange(
    monkeypatch: pytest.MonkeyPatch, save: Callable[[], object], again: Callable[[], object] = lambda: None
) -> None:
    """Let `save` happen after the last look and before the exchange, and `again` after it."""
    real = exchange.exchange
    times = 0

    def late(one: str, other: str) -> bool:
        nonlocal times
        times += 1
        if times == 1:
            save()
        done = real(one, other)
        if times == 1:
            again()
        return done

    monkeypatch.setattr(files, "exchange", late)
    monkeypatch.setattr(exchange, "exchange", late)


def renamed(path: Path, data: bytes) -> Callable[[], object]:
    def save() -> None:
        new = path.with_name("editor.swp")
        new.write_bytes(data)
        os.replace(new, path)

    return save


@pytest.mark.parametrize("way", ["in place", "by a rename"])
def test_what_an_editor_saves_in_the_last_instant_is_kept(
    note: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    save = renamed(note, b"theirs\n") if way == "by a rename" else lambda: note.write_bytes(b"theirs\n")
    saved_before_the_exchange(monkeypatch, save)
    with pytest.raises(NoteChanged):
        files.write_atomic(note, b"ours\n", expected=b"old\n")
    assert note.read_bytes() == b"theirs\n"
    assert [path.name for path in note.parent.iterdir()] == ["n.md"]


def test_the_newest_of_two_saves_is_kept(note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved_before_the_exchange(monkeypatch, renamed(note, b"first\n"), renamed(note, b"second\n"))
    with pytest.raises(NoteChanged):
        files.write_atomic(note, b"ours\n", expected=b"old\n")
    assert note.read_bytes() == b"second\n"


@pytest.fixture
def leased(note: Path) -> Path:
    """The note, on a system and a file system that know leases."""
    handle = os.open(note, os.O_RDWR)
    try:
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except (AttributeError, OSError) as error:
        pytest.skip(f"no leases here: {error}")
    finally:
        os.close(handle)
    return note


@pytest.mark.parametrize("reads", [Path.read_bytes, lambda note: files.read(note.parent, note.name)])
def test_who_reads_while_a_note_is_being_replaced_waits_for_what_will_stand(
    leased: Path, monkeypatch: pytest.MonkeyPatch, reads: Callable[[Path], bytes]
) -> None:
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(reads(leased)))

    def begin_to_read() -> None:
        reader.start()
        reader.join(0.1)

    saved_before_the_exchange(monkeypatch, renamed(leased, b"theirs\n"), begin_to_read)
    with pytest.raises(NoteChanged):
        files.write_atomic(leased, b"ours, and longer\n", expected=b"old\n")
    reader.join(10)
    assert read == [b"theirs\n"]
    assert signal.getsignal(signal.SIGURG) == signal.SIG_DFL  # which passes over who waits


def test_who_reads_while_a_note_is_replaced_gets_the_new_text(
    leased: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(leased.read_bytes()))

    def begin_to_read() -> None:
        reader.start()
        reader.join(0.1)

    saved_before_the_exchange(monkeypatch, lambda: None, begin_to_read)
    files.write_atomic(leased, b"ours\n", expected=b"old\n")
    reader.join(10)
    assert read == [b"ours\n"]


def test_a_note_is_replaced_where_no_file_can_be_kept_shut(
    note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("fcntl.F_SETLEASE", raising=False)
    saved_before_the_exchange(monkeypatch, renamed(note, b"theirs\n"))
    with pytest.raises(NoteChanged):
        files.write_atomic(note, b"ours\n", expected=b"old\n")
    assert note.read_bytes() == b"theirs\n"


def test_a_note_that_is_deleted_in_the_last_instant_stays_deleted(
    note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved_before_the_exchange(monkeypatch, note.unlink)
    with pytest.raises(NoteChanged):
        files.write_atomic(note, b"ours\n", expected=b"old\n")
    assert list(note.parent.iterdir()) == []


def test_a_folder_that_takes_the_place_of_a_note_is_put_back(
    note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def folder() -> None:
        note.unlink()
        (note / "kept").mkdir(parents=True)

    saved_before_the_exchange(monkeypatch, folder)
    with pytest.raises(NoteChanged):
        files.write_atomic(note, b"ours\n", expected=b"old\n")
    assert (note / "kept").is_dir()


def test_where_the_system_cannot_exchange_a_rename_does(note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "exchange", lambda *_: False)
    files.write_atomic(note, b"ours\n", expected=b"old\n")
    assert note.read_bytes() == b"ours\n"
