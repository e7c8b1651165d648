"""Stand-ins for the two seams that tests may fake here: the model and the clock.

Nothing in kb imports this module. The fakes keep their promises: a `FakeEncoder` is
deterministic and gives unit rows, and texts that share words lie near each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from kb.instants import spelled
from kb.model.search import Excerpt

_WORD = re.compile(r"\w+")


class FakeEncoder:
    """An encoder that hashes words to directions: cosine grows with the words two texts share.

    `limit` is how many words of a body one window holds. `calls` keeps the size of every batch
    it was asked to embed, and `texts` every text, so that a test can say what was not embedded.
    """

    def __init__(self, identity: str = "fake", width: int = 64, limit: int = 128) -> None:
        self.identity = identity
        self.width = width
        self.limit = limit
        self.calls: list[int] = []
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit rows, shape (len(texts), width)."""
        self.calls.append(len(texts))
        self.texts.extend(texts)
        rows = np.zeros((len(texts), self.width), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in _WORD.findall(text.lower()) or [""]:
                seed = int.from_bytes(blake2b(word.encode("utf-8", "replace"), digest_size=8).digest())
                row += np.random.default_rng(seed).standard_normal(self.width, dtype=np.float32)
            row /= np.linalg.norm(row)
        return rows

    def embed_query(self, text: str) -> npt.NDArray[np.float32]:
        """The unit vector of a query."""
        row: npt.NDArray[np.float32] = self.embed([text])[0]
        return row

    def knows(self, text: str) -> bool:
        """It has a direction for every word."""
        return True

    def windows(self, excerpt: Excerpt) -> list[str]:
        """The excerpt in windows of `limit` words of its body, each repeating the context."""
        words = excerpt.body.split(" ")
        pieces = [" ".join(words[start : start + self.limit]) for start in range(0, len(words), self.limit)]
        return [Excerpt(excerpt.context, piece).text for piece in pieces]


class FixedClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, at: str = "2026-11-24T12:00:00Z") -> None:
        self._at = datetime.fromisoformat(at)

    def now(self) -> str:
        """The instant it stands at."""
        return spelled(self._at)

    def today(self) -> str:
        """The day of that instant."""
        return self.now()[:10]

    def advance(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> None:
        """Move on."""
        self._at += timedelta(days=days, hours=hours, seconds=seconds)
