"""What a person typed, taken apart: words, phrases, exclusions, filters. Pure, and never FTS5 syntax.

fine-tuning "form, not facts" -openai kind:paper since:2023-09 host:arxiv.org
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kb.errors import UsageError
from kb.model.dates import When
from kb.model.kinds import LinkKind, NoteKind, Standing
from kb.model.search import Filter
from kb.values import dataclass, field

# English function words and the verbs of asking: they match everywhere and tell nothing.
_FUNCTION_WORDS = """
    a about above after again all also am an and any are aren't as at be because been before being
    below between both but by can can't cannot could couldn't did didn't do does doesn't doing don't
    down during each ever few for from further get got had hadn't has hasn't have haven't having he
    her here hers him his how i i'd i'll i'm i've if in into is isn't it it's its itself just let's
    me might more most must my myself need needed needs no nor not of off on once only or other ought
    our ours out over own please s same shall she should shouldn't so some such t than that that's the
    their theirs them then there there's these they they're this those through to too under until up
    us very was wasn't we we're were weren't what what's when where which while who whom whose why
    will with won't would wouldn't you you're your yours
"""
STOP_WORDS = frozenset(_FUNCTION_WORDS.split())
FILTERS = ("kind", "tag", "since", "until", "host", "standing")
# An excluded or a plain phrase; a filter with its value, quoted or not; any other run.
_PART = re.compile(
    r"""(?P<minus>(?<!\S)-)?"(?P<phrase>[^"]*)"
      | (?<!\S)(?P<name>[A-Za-z]+):(?:"(?P<quoted>[^"]+)"|(?P<value>[^\s"]+))
      | (?P<word>[^\s"]+)""",
    re.VERBOSE,
)
# What SQLite or a terminal cannot carry: controls and lone surrogates.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Query:
    """A query taken apart.

    `text` is what an encoder reads: the words and phrases in order, without filters and
    exclusions. `terms` are the words worth looking up, stop words dropped unless there is
    nothing else. `phrases` must be there, `excluded` (words or phrases) must not.
    """

    text: str
    terms: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    filter: Filter = field(default_factory=Filter)


def parse_query(text: str) -> Query:
    """Take a query apart. UsageError if nothing is left to look for, or a filter's value is wrong."""
    shown: list[str] = []
    words: list[str] = []
    phrases: list[str] = []
    excluded: list[str] = []
    filters: list[tuple[str, str]] = []
    for part in _PART.finditer(_UNFIT.sub(" ", text)):
        phrase, name, word = part["phrase"], part["name"], part["word"]
        if phrase is not None:
            phrase = " ".join(phrase.split())
            if not _sayable(phrase):
                continue
            (excluded if part["minus"] else phrases).append(phrase)
            if not part["minus"]:
                shown.append(phrase)
        elif name is not None and name.lower() in FILTERS:
            filters.append((name.lower(), part["quoted"] or part["value"]))
        else:
            word = word or part[0].replace('"', " ").strip()
            if word.startswith("-") and _sayable(word) and word[1:2].isalnum():
                excluded.append(word[1:])
                continue
            shown.append(word)
            if _sayable(word):
                words.append(word)
    found = Query(" ".join(shown), _worth(words), tuple(phrases), tuple(excluded), _filter(filters))
    if not found.terms and not found.phrases:
        _refuse(found)
    return found


def fts_match(query: Query, others: Iterable[str] = ()) -> str:
    """The query as an FTS5 expression: every word quoted, any word enough, phrases required.

    `others` are further words or phrases of which any is enough, such as a term's expansion.
    """
    parts = [quote(part) for part in dict.fromkeys((*query.phrases, *query.terms, *others))]
    match = " OR ".join(parts)
    if query.phrases:
        match = f"{required(query)} AND ({match})" if len(parts) > 1 else match
    if query.excluded:
        match = f"({match}) NOT ({banned(query)})"
    return match


def required(query: Query) -> str:
    """The FTS5 expression that every hit must match; empty where there is none."""
    return " AND ".join(map(quote, query.phrases))


def banned(query: Query) -> str:
    """The FTS5 expression that no hit may match; empty where there is none."""
    return " OR ".join(map(quote, query.excluded))


def quote(text: str) -> str:
    """An FTS5 string: its tokens side by side, whatever else the text holds."""
    return '"' + _UNFIT.sub(" ", text).replace('"', '""') + '"'


def merge(one: Filter, other: Filter) -> Filter:
    """Both filters at once: wider lists, narrower dates."""
    since = [date for date in (one.since, other.since) if date]
    until = [date for date in (one.until, other.until) if date]
    return Filter(
        kinds=_union(one.kinds, other.kinds),
        tags=_union(one.tags, other.tags),
        hosts=_union(one.hosts, other.hosts),
        standings=tuple(dict.fromkeys((*one.standings, *other.standings))),
        paths=_union(one.paths, other.paths),
        since=max(since, default=None),
        until=min(until, default=None),
        sources=tuple(dict.fromkeys((*one.sources, *other.sources))),
        public=one.public or other.public,
    )


def make_filter(name: str, value: str) -> Filter:
    """A filter of one condition, its value checked. UsageError says what it takes."""
    if name == "kind":
        known = tuple(dict.fromkeys([*map(str, NoteKind), *map(str, LinkKind)]))
        return Filter(kinds=(_one_of("kind", value, known),))
    if name == "standing":
        return Filter(standings=(Standing(_one_of("standing", value, tuple(map(str, Standing)))),))
    if name in ("since", "until"):
        try:
            when = When.parse(value)
        except ValueError:
            raise UsageError(
                f"{name}: {value!r} is not a date",
                hint=f"{name}:2023, {name}:2023-09 and {name}:2023-09-01 are the forms it takes",
            ) from None
        return Filter(since=when.earliest) if name == "since" else Filter(until=when.latest)
    if name == "host":
        return Filter(hosts=(value.lower().removeprefix("www."),))
    return Filter(tags=(value,))


def _filter(parts: Iterable[tuple[str, str]]) -> Filter:
    found = Filter()
    for name, value in parts:
        found = merge(found, make_filter(name, value))
    return found


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    lower = value.lower()
    if lower in known:
        return lower
    from difflib import get_close_matches  # 3 ms, needed only to word this error

    close = get_close_matches(lower, known, n=1)
    hint = f"did you mean {name}:{close[0]}?" if close else f"{name} is one of: {', '.join(known)}"
    raise UsageError(f"there is no {name} {value!r}", hint=hint)


def _sayable(text: str) -> bool:
    """Whether an index of words can hold any of it."""
    return any(char.isalnum() for char in text)


def _worth(words: list[str]) -> tuple[str, ...]:
    told = [word for word in words if word.lower().strip(".,;:!?()[]{}'") not in STOP_WORDS]
    return tuple(dict.fromkeys(told or words))


def _union(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _refuse(query: Query) -> None:
    if query.excluded or query.filter:
        raise UsageError(
            "the query only leaves things out; it needs a word to look for",
            hint='kb search "qlora -openai kind:paper", or kb links --kind paper for a plain list',
        )
    what = "holds neither letters nor digits to look for" if query.text.strip() else "is empty"
    raise UsageError(f"the query {what}", hint='kb search "words or a question"')
