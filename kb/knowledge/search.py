"""Questions put to an open notebook: search, and what is near in meaning."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, Generic, TypeVar

from kb.errors import StoreError
from kb.knowledge.notebook import Notebook, Progress
from kb.values import replace

if TYPE_CHECKING:
    from kb.find import Found
    from kb.model.search import Filter

T = TypeVar("T")

#: What a search may wait for: about a second of reading, and one of embedding.
REFRESH_NOTES = 500
REFRESH_PASSAGES = 100
#: Seconds for which a search waits for another kb that is writing, before it does without.
REFRESH_WAIT = 0.5


class _Ahead(Generic[T]):
    """A value that another thread makes; concurrent.futures would cost 5 ms of import."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: list[T] = []
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._made.append(self._make())
        except BaseException as error:  # raised again where it is waited for
            self._error = error

    def result(self) -> T:
        """Wait for it. Whatever its making raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._made[0]


class Search(Notebook):
    """The part of the KnowledgeBase that finds passages."""

    def search(
        self,
        query: str,
        *,
        narrow: Filter | None = None,
        mode: str = "hybrid",
        limit: int = 10,
        progress: Progress | None = None,
    ) -> Found:
        """The passages that answer `query`, best first, at most `limit`.

        Changed notes are read first where that is quick, and `notices` say what is left undone.
        `mode` is hybrid, keyword or semantic. UsageError for a query that asks nothing;
        ModelError where only meaning is asked for and the model cannot be used.
        """
        # The query is embedded while notes are scanned and modules read: half of it is waiting.
        ahead = None if mode == "keyword" else _Ahead(lambda: self.models.prepared(query))
        from kb.find import find

        notices = self._refresh(progress, embed=mode != "keyword")
        found = find(
            self.store,
            query,
            filter=self._narrow(narrow),
            mode=mode,
            limit=limit,
            semantic=ahead.result if ahead is not None else None,
        )
        return replace(found, notices=(*notices, *found.notices))

    def related(self, place: str, *, limit: int = 10, progress: Progress | None = None) -> Found:
        """The passages nearest in meaning to `PATH` or `PATH:LINE`, at most `limit`.

        UnknownNote for a path that is no note; ModelError where nothing is embedded.
        """
        from kb.find import related

        notices = self._refresh(progress, embed=True)
        semantic = self.models.semantic()
        note, line = self._spot(place)
        found = related(self.store, semantic, note, line or None, limit=limit)
        return replace(found, notices=(*notices, *found.notices))

    def _refresh(self, progress: Progress | None, *, embed: bool) -> list[str]:
        """Read changed notes and embed new passages, as far as a search may wait for it."""
        from kb import fresh

        try:
            freshness = fresh.look(self.store, self.settings)
            if not freshness.current:
                many = len(freshness.changed) > REFRESH_NOTES and self.store.file_stats()
                changed = fresh.surely_changed(self.store, freshness) if many else 0
                if changed > REFRESH_NOTES:
                    return [f"{changed} notes changed since the last kb sync; not read yet"]
                report = self._read_notes(progress=progress, wait=REFRESH_WAIT)
            else:
                report = fresh.report(self.store, self.settings, freshness)
            if embed and 0 < report.pending <= REFRESH_PASSAGES:
                report = self._embed(report, progress, fetch=False, wait=REFRESH_WAIT)
        except StoreError as error:
            return [f"{error}; searching what was read before"]
        if embed and report.pending and not report.notice:
            return [f"{report.pending} passages are not embedded yet and are found by words alone; kb sync"]
        return []
