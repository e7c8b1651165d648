"""Pages that came with 200 and are not what was linked: walls, parked domains, soft 404s. Pure.

A page is called gone on plain words only where they stand alone: an article about 404s lives.
Where words leave a doubt, or there are none, the answer of a path beside it that cannot exist
decides. See Bar-Yossef et al., "Sic transit gloria telae" (2004), for the idea of that probe.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from kb import urls
from kb.model.links import Verdict
from kb.web import page, places
from kb.web.landing import (
    is_front,
    is_guarded,
    is_home,
    is_parking,
    leads_to_consent,
    leads_to_home,
    leads_to_login,
    logs_in,
    names_a_part,
    same_site,
)
from kb.web.outcome import Outcome
from kb.web.page.decoding import html_text
from kb.web.phrases import (
    CHALLENGE_MARKS,
    CHALLENGE_TITLES,
    DOOR_WORDS,
    FOR_SALE,
    LOGIN_TITLES,
    MISSING_HINTS,
    MISSING_SENTENCES,
    MISSING_TITLES,
    OUT_OF_ORDER_HEADINGS,
    OUT_OF_ORDER_TITLES,
    PARKED_HINTS,
    PARKED_MARKS,
    PARKED_SENTENCES,
    PARKED_WORDS,
    REGION_SENTENCES,
    STANDING_BEFORE,
)
from kb.web.plain import Plain


@dataclass(frozen=True, slots=True)
class Finding:
    """What a page turned out to be: a verdict other than its status gave, and why."""

    verdict: Verdict
    reason: str


# A page that says of itself what it is does so in few words. Counted with its menus.
_FEW: Final = 150
_SOME: Final = 300
_HARDLY_ANY: Final = 40


def plain(outcome: Outcome) -> Plain | None:
    """The page that came, if it is HTML."""
    if not outcome.ok or not outcome.body:
        return None
    html = html_text(outcome.body, outcome.headers.get("content-type"))
    return None if html is None else Plain(html)


def look_through(outcome: Outcome, seen: Plain | None) -> Finding | None:
    """What an outcome that is alive by its status is after all; None where that holds.

    Without a probe: only what is certain.
    """
    # Most pages have too many words to be any of these, which is quickly told.
    small = None if seen is None or seen.exceeds(_SOME) else seen
    return (
        _wall(outcome, small)
        or _parked(outcome, small)
        or _home(outcome, seen)
        or (_out_of_order(outcome, small) or _says_missing(outcome, small) if small else None)
    )


# -- walls -----------------------------------------------------------------------------------------


def challenge(seen: Plain) -> bool:
    """Whether the page asks its reader to prove to be no program."""
    # The cheap questions come first: this is asked of every page.
    says = any(CHALLENGE_TITLES.fullmatch(part) for part in _parts(seen.title))
    return (says or any(mark in seen.html for mark in CHALLENGE_MARKS)) and seen.size < _FEW


def _wall(outcome: Outcome, seen: Plain | None) -> Finding | None:
    if seen is not None and challenge(seen):
        return Finding(Verdict.BLOCKED, f"a wall against programs ({_quoted(seen.title or seen.heading)})")
    if outcome.hops:
        if leads_to_login(outcome.url, outcome.final_url):
            return Finding(Verdict.BLOCKED, f"asks to log in at {outcome.final_url}")
        if leads_to_consent(outcome.url, outcome.final_url):
            return Finding(Verdict.BLOCKED, f"asks for consent at {outcome.final_url}")
        if is_guarded(outcome.final_url) and not is_guarded(outcome.url):
            return Finding(Verdict.BLOCKED, f"a wall against programs at {outcome.final_url}")
    if seen is not None and _is_door(seen) and not logs_in(outcome.url):
        return Finding(Verdict.BLOCKED, f"asks to log in ({_quoted(seen.title)})")
    if seen is not None and seen.size < _FEW and (said := REGION_SENTENCES.search(_straight(seen.lead))):
        return Finding(Verdict.BLOCKED, f"not shown where it was asked for from ({_quoted(said[0])})")
    return None


def _is_door(seen: Plain) -> bool:
    """Whether a page of some other address is no more than a form to log in."""
    if not any(LOGIN_TITLES.fullmatch(part) for part in _parts(seen.title)):
        return False
    return seen.size < _FEW or re.search(r"type=[\"']?password", seen.html) is not None


# -- parked ----------------------------------------------------------------------------------------


def _parked(outcome: Outcome, seen: Plain | None) -> Finding | None:
    if outcome.hops and is_parking(outcome.final_url) and not is_parking(outcome.url):
        return Finding(Verdict.BROKEN, f"the domain is for sale at {urls.host(outcome.final_url)}")
    if seen is None or is_parking(outcome.url):
        return None
    hinted = any(hint in seen.html for hint in PARKED_HINTS)
    if hinted and PARKED_MARKS.search(seen.html):
        return Finding(Verdict.BROKEN, "the domain is parked: a page of advertisements")
    host, title, lead = urls.host(outcome.final_url), seen.title.lower(), seen.lead.lower()
    if host not in title + lead and not any(word in title + lead for word in PARKED_WORDS):
        return None
    named = any(f"{host} {said}" in words for said in FOR_SALE for words in (title, lead))
    if (named or PARKED_SENTENCES.search(f"{title}. {lead}")) and seen.size < _FEW:
        return Finding(Verdict.BROKEN, "the domain is parked or for sale")
    return None


# -- the home page ---------------------------------------------------------------------------------


def is_home_redirect(outcome: Outcome) -> bool:
    """Whether a page was redirected to a front page, or to a part of one."""
    return bool(outcome.hops) and leads_to_home(outcome.url, outcome.final_url)


def _home(outcome: Outcome, seen: Plain | None) -> Finding | None:
    if not is_home_redirect(outcome) or not same_site(outcome.url, outcome.final_url):
        return None
    if names_a_part(outcome.place):
        whole = seen is not None and not outcome.truncated
        if seen is None or not places.lacks(outcome.place, seen, whole=whole):
            return None
    return Finding(Verdict.BROKEN, f"redirects to the home page, {outcome.landing}")


# -- out of order ----------------------------------------------------------------------------------


def _out_of_order(outcome: Outcome, seen: Plain) -> Finding | None:
    if seen.size >= _FEW:
        return None
    if any(OUT_OF_ORDER_TITLES.fullmatch(part) for part in _parts(seen.title)):
        words = seen.title
    elif OUT_OF_ORDER_HEADINGS.fullmatch(_words(seen.heading)):
        words = seen.heading
    else:
        return None
    named = _named(outcome.url, words)
    return None if named else Finding(Verdict.UNREACHABLE, f"out of order for now ({_quoted(words)})")


# -- soft 404 by words -----------------------------------------------------------------------------


def _says_missing(outcome: Outcome, seen: Plain) -> Finding | None:
    title, heading, text = _evidence(outcome, seen)
    if not (title or heading or text):
        return None
    few = seen.size <= _FEW
    certain = (
        (title and few)
        or (title and (heading or text))
        or (heading and text and few)
        or ((heading or text) and seen.size <= _HARDLY_ANY)
    )
    if not certain or seen.shell:
        return None
    words = seen.title if title else seen.heading if heading else text
    return Finding(Verdict.BROKEN, f"the page says that it is not there ({_quoted(words)})")


def _evidence(outcome: Outcome, seen: Plain) -> tuple[bool, bool, str]:
    """Whether the title and the heading are plainly an error's, and the sentence that says so."""
    if _named(outcome.url, "404 not found error missing"):
        return False, False, ""
    rest = [part for part in _parts(seen.title) if not MISSING_TITLES.fullmatch(part)]
    title = len(rest) < len(_parts(seen.title)) and all(_is_site(part, outcome, seen) for part in rest)
    heading = any(MISSING_TITLES.fullmatch(part) for part in [_words(seen.heading), *_parts(seen.heading)])
    lead = _straight(seen.lead[:1500])
    sentence = MISSING_SENTENCES.search(lead) if any(hint in lead for hint in MISSING_HINTS) else None
    return title, heading, sentence[0] if sentence else ""


def _named(url: str, words: str) -> bool:
    """Whether the address itself speaks of this: then it is what was linked."""
    return bool(
        _own_words(url) & set(_words(words).split()) - {"page", "the", "is", "for", "of", "found", "not"}
    )


def _is_site(part: str, outcome: Outcome, seen: Plain) -> bool:
    """Whether a part of a title is no more than the site's name."""
    if part == _words(seen.site):
        return True
    host = urls.host(outcome.final_url)
    squeezed = part.replace(" ", "")
    return bool(squeezed) and (
        squeezed in host or any(len(word) > 2 and word in host for word in part.split())
    )


# -- soft 404 by a probe ---------------------------------------------------------------------------


def suspects(outcome: Outcome, seen: Plain | None) -> bool:
    """Whether words or a redirect raise a doubt that a probe may settle."""
    if seen is not None and any(_evidence(outcome, seen)):
        return True
    return is_home_redirect(outcome)


def probe_url(url: str) -> str | None:
    """A path beside that of `url` which cannot exist; None for a home page, which has none beside it.

    A folder with a digit is replaced with what it holds: it may be what names the page, and the
    rest no more than decoration. The same for all pages that this leaves with one folder and
    suffix, so that one probe serves them.
    """
    parts = urlsplit(urls.fetch_url(url))
    if not parts.query and is_front(parts.path):
        return None
    *folders, last = parts.path.strip("/").split("/")
    depth = 1
    while folders and re.search(r"\d", folders[-1]):
        folders.pop()
        depth += 1
    suffix = re.search(r"\.[a-z0-9]{2,5}\Z", last, re.IGNORECASE)
    name = blake2b("/".join([parts.netloc, *folders]).encode(), digest_size=8).hexdigest()
    end = suffix[0] if suffix else "/" if parts.path.endswith("/") and last else ""
    return f"{parts.scheme}://{parts.netloc}/" + "/".join([*folders, *[name] * depth]) + end


def by_probe(outcome: Outcome, seen: Plain | None, probe: Outcome) -> Finding | None:
    """What the answer of a path that cannot exist says of a page; None where it says nothing."""
    if not probe.ok:
        return None
    same_end = urls.may_be_same(outcome.final_url, probe.final_url) and outcome.place == probe.place
    if is_home_redirect(outcome) and same_end:
        return Finding(Verdict.BROKEN, f"redirects to {outcome.landing}, as any path there does")
    if urls.may_be_same(outcome.final_url, outcome.url) and not urls.may_be_same(probe.final_url, probe.url):
        return None  # what is missing is sent elsewhere: this page was not
    other = plain(probe)
    if seen is None or other is None or seen.shell or other.shell:
        return None
    if not alike(seen, outcome.url, other, probe.url) or _is_the_page(seen, outcome, other):
        return None
    lead = seen.lead.lower()
    if (seen.size < _HARDLY_ANY and DOOR_WORDS.search(lead)) or (
        seen.size < _FEW and STANDING_BEFORE.search(lead)
    ):
        return Finding(Verdict.BLOCKED, "the same page for any path, as a wall has it")
    return Finding(Verdict.BROKEN, "the same page as for a path that cannot exist")


def _is_the_page(seen: Plain, outcome: Outcome, other: Plain) -> bool:
    """Whether the impossible path led to the very page: its server looks at another part of the address.

    Then both name one canonical address within the site, or both speak of what the path does.
    """
    if seen.canonical and seen.canonical == other.canonical:
        try:
            return not is_home(urljoin(outcome.final_url, seen.canonical))
        except ValueError:  # no address at all, on either page
            return False
    slug = {word for word in _own_words(outcome.url) if len(word) > 3 and word.isalpha()}
    said = set(_words(f"{other.title} {other.heading}").split())
    return len(slug & said) >= 2


_LEAST: Final = 5


def alike(one: Plain, url: str, other: Plain, other_url: str) -> bool:
    """Whether two pages say the same, but for their own addresses in them."""
    mine, theirs = _without_echo(one, url), _without_echo(other, other_url)
    if sum(mine.values()) < _LEAST or _title_words(one, url) != _title_words(other, other_url):
        return False
    slack = max(2, sum(mine.values()) // 25)
    return sum((mine - theirs).values()) <= slack and sum((theirs - mine).values()) <= 2 * slack


def _without_echo(seen: Plain, url: str) -> Counter[str]:
    words = Counter(seen.words)
    for word in _own_words(url):
        del words[word]
    return words


def _title_words(seen: Plain, url: str) -> str:
    """The title, a mark in place of the words that the address has too."""
    own = _own_words(url)
    marked = ["_" if word in own else word for word in _words(seen.title).split()]
    return re.sub(r"_(?: _)+", "_", " ".join(marked))


def _own_words(url: str) -> set[str]:
    """The words of the last part of a path, which pages like to repeat."""
    parts = urlsplit(url)
    last = unquote(parts.path.rstrip("/").rpartition("/")[2] + " " + parts.query)
    return set(_words(last).split())


# -- words -----------------------------------------------------------------------------------------

_WORD: Final = re.compile(r"\w+")
_BREAKS: Final = re.compile(
    r"\s+[|\u00b7\u2022\u2013\u2014\u00bb\u203a~/:-]+\s+|[|:\u2013\u2014\u00bb]\s|\s+::\s+"
)


@lru_cache(maxsize=64)  # every question about a page begins with its title
def _parts(title: str) -> tuple[str, ...]:
    """The parts of a title as words: `Page not found - Acme` is two."""
    return tuple(words for part in _BREAKS.split(title) if (words := _words(part)))


def _words(text: str) -> str:
    """Lower-case words with single spaces, apostrophes gone."""
    plainly = text.lower().replace("'", "").replace("\u2019", "").replace("_", " ")
    return " ".join(_WORD.findall(plainly))


def _straight(text: str) -> str:
    """In lower case, with straight apostrophes."""
    return text.lower().replace("\u2019", "'")


def _quoted(text: str) -> str:
    line = page.one_line(text, 80)
    return f'"{line}"' if line else "no title"
