"""A page of Markdown -> dated notes.

One page that grew over years, a heading a day or a month, becomes a note for each dated heading.
The body's bytes are kept: each lies in exactly one draft, in order. A glossary section becomes a
note of its own; what follows it stays with the dated heading it stands under. Liquid tags are text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kb.errors import ImportRefused
from kb.model.dates import When
from kb.model.kinds import NoteKind
from kb.model.notes import Note
from kb.model.reports import Problem, Severity
from kb.notes import dates, frontmatter, glossary
from kb.notes.importers.base import Draft, Imported, Importer, free, read_file, slugify
from kb.notes.parse import Heading, definitions, outline, parse
from kb.notes.source import read_source
from kb.notes.walk import SUFFIXES

# Keys of the page that say where it was, so that links to its old address can be mended.
_KEPT = ("permalink", "redirect_from")
_LINE_END = re.compile(rb"\r\n|\r|\n")


def _sniff(source: Path) -> bool:
    return source.is_file() and source.name.lower().endswith(SUFFIXES)


def _read(source: Path, day_first: bool) -> Imported:
    return split_page(source.name, read_file(source), day_first=day_first)


@dataclass(slots=True)
class _Part:
    """A note to be: the pieces of the page's body that are its own."""

    when: When | None
    title: str
    slug: str
    kind: NoteKind
    pieces: list[tuple[int, int]] = field(default_factory=list)


def split_page(name: str, data: bytes, *, day_first: bool = False, taken: set[str] | None = None) -> Imported:
    """Split one page. `taken` holds paths already given out, which are not given again."""
    taken = set() if taken is None else taken
    page = parse(name, data, day_first=day_first)
    if not read_source(name, data).faithful:
        problem = page.problems[0]
        raise ImportRefused(f"{name}:{problem.line}: {problem.message}", hint=problem.hint)
    body, headings = outline(data)
    parts = _parts(page, data, body, headings, day_first)
    drafts: list[Draft] = []
    problems = list(page.problems)
    lost = _shared_definitions(data, parts)
    front = frontmatter.read(name, read_source(name, data).raw).values
    source = {key: str(front[key]) for key in _KEPT if isinstance(front.get(key), str | int)}
    for part, extra in zip(parts, lost, strict=True):
        path = _path(part, taken)
        taken.add(path)
        values: dict[str, str | bool | Sequence[str]] = {"title": part.title}
        if part.when is not None:
            values["date"] = str(part.when)
        if part.kind is not NoteKind.NOTE:
            values["kind"] = str(part.kind)
        if page.tags:
            values["tags"] = list(page.tags)
        values |= {"source": name, **source}
        if len(parts) == 1:
            values |= {"aliases": list(page.aliases)} if page.aliases else {}
            values |= {"description": page.description} if page.description else {}
        values |= {key: True for key, on in (("draft", page.draft), ("private", page.private)) if on}
        text = b"".join(data[start:end] for start, end in part.pieces)
        newline = newline_of(data)
        head = frontmatter.render(values).encode().replace(b"\n", newline)
        if extra:
            joint = b"" if text.endswith((b"\n", b"\r")) else newline
            text += joint + newline + newline.join(extra) + newline
            problems.append(
                Problem(
                    name,
                    1,
                    Severity.WARNING,
                    f"{len(extra)} link definition(s) were copied into {path}, which uses them",
                )
            )
        drafts.append(Draft(path, head + text))
    return Imported(tuple(drafts), tuple(problems))


def _parts(page: Note, data: bytes, body: int, headings: Sequence[Heading], day_first: bool) -> list[_Part]:
    """Who owns which bytes: each piece belongs to the innermost dated or glossary heading above it."""
    slug = slugify(page.title)
    rest = _Part(page.noted, page.title, slug, page.kind)
    parts = [rest]
    stack: list[tuple[int, _Part]] = []
    owner, at = rest, body
    for heading in headings:
        start = _line_start(data, heading.span.start, body)
        owner.pieces.append((at, start))
        at = start
        while stack and stack[-1][0] >= heading.level:
            stack.pop()
        above = stack[-1][1] if stack else rest
        year = int(above.when.first[:4]) if above.when is not None else None
        dated = dates.date_in_heading(heading.text, day_first=day_first, year=year)
        if dated is not None:
            when, words = dated
            title = words or f"{page.title}, {heading.text}"
            owner = _Part(when, title, slugify(words) if words else slug, NoteKind.NOTE)
            parts.append(owner)
        elif glossary.is_glossary(heading.text) and above.kind is not NoteKind.GLOSSARY:
            owner = _Part(above.when, f"{page.title}: {heading.text}", slug, NoteKind.GLOSSARY)
            parts.append(owner)
        else:
            owner = above
        stack.append((heading.level, owner))
    owner.pieces.append((at, len(data)))
    # Blank lines before the first heading are no note; they go with what follows them.
    if len(parts) > 1 and not any(data[start:end].strip() for start, end in rest.pieces):
        parts.remove(rest)
        parts[0].pieces[:0] = [piece for piece in rest.pieces if piece[0] < piece[1]]
        parts[0].pieces.sort()
    return parts


def _line_start(data: bytes, at: int, floor: int) -> int:
    while at > floor and data[at - 1] not in b"\r\n":
        at -= 1
    return at


def _shared_definitions(data: bytes, parts: Sequence[_Part]) -> list[list[bytes]]:
    """For each part, the link definitions that it uses and another part holds."""
    result: list[list[bytes]] = [[] for _ in parts]
    if len(parts) < 2:
        return result
    for used_at, first, last in definitions(data):
        user = _owner(parts, used_at)
        if user is not None and user != _owner(parts, first):
            line = b" ".join(_LINE_END.sub(b" ", data[first:last]).split())
            if line not in result[user]:
                result[user].append(line)
    return result


def _owner(parts: Sequence[_Part], at: int) -> int | None:
    return next(
        (index for index, part in enumerate(parts) if any(start <= at < end for start, end in part.pieces)),
        None,
    )


def _path(part: _Part, taken: set[str]) -> str:
    if part.kind is NoteKind.GLOSSARY:
        base = f"glossary/{part.slug}"
    elif part.when is None:
        base = part.slug
    else:
        # A year has no month for a name; a range is filed under its first day.
        base = f"{part.when.first[:4]}/{part.when.first}-{part.slug}"
    return free(base, taken)


def newline_of(data: bytes) -> bytes:
    """The line end that a file uses first; LF where it has none."""
    match = _LINE_END.search(data)
    return match.group() if match is not None else b"\n"


IMPORTER = Importer("page", "a page of Markdown: a note for each dated heading", _sniff, _read)
