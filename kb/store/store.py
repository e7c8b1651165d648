"""The one door to the store: every statement of SQL that kb runs on it is in this room."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from kb.errors import StoreError
from kb.store import connection as door
from kb.store.links import Links
from kb.store.notes import Notes
from kb.store.pages import Pages
from kb.store.passages import Passages
from kb.store.reading import Reading
from kb.store.words import Words


class Counts(NamedTuple):
    """How many passages, links that a note mentions, and passages without a vector of the model."""

    passages: int
    links: int
    pending: int


class Store(Notes, Passages, Words, Links, Pages, Reading):
    """Notes, saved pages, passages, vectors' map and links in SQLite, through the standard library alone.

    Made by `Store.open`, or by `schema.memory` for a test. A store belongs to one thread.
    """

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open the store at `path`, read-only where it cannot be written.

        It must be of this version: call `schema.ensure` first if `Store.outdated(path)`.
        StoreTooNew if a newer kb made it, StoreError if there is none or it is damaged.
        """
        if door.outdated(path):
            raise StoreError(f"{path}: no store of this version yet", hint="run `kb sync`")
        return cls(door.connect(path))

    @staticmethod
    def outdated(path: Path) -> bool:
        """Whether the store is missing or of an older schema. StoreTooNew if of a newer one."""
        return door.outdated(path)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def counts(self, *, keep: bool = False) -> Counts:
        """How much there is, against the model last synced with (without any, all is pending).

        `keep` remembers it until rows change, so that the next one reads it at once.
        """
        known = self.setting("counts")
        if known is not None:
            return Counts(*map(int, known.split()))
        with self.transaction() if keep else nullcontext():
            passages, model = self.passage_count(), self.setting("model")
            found = Counts(passages, self.link_count(), passages if model is None else self.pending(model))
            if keep:
                self.remember("counts", " ".join(map(str, found)))
        return found
