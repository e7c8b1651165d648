"""The values that travel through kb: frozen, typed, free of IO.

Everything a stage hands to the next is defined here, so that the rooms need not know each
other. Spans are half-open byte ranges of the file as it lies on disk (its UTF-8 bytes, a BOM
included); lines count from 1; paths are POSIX and relative to the notes folder unless said
otherwise; instants are ISO 8601 in UTC to the second (`2026-11-24T12:00:00Z`).

They lie by subject in the modules of this package, where the house takes them from. To who uses
kb from Python they are all found here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kb.model.clock import Clock as Clock
    from kb.model.dates import When as When
    from kb.model.kinds import LinkKind as LinkKind
    from kb.model.kinds import NoteKind as NoteKind
    from kb.model.kinds import Source as Source
    from kb.model.kinds import Standing as Standing
    from kb.model.kinds import settled_kind as settled_kind
    from kb.model.links import Added as Added
    from kb.model.links import Facts as Facts
    from kb.model.links import Key as Key
    from kb.model.links import LinkRecord as LinkRecord
    from kb.model.links import Look as Look
    from kb.model.links import Looks as Looks
    from kb.model.links import Mention as Mention
    from kb.model.links import Person as Person
    from kb.model.links import Saved as Saved
    from kb.model.links import Transition as Transition
    from kb.model.links import Verdict as Verdict
    from kb.model.notes import Entry as Entry
    from kb.model.notes import Link as Link
    from kb.model.notes import LinkForm as LinkForm
    from kb.model.notes import Note as Note
    from kb.model.notes import Passage as Passage
    from kb.model.notes import PassageKind as PassageKind
    from kb.model.notes import Shown as Shown
    from kb.model.notes import Span as Span
    from kb.model.notes import Term as Term
    from kb.model.notes import Use as Use
    from kb.model.reports import Problem as Problem
    from kb.model.reports import Severity as Severity
    from kb.model.reports import SyncReport as SyncReport
    from kb.model.search import Excerpt as Excerpt
    from kb.model.search import Filter as Filter
    from kb.model.search import Hit as Hit
    from kb.model.search import HitLink as HitLink
    from kb.model.search import excerpt as excerpt
    from kb.model.site import Page as Page
    from kb.model.site import Site as Site

_PARTS = {
    "clock": "Clock",
    "dates": "When",
    "kinds": "NoteKind LinkKind settled_kind Source Standing",
    "links": "Verdict Key Look Transition Looks Facts Person Mention LinkRecord Added Saved",
    "notes": "PassageKind LinkForm Span Link Passage Term Note Shown Use Entry",
    "reports": "Severity Problem SyncReport",
    "search": "Filter HitLink Hit Excerpt excerpt",
    "site": "Page Site",
}
# name -> module: found when asked for, so that a search pays for what a search needs.
_HOMES = {name: part for part, names in _PARTS.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"kb.model.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
