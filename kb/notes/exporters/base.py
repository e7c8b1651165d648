"""What an exporter is given, and what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from kb.model.dates import When
from kb.model.links import LinkRecord


@dataclass(frozen=True, slots=True)
class Exported:
    """A link to hand on. `url` can be opened; `title` is fetched, or the anchor, or empty.

    `when` is when it was noted (or what its bullet speaks of); `tags` are those of its notes.
    """

    url: str
    title: str
    when: When | None
    tags: tuple[str, ...]
    record: LinkRecord


@dataclass(frozen=True, slots=True)
class Exporter:
    """One format: links in, text in pieces out. `takes` says which links it has a place for."""

    name: str
    help: str
    write: Callable[[Iterable[Exported]], Iterator[str]]
    takes: Callable[[LinkRecord], bool] = lambda record: True
