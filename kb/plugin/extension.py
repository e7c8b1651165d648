"""How notes are written beyond plain Markdown: wikilinks, bare addresses, and links that lead nowhere."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import SplitResult, quote, unquote, urlsplit
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

from kb.places import WIKILINK, Places, read_wikilink, slug


class NotesMarkdown(Extension):
    """Wikilinks and bare addresses become links, pictures from elsewhere too, dead ends become text.

    `path` is the page being rendered and `places` all files of the site; both are set by the
    plugin, from the root of the site.
    """

    def __init__(self) -> None:
        super().__init__()
        self.path = ""
        self.places = Places()

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        """Register with `md`."""
        # After code, escapes, links and raw HTML (90), before entities (80) and emphasis (60), whose
        # marks an address may hold.
        md.inlinePatterns.register(BareAddress(md), "kb_bare", 85)
        # After code (190), before escapes (180), which take the bar of `[[Note\|words]]` in a table.
        md.inlinePatterns.register(Wikilinks(md, self), "kb_wikilink", 185)
        # Before MkDocs turns paths of files into addresses (0).
        md.treeprocessors.register(Targets(md, self), "kb_targets", 3)


class Wikilinks(InlineProcessor):
    """`[[Note]]`, `[[Note#Heading|words]]` and `![[picture.png]]`."""

    ANCESTOR_EXCLUDES = ("a",)

    def __init__(self, md: Markdown, extension: NotesMarkdown) -> None:
        super().__init__(WIKILINK.pattern, md)
        self._extension = extension

    def handleMatch(  # type: ignore[override]  # noqa: N802 - Python-Markdown's name
        self, m: re.Match[str], data: str
    ) -> tuple[Element, int, int]:
        """The link or picture; where there is no such note, its words."""
        here = self._extension.path
        wiki = read_wikilink(self.unescape(m[2]), self.unescape(m[3]) if m[3] else None)
        found = self._extension.places.named(here, wiki.name)
        if found is None:
            return missing(wiki.words), m.start(0), m.end(0)
        target = quote(posixpath.relpath(found, posixpath.dirname(here) or "."))
        if m[1] and not found.lower().endswith((".md", ".markdown")):
            return Element("img", {"src": target, "alt": wiki.words}), m.start(0), m.end(0)
        anchor = slug(wiki.heading)
        same = found == here and anchor
        element = Element("a", {"href": ("" if same else target) + (f"#{anchor}" if anchor else "")})
        element.text = AtomicString(wiki.words)
        return element, m.start(0), m.end(0)


def missing(words: str) -> Element:
    """Words that would lead to a page which this site does not have: say so, and send nobody to a 404."""
    element = Element("span", {"class": "kb-missing", "title": "not a page of this site"})
    element.text = AtomicString(words)
    return element


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
        parts = split(address)
        if parts is None or not parts.netloc:
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
            address = element.get("href") or element.get("src") or ""
            if split(address) is None:
                _plain(element)
            elif element.tag == "a" and element.get("href"):
                self._link(element)
            elif element.tag == "img" and _leaves(element.get("src", "")):
                words = element.get("alt", "")
                for name in list(element.attrib):
                    del element.attrib[name]
                element.tag, element.text = "a", AtomicString(words or address)
                element.set("href", address)

    def _link(self, element: Element) -> None:
        href = element.get("href", "")
        path = unquote(urlsplit(href).path) if not _leaves(href) else ""
        if not path or element.get("class") in ("headerlink", "footnote-ref", "footnote-backref"):
            return
        found = self._extension.places.at(self._extension.path, path)
        if found is None:
            # The note speaks of a page that this site does not have: send nobody to a 404.
            _plain(element)
        elif found != posixpath.normpath(posixpath.join(posixpath.dirname(self._extension.path), path)):
            here = posixpath.dirname(self._extension.path) or "."
            tail = href[len(href.partition("#")[0]) :]
            element.set("href", posixpath.relpath(found, here) + tail)


def _plain(element: Element) -> None:
    """Words in the place of a link or picture that leads nowhere."""
    words = element.get("alt")
    if element.tag == "img":
        element.text = AtomicString(words or "")
    for name in list(element.attrib):
        del element.attrib[name]
    element.tag = "span"
    element.attrib.update(missing("").attrib)


def split(address: str) -> SplitResult | None:
    """An address taken apart; None for one that is none, such as `//[x`."""
    try:
        return urlsplit(address)
    except ValueError:
        return None


def _leaves(address: str) -> bool:
    parts = split(address)
    return parts is not None and bool(parts.scheme or parts.netloc)
