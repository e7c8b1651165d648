"""A backup holds all that cannot be made again, and comes back byte for byte, or not at all."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import tarfile
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from kb import config
from kb.backup import backup
from kb.backup.form import MANIFEST
from kb.backup.restore import restore
from kb.errors import UsageError
from tests.commands import runner

NOW = "2026-11-24T12:00:00Z"


@pytest.fixture
def full(notebook: Path) -> Path:
    """A notebook with a file of every kind that a backup holds, and some that it does not."""
    for path, data in {
        "links.jsonl": b'{"v":1}\n',
        "links.private.jsonl": b"{}\n",
        "saved/page-1.txt.gz": b"\x1f\x8b\x00",
        "saved.private/page-2.txt.gz": b"\x00",
        "templates/paper.md": b"# {title}\r\n",
        "mkdocs.yml": b"site_name: x\n",
        ".gitignore": b".kb/\n",
        "notes/caf\u00e9/\u65e5\u672c.md": b"\xef\xbb\xbf* bytes \xff as they are\r\n",
        "notes/figure.png": os.urandom(300_000),
        "notes/empty.md": b"",
        ".kb/kb.sqlite3": b"derived",
        "site/index.html": b"built",
        "notes/.obsidian/app.json": b"{}",
        "README.md": b"beside the notes",
    }.items():
        (notebook / path).parent.mkdir(parents=True, exist_ok=True)
        (notebook / path).write_bytes(data)
    (notebook / "notes" / "run.sh").write_text("#!/bin/sh\n")
    (notebook / "notes" / "run.sh").chmod(0o755)
    return notebook


def contents(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def made(root: Path, to: Path) -> Path:
    backup(config.load(root), to, NOW)
    return to


def test_a_round_trip_is_equal_byte_for_byte(full: Path, tmp_path: Path) -> None:
    file = made(full, tmp_path / "b.tar.gz")
    done = restore(file, tmp_path / "new")
    back = contents(tmp_path / "new")
    left_out = {".kb/kb.sqlite3", "site/index.html", "notes/.obsidian/app.json", "README.md"}
    assert back == {path: data for path, data in contents(full).items() if path not in left_out}
    assert set(done.written) == set(back)
    assert (tmp_path / "new" / "notes" / "run.sh").stat().st_mode & 0o111
    assert made(tmp_path / "new", tmp_path / "again.tar.gz").read_bytes() == file.read_bytes()


def test_any_tar_can_read_a_backup_and_only_its_owner(full: Path, tmp_path: Path) -> None:
    file = made(full, tmp_path / "b.tar.gz")
    with tarfile.open(file) as tar:
        names = tar.getnames()
    assert names[0] == MANIFEST
    assert names[1:] == sorted(names[1:])
    assert file.stat().st_mode & 0o077 == 0


def test_an_adopted_folder_is_backed_up_without_what_was_built_in_it(tmp_path: Path) -> None:
    root = tmp_path / "vault"
    for path in ("a.md", "deep/b.md", "deep/c.pdf", "site/index.html", "site/sitemap.xml", ".git/HEAD",
                 "node_modules/x.md", "venv/pyvenv.cfg", "venv/x.md"):  # fmt: skip
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    (root / "kb.toml").write_text('[notebook]\nnotes = "."\n')
    target = root / "backup.tar.gz"  # in the folder itself: it does not hold itself
    made(root, target)
    restore(target, tmp_path / "new")
    assert set(contents(tmp_path / "new")) == {"a.md", "deep/b.md", "deep/c.pdf", "kb.toml"}


def test_a_link_out_of_the_notebook_is_left_out_and_told(full: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not yours")
    (full / "notes" / "out.md").symlink_to(tmp_path / "secret")
    (full / "notes" / "folder").symlink_to(tmp_path)
    (full / "notes" / "in.md").symlink_to(full / "notes" / "glossary.md")
    done = backup(config.load(full), tmp_path / "b.tar.gz", NOW)
    assert set(done.left) == {"notes/out.md", "notes/folder"}
    restore(tmp_path / "b.tar.gz", tmp_path / "new")
    assert (tmp_path / "new" / "notes" / "in.md").read_bytes() == (
        full / "notes" / "glossary.md"
    ).read_bytes()
    assert not (tmp_path / "new" / "notes" / "out.md").exists()


def test_a_file_that_stands_there_is_replaced_with_force_alone(full: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.tar.gz"
    target.write_text("mine")
    with pytest.raises(UsageError, match="stands there"):
        made(full, target)
    assert target.read_text() == "mine"
    backup(config.load(full), target, NOW, force=True)
    with pytest.raises(UsageError, match="no such folder"):
        made(full, tmp_path / "nowhere" / "b.tar.gz")
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".kb-")] == []


def test_restore_replaces_nothing_without_force_and_keeps_what_else_is_there(
    full: Path, tmp_path: Path
) -> None:
    file = made(full, tmp_path / "b.tar.gz")
    before = contents(full)
    (full / "notes" / "glossary.md").write_text("changed since\n")
    (full / "notes" / "newer.md").write_text("newer\n")
    (full / "links.jsonl").unlink()
    with pytest.raises(UsageError, match=r"glossary\.md stands with other bytes") as caught:
        restore(file, full)
    assert "--force" in caught.value.hint
    assert not (full / "links.jsonl").exists()
    done = restore(file, full, force=True)
    assert done.replaced == ("notes/glossary.md",)
    assert done.written == ("links.jsonl",)
    assert contents(full) == {**before, "notes/newer.md": b"newer\n"}


def test_a_dry_run_writes_nothing(full: Path, tmp_path: Path) -> None:
    file = made(full, tmp_path / "b.tar.gz")
    assert restore(file, tmp_path / "new", dry_run=True).written
    assert not (tmp_path / "new").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.tar.gz", "notebook"]


# -- what comes from a stranger ------------------------------------------------------------------


def digest(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()


def forged(path: Path, members: list[tuple[Any, bytes]], promised: list[list[Any]] | None = None) -> Path:
    """A tar with these members after a manifest that promises them."""
    if promised is None:
        promised = [[getattr(m, "name", m), len(d), digest(d)] for m, d in members]
    head = json.dumps({"v": 1, "made": NOW, "files": promised}).encode()
    with tarfile.open(path, "w:gz") as tar:
        for member, data in [(MANIFEST, head), *members]:
            info = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(member)
            if info.isreg():
                info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "name",
    ["../out.md", "/etc/out.md", "notes/../../out.md", ".git/hooks/post-checkout", ".kb/kb.sqlite3",
     "notes//x", "notes/a\nb.md", "notes\\..\\x.md", "", ".", "notes/\x1b[2J.md", "node_modules/x.md"],
)  # fmt: skip
def test_a_name_that_no_backup_has_is_refused(name: str, tmp_path: Path) -> None:
    file = forged(tmp_path / "b.tar.gz", [("kb.toml", b""), (name, b"owned")])
    with pytest.raises(UsageError, match="nothing was written"):
        restore(file, tmp_path / "new")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.tar.gz"]


@pytest.mark.parametrize(
    "member",
    [
        special("notes/x.md", tarfile.SYMTYPE, "/etc/passwd"),
        special("notes/x.md", tarfile.LNKTYPE, "kb.toml"),
        special("notes/x.md", tarfile.CHRTYPE),
        special("notes/x.md", tarfile.FIFOTYPE),
        special("notes/x.md", tarfile.DIRTYPE),
    ],
    ids=["symlink", "hardlink", "device", "fifo", "folder"],
)
def test_what_is_no_plain_file_is_refused(member: tarfile.TarInfo, tmp_path: Path) -> None:
    file = forged(tmp_path / "b.tar.gz", [("kb.toml", b""), (member, b"")])
    with pytest.raises(UsageError, match="nothing was written"):
        restore(file, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("members", "promised"),
    [
        ([("kb.toml", b"x"), ("notes/a.md", b"y")], [["kb.toml", 1, "0" * 32], ["notes/a.md", 1, "0" * 32]]),
        ([("kb.toml", b"x")], [["kb.toml", 2, "0" * 32]]),
        ([("kb.toml", b"x")], [["kb.toml", "1", 3]]),
        ([("kb.toml", b"x")], []),
        ([("kb.toml", b"x")], [["kb.toml", 2**62, "0" * 32]]),
    ],
)
def test_bytes_that_were_not_promised_are_refused(
    members: list[tuple[Any, bytes]], promised: list[list[Any]], tmp_path: Path
) -> None:
    with pytest.raises(UsageError):
        restore(forged(tmp_path / "b.tar.gz", members, promised), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_member_that_comes_twice_or_not_at_all_is_refused(tmp_path: Path) -> None:
    twice = forged(tmp_path / "a.tar.gz", [("kb.toml", b""), ("notes/a.md", b"1"), ("notes/a.md", b"1")])
    with pytest.raises(UsageError):
        restore(twice, tmp_path / "new")
    promised = [["kb.toml", 0, digest(b"")], ["notes/a.md", 0, digest(b"")]]
    real = forged(tmp_path / "b.tar.gz", [("kb.toml", b"")], promised)
    with pytest.raises(UsageError, match="missing"):
        restore(real, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_damaged_or_foreign_file_is_refused(full: Path, tmp_path: Path) -> None:
    data = made(full, tmp_path / "b.tar.gz").read_bytes()
    for name, wrong in {
        "cut": data[: len(data) // 2],
        "flipped": data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :],
        "empty": b"",
        "text": b"notes, not a tar",
        "gzip": gzip.compress(b"not a tar" * 100),
    }.items():
        (tmp_path / name).write_bytes(wrong)
        with pytest.raises(UsageError):
            restore(tmp_path / name, tmp_path / "new")
        assert not (tmp_path / "new").exists(), name


def test_a_folder_that_leads_elsewhere_is_not_written_through(full: Path, tmp_path: Path) -> None:
    file = made(full, tmp_path / "b.tar.gz")
    (tmp_path / "new").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "new" / "notes").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="leads out of"):
        restore(file, tmp_path / "new", force=True)
    assert contents(tmp_path / "elsewhere") == {}


def test_a_link_in_the_place_of_a_file_is_not_followed(full: Path, tmp_path: Path) -> None:
    file = made(full, tmp_path / "b.tar.gz")
    (tmp_path / "mine").write_text("mine")
    (full / "notes" / "glossary.md").unlink()
    (full / "notes" / "glossary.md").symlink_to(tmp_path / "mine")
    with pytest.raises(UsageError, match="no plain file"):
        restore(file, full, force=True)
    assert (tmp_path / "mine").read_text() == "mine"


def test_where_one_file_cannot_be_written_all_is_as_it_was(
    full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = made(full, tmp_path / "b.tar.gz")
    (full / "notes" / "glossary.md").write_text("changed since\n")
    (full / "links.jsonl").unlink()
    before, replace = contents(full), os.replace
    moved: list[str] = []

    def fails_late(source: Any, target: Any) -> None:
        if str(target).endswith("glossary.md") and not moved.count("failed"):
            moved.append("failed")
            raise OSError(28, "No space left on device", str(target))
        replace(source, target)

    monkeypatch.setattr("kb.backup.restore.os.replace", fails_late)
    with pytest.raises(UsageError, match="all is as it was"):
        restore(file, full, force=True)
    assert contents(full) == before


def test_the_commands_say_what_was_written_and_what_to_type(
    full: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runner(capsys, monkeypatch, full)
    (full / "kb.toml").write_text("")
    (full / "links.jsonl").unlink()
    (full / "links.private.jsonl").unlink()
    ran = run("backup", "../b.tar.gz", "--json")
    assert ran.status == 0
    assert set(ran.json) == {"path", "files", "bytes", "left"}
    assert run("backup", "../b.tar.gz").status == 2
    monkeypatch.chdir(tmp_path)
    ran = runner(capsys, monkeypatch, tmp_path)("restore", "b.tar.gz", "new")
    assert ran.status == 0
    assert "next: cd new && kb sync" in ran.out
    assert runner(capsys, monkeypatch, tmp_path / "new")("links").status == 0
    ran = runner(capsys, monkeypatch, tmp_path)("restore", "b.tar.gz", "new", "--json")
    assert ran.json["written"] == []
    assert len(ran.json["same"]) > 8


def killed_at(number: int, work: Callable[[], object]) -> bool:
    """Whether a process that does this work was killed, which is at its rename of that number."""
    child = os.fork()
    if child == 0:
        count, rename, replace = 0, os.rename, os.replace

        def until(move: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
            def moved(source: Any, target: Any) -> None:
                nonlocal count
                count += 1
                if count == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                move(source, target)

            return moved

        vars(os)["rename"], vars(os)["replace"] = until(rename), until(replace)
        work()
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_what_is_restored_is_as_open_as_the_umask_says(full: Path, tmp_path: Path) -> None:
    file = made(full, tmp_path / "b.tar.gz")
    (tmp_path / "there").mkdir()
    old = os.umask(0o077)
    try:
        for name in ("new", "there"):
            restore(file, tmp_path / name)
    finally:
        os.umask(old)
    restored = [path for name in ("new", "there") for path in (tmp_path / name).rglob("*")]
    assert len(restored) > 10
    assert [path for path in restored if path.stat().st_mode & 0o077] == []


def test_a_note_that_others_may_not_read_comes_back_so(full: Path, tmp_path: Path) -> None:
    (full / "kb.toml").chmod(0o600)
    restore(made(full, tmp_path / "b.tar.gz"), tmp_path / "new")
    assert (tmp_path / "new/kb.toml").stat().st_mode & 0o777 == 0o600


def test_a_file_that_a_restore_replaces_stays_as_open_as_it_was(full: Path, tmp_path: Path) -> None:
    file = made(full, tmp_path / "b.tar.gz")
    restore(file, tmp_path / "new")
    target = tmp_path / "new/kb.toml"
    target.write_text("# mine alone\n")
    target.chmod(0o600)
    restore(file, tmp_path / "new", force=True)
    assert target.read_bytes() == (full / "kb.toml").read_bytes()
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_killed_restore_leaves_a_whole_notebook_or_none(full: Path, tmp_path: Path) -> None:
    file = made(full, tmp_path / "b.tar.gz")
    restore(file, tmp_path / "whole")
    number = 1
    while killed_at(number, lambda: restore(file, tmp_path / "new")):
        assert not (tmp_path / "new").exists()
        number += 1
    assert number > 1
    assert contents(tmp_path / "new") == contents(tmp_path / "whole")


def test_a_killed_restore_into_a_folder_is_completed_by_the_next(full: Path, tmp_path: Path) -> None:
    file = made(full, tmp_path / "b.tar.gz")
    restore(file, tmp_path / "whole")
    number = 1
    while True:
        new = tmp_path / str(number)
        new.mkdir()
        if not killed_at(number, lambda new=new: restore(file, new)):  # type: ignore[misc]
            break
        assert not (new / "kb.toml").exists()
        [left] = [path for path in new.iterdir() if path.name.startswith(".kb-")]
        os.utime(left, (1, 1))
        restore(file, new)
        assert contents(new) == contents(tmp_path / "whole")
        assert not left.exists()
        number += 1
    assert number > 5


def test_a_killed_backup_leaves_a_whole_file_or_none(full: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.tar.gz"
    assert killed_at(1, lambda: made(full, target))
    assert not target.exists()
    [left] = [path for path in tmp_path.iterdir() if path.name.startswith(".kb-")]
    assert left.stat().st_mode & 0o077 == 0
    os.utime(left, (1, 1))
    restore(made(full, target), tmp_path / "new")
    assert not left.exists()
