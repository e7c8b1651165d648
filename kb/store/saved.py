"""The saved text of linked pages: one compressed file a key, readable without kb (`zcat`).

The first line is JSON (what the page was and when it was read); the rest is the text, as
Markdown. Equal texts give equal bytes, so that a git repository may keep them. The folder may be
a stranger's: what is no file of ours, or unpacks to more than is ever written, is passed over.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import zlib
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from kb.errors import StoreError
from kb.model.links import Saved
from kb.store.rows import dump
from kb.temporary import replacing

VERSION = 1
SUFFIX = ".txt.gz"
MAX_CHARS = 200_000
_MAX_BYTES = 2 * 1024 * 1024
_NAMED = re.compile(r"[^A-Za-z0-9.]+")


def file_name(key: str) -> str:
    """The name of a key's file: a few words that people can read, and a digest that tells keys apart."""
    words = (
        _NAMED.sub("-", key.removeprefix("https://").removeprefix("http://")).strip("-.")[:60].rstrip("-.")
    )
    digest = blake2b(key.encode("utf-8", "replace"), digest_size=6).hexdigest()
    return f"{words or 'page'}-{digest}{SUFFIX}"


def write(folder: Path, saved: Saved) -> bool:
    """Keep a page's text, whole or not at all; whether the file changed. StoreError if it cannot be."""
    head = {
        "v": VERSION,
        "key": saved.key,
        "url": saved.url,
        "title": saved.title,
        "fetched": saved.fetched,
        "abstract": saved.abstract[:MAX_CHARS],
        "published": saved.published,
    }
    whole = dump({name: value for name, value in head.items() if value}) + "\n" + saved.text[:MAX_CHARS]
    data = gzip.compress(whole.encode("utf-8", "replace"), 9, mtime=0)
    path = folder / file_name(saved.key)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.read_bytes() == data:
            return False
        with replacing(path) as file:
            file.write(data)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from None
    return True


def read(path: Path) -> Saved | None:
    """What a file holds; None if there is none, or it is none of ours."""
    try:
        if not path.is_file():  # a FIFO would be waited for
            return None
        with path.open("rb") as file:
            unpacker = zlib.decompressobj(wbits=31)
            data = unpacker.decompress(file.read(_MAX_BYTES), _MAX_BYTES)
        if not unpacker.eof:
            return None
        head, _, text = data.decode("utf-8").partition("\n")
        values = json.loads(head)
        if not isinstance(values, dict) or values.get("v") != VERSION:
            return None
        named = {name: values.get(name, "") for name in ("key", "url", "title", "fetched", "abstract")}
        published = values.get("published")
        sound = all(isinstance(value, str) for value in named.values()) and isinstance(published, str | None)
        return Saved(text=text, published=published, **named) if sound and named["key"] else None
    except (OSError, ValueError, zlib.error, RecursionError):
        return None


def find(folders: tuple[Path, ...], key: str) -> Saved | None:
    """The saved text of a key, wherever it is kept."""
    return next((found for folder in folders if (found := read(folder / file_name(key)))), None)


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and mtime (ns) of every file in the folder, by name; empty where there is none."""
    found: dict[str, tuple[int, int]] = {}
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(SUFFIX) and entry.is_file():
                status = entry.stat()
                # A disk may know times for which 64 bits of nanoseconds are too few.
                found[entry.name] = (status.st_size, max(min(status.st_mtime_ns, 2**63 - 1), -(2**63)))
    return found


# -- passages ----------------------------------------------------------------------------------

_HEADING = re.compile(r"(#{1,6}) +(.+)\Z")
#: Paragraphs are joined up to so many characters: about what a page's reader takes in at once.
PASSAGE_CHARS = 700
MAX_PASSAGES = 300


def pieces(page: Saved) -> list[tuple[tuple[str, ...], str]]:
    """What is searched of a page, (headings above it, the piece): its abstract or title, then its text."""
    title = page.title or page.url
    abstract = page.abstract or title
    rest = [
        ((title, *above), text) for above, text in passages(page.text) if text.strip() != abstract.strip()
    ]
    # A title that is all there is need not stand above itself.
    return [(() if abstract == title else (title,), abstract), *rest]


def passages(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """A text in pieces to search: (headings above it, outermost first; the piece), at most MAX_PASSAGES."""
    count = 0
    heading: list[tuple[int, str]] = []
    held: list[str] = []
    size = 0
    for block in _blocks(text):
        found = _HEADING.match(block)
        if found or size + len(block) > PASSAGE_CHARS:
            if held:
                yield tuple(words for _, words in heading), "\n".join(held)
                count += 1
            held, size = [], 0
        if count >= MAX_PASSAGES:
            return
        if found:
            level = len(found[1])
            heading = [*(one for one in heading if one[0] < level), (level, found[2].strip())]
        else:
            held.append(block)
            size += len(block)
    if held:
        yield tuple(words for _, words in heading), "\n".join(held)


def _blocks(text: str) -> Iterator[str]:
    """Paragraphs, and code between fences as one, fences left out."""
    code: list[str] | None = None
    for block in text.split("\n\n"):
        if code is None and block.startswith("```") and not (len(block) > 6 and block.endswith("\n```")):
            code = [block]
        elif code is not None:
            code.append(block)
            if block.endswith("```"):
                yield _unfenced("\n".join(code))
                code = None
        elif block.strip():
            yield _unfenced(block.strip("\n"))
    if code:
        yield _unfenced("\n".join(code))


def _unfenced(block: str) -> str:
    return "\n".join(line for line in block.split("\n") if not line.startswith("```"))[:8_000]
