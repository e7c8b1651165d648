from __future__ import annotations

import os
import stat
import struct
from pathlib import Path

import pytest

from kb.errors import NoteChanged, NoteExists, NoteUnwritable, UnknownNote
from kb.model import Severity
from kb.notes import files
from kb.notes import walk as walks
from tests.ordinary import as_an_ordinary_user

# Files of other owners and groups are made by root alone; continuous integration runs as root.
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="chown to another owner needs root")


def put(root: Path, path: str, text: str = "x\n") -> Path:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    return target


def paths(root: Path) -> list[str]:
    return [found.path for found in walks.walk(root).found]


def said(root: Path) -> dict[str, str]:
    return {problem.path: problem.message for problem in walks.walk(root).problems}


class TestWalk:
    def test_finds_markdown_in_order_with_size_and_time(self, tmp_path: Path) -> None:
        for path in ("b.md", "a/c.markdown", "a/D.MD", "a/e.txt"):
            put(tmp_path, path)
        os.utime(tmp_path / "b.md", ns=(1, 12345))
        assert paths(tmp_path) == ["a/D.MD", "a/c.markdown", "b.md"]
        assert walks.walk(tmp_path).found[2] == walks.Found("b.md", 2, 12345)

    def test_a_time_beyond_all_reckoning_is_as_late_as_can_be_stored(self, tmp_path: Path) -> None:
        target = put(tmp_path, "a.md")
        os.utime(target, (12e9, 12e9))  # the year 2350
        if target.stat().st_mtime < 12e9:
            pytest.skip("this disk knows no such time")
        assert walks.walk(tmp_path).found[0].mtime_ns == 2**63 - 1
        assert walks.glance(tmp_path) is None

    def test_passes_over_folders_that_hold_no_notes(self, tmp_path: Path) -> None:
        for path in (".git/a.md", ".obsidian/a.md", "node_modules/a.md", ".venv/a.md", "site/a.md"):
            put(tmp_path, path)
        put(tmp_path, "web/site/a.md")
        put(tmp_path, "site/sitemap.xml")  # as MkDocs builds one
        assert paths(tmp_path) == ["web/site/a.md"]
        assert said(tmp_path) == {}

    def test_a_folder_called_site_that_nothing_built_is_read(self, tmp_path: Path) -> None:
        put(tmp_path, "site/a.md")
        assert paths(tmp_path) == ["site/a.md"]

    def test_the_notes_of_a_folder_that_cannot_be_read_are_not_taken_for_gone(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(tmp_path, "shut/a.md")
        real = os.scandir

        def scandir(folder: str) -> object:
            if str(folder).endswith("shut"):
                raise PermissionError(13, "Permission denied")
            return real(folder)

        monkeypatch.setattr("kb.notes.walk.os.scandir", scandir)
        walked = walks.walk(tmp_path)
        assert walked.unread == ("shut",)
        assert [problem.severity for problem in walked.problems] == [Severity.ERROR]

    def test_says_what_it_passes_over(self, tmp_path: Path) -> None:
        root, outside = tmp_path / "notes", put(tmp_path, "secret.md")
        put(root, "a/ok.md")
        os.mkfifo(root / "pipe.md")
        (root / "out.md").symlink_to(outside)
        (root / "outdir").symlink_to(tmp_path)
        (root / "gone.md").symlink_to(root / "nothing.md")
        (root / "a" / "loop").symlink_to(root)
        (root / "self.md").symlink_to(root / "self.md")
        assert paths(root) == ["a/ok.md"]
        assert set(said(root)) == {"pipe.md", "out.md", "outdir", "gone.md", "a/loop", "self.md"}

    def test_follows_a_link_inside_and_reads_each_file_once(self, tmp_path: Path) -> None:
        put(tmp_path, "a.md")
        put(tmp_path, ".store/b.md")
        put(tmp_path, ".folder/c.md")
        (tmp_path / "again.md").symlink_to(tmp_path / "a.md")
        (tmp_path / "b.md").symlink_to(tmp_path / ".store" / "b.md")
        (tmp_path / "folder").symlink_to(tmp_path / ".folder")
        assert paths(tmp_path) == ["a.md", "b.md", "folder/c.md"]
        assert said(tmp_path) == {}

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
    def test_says_which_folder_cannot_be_read(self, tmp_path: Path) -> None:
        put(tmp_path, "a/b.md")
        (tmp_path / "a").chmod(0)
        assert "permission" in said(tmp_path)["a"]

    def test_a_name_that_is_not_utf_8_is_said(self, tmp_path: Path) -> None:
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md"))).write_text("x")
        assert paths(tmp_path) == []
        assert "rename" in walks.walk(tmp_path).problems[0].hint

    def test_a_file_too_large_to_be_a_note_is_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(walks, "MAX_BYTES", 1024)
        put(tmp_path, "big.md", "x" * 1025)
        assert paths(tmp_path) == []
        assert "MiB" in said(tmp_path)["big.md"]


class TestRead:
    def test_gives_the_bytes(self, tmp_path: Path) -> None:
        put(tmp_path, "a/b.md", "hi")
        assert files.read(tmp_path, "a/b.md") == b"hi"

    @pytest.mark.parametrize(
        "path", ["none.md", "../secret.md", "/etc/passwd", "out.md", "pipe.md", "a.md/b.md", ".", "a\0b.md"]
    )
    def test_gives_nothing_that_is_no_note_of_the_folder(self, tmp_path: Path, path: str) -> None:
        root = tmp_path / "notes"
        put(root, "a.md")
        put(tmp_path, "secret.md")
        (root / "out.md").symlink_to(tmp_path / "secret.md")
        os.mkfifo(root / "pipe.md")
        with pytest.raises(UnknownNote):
            files.read(root, path)


class TestWriteAtomic:
    def test_replaces_the_bytes_and_keeps_the_mode(self, tmp_path: Path) -> None:
        target = put(tmp_path, "a.md", "old")
        target.chmod(0o640)
        files.write_atomic(target, b"new", expected=b"old")
        assert target.read_bytes() == b"new"
        assert stat.S_IMODE(target.stat().st_mode) == 0o640
        assert os.listdir(tmp_path) == ["a.md"]

    def test_makes_a_new_note_and_its_folders(self, tmp_path: Path) -> None:
        target = tmp_path / "2023" / "a.md"
        files.write_atomic(target, b"new", expected=None, root=tmp_path)
        assert target.read_bytes() == b"new"
        umask = os.umask(0)
        os.umask(umask)
        assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask

    def test_refuses_when_the_file_changed_or_went(self, tmp_path: Path) -> None:
        target = put(tmp_path, "a.md", "other")
        with pytest.raises(NoteChanged):
            files.write_atomic(target, b"new", expected=b"older")
        assert target.read_bytes() == b"other"
        target.unlink()
        with pytest.raises(NoteChanged):
            files.write_atomic(target, b"new", expected=b"other")
        assert os.listdir(tmp_path) == []

    def test_refuses_to_make_what_is_there(self, tmp_path: Path) -> None:
        target = put(tmp_path, "a.md", "old")
        with pytest.raises(NoteExists):
            files.write_atomic(target, b"new", expected=None)
        assert target.read_bytes() == b"old"
        assert os.listdir(tmp_path) == ["a.md"]

    def test_writes_the_target_of_a_link_inside(self, tmp_path: Path) -> None:
        real = put(tmp_path, "real/a.md", "old")
        link = tmp_path / "a.md"
        link.symlink_to(real)
        files.write_atomic(link, b"new", expected=b"old", root=tmp_path)
        assert link.is_symlink()
        assert real.read_bytes() == b"new"

    def test_leaves_what_lies_outside_alone(self, tmp_path: Path) -> None:
        root, outside = tmp_path / "notes", put(tmp_path, "secret.md", "old")
        root.mkdir()
        (root / "a.md").symlink_to(outside)
        (root / "dir").symlink_to(tmp_path)
        for target, expected in ((root / "a.md", b"old"), (root / "dir" / "new.md", None)):
            with pytest.raises(NoteUnwritable):
                files.write_atomic(target, b"new", expected=expected, root=root)
        assert outside.read_text() == "old"
        assert not (tmp_path / "new.md").exists()

    def test_leaves_a_read_only_note_alone(self, tmp_path: Path) -> None:
        target = put(tmp_path, "a.md", "old")
        target.chmod(0o444)
        with pytest.raises(NoteUnwritable, match="read-only"):
            files.write_atomic(target, b"new", expected=b"old")
        assert target.read_bytes() == b"old"

    @AS_ROOT
    def test_keeps_owner_group_and_the_bit_that_hands_on_the_group(self, tmp_path: Path) -> None:
        target = put(tmp_path, "a.md", "old")
        os.chown(target, 1234, 4321)
        target.chmod(0o2664)
        files.write_atomic(target, b"new", expected=b"old")
        status = target.stat()
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 4321, 0o2664)

    @AS_ROOT
    def test_a_group_that_cannot_be_kept_leaves_its_rights_to_no_other(self, open_folder: Path) -> None:
        open_folder.chmod(0o777)
        target = put(open_folder, "a.md", "old")
        os.chown(target, 65534, 4321)
        target.chmod(0o660)

        def written() -> bool:
            files.write_atomic(target, b"new", expected=b"old")
            return stat.S_IMODE(target.stat().st_mode) == 0o600

        assert as_an_ordinary_user(written) == 0

    def test_keeps_extended_attributes(self, tmp_path: Path) -> None:
        target = put(tmp_path, "a.md", "old")
        try:
            os.setxattr(target, "user.colour", b"red")
        except (AttributeError, OSError):
            pytest.skip("no extended attributes here")
        files.write_atomic(target, b"new", expected=b"old")
        assert os.getxattr(target, "user.colour") == b"red"

    def test_keeps_the_access_list_and_takes_none_of_the_folder(self, tmp_path: Path) -> None:
        acl = b"".join(  # user::rw- user:1234:r-- group::r-- mask::r-- other::---
            struct.pack("<HHI", *entry)
            for entry in (
                (1, 6, 2**32 - 1),
                (2, 4, 1234),
                (4, 4, 2**32 - 1),
                (16, 4, 2**32 - 1),
                (32, 0, 2**32 - 1),
            )
        )
        name, version = "system.posix_acl_access", struct.pack("<I", 2)
        listed, plain = put(tmp_path, "a.md", "old"), put(tmp_path, "b.md", "old")
        try:
            os.setxattr(listed, name, version + acl)
            os.setxattr(tmp_path, "system.posix_acl_default", version + acl)
        except (AttributeError, OSError):
            pytest.skip("no access lists here")
        mode = plain.stat().st_mode
        for target in (listed, plain):
            files.write_atomic(target, b"new", expected=b"old")
        assert os.getxattr(listed, name) == version + acl
        assert name not in os.listxattr(plain)
        assert plain.stat().st_mode == mode

    def test_another_name_of_the_same_file_keeps_what_it_holds(self, tmp_path: Path) -> None:
        target = put(tmp_path, "a.md", "old")
        os.link(target, tmp_path / "snapshot.md")
        files.write_atomic(target, b"new", expected=b"old")
        assert (target.read_bytes(), (tmp_path / "snapshot.md").read_bytes()) == (b"new", b"old")

    @AS_ROOT
    def test_what_one_may_not_write_is_not_replaced_either(self, open_folder: Path) -> None:
        open_folder.chmod(0o777)
        target = put(open_folder, "a.md", "old")
        target.chmod(0o644)

        def refused() -> bool:
            try:
                files.write_atomic(target, b"new", expected=b"old")
            except NoteUnwritable as error:
                return "read-only" in str(error)
            return False

        assert as_an_ordinary_user(refused) == 0
        assert target.read_bytes() == b"old"

    def test_leaves_nothing_behind_when_the_disk_fails(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        target = put(tmp_path, "a.md", "old")

        def fail(*args: object) -> None:
            raise OSError(28, "No space left on device")

        for module, function in ((files, "exchange"), (os, "replace"), (os, "fsync")):
            with monkeypatch.context() as patch:
                patch.setattr(files, "exchange", lambda *_: False)
                patch.setattr(module, function, fail)
                with pytest.raises(NoteUnwritable, match="no space"):
                    files.write_atomic(target, b"new", expected=b"old")
            assert target.read_bytes() == b"old"
            assert os.listdir(tmp_path) == ["a.md"]

    def test_the_same_bytes_are_not_written_again(self, tmp_path: Path) -> None:
        target = put(tmp_path, "a.md", "old")
        before = target.stat().st_mtime_ns, target.stat().st_ino
        files.write_atomic(target, b"old", expected=b"old")
        assert (target.stat().st_mtime_ns, target.stat().st_ino) == before
