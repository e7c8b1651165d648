"""Links that are never looked at: by the notebook's settings, or since following them is unsafe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from kb import urls
from kb.model.links import LinkRecord, Verdict

UNSAFE = frozenset({"javascript", "data", "file", "vbscript", "blob"})
"""Schemes that run something or read the reader's own disk: listed, and never followed."""


def with_unsafe(links: Iterable[LinkRecord]) -> list[LinkRecord]:
    """The same links, those of an unsafe scheme with a word that they are."""
    return [_unsafe(link) if urls.scheme(link.address) in UNSAFE else link for link in links]


def _unsafe(link: LinkRecord) -> LinkRecord:
    words = f"unsafe: {urls.scheme(link.address)}: is never followed"
    return replace(link, looks=replace(link.looks, verdict=Verdict.SKIPPED, reason=words))


def _spelled(pattern: str) -> str:
    """A pattern as an expression that never goes back: each `*` takes the least that the next part allows."""
    first, *rest = (re.escape(part).replace(r"\?", ".") for part in re.split(r"\*+", pattern))
    if not rest:
        return first
    middle = "".join(f"(?>.*?{part})" for part in rest[:-1])
    return f"{first}{middle}.*{rest[-1]}"


def with_ignored(links: Iterable[LinkRecord], patterns: Sequence[str]) -> list[LinkRecord]:
    """The same links, those whose URL matches a pattern (`*`, `?`) ignored as if the person had said so."""
    if not patterns:
        return list(links)
    ignored = ignores(patterns)
    return [
        replace(link, person=replace(link.person, ignored=True)) if ignored(link.address) else link
        for link in links
    ]


def ignores(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Whether an address, as written or in its canonical form, matches a pattern (`*`, `?`)."""
    if not patterns:
        return lambda url: False
    spelled = "|".join(map(_spelled, patterns))
    match = re.compile(rf"(?:{spelled})\Z", re.DOTALL).match
    return lambda url: bool(match(url) or match(urls.canonical(url)))
