"""A page as plain Markdown that any engine reads: wikilinks resolved, what stands below it inlined."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from urllib.parse import quote

from kb.model.site import Page
from kb.pages.text import plain, slug
from kb.places import WIKILINK, Places, addressed, read_wikilink

_FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})")
_CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")


def page(made: Page, places: Places) -> str:
    """The whole file: front matter, Markdown, and the HTML below it with addresses of its own."""
    about = {
        "title": made.title,
        "description": made.description,
        "tags": list(made.tags),
        "date": made.noted,
    }
    head = "".join(f"{name}: {json.dumps(value)}\n" for name, value in about.items() if value)
    text = "\n".join(_lines(made.markdown, made.path, places))
    below = addressed(made.more, lambda path: address(path, made.path))
    # HTML is one block only as long as no line of it is empty.
    below = re.sub(r"\n\s*\n", "\n", below)
    return f"---\n{head}---\n\n{text.rstrip()}\n" + (f"\n<div>\n{below}\n</div>\n" if below else "")


def address(path: str, here: str) -> str:
    """Where the page of `path` is from that of `here`, where each page is a folder of its own."""
    return quote(posixpath.relpath(_folder(path), _folder(here))) + "/"


def _folder(path: str) -> str:
    stem = re.sub(r"(?i)\.(md|markdown)$", "", path)
    return (
        posixpath.dirname(stem) or "." if posixpath.basename(stem) in ("index", "README", "readme") else stem
    )


def _lines(markdown: str, here: str, places: Places) -> Iterator[str]:
    fence = ""
    for line in markdown.split("\n"):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1][0] == fence[0] and len(mark[1]) >= len(fence):
            fence = ""
        yield line if fence or mark or "[[" not in line else _resolved(line, here, places)


def _resolved(line: str, here: str, places: Places) -> str:
    def lead(match: re.Match[str]) -> str:
        wiki = read_wikilink(match[2], match[3])
        found = places.named(here, wiki.name)
        if found is None:
            return plain(wiki.words)
        anchor = slug(wiki.heading)
        same = found == here and anchor
        target = "" if same else quote(posixpath.relpath(found, posixpath.dirname(here) or "."))
        picture = "!" if match[1] and not found.lower().endswith((".md", ".markdown")) else ""
        return f"{picture}[{plain(wiki.words)}]({target}{f'#{anchor}' if anchor else ''})"

    pieces, at = [], 0
    for code in _CODE.finditer(line):
        pieces += [WIKILINK.sub(lead, line[at : code.start()]), code[0]]
        at = code.end()
    return "".join([*pieces, WIKILINK.sub(lead, line[at:])])
