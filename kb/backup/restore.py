"""The way back from a backup: unpacked and proved beside its place, then moved there.

What comes out of the file is a stranger's until it is proved: only plain files of names that a backup
could have, of the sizes and digests that were promised, reach the disk, and no file that stands there
is lost on the way. It lands by a rename: killed, it leaves nothing that is half a notebook where there
was no folder.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from kb.backup.form import MANIFEST, VERSION, Member, copied, may_stand, plain_mode
from kb.config import CONFIG_NAME
from kb.errors import UsageError
from kb.temporary import beside, dress, left_in
from kb.values import dataclass

_OTHER = "use another backup"
_MANIFEST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore wrote, or would: new files, files replaced, files that stood there alike."""

    root: str
    made: str
    written: tuple[str, ...]
    replaced: tuple[str, ...]
    same: tuple[str, ...]


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


def _unpack(file: Any, staging: Path) -> tuple[str, list[Member]]:
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
                found = copied(stream, out) if stream else ""
            if found != digest:
                raise UsageError(f"{path!r} in it is damaged")
            mode = plain_mode(info.mode) & ~umask
            target.chmod(mode)
            os.utime(target, (int(info.mtime), int(info.mtime)))
            members.append(Member(path, size, digest, mode, int(info.mtime)))
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
    bad = next((path for path in promised if not may_stand(path)), None)
    if bad is not None or CONFIG_NAME not in promised:
        raise UsageError(f"holds no {CONFIG_NAME}" if bad is None else f"holds {bad!r}, which no backup does")
    return made, promised


def _plan(members: Sequence[Member], root: Path, made: str) -> Restored:
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
        return copied(file, None)


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
