"""Sites that can say more of a page than the page does: one module a site, found by a registry.

Another source is one module with a `Source` and one line in `ALL`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kb.web.sources.arxiv import Arxiv
from kb.web.sources.base import Answers, Ask, Life, Met, Reading, Readings, Source, Wanted
from kb.web.sources.doi import Doi
from kb.web.sources.github import GitHub
from kb.web.sources.hackernews import HackerNews
from kb.web.sources.wikipedia import Wikipedia
from kb.web.sources.youtube import YouTube

ALL: tuple[Callable[..., Source], ...] = (Arxiv, HackerNews, GitHub, YouTube, Wikipedia, Doi)
"""In order of who is asked first. `generic`, which takes every page, stands apart: it reads PDFs."""

__all__ = [
    "ALL",
    "Answers",
    "Ask",
    "Life",
    "Met",
    "Reading",
    "Readings",
    "Source",
    "Wanted",
    "registry",
    "source_of",
]


def registry(
    *, token: str = "", contact: str = "", bases: Mapping[str, Mapping[str, str]] | None = None
) -> tuple[Source, ...]:
    """Every source, ready to ask. `token` is GitHub's; `contact` an address for polite APIs.

    `bases` moves a source's addresses, by source and name: `{"arxiv": {"base": "http://..."}}`.
    """
    moved = bases or {}
    own: dict[object, dict[str, str]] = {
        GitHub: {"token": token},
        Wikipedia: {"contact": contact},
        Doi: {"contact": contact},
    }
    return tuple(kind(**own.get(kind, {}), **moved.get(_name(kind), {})) for kind in ALL)


def _name(kind: object) -> str:
    return str(getattr(kind, "name", ""))


def source_of(sources: Sequence[Source], key: str, url: str) -> tuple[Source, Wanted]:
    """The first source that knows the page, and what it calls it."""
    for source in sources:
        name = source.claims(key, url)
        if name is not None:
            return source, Wanted(key, url, name)
    raise LookupError(f"no source takes {url}")
