"""KnowledgeBase: the one place where real adapters are wired. It only delegates to the stages.

Imports inside methods are deferred on purpose: a keyword search must not pay for numpy, nor
`kb links` for httpx. This module and the command loader are the only ones that do so.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Generic, TypeVar

from kb import config
from kb.config import Settings
from kb.errors import ModelError, StoreError, UsageError
from kb.model import Entry, Filter, LinkRecord, NoteKind, Person, Site, SyncReport, Term

if TYPE_CHECKING:
    # Named anew, so that the doors may take the types of what they print from here.
    from kb.add import Added as Added
    from kb.check import CheckReport as CheckReport
    from kb.find import Found as Found
    from kb.init import InitPlan as InitPlan
    from kb.search.choose import Chosen
    from kb.search.encode import Encoder
    from kb.search.semantic import Semantic
    from kb.search.vectors import VectorFile
    from kb.store.store import Store
    from kb.transfer import ImportPlan as ImportPlan
    from kb.transfer import ImportReport as ImportReport

T = TypeVar("T")

#: What a search may wait for: about a second of reading, and one of embedding.
REFRESH_NOTES = 500
REFRESH_PASSAGES = 100

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> str:
        """This instant, ISO 8601 in UTC to the second."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def today(self) -> str:
        """The local date, `YYYY-MM-DD`."""
        return time.strftime("%Y-%m-%d")


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


class KnowledgeBase:
    """A notebook, open. Use it as a context manager, or close it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()

    @classmethod
    def open(cls, root: str | os.PathLike[str] | None = None) -> KnowledgeBase:
        """The notebook at `root`, or the nearest upward from the current folder.

        Raises NotebookNotFound where there is none, ConfigError where its settings cannot be read.
        """
        if root is None:
            return cls(config.load(config.find_root(Path.cwd())))
        folder = Path(root).expanduser().absolute()
        if not (folder / config.CONFIG_NAME).is_file():
            raise UsageError(
                f"{folder}: no {config.CONFIG_NAME} there", hint=f"kb init {folder}   makes a notebook of it"
            )
        return cls(config.load(folder))

    @classmethod
    def init(cls, folder: str | os.PathLike[str], *, dry_run: bool = False) -> InitPlan:
        """Make a notebook of `folder`; with `dry_run` only say how."""
        from kb.init import apply_init, plan_init

        plan = plan_init(Path(folder).expanduser().absolute(), SystemClock().today())
        if not dry_run:
            apply_init(plan)
        return plan

    def __enter__(self) -> KnowledgeBase:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store."""
        store = self.__dict__.pop("store", None)
        if store is not None:
            store.close()

    @cached_property
    def store(self) -> Store:
        """The store, made or brought to this version where it has to be."""
        from kb.store.store import Store

        path = self.settings.store
        if Store.outdated(path):
            from kb.store import schema

            schema.ensure(path)
        return Store.open(path)

    def shown(self, path: str) -> str:
        """A note's path as a person in the current folder would type it."""
        full = self.settings.notes / path
        relative = os.path.relpath(full)
        return str(full) if relative.startswith(os.path.join("..", "..", "..")) else relative

    def address(self, path: str, line: int) -> str:
        """The URL that opens a note at a line: `editor.url` of the person's config, else its file."""
        from urllib.parse import quote

        full = quote(str(self.settings.notes / path))
        template: str = self.settings["editor.url"] or "file://{path}"
        return template.replace("{path}", full).replace("{line}", str(line))

    # -- notes -> store ------------------------------------------------------------------------

    def sync(
        self, *, embed: bool = True, rehash: bool = False, progress: Progress | None = None
    ) -> SyncReport:
        """Bring the store up to date with notes and ledger, then embed what has no vector yet.

        With `embed=False`, or where the model cannot be used, passages stay pending; the report's
        `notice` says why. StoreBusy, StoreError, LedgerError.
        """
        report = self._read_notes(rehash=rehash, progress=progress)
        return self._embed(report, progress) if embed else report

    def _read_notes(self, *, rehash: bool = False, progress: Progress | None = None) -> SyncReport:
        from kb import fresh

        freshness = fresh.look(self.store, self.settings, rehash=rehash)
        if freshness.current:
            return fresh.report(self.store, self.settings, freshness)
        from kb.sync import sync

        return sync(self.store, self.settings, None, None, self.clock, rehash=rehash, progress=progress)

    def _embed(self, report: SyncReport, progress: Progress | None) -> SyncReport:
        from kb import fresh

        try:
            chosen = self._choose(embedding=True)
            pending = fresh.pending(self.store, self.settings, chosen.encoder.identity)
            vectors = self._vectors(chosen.encoder)
            if not pending and vectors.holds(self.store.vector_count):
                return replace(report, pending=0, notice=chosen.notice)
            from kb.sync import embed

            embedded = embed(self.store, self.settings, chosen.encoder, vectors, progress=progress)
        except ModelError as error:
            return replace(report, notice=_words_alone(error))
        return replace(report, embedded=embedded, pending=0, notice=chosen.notice)

    def _choose(self, *, embedding: bool) -> Chosen:
        from kb.search.choose import choose

        cache = self.settings.derived / "models.json"

        def load(place: str | Path, name: str) -> Encoder:
            from kb.search.transformer import TransformerEncoder

            return TransformerEncoder(place, name=name, cache=cache)

        model, path = self.settings["search.model"], self.settings["search.model_path"]
        return choose(model, path, cache, load, embedding=embedding)

    def _vectors(self, encoder: Encoder) -> VectorFile:
        from kb.search.vectors import VectorFile, vector_path

        path = vector_path(self.settings.derived, encoder.identity)
        return VectorFile(path, encoder.identity, encoder.width)

    # -- search --------------------------------------------------------------------------------

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
        # numpy and the model load while notes are scanned and modules read: half of it is waiting.
        ahead = None if mode == "keyword" else _Ahead(lambda: self._prepared(query))
        from kb.find import find

        notices = self._refresh(progress, embed=mode != "keyword")
        semantic = None
        if ahead is not None:
            try:
                semantic = ahead.result()
            except ModelError as error:
                if mode == "semantic":
                    raise
                notices.append(_words_alone(error))
                mode = "keyword"
        found = find(self.store, query, filter=narrow, mode=mode, limit=limit, semantic=semantic)
        return replace(found, notices=(*notices, *found.notices))

    def _prepared(self, query: str) -> Semantic:
        """The model with the query embedded, whatever the notes are."""
        from kb.search.query import parse_query

        semantic = self._semantic()
        semantic.prepare(parse_query(query).text)
        return semantic

    def _semantic(self) -> Semantic:
        from kb.search.semantic import Semantic

        encoder = self._choose(embedding=False).encoder
        return Semantic(encoder, self._vectors(encoder))

    def _refresh(self, progress: Progress | None, *, embed: bool) -> list[str]:
        """Read changed notes and embed new passages, as far as a search may wait for it."""
        from kb import fresh

        try:
            freshness = fresh.look(self.store, self.settings)
            first = not freshness.unchanged
            if not freshness.current:
                if len(freshness.changed) > REFRESH_NOTES and not first:
                    return [f"{len(freshness.changed)} notes changed since the last kb sync; not read yet"]
                report = self._read_notes(progress=progress)
            else:
                report = fresh.report(self.store, self.settings, freshness)
            if embed and 0 < report.pending <= REFRESH_PASSAGES:
                report = self._embed(report, progress)
        except StoreError as error:
            return [f"{error}; searching what was read before"]
        if embed and report.pending and not report.notice:
            return [f"{report.pending} passages are not embedded yet and are found by words alone; kb sync"]
        return []

    def related(self, place: str, *, limit: int = 10, progress: Progress | None = None) -> Found:
        """The passages nearest in meaning to `PATH` or `PATH:LINE`, at most `limit`.

        UnknownNote for a path that is no note; ModelError where nothing is embedded.
        """
        from kb.find import related

        notices = self._refresh(progress, embed=True)
        path, _, line = place.rpartition(":")
        if not path or not line.isdigit():
            path, line = place, ""
        semantic = self._semantic()
        found = related(self.store, semantic, self._relative(path), int(line) if line else None, limit=limit)
        return replace(found, notices=(*notices, *found.notices))

    def _relative(self, path: str) -> str:
        """A note's path as the store has it, from one typed in the current folder or in that of the notes."""
        here = os.path.relpath(os.path.realpath(path), os.path.realpath(self.settings.notes))
        in_notes = not os.path.isabs(path) and (self.settings.notes / path).is_file()
        if in_notes or here.startswith(os.pardir):
            here = os.path.normpath(path)
        return here.replace(os.sep, "/")

    # -- links ---------------------------------------------------------------------------------

    def links(self, narrow: Filter | None = None) -> list[LinkRecord]:
        """The links that the notes mention, in order of their first mention."""
        from kb.web.ignore import with_ignored

        self._read_notes()
        records = self.store.links(narrow or Filter())
        return with_ignored(records, self.settings["links.ignore"])

    def add_link(
        self, url: str, *, note: str | None = None, comment: str = "", dry_run: bool = False
    ) -> Added:
        """Append a link with its title to a note (today's, if none is named); see `add.add_link`."""
        from asyncio import run

        from kb import check, sync
        from kb.add import add_link

        self._read_notes()
        added = add_link(
            self.store,
            self.settings,
            self.clock,
            url,
            look_at=lambda url: run(check.look_at(url, self.settings, self.clock)),
            reread=self._read_notes,
            keep=lambda key, look, facts: check.keep(self.store, key, look, facts, self.settings),
            note=note,
            comment=comment,
            dry_run=dry_run,
        )
        if not dry_run:
            sync.record(self.store, self.settings)
        return added

    def check_links(
        self,
        narrow: Filter | None = None,
        *,
        everything: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> CheckReport:
        """Look at the links that are due, or at all in scope; what was seen goes into the ledger.

        NetworkAway, and nothing recorded, where nothing answered.
        """
        from kb.check import check
        from kb.sync import record

        self._read_notes()
        try:
            return check(
                self.store,
                self.settings,
                self.clock,
                filter=narrow or Filter(),
                everything=everything,
                progress=progress,
            )
        finally:
            record(self.store, self.settings)

    def ignore(self, url: str) -> LinkRecord:
        """Leave a link out of checks from now on. UsageError if no note holds it."""
        record = self._link(url)
        return self._say(replace(record, person=replace(record.person, ignored=True)))

    def vouch(self, url: str) -> LinkRecord:
        """Take the person's word that a link lives: its strikes are cleared. UsageError as above."""
        from kb.web.verdict import revive

        record, now = self._link(url), self.clock.now()
        looks = revive(record.looks, now)
        self.store.save_look(record.key, None, looks)
        return self._say(replace(record, looks=looks, person=Person(False, alive_at=now)))

    def _link(self, url: str) -> LinkRecord:
        from kb import urls

        self._read_notes()
        record = self.store.link(urls.key(url))
        if record is None or not record.mentions:
            raise UsageError(f"{url}: no note holds that link", hint="kb links   lists them")
        return record

    def _say(self, record: LinkRecord) -> LinkRecord:
        from kb.sync import record as write_ledger

        person = replace(record.person, said_at=self.clock.now())
        self.store.save_person(record.key, person)
        write_ledger(self.store, self.settings)
        return replace(record, person=person)

    # -- notes and terms -----------------------------------------------------------------------

    def glossary(self, term: str | None = None) -> list[Entry]:
        """Every term, A to Z; or those that `term` names, by term, alias or expansion, in any case."""
        self._read_notes()
        found = [
            (path, one) for path, one in self.store.terms() if term is None or term.casefold() in _names(one)
        ]
        found.sort(key=lambda pair: (pair[1].term.casefold(), pair[0], pair[1].line))
        return [Entry(one, path, self.store.uses(one)) for path, one in found]

    def new_note(self, title: str, kind: NoteKind = NoteKind.NOTE, tags: tuple[str, ...] = ()) -> str:
        """Start a note dated today; its path. NoteExists if one of that name stands."""
        from kb.add import start_note

        if not title.split():
            raise UsageError("a note wants a title", hint='kb new "Llama 2 at home"')
        return start_note(self.settings.notes, title, kind, tags, self.clock.today())

    @property
    def editor(self) -> str | None:
        """The person's editor, if their config or environment names one."""
        return self.settings["editor.command"] or os.environ.get("KB_EDITOR") or None

    def plan_import(self, source: str, *, overwrite: bool = False) -> ImportPlan:
        """What an import of `source` would write. Nothing is written. ImportRefused."""
        from kb.transfer import plan_import

        return plan_import(
            Path(source),
            self.settings.notes,
            overwrite=overwrite,
            day_first=self.settings["notes.day_first"],
        )

    def apply_import(self, plan: ImportPlan) -> ImportReport:
        """Write what was planned."""
        from kb.transfer import apply_import

        return apply_import(plan)

    # -- site ----------------------------------------------------------------------------------

    def publish(self) -> Site:
        """The site: every page that may be seen, ready to render."""
        from kb.publish import publish

        return publish(self.store, self.settings)


def _names(term: Term) -> set[str]:
    return {name.casefold() for name in (term.term, term.expansion, *term.aliases) if name}


def _words_alone(error: ModelError) -> str:
    advice = f" ({error.hint})" if error.hint else ""
    return f"{error}; searching by words alone{advice}"
