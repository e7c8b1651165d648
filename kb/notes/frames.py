"""An open container - a bullet, a quote, a footnote - and what it has gathered so far."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from kb.model.dates import When
from kb.notes.leaves import Text

_SENTENCE_END = re.compile(r"[.!?。！？]['\"’”)]*\s+(?=\S)")


@dataclass(slots=True)
class Frame:
    """An open container: the document, a bullet, a quote, a footnote, a definition."""

    kind: str
    start: int
    parents: tuple[str, ...] = ()
    date: When | None = None  # what the nearest dated bullet above says
    texts: list[Text] = field(default_factory=list)
    own_end: int | None = None  # where its own text stops because a child begins
    intro: Text | None = None  # the paragraph just before, which may introduce what follows
    intro_at: int | None = None  # its passage
    quote_at: int | None = None  # the quote just before, which what follows may attribute
    name: Text | None = None  # a definition's term
    label: str = ""  # a footnote's
    mark: int = 0  # quotes directly inside of a quote; a footnote's first passage; a bullet's column
    handed: tuple[tuple[str, ...], When | None] | None = None

    def close_own(self) -> None:
        """A child begins: what follows is no longer in the span of this container's own text."""
        if self.own_end is None and self.texts:
            self.own_end = self.texts[-1].end

    def forget(self) -> None:
        """Something else stands between: the paragraph or quote before no longer is just before."""
        if self.intro is not None and self.kind not in ("bullet", "definition"):
            self.handed = None
        self.intro = self.intro_at = self.quote_at = None


def joined(texts: Sequence[Text]) -> str:
    """Their words, a line each."""
    return texts[0].text if len(texts) == 1 else "\n".join(text.text for text in texts if text.text)


def introduces(text: Text | None) -> bool:
    """Whether it announces what comes next: its last sign is a colon."""
    return text is not None and text.text.endswith((":", "："))


def last_sentence(text: str) -> str:
    """The sentence that stands next to what follows."""
    at = 0
    for match in _SENTENCE_END.finditer(text):
        at = match.end()
    return text[at:]
