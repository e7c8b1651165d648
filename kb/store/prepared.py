"""A note as the rows it will be, of plain tuples: made anywhere, even in another process.

Only ids are missing; the store gives them when it writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, NamedTuple
from urllib.parse import unquote

from kb.model.dates import When
from kb.model.kinds import Source
from kb.model.notes import Link, Note
from kb.model.search import excerpt
from kb.store.grams import grams
from kb.store.rows import Identity, Stamp, dates, join

# Words that stand in most addresses and tell nothing of the page.
_COMMON = frozenset(
    ("http", "https", "www", "com", "org", "net", "html", "htm", "php", "aspx", "index", "id", "utm")
)
_LONGEST = max(map(len, _COMMON))
_WORD = re.compile(r"[^\W_]+")
_PLAIN_WORD = re.compile(r"[A-Za-z0-9]+")
_NOTE = Source.NOTE.value

Row = tuple[Any, ...]


class Prepared(NamedTuple):
    """Rows of one note, without ids. Of plain values only, so that `marshal` can carry them.

    `note` begins with the path; a mention in `mentions` begins with the index of its passage,
    then key, fragment, kind and host of its link. `pairs` are (index of a passage, its grams),
    for those few that have any.
    """

    note: Row
    tags: tuple[str, ...]
    terms: tuple[Row, ...]
    problems: tuple[Row, ...]
    passages: tuple[Row, ...]
    pairs: tuple[tuple[int, str], ...]
    mentions: tuple[Row, ...]

    @property
    def path(self) -> str:
        """The note's path."""
        return str(self.note[0])

    @property
    def private(self) -> bool:
        """Whether the note is private."""
        return bool(self.note[10])


def prepare(note: Note, stamp: Stamp, identify: Callable[[Link], Identity]) -> Prepared:
    """The rows of a note. `identify` names each of its links."""
    title = note.title
    passages: list[Row] = []
    pairs: list[tuple[int, str]] = []
    mentions: list[Row] = []
    # What neighbours share - a heading path, a date - is the same object, and is put into columns once.
    heading: tuple[str, ...] | None = None
    noted: When | None = None
    noted_columns = dates(None)
    headings, above, plain = "", "", False
    for ordinal, passage in enumerate(note.passages):
        text, parents, span, date = passage.text, passage.parents, passage.span, passage.date
        if passage.heading is not heading:
            heading = passage.heading
            headings, above = join(heading), excerpt(title, heading, (), "").context
            plain = title.isascii() and headings.isascii()
        if passage.noted is not noted:
            noted = passage.noted
            noted_columns = dates(noted)
        words: dict[str, None] = {}
        for link in passage.links:
            key, kind, host = identify(link)
            url, href, place = link.url, link.href, link.span
            words[address_words(url)] = None
            mentions.append(
                (
                    ordinal,
                    key.key,
                    key.fragment,
                    kind._value_,  # what `.value` gives, without its call
                    host,
                    link.line,
                    place.start,
                    place.end,
                    href,
                    link.anchor,
                    link.form._value_,
                    url if url != href else None,
                )
            )
        if not (plain and text.isascii()) and (found := grams("\n".join((text, *heading, title)))):
            pairs.append((ordinal, found))
        # The digest of the passage's `excerpt`, without making that value.
        context = "\n".join(filter(None, (above, *parents))) if parents else above
        read = f"{context}\n{text}" if context else text
        passages.append(
            (
                ordinal,
                _NOTE,
                passage.kind._value_,
                passage.line,
                span.start,
                span.end,
                text,
                headings,
                join(parents) if parents else "",
                " ".join(words),
                *noted_columns,
                *(noted_columns if date is noted else dates(date)),
                blake2b(read.encode("utf-8", "surrogatepass"), digest_size=16).digest(),
            )
        )
    row = (
        note.path,
        stamp.size,
        stamp.mtime_ns,
        bytes.fromhex(stamp.digest),
        title,
        note.kind.value,
        dates(note.noted).text,
        join(note.tags),
        join(note.aliases),
        note.description,
        int(note.private),
        int(note.draft),
    )
    return Prepared(
        row,
        tuple(dict.fromkeys(tag.casefold() for tag in note.tags)),
        tuple((t.line, t.term, t.expansion, t.definition, t.url, join(t.aliases)) for t in note.terms),
        tuple((p.line, p.severity.value, p.message, p.hint) for p in note.problems),
        tuple(passages),
        tuple(pairs),
        tuple(mentions),
    )


def address_words(url: str) -> str:
    """The words of a link's address that a person may remember: often the slug says what it was."""
    plain = unquote(url) if "%" in url else url
    words = (_PLAIN_WORD if plain.isascii() else _WORD).findall(plain)
    return " ".join([word for word in words if len(word) > _LONGEST or word.lower() not in _COMMON])
