"""A page as plain Markdown that any engine reads: wikilinks resolved, what stands below it inlined.

Engines know Markdown by its suffix in small letters, and give each page the address that its path says: so a
page's file is not always called as its note. `renamed` holds those that are not, by the path of the note.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from kb.model.site import Page
from kb.pages.text import plain, slug
from kb.places import WIKILINK, Places, addressed, meetings, read_wikilink

_FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})")
_CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")
# Where an address begins, in a link or in a link's definition; and the address, if it may be a page's.
_TARGET = re.compile(r"(\]\(<?|^ {0,3}\[[^\[\]]+\]:[ \t]*<?)([^()\s<>#?:]+)")


def file_names(paths: Sequence[str]) -> dict[str, str]:
    """The `renamed` among some pages: where the files of those lie that do not lie where their notes do."""
    met = {path for path, _ in meetings(paths)}
    found = {path: f"{stem}.{suffix.lower()}" for path in paths for stem, _, suffix in [path.rpartition(".")]}
    taken = {*paths, *(name for path, name in found.items() if path not in met)}
    for path in sorted(met):
        stem, _, suffix = found[path].rpartition(".")
        numbered = (f"{stem}-{number}.{suffix}" for number in range(2, 10_000))
        found[path] = next(name for name in numbered if name not in taken)
        taken.add(found[path])
    return {path: name for path, name in found.items() if name != path}


def page(made: Page, places: Places, renamed: Mapping[str, str]) -> str:
    """The whole file: front matter, Markdown, and the HTML below it with addresses of its own."""
    about = {
        "title": made.title,
        "description": made.description,
        "tags": list(made.tags),
        "date": made.noted,
    }
    head = "".join(f"{name}: {json.dumps(value)}\n" for name, value in about.items() if value)
    text = "\n".join(_Lines(made.path, places, renamed).of(made.markdown))
    here = renamed.get(made.path, made.path)
    below = addressed(made.more, lambda path: address(renamed.get(path, path), here))
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


class _Lines:
    """The lines of a page at `here`, their links leading to other pages' files."""

    def __init__(self, here: str, places: Places, renamed: Mapping[str, str]) -> None:
        self._here, self._places, self._renamed = here, places, renamed

    def of(self, markdown: str) -> Iterator[str]:
        fence = ""
        for line in markdown.split("\n"):
            mark = _FENCE.match(line)
            if mark and not fence:
                fence = mark[1]
            elif mark and mark[1][0] == fence[0] and len(mark[1]) >= len(fence):
                fence = ""
            untouched = fence or mark or ("[[" not in line and not self._renamed)
            yield line if untouched else self._resolved(line)

    def _resolved(self, line: str) -> str:
        pieces, at = [], 0
        for code in _CODE.finditer(line):
            pieces += [self._led(line[at : code.start()]), code[0]]
            at = code.end()
        return "".join([*pieces, self._led(line[at:])])

    def _led(self, text: str) -> str:
        if self._renamed:
            text = _TARGET.sub(self._link, text)
        return WIKILINK.sub(self._wikilink, text)

    def _link(self, match: re.Match[str]) -> str:
        found = self._places.at(self._here, match[2])
        return match[1] + self._way(found) if found and found in self._renamed else match[0]

    def _wikilink(self, match: re.Match[str]) -> str:
        wiki = read_wikilink(match[2], match[3])
        found = self._places.named(self._here, wiki.name)
        if found is None:
            return plain(wiki.words)
        anchor = slug(wiki.heading)
        target = "" if found == self._here and anchor else self._way(found)
        picture = "!" if match[1] and not found.lower().endswith((".md", ".markdown")) else ""
        return f"{picture}[{plain(wiki.words)}]({target}{f'#{anchor}' if anchor else ''})"

    def _way(self, path: str) -> str:
        """The address of a page's file, or of another file, from here."""
        return quote(posixpath.relpath(self._renamed.get(path, path), posixpath.dirname(self._here) or "."))
