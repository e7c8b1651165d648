"""bookmarks.html, the Netscape file that every browser reads: a folder a tag, outermost first.

Of the format: https://learn.microsoft.com/previous-versions/windows/internet-explorer/ie-developer/platform-apis/aa753582(v=vs.85)
"""

from __future__ import annotations

from calendar import timegm
from collections.abc import Iterable, Iterator
from html import escape
from time import strptime

from kb.model.dates import When
from kb.notes.exporters.base import Exported, Exporter

_HEAD = """\
<!DOCTYPE NETSCAPE-Bookmark-file-1>
<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=UTF-8">
<TITLE>Bookmarks</TITLE>
<H1>Bookmarks</H1>
"""


class _Folder:
    def __init__(self) -> None:
        self.folders: dict[str, _Folder] = {}
        self.links: list[str] = []


def write(links: Iterable[Exported]) -> Iterator[str]:
    """The whole file. Folders come before the links beside them, so that all links are had first."""
    root = _Folder()
    for link in links:
        folder = root
        for tag in link.tags:
            folder = folder.folders.setdefault(tag, _Folder())
        folder.links.append(f"<DT><A {_attributes(link)}>{escape(_line(link.title) or link.url)}</A>")
    yield _HEAD
    yield from (f"{line}\n" for line in _lines(root, ""))


def _lines(folder: _Folder, indent: str) -> Iterator[str]:
    yield f"{indent}<DL><p>"
    for name, inner in folder.folders.items():
        yield f"{indent}    <DT><H3>{escape(name)}</H3>"
        yield from _lines(inner, f"{indent}    ")
    for link in folder.links:
        yield f"{indent}    {link}"
    yield f"{indent}</DL><p>"


def _attributes(link: Exported) -> str:
    values = {"HREF": link.url}
    if link.when is not None:
        values["ADD_DATE"] = str(_seconds(link.when))
    if link.tags:
        values["TAGS"] = ",".join(link.tags)
    return " ".join(f'{name}="{escape(_line(value))}"' for name, value in values.items())


def _seconds(when: When) -> int:
    return timegm(strptime(when.earliest, "%Y-%m-%d"))


def _line(text: str) -> str:
    return " ".join(text.split())


EXPORTER = Exporter("bookmarks", "bookmarks.html, which browsers read", write)
