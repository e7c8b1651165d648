"""Links that are never looked at: by the notebook's settings, or since following them is unsafe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from kb import urls
from kb.model import LinkRecord, Verdict

UNSAFE = frozenset({"javascript", "data", "file", "vbscript", "blob"})
"""Schemes that run something or read the reader's own disk: listed, and never followed."""


def with_unsafe(links: Iterable[LinkRecord]) -> list[LinkRecord]:
    """The same links, those of an unsafe scheme with a word that they are."""
    return [_unsafe(link) if urls.scheme(link.address) in UNSAFE else link for link in links]


def _unsafe(link: LinkRecord) -> LinkRecord:
    words = f"unsafe: {urls.scheme(link.address)}: is never followed"
    return replace(link, looks=replace(link.looks, verdict=Verdict.SKIPPED, reason=words))


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
    """Whether an address, as written or in its canonical form, matches one of the patterns."""
    if not patterns:
        return lambda url: False
    spelled = "|".join(re.escape(one).replace(r"\*", ".*").replace(r"\?", ".") for one in patterns)
    matcher = re.compile(rf"(?:{spelled})\Z", re.DOTALL)
    return lambda url: bool(matcher.match(url) or matcher.match(urls.canonical(url)))
