"""What lies in the notes folder: a walk over all of it, or a glance that tells whether it is as it was."""

from __future__ import annotations

import os
import stat
import zlib
from array import array
from pathlib import Path
from typing import NamedTuple

from kb.model.reports import Problem, Severity
from kb.temporary import is_temporary
from kb.values import dataclass

SUFFIXES = (".md", ".markdown")
SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__"})

# A note is held in memory whole, with its passages; a file beyond this is no note.
MAX_BYTES = 32 * 1024 * 1024

_LATEST_NS = 2**63 - 1


class Found(NamedTuple):
    """A note's file: POSIX path relative to the notes folder, size in bytes, mtime in ns.

    A tuple, since every search makes one of each note and puts them in order.
    """

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk found, in order of path, and what it passed over and why.

    `unread` are folders that could not be read, `.` for the root: their notes are not gone.
    `unfinished` are files in which a note is being written, or was when its writer was killed.
    """

    found: tuple[Found, ...]
    problems: tuple[Problem, ...]
    unread: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()


def walk(root: Path) -> Walk:
    """Every Markdown file under `root`, each real file once.

    Passed over in silence: dot-folders, `node_modules`, a built `site`, `__pycache__`. Passed over and
    said: links that lead outside, in a circle or nowhere; what is no regular file; what cannot
    be read; what is larger than MAX_BYTES.
    """
    walker = _Walker(os.path.realpath(root))
    walker.folder(walker.root, "")
    for path, name in sorted(walker.symlinks):
        walker.symlink(path, name)
    walker.found.sort()
    walker.problems.sort(key=lambda problem: problem.path)
    return Walk(
        tuple(walker.found), tuple(walker.problems), tuple(sorted(walker.unread)), tuple(walker.unfinished)
    )


def glance(root: Path) -> str | None:
    """Stands for the names, sizes and times of all that a walk looks at, in half a walk's time.

    The number of notes, then two checksums of 32 bits: a cryptographic hash would take longer to
    import than there is to gain. None where only a walk can tell: at symbolic links, at folders
    that cannot be read, and at what a killed process may have left.
    """
    paths: list[str] = []
    sizes, times = array("q"), array("q")
    stack = [(os.path.realpath(root), "")]
    try:
        while stack:
            folder, prefix = stack.pop()
            # By its handle, an entry is found without the folder's path being looked up again.
            handle = os.open(folder, os.O_RDONLY)
            try:
                with os.scandir(handle) as entries:
                    for entry in entries:
                        name = entry.name
                        if not name.endswith(".md") or not entry.is_file(follow_symlinks=False):
                            if entry.is_symlink() and (_is_note(name) or entry.is_dir()):
                                return None
                            if entry.is_dir():
                                if not _is_skipped(name, prefix, folder):
                                    stack.append((f"{folder}/{name}", f"{prefix}{name}/"))
                                continue
                            if not _is_note(name):
                                if is_temporary(name):
                                    return None
                                continue
                        status = entry.stat(follow_symlinks=False)
                        paths.append(prefix + name)
                        sizes.append(status.st_size)
                        times.append(status.st_mtime_ns)
            finally:
                os.close(handle)
    except (OSError, TypeError, OverflowError):  # a system that cannot scan by a handle; a time as below
        return None
    data = b"".join(("\0".join(paths).encode("utf-8", "surrogateescape"), sizes.tobytes(), times.tobytes()))
    return f"{len(paths)} {zlib.crc32(data):08x} {zlib.adler32(data):08x}"


def storable(mtime_ns: int) -> int:
    """A file's time in nanoseconds as 64 bits can hold it, which ends in 2262; disks know later times."""
    return max(min(mtime_ns, _LATEST_NS), -_LATEST_NS)


def folders(root: Path) -> list[str]:
    """The folders that a walk looks into, links to folders apart; none where there is no `root`."""
    found = []
    for folder, names, _ in os.walk(root):
        found.append(folder)
        prefix = "" if folder == os.fspath(root) else "below/"
        names[:] = [name for name in names if not _is_skipped(name, prefix, folder)]
    return found


def _is_note(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def _is_skipped(name: str, prefix: str, folder: str) -> bool:
    # What MkDocs has built; any other `site` is the person's.
    built = name == "site" and not prefix and os.path.exists(f"{folder}/site/sitemap.xml")
    return name.startswith(".") or name in SKIPPED_FOLDERS or built


class _Walker:
    def __init__(self, root: str) -> None:
        self.root = root
        self.found: list[Found] = []
        self.problems: list[Problem] = []
        self.symlinks: list[tuple[str, str]] = []
        self.unread: list[str] = []
        self.unfinished: list[str] = []
        self.folders: set[tuple[int, int]] = set()
        self.statuses: list[os.stat_result] = []
        self.files: set[tuple[int, int]] | None = None

    def folder(self, folder: str, prefix: str) -> None:
        stack = [(folder, prefix)]
        while stack:
            folder, prefix = stack.pop()
            try:
                status = os.stat(folder)
                if (status.st_dev, status.st_ino) in self.folders:
                    continue
                self.folders.add((status.st_dev, status.st_ino))
                with os.scandir(folder) as entries:
                    for entry in entries:
                        name = entry.name
                        # What nearly every entry is, in the loop: this is most of a search's scan.
                        if name.endswith(".md") and entry.is_file(follow_symlinks=False):
                            self._plain(prefix + name, entry)
                        else:
                            self._entry(entry, prefix, stack)
            except OSError as error:
                self.unread.append(prefix.rstrip("/") or ".")
                self.problems.append(
                    Problem(
                        prefix.rstrip("/") or ".",
                        0,
                        Severity.ERROR,
                        f"the folder cannot be read: {reason(error)}",
                        "what its notes said before is kept",
                    )
                )

    def _plain(self, path: str, entry: os.DirEntry[str]) -> None:
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError as error:
            self.skip(path, f"cannot be read: {reason(error)}")
            return
        if self.files is None and status.st_size <= MAX_BYTES and path.isascii():
            self.statuses.append(status)
            self.found.append(Found(path, status.st_size, storable(status.st_mtime_ns)))
        else:
            self._file(path, status)

    def _entry(self, entry: os.DirEntry[str], prefix: str, stack: list[tuple[str, str]]) -> None:
        name = entry.name
        path = prefix + name
        note = _is_note(name)
        skipped = _is_skipped(name, prefix, os.path.dirname(entry.path))
        if skipped and is_temporary(name):
            self.unfinished.append(path)
            return
        try:
            if entry.is_symlink():
                if note or (not skipped and os.path.isdir(entry.path)):
                    self.symlinks.append((path, entry.path))
            elif entry.is_dir():
                if not skipped:
                    stack.append((entry.path, path + "/"))
            elif note:
                self._file(path, entry.stat())
        except OSError as error:
            self.skip(path, f"cannot be read: {reason(error)}")

    def _file(self, path: str, status: os.stat_result) -> None:
        mode, size = status.st_mode, status.st_size
        if not stat.S_ISREG(mode):
            self.skip(path, "is no regular file; passed over")
            return
        if not path.isascii() and not _is_unicode(path):
            self.skip(path, "the file's name is not UTF-8; passed over", "rename it")
            return
        if status.st_size > MAX_BYTES:
            self.skip(
                path,
                f"{size / 2**20:.0f} MiB is more than the {MAX_BYTES // 2**20} MiB of a note; passed over",
                "split it, or move it out of the notes folder",
            )
            return
        if self.files is None:
            self.statuses.append(status)  # symbolic links come last, and there are mostly none
        else:
            place = (status.st_dev, status.st_ino)
            if place in self.files and status.st_nlink == 1:
                return
            self.files.add(place)
        self.found.append(Found(path, status.st_size, storable(status.st_mtime_ns)))

    def symlink(self, path: str, full: str) -> None:
        if self.files is None:
            self.files = {(status.st_dev, status.st_ino) for status in self.statuses}
        try:
            target = os.path.realpath(full, strict=True)
            status = os.stat(target)
        except OSError as error:
            self.skip(path, f"the link leads nowhere: {reason(error)}", "delete it, or mend its target")
            return
        if not inside(target, self.root):
            self.skip(path, "the link leads out of the notes folder; passed over")
        elif stat.S_ISDIR(status.st_mode):
            if inside(full, target):
                self.skip(path, "the link leads in a circle; passed over")
            else:
                self.folder(target, path + "/")
        else:
            self._file(path, status)

    def skip(self, path: str, message: str, hint: str = "") -> None:
        shown = path.encode("utf-8", "backslashreplace").decode()
        self.problems.append(Problem(shown, 1, Severity.WARNING, message, hint))


def inside(path: str, folder: str) -> bool:
    """Whether a path is a folder's own or lies below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _is_unicode(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def reason(error: OSError) -> str:
    """What the system says went wrong, in lower case."""
    return (error.strerror or str(error)).lower()
