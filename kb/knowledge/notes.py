"""The notes of an open notebook: read, begun, opened, brought in, and handed on."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kb.errors import ModelError, UsageError
from kb.knowledge.links import Links
from kb.model.kinds import NoteKind

if TYPE_CHECKING:
    from kb.add import Template
    from kb.meaning import Shared
    from kb.model.notes import Entry, Shown
    from kb.model.search import Filter, Hit
    from kb.model.site import Site
    from kb.recall import Target
    from kb.transfer import Export, ImportPlan, ImportReport


class Notes(Links):
    """The part of the KnowledgeBase that keeps notes; what is handed on holds their links."""

    def note(self, path: str, *, private: bool = True) -> Shown:
        """The text of a note as it lies. UnknownNote; UsageError for a private one without `private`."""
        from kb import show

        return show.note(self.settings, self._note(path), private=private)

    def glossary(self, term: str | None = None, *, private: bool = True) -> list[Entry]:
        """Every term, A to Z; or those that `term` names, by term, alias or expansion, in any case.

        Without `private`, private notes neither define nor use one.
        """
        from kb import show

        self._read_if_writable()
        return show.terms(self.store, term, private=private)

    def new_note(self, title: str, kind: NoteKind = NoteKind.NOTE, tags: tuple[str, ...] = ()) -> str:
        """Start a note dated today; its path. NoteExists if one of that name stands."""
        from kb.add import start_note

        return start_note(*self._new_note(title, kind, tags))

    def plan_note(
        self, title: str, kind: NoteKind = NoteKind.NOTE, tags: tuple[str, ...] = ()
    ) -> tuple[str, str]:
        """The path and the text of the note that `new_note` would start. It raises the same."""
        from kb.add import plan_note

        return plan_note(*self._new_note(title, kind, tags))

    def _new_note(
        self, title: str, kind: NoteKind, tags: tuple[str, ...]
    ) -> tuple[Path, str, NoteKind, tuple[str, ...], str, Template]:
        from kb.add import template_of

        if not title.split():
            raise UsageError("a note wants a title", hint='kb new "Llama 2 at home"')
        template = template_of(self.settings.root, kind)
        return self.settings.notes, title, kind, tags, self.clock.today(), template

    # -- opening -------------------------------------------------------------------------------

    def remember(self, hits: Sequence[Hit]) -> None:
        """Keep the hits that were shown, for `target`."""
        from kb.recall import remember

        remember(self.settings.derived, hits)

    def target(self, typed: str) -> Target:
        """What a person means: the number of a hit of the last search, or `PATH[:LINE]`.

        UsageError for a number that none has, UnknownNote for a path that is no note.
        """
        from kb.recall import Target, recall

        if typed.isascii() and typed.isdigit():
            return recall(self.settings.derived, int(typed[:9]))
        return Target(*self._spot(typed))

    def edit(self, path: str, line: int = 0) -> None:
        """Open a note in the person's editor and wait for it. UsageError where that cannot be done."""
        from kb.opening import command, edit, editor

        where = str(self.settings.notes / self._place(str(self.settings.notes / path)))
        edit(command(editor(self.settings["editor.command"], os.environ), where, line))

    def browse(self, address: str) -> None:
        """Show a web address in the person's browser. UsageError where that cannot be done."""
        from kb.opening import browse

        browse(address)

    # -- in and out ----------------------------------------------------------------------------

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
        out: Callable[[str], object] | None = None,
    ) -> Export:
        """The links that `narrow` allows, as another tool reads them; written to `output` if named.

        With `out`, each piece of the text is handed to it as it comes; then, or with `output`, none is kept.
        What stands in private notes only is left out unless `private`. UsageError for an unknown
        format, NoteUnwritable.
        """
        from kb.transfer import export, writing

        records = self.each_link(narrow)
        tags = {row.path: row.tags for row in self.store.notes()}
        if output is None:
            return export(records, tags, format, private=private, out=out)
        with writing(Path(output)) as out:
            return export(records, tags, format, private=private, out=out)

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
