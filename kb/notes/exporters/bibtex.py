"""BibTeX: an entry a paper, from what its own site said of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from kb.model.kinds import LinkKind
from kb.model.links import LinkRecord
from kb.notes.exporters.base import Exported, Exporter

_SPECIAL = re.compile(r"[&%$#_{}]|[\\~^]")
_NAMED = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_MINOR = frozenset(
    ("a", "an", "the", "on", "of", "in", "for", "to", "and", "is", "are", "how", "what", "why")
)
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
    fields: list[tuple[str, str]] = [("title", f"{{{_tex(link.title or link.url)}}}")]
    if facts.authors:
        fields.append(("author", " and ".join(_name(author) for author in facts.authors)))
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
    fields.append(("url", _verbatim(link.url)))
    if link.when is not None and len(link.when.first) == 10:
        fields.append(("urldate", link.when.first))
    if link.tags:
        fields.append(("keywords", ", ".join(map(_tex, link.tags))))
    lines = [f"  {name} = {value if name == 'month' else f'{{{value}}}'}," for name, value in fields]
    kind = "article" if key.startswith("doi:") else "misc"
    return "\n".join([f"@{kind}{{{_key(link, taken)},", *lines, "}", ""])


def _key(link: Exported, taken: set[str]) -> str:
    """`dettmers2023qlora`: first author, year, first word of the title that says something."""
    facts = link.record.facts
    author = (
        _ascii(facts.authors[0].split(",")[0].split()[-1])
        if facts.authors and facts.authors[0].split()
        else ""
    )
    words = (_ascii(word) for word in link.title.split())
    word = next((word for word in words if word and word not in _MINOR), "")
    base = f"{author}{(facts.published or '')[:4]}{word}" or "paper"
    key, number = base, 1
    while key in taken:
        number += 1
        key = f"{base}-{number}"
    taken.add(key)
    return key


def _ascii(text: str) -> str:
    return re.sub(
        r"[^a-z0-9]", "", unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    )


def _name(author: str) -> str:
    """A person's name; one that holds " and " (a group's) is braced, else it would be two."""
    name = _tex(author)
    return f"{{{name}}}" if re.search(r"\sand\s", author, re.IGNORECASE) else name


def _tex(text: str) -> str:
    line = " ".join(text.split())
    return _SPECIAL.sub(lambda match: _NAMED.get(match[0]) or "\\" + match[0], line)


def _verbatim(url: str) -> str:
    """An address in braces, where LaTeX's own signs are harmless and braces would end it."""
    return url.replace("{", "%7B").replace("}", "%7D").replace("\\", "%5C")


def _is_paper(record: LinkRecord) -> bool:
    return record.kind is LinkKind.PAPER


EXPORTER = Exporter("bibtex", "BibTeX, an entry a paper", write, _is_paper)
