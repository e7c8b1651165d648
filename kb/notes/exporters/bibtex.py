"""BibTeX: an entry a paper, from what its own site said of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kb.model.kinds import LinkKind
from kb.model.links import LinkRecord
from kb.notes.bibtex import address, author_field, cite_key, entry, tex, title_field
from kb.notes.exporters.base import Exported, Exporter

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def write(links: Iterable[Exported]) -> Iterator[str]:
    """An entry a link, each under a key of its own, an empty line between two."""
    taken: set[str] = set()
    for link in links:
        between = "\n" if taken else ""
        yield between + _entry(link, taken)


def _entry(link: Exported, taken: set[str]) -> str:
    key, facts = link.record.key.key, link.record.facts
    published = facts.published or ""
    fields = [title_field(link.title or link.url), author_field(facts)]
    if re.match(r"\d{4}", published):
        fields.append(("year", published[:4]))
    if re.match(r"\d{4}-(?:0[1-9]|1[0-2])", published):
        fields.append(("month", _MONTHS[int(published[5:7]) - 1]))
    if key.startswith("arxiv:"):
        fields += [("eprint", key.removeprefix("arxiv:")), ("archiveprefix", "arXiv")]
        category = facts.extra.get("primary_category")
        if isinstance(category, str):
            fields.append(("primaryclass", category))
    elif key.startswith("doi:"):
        fields.append(("doi", key.removeprefix("doi:")))
    fields.append(("url", address(link.url)))
    if link.when is not None and len(link.when.first) == 10:
        fields.append(("urldate", link.when.first))
    if link.tags:
        fields.append(("keywords", ", ".join(map(tex, link.tags))))
    kind = "article" if key.startswith("doi:") else "misc"
    return "\n".join([*entry(kind, _key(link, taken), fields), ""])


def _key(link: Exported, taken: set[str]) -> str:
    """The paper's key, numbered where another has it."""
    base = cite_key(link.title, link.record.facts)
    key, number = base, 1
    while key in taken:
        number += 1
        key = f"{base}-{number}"
    taken.add(key)
    return key


def _is_paper(record: LinkRecord) -> bool:
    return record.kind is LinkKind.PAPER


EXPORTER = Exporter("bibtex", "BibTeX, an entry a paper", write, _is_paper)
