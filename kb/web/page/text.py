"""The readable text of a page: what its author wrote, without menus, side bars and footers.

A page is cut into blocks by its block elements. Where it says which element holds its content
(`main`, `article`, a few well-known classes), that is taken; else the element whose paragraphs
hold most text that is no link, as readability does. Blocks that are mostly links, and elements
that are named as navigation, are left out. Broken and hostile markup costs no more than its
length. `bench/readable.py` measures it against others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Final

from kb.web.page import one_line, without_opaque
from kb.web.page.decoding import decode

MAX_CHARS: Final = 200_000
_BLOCK_CHARS: Final = 20_000
_DEPTH: Final = 100
# More blocks than these in a row that are mostly links are a list of links.
_FEW_LINKS: Final = 3

_TAG: Final = re.compile(
    r"""<(?:(/?)([a-zA-Z][a-zA-Z0-9:-]{0,30})((?:[^<>"']|"[^"<]{0,4000}"|'[^'<]{0,4000}'){0,500}+)|[!?][^<>]*)>"""
)
_ATTRIBUTE: Final = re.compile(
    r"""([a-zA-Z-]{2,20})\s*=\s*(?:"([^"]{0,400})"|'([^']{0,400})'|([^\s"'>]{1,200}))"""
)
_HIDDEN: Final = re.compile(
    r"(?:\A|\s)hidden(?:\s|=|\Z)|aria-hidden\s*=\s*[\"']?true|display:\s*none", re.IGNORECASE
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BLOCKS: Final = _words(
    """
    address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer
    form h1 h2 h3 h4 h5 h6 header hgroup hr html li main menu nav ol p pre section summary table tbody td
    tfoot th thead tr ul
    """
)
_VOID: Final = _words("area base br col embed hr img input link meta source track wbr")
_OUT: Final = _words("nav aside footer form button select dialog menu noscript iframe object textarea head")
_OUT_ROLES: Final = _words("navigation banner contentinfo search complementary dialog alert menu")
_CONTENT: Final = re.compile(
    r"(?:\A|\s)(?:mw-content-text|post-content|entry-content|article-body|article-content|story-body|markdown-body|"
    r"post-body|available-content|body-content|main-content|rst-content|articlebody)(?:\s|\Z)",
    re.IGNORECASE,
)
_NAMED_OUT: Final = re.compile(
    r"(?:\A|[\s_-])(?:nav(?:bar|igation|links|box)?|menu|side-?bar|breadcrumbs?|foot(?:er)?|cookies?|banner|share|"
    r"sharing|social|related|recommend(?:ed|ations)?|newsletter|subscribe|promo|advert(?:isement)?|ads?|toc|pager|"
    r"pagination|comments?|skip(?:link)?|popup|modal|headerlink|mw-editsection|reflist|sphinxsidebar|toolbar)"
    r"(?:\Z|[\s_-])",
    re.IGNORECASE,
)
_PROSE: Final = _words("p pre li blockquote dd dt td th")
_HEADINGS: Final = {f"h{level}": "#" * level + " " for level in range(1, 7)}
# What stands in a heading to link to it.
_MARKS: Final = frozenset(["#", "¶", "§", "⚓", "🔗", "\uf0c1", "link", "[link]", "permalink", "[edit]", "↩"])


@dataclass(slots=True)
class _Node:
    """An open element: its place in the tree, and what its blocks amount to."""

    name: str
    parent: int
    out: bool = False
    content: bool = False
    chars: int = 0
    linked: int = 0
    score: float = 0.0


@dataclass(slots=True)
class _Block:
    """A run of text between the borders of block elements."""

    node: int
    kind: str
    text: str
    linked: int

    @property
    def mostly_links(self) -> bool:
        return self.linked * 2 > len(self.text)


@dataclass(slots=True)
class _Tree:
    nodes: list[_Node] = field(default_factory=lambda: [_Node("root", -1)])
    blocks: list[_Block] = field(default_factory=list)


def readable(body: bytes, content_type: str | None) -> str:
    """The page's text as plain Markdown: headings, paragraphs, list items, code. '' if there is none.

    At most MAX_CHARS characters. Never raises.
    """
    tree = _grown(without_opaque(decode(body, content_type))[0])
    _weigh(tree)
    root = _chosen(tree)
    return _written(block for block in tree.blocks if _within(tree, block.node, root))


def _grown(markup: str) -> _Tree:
    """The page's elements and blocks."""
    tree = _Tree()
    stack = [0]
    pieces: list[str] = []
    linked = anchors = 0
    skipping: list[int] = []  # depths of elements that are left out whole
    at = 0

    def flush() -> None:
        nonlocal linked, anchors
        if pieces:
            node = stack[-1]
            kind = _kind(tree, stack)
            raw = unescape("".join(pieces))
            text = _code(raw) if kind == "pre" else one_line(raw, _BLOCK_CHARS) or ""
            if text:
                tree.blocks.append(_Block(node, kind, text, min(linked, len(text))))
            pieces.clear()
        anchors = min(anchors, 1)
        linked = 0

    for tag in _TAG.finditer(markup):
        if tag.start() > at and not skipping:
            piece = markup[at : tag.start()]
            pieces.append(piece)
            if anchors:
                linked += len(piece.strip())
        at = tag.end()
        if tag[2] is None:
            continue  # a declaration
        closing, name, attributes = tag[1], tag[2].lower(), tag[3]
        if name == "a":
            if closing and anchors and unescape("".join(pieces[anchors - 1 :])).strip().lower() in _MARKS:
                del pieces[anchors - 1 :]
            anchors = 0 if closing else len(pieces) + 1
            continue
        if name == "br":
            pieces.append("\n")
            continue
        if name not in _BLOCKS and name not in _OUT:
            continue
        flush()
        if closing:
            for depth in range(len(stack) - 1, max(0, len(stack) - 50), -1):
                if tree.nodes[stack[depth]].name == name:
                    del stack[depth:]
                    break
            while skipping and skipping[-1] >= len(stack):
                skipping.pop()
        elif name not in _VOID and len(stack) < _DEPTH:
            open_name = tree.nodes[stack[-1]].name
            if open_name == "p" or (open_name == name and name in ("li", "dt", "dd", "tr", "td", "th")):
                stack.pop()  # HTML lets their ends be left out
                while skipping and skipping[-1] >= len(stack):
                    skipping.pop()
            node = _node(name, attributes, tree.nodes[stack[-1]], stack[-1])
            if node.out:
                skipping.append(len(stack))
            tree.nodes.append(node)
            stack.append(len(tree.nodes) - 1)
    if not skipping:
        pieces.append(markup[at : at + _BLOCK_CHARS])
    flush()
    return tree


def _node(name: str, attributes: str, above: _Node, parent: int) -> _Node:
    known = {
        found[1].lower(): found[2] or found[3] or found[4] or "" for found in _ATTRIBUTE.finditer(attributes)
    }
    named = f"{known.get('class', '')} {known.get('id', '')}"
    content = (
        name in ("main", "article")
        or known.get("role") == "main"
        or known.get("itemprop", "").lower() == "articlebody"
        or bool(_CONTENT.search(named))
    )
    out = (
        not content
        and name not in ("html", "body")
        and (
            name in _OUT
            or known.get("role") in _OUT_ROLES
            or bool(_HIDDEN.search(attributes))
            or (name in ("div", "section", "ul", "ol", "header", "table") and bool(_NAMED_OUT.search(named)))
        )
    )
    return _Node(name, parent, out, content)


def _kind(tree: _Tree, stack: list[int]) -> str:
    for depth in range(len(stack) - 1, max(0, len(stack) - 6), -1):
        name = tree.nodes[stack[depth]].name
        if name in _PROSE or name in _HEADINGS:
            return name
    return "div"


def _code(raw: str) -> str:
    lines = ("".join(c for c in line if c.isprintable() or c == "\t").rstrip() for line in raw.split("\n"))
    return "\n".join(lines).strip("\n")[:_BLOCK_CHARS]


def _weigh(tree: _Tree) -> None:
    for block in tree.blocks:
        size = len(block.text)
        node = block.node
        # As readability: a paragraph speaks for its parent, and half as much for the one above.
        if size >= 25 and not block.mostly_links and block.kind not in _HEADINGS:
            share = 1.0
            above = tree.nodes[node].parent if block.kind != "div" else node
            for _ in range(4):
                if above < 0:
                    break
                tree.nodes[above].score += (size - block.linked) * share
                share /= 2
                above = tree.nodes[above].parent
        while node >= 0:
            tree.nodes[node].chars += size
            tree.nodes[node].linked += block.linked
            node = tree.nodes[node].parent


def _chosen(tree: _Tree) -> int:
    """The element that holds the content; 0, the whole page, where none stands out."""
    total = tree.nodes[0].chars - tree.nodes[0].linked
    said = [
        number
        for number, node in enumerate(tree.nodes)
        if node.content and node.chars - node.linked >= max(140, total / 4)
    ]
    if said:
        # The innermost that still holds nearly all of what the outermost does.
        most = max(tree.nodes[number].chars for number in said)
        return max(number for number in said if tree.nodes[number].chars >= 0.7 * most)
    best = max(range(len(tree.nodes)), key=lambda number: tree.nodes[number].score)
    # A long page has its paragraphs in many sections: go up while that takes in mostly prose.
    while (above := tree.nodes[best].parent) > 0:
        outer, inner = tree.nodes[above], tree.nodes[best]
        gained = outer.chars - inner.chars
        if gained and (outer.linked - inner.linked) * 3 > gained:
            break
        best = above
    return best if tree.nodes[best].score > 0 else 0


def _within(tree: _Tree, node: int, root: int) -> bool:
    while node > root:
        node = tree.nodes[node].parent
    return node == root


def _written(blocks: Iterable[_Block]) -> str:
    lines: list[str] = []
    size = 0
    for block in _prose(blocks):
        if block.kind in _HEADINGS:
            text = _HEADINGS[block.kind] + block.text
        elif block.kind == "pre":
            text = f"```\n{block.text}\n```"
        elif block.kind in ("li", "dd"):
            text = f"- {block.text}"
        elif block.kind == "blockquote":
            text = f"> {block.text}"
        else:
            text = block.text
        size += len(text) + 2
        if size > MAX_CHARS:
            break
        lines.append(text)
    return "\n\n".join(lines)


def _prose(blocks: Iterable[_Block]) -> Iterator[_Block]:
    """Blocks worth reading: no lists of links, and no heading over nothing."""
    waiting: list[_Block] = []  # headings, and links that may turn out to be a list of them
    run = 0
    for block in blocks:
        if block.kind in _HEADINGS:
            # A heading of the same rank or a higher one leaves those before it with nothing beneath.
            waiting = [one for one in waiting if one.kind in _HEADINGS and one.kind < block.kind]
            waiting.append(block)
            run = 0
        elif block.mostly_links and block.kind not in ("dt", "td", "th", "pre"):
            run += 1
            waiting.append(block)
            if run > _FEW_LINKS:
                waiting = [one for one in waiting if one.kind in _HEADINGS]
        else:
            yield from waiting
            waiting = []
            run = 0
            yield block
