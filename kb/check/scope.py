"""The links that a run speaks of, read from the store as they are asked for."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import overload

from kb.model.kinds import Standing
from kb.model.links import Key, LinkRecord, Verdict
from kb.store.rows import chunks
from kb.store.store import Store
from kb.web.ignore import with_ignored

_TOGETHER = 500


def is_bad(link: LinkRecord) -> bool:
    """Whether a link is broken or dead, and not ignored."""
    return link.standing is Standing.DEAD or (
        link.standing is Standing.SUSPECT and link.looks.verdict is Verdict.BROKEN
    )


class Scope(Sequence[LinkRecord]):
    """Links by the store's ids, those that a pattern ignores ignored; `looked` are those of the run."""

    def __init__(
        self, store: Store, ids: array[int], ignore: Sequence[str], looked: Mapping[Key, LinkRecord]
    ) -> None:
        self._store, self._ids, self._ignore, self._looked = store, ids, ignore, looked

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, at: int) -> LinkRecord: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[LinkRecord]: ...
    def __getitem__(self, at: int | slice) -> LinkRecord | Sequence[LinkRecord]:
        if isinstance(at, slice):
            return Scope(self._store, self._ids[at], self._ignore, self._looked)
        return next(self._these([self._ids[at]]))

    def __iter__(self) -> Iterator[LinkRecord]:
        return self._these(self._ids)

    def told(self, ids: Mapping[Key, int]) -> tuple[LinkRecord, ...]:
        """Those to be told of: bad, not found alive in this run, or of another title or text than before.

        `ids` are those of the links that were looked at.
        """
        seen = {key for key, link in self._looked.items() if link.looks.verdict not in (None, Verdict.ALIVE)}
        wanted = self._store.notable() | {ids[key] for key in seen}
        return tuple(
            link
            for link in self._these([id for id in self._ids if id in wanted])
            if is_bad(link) or link.key in seen or (link.facts.drifted and not link.person.ignored)
        )

    def _these(self, ids: Sequence[int]) -> Iterator[LinkRecord]:
        for part in chunks(ids, _TOGETHER):
            for link in with_ignored(self._store.records(part), self._ignore):
                yield self._looked.get(link.key, link)
