"""What each tool does, and the sizes that its answer keeps to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import mcp_types as types

from kb import contract
from kb.knowledge import KnowledgeBase
from kb.mcp.takes import EXCERPT, AddLink, Glossary, Links, ReadNote, ReadPage, Refused, Search, Takes
from kb.model.kinds import Source
from kb.model.links import LinkRecord

#: Characters of one answer, as JSON: some ten thousand tokens.
ANSWER = 40_000
#: Characters of a note or a page in one answer.
TEXT = 24_000
#: Places told of one link or one term.
PLACES = 10

Answer = dict[str, Any]


def search(base: KnowledgeBase, asked: Search, private: bool) -> Answer:
    """Find the passages that answer a question, by words and by meaning together, best first."""
    sources = {"notes": (Source.NOTE,), "pages": (Source.PAGE,)}.get(asked.where, ())
    narrow = asked.filter(private, sources)
    found = base.search(asked.query, narrow=narrow, mode=asked.mode, limit=asked.limit)
    hits = [contract.hit(hit) for hit in found.hits]
    for hit in hits:
        hit["text"] = cut(hit["text"], EXCERPT)
        hit["links"] = hit["links"][:PLACES]
    answer = _fitted("hits", hits, {"notices": list(found.notices)})
    if not hits:
        answer["notices"].append("nothing found; try other words, fewer words, or no filters")
    return answer


def read_note(base: KnowledgeBase, asked: ReadNote, private: bool) -> Answer:
    """Read a note, or some lines of it."""
    note = base.note(asked.path, private=private)
    whole = len(note.lines)
    if asked.first > max(whole, 1):
        raise Refused(f"{note.path} has {whole} lines; first is {asked.first}")
    last = min(asked.last or whole, whole)
    if last < asked.first <= whole:
        raise Refused(f"last is {asked.last}, which comes before first ({asked.first})")
    given: list[str] = []
    room = TEXT
    for line in note.lines[asked.first - 1 : last]:
        if given and len(line) + 1 > room:
            break
        given.append(cut(line, room))  # a line longer than an answer may be is not given whole
        room -= len(line) + 1
    end = asked.first + len(given) - 1
    return {
        "path": note.path,
        "title": note.title,
        "kind": str(note.kind),
        "noted": None if note.noted is None else str(note.noted),
        "tags": list(note.tags),
        "first": asked.first,
        "last": end,
        "lines": whole,
        "text": "\n".join(given),
        "next_line": end + 1 if end < last else None,
    }


def read_page(base: KnowledgeBase, asked: ReadPage, private: bool) -> Answer:
    """Read the saved text of a linked page, as it was when it was last fetched."""
    page = contract.saved_page(base.saved(asked.url, private=private))
    text = page["text"]
    end = asked.offset + TEXT
    page |= {
        "abstract": cut(page["abstract"], EXCERPT),
        "text": text[asked.offset : end],
        "offset": asked.offset,
        "characters": len(text),
        "next_offset": end if end < len(text) else None,
    }
    return page


def list_links(base: KnowledgeBase, asked: Links, private: bool) -> Answer:
    """List the links of the notes: address, title, standing, why, and where each stands."""
    part: list[LinkRecord] = []
    total = 0
    for total, record in enumerate(base.each_link(asked.filter(private)), 1):  # the last is all
        if asked.offset < total <= asked.offset + asked.limit:
            part.append(record)
    told = _fitted("links", [_link(one, private) for one in part], {"total": total})
    end = asked.offset + len(told["links"])
    return told | {"next_offset": end if end < total else None}


def glossary(base: KnowledgeBase, asked: Glossary, private: bool) -> Answer:
    """Look up a term of the notes' glossary, or list the terms: expansion, definition, where used."""
    entries = base.glossary(asked.term, private=private)
    if asked.term and not entries:
        raise Refused(f"the glossary has no term {asked.term!r}; without a term it lists them")
    terms = []
    for entry in entries[asked.offset : asked.offset + asked.limit]:
        term = contract.term(entry)
        terms.append(
            term
            | {
                "definition": cut(term["definition"] or "", EXCERPT) or None,
                "uses": term["uses"][:PLACES],
                "use_count": len(term["uses"]),
            }
        )
    told = _fitted("terms", terms, {"total": len(entries)})
    end = asked.offset + len(told["terms"])
    return told | {"next_offset": end if end < len(entries) else None}


def add_link(base: KnowledgeBase, asked: AddLink, private: bool) -> Answer:
    """Append a link, with its title, to today's note or another; a link that is known is not added."""
    added = base.add_link(
        asked.url,
        note=asked.note,
        comment=asked.comment,
        quote=asked.quote,
        tags=tuple(asked.tags),
        typed=False,
    )
    told = contract.added(added)
    if added.known and added.known.private and not private:
        told |= {"path": None, "line": None, "title": None, "warning": "a private note holds it already"}
    told["paired"] = [contract.mention(place) for place in added.paired if private or not place.private]
    return told


class Tool(NamedTuple):
    """A tool: what it takes, and what it does. Its docstring is what a model reads of it."""

    run: Callable[[KnowledgeBase, Any, bool], Answer]
    takes: type[Takes]
    writes: bool = False

    @property
    def name(self) -> str:
        """As the protocol names it."""
        return self.run.__name__

    def described(self) -> types.Tool:
        """As a client is told of it."""
        return types.Tool(
            name=self.name,
            description=(self.run.__doc__ or "").strip(),
            input_schema=self.takes.model_json_schema(),
            annotations=types.ToolAnnotations(
                read_only_hint=not self.writes,
                destructive_hint=False,
                idempotent_hint=True,
                open_world_hint=self.writes,
            ),
        )


TOOLS = (
    Tool(search, Search),
    Tool(read_note, ReadNote),
    Tool(read_page, ReadPage),
    Tool(list_links, Links),
    Tool(glossary, Glossary),
    Tool(add_link, AddLink, writes=True),
)


def _link(record: LinkRecord, private: bool) -> Answer:
    """A link as the contract has it, with the first of the places that may be told."""
    mentions = [place for place in record.mentions if private or not place.private]
    told = contract.link(record) | {"mentions": [contract.mention(place) for place in mentions[:PLACES]]}
    if mentions:
        told["url"] = mentions[0].url
    return {**told, "mention_count": len(mentions)}


def _fitted(name: str, items: Iterable[Answer], rest: Answer) -> Answer:
    """As many of the items as one answer holds, at least one of them; a list of their own names the rest."""
    kept: list[Answer] = []
    room = ANSWER
    left = 0
    for item in items:
        size = len(json.dumps(item, ensure_ascii=False))
        if left or (kept and size > room):
            left += 1
            continue
        kept.append(item)
        room -= size
    return {name: kept, **rest, **({"left_out": left} if left else {})}


def cut(text: str, most: int) -> str:
    """The text, at most so long."""
    return text if len(text) <= most else text[: max(most, 1) - 1] + "…"
