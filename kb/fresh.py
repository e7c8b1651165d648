"""Whether the store still says what the files say: a scan, and no more.

Asked before every search, so it imports neither the parser nor the model; `sync` acts on it.
"""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from kb import __version__
from kb.config import CONFIG_NAME, Settings
from kb.errors import NotebookNotFound
from kb.model.reports import Problem, Severity, SyncReport
from kb.notes.walk import Found, Walk, glance, walk
from kb.places import meetings
from kb.store.signature import signature
from kb.store.store import Store
from kb.values import dataclass

# A file changed again within the tick of its file system's clock keeps its mtime. FAT ticks
# every two seconds; a note whose mtime lies so near to the scan is read again by the next one.
_TICK_NS = 2_000_000_000

#: Stands for the mtime of such a note. No file has it.
UNSETTLED = -1


@dataclass(frozen=True, slots=True)
class Freshness:
    """What a scan of the notes found against the store. Paths are in order.

    `walk` is empty where a glance told that all is as it was; `glance` is that of this scan.
    `store_version` tells whether another process has written to the store since.
    """

    walk: Walk
    changed: tuple[Found, ...]
    gone: tuple[str, ...]
    unchanged: int
    rules_changed: bool
    ledger_changed: bool
    saved_changed: bool
    scanned_ns: int
    glance: str | None = None
    store_version: int = 0

    @property
    def current(self) -> bool:
        """Whether a sync would find nothing to do but embed."""
        return not (
            self.changed or self.gone or self.rules_changed or self.ledger_changed or self.saved_changed
        )


def look(store: Store, settings: Settings, *, rehash: bool = False) -> Freshness:
    """Scan the notes folder and the ledger's stamps. `rehash` takes every file for changed."""
    scanned, version = time.time_ns(), store.version()
    if not settings.notes.is_dir() and store.stamps():
        # Taken for an empty folder, it would cost the store every note that it holds.
        raise NotebookNotFound(
            f"{settings.notes}: the folder of the notes is gone",
            hint=f"bring it back, or name another: [notebook] notes in {settings.root / CONFIG_NAME}",
        )
    rules_changed = store.setting("rules") != rules(settings)
    everything = rehash or rules_changed
    # Before the walk: what changes between the two is then found by the next scan.
    seen = glance(settings.notes)
    same = seen is not None and not everything and store.setting("glance") == seen
    found, changed, gone = _SAME if same else _walked(store, settings, everything=everything)
    unchanged = int(seen.split()[0]) if seen and same else len(found.found) - len(changed)
    return Freshness(
        walk=found,
        changed=changed,
        gone=gone,
        unchanged=unchanged,
        rules_changed=rules_changed,
        ledger_changed=store.setting("ledger") != ledger_signature(settings),
        saved_changed=(store.setting("saved") or "- -") != saved_signature(settings),
        scanned_ns=scanned,
        glance=seen,
        store_version=version,
    )


_Walked = tuple[Walk, tuple[Found, ...], tuple[str, ...]]
_SAME: _Walked = (Walk((), ()), (), ())


def _walked(store: Store, settings: Settings, *, everything: bool) -> _Walked:
    """The walk, with the files to read and the paths that are gone."""
    found = walk(settings.notes)
    if not everything and store.setting("scan") == fingerprint(found.found):
        return found, (), ()
    changed, gone = compare(found.found, store.file_stats(), everything=everything)
    return found, changed, tuple(path for path in gone if not _within(path, found.unread))


def compare(
    found: Sequence[Found], stats: Mapping[str, tuple[int, int]], *, everything: bool = False
) -> tuple[tuple[Found, ...], tuple[str, ...]]:
    """The files to read (new ones, and those of another size or mtime), and the paths that are gone."""
    get = stats.get
    changed = [one for one in found if everything or get(one[0]) != one[1:]]
    gone = stats.keys() - {one[0] for one in found}
    return tuple(changed), tuple(sorted(gone))


def surely_changed(store: Store, freshness: Freshness) -> int:
    """How many notes must be read anew, those apart that only may have changed.

    A note that was read within the tick of its own last change is read once more, and mostly found
    to be as it was, which takes a tenth of the time.
    """
    if freshness.rules_changed:
        return len(freshness.changed)
    stats = store.file_stats()
    return sum(stats.get(one.path) != (one.size, UNSETTLED) for one in freshness.changed)


def _within(path: str, folders: Sequence[str]) -> bool:
    return any(folder == "." or path.startswith(folder + "/") for folder in folders)


def fingerprint(found: Sequence[Found]) -> str:
    """Stands for all stamps of a scan: if the last sync's was the same, no row need be compared.

    Two checksums of 32 bits and the count. A cryptographic hash would take longer to import than
    the rows to compare.
    """
    paths, sizes, times = zip(*found, strict=True) if found else ((), (), ())
    data = "\0".join(paths).encode() + struct.pack(f"={2 * len(paths)}q", *sizes, *times)
    return f"{len(paths)} {zlib.crc32(data):08x} {zlib.adler32(data):08x}"


def rules(settings: Settings) -> str:
    """What the rows of a note depend on beside its bytes; when it changes, every note is read anew."""
    return f"{__version__} day_first={settings['notes.day_first']}"


def ledger_signature(settings: Settings) -> str:
    """Tells whether a ledger file changed since it was read."""
    return signature((settings.ledger, settings.private_ledger))


def saved_signature(settings: Settings) -> str:
    """Tells whether a saved page came, went or changed, or is to be kept otherwise; `- -` for none."""
    if not settings["enrich.keep_text"]:
        return "- -"
    # Whatever happens to a file in a folder, a replacement too, touches the folder.
    found = " ".join(map(_touched, (settings.saved, settings.private_saved)))
    return found + (" embedded" if settings["enrich.embed_text"] and found != "- -" else "")


def _touched(folder: Path) -> str:
    try:
        return str(folder.stat().st_mtime_ns)
    except OSError:
        return "-"


def settled_mtime(found: Found, scanned_ns: int) -> int:
    """The mtime to remember: `UNSETTLED` if the file could change again without a new one."""
    return UNSETTLED if abs(scanned_ns - found.mtime_ns) < _TICK_NS else found.mtime_ns


def pending(store: Store, settings: Settings, identity: str | None = None) -> int:
    """How many passages lack a vector: all of them if the file of vectors is gone.

    With the identity of a model, all of them too if it was another that embedded them.
    """
    passages, _, lacking = store.counts()
    model, name = store.setting("model"), store.setting("vectors")
    if model is None or name is None or not (settings.derived / name).exists():
        return passages
    return passages if identity is not None and model.rpartition("@")[0] != identity else lacking


def report(store: Store, settings: Settings, freshness: Freshness) -> SyncReport:
    """What a sync that has nothing to do says."""
    passages, links, _ = store.counts()
    return SyncReport(
        unchanged=freshness.unchanged,
        passages=passages,
        links=links,
        pending=pending(store, settings),
        problems=(*store.problems(), *freshness.walk.problems, *met(freshness)),
    )


def met(freshness: Freshness) -> Iterator[Problem]:
    """Notes that would stand at one address of the site."""
    return same_address(one.path for one in freshness.walk.found)


def same_address(paths: Iterable[str]) -> Iterator[Problem]:
    """The same of any notes, by their paths."""
    for path, kept in meetings(paths):
        yield Problem(
            path,
            0,
            Severity.WARNING,
            f"would have the same address on the site as {kept}, and is given another",
            "rename one of the two",
        )
