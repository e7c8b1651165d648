"""KnowledgeBase: the one place where real adapters are wired. It only delegates to the stages.

Imports inside methods are deferred on purpose: a keyword search must not pay for numpy, nor
`kb links` for the fetcher. This module and the command loader are the only ones that do so.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Generic, TypeVar

from kb import config, temporary
from kb.config import Settings
from kb.daily import Daily, Progress, notebook_at
from kb.errors import ModelError, StoreError, UnknownNote, UsageError
from kb.model import (
    Added,
    Entry,
    Filter,
    Hit,
    Key,
    LinkRecord,
    NoteKind,
    Saved,
    Shown,
    Site,
    Standing,
    SyncReport,
    Term,
)
from kb.values import replace

if TYPE_CHECKING:
    # Named anew, so that the doors may take the types of what they print from here.
    from kb.backup import BackedUp as BackedUp
    from kb.backup import Restored as Restored
    from kb.check import CheckReport as CheckReport
    from kb.configure import Holding as Holding
    from kb.doctor import Finding as Finding
    from kb.enrich import EnrichReport as EnrichReport
    from kb.find import Found as Found
    from kb.init import InitPlan as InitPlan
    from kb.lately import Event as Event
    from kb.meaning import Shared as Shared
    from kb.repair import RepairPlan as RepairPlan
    from kb.search.blas_semantic import BlasSemantic
    from kb.search.choose import Chosen
    from kb.search.encode import Encoder
    from kb.search.semantic import Semantic
    from kb.search.vectors import VectorFile
    from kb.stats import Stats as Stats
    from kb.store.store import Store
    from kb.titles import TitleEdit as TitleEdit
    from kb.transfer import Export as Export
    from kb.transfer import ImportPlan as ImportPlan
    from kb.transfer import ImportReport as ImportReport
    from kb.web.sources import Met, Source

T = TypeVar("T")

#: What a search may wait for: about a second of reading, and one of embedding.
REFRESH_NOTES = 500
REFRESH_PASSAGES = 100
#: Seconds for which a search waits for another kb that is writing, before it does without.
REFRESH_WAIT = 0.5


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


class KnowledgeBase(Daily):
    """A notebook, open. Use it as a context manager, or close it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()
        #: Where sources are asked, if elsewhere than at their own addresses: by source, then by name.
        self.bases: Mapping[str, Mapping[str, str]] = {}
        self._given: Mapping[str, str] | None = None
        self._encoders: dict[bool, Chosen] = {}

    @classmethod
    def open(
        cls, root: str | os.PathLike[str] | None = None, given: Mapping[str, str] | None = None
    ) -> KnowledgeBase:
        """The notebook at `root`, or the nearest upward from the current folder.

        `given` are settings for this time, as text by key; they go before all others.
        Raises NotebookNotFound where there is none, ConfigError where its settings cannot be read.
        """
        folder = config.find_root(Path.cwd()) if root is None else notebook_at(root)
        base = cls(config.load(folder, given=given))
        base._given = given
        return base

    @classmethod
    def init(cls, folder: str | os.PathLike[str], *, dry_run: bool = False) -> InitPlan:
        """Make a notebook of `folder`; with `dry_run` only say how."""
        from kb.init import apply_init, plan_init

        plan = plan_init(Path(folder).expanduser().absolute(), SystemClock().today())
        if not dry_run:
            apply_init(plan)
        return plan

    def reopened(self) -> KnowledgeBase:
        """The same notebook opened anew, its settings read again and its model kept in memory.

        For a process that stays: store, settings and notes may change between two pieces of work.
        """
        fresh = KnowledgeBase.open(self.settings.root, self._given)
        fresh.bases = self.bases
        if self._encoders and self._model == fresh._model:
            from kb.search.choose import rested

            fresh._encoders = {embedding: rested(one) for embedding, one in self._encoders.items()}
        return fresh

    @property
    def _model(self) -> tuple[str, str]:
        return self.settings["search.model"], self.settings["search.model_path"]

    def __enter__(self) -> KnowledgeBase:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from sqlite3 import DatabaseError

        self.close()
        if isinstance(error, DatabaseError):
            raise StoreError(
                f"{self.settings.store}: cannot be used ({error})",
                hint="delete the .kb folder and run `kb sync`: notes and ledger rebuild it",
            ) from error

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
            from kb.store import tables

            if not tables.make(path):
                from kb.store import schema

                schema.ensure(path)
        return Store.open(path)

    def shown(self, path: str) -> str:
        """A note's path as a person in the current folder would type it; `?` for what is no letter of it."""
        full = self.settings.notes / path
        relative = os.path.relpath(full)
        whole = str(full) if relative.startswith(os.path.join("..", "..", "..")) else relative
        return whole if whole.isprintable() else "".join(c if c.isprintable() else "?" for c in whole)

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
        # What killed processes left half-written beside the store, the ledger and saved pages.
        known = self.settings
        temporary.clear_folders((known.root, known.derived, known.saved, known.private_saved))
        report = self._read_notes(rehash=rehash, progress=progress)
        return self._embed(report, progress, fetch=True) if embed else report

    def _read_notes(
        self, *, rehash: bool = False, progress: Progress | None = None, wait: float | None = None
    ) -> SyncReport:
        from kb import fresh

        freshness = fresh.look(self.store, self.settings, rehash=rehash)
        temporary.clear(self.settings.notes / path for path in freshness.walk.unfinished)
        if freshness.current:
            return fresh.report(self.store, self.settings, freshness)
        from kb.sync import WAIT, sync

        return sync(
            self.store,
            self.settings,
            None,
            None,
            self.clock,
            rehash=rehash,
            progress=progress,
            wait=WAIT if wait is None else wait,
            seen=freshness,
        )

    def _embed(
        self,
        report: SyncReport,
        progress: Progress | None,
        *,
        fetch: bool,
        wait: float | None = None,
    ) -> SyncReport:
        """Embed what has no vector; `fetch` allows for a new model to be fetched, hashed and compared."""
        from kb import fresh

        try:
            chosen = self._choose(embedding=fetch)
            pending = fresh.pending(self.store, self.settings, chosen.encoder.identity)
            vectors = self._vectors(chosen.encoder)
            if not pending and vectors.holds(self.store.vector_count):
                return replace(report, pending=0, notice=chosen.notice)
            from kb.sync import WAIT, embed

            embedded = embed(
                self.store,
                self.settings,
                chosen.encoder,
                vectors,
                progress=progress,
                wait=WAIT if wait is None else wait,
            )
        except ModelError as error:
            return replace(report, notice=_words_alone(error))
        return replace(report, embedded=embedded, pending=0, notice=chosen.notice)

    def _choose(self, *, embedding: bool) -> Chosen:
        if embedding in self._encoders:
            return self._encoders[embedding]
        from kb.search.choose import choose

        cache = self.settings.derived / "models.json"

        def load(place: str | Path, name: str) -> Encoder:
            from kb.search.transformer import TransformerEncoder

            return TransformerEncoder(place, name=name, cache=cache)

        chosen = choose(*self._model, cache, load, embedding=embedding)
        self._encoders[embedding] = chosen
        return chosen

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
        # The query is embedded while notes are scanned and modules read: half of it is waiting.
        ahead = None if mode == "keyword" else _Ahead(lambda: self._prepared(query))
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
        return replace(found, hits=self._as_settings_say(found.hits), notices=(*notices, *found.notices))

    def _as_settings_say(self, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
        """The hits, their links that a pattern ignores shown as ignored: the store knows no patterns."""
        patterns: tuple[str, ...] = self.settings["links.ignore"]
        if not patterns or not any(hit.links for hit in hits):
            return hits
        from kb.web.ignore import ignores

        ignored = ignores(patterns)
        return tuple(
            replace(
                hit,
                links=tuple(
                    replace(link, standing=Standing.IGNORED) if ignored(link.url) else link
                    for link in hit.links
                ),
            )
            for hit in hits
        )

    def _prepared(self, query: str) -> Semantic | BlasSemantic:
        """The model with the query embedded, whatever the notes are; without numpy if it can be."""
        from kb.search.blas_semantic import quick
        from kb.search.query import parse_query

        text = parse_query(query).text
        model, path = self.settings["search.model"], self.settings["search.model_path"]
        light = quick(text, model, path, self.settings.derived)
        if light is not None:
            light.prepare()
            return light
        semantic = self._semantic()
        semantic.prepare(text)
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
        note = self._place(path)
        found = related(self.store, semantic, note, int(line) if line else None, limit=limit)
        return replace(found, hits=self._as_settings_say(found.hits), notices=(*notices, *found.notices))

    def _place(self, typed: str) -> str:
        """The note or folder that a person means, as the store has it. UnknownNote if they mean none."""
        from kb.notes.named import alike, named

        meant = named(self.settings.notes, typed, Path.cwd())
        if meant is None:
            near = alike(self.settings.notes, typed)
            raise UnknownNote(
                f"{typed}: no such note or folder in {self.settings.notes}",
                hint=f"did you mean {near}?" if near else "name one as `kb links` prints it",
            )
        return meant

    # -- links ---------------------------------------------------------------------------------

    def links(self, narrow: Filter | None = None) -> list[LinkRecord]:
        """The links that the notes mention, in order of their first mention."""
        from kb.web.ignore import with_ignored, with_unsafe

        self._read_notes()
        wanted = self._narrow(narrow)
        # A pattern makes a link ignored, which the store does not know: standings are told after it.
        records = with_ignored(self.store.links(replace(wanted, standings=())), self.settings["links.ignore"])
        kept = [one for one in records if not wanted.standings or one.standing in wanted.standings]
        return with_unsafe(kept)

    def _narrow(self, narrow: Filter | None) -> Filter:
        """The filter with its paths as the store has them. UnknownNote for one that names nothing."""
        if narrow is None or not narrow.paths:
            return narrow or Filter()
        paths = [self._place(path) for path in narrow.paths]
        return replace(narrow, paths=() if "." in paths else tuple(paths))

    def add_link(
        self,
        url: str,
        *,
        note: str | None = None,
        comment: str = "",
        quote: str = "",
        tags: tuple[str, ...] = (),
        new_note: bool = False,
        dry_run: bool = False,
        typed: bool = True,
        archive: str | None = None,
    ) -> Added:
        """Add a link with its title to a note (today's, if none is named); see `add.add_link`.

        `typed` says that a person typed the address, so that one of a private network is looked
        at whatever the settings say. With `[links] archive`, the Wayback machine (at `archive`, if
        elsewhere than at its own address) is asked to keep a copy.
        """
        from asyncio import run

        from kb import check, sync
        from kb.add import Wish, add_link
        from kb.enrich.meet import learn, meet

        def keep(key: Key, met: Met) -> None:
            check.keep(self.store, key, met.look, None, self.settings)
            learn(self.store, self.settings, self.clock, key, met.reading)

        self._read_notes()
        settings = self._trusting(url) if typed else self.settings
        added = add_link(
            self.store,
            self.settings,
            self.clock,
            url,
            look_at=lambda url: run(
                meet(
                    url,
                    settings,
                    lambda fetcher: check.look_at(url, settings, self.clock, fetcher=fetcher),
                    sources=self._sources,
                )
            ),
            reread=self._read_notes,
            keep=keep,
            wish=Wish(note, comment, quote, tags, new_note, dry_run),
        )
        if not dry_run:
            if self.settings["links.archive"] and added.known is None:
                added = self._archived(added, archive)
            sync.record(self.store, self.settings)
            self._read_notes()
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

    def _archived(self, added: Added, archive: str | None) -> Added:
        from kb.repair import keep_copy
        from kb.web.wayback import SAVE

        missed = keep_copy(self.store, self.settings, added.url, base=archive or SAVE)
        return replace(added, warning="; ".join(word for word in (added.warning, missed) if word))

    @property
    def _sources(self) -> tuple[Source, ...]:
        """The sites that can say more of a page than the page does."""
        from kb.enrich import sources_of

        return sources_of(self.settings, self.bases)

    def addresses(
        self, given: tuple[str, ...], stdin: Callable[[], str], *, clipboard: bool = False
    ) -> tuple[list[str], list[UsageError]]:
        """The addresses meant by these arguments, and why some of them are none.

        `-` stands for those in `stdin`; with `clipboard`, those that the clipboard holds as well.
        UsageError where nothing is meant.
        """
        from kb.add import addresses, sorted_out
        from kb.clipboard import clipboard as pasted

        found = [url for one in given for url in (addresses(stdin()) if one == "-" else [one])]
        if clipboard:
            found += addresses(pasted(self.settings["clipboard.command"]))
        if not found:
            raise UsageError("no address to add", hint="kb add-link https://arxiv.org/abs/2305.14314")
        return sorted_out(found)

    def enrich(
        self,
        narrow: Filter | None = None,
        *,
        everything: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> EnrichReport:
        """Ask linked pages and their sites what they are; what is learnt goes into store, ledger and saved/.

        NetworkAway, and nothing recorded, where nothing answered.
        """
        from kb.enrich import enrich
        from kb.sync import record

        self._read_notes()
        try:
            return enrich(
                self.store,
                self.settings,
                self.clock,
                sources=self._sources,
                filter=self._narrow(narrow),
                everything=everything,
                progress=progress,
            )
        finally:
            record(self.store, self.settings)
            self._read_notes()

    def write_titles(self, narrow: Filter | None = None, *, apply: bool = False) -> list[TitleEdit]:
        """Fetched titles in the place of bare addresses, as an edit a note; written only with `apply`."""
        from kb.titles import apply_titles, plan_titles

        self._read_notes()
        edits = plan_titles(self.store, self.settings.notes, self._narrow(narrow))
        if apply:
            apply_titles(self.settings, edits)
            self._read_notes()
        return edits

    def saved(self, url: str, *, private: bool = True) -> Saved:
        """The saved text of a page. UsageError if none is kept.

        Without `private`, nor of one that only private notes link.
        """
        from kb import show

        self._read_notes()
        return show.page(self.store, self.settings, url, private=private)

    def note(self, path: str, *, private: bool = True) -> Shown:
        """The text of a note as it lies. UnknownNote; UsageError for a private one without `private`."""
        from kb import show

        meant = self._place(path)
        if (self.settings.notes / meant).is_dir():
            raise UnknownNote(f"{path} is a folder", hint="name a note in it")
        return show.note(self.settings, meant, private=private)

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
                filter=self._narrow(narrow),
                everything=everything,
                progress=progress,
            )
        finally:
            record(self.store, self.settings)

    def repair(
        self,
        narrow: Filter | None = None,
        *,
        apply: bool = False,
        archive: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> RepairPlan:
        """Addresses to rewrite: moved pages, archived copies of dead ones. Written only with `apply`.

        `archive` is where the Wayback machine is asked, if elsewhere than at its own address.
        """
        from kb.repair import apply_repair, plan_repair
        from kb.web.wayback import AVAILABLE

        self._read_notes()
        plan = plan_repair(
            self.store,
            self.settings,
            self.clock,
            self._narrow(narrow),
            base=archive or AVAILABLE,
            progress=progress,
        )
        if apply and plan.edits:
            done = apply_repair(plan, self.settings)
            self._read_notes()
            plan = replace(
                plan,
                edits=tuple(one for one in plan.edits if one.path in done.written),
                problems=(*plan.problems, *done.problems),
            )
        return plan

    def ignore(self, url: str) -> LinkRecord:
        """Leave a link out of checks from now on. UsageError if no note holds it."""
        record = self._link(url)
        return self._say(replace(record, person=replace(record.person, ignored=True)), self.clock.now())

    def vouch(self, url: str) -> LinkRecord:
        """Take the person's word that a link lives: its strikes are cleared, its title is what it is now.

        UsageError as above.
        """
        from kb.web.drift import accept
        from kb.web.verdict import revive

        record = self._link(url)
        now = _after(self.clock.now(), record.looks.last_checked)
        looks = revive(record.looks, now)
        facts = accept(record.facts, now)
        self.store.save_look(record.key, None, looks)
        if facts != record.facts:
            self.store.save_facts(record.key, facts)
        person = replace(record.person, ignored=False, alive_at=now)
        return self._say(replace(record, looks=looks, facts=facts, person=person), now)

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

    def glossary(self, term: str | None = None, *, private: bool = True) -> list[Entry]:
        """Every term, A to Z; or those that `term` names, by term, alias or expansion, in any case.

        Without `private`, private notes neither define nor use one.
        """
        self._read_notes()
        terms = self.store.terms(private=private)
        found = [(path, one) for path, one in terms if term is None or term.casefold() in _names(one)]
        found.sort(key=lambda pair: (pair[1].term.casefold(), pair[0], pair[1].line))
        return [Entry(one, path, self.store.uses(one, private=private)) for path, one in found]

    def new_note(self, title: str, kind: NoteKind = NoteKind.NOTE, tags: tuple[str, ...] = ()) -> str:
        """Start a note dated today; its path. NoteExists if one of that name stands."""
        from kb.add import start_note, template_of

        if not title.split():
            raise UsageError("a note wants a title", hint='kb new "Llama 2 at home"')
        template = template_of(self.settings.root, kind)
        return start_note(self.settings.notes, title, kind, tags, self.clock.today(), template)

    def plan_import(self, source: str, *, overwrite: bool = False, importer: str | None = None) -> ImportPlan:
        """What an import of `source` would write. Nothing is written. ImportRefused.

        `importer` names how to read it; without one the source tells.
        """
        from kb.transfer import plan_import

        return plan_import(
            Path(source),
            self.settings.notes,
            overwrite=overwrite,
            day_first=self.settings["notes.day_first"],
            importer=importer,
        )

    def apply_import(self, plan: ImportPlan) -> ImportReport:
        """Write what was planned."""
        from kb.transfer import apply_import

        return apply_import(plan)

    def export(
        self,
        format: str,
        narrow: Filter | None = None,
        *,
        private: bool = False,
        output: str | None = None,
    ) -> Export:
        """The links that `narrow` allows, as another tool reads them; written to `output` if named.

        What stands in private notes only is left out unless `private`. UsageError for an unknown
        format, NoteUnwritable.
        """
        from kb.transfer import export, write_export

        records = self.links(narrow)
        tags = {row.path: row.tags for row in self.store.notes()}
        exported = export(records, tags, format, private=private)
        if output is not None:
            write_export(Path(output), exported.text)
        return exported

    # -- site ----------------------------------------------------------------------------------

    def publish(self) -> Site:
        """The site: every page that may be seen, ready to render."""
        from kb.publish import publish

        return publish(self.store, self.settings, self._near)

    def share(self, site: Site, address: Callable[[str], str]) -> Shared:
        """The files with which readers search the site by meaning; `address` is where a page will stand."""
        from kb.meaning import share

        return share(self.store, self.settings, site, address)

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
