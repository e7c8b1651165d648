"""Rendered HTML, kept from one build to the next: in memory while serving, in one file between builds.

The key is the page's Markdown and all that its HTML hangs on besides. A page that another plugin
changes is passed over, since nobody knows what that hangs on. What is kept has not been cleaned
yet, so the file is no way around that.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import markdown
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink, TableOfContents

from kb import __version__
from kb.plugin import extension
from kb.plugin.rendering import Renderer
from kb.temporary import beside

# Extensions whose output is a function of the text and the configuration; snippets, for one, reads files.
_PURE = (
    *("abbr", "admonition", "attr_list", "codehilite", "def_list", "extra", "fenced_code", "footnotes"),
    *("md_in_html", "meta", "nl2br", "sane_lists", "smarty", "tables", "toc", "wikilinks"),
    *("pymdownx.arithmatex", "pymdownx.betterem", "pymdownx.caret", "pymdownx.critic", "pymdownx.details"),
    *("pymdownx.emoji", "pymdownx.highlight", "pymdownx.inlinehilite", "pymdownx.keys", "pymdownx.magiclink"),
    *("pymdownx.mark", "pymdownx.smartsymbols", "pymdownx.superfences", "pymdownx.tabbed"),
    *("pymdownx.tasklist", "pymdownx.tilde"),
)


#: Bytes of a key at the beginning of its line.
_KEY = 32


class Rendered(NamedTuple):
    """What rendering a page leaves behind, as JSON holds it."""

    content: str
    toc: list[Any]  # [title, id, level, children]
    title: str | None
    anchors: list[str]
    links: dict[str, dict[str, str]] | None


class Kept:
    """The rendered pages of the last build, a line of JSON each; only where they lie is in memory."""

    def __init__(self) -> None:
        self._files = self._names = self._config = b""
        self._usable = False
        self._renderer: Renderer | None = None
        self._path = Path()
        self._temporary = Path()
        self._old: BinaryIO | None = None
        self._new: BinaryIO | None = None
        self._spots: dict[bytes, int] = {}

    def begin(
        self, path: Path, config: MkDocsConfig, files: Iterable[str], names: Iterable[tuple[str, ...]]
    ) -> None:
        """Start a build. `path` is the file to keep it in; not being able to write it costs only time."""
        self._close()
        self._path = path
        plain = [one for one in config.markdown_extensions if isinstance(one, str)]
        self._usable = all(one.removeprefix("markdown.extensions.") in _PURE for one in plain)
        self._config = _digest(
            *(__version__, markdown.__version__, version("pymdown-extensions")),
            _signature(extension.__file__),
            *(repr(plain), _spelled(config.mdx_configs), str(config.use_directory_urls)),
        )
        self._files = _digest(*sorted(files))
        self._names = _digest(*("\0".join(name) for name in sorted(names)))
        self._spots = {}
        with suppress(OSError):
            self._old = path.open("rb")
            at = 0
            for line in self._old:
                self._spots[line[:_KEY]] = at
                at += len(line)
        with suppress(OSError):
            self._temporary = Path(beside(path))
            self._new = self._temporary.open("wb")

    def watch(self, page: Page, text: str) -> None:
        """Let this page's rendering be taken from the last build, or kept for the next."""
        if not self._usable:
            return
        names = self._names if "[[" in text else b""
        key = _digest(page.file.src_uri, self._config, self._files, names, text).hex().encode()

        def render(config: MkDocsConfig, files: Files) -> None:
            line = self._find(key)
            known = _read(line)
            if known is None:
                if self._renderer is None:
                    self._renderer = Renderer(config)
                self._renderer.render(page, config, files)
                line = key + b" " + json.dumps(_taken(page), separators=(",", ":")).encode() + b"\n"
            else:
                _restore(page, known, files)
            if self._new is not None:
                self._new.write(line)

        page.render = render  # type: ignore[method-assign]  # MkDocs has no event that could answer for it

    def end(self) -> None:
        """Put what was rendered in the place of the last build's."""
        if self._new is not None:
            self._close()
            with suppress(OSError):
                os.replace(self._temporary, self._path)

    def _find(self, key: bytes) -> bytes:
        at = self._spots.get(key)
        if at is None or self._old is None:
            return b""
        with suppress(OSError):
            self._old.seek(at)
            return self._old.readline()
        return b""

    def _close(self) -> None:
        for file in (self._old, self._new):
            if file is not None:
                file.close()
        self._old = self._new = self._renderer = None


def _read(line: bytes) -> Rendered | None:
    try:
        return Rendered(*json.loads(line[_KEY + 1 :])) if line else None
    except (ValueError, TypeError):
        return None


def _taken(page: Page) -> Rendered:
    links = page.links_to_anchors
    return Rendered(
        page.content or "",
        [_outline(item) for item in page.toc],
        getattr(page, "_title_from_render", None),
        sorted(page.present_anchor_ids or ()),
        None if links is None else {file.src_uri: anchors for file, anchors in links.items()},
    )


def _restore(page: Page, known: Rendered, files: Files) -> None:
    page.content, page.toc = known.content, TableOfContents([_anchor(item) for item in known.toc])
    page.present_anchor_ids = set(known.anchors)
    page._title_from_render = known.title
    if known.links is not None:
        found = {files.get_file_from_path(path): anchors for path, anchors in known.links.items()}
        page.links_to_anchors = {file: anchors for file, anchors in found.items() if file is not None}


def _outline(item: AnchorLink) -> list[Any]:
    return [item.title, item.id, item.level, [_outline(child) for child in item.children]]


def _anchor(item: list[Any]) -> AnchorLink:
    link = AnchorLink(item[0], item[1], item[2])
    link.children = [_anchor(child) for child in item[3]]
    return link


def _spelled(value: object) -> str:
    """`value` the same in every process: a function's own spelling holds its address in memory."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key!r}:{_spelled(value[key])}" for key in sorted(value, key=str)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_spelled, value)) + "]"
    name = getattr(value, "__qualname__", None)
    return f"{getattr(value, '__module__', '')}.{name}" if name else repr(value)


def _signature(path: str | None) -> str:
    stat = os.stat(path or __file__)
    return f"{stat.st_size} {stat.st_mtime_ns}"


def _digest(*parts: str | bytes) -> bytes:
    hash = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        hash.update(len(data).to_bytes(8, "little") + data)
    return hash.digest()
