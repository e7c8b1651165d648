"""Where an address leads, told by it alone: a front page, a login, consent, a seller of domains. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from kb import urls
from kb.web.phrases import (
    ASKING_SEGMENTS,
    CONSENT_PLACES,
    HOME_SEGMENTS,
    LOGIN_SEGMENTS,
    NO_PARTS,
    PARKING_HOSTS,
    WALL_PLACES,
)


def leads_to_home(url: str, final: str) -> bool:
    """Whether a page within a site led to the front page of a site, the same or another, and no
    part of that in particular."""
    return is_home(final) and not is_home(url) and not names_a_part(final.partition("#")[2])


def names_a_part(place: str) -> bool:
    """Whether a fragment names something of its own: pages have become parts of a front page."""
    return bool(place) and not NO_PARTS.fullmatch(place.lower())


def is_home(url: str) -> bool:
    """Whether an address is that of a site's front page, in whatever language."""
    return is_front(urlsplit(url).path)


def is_front(path: str) -> bool:
    """Whether a path is that of a front page."""
    return all(HOME_SEGMENTS.fullmatch(segment) for segment in path.lower().split("/") if segment)


def same_site(one: str, other: str) -> bool:
    """Whether two hosts are of one site: equal but for `www.`, or one below the other."""
    a, b = urls.host(one), urls.host(other)
    return a == b or a.endswith("." + b) or b.endswith("." + a)


def leads_to_wall(url: str, final: str) -> bool:
    """Whether a redirect ended at a login or at a page of consent."""
    return leads_to_login(url, final) or leads_to_consent(url, final)


def leads_to_login(url: str, final: str) -> bool:
    """Whether a redirect ended at a door that asks who one is, and did not begin at one."""
    return not logs_in(url) and (logs_in(final) or (is_home(final) and _carries(final, url)))


def leads_to_consent(url: str, final: str) -> bool:
    """Whether a redirect ended at a page of consent, and did not begin at one."""
    return not CONSENT_PLACES.search(_place(url)) and bool(CONSENT_PLACES.search(_place(final)))


def logs_in(url: str) -> bool:
    """Whether an address is that of a door that asks who one is."""
    host, _, path = _place(url).partition("/")
    segments = re.split(r"[/.]", path)
    return (
        any(LOGIN_SEGMENTS.fullmatch(segment) for segment in segments)
        or (bool(urlsplit(url).query) and any(ASKING_SEGMENTS.fullmatch(segment) for segment in segments))
        or re.match(r"(?:login|signin|sso|auth|accounts?)\.", host) is not None
    )


def _carries(final: str, url: str) -> bool:
    """Whether the query of `final` holds the path of `url`, to come back to."""
    path = unquote(urlsplit(url).path)
    return len(path) > 1 and path in unquote(unquote(urlsplit(final).query))


def is_guarded(url: str) -> bool:
    """Whether an address is that of a wall against programs."""
    return bool(WALL_PLACES.search(_place(url)))


def is_parking(url: str) -> bool:
    """Whether an address is that of a seller of domains."""
    labels = urls.host(url).split(".")
    return any(".".join(labels[start:]) in PARKING_HOSTS for start in range(len(labels) - 1))


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{urls.host(url)}{parts.path.lower()}"
