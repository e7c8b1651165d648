"""Which pages to look at: the links that are due, one request a page. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from kb import urls
from kb.model.kinds import Standing
from kb.model.links import LinkRecord, Looks
from kb.store import saved
from kb.web.ignore import UNSAFE, with_ignored, with_unsafe
from kb.web.study import LIVES


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
        return any(
            link.facts.extra.get("source", "page") != "page" and link.looks.verdict in LIVES
            for link in self.links
        )

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
class Plan:
    """Pages to ask for, hosts mixed; `scope` is every web link that the run speaks of."""

    pages: tuple[Page, ...]
    scope: tuple[LinkRecord, ...]
    not_due: int
    unsafe: tuple[LinkRecord, ...] = ()


def plan(
    links: Iterable[LinkRecord],
    now: str,
    *,
    ignore: Sequence[str] = (),
    everything: bool = False,
    kept: Collection[str] = (),
) -> Plan:
    """Which of `links` to look at, at the instant `now`; `kept` are names of saved files. Pure."""
    everyone = with_ignored(links, ignore)
    scope = [link for link in everyone if urls.is_web(link.address)]
    unsafe = [
        link
        for link in with_unsafe(everyone)
        if urls.scheme(link.address) in UNSAFE and not link.person.ignored
    ]
    pages: dict[str, list[LinkRecord]] = {}
    wanted: set[str] = set()
    for link in scope:
        if link.standing is not Standing.IGNORED:
            pages.setdefault(link.key.key, []).append(link)
            if everything or link.looks.due is None or link.looks.due <= now:
                wanted.add(link.key.key)
    due = [
        Page(found[0].address, urls.host(found[0].address), tuple(found), _is_kept(key, found, kept))
        for key, found in pages.items()
        if key in wanted
    ]
    not_due = sum(len(found) for key, found in pages.items() if key not in wanted)
    return Plan(tuple(due), tuple(scope), not_due, tuple(unsafe))


def _is_kept(key: str, links: Sequence[LinkRecord], kept: Collection[str]) -> bool:
    """Whether the text of a page was saved, and is the page's own: an API's text is no measure of it."""
    own = links[0].facts.extra.get("source", "page") == "page"
    return bool(kept) and own and saved.file_name(key) in kept
