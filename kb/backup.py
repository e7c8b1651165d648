"""One file with all of a notebook that cannot be made again, and the way back from it.

The file is a gzipped tar that any `tar` unpacks: first `kb-backup.json`, which names every other
member with its size and digest, then those, in order. Equal notebooks give equal bytes but for
the instant. What comes out of it is a stranger's until it is proved: only plain files of names
that a backup could have, of the sizes and digests that were promised, reach the disk, and no
file that stands there is lost on the way. Both land by a rename: killed, they leave nothing that
is half a backup or, where there was no folder, half a notebook.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import IO, Any

from kb.config import CONFIG_NAME, Settings
from kb.errors import UsageError
from kb.notes.walk import SKIPPED_FOLDERS
from kb.temporary import beside, clear_folders, dress, left_in
from kb.values import dataclass

MANIFEST = "kb-backup.json"
VERSION = 1
_OTHER = "use another backup"
_MANIFEST_BYTES = 64 * 1024 * 1024
#: Beside the notes folder: what the person wrote, and what was seen on the web.
_FILES = (
    CONFIG_NAME, "mkdocs.yml", ".gitignore", ".gitattributes", "links.jsonl", "links.private.jsonl",
)  # fmt: skip
_FOLDERS = ("saved", "saved.private", "templates", ".templates", "site-pages")
_DOTTED = frozenset({".gitignore", ".gitattributes", ".templates", ".gitkeep"})


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup holds: how many files and bytes; `left` are links that lead out of the notebook."""

    path: str
    files: int
    size: int
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore wrote, or would: new files, files replaced, files that stood there alike."""

    root: str
    made: str
    written: tuple[str, ...]
    replaced: tuple[str, ...]
    same: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Member:
    path: str
    size: int
    digest: str
    mode: int
    mtime: int


# -- backup ----------------------------------------------------------------------------------------


def backup(settings: Settings, target: Path, now: str, *, force: bool = False) -> BackedUp:
    """Write notes, settings, ledger and saved pages to `target`, whole or not at all.

    UsageError where a file stands there already (unless `force`), or a file of the notebook
    cannot be read or changes meanwhile. The file is for its owner alone: private notes are in it.
    """
    if target.exists() and not force:
        raise UsageError(f"{target}: stands there already", hint="name another file, or add --force")
    if not target.parent.is_dir():
        raise UsageError(f"{target.parent}: there is no such folder", hint=f"mkdir -p {target.parent}")
    members: list[_Member] = []
    left: list[str] = []
    for path in canonical(settings, target):
        try:
            _add(settings.root, path, members, left)
        except OSError as error:
            raise UsageError(
                f"{path}: cannot be read ({error.strerror}); no backup was written",
                hint="mend that, or move it",
            ) from None
    size = sum(member.size for member in members)
    clear_folders([target.parent])
    temporary = beside(target)
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UsageError(f"{target}: cannot be written ({error.strerror})") from None
    try:
        with open(handle, "wb") as file:
            _write(file, settings.root, members, now)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    return BackedUp(str(target), len(members), size, tuple(left))


def canonical(settings: Settings, besides: Path | None = None) -> Iterator[str]:
    """Every file that a backup holds, relative to the notebook, in order."""
    root, other = settings.root, besides.resolve() if besides else None
    found: set[str] = {name for name in _FILES if (root / name).is_file()}
    notes = PurePosixPath(str(settings["notebook.notes"]))
    for folder in {str(notes), *_FOLDERS}:
        for here, folders, files in os.walk(root / folder):
            files += [name for name in folders if (Path(here) / name).is_symlink()]  # to be told as left out
            top = Path(here) == root
            folders[:] = [
                name
                for name in folders
                if not (name.startswith(".") or name in SKIPPED_FOLDERS or (top and _made(root / name)))
            ]
            for name in files:
                path = (Path(here) / name).relative_to(root).as_posix()
                if _may_stand(path) and (root / path).resolve() != other:
                    found.add(path)
    yield from sorted(found)


def _made(folder: Path) -> bool:
    """Whether a folder beside the notes was built, or is a virtual environment."""
    return (folder / "sitemap.xml").exists() or (folder / "pyvenv.cfg").exists()


def _may_stand(path: str) -> bool:
    """Whether a backup may hold a file of this name: nothing hidden, nothing outside, nothing derived."""
    parts = path.split("/")
    return all(
        part not in ("", "..") and part not in SKIPPED_FOLDERS and (part[0] != "." or part in _DOTTED)
        for part in parts
    ) and not any(ord(char) < 32 or ord(char) == 127 or char == "\\" for char in path)


def _add(root: Path, path: str, members: list[_Member], left: list[str]) -> None:
    real = (root / path).resolve()
    if not real.is_relative_to(root.resolve()) or not real.is_file():
        left.append(path)
        return
    try:
        path.encode()
    except UnicodeEncodeError:
        left.append(path.encode("utf-8", "backslashreplace").decode())
        return
    with real.open("rb") as file:
        status = os.fstat(file.fileno())
        digest = _copied(file, None)
    mode = _mode(status.st_mode)
    members.append(_Member(path, status.st_size, digest, mode, max(int(status.st_mtime), 0)))


def _mode(mode: int) -> int:
    """What a backup tells of a file's mode: who may read and run it, and that its owner may write it."""
    return mode & 0o755 | 0o600


def _copied(source: IO[bytes], target: IO[bytes] | None) -> str:
    """The digest of what is left to read, which goes to `target` on the way. No file is held in memory."""
    hashed = blake2b(digest_size=16)
    while block := source.read(1024 * 1024):
        hashed.update(block)
        if target is not None:
            target.write(block)
    return hashed.hexdigest()


class _Hashing:
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.hashed = blake2b(digest_size=16)

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        block = self._file.read(size)
        self.hashed.update(block)
        return block


def _write(file: Any, root: Path, members: Sequence[_Member], now: str) -> None:
    head = {"v": VERSION, "made": now, "files": [[m.path, m.size, m.digest] for m in members]}
    with (
        gzip.GzipFile("", "wb", 6, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        text = json.dumps(head, ensure_ascii=False, indent=0).encode()
        tar.addfile(_info(_Member(MANIFEST, len(text), "", 0o644, 0)), io.BytesIO(text))
        for member in members:
            with (root / member.path).open("rb") as content:
                read = _Hashing(content)
                try:
                    tar.addfile(_info(member), read)
                except OSError as error:
                    if error.errno is not None:  # tarfile's own, where the file has become too short
                        raise
                if read.hashed.hexdigest() != member.digest or content.read(1):
                    raise UsageError(
                        f"{member.path}: changed while it was read; no backup was written",
                        hint="run it again",
                    )


def _info(member: _Member) -> tarfile.TarInfo:
    info = tarfile.TarInfo(member.path)
    info.size, info.mode, info.mtime = member.size, member.mode, member.mtime
    return info


# -- restore ---------------------------------------------------------------------------------------


def restore(source: Path, root: Path, *, force: bool = False, dry_run: bool = False) -> Restored:
    """Bring back the notebook that `source` holds, in the folder `root`: all of it or nothing.

    Files that stand there with other bytes are replaced with `force` alone; files that the
    backup does not hold stay. UsageError for what is no backup, is damaged, or would reach
    beyond `root`; nothing is written then. Killed while it fills a folder that was there, it leaves
    each file old or new, and is completed by running it again.
    """
    try:
        file = source.open("rb")
    except OSError as error:
        raise UsageError(f"{source}: cannot be read ({error.strerror})") from None
    with file:
        try:
            parent = _existing(root)
            with _staging(parent) as staging:
                try:
                    made, members = _unpack(file, staging / "new")
                except UsageError as error:
                    raise UsageError(
                        f"{source}: {error}; nothing was written", hint=error.hint or _OTHER
                    ) from None
                plan = _plan(members, root, made)
                if plan.replaced and not force:
                    raise UsageError(
                        f"{root}: {_told(plan.replaced)} with other bytes there; nothing was written",
                        hint="name an empty folder, or add --force to replace them",
                    )
                if not dry_run:
                    _place(plan, staging, root)
                return plan
        except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UsageError(
                f"{source}: is no backup, or is damaged ({error}); nothing was written",
                hint="kb backup FILE   writes one",
            ) from None


def _existing(root: Path) -> Path:
    """The nearest folder that is there: what is unpacked lies on the disk on which it is to lie."""
    folder = root if root.exists() else root.parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        raise UsageError(f"{folder}: is no folder", hint="name a folder to restore to")
    return folder


@contextmanager
def _staging(parent: Path) -> Iterator[Path]:
    """A folder of its own for what is not in its place yet; those of killed runs are cleared away."""
    for left in left_in(parent):
        shutil.rmtree(left, ignore_errors=True)
    staging = Path(beside(parent / "restored"))
    staging.mkdir(0o700)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _unpack(file: Any, staging: Path) -> tuple[str, list[_Member]]:
    """Every member into the folder `staging`, proved against the manifest; when it was made, and what."""
    staging.mkdir()
    umask = os.umask(0)
    os.umask(umask)
    with tarfile.open(fileobj=file, mode="r|gz") as tar:
        made, promised = _manifest(tar)
        free = shutil.disk_usage(staging).free
        if sum(size for size, _ in promised.values()) > free:
            raise UsageError("there is not room enough for it on the disk", hint="make room there")
        members = []
        while (info := tar.next()) is not None:
            path = info.name
            if path not in promised or not info.isreg() or info.size != promised[path][0]:
                raise UsageError(
                    f"{path!r} in it is not what its manifest promises",
                    hint="it was altered: use another backup",
                )
            size, digest = promised.pop(path)
            target = staging / path
            target.parent.mkdir(parents=True, exist_ok=True)
            stream = tar.extractfile(info)
            with target.open("xb") as out:  # a name that this disk takes for another's fails here
                found = _copied(stream, out) if stream else ""
            if found != digest:
                raise UsageError(f"{path!r} in it is damaged")
            mode = _mode(info.mode) & ~umask
            target.chmod(mode)
            os.utime(target, (int(info.mtime), int(info.mtime)))
            members.append(_Member(path, size, digest, mode, int(info.mtime)))
    if promised:
        raise UsageError(f"{next(iter(promised))!r} is missing from it")
    return made, members


def _manifest(tar: tarfile.TarFile) -> tuple[str, dict[str, tuple[int, str]]]:
    """When a backup was made, and the (size, digest) of each member. UsageError if it is none of ours."""
    info = tar.next()
    stream = tar.extractfile(info) if info and info.name == MANIFEST and info.isreg() else None
    if info is None or stream is None or info.size > _MANIFEST_BYTES:
        raise UsageError("is no backup of kb: it does not begin with a manifest")
    try:
        head = json.loads(stream.read())
        version, made, files = head["v"], head["made"], head["files"]
        if version != VERSION:
            raise UsageError(f"was written by another kb (format {version})", hint="update kb")
        promised = {path: (size, digest) for path, size, digest in files}
        sound = isinstance(made, str) and all(
            isinstance(path, str) and isinstance(size, int) and size >= 0 and isinstance(digest, str)
            for path, (size, digest) in promised.items()
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        sound = False
    if not sound:
        raise UsageError("its manifest cannot be read")
    bad = next((path for path in promised if not _may_stand(path)), None)
    if bad is not None or CONFIG_NAME not in promised:
        raise UsageError(f"holds no {CONFIG_NAME}" if bad is None else f"holds {bad!r}, which no backup does")
    return made, promised


def _plan(members: Sequence[_Member], root: Path, made: str) -> Restored:
    written, replaced, same = [], [], []
    inside = root.resolve()
    for member in members:
        target = root / member.path
        if not target.parent.resolve().is_relative_to(inside):
            raise UsageError(
                f"{target.parent}: leads out of {root}; nothing was written", hint="remove that link"
            )
        if not os.path.lexists(target):
            written.append(member.path)
        elif target.is_symlink() or not target.is_file():
            raise UsageError(f"{target}: is no plain file; nothing was written", hint="move it away")
        elif target.stat().st_size == member.size and _digest_of(target) == member.digest:
            same.append(member.path)
        else:
            replaced.append(member.path)
        for above in PurePosixPath(member.path).parents:
            if (root / above).exists() and not (root / above).is_dir():
                raise UsageError(f"{root / above}: is no folder; nothing was written", hint="move it away")
    return Restored(str(root), made, tuple(written), tuple(replaced), tuple(same))


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return _copied(file, None)


def _place(plan: Restored, staging: Path, root: Path) -> None:
    """Move every file to its place; if one cannot be, put everything back as it was.

    Where there is no folder yet, it comes whole. Else kb.toml comes last: without it, what a killed
    run leaves in an empty folder is no notebook.
    """
    old = staging / "old"
    done: list[str] = []
    try:
        if not os.path.lexists(root):
            root.parent.mkdir(parents=True, exist_ok=True)
            os.rename(staging / "new", root)
            return
        for path in sorted((*plan.written, *plan.replaced), key=lambda path: path == CONFIG_NAME):
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if path in plan.replaced:
                kept = old / path
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(target, kept)
                dress(staging / "new" / path, target)
            done.append(path)
            os.replace(staging / "new" / path, target)
    except BaseException as error:
        for path in done:
            if (old / path).exists():
                os.replace(old / path, root / path)
            else:
                (root / path).unlink(missing_ok=True)
        if isinstance(error, OSError):
            where = error.filename2 or error.filename
            raise UsageError(f"{where}: cannot be written ({error.strerror}); all is as it was") from None
        raise


def _told(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - 1} more stand" if len(paths) > 1 else " stands"
    return f"{paths[0]}{more}"
