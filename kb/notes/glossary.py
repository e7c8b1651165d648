"""Glossary terms, as passages give them: term, expansion, definition, source link.

A term is read where a note says that it lists terms: a note of the kind `glossary`, or a section
under a heading named so. Elsewhere `**Note**: ...` is just bold text. Definition lists are terms
wherever they stand, since nothing else is written that way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from kb.model.notes import LinkForm, Passage, PassageKind, Term

MAX_TERM = 80
# An expansion is a name, not a sentence.
MAX_EXPANSION_WORDS = 10

_HEADING = re.compile(
    r"(?:the\s+|my\s+)?(?:[\w-]+\s+){0,3}glossary(?:\s+(?:of|for)\s.*|\s+terms)?\s*:?", re.IGNORECASE
)
_SEPARATOR = re.compile(r"\s*(?:(?<!:):(?!:|//)(?=\s|\Z)|=(?!=)|—|–|\s-{1,3}(?=\s))\s*")
_PARENTHESES = re.compile(r"(.+?)\s*\(([^()]+)\)\s*\Z")
_SENTENCE = re.compile(r"(?<!\b[A-Za-z])(?<!\be\.g)(?<!\bi\.e)\.(?=\s|\Z)\s*")
_QUOTED = re.compile(
    r"(?:[^'\"“‘«]{0,60}[:\s]\s*|\A)(?:'(.+)'|\"(.+)\"|“(.+)”|‘(.+)’|«(.+)»)[\s.]*\Z", re.DOTALL
)
_MINOR = frozenset("a an and as at by for from in of on or the to via with".split())  # noqa: SIM905 - a list of words reads as words


@lru_cache(maxsize=1024)
def is_glossary(heading: str) -> bool:
    """Whether a heading says that terms follow: "Glossary", "LLM glossary", "Glossary of terms"."""
    return _HEADING.fullmatch(heading.strip(" #*_.")) is not None


def harvest(
    passages: Sequence[Passage],
    leads: Mapping[int, str],
    *,
    title: str,
    whole: bool,
    aliases: tuple[str, ...] = (),
    expansion: str | None = None,
) -> tuple[Term, ...]:
    """Terms of a note, in order, each once.

    `leads` maps a passage's start to the bold words it begins with. `whole` says that the note
    is a glossary from end to end; if it lists no terms it is one itself: its title, with
    `aliases` and `expansion` from its front matter.
    """
    terms: list[Term] = []
    for index, passage in enumerate(passages):
        if passage.kind is PassageKind.DEFINITION:
            found = _split_definition(passage, leads.get(passage.span.start, ""))
        elif passage.kind is PassageKind.HEADING or not (whole or any(map(is_glossary, passage.heading))):
            continue
        elif passage.kind is PassageKind.BULLET:
            if passage.parents and not passage.parents[-1].endswith((":", "：")):
                continue
            found = _from_line(passage, leads.get(passage.span.start, ""), passages[index + 1 : index + 2])
        elif passage.kind is PassageKind.PARAGRAPH and passage.span.start in leads:
            found = _from_line(passage, leads[passage.span.start], ())
        else:
            continue
        if found is not None:
            terms.append(found)
    if whole and not terms:
        terms = _from_headings(passages) or [_from_note(passages, title, aliases, expansion)]
    unique: dict[str, Term] = {}
    for term in terms:
        unique.setdefault(term.term.casefold(), term)
    return tuple(unique.values())


def _from_line(passage: Passage, lead: str, after: Sequence[Passage]) -> Term | None:
    """`[PEFT](url) = Expansion.`, `**RAG**: ...`, `QLoRA - ...`, or a bare term with a bullet under it."""
    text = passage.text
    name = lead.strip() or (passage.links[0].anchor.strip() if passage.links else "")
    if name and text.startswith(name):
        at = len(name)
        # `**RAG:** ...` has its sign inside of the bold words.
        inside = name.rstrip(" :=—–-")
        rest = text[at:]
        if inside != name:
            separated, name = rest.strip(), inside
            sign = text[len(inside) : at].strip()
        else:
            aside = re.match(r"\s*\(([^()]+)\)", rest)
            if aside is not None:
                name, rest = f"{name} ({aside[1]})", rest[aside.end() :]
            found = _SEPARATOR.match(rest)
            if found is None and rest.strip():
                return None
            sign = found.group().strip() if found else ""
            separated = rest[found.end() :].strip() if found else ""
    else:
        found = _SEPARATOR.search(text)
        if found is None or not text[: found.start()].strip():
            return None
        name, sign, separated = (
            text[: found.start()].strip(),
            found.group().strip(),
            text[found.end() :].strip(),
        )
    if not separated:
        under = [child for child in after if child.parents and child.parents[-1] == text]
        if not under:
            return None
        separated = under[0].text
    return _term(passage, name, separated, sign)


def _split_definition(passage: Passage, name: str) -> Term | None:
    return _term(passage, name, passage.text[len(name) + 2 :].strip(), ":") if name else None


def _term(passage: Passage, name: str, rest: str, sign: str) -> Term | None:
    expansion: str | None = None
    aliases: tuple[str, ...] = ()
    aside = _PARENTHESES.match(name)
    if aside is not None:
        outer, inner = aside[1].strip(), aside[2].strip()
        if spells(outer, inner):
            name, expansion = outer, inner
        elif spells(inner, outer):
            name, expansion = inner, outer
        else:
            name, aliases = outer, (inner,)
    if not name or len(name) > MAX_TERM or "\n" in name:
        return None
    definition: str | None = rest or None
    if expansion is None and rest:
        end = _SENTENCE.search(rest)
        first = rest[: end.start()] if end is not None else rest
        if _expands(name, first, sign):
            expansion = first.strip()
            definition = rest[end.end() :].strip() if end is not None else None
        elif (comma := re.split(r",\s|\s[—–-]\s|;\s", first, maxsplit=1)) and spells(name, comma[0]):
            expansion = comma[0].strip()
    if definition:
        quoted = _QUOTED.match(definition)
        if quoted is not None:
            definition = next(part for part in quoted.groups() if part)
    url = next((link.url for link in passage.links if link.form is not LinkForm.IMAGE), None)
    return Term(name, expansion, definition or None, url, passage.line, aliases)


def _expands(name: str, phrase: str, sign: str) -> bool:
    """Whether a phrase is what the term stands for rather than what it means."""
    if phrase[:1] in "'\"“‘":
        return False
    if spells(name, phrase):
        return True
    return sign == "=" and 0 < len(phrase.split()) <= MAX_EXPANSION_WORDS


def spells(short: str, phrase: str) -> bool:
    """Whether the initials of a phrase spell an abbreviation: RAG, Retrieval-Augmented Generation."""
    letters = re.sub(r"[^A-Za-z0-9]", "", short).lower()
    if not 2 <= len(letters) <= 12 or " " in short.strip():
        return False
    words = [word.lower() for word in re.split(r"[\s/-]+", phrase) if word and word[0].isalnum()]
    if not 1 < len(words) <= 2 * len(letters) + 2:
        return False
    for chosen in (words, [word for word in words if word not in _MINOR]):
        initials = "".join(word[0] for word in chosen)
        if initials == letters or initials == letters.removesuffix("s"):
            return True
    # QLoRA, PEFT: some words give more than one letter.
    return letters[0] == words[0][0] and len(words) <= len(letters) and _threads(letters, words)


def _threads(letters: str, words: Sequence[str]) -> bool:
    """Whether the letters can be taken in order from the words, each word giving its first."""
    reachable = {0}
    for word in words:
        after: set[int] = set()
        for at in reachable:
            if at < len(letters) and word[0] == letters[at]:
                after.add(at + 1)
                used, next_at = 1, at + 1
                while next_at < len(letters) and (place := word.find(letters[next_at], used)) >= 0:
                    used, next_at = place + 1, next_at + 1
                    after.add(next_at)
        reachable = after
    return len(letters) in reachable


def _from_headings(passages: Sequence[Passage]) -> list[Term]:
    """A glossary of `## Term` with a paragraph under each."""
    terms: list[Term] = []
    seen: set[tuple[str, ...]] = set()
    for passage in passages:
        named = len(passage.heading) > 1 and not is_glossary(passage.heading[-1])
        if passage.kind is PassageKind.PARAGRAPH and named and passage.heading not in seen:
            seen.add(passage.heading)
            term = _term(passage, passage.heading[-1], passage.text, "")
            if term is not None:
                terms.append(term)
    return terms


def _from_note(
    passages: Sequence[Passage], title: str, aliases: tuple[str, ...], expansion: str | None
) -> Term:
    """One term a file: the title, and the first thing that the note says of it."""
    first = next((one for one in passages if one.kind is not PassageKind.HEADING), None)
    if first is None:
        return Term(title, expansion, None, None, 1, aliases)
    url = next((link.url for one in passages for link in one.links), None)
    line = first.line
    text = first.text
    if expansion is None:
        end = _SENTENCE.search(text)
        phrase = text[: end.start()] if end is not None else text
        if spells(title, phrase):
            expansion = phrase
            text = text[end.end() :].strip() if end is not None else ""
    return Term(title, expansion, text or None, url, line, aliases)
