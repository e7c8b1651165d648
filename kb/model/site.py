"""The site as it is handed to a site generator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kb.places import Places
from kb.values import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the site. `path` is relative to the notes folder and ends in `.md`.

    `markdown` is the whole page, its heading included, without front matter. `title`,
    `description` and `tags` are HTML text already: flattened to a line, entities encoded.
    `style` names the look of a page that kb makes itself (`home`, `links`...), or is `note`.
    `more` is HTML to stand below the rendered Markdown, made of encoded words alone: it is
    neither rendered, cleaned nor indexed. An address in it that begins with `kb:` is the path of
    a page. `noted` is the day a note was written, `YYYY-MM-DD`.
    """

    path: str
    title: str
    description: str
    markdown: str
    style: str
    tags: tuple[str, ...] = ()
    noted: str | None = None
    more: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """All that a door needs to carry the notebook to a site generator.

    `pages` holds kb's own pages and every note that may be seen, each ready to render: a note
    that is not among them is private, a draft, or unreadable, and must not be published.
    `nav` is (label, path) in order, or (label, entries) for a group. `assets` are (path, bytes).
    `clean` makes rendered HTML of a note safe to show (`trusted`: the person vouches for it, so it
    stays), and `clean_own` that of a page of kb's own.
    `finish` lays over a page's cleaned HTML what is known of its links and terms, and `finish_key`
    changes with that. `places` says which page an address or a wikilink means. `files` are what
    the pages show and link beside notes, relative to the notes folder: pictures, papers.
    """

    pages: tuple[Page, ...]
    nav: tuple[tuple[str, Any], ...]
    assets: tuple[tuple[str, bytes], ...]
    clean: Callable[[str], str]
    clean_own: Callable[[str], str]
    trusted: bool
    finish: Callable[[Page, str], str]
    finish_key: int
    places: Places
    files: tuple[str, ...] = ()
