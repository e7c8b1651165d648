"""Bytes of a note -> UTF-8 text, with the way back from its offsets to the file's.

Valid UTF-8 is read as it is. Anything else is read as well as can be, said in a Problem, and
marked as not to be edited: UTF-16 with a byte order mark, and stray bytes, which are taken for
Windows-1252, the usual reason for them.
"""

from __future__ import annotations

import codecs
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from kb.model.notes import Span
from kb.model.reports import Problem, Severity

# What `surrogateescape` makes of a byte that is not UTF-8.
_STRAY = re.compile("[\udc80-\udcff]")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_LARGE = 1024 * 1024
# A bare URL or a wikilink has one of these in it: where none stands, there is no need to look closer.
_HINTS = (b"://", b"[[", b"www.", b"mailto:")


@dataclass(slots=True)
class Source:
    """A note's text as UTF-8 (`raw`), where offsets in it lie in the file, and its line starts.

    `raw` leaves out a byte order mark. `faithful` says that file bytes and `raw` agree, so that
    the file may be edited by spans.
    """

    raw: bytes
    faithful: bool = True
    problems: list[Problem] = field(default_factory=list)
    _shift: int = 0
    _map: array[int] | None = None
    _starts: list[int] = field(default_factory=list)
    _hints: Sequence[int] | None = None

    def line(self, offset: int) -> int:
        """Line of an offset in `raw`, from 1; LF, CRLF and a lone CR all end lines."""
        return bisect_right(self._starts or self._lines(), offset)

    def _lines(self) -> list[int]:
        if len(self.raw) > _LARGE:
            starts = [0, *(match.end() for match in _LINE_END.finditer(self.raw))]
        else:  # four times as fast, but it holds all lines in memory at once
            starts = [0, *accumulate(map(len, self.raw.splitlines(keepends=True)))]
            if len(starts) > 1 and self.raw[-1] not in b"\r\n":
                starts.pop()  # the end of the last line begins no other
        self._starts = starts
        return starts

    def line_start(self, offset: int) -> int:
        """Offset in `raw` at which the line of `offset` begins."""
        line = self.line(offset)
        return self._starts[line - 1]

    def hint(self, start: int, end: int) -> int:
        """Where in [start, end) the first sign of a bare URL or a wikilink stands; -1 for none, as mostly."""
        hints = self._hints
        if hints is None:
            hints = self._hints = _places(self.raw)
        at = bisect_left(hints, start)
        return hints[at] if at < len(hints) and hints[at] < end else -1

    def span(self, start: int, end: int) -> Span:
        """The file's bytes for the bytes [start, end) of `raw`."""
        if self._map is not None:
            return Span(self._map[start], self._map[end])
        return Span(start + self._shift, end + self._shift)


def _places(raw: bytes) -> Sequence[int]:
    """Offsets of all hints, in order."""
    find = raw.lower().find
    found: list[int] = []
    for hint in _HINTS:
        at = find(hint)
        while at >= 0:
            found.append(at)
            at = find(hint, at + 1)
    found.sort()
    return array("Q", found) if len(raw) > _LARGE else found


def read_source(path: str, data: bytes) -> Source:
    """Decode a note. Never raises; what was done about odd bytes is in `problems`."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        source = _from_utf16(path, data)
    else:
        shift = 3 if data.startswith(codecs.BOM_UTF8) else 0
        raw = data[shift:] if shift else data
        try:
            raw.decode("utf-8")
            source = Source(raw, _shift=shift)
        except UnicodeDecodeError as error:
            source = _from_mixed(path, raw, shift, error.start)
    nul = source.raw.find(b"\0")
    if nul >= 0:
        source.problems.append(
            Problem(
                path,
                source.line(nul),
                Severity.WARNING,
                "a NUL byte stands in the text",
                "delete it; most editors show it as ^@",
            )
        )
    return source


def _from_utf16(path: str, data: bytes) -> Source:
    little = data.startswith(codecs.BOM_UTF16_LE)
    whole = len(data) - len(data) % 2
    text = data[2:whole].decode("utf-16-le" if little else "utf-16-be", "surrogatepass")
    pieces: list[bytes] = []
    offsets = array("Q")
    at = 2
    for char in text:
        code = ord(char)
        encoded = b"\xef\xbf\xbd" if 0xD800 <= code <= 0xDFFF else char.encode()
        pieces.append(encoded)
        offsets.extend([at] * len(encoded))
        at += 4 if code > 0xFFFF else 2
    offsets.append(at)
    problem = Problem(
        path,
        1,
        Severity.ERROR,
        "the file is UTF-16; it was read, but kb will not edit it",
        "save it as UTF-8",
    )
    return Source(b"".join(pieces), False, [problem], _map=offsets)


def _from_mixed(path: str, raw: bytes, shift: int, bad: int) -> Source:
    text = raw.decode("utf-8", "surrogateescape")
    pieces: list[bytes] = []
    offsets = array("Q")
    at, done = shift, 0
    for match in _STRAY.finditer(text):
        sound = text[done : match.start()].encode()
        stray = bytes([ord(match.group()) - 0xDC00]).decode("cp1252", "replace").encode()
        pieces += (sound, stray)
        offsets.extend(range(at, at + len(sound)))
        at += len(sound)
        offsets.extend([at] * len(stray))
        at += 1
        done = match.end()
    pieces.append(text[done:].encode())
    offsets.extend(range(at, len(raw) + shift + 1))
    problem = Problem(
        path,
        len(_LINE_END.findall(raw, 0, bad)) + 1,
        Severity.ERROR,
        f"byte 0x{raw[bad]:02x} is not UTF-8; it was read as Windows-1252, and kb will not edit this file",
        "save the file as UTF-8",
    )
    return Source(b"".join(pieces), False, [problem], _map=offsets)
