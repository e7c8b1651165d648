"""Rendered HTML, kept from one build of `mkdocs serve` to the next.

The key is the page's Markdown and all that its HTML hangs on besides. A page that another plugin
changes is passed over, since nobody knows what that hangs on.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import TableOfContents

from kb import __version__

# Extensions whose output is a function of the text and the configuration; snippets, for one, reads files.
_PURE = (
    *("abbr", "admonition", "attr_list", "codehilite", "def_list", "extra", "fenced_code", "footnotes"),
    *("md_in_html", "meta", "nl2br", "sane_lists", "smarty", "tables", "toc", "wikilinks"),
    *("pymdownx.arithmatex", "pymdownx.betterem", "pymdownx.caret", "pymdownx.critic", "pymdownx.details"),
    *("pymdownx.emoji", "pymdownx.highlight", "pymdownx.inlinehilite", "pymdownx.keys", "pymdownx.mark"),
    *("pymdownx.smartsymbols", "pymdownx.superfences", "pymdownx.tabbed", "pymdownx.tasklist", "pymdownx.tilde"),
    *("admonition", "pymdownx.magiclink"),
)


class Rendered(NamedTuple):
    """What rendering a page leaves behind."""

    content: str
    toc: TableOfContents
    title: str | None
    anchors: set[str] | None
    links: dict[str, dict[str, str]] | None


class Kept:
    """The rendered pages of the last build."""

    def __init__(self) -> None:
        self._before: dict[str, Rendered] = {}
        self._now: dict[str, Rendered] = {}
        self._files = self._names = self._config = b""
        self._usable = False

    def begin(self, config: MkDocsConfig, files: Iterable[str], names: Iterable[tuple[str, ...]]) -> None:
        """Start a build: what was not used in the last one is dropped."""
        self._before, self._now = self._now, {}
        plain = [one for one in config.markdown_extensions if isinstance(one, str)]
        self._usable = all(one.removeprefix("markdown.extensions.") in _PURE for one in plain)
        self._config = _digest(
            __version__, repr(plain), repr(sorted(config.mdx_configs.items())), str(config.use_directory_urls)
        )
        self._files = _digest(*sorted(files))
        self._names = _digest(*("\0".join(name) for name in sorted(names)))

    def watch(self, page: Page, markdown: str) -> None:
        """Let this page's rendering be taken from the last build, or kept for the next."""
        if not self._usable:
            return
        names = self._names if "[[" in markdown else b""
        key = _digest(page.file.src_uri, self._config, self._files, names, markdown).hex()
        known = self._now.get(key) or self._before.get(key)

        def render(config: MkDocsConfig, files: Files) -> None:
            if known is None:
                Page.render(page, config, files)
                self._now[key] = _taken(page)
            else:
                self._now[key] = known
                _restore(page, known, files)

        page.render = render  # type: ignore[method-assign]  # MkDocs has no event that could answer for it


def _taken(page: Page) -> Rendered:
    links = page.links_to_anchors
    return Rendered(
        page.content or "",
        page.toc,
        getattr(page, "_title_from_render", None),
        page.present_anchor_ids,
        None if links is None else {file.src_uri: anchors for file, anchors in links.items()},
    )


def _restore(page: Page, known: Rendered, files: Files) -> None:
    page.content, page.toc, page.present_anchor_ids = known.content, known.toc, known.anchors
    page._title_from_render = known.title
    if known.links is not None:
        found = {files.get_file_from_path(path): anchors for path, anchors in known.links.items()}
        page.links_to_anchors = {file: anchors for file, anchors in found.items() if file is not None}


def _digest(*parts: str | bytes) -> bytes:
    hash = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        hash.update(len(data).to_bytes(8, "little") + data)
    return hash.digest()
