"""bookmarks.html, the Netscape file that every browser writes -> notes.

Folders become tags, outermost first, and so do the TAGS that Firefox and Pinboard write;
ADD_DATE becomes the date, and a DD the comment. The format is no HTML that nests: DT and P are
never closed, and a folder is a DL after an H3.
"""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from kb.errors import ImportRefused
from kb.notes.importers.base import Imported, Importer, head, read_file
from kb.notes.importers.marks import Mark, from_seconds, imported

# Folders that every browser has: they say nothing of what they hold.
_ROOTS = frozenset(
    (
        "bookmarks", "bookmarks bar", "bookmarks menu", "bookmarks toolbar", "favorites", "favorites bar",
        "imported", "mobile bookmarks", "other bookmarks", "other favorites", "reading list",
        "unsorted bookmarks", "unread", "read archive",
    )
)  # fmt: skip


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.marks: list[Mark] = []
        self.folders: list[str] = []
        self.name = ""
        self.what = ""
        self.words: list[str] = []
        self.link: dict[str, str | None] = {}
        self.line = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._flush()
        if tag == "dl":
            self.folders.append(self.name)
            self.name = ""
        elif tag in ("a", "h3", "dd"):
            self.what, self.words = tag, []
            if tag == "a":
                self.link, self.line = dict(attrs), self.getpos()[0]
            elif tag == "h3":
                self.root = "personal_toolbar_folder" in dict(attrs) or "unfiled_bookmarks_folder" in dict(
                    attrs
                )

    def handle_endtag(self, tag: str) -> None:
        self._flush()
        if tag == "dl" and self.folders:
            self.folders.pop()

    def handle_data(self, data: str) -> None:
        if self.what:
            self.words.append(data)

    def _flush(self) -> None:
        """The element before ends where the next begins."""
        what, self.what = self.what, ""
        text = " ".join("".join(self.words).split())
        if what == "a":
            self._mark(text)
        elif what == "h3":
            self.name = "" if self.root or text.casefold() in _ROOTS else text
        elif what == "dd" and text and self.marks:
            last = self.marks[-1]
            if not last.comment:
                self.marks[-1] = Mark(last.url, last.title, last.when, last.tags, text, last.line)

    def _mark(self, title: str) -> None:
        url = (self.link.get("href") or "").strip()
        # Pocket's page of the same shape says time_added.
        when = from_seconds(self.link.get("add_date") or self.link.get("time_added"))
        folders = [*filter(None, self.folders)]
        tags = [tag.strip() for tag in (self.link.get("tags") or "").split(",")]
        if not set(folders) <= set(tags):
            tags = [*folders, *tags]
        self.marks.append(Mark(url, "" if title == url else title, when, tuple(tags), "", self.line))

    def close(self) -> None:
        super().close()
        self._flush()


def _sniff(source: Path) -> bool:
    start = head(source).lower()
    return b"<!doctype netscape-bookmark-file" in start or (
        source.name.lower().endswith((".html", ".htm")) and (b"<dt><a " in start or b"time_added=" in start)
    )


def _read(source: Path, day_first: bool) -> Imported:
    text = read_file(source).decode("utf-8-sig", "replace")
    reader = _Reader()
    reader.feed(text)
    reader.close()
    if not reader.marks:
        raise ImportRefused(f"{source}: holds no bookmark")
    return imported(reader.marks)


IMPORTER = Importer("bookmarks", "bookmarks.html, as browsers write it", _sniff, _read)
