"""A Jekyll site -> notes: posts, drafts, collections and pages.

A file keeps its bytes, front matter too, but for the keys that only Jekyll's configuration or a
folder's name told, which are added at the end of its front matter: its permalink, its
categories as tags, that it is a draft. Liquid tags are text. A page that grew by dated headings
is split as a page alone would be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from kb.errors import ImportRefused
from kb.model.reports import Problem
from kb.notes import frontmatter
from kb.notes import walk as walks
from kb.notes.importers import page
from kb.notes.importers.base import Draft, Imported, Importer, read_file
from kb.notes.importers.folder import Mentioned
from kb.notes.importers.permalinks import Place, permalink
from kb.notes.parse import parse
from kb.notes.source import read_source

_NOT_NOTES = frozenset(
    {"_site", "_layouts", "_includes", "_sass", "_data", "_plugins", "vendor", "node_modules"}
)
_POSTS, _DRAFTS = "_posts", "_drafts"
_NAMED = re.compile(r"((?:19|20)\d\d)-\d\d?-\d\d?-")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a file of the site is: `post`, `draft`, `page`, or the name of its collection."""

    name: str
    path: str
    categories: tuple[str, ...] = ()


def _read(source: Path, day_first: bool) -> Imported:
    if source.is_file():
        return page.IMPORTER.read(source, day_first)
    if not source.is_dir():
        raise ImportRefused(f"{source}: is neither a site's folder nor a page")
    config = _config(source)
    drafts: list[Draft] = []
    problems: list[Problem] = []
    taken: set[str] = set()
    mentioned = Mentioned(source)
    for name in sorted(_pages(source)):
        data = read_file(source / name)
        kind = _kind(name)
        mentioned.of(parse(name, data, day_first=day_first))
        made = _page(name, data, day_first, taken) if kind.name == "page" else None
        if made is None:
            path, number = kind.path, 1
            while path in taken:
                number += 1
                path = str(PurePosixPath(kind.path).with_suffix(f".{number}.md"))
            made = Imported((Draft(path, *_with_keys(data, _told(name, data, kind, config))),))
        taken.update(draft.path for draft in made.drafts)
        drafts += made.drafts
        problems += made.problems
    if not drafts:
        raise ImportRefused(f"{source}: holds no Markdown")
    return Imported(tuple(drafts), tuple(problems), mentioned.attachments())


def _page(name: str, data: bytes, day_first: bool, taken: set[str]) -> Imported | None:
    """The notes of a page of dated headings; None for any other page."""
    if not read_source(name, data).faithful:
        return None
    made = page.split_page(name, data, day_first=day_first, taken=set(taken))
    return made if len(made.drafts) > 1 else None


def _pages(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        passed = any(part.startswith(".") or part in _NOT_NOTES for part in parts)
        if not passed and path.name.lower().endswith(walks.SUFFIXES) and path.is_file():
            yield path.relative_to(folder).as_posix()


def _kind(name: str) -> _Kind:
    """Told by the folder: `_posts` and `_drafts` (below a folder, that is a category), `_recipes`."""
    parts = PurePosixPath(name).parts
    for index, part in enumerate(parts[:-1]):
        if part in (_POSTS, _DRAFTS):
            above, below = parts[:index], "/".join(parts[index + 1 :])
            dated = _NAMED.match(parts[-1])
            path = f"{dated[1]}/{below}" if dated else below
            return _Kind("post" if part == _POSTS else "draft", path, above)
        if part.startswith("_"):
            rest = "/".join((*parts[:index], part[1:], *parts[index + 1 :]))
            return _Kind(part[1:], rest)
    return _Kind("page", name)


def _told(name: str, data: bytes, kind: _Kind, config: Mapping[str, Any]) -> dict[str, Any]:
    """What the site knows of a file beyond what the file says."""
    values = frontmatter.read(name, read_source(name, data).raw).values
    categories = (*kind.categories, *_words(values, "categories"), *_words(values, "category"))
    told: dict[str, Any] = {}
    if "permalink" not in values:
        found = permalink(Place(kind.name, name, categories), values, config)
        if found is not None:
            told["permalink"] = found
    if categories and not values.get("tags") and not values.get("tag"):
        told["tags"] = list(dict.fromkeys(categories))
    if kind.name == "draft" and "draft" not in values:
        told["draft"] = True
    return told


def _words(values: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = values.get(key)
    if isinstance(value, str):
        return tuple(value.split()) if key.endswith("s") else (value,)
    return tuple(str(one) for one in value if one is not None) if isinstance(value, list) else ()


def _with_keys(data: bytes, told: Mapping[str, Any]) -> tuple[bytes, bool]:
    """The file with these keys at the end of its front matter; and whether it is an untouched copy."""
    source = read_source("", data)
    if not told or not source.faithful:
        return data, True
    start, end, body = frontmatter.split(source.raw)
    if body and frontmatter.read("", source.raw).problems:
        return data, True  # what cannot be read is not written into
    if frontmatter.is_toml(source.raw):
        return data, True  # and no YAML into TOML
    lines = frontmatter.render(told).encode().splitlines()[1:-1]
    newline = page.newline_of(data)
    shift = len(data) - len(source.raw)
    if not body:
        return data[:shift] + newline.join([b"---", *lines, b"---", source.raw]), False
    end += shift
    before = (
        data[:end] if data[:end].endswith((b"\n", b"\r")) or start + shift == end else data[:end] + newline
    )
    return before + newline.join([*lines, b""]) + data[end:], False


def _config(source: Path) -> Mapping[str, Any]:
    """`_config.yml` as far as it can be read: what it says of permalinks is all that is wanted."""
    try:
        data = (source / "_config.yml").read_bytes()
    except OSError:
        return {}
    return frontmatter.read("_config.yml", b"---\n" + read_source("", data).raw + b"\n---\n").values


def _sniff(source: Path) -> bool:
    return source.is_dir() and ((source / "_config.yml").is_file() or (source / _POSTS).is_dir())


IMPORTER = Importer("jekyll", "a Jekyll site's folder: posts, drafts, collections, pages", _sniff, _read)
