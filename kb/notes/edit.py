"""Changes to a note's bytes that leave every other byte as it is. Pure: bytes in, bytes out.

Each result is read again before it is handed out: a change that would not be seen as meant
(a bullet inside of an unclosed code block) is refused rather than written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.errors import NoteChanged, NoteUnwritable
from kb.model.dates import When
from kb.model.kinds import NoteKind
from kb.model.notes import LinkForm, PassageKind, Span
from kb.notes import frontmatter
from kb.notes.parse import parse
from kb.notes.source import read_source

_LINE_END = re.compile(rb"\r\n|\r|\n")
_MARKER = re.compile(rb"[ \t]*([-*+])[ \t]+\S")
_ITEM = re.compile(rb"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\S")
_OWN_MARKER = re.compile(r"\A[-*+]\s+")


def append_bullet(data: bytes, bullet: str) -> bytes:
    """The note with one more bullet at its end, in the style of its last list.

    `bullet` is one line of Markdown, without marker. Line ends are those that the note uses; a
    last line without end gets one. NoteUnwritable when the note is not UTF-8 text, or ends
    inside of something (code, a comment) that would swallow the bullet.
    """
    _check_text(data)
    ends = _LINE_END.findall(data)
    newline = ends[-1] if ends else b"\n"
    lines = _LINE_END.split(data.removeprefix(b"\xef\xbb\xbf"))
    last = next((line for line in reversed(lines) if line.strip()), None)
    before = b""
    if lines[-1]:
        before += newline
    if last is not None and not _ITEM.match(last) and (lines[-1].strip() or not _ends_blank(lines)):
        # Python-Markdown wants a blank line between a paragraph and a list.
        before += newline
    text = _OWN_MARKER.sub("", " ".join(bullet.split()))
    start = len(data) + len(before)
    changed = data + before + _marker(lines) + b" " + text.encode() + newline
    seen = any(
        passage.kind is PassageKind.BULLET and passage.span.start == start and passage.span.end > start + 2
        for passage in parse("note.md", changed).passages
    )
    if not seen:
        raise NoteUnwritable(
            "the note ends inside of a code block, a comment or raw HTML, where a bullet would be lost",
            hint="close what is open at its end",
        )
    return changed


def _ends_blank(lines: Sequence[bytes]) -> bool:
    """Whether a blank line stands at the end (the last piece is what follows the last line end)."""
    return len(lines) > 1 and not lines[-1].strip() and not lines[-2].strip()


def _marker(lines: Sequence[bytes]) -> bytes:
    nested = b""
    for line in reversed(lines):
        match = _MARKER.match(line)
        if match is not None:
            if line[:1] not in b" \t":
                return match[1]
            nested = nested or match[1]
    return nested or b"*"


def replace_url(data: bytes, span: Span, old: str, new: str) -> bytes:
    """The note with the address at `span` replaced; all other bytes stay.

    NoteChanged when `old` no longer stands there; NoteUnwritable when `new` cannot stand there
    (as a bare URL that ends in a full stop cannot).
    """
    _check_text(data)
    if data[span.start : span.end] != old.encode():
        raise NoteChanged(f"{old} no longer stands where it was read; nothing was written", hint="kb sync")
    link = next((link for link in parse("note.md", data).links if link.span == span), None)
    if link is None:
        raise NoteChanged(f"{old} is no longer a link there; nothing was written", hint="kb sync")
    if link.form is LinkForm.WIKILINK:
        written = new
    elif link.form is LinkForm.HTML:
        written = encoded(new).replace("&", "&amp;").replace("'", "%27")
    elif link.form is LinkForm.AUTOLINK:
        written = encoded(new)  # between < and > an entity is not read as one
    else:
        written = address(new)
    changed = data[: span.start] + written.encode() + data[span.end :]
    place = Span(span.start, span.start + len(written.encode()))
    if not any(link.span == place and link.href == written for link in parse("note.md", changed).links):
        raise NoteUnwritable(
            f"{new} cannot stand where {old} does; nothing was written", hint="edit it by hand"
        )
    return changed


def _check_text(data: bytes) -> None:
    if not read_source("note.md", data).faithful:
        raise NoteUnwritable("the note is not UTF-8; it was left alone", hint="save it as UTF-8")


def new_note(title: str, noted: When | str, kind: NoteKind, tags: Sequence[str] = ()) -> str:
    """A note that has front matter and nothing yet to say."""
    values: dict[str, str | Sequence[str]] = {"title": " ".join(title.split()), "date": str(noted)}
    if kind is not NoteKind.NOTE:
        values["kind"] = str(kind)
    if tags:
        values["tags"] = list(tags)
    return frontmatter.render(values) + "\n"


def bullet(title: str, url: str, comment: str = "") -> str:
    """One line of Markdown, without marker: a link, and what the person says of it.

    The title comes from a stranger's page: whatever Markdown or HTML would make of it is escaped.
    """
    words = " ".join(_CONTROL.sub(" ", title).split())
    link = f"[{escape(words)}]({address(url)})" if words else f"<{encoded(url)}>"
    return f"{link} {' '.join(comment.split())}".rstrip()


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SPECIAL = re.compile(r"[\\`*{}\[\]]|(?<![^\W_])_|_(?![^\W_])")
_ENTITY = re.compile(r"&(?=#?\w{1,32};)")


def escape(text: str) -> str:
    """Text that reads the same after Markdown as before it, for CommonMark and Python-Markdown."""
    text = _ENTITY.sub("&amp;", text)
    text = _SPECIAL.sub(r"\\\g<0>", text)
    # Not by backslash: Python-Markdown knows none for these.
    return text.replace("<", "&lt;").replace("|", "&#124;").replace("~", "&#126;")


def address(url: str) -> str:
    """A URL as it may stand in Markdown: what would end it early is percent-encoded."""
    return _ENTITY.sub("&amp;", encoded(url))


def encoded(url: str) -> str:
    """A URL without what Markdown would read as its end. Idempotent."""
    url = "".join(_percent(char) if _BREAKS.match(char) else char for char in url.strip())
    depth = 0
    for char in url:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            break
    if depth:
        url = url.replace("(", "%28").replace(")", "%29")
    return url


_BREAKS = re.compile(r"[\s\x00-\x20\x7f<>\"\\`|\ud800-\udfff]")


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace"))
