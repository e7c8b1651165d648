"""What a note says of itself: title, kind, date, tags - from front matter, heading and file name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from kb.model.dates import When
from kb.model.kinds import NoteKind
from kb.model.notes import Note
from kb.model.reports import Problem, Severity
from kb.notes import dates, glossary
from kb.notes.frontmatter import FrontMatter
from kb.notes.passages import Builder

DATE_KEYS = ("date", "noted", "created")
_DATED_STEM = re.compile(r"\d{4}([-_.]?)\d{2}(?:\1\d{2}(?:T?\d{4}(?:\d{2})?)?)?(?:[-_ ]+|\Z)", re.ASCII)


@dataclass(slots=True)
class Facts:
    """A note's own facts, before its body is read."""

    title: str | None = None
    kind: NoteKind = NoteKind.NOTE
    noted: When | None = None
    tags: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    description: str | None = None
    expansion: str | None = None
    private: bool = False
    draft: bool = False
    problems: list[Problem] = field(default_factory=list)


_PLAIN = (str, int, float)


def read(path: str, front: FrontMatter, *, day_first: bool = False) -> Facts:
    """Facts from front matter and path. What is not as it should be is a Problem, and left out."""
    values, facts = front.values, Facts()

    def wrong(key: str, message: str, hint: str = "") -> None:
        line = front.lines.get(key) or front.mentions.get(key, 1)
        facts.problems.append(Problem(path, line, Severity.WARNING, f"{key}: {message}", hint))

    for key in ("title", "description", "expansion"):
        value = values.get(key)
        if value is None:
            continue
        if isinstance(value, _PLAIN):
            setattr(facts, key, " ".join(str(value).split()) or None)
        else:
            wrong(key, "is no text", "quote it")
    kind = values.get("kind")
    if kind is not None:
        try:
            facts.kind = NoteKind(str(kind).strip().lower())
        except ValueError:
            wrong("kind", f"there is no kind {str(kind)!r}", _did_you_mean(str(kind)))
    for key, name in (("tags", "tag"), ("aliases", "alias")):
        used = key if values.get(key) is not None else name
        words = _words(values.get(used), spaces=key == "tags")
        if words is None:
            wrong(used, "is no list of words", f"{key}: [one, two]")
        else:
            setattr(facts, key, words)
    folders = path.casefold().split("/")[:-1]
    facts.private = _withheld("private", front, wrong) or "private" in folders
    facts.draft = _withheld("draft", front, wrong) or _is_no(values.get("published"))
    facts.noted = _noted(values, wrong, day_first) or dates.filename_date(path)
    return facts


_NO = frozenset(("false", "no", "off", "n", "0"))


def _is_no(value: Any) -> bool:
    return value is not None and str(value).strip().casefold() in _NO


def _withheld(key: str, front: FrontMatter, wrong: Any) -> bool:
    """Whether front matter says `private` or `draft` in any way.

    A slip must not make public what was meant to stay: what does not plainly say no counts as a
    yes, and in front matter that cannot be read the bare word does.
    """
    if key in front.mentions:
        wrong(key, f"stands in front matter that cannot be read; the note counts as {key}")
        return True
    for name, value in front.values.items():
        if name.casefold() != key or value is None or _is_no(value) or value == "":
            continue
        if value is not True:
            wrong(
                name,
                f"{str(value)[:40]!r} is neither true nor false; the note counts as {key}",
                f"{key}: true",
            )
        return True
    return False


def _noted(values: Mapping[str, Any], wrong: Any, day_first: bool) -> When | None:
    for key in DATE_KEYS:
        value = values.get(key)
        if value is None:
            continue
        when = dates.written_date(str(value), day_first=day_first)
        if when is not None:
            return when
        wrong(key, f"{str(value)!r} is no date", "write it as 2023-09-01, 2023-09 or 2023")
    return None


def _words(value: Any, *, spaces: bool) -> tuple[str, ...] | None:
    if value is None:
        return ()
    if isinstance(value, str):
        value = value.split(",") if "," in value or not spaces else value.split()
    elif isinstance(value, bool | dict):
        return None
    elif not isinstance(value, list):
        value = [value]
    if any(isinstance(item, list | dict) for item in value):
        return None
    words = (" ".join(str(item).split()).lstrip("#") for item in value if item is not None)
    return tuple(dict.fromkeys(word for word in words if word))


def _did_you_mean(kind: str) -> str:
    from difflib import get_close_matches  # 5 ms, needed only to word this problem

    close = get_close_matches(kind.lower(), list(NoteKind), n=1)
    return f"did you mean {close[0]}?" if close else "kinds: " + ", ".join(NoteKind)


def title_of(path: str) -> str:
    """A title from a file's name: `2023-03-29-qlora-notes.md` is "qlora notes"."""
    stem = PurePosixPath(path).stem
    bare = _DATED_STEM.sub("", stem, count=1) if _DATED_STEM.match(stem) else stem
    return " ".join(re.split(r"[-_\s]+", bare)).strip() or stem


def assemble(path: str, digest: str, facts: Facts, builder: Builder, problems: list[Problem]) -> Note:
    """The Note from its parts."""
    title = facts.title
    if title is None:
        title = next((text for level, text, *_ in builder.outline if level == 1 and text), None)
    title = title or title_of(path)
    passages = tuple(builder.passages)
    terms = glossary.harvest(
        passages,
        builder.leads,
        title=title,
        whole=facts.kind is NoteKind.GLOSSARY,
        aliases=facts.aliases,
        expansion=facts.expansion,
    )
    return Note(
        path=path,
        title=title,
        kind=facts.kind,
        digest=digest,
        noted=facts.noted,
        tags=facts.tags,
        aliases=facts.aliases,
        description=facts.description,
        private=facts.private,
        draft=facts.draft,
        passages=passages,
        terms=terms,
        problems=tuple(sorted([*problems, *facts.problems, *builder.problems], key=lambda one: one.line)),
    )
