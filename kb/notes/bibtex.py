"""BibTeX as it is written: the key of a paper, and an entry's lines in words that LaTeX takes for words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote

from kb.model.links import Facts

_SPECIAL = re.compile(r"[&%$#_{}]|[\\~^]")
_NAMED = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_MINOR = frozenset(
    ("a", "an", "the", "on", "of", "in", "for", "to", "and", "is", "are", "how", "what", "why")
)


def cite_key(title: str, facts: Facts) -> str:
    """`dettmers2023qlora`: first author, year, first word of the title that says something; ASCII."""
    author = next(iter(facts.authors), "").split(",")[0].split()
    words = (_ascii(word) for word in title.split())
    word = next((word for word in words if word and word not in _MINOR), "")
    return f"{_ascii(author[-1]) if author else ''}{(facts.published or '')[:4]}{word}" or "paper"


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]", "", plain.lower())


def entry(kind: str, key: str, fields: Iterable[tuple[str, str]]) -> list[str]:
    """The lines of an entry; a field without a value is left out. A month is a macro: no braces."""
    told = ((name, value if name == "month" else f"{{{value}}}") for name, value in fields if value)
    return [f"@{kind}{{{key},", *(f"  {name} = {value}," for name, value in told), "}"]


def title_field(title: str) -> tuple[str, str]:
    """The title in braces of its own, which keep its capitals."""
    return "title", f"{{{tex(title)}}}"


def author_field(facts: Facts) -> tuple[str, str]:
    """All authors. Names of organisations are not told from people's."""
    return "author", " and ".join(map(_name, facts.authors))


def _name(author: str) -> str:
    """A person's name; one that holds " and " (a group's) is braced, else it would be two."""
    name = tex(author)
    return f"{{{name}}}" if re.search(r"\sand\s", author, re.IGNORECASE) else name


def tex(text: str) -> str:
    """Words on one line, LaTeX's own signs among them escaped."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return _SPECIAL.sub(lambda match: _NAMED.get(match[0]) or "\\" + match[0], line)


def address(url: str) -> str:
    """An address in braces, where LaTeX's own signs are harmless and braces would end it."""
    return "".join(
        char if char.isprintable() and char not in " {}\\`" else quote(char, errors="replace") for char in url
    )
