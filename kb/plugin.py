"""The MkDocs plugin `kb`: brings the notebook up to date and hands its pages to MkDocs.

Nothing is written below docs_dir (that would set off another build under `mkdocs serve`), the
network is not used and nothing is embedded, so `mkdocs build` alone is enough to publish.
"""

from __future__ import annotations

import logging
import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin, event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page as MkDocsPage

from kb.errors import KbError
from kb.knowledge import KnowledgeBase
from kb.model import Page, Severity, Site

log = logging.getLogger("mkdocs.plugins.kb")

_STYLESHEET = "assets/kb/kb.css"
_FAVICON = "assets/kb/favicon.svg"
# What Material's templates write; the search dialog has no name there for screen readers.
_ARTICLE = '<article class="md-content__inner md-typeset">'
_SEARCH = 'data-md-component="search" role="dialog"'


class KbConfig(Config):  # type: ignore[no-untyped-call]  # MkDocs' own hook lacks types
    """No options yet: what the site shows is set in kb.toml."""


class KbPlugin(BasePlugin[KbConfig]):  # type: ignore[no-untyped-call]  # MkDocs' own hook lacks types
    """Carries the pages that `KnowledgeBase.publish` makes."""

    def __init__(self) -> None:
        self._pages: dict[str, Page] = {}
        self._site: Site | None = None
        self._notes = Path()
        self._markdown = NotesMarkdown()

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Add the stylesheet, the icon and the Markdown that notes are written in."""
        if _STYLESHEET not in config.extra_css:
            config.extra_css.append(_STYLESHEET)
        if config.theme.name == "material" and config.theme["favicon"] == "assets/images/favicon.png":
            config.theme["favicon"] = _FAVICON
        config.markdown_extensions.append(self._markdown)  # type: ignore[arg-type]  # MkDocs passes on instances too
        return config

    def on_files(self, files: Files, config: MkDocsConfig) -> Files:
        """Sync, then make MkDocs' files those of the site: kb's pages in, what is not public out."""
        site = self._site = self._publish(config)
        self._pages = {page.path: page for page in site.pages}
        if _same(config.docs_dir, self._notes):
            for file in [file for file in files if file.src_dir == config.docs_dir]:  # not the theme's own
                private = "private" in (part.casefold() for part in file.src_uri.split("/")[:-1])
                if private or (file.is_documentation_page() and file.src_uri not in self._pages):
                    files.remove(file)
        for page in site.pages:
            if files.get_file_from_path(page.path) is None:
                files.append(File.generated(config, page.path, content=page.markdown))
        for path, data in site.assets:
            if files.get_file_from_path(path) is None:
                files.append(File.generated(config, path, content=data))
        if config.nav is None:
            config.nav = [{label: path} for label, path in site.nav]
        self._markdown.known = set(files.src_uris)
        return files

    def on_page_read_source(self, *, page: MkDocsPage, config: MkDocsConfig) -> str | None:
        """A page as kb made it, under front matter of our own, which MkDocs' reader cannot trip over."""
        made = self._pages.get(page.file.src_uri)
        if made is None:
            return None
        if page.title is None:  # the menu gives it no label
            page.title = made.title
        return f"---\n{{}}\n---\n\n{made.markdown}"

    def on_page_markdown(self, markdown: str, *, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
        """Give the page its title, description and tags."""
        made = self._pages.get(page.file.src_uri)
        if made is not None:
            # Templates put these into the page as they are; of the two titles they may unescape the
            # page's own again, but not this one. The front page goes by the name of the site.
            if not page.is_homepage:
                page.meta["title"] = made.title
            page.meta["description"] = made.description
            if made.tags:
                page.meta["tags"] = list(made.tags)
        self._markdown.path = page.file.src_uri
        return markdown

    def on_page_content(self, html: str, *, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
        """Take out of the HTML what may not be there."""
        if page.file.src_uri not in self._pages or self._site is None:
            return html
        return self._site.clean(html)

    @event_priority(-50)
    def on_post_page(self, output: str, *, page: MkDocsPage, config: MkDocsConfig) -> str:
        """Say in the page's HTML what page it is, for the stylesheet, and name the search dialog."""
        made = self._pages.get(page.file.src_uri)
        if made is not None:
            output = output.replace(_ARTICLE, f'{_ARTICLE[:-2]} kb-page kb-{made.style}">', 1)
        return output.replace(_SEARCH, f'{_SEARCH} aria-label="Search"', 1)

    def on_serve(
        self, server: LiveReloadServer, *, config: MkDocsConfig, builder: Callable[..., None]
    ) -> LiveReloadServer:
        """Watch the notes where they do not lie in docs_dir, which MkDocs watches itself.

        Folder by folder: the notebook's own folder also holds what each build writes.
        """
        if not _same(config.docs_dir, self._notes):
            for folder in sorted({(self._notes / path).parent for path in self._pages}):
                if folder.is_dir():
                    server.watch(str(folder), recursive=False)
        return server

    def _publish(self, config: MkDocsConfig) -> Site:
        root = Path(config.config_file_path or "mkdocs.yml").absolute().parent
        try:
            with KnowledgeBase.open(root) as notebook:
                report = notebook.sync(embed=False)
                site = notebook.publish()
                self._notes = notebook.settings.notes
        except KbError as error:
            raise PluginError(f"kb: {error}" + (f"\n{error.hint}" if error.hint else "")) from error
        for problem in report.problems:
            # A warning would fail a strict build, and one note's slip must not take the site down.
            if problem.severity is Severity.ERROR:
                log.info("%s:%d: %s", problem.path, problem.line, problem.message)
        return site


# -- Markdown --------------------------------------------------------------------------------


class NotesMarkdown(Extension):
    """Bare addresses become links, pictures from elsewhere become links, dead ends become text.

    `path` is the page being rendered and `known` all files of the site; both are set by the
    plugin, from the root of the site.
    """

    def __init__(self) -> None:
        super().__init__()
        self.path = ""
        self.known: set[str] = set()

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        """Register with `md`."""
        # After code, escapes, links and raw HTML (90), before entities (80) and emphasis (60), whose
        # marks an address may hold.
        md.inlinePatterns.register(BareAddress(md), "kb_bare", 85)
        # Before MkDocs turns paths of files into addresses (0).
        md.treeprocessors.register(Targets(md, self), "kb_targets", 3)


# Full-width and typographic punctuation, which closes a sentence rather than belongs to an address.
_FULL_WIDTH = (
    "\u2018-\u201f\u2026\u3000-\u3004\u3008-\u3020\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)


class BareAddress(InlineProcessor):
    """`https://...` in running text as a link."""

    ANCESTOR_EXCLUDES = ("a",)

    def __init__(self, md: Markdown) -> None:
        super().__init__(rf"\bhttps?://[^\s<>\"\u0002\u0003{_FULL_WIDTH}]+", md)

    def handleMatch(  # type: ignore[override]  # noqa: N802 - Python-Markdown's name
        self, m: re.Match[str], data: str
    ) -> tuple[Element, int, int] | tuple[None, None, None]:
        """The link, and where it begins and ends."""
        address = trimmed(m[0])
        if not urlsplit(address).netloc:
            return None, None, None
        element = Element("a", {"href": address})
        element.text = AtomicString(address)
        return element, m.start(0), m.start(0) + len(address)


def trimmed(address: str) -> str:
    """`address` without the punctuation that belongs to the sentence around it.

    A closing bracket stays only where it has its opening one within the address.
    """
    while address:
        last = address[-1]
        opening = {")": "(", "]": "[", "}": "{"}.get(last)
        if last in ".,;:!?'*_~`|" or (opening and address.count(last) > address.count(opening)):
            address = address[:-1]
        else:
            break
    return address


class Targets(Treeprocessor):
    """Look at where each link and picture leads."""

    def __init__(self, md: Markdown, extension: NotesMarkdown) -> None:
        super().__init__(md)
        self._extension = extension

    def run(self, root: Element) -> None:
        """Change links that lead nowhere, and pictures that would call another site."""
        for element in root.iter():
            if element.tag == "a" and element.get("href"):
                self._link(element)
            elif element.tag == "img" and _leaves(element.get("src", "")):
                address, words = element.get("src", ""), element.get("alt", "")
                for name in list(element.attrib):
                    del element.attrib[name]
                element.tag, element.text = "a", AtomicString(words or address)
                element.set("href", address)

    def _link(self, element: Element) -> None:
        href = element.get("href", "")
        path = unquote(urlsplit(href).path) if not _leaves(href) else ""
        if not path or element.get("class") in ("headerlink", "footnote-ref", "footnote-backref"):
            return
        found = self._find(path)
        if found is None:
            # The note speaks of a page that this site does not have: say so, and do not send
            # the reader to a 404.
            del element.attrib["href"]
            element.tag = "span"
            element.set("class", "kb-missing")
            element.set("title", "not a page of this site")
        elif found != posixpath.normpath(posixpath.join(posixpath.dirname(self._extension.path), path)):
            here = posixpath.dirname(self._extension.path) or "."
            tail = href[len(href.partition("#")[0]) :]
            element.set("href", posixpath.relpath(found, here) + tail)

    def _find(self, path: str) -> str | None:
        """The file of the site meant by `path`: as written, or as the address of a page."""
        base = "" if path.startswith("/") else posixpath.dirname(self._extension.path)
        target = posixpath.normpath(posixpath.join(base, path.lstrip("/"))).lstrip("/")
        stem = re.sub(r"\.html?$", "", target)
        names = ["index", "README", "readme"]
        pages = names if stem == "." else [stem, *(f"{stem}/{name}" for name in names)]
        guesses = [target, *(f"{name}{ending}" for name in pages for ending in (".md", ".markdown"))]
        return next((guess for guess in guesses if guess in self._extension.known), None)


def _same(one: str | Path, other: Path) -> bool:
    return Path(one).resolve() == other.resolve()


def _leaves(address: str) -> bool:
    parts: Any = urlsplit(address)
    return bool(parts.scheme or parts.netloc)
