"""Which pages to look at: the links that are due, one request a page. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kb import urls
from kb.model.kinds import Standing
from kb.model.links import LIVES, LinkRecord, Looks
from kb.store import saved
from kb.store.links import Outline
from kb.web.ignore import UNSAFE, ignores


@dataclass(frozen=True, slots=True)
class Page:
    """One request: the links of one page, which differ by their fragments alone."""

    url: str
    host: str
    links: tuple[LinkRecord, ...]
    kept: bool = False
    """Whether its text was saved, for what it says now to be held against."""

    @property
    def titles(self) -> frozenset[str]:
        """Those that the page had when it was last found alive."""
        return frozenset(
            link.facts.title for link in self.links if link.facts.title and link.looks.verdict in LIVES
        )

    @property
    def vouched(self) -> bool:
        """Whether a site's own API named the page, and it has been found alive."""
        return any(link.facts.source != "page" and link.looks.verdict in LIVES for link in self.links)

    @property
    def whole(self) -> bool:
        """Whether all of the page is wanted: for a place in it that is linked, or for its text."""
        return self.kept or any(link.key.fragment for link in self.links)

    @property
    def etag(self) -> str | None:
        """What makes the request conditional: only where nothing but life is to be learnt."""
        return self._known.etag if self._known else None

    @property
    def last_modified(self) -> str | None:
        """The same, by date."""
        return self._known.last_modified if self._known else None

    @property
    def _known(self) -> Looks | None:
        settled = all(
            link.facts.title and link.looks.standing in (Standing.ALIVE, Standing.MOVED)
            for link in self.links
        )
        return self.links[0].looks if settled else None


@dataclass(frozen=True, slots=True)
class Survey:
    """What a run speaks of, by the store's ids: a million links are more than memory holds.

    `scope` is every web link, `pages` the links of each page to ask for, `unsafe` those that are
    never followed.
    """

    scope: array[int]
    pages: Mapping[str, Sequence[int]]
    not_due: int
    unsafe: array[int]


def survey(
    outlines: Iterable[Outline], now: str, *, ignore: Sequence[str] = (), everything: bool = False
) -> Survey:
    """Which links to look at, at the instant `now`: a page of which one is due, with all of them. Pure."""
    ignored = ignores(ignore)
    scope, unsafe = array("q"), array("q")
    pages: dict[str, list[int]] = {}
    wanted: set[str] = set()
    for one in outlines:
        left_out = one.ignored or ignored(one.address)
        if urls.is_web(one.address):
            scope.append(one.id)
            if not left_out:
                pages.setdefault(one.key, []).append(one.id)
                if everything or one.due is None or one.due <= now:
                    wanted.add(one.key)
        elif not left_out and urls.scheme(one.address) in UNSAFE:
            unsafe.append(one.id)
    not_due = sum(len(found) for key, found in pages.items() if key not in wanted)
    return Survey(scope, {key: found for key, found in pages.items() if key in wanted}, not_due, unsafe)


def pages_of(links: Iterable[LinkRecord], kept: Collection[str] = ()) -> list[Page]:
    """A request for each page of these links, in their order; `kept` are names of saved files. Pure."""
    pages: dict[str, list[LinkRecord]] = {}
    for link in links:
        pages.setdefault(link.key.key, []).append(link)
    return [
        Page(found[0].address, urls.host(found[0].address), tuple(found), _is_kept(key, found, kept))
        for key, found in pages.items()
    ]


def _is_kept(key: str, links: Sequence[LinkRecord], kept: Collection[str]) -> bool:
    """Whether the text of a page was saved, and is the page's own: an API's text is no measure of it."""
    own = links[0].facts.source == "page"
    return bool(kept) and own and saved.file_name(key) in kept
