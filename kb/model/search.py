"""What a search is asked, what the encoder reads, and what is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from kb.model.dates import When
from kb.model.kinds import NoteKind, Source, Standing
from kb.values import dataclass


@dataclass(frozen=True, slots=True)
class Filter:
    """Narrows a search or a listing; an empty field does not narrow.

    `kinds` match the note's kind or the kind of a link in it; `since` and `until` are
    `YYYY-MM-DD` bounds that `noted` or `date` may overlap. `sources` tell the person's own
    words from saved pages, and narrow passages alone. `public` leaves out what only private notes
    say, and the saved pages that only they link.
    """

    kinds: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    standings: tuple[Standing, ...] = ()
    paths: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    sources: tuple[Source, ...] = ()
    public: bool = False

    def __bool__(self) -> bool:
        return self != Filter()


@dataclass(frozen=True, slots=True)
class HitLink:
    """A link of a hit: href as written, fetched title or anchor, standing."""

    url: str
    title: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer to a search: the passage, where it stands, and its links.

    `path` is None for a passage of a saved page. `score` is the fused score, higher is better;
    `keyword_rank` and `semantic_rank` count from 1 and are None where that list lacks it.
    """

    path: str | None
    line: int
    text: str
    heading: tuple[str, ...]
    parents: tuple[str, ...]
    title: str
    date: When | None
    noted: When | None
    kind: NoteKind
    tags: tuple[str, ...]
    source: Source
    score: float
    links: tuple[HitLink, ...] = ()
    keyword_rank: int | None = None
    semantic_rank: int | None = None
    cosine: float | None = None


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What the encoder reads of one passage: its context, and the passage itself.

    Kept apart so that each window of a long body can repeat the (capped) context.
    """

    context: str
    body: str

    @property
    def text(self) -> str:
        """The whole, as one window reads it when it fits."""
        return f"{self.context}\n{self.body}" if self.context else self.body

    @property
    def digest(self) -> str:
        """blake2b-16 hex of the text: the key of its vectors, shared by equal passages."""
        digest: str = _blake2b()(self.text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return digest


@lru_cache(maxsize=1)
def _blake2b() -> Callable[..., Any]:
    from hashlib import blake2b  # 3 ms, which a search need not pay

    return blake2b


def excerpt(title: str, heading: Iterable[str], parents: Iterable[str], text: str) -> Excerpt:
    """Compose what the encoder reads: title and heading path on one line, then each parent.

    A heading that only repeats the title is left out.
    """
    places = [title] if title else []
    places += [part for part in heading if part and part != title]
    lines = [" > ".join(places)] if places else []
    lines += [parent for parent in parents if parent]
    return Excerpt("\n".join(lines), text)
