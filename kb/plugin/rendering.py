"""Markdown to HTML as MkDocs does it, with one converter for all pages of a build.

MkDocs makes a converter for each page, extensions and all. They can all be set back.
"""

from __future__ import annotations

from typing import Any

import markdown
from markdown.treeprocessors import InlineProcessor
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure import pages
from mkdocs.structure.files import Files
from mkdocs.structure.toc import get_toc

# What a text must hold for a pattern of Python-Markdown's or ours to find something in it.
_NEEDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("reference", "link", "short_reference"), ("[",)),
    **dict.fromkeys(("image_link", "image_reference", "short_image_ref"), ("![",)),
    **dict.fromkeys(("autolink", "automail", "html"), ("<",)),
    "backtick": ("`",),
    "em_strong": ("*", "_"),
    "entity": ("&",),
    "escape": ("\\",),
    "footnote": ("[^",),
    "kb_bare": ("://",),
    "kb_wikilink": ("[[",),
    "linebreak": ("  \n",),
}


class Renderer:
    """The converter of a build. Only for extensions that can be set back and are functions of the text."""

    def __init__(self, config: MkDocsConfig) -> None:
        self._md = markdown.Markdown(
            extensions=config["markdown_extensions"], extension_configs=config["mdx_configs"] or {}
        )
        self._md.treeprocessors.register(_Inline(self._md), "inline", 20)

    def render(self, page: pages.Page, config: MkDocsConfig, files: Files) -> None:
        """What `Page.render` does."""
        md = self._md
        md.reset()
        raw = pages._RawHTMLPreprocessor()
        anchors = pages._ExtractAnchorsTreeprocessor(page.file, files, config)
        paths = pages._RelativePathTreeprocessor(page.file, files, config)
        title = pages._ExtractTitleTreeprocessor()
        for processor in (raw, anchors, paths, title):
            processor._register(md)  # in the place of the last page's
        page.content = md.convert(page.markdown or "")
        page.toc = get_toc(getattr(md, "toc_tokens", []))
        page._title_from_render = title.title
        page.present_anchor_ids = anchors.present_anchor_ids | raw.present_anchor_ids
        page.links_to_anchors = paths.links_to_anchors


class _Inline(InlineProcessor):
    """Applies to a text only those patterns that may find something in it."""

    def _InlineProcessor__handleInline(self, data: str, patternIndex: int = 0) -> str:  # noqa: N802, N803
        if isinstance(data, markdown.util.AtomicString):
            return data
        patterns: Any = self.inlinePatterns
        apply: Any = self._InlineProcessor__applyPattern  # type: ignore[attr-defined]
        start = 0
        for at in range(patternIndex, len(patterns)):
            pattern = patterns[at]  # which puts the registry in order
            needs = _NEEDS.get(patterns._priority[at].name)
            matched = needs is None or any(need in data for need in needs)
            while matched:
                data, matched, start = apply(pattern, data, at, start)
        return data
