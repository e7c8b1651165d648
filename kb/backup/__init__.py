"""One file with all of a notebook that cannot be made again; `restore` is the way back from it.

The file is a gzipped tar that any `tar` unpacks: first `kb-backup.json`, which names every other
member with its size and digest, then those, in order. Equal notebooks give equal bytes but for
the instant. It lands by a rename: killed, this leaves nothing that is half a backup.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import IO, Any

from kb.backup.form import MANIFEST, VERSION, Member, copied, may_stand, plain_mode
from kb.config import CONFIG_NAME, Settings
from kb.errors import UsageError
from kb.notes.walk import SKIPPED_FOLDERS
from kb.temporary import clear_folders, replacing
from kb.values import dataclass

#: Beside the notes folder: what the person wrote, and what was seen on the web.
_FILES = (
    CONFIG_NAME, "mkdocs.yml", ".gitignore", ".gitattributes", "links.jsonl", "links.private.jsonl",
)  # fmt: skip
_FOLDERS = ("saved", "saved.private", "templates", ".templates", "site-pages")


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup holds: how many files and bytes; `left` are links that lead out of the notebook."""

    path: str
    files: int
    size: int
    left: tuple[str, ...] = ()


def backup(settings: Settings, target: Path, now: str, *, force: bool = False) -> BackedUp:
    """Write notes, settings, ledger and saved pages to `target`, whole or not at all.

    UsageError where a file stands there already (unless `force`), or a file of the notebook
    cannot be read or changes meanwhile. The file is for its owner alone: private notes are in it.
    """
    if target.exists() and not force:
        raise UsageError(f"{target}: stands there already", hint="name another file, or add --force")
    if not target.parent.is_dir():
        raise UsageError(f"{target.parent}: there is no such folder", hint=f"mkdir -p {target.parent}")
    members: list[Member] = []
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
    try:
        with replacing(target, mode=0o600, durable=True) as file:
            _write(file, settings.root, members, now)
    except OSError as error:
        if error.filename != str(target):
            raise
        raise UsageError(f"{target}: cannot be written ({error.strerror})") from None
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
                if may_stand(path) and (root / path).resolve() != other:
                    found.add(path)
    yield from sorted(found)


def _made(folder: Path) -> bool:
    """Whether a folder beside the notes was built, or is a virtual environment."""
    return (folder / "sitemap.xml").exists() or (folder / "pyvenv.cfg").exists()


def _add(root: Path, path: str, members: list[Member], left: list[str]) -> None:
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
        digest = copied(file, None)
    mode = plain_mode(status.st_mode)
    members.append(Member(path, status.st_size, digest, mode, max(int(status.st_mtime), 0)))


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


def _write(file: Any, root: Path, members: Sequence[Member], now: str) -> None:
    head = {"v": VERSION, "made": now, "files": [[m.path, m.size, m.digest] for m in members]}
    with (
        gzip.GzipFile("", "wb", 6, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        text = json.dumps(head, ensure_ascii=False, indent=0).encode()
        tar.addfile(_info(Member(MANIFEST, len(text), "", 0o644, 0)), io.BytesIO(text))
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


def _info(member: Member) -> tarfile.TarInfo:
    info = tarfile.TarInfo(member.path)
    info.size, info.mode, info.mtime = member.size, member.mode, member.mtime
    return info
