"""The MkDocs plugin `kb`: brings the notebook up to date and hands its pages to MkDocs.

Nothing is written below docs_dir (that would set off another build under `mkdocs serve`), the
network is not used and nothing is embedded, so `mkdocs build` alone is enough to publish.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import lru_cache, partial
from hashlib import blake2b
from html import escape, unescape
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from jinja2 import Environment
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin, CombinedEvent, event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.structure.toc import TableOfContents

from kb.errors import KbError
from kb.knowledge import KnowledgeBase
from kb.model.reports import Severity
from kb.model.site import Page, Site
from kb.places import addressed
from kb.plugin import sections, watching
from kb.plugin.extension import NotesMarkdown
from kb.plugin.files import fill, same
from kb.plugin.frames import Frames, as_shipped
from kb.plugin.kept import Kept
from kb.plugin.policy import protected

if TYPE_CHECKING:
    from kb.knowledge import Shared

# The feed's plugin imports GitPython, which without this refuses to load where there is no git.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

log = logging.getLogger("mkdocs.plugins.kb")

_STYLESHEET = "assets/kb/kb.css"
_SCRIPT = "assets/kb/kb.js"
_FAVICON = "assets/kb/favicon.svg"
# What Material's templates write; the search dialog has no name there for screen readers.
_ARTICLE = '<article class="md-content__inner md-typeset">'
_ARTICLE_END = "</article>"
_SEARCH = 'data-md-component="search" role="dialog"'
_LOST = "<h1>404 - Not found</h1>"
_FOUND = """<h1>Not here</h1>
<p>No page of these notes has this address. It may have been renamed: the search above looks through all of
them, and <a href="{home}">the front page</a> leads to every list.</p>"""
_ID = re.compile(r'\bid="([^"]+)"')
_LOCAL = re.compile(r'\A<link rel="canonical" href="http://(?:127\.0\.0\.1|localhost)[:/][^>]*>')
_FEED = re.compile(r'<link rel="alternate" type="application/rss\+xml"[^>]*>\s*')


def _is_nowhere(address: str | None) -> bool:
    """Whether the site has no address that others could reach."""
    host = urlsplit(address or "").hostname or ""
    return host in ("", "localhost", "::1") or host.startswith("127.")


class KbConfig(Config):  # type: ignore[no-untyped-call]  # MkDocs' own hook lacks types
    """No options yet: what the site shows is set in kb.toml."""


class KbPlugin(BasePlugin[KbConfig]):  # type: ignore[no-untyped-call]  # MkDocs' own hook lacks types
    """Carries the pages that `KnowledgeBase.publish` makes."""

    def __init__(self) -> None:
        self._pages: dict[str, Page] = {}
        self._site: Site | None = None
        self._notes = Path()
        self._shared: Shared | None = None
        self._files = Files([])
        self._markdown = NotesMarkdown()
        self._kept = Kept()
        self._beside: tuple[Path, ...] = ()
        self._serving = False
        self._stop = Event()
        self._made: dict[tuple[object, ...], str] = {}
        self._made_before: dict[tuple[object, ...], str] = {}
        self._label: Any = None
        self._nowhere = False

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        """Know whether pages are served as they are written. This event keeps the plugin alive then."""
        self._serving = command == "serve"

    @event_priority(100)  # before the feed's, wherever it stands in the list
    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Add the stylesheet, the script, the icon and the Markdown that notes are written in."""
        if _STYLESHEET not in config.extra_css:
            config.extra_css.append(_STYLESHEET)
        if _SCRIPT not in map(str, config.extra_javascript):
            config.extra_javascript.append(_SCRIPT)
        if config.theme.name == "material" and config.theme["favicon"] == "assets/images/favicon.png":
            config.theme["favicon"] = _FAVICON
        config.markdown_extensions.append(self._markdown)  # type: ignore[arg-type]  # MkDocs passes on instances too
        if not config.site_description:
            config.site_description = f"{config.site_name}: notes, their links and their terms"
        self._nowhere = _is_nowhere(config.site_url)
        feed: Any = config.plugins.get("rss")
        if feed is not None:
            # Its own default lies in the current folder, whatever that is.
            if not feed.config.image and config.site_url:  # it would name a picture called None
                feed.config.image = config.site_url.rstrip("/") + "/" + _FAVICON
            feed.config.cache_dir = str(_root(config) / ".kb" / "feed")
            # It keeps the pages of every build since it was started: an edit would add them all again.
            feed.config.enabled = feed.config.enabled and not self._serving and not self._nowhere
            if self._nowhere and not self._serving:
                log.info("no feed and no site map: they need the site's address (SITE_URL, or site_url)")
        return config

    def on_files(self, files: Files, config: MkDocsConfig) -> Files:
        """Sync, then make MkDocs' files those of the site: kb's pages in, what is not public out."""
        site = self._publish(config)
        self._site = replace(site, pages=(), assets=(), files=())  # what is handed on is not held on to
        self._files = files
        self._pages = {page.path: page for page in site.pages}
        fill(files, config, site, self._notes)
        if config.nav is None:
            config.nav = _nav(site.nav)
        site.places.add(files.src_uris)
        self._markdown.places = site.places
        self._made_before, self._made = self._made, {}
        kept = _root(config) / ".kb" / "html.jsonl"
        self._kept.begin(kept, config, files.src_uris, site.places.names())
        self._share(files, config)
        return files

    def _share(self, files: Files, config: MkDocsConfig) -> None:
        """Add the search by meaning: last, since no page's HTML hangs on its files."""
        shared = self._shared
        if shared is None:
            return
        for path, source in shared.files:
            files.append(File.generated(config, path, abs_src_path=str(source)))
        if shared.files:
            config.extra_css.append(shared.style)
            config.extra_javascript.append(shared.script)
        elif shared.notice:
            log.info(shared.notice)

    def on_page_read_source(self, *, page: MkDocsPage, config: MkDocsConfig) -> str | None:
        """A page as kb made it, under front matter of our own, which MkDocs' reader cannot trip over."""
        made = self._pages.get(page.file.src_uri)
        if made is None:
            return None
        if page.title is None:  # the menu gives it no label
            page.title = made.title
        return f"---\n{{}}\n---\n\n{made.markdown}"

    @event_priority(-100)
    def on_page_markdown(self, markdown: str, *, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
        """Give the page its title, description, tags and date."""
        made = self._pages.get(page.file.src_uri)
        self._markdown.path = page.file.src_uri
        if made is None:
            return markdown
        # Templates put these into the page as they are; of the two titles they may unescape the
        # page's own again, but not this one. The front page goes by the name of the site.
        if not page.is_homepage:
            page.meta["title"] = made.title
        page.meta["description"] = made.description
        page.meta["tags"] = list(made.tags)
        if made.style not in ("note", "home", "glossary"):  # their parts are not headings of Markdown
            page.meta["hide"] = ["toc"]
        if made.style == "note" and made.noted:
            page.meta["date"] = date.fromisoformat(made.noted)
        if markdown.strip() == made.markdown.strip():
            self._kept.watch(page, markdown)
        return markdown

    def _clean(self, html: str, *, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
        """Take out of the HTML what may not be there."""
        made = self._pages.get(page.file.src_uri)
        if made is None or self._site is None:
            return html
        # What stands below the Markdown has anchors too, which MkDocs would miss.
        page.present_anchor_ids = (page.present_anchor_ids or set()) | set(_ID.findall(made.more))
        clean = self._site.clean if made.style == "note" else self._site.clean_own
        return (
            self._once("clean", clean is self._site.clean_own, html, clean) if self._serving else clean(html)
        )

    # The feed encodes title and description (at -75), so it gets them plain; tags it does not. It must
    # not have kb's own pages, nor notes without a date, which it would call new at every build.
    @event_priority(-70)
    def _before_feed(self, html: str, *, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
        made = self._pages.get(page.file.src_uri)
        if made is not None and "rss" in config.plugins:
            page.meta["draft"] = "date" not in page.meta
            self._label = page.title
            page.title = unescape(made.title)
            page.meta["description"] = unescape(made.description)
        return html

    @event_priority(-80)
    def _after_feed(self, html: str, *, page: MkDocsPage, config: MkDocsConfig, files: Files) -> str:
        made = self._pages.get(page.file.src_uri)
        if made is not None and "rss" in config.plugins:
            page.title = self._label
            page.meta["description"] = made.description
        if made is not None and as_shipped(config):  # nobody asks for the Markdown again
            page.markdown = None
            self._pages[made.path] = replace(made, markdown="")
        return html

    on_page_content = CombinedEvent(_clean, _before_feed, _after_feed)

    @event_priority(-100)
    def on_env(self, env: Environment, *, config: MkDocsConfig, files: Files) -> Environment:
        """Render what stands around notes once a folder, and cut pages for the search in our own way."""
        Frames(config, files).serve(env)
        index = getattr(config.plugins.get("material/search"), "search_index", None)
        if index is not None:
            theirs = index.add_entry_from_context

            def add(page: MkDocsPage) -> None:
                made = self._pages.get(page.file.src_uri)
                if made is not None and made.style == "home":
                    return  # it repeats how each note begins, and would be found in its place
                if self._is_clean(page):
                    sections.add(index, page)
                else:
                    theirs(page)

            index.add_entry_from_context = add
        return env

    def _is_clean(self, page: MkDocsPage) -> bool:
        made, site = self._pages.get(page.file.src_uri), self._site
        return made is not None and site is not None and not (site.trusted and made.style == "note")

    @event_priority(-50)
    def on_post_page(self, output: str, *, page: MkDocsPage, config: MkDocsConfig) -> str:
        """Lay over the page what is known of its links and terms, and guard it."""
        made, site = self._pages.get(page.file.src_uri), self._site
        before, opening, rest = output.partition(_ARTICLE)
        article, closing, after = rest.rpartition(_ARTICLE_END)
        if made is not None and site is not None and closing:
            if self._serving:
                finished = self._once(
                    "finish", (site.finish_key, made.style), article, partial(site.finish, made)
                )
            else:
                finished = site.finish(made, article)
            body = finished + made.more
            body = addressed(body, lru_cache(maxsize=None)(lambda path: self._address(path, page)))
            opening = f'{_ARTICLE[:-2]} kb-page kb-{made.style}">'
            output = f"{before}{opening}{body}{closing}{after}"
        trusted = output if site is not None and site.trusted else before + after
        if as_shipped(config):  # nobody asks for these again, and MkDocs would keep them to the end
            page.content = None
            page.toc = TableOfContents([])
        return self._framed(output, trusted, config)

    def on_post_template(self, output: str, *, template_name: str, config: MkDocsConfig) -> str:
        """Say something of use where there is no such page."""
        if template_name.startswith("sitemap.xml") and self._nowhere and not self._serving:
            return ""
        if template_name != "404.html":
            return output
        home = urlsplit(config.site_url or "/").path or "/"
        output = output.replace(_LOST, _FOUND.format(home=home), 1)
        return self._framed(output, output, config)

    def _framed(self, output: str, blessed: str, config: MkDocsConfig) -> str:
        """What holds for every page: the search dialog has a name, and only known scripts run."""
        output = output.replace(_SEARCH, f'{_SEARCH} aria-label="Search"', 1)
        # Without an address of the site's own, this one would lead search engines to nobody.
        at = output.find('<link rel="canonical" href="http://')
        if at >= 0:
            output = output[:at] + _LOCAL.sub("", output[at:], count=1)
        if self._nowhere or self._serving:
            output = _FEED.sub("", output, count=2)
        # Live reload needs an inline script, so pages that are served as they are written have no policy.
        return output if self._serving else protected(output, blessed)

    def _once(self, what: str, key: object, html: str, make: Callable[[str], str]) -> str:
        """What `make` made of `html` in the last build, or makes now: most pages are as before."""
        whole = (what, key, blake2b(html.encode("utf-8", "surrogatepass"), digest_size=16).digest())
        made = self._made.get(whole) or self._made_before.get(whole) or make(html)
        self._made[whole] = made
        return made

    def _address(self, path: str, page: MkDocsPage) -> str:
        file = self._files.get_file_from_path(path)
        return file.url_relative_to(page.file) if file is not None else "#"

    @event_priority(-100)
    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Keep what was rendered, and mend the feed, which has the name of the site unencoded in places."""
        self._kept.end()
        name = config.site_name
        for feed in Path(config.site_dir).glob("feed_rss_*.xml") if escape(name) != name else ():
            text = feed.read_text(encoding="utf-8").replace(f">{name}<", f">{escape(name)}<")
            feed.write_text(text, encoding="utf-8")

    def on_serve(
        self, server: LiveReloadServer, *, config: MkDocsConfig, builder: Callable[..., None]
    ) -> LiveReloadServer:
        """Watch what MkDocs does not: the ledger, kb.toml, and the notes where they do not lie in docs_dir.

        Folder by folder: the notebook's own folder also holds what each build writes.
        """
        self._stop = watching.start(server, lambda: self._sight(config.docs_dir))
        return server

    def on_shutdown(self) -> None:
        """Let the watching end."""
        self._stop.set()

    def _sight(self, docs_dir: str) -> watching.Sight:
        if not same(docs_dir, self._notes):
            folders = frozenset(KnowledgeBase.folders(self._notes))
        else:  # which MkDocs watches, as long as it is there
            folders = frozenset({docs_dir} if os.path.isdir(docs_dir) else ())
        return watching.seen(self._beside, folders)

    def _publish(self, config: MkDocsConfig) -> Site:
        try:
            with KnowledgeBase.open(_root(config)) as notebook:
                report = notebook.sync(embed=False)
                site = notebook.publish()
                self._shared = notebook.share(
                    site, lambda path: File(path, "", "", config.use_directory_urls).url
                )
                self._notes = notebook.settings.notes
                self._beside = (notebook.settings.root / "kb.toml", notebook.settings.ledger)
        except KbError as error:
            raise PluginError(f"kb: {error}" + (f"\n{error.hint}" if error.hint else "")) from error
        for problem in report.problems:
            # A warning would fail a strict build, and one note's slip must not take the site down.
            if problem.severity is Severity.ERROR:
                log.info("%s:%d: %s", problem.path, problem.line, problem.message)
        return site


def _root(config: MkDocsConfig) -> Path:
    return Path(config.config_file_path or "mkdocs.yml").absolute().parent


def _nav(entries: tuple[tuple[str, Any], ...]) -> list[dict[str, Any]]:
    return [{label: to if isinstance(to, str) else _nav(to)} for label, to in entries]
