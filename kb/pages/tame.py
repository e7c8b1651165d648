"""Text that would keep Python-Markdown busy for minutes, so that it does not. Pure."""

from __future__ import annotations

import re

# It looks for the end of each open bracket through the rest of the paragraph: so many steps take a second.
_STEPS = 10_000_000
_BLOCK = re.compile(r"\n[ \t]*\n")


def tamed(text: str) -> str:
    """The text with brackets that are never closed encoded, in paragraphs that have far too many of them."""
    if text.count("[") * len(text) < _STEPS:
        return text
    blocks = _BLOCK.split(text)
    gaps = _BLOCK.findall(text)
    kept = [block if _cheap(block) else block.replace("[", "&#91;") for block in blocks]
    return "".join(part for pair in zip(kept, [*gaps, ""], strict=True) for part in pair)


def _cheap(block: str) -> bool:
    return max(block.count("[") - block.count("]"), 0) * len(block) < _STEPS
