"""What stands around a note, rendered once for all notes of a folder.

The theme's templates write the same menu, header and footer around every note that is not in the
menu; only a few words of theirs are the note's own. So one stand-in a folder goes through the
templates, with marks in the place of those words, and the notes are set into what comes out.

That holds for the theme as it ships. Where anything else has a hand in the templates, or the first
note of a build does not come out as they would have it, every page goes through them.
"""

from __future__ import annotations

import copy
import logging
import posixpath
import re
from collections.abc import Iterable
from html import escape
from typing import Any

from jinja2 import Environment, Template
from jinja2.filters import do_striptags
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink

log = logging.getLogger("mkdocs.plugins.kb")

#: Plugins that leave the templates as they are.
_QUIET = {"search", "material/search", "kb", "rss"}
#: All that kb's own notes tell templates.
_TOLD = {"title", "description", "tags", "date", "draft"}
# Markdown takes these two characters out of every text, so no page holds them.
_MARK = "\x02{}\x03"
_MARKS = re.compile("\x02([a-z]+)\x03")
_ENTRY = re.compile(r'<li class="md-nav__item">\s*<a href="#\x02outline\x03".*?</li>', re.DOTALL)


class Frames:
    """The frames of one build."""

    def __init__(self, config: MkDocsConfig, files: Files) -> None:
        self._usable = as_shipped(config)
        self._checked = False
        self._frames: dict[tuple[str, bool], list[str]] = {}
        # From a page called like a folder that it leads into, the way there is shorter.
        self._names = {
            name for file in files if _is_target(file.page, file) for name in file.url.split("/")
        } | {"search"}

    def serve(self, env: Environment) -> None:
        """Have the environment's templates rendered by way of the frames."""

        class Framed(Template):
            def render(template, *args: Any, **kwargs: Any) -> str:  # noqa: N805
                plain = super().render
                context = dict(*args, **kwargs)
                return self.render(plain, context) if template.name == "main.html" else plain(context)

        env.template_class = Framed

    def render(self, plain: Any, context: dict[str, Any]) -> str:
        """The page of `context`; `plain` is how the templates render it."""
        page: Page = context["page"]
        if not self._usable or not self._is_like_others(page, context["nav"]):
            return str(plain(context))
        items = page.toc.items[0].children
        key = (posixpath.dirname(page.url.rstrip("/")), bool(items))
        if key not in self._frames:
            self._frames[key] = _frame(plain, context, page)
        words = {
            "title": page.meta["title"],
            "description": page.meta["description"],
            "address": page.canonical_url or "",
            "skip": page.toc.items[0].id,
            "outline": _outline(items),
            "content": page.content or "",
        }
        whole = "".join(words[piece] if at % 2 else piece for at, piece in enumerate(self._frames[key]))
        if not self._checked:
            self._checked = True
            right = str(plain(context))
            self._usable = right.split() == whole.split()
            if not self._usable:
                log.debug("the templates are not those that kb knows: every page goes through them")
            return right
        return whole

    def _is_like_others(self, page: Page, nav: Any) -> bool:
        """Whether a page has nothing of its own but what the marks stand for."""
        return (
            page.parent is None
            and page.previous_page is None
            and page.next_page is None
            and page.edit_url is None
            and {"title", "description"} <= page.meta.keys() <= _TOLD
            and "<h1" in (page.content or "")
            and [item.level for item in page.toc.items[:1]] == [1]
            and posixpath.basename(page.url.rstrip("/")) not in self._names
            and not any(page is one for one in nav.pages)
        )


def _is_target(page: Page | None, file: Any) -> bool:
    """Whether the theme's templates may lead to a file: an asset, or a page of the menu."""
    return page is None or page.parent is not None or not file.is_documentation_page()


def as_shipped(config: MkDocsConfig) -> bool:
    """Whether nothing but the theme and plugins known to kb has a hand in the pages."""
    return (
        config.theme.name == "material"
        and not config.theme.custom_dir
        and not config.hooks
        and set(config.plugins) <= _QUIET
    )


def _frame(plain: Any, context: dict[str, Any], page: Page) -> list[str]:
    """What the templates make of a stand-in, cut at its marks: text, mark, text, mark..."""
    other = copy.copy(page)
    other.meta = {**page.meta, "title": _MARK.format("title"), "description": _MARK.format("description")}
    content = f"<h1>{_MARK.format('content')}"
    other.content = content
    first = AnchorLink("", _MARK.format("skip"), 1)
    if page.toc.items[0].children:
        first.children = [AnchorLink("", _MARK.format("outline"), 2)]
    other.toc = type(page.toc)([first])
    if page.canonical_url is not None:
        other.canonical_url = _MARK.format("address")
    made = str(plain({**context, "page": other}))
    made = made.replace(content, _MARK.format("content"))
    return _MARKS.split(_ENTRY.sub(_MARK.format("outline"), made))


def _outline(items: Iterable[AnchorLink]) -> str:
    """The list of headings, as the theme's `toc-item.html` writes it."""
    return "\n".join(map(_entry, items))


def _entry(item: AnchorLink) -> str:
    words = f'<span class="md-ellipsis">\n{item.title}\n</span>'
    below = ""
    if item.children:
        name = escape(do_striptags(item.title))
        below = (
            f'\n<nav class="md-nav" aria-label="{name}">\n<ul class="md-nav__list">\n'
            f"{_outline(item.children)}\n</ul>\n</nav>"
        )
    return (
        f'<li class="md-nav__item">\n<a href="{item.url}" class="md-nav__link">\n{words}\n</a>{below}\n</li>'
    )
