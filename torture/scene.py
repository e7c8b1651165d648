"""What the harnesses attack: a small notebook, and a web of its own on loopback in another process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.servers import Handler, Server

#: Each page on a host of its own, so that no pause between two of one host is waited for.
HOSTS: Final = tuple(f"127.0.0.{number}" for number in range(2, 10))
_WORDS: Final = (
    "sheep",
    "of",
    "the",
    "northern",
    "isles",
    "graze",
    "on",
    "kelp",
    "and",
    "sleep",
    "at",
    "noon",
)


def _long_page(handler: Handler, rest: str) -> None:
    body = "".join(f"<p>{rest} {word} {' '.join(_WORDS)}.</p>" for word in _WORDS * 8)
    head = f"<!doctype html><html lang=en><head><title>{rest}</title></head>"
    handler.answer(body=f"{head}<body><main><h1>{rest}</h1>{body}</main></body></html>".encode())


class Web:
    """Pages on several hosts of 127.0.0.0/8, served by a child process until the block is left."""

    def __init__(self, routes: Mapping[str, Callable[[Handler, str], None]] | None = None) -> None:
        """`routes` are further ways to answer, by the first part of a path."""
        self._routes = {"text": _long_page, **(routes or {})}

    def __enter__(self) -> Self:
        reading, writing = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            with Server(HOSTS[0], routes=self._routes, more=HOSTS[1:]) as server:
                os.write(writing, str(server.port).encode())
                os.close(writing)
                signal.sigwait({signal.SIGTERM})
            os._exit(0)
        os.close(writing)
        self.port = int(os.read(reading, 16))
        os.close(reading)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.kill(self._child, signal.SIGKILL)
        os.waitpid(self._child, 0)

    def url(self, number: int, path: str) -> str:
        """An address on the host of that number."""
        return f"http://{HOSTS[number % len(HOSTS)]}:{self.port}/{path}"


def write_notes(notes: Path, web: Web, *, generation: int = 1) -> None:
    """Eight notes with a living, a moved and a missing link each; a later generation says other things."""
    notes.mkdir(parents=True, exist_ok=True)
    for number in range(len(HOSTS)):
        lines = [
            f"---\ntitle: Note {number}\ndate: 2023-0{number + 1}-11\n---\n",
            f"* [Alive]({web.url(number, f'text/Page-{number}')}) of {_WORDS[number]}, take {generation}",
            f"* [Moved]({web.url(number, f'to/301/text/New-{number}')}) went elsewhere",
            f"* <{web.url(number, f'gone/{number}')}> is gone\n",
        ]
        (notes / f"n{number}.md").write_text("\n".join(lines))


def write_notebook(root: Path, web: Web) -> None:
    """kb.toml and the notes of the first generation."""
    root.mkdir(parents=True)
    (root / "kb.toml").write_text('[notebook]\ntitle = "Torture"\n[links]\ninterval = 0.001\n')
    write_notes(root / "notes", web)


def write_source(folder: Path) -> None:
    """A folder of Markdown with a picture, to import."""
    folder.mkdir(parents=True)
    for number in range(12):
        (folder / f"import-{number}.md").write_text(
            f"# Imported {number}\n\n* words of it ![](p{number}.png)\n"
        )
        (folder / f"p{number}.png").write_bytes(b"\x89PNG" + bytes(2_000))
