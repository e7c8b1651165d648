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
from typing import TYPE_CHECKING

from kb import config
from kb.config import Settings
from kb.errors import ModelError, StoreError, UsageError
from kb.model import Entry, Filter, LinkRecord, NoteKind, Site, SyncReport, Term

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
            if not pending:
                return replace(report, pending=0, notice=chosen.notice)
            from kb.sync import embed

            vectors = self._vectors(chosen.encoder)
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
        from kb.find import find

        notices = self._refresh(progress, embed=mode != "keyword")
        semantic = None
        if mode != "keyword":
            try:
                semantic = self._semantic()
            except ModelError as error:
                if mode == "semantic":
                    raise
                notices.append(_words_alone(error))
                mode = "keyword"
        found = find(self.store, query, filter=narrow, mode=mode, limit=limit, semantic=semantic)
        return replace(found, notices=(*notices, *found.notices))

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
            look_at=lambda url: run(check.look_at(url, self._trusting(url), self.clock)),
            reread=self._read_notes,
            keep=lambda key, look, facts: check.keep(self.store, key, look, facts, self.settings),
            note=note,
            comment=comment,
            dry_run=dry_run,
        )
        if not dry_run:
            sync.record(self.store, self.settings)
        return added

    def _trusting(self, url: str) -> Settings:
        """The settings under which an address is looked at that the person has just typed.

        Private hosts are skipped because a notebook can be a stranger's; one typed by hand is not.
        """
        from kb.urls import host
        from kb.web.fetch.addresses import is_private, literal

        name = host(url).strip("[]")
        if name != "localhost" and (literal(name) is None or not is_private(name)):
            return self.settings
        return replace(self.settings, values={**self.settings.values, "links.private_hosts": "check"})

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
        return self._say(replace(record, person=replace(record.person, ignored=True)), self.clock.now())

    def vouch(self, url: str) -> LinkRecord:
        """Take the person's word that a link lives: its strikes are cleared. UsageError as above."""
        from kb.web.verdict import revive

        record = self._link(url)
        now = _after(self.clock.now(), record.looks.last_checked)
        looks = revive(record.looks, now)
        self.store.save_look(record.key, None, looks)
        person = replace(record.person, ignored=False, alive_at=now)
        return self._say(replace(record, looks=looks, person=person), now)

    def _link(self, url: str) -> LinkRecord:
        from kb import urls

        self._read_notes()
        record = self.store.link(urls.key(url))
        if record is None or not record.mentions:
            raise UsageError(f"{url}: no note holds that link", hint="kb links   lists them")
        return record

    def _say(self, record: LinkRecord, now: str) -> LinkRecord:
        from kb.sync import record as write_ledger

        person = replace(record.person, said_at=_after(now, record.person.said_at))
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

        return publish(self.store, self.settings, self._near)

    def write_site(self, folder: str) -> int:
        """Write the site's pages as plain Markdown; how many. UsageError where other files lie."""
        from kb.publish import write_site

        self._read_notes()
        return write_site(self.publish(), self.settings.notes, Path(folder).expanduser())

    def _near(self) -> dict[str, list[str]]:
        """Which notes are near each other in meaning; nothing where nothing is embedded yet."""
        model = self.store.setting("model")
        if model is None:
            return {}
        from kb.search.related import related

        try:
            return related(self.settings.derived, model, self.store.note_rows(model))
        except ModelError:
            return {}


def _names(term: Term) -> set[str]:
    return {name.casefold() for name in (term.term, term.expansion, *term.aliases) if name}


def _after(now: str, earlier: str | None) -> str:
    """`now`, or a second after `earlier` where that is later: the ledger keeps the newest word of two."""
    if earlier is None or now > earlier:
        return now
    from datetime import datetime, timedelta

    return (datetime.fromisoformat(earlier) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _words_alone(error: ModelError) -> str:
    advice = f" ({error.hint})" if error.hint else ""
    return f"{error}; searching by words alone{advice}"
