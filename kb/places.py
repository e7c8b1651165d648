"""Which page of the notebook an address or a wikilink means. Pure; shared by all rooms.

Paths are POSIX and relative to the notes folder. `here` is the path of the page that holds the
link.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Callable, Iterable
from html import escape
from typing import NamedTuple
from urllib.parse import unquote

#: `[[Note]]`, `[[Note#Heading|words]]`, `![[picture.png]]`; never the `[[1]]` of `[[1]](address)`.
#: The words may hold brackets in pairs: `[[Note|a [b] c]]`.
WIKILINK = re.compile(
    r"(?<!\\)(!?)\[\[([^\[\]|\r\n]{1,1000}?)"
    r"(?:\\?\|((?:[^\[\]\r\n]|\[[^\[\]\r\n]{0,200}\](?!\()){0,1000}))?\]\](?![(\[])"
)

_OWN_PATH = re.compile(r'href="kb:([^"#]*)')
_NAMES = ("index", "README", "readme")
_ENDINGS = (".md", ".markdown")


class Wikilink(NamedTuple):
    """A wikilink taken apart: what it names, the heading within, and the words to show."""

    name: str
    heading: str
    words: str


def read_wikilink(target: str, words: str | None = None) -> Wikilink:
    """Take apart what stands between the brackets: `Note#Heading`, and the words after the bar."""
    name, _, heading = target.partition("#")
    # `Note#^block` points at a block, which has no anchor on a page.
    heading = "" if heading.startswith("^") else heading.rpartition("#")[2]
    shown = (words or "").strip() or target.strip().lstrip("#").replace("#", " > ")
    return Wikilink(name.strip(), heading.strip(), shown)


def slug(heading: str) -> str:
    """The anchor that Python-Markdown's toc gives the first heading of these words; may be empty."""
    ascii_only = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", ascii_only).strip().lower())


def addressed(html: str, address: Callable[[str], str]) -> str:
    """`html` with each `kb:` path in a link replaced by what `address` makes of it."""
    return _OWN_PATH.sub(lambda match: f'href="{escape(address(unquote(match[1])))}', html)


def meetings(paths: Iterable[str]) -> list[tuple[str, str]]:
    """(page, the page whose address it would have) where two notes would stand at one address.

    `a.md` and `a/index.md` do, and so do `a.md` and `a.MD`. An index keeps the address of its
    folder; of others the first does.
    """
    found: dict[str, str] = {}
    meeting = []
    for path in sorted(paths, key=lambda one: (not _is_index(one), one)):
        stem = _stem(path)
        kept = found.setdefault(posixpath.dirname(stem) if _is_index(path) else stem, path)
        if kept != path:
            meeting.append((path, kept))
    return sorted(meeting)


def _is_index(path: str) -> bool:
    return posixpath.basename(_stem(path)) in _NAMES


class Places:
    """The files of a site, found by address or by name.

    `names` are the (path, title, aliases) of the notes, `files` any other paths that links may mean.
    """

    def __init__(
        self, names: Iterable[tuple[str, str, tuple[str, ...]]] = (), files: Iterable[str] = ()
    ) -> None:
        self._paths: set[str] = set(files)
        self._by_name: list[dict[str, list[str]]] = [{}, {}, {}]
        stems, titles, aliases = self._by_name
        for path, title, others in names:
            self._paths.add(path)
            for part in _tails(_stem(path)):
                stems.setdefault(_folded(part), []).append(path)
            titles.setdefault(_folded(title), []).append(path)
            for alias in others:
                aliases.setdefault(_folded(alias), []).append(path)

    def add(self, files: Iterable[str]) -> None:
        """Let links mean these files too."""
        self._paths.update(files)

    def names(self) -> list[tuple[str, ...]]:
        """Everything that wikilinks are resolved by, for telling whether it is still the same."""
        return [(name, *paths) for table in self._by_name for name, paths in table.items()]

    def __contains__(self, path: object) -> bool:
        return path in self._paths

    def at(self, here: str, address: str) -> str | None:
        """The file that a relative address means, as written or as the address of a page."""
        base = "" if address.startswith("/") else posixpath.dirname(here)
        target = posixpath.normpath(posixpath.join(base, unquote(address).lstrip("/"))).lstrip("/")
        if target in self._paths:
            return target
        stem = re.sub(r"\.html?$", "", target)
        pages = _NAMES if stem == "." else (stem, *(f"{stem}/{name}" for name in _NAMES))
        guesses = (f"{name}{ending}" for name in pages for ending in _ENDINGS)
        return next((guess for guess in guesses if guess in self._paths), None)

    def named(self, here: str, name: str) -> str | None:
        """The note that a wikilink names: by its path, its file's name, its title, or an alias.

        Of several, the one in the same folder comes first, then the one that lies least deep.
        """
        if not name:
            return here
        for address in (name, "/" + name):
            found = self.at(here, address)
            if found is not None:
                return found
        wanted = _folded(_stem(name))
        for table in self._by_name:
            candidates = table.get(wanted) or table.get(_folded(name))
            if candidates:
                folder = posixpath.dirname(here)
                return min(candidates, key=lambda p: (posixpath.dirname(p) != folder, p.count("/"), p))
        return None


def _stem(path: str) -> str:
    for ending in _ENDINGS:
        if path.lower().endswith(ending):
            return path[: -len(ending)]
    return path


def _tails(stem: str) -> Iterable[str]:
    """`a/b/c` can be named `a/b/c`, `b/c` or `c`."""
    parts = stem.split("/")
    return ("/".join(parts[at:]) for at in range(len(parts)))


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split()).casefold()
