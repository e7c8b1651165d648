"""Bookmarks -> notes: a note for each set of tags, a heading a day, a bullet a bookmark.

Tags belong to notes, so bookmarks of one set of tags make one note; dated headings say when each
was kept. The same bookmarks give the same notes, whichever file they came in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kb import urls
from kb.model.dates import When
from kb.model.kinds import NoteKind
from kb.model.links import Key
from kb.model.reports import Problem, Severity
from kb.notes import edit, frontmatter
from kb.notes.importers.base import Draft, Imported, free, slugify
from kb.notes.parse import parse

#: What can be opened elsewhere: bookmarklets, browser pages and local files are no links.
SCHEMES = frozenset({"http", "https", "ftp", "mailto"})


@dataclass(frozen=True, slots=True)
class Mark:
    """A bookmark. `line` is where it stands in its source; `kind` is what its note is to be."""

    url: str
    title: str
    when: When | None
    tags: tuple[str, ...]
    comment: str = ""
    line: int = 0
    kind: NoteKind = NoteKind.NOTE


def imported(marks: Iterable[Mark]) -> Imported:
    """Notes from bookmarks. What is no link is left out and said; one that stands twice comes once."""
    problems: list[Problem] = []
    first: dict[Key, tuple[NoteKind, tuple[str, ...]]] = {}
    groups: dict[tuple[NoteKind, tuple[str, ...]], list[Mark]] = {}
    refused = 0
    for mark in marks:
        if urls.scheme(mark.url) not in SCHEMES:
            refused += 1
            if refused <= 3:
                message = f"{urls.safe_display(mark.url)[:80]!r} is no link that can be kept; left out"
                problems.append(Problem(".", mark.line, Severity.WARNING, message))
            continue
        mark = replace(mark, url=edit.encoded(mark.url))  # as it will stand, so that order and keys stay
        group = (mark.kind, _tags(mark.tags))
        key = urls.key(mark.url)
        if key in first:
            if first[key] != group:
                where = ", ".join(first[key][1]) or "no tags"
                message = f"{urls.safe_display(mark.url)[:80]} stands twice; kept with {where} alone"
                problems.append(Problem(".", mark.line, Severity.WARNING, message))
            continue
        first[key] = group
        groups.setdefault(group, []).append(mark)
    if refused > 3:
        problems.append(Problem(".", 0, Severity.WARNING, f"{refused} such bookmarks were left out in all"))
    taken: set[str] = set()
    drafts = []
    for kind, tags in sorted(groups):
        draft = _draft(kind, tags, groups[kind, tags], taken)
        taken.add(draft.path)
        drafts.append(draft)
    return Imported(tuple(drafts), tuple(problems))


def _draft(kind: NoteKind, tags: tuple[str, ...], marks: Sequence[Mark], taken: set[str]) -> Draft:
    paper = kind is NoteKind.PAPER
    values: dict[str, str | Sequence[str]] = {
        "title": " / ".join(tags) or ("Papers" if paper else "Bookmarks")
    }
    if kind is not NoteKind.NOTE:
        values["kind"] = str(kind)
    if tags:
        values["tags"] = list(tags)
    lines = [frontmatter.render(values)]
    day: str | None = None
    # By the address as it will be written, so that an export read back gives the same order.
    for mark in sorted(marks, key=lambda mark: (_day(mark), str(urls.key(edit.address(mark.url))))):
        if mark.when is not None and mark.when.first != day:
            day = mark.when.first
            lines += [f"\n## {day}", ""]
        elif len(lines) == 1:
            lines.append("")
        lines.append("* " + edit.bullet(mark.title, mark.url, edit.escape(" ".join(mark.comment.split()))))
    base = f"{'papers' if paper else 'bookmarks'}/{slugify(' '.join(tags)) if tags else 'bookmarks'}"
    data = ("\n".join(lines).replace("\n\n\n", "\n\n") + "\n").encode()
    return Draft(free(base, taken), data, listed=True)


def lacking(draft: Draft, standing: bytes) -> Draft | None:
    """The bookmarks of a draft that a note does not hold, with the days they stand under; None if none."""
    held = {urls.key(link.url) for link in parse(draft.path, standing).links}
    # Of a bullet's links the first is the bookmark; its comment may hold others.
    told = {link.line: urls.key(link.url) for link in reversed(parse(draft.path, draft.data).links)}
    kept: list[str] = []
    for number, line in enumerate(draft.data.decode().splitlines(keepends=True), 1):
        if told.get(number) in held and line.startswith("* "):
            continue
        if line.startswith("## "):
            kept = _without_bare_day(kept)
        kept.append(line)
    kept = _without_bare_day(kept)
    if not any(line.startswith("* ") for line in kept):
        return None
    return replace(draft, data="".join(kept).encode())


def _without_bare_day(lines: list[str]) -> list[str]:
    """Without a last heading that no bullet stands under."""
    at = max((place for place, line in enumerate(lines) if line.startswith(("## ", "* "))), default=-1)
    return lines[:at] if at >= 0 and lines[at].startswith("## ") else lines


def _day(mark: Mark) -> str:
    return mark.when.first if mark.when else ""


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def _tags(names: Iterable[str]) -> tuple[str, ...]:
    """Each once, in order. A comma parts two tags, as it does in a note's own list of them."""
    parts = (part for name in names for part in _CONTROL.sub(" ", name).split(","))
    words = (" ".join(part.split()).lstrip("# ") for part in parts)
    return tuple(dict.fromkeys(word for word in words if word))


def from_seconds(text: str | None) -> When | None:
    """The UTC day of a Unix time in seconds (or, as some write it, micro- or milliseconds)."""
    try:
        seconds = int(text or "")
    except ValueError:
        return None
    while seconds > 10**11:
        seconds //= 1000
    if seconds <= 0:
        return None
    day = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
    return When(day, day)
