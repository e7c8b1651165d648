"""The Wayback machine on loopback: which copy is nearest, and a new copy on request."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

from tests.servers import Handler, Server


class Archive(Server):
    """`copies` holds, by address, the stamps (`YYYYMMDDhhmmss`) of its copies and their status."""

    def __init__(self, copies: dict[str, dict[str, str]] | None = None, *, silent: bool = False) -> None:
        super().__init__(routes={"wayback": self.available, "save": self.save, "web": self.copy})
        self.copies = copies or {}
        self.silent = silent
        self.saved: list[str] = []

    @property
    def base(self) -> str:
        return self.url().rstrip("/")

    def questions(self) -> list[dict[str, str]]:
        return [
            {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
            for path, _ in self.asked
            if path.startswith("/wayback/")
        ]

    def available(self, handler: Handler, rest: str) -> None:
        if self.silent:
            handler.answer(503, b"busy", Retry_After="600")
            return
        asked = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
        stamps = self.copies.get(asked["url"], {})
        wanted = asked.get("timestamp", "99999999").ljust(14, "0")
        nearest = min(stamps, key=lambda stamp: abs(int(stamp) - int(wanted)), default=None)
        closest = nearest and {
            "available": True,
            "url": f"http://web.archive.org/web/{nearest}/{asked['url']}",
            "timestamp": nearest,
            "status": stamps[nearest],
        }
        answer = {"url": asked["url"], "archived_snapshots": {"closest": closest} if closest else {}}
        handler.answer(body=json.dumps(answer).encode(), type="application/json")

    def save(self, handler: Handler, rest: str) -> None:
        self.saved.append(handler.path.removeprefix("/save/"))
        if self.silent:
            handler.answer(520, b"")
        else:
            handler.redirect(f"/web/20261124120000/{self.saved[-1]}", 302)

    def copy(self, handler: Handler, rest: str) -> None:
        handler.answer()
