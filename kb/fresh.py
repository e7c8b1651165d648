"""Whether the store still says what the files say: a scan, and no more.

Asked before every search, so it imports neither the parser nor the model; `sync` acts on it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb import __version__
from kb.config import Settings
from kb.model import SyncReport
from kb.notes.files import Found, Walk, walk
from kb.store.signature import signature
from kb.store.store import Store

# A file changed again within the tick of its file system's clock keeps its mtime. FAT ticks
# every two seconds; a note whose mtime lies so near to the scan is read again by the next one.
_TICK_NS = 2_000_000_000

#: Stands for the mtime of such a note. No file has it.
UNSETTLED = -1


@dataclass(frozen=True, slots=True)
class Freshness:
    """What a scan of the notes found against the store. Paths are in order."""

    walk: Walk
    changed: tuple[Found, ...]
    gone: tuple[str, ...]
    unchanged: int
    rules_changed: bool
    ledger_changed: bool
    scanned_ns: int

    @property
    def current(self) -> bool:
        """Whether a sync would find nothing to do but embed."""
        return not (self.changed or self.gone or self.rules_changed or self.ledger_changed)


def look(store: Store, settings: Settings, *, rehash: bool = False) -> Freshness:
    """Scan the notes folder and the ledger's stamps. `rehash` takes every file for changed."""
    scanned = time.time_ns()
    found = walk(settings.notes)
    rules_changed = store.setting("rules") != rules(settings)
    changed, gone = compare(found.found, store.file_stats(), everything=rehash or rules_changed)
    return Freshness(
        walk=found,
        changed=changed,
        gone=gone,
        unchanged=len(found.found) - len(changed),
        rules_changed=rules_changed,
        ledger_changed=store.setting("ledger") != ledger_signature(settings),
        scanned_ns=scanned,
    )


def compare(
    found: Sequence[Found], stats: Mapping[str, tuple[int, int]], *, everything: bool = False
) -> tuple[tuple[Found, ...], tuple[str, ...]]:
    """The files to read (new ones, and those of another size or mtime), and the paths that are gone."""
    get = stats.get
    changed = [one for one in found if everything or get(one[0]) != one[1:]]
    gone = stats.keys() - {one[0] for one in found}
    return tuple(changed), tuple(sorted(gone))


def rules(settings: Settings) -> str:
    """What the rows of a note depend on beside its bytes; when it changes, every note is read anew."""
    return f"{__version__} day_first={settings['notes.day_first']}"


def ledger_signature(settings: Settings) -> str:
    """Tells whether a ledger file changed since it was read."""
    return signature((settings.ledger, settings.private_ledger))


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
        problems=(*store.problems(), *freshness.walk.problems),
    )
