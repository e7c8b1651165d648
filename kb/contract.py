"""The JSON shapes that people's scripts lean on. Adding a key is free; renaming one is not.

Paths are relative to the notes folder, whatever the current folder is.
"""

from __future__ import annotations

from typing import Any, Protocol

from kb.model.links import Added, Facts, LinkRecord, Mention, Saved
from kb.model.notes import Entry
from kb.model.reports import Problem
from kb.model.search import Hit


def hit(value: Hit) -> dict[str, Any]:
    """A search hit; `path` is null for a passage of a saved page."""
    return {
        "path": value.path,
        "line": value.line,
        "text": value.text,
        "heading": list(value.heading),
        "title": value.title,
        "date": _text(value.date),
        "noted": _text(value.noted),
        "kind": str(value.kind),
        "tags": list(value.tags),
        "source": str(value.source),
        "score": round(value.score, 4),
        "links": [
            {"url": link.url, "title": link.title, "standing": str(link.standing)} for link in value.links
        ],
    }


def link(value: LinkRecord) -> dict[str, Any]:
    """A link with its standing and every place that mentions it."""
    looks = value.looks
    return {
        "url": value.url,
        "key": value.key.key,
        "fragment": value.key.fragment,
        "title": value.facts.title,
        "kind": str(value.kind),
        "host": value.host,
        "standing": str(value.standing),
        "verdict": _text(looks.verdict),
        "status": looks.status,
        "final_url": looks.final_url,
        "reason": looks.reason,
        "first_seen": looks.first_seen,
        "last_checked": looks.last_checked,
        "last_alive": looks.last_alive,
        "archived_url": looks.archived_url,
        "changed": drift(value.facts),
        "text_changed": text_drift(value.facts),
        "mentions": [mention(place) for place in value.mentions],
    }


def drift(value: Facts) -> dict[str, Any] | None:
    """The page's title as it was recorded and as it is now, where these differ."""
    if value.now_title is None:
        return None
    return {"from": value.title, "to": value.now_title, "since": value.changed_at}


def text_drift(value: Facts) -> dict[str, Any] | None:
    """The first words of the page's text as it was saved and as it is now, where it is another text."""
    if value.text_changed_at is None:
        return None
    return {"from": value.was_text, "to": value.now_text, "since": value.text_changed_at}


def mention(value: Mention) -> dict[str, Any]:
    """One place where a link stands."""
    return {
        "path": value.path,
        "line": value.line,
        "url": value.url,
        "anchor": value.anchor,
        "date": _text(value.date),
    }


class Changed(Protocol):
    """An address that is rewritten, as `kb repair` plans it."""

    @property
    def path(self) -> str: ...  # noqa: D102  # as the keys below say

    @property
    def line(self) -> int: ...  # noqa: D102

    @property
    def old(self) -> str: ...  # noqa: D102

    @property
    def new(self) -> str: ...  # noqa: D102

    @property
    def why(self) -> str: ...  # noqa: D102


def change(value: Changed) -> dict[str, Any]:
    """An address to be rewritten."""
    return {
        "path": value.path,
        "line": value.line,
        "old": value.old,
        "new": value.new,
        "why": value.why,
    }


def facts(value: LinkRecord) -> dict[str, Any]:
    """What a page and its site said of it. `extra` holds what only that source knows."""
    known = value.facts
    return {
        "url": value.url,
        "key": value.key.key,
        "title": known.title,
        "kind": str(value.kind),
        "authors": list(known.authors),
        "published": known.published,
        "site": known.site,
        "description": known.description,
        "language": known.language,
        "words": known.words,
        "fetched": known.fetched,
        "extra": dict(known.extra),
    }


def added(value: Added) -> dict[str, Any]:
    """A link that was added, or (`known`) stood there already. `path` is where it stands now."""
    return {
        "url": value.url,
        "title": value.title,
        "kind": str(value.kind),
        "known": value.known is not None,
        "path": value.path,
        "line": value.line,
        "bullet": value.bullet,
        "paired": [mention(place) for place in value.paired],
        "warning": value.warning,
    }


def saved_page(value: Saved) -> dict[str, Any]:
    """The saved text of a page; `fetched` is when it was read."""
    return {
        "key": value.key,
        "url": value.url,
        "title": value.title,
        "fetched": value.fetched,
        "published": value.published,
        "abstract": value.abstract,
        "text": value.text,
    }


def term(value: Entry) -> dict[str, Any]:
    """A glossary term with its uses."""
    entry = value.term
    return {
        "term": entry.term,
        "expansion": entry.expansion,
        "definition": entry.definition,
        "url": entry.url,
        "path": value.path,
        "line": entry.line,
        "uses": [{"path": use.path, "line": use.line} for use in value.uses],
    }


def problem(value: Problem) -> dict[str, Any]:
    """Something wrong with a note."""
    return {
        "path": value.path,
        "line": value.line,
        "severity": str(value.severity),
        "message": value.message,
        "hint": value.hint,
    }


class Happened(Protocol):
    """A change of a link or a note, as `kb log` lists it."""

    @property
    def at(self) -> str: ...  # noqa: D102  # as the keys below say

    @property
    def change(self) -> str: ...  # noqa: D102

    @property
    def path(self) -> str: ...  # noqa: D102

    @property
    def line(self) -> int: ...  # noqa: D102

    @property
    def title(self) -> str: ...  # noqa: D102

    @property
    def url(self) -> str: ...  # noqa: D102


def event(value: Happened) -> dict[str, Any]:
    """A change: of a link, or (`url` is null) of a note. `at` is an instant, or a day alone."""
    return {
        "at": value.at,
        "change": str(value.change),
        "url": value.url or None,
        "title": value.title or None,
        "path": value.path,
        "line": value.line,
    }


def finding(value: Any) -> dict[str, Any]:
    """What `kb doctor` found; `path` is a note's, `file` another's, relative to kb.toml."""
    return {
        "check": value.check,
        "severity": str(value.severity),
        "path": value.path,
        "file": value.file,
        "line": value.line,
        "message": value.message,
        "hint": value.hint,
    }


def stats(value: Any) -> dict[str, Any]:
    """The figures of a notebook. `rot` tells, for links of each age in years, how many are dead."""
    numbers = ("notes", "passages", "embedded", "links", "mentions", "hosts", "terms", "titled", "saved")
    counts = ("note_kinds", "standings", "kinds", "top_hosts", "months")
    return {
        **{name: getattr(value, name) for name in numbers},
        **{name: dict(getattr(value, name)) for name in counts},
        "rot": [
            {"since": age.since, "until": age.until, "links": age.links, "dead": age.dead}
            for age in value.rot
        ],
    }


def setting(value: Any) -> dict[str, Any]:
    """A setting: the value that holds, where it comes from, its scope (`notebook`, `person` or `trust`)."""
    key = value.key
    default = list(key.default) if isinstance(key.default, tuple) else key.default
    return {
        "key": key.name,
        "value": value.value,
        "origin": value.origin,
        "default": default,
        "scope": str(key.scope),
        "variable": key.variable,
        "help": key.help,
    }


def backed_up(value: Any) -> dict[str, Any]:
    """What a backup holds; `left` are files that it does not."""
    return {"path": value.path, "files": value.files, "bytes": value.size, "left": list(value.left)}


def restored(value: Any) -> dict[str, Any]:
    """What a restore wrote; `made` is when the backup was."""
    return {
        "root": value.root,
        "made": value.made,
        "written": list(value.written),
        "replaced": list(value.replaced),
        "same": list(value.same),
    }


def _text(value: object | None) -> str | None:
    return None if value is None else str(value)
