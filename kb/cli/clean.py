"""Text without what a terminal would obey. Light: even the wording of an error needs it."""

from __future__ import annotations

import re

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
#: The same within one line of several: a tab, and a carriage return at its end, are what they were.
CONTROL_IN_LINE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]|\r(?!\Z)"
)
_LOGIN = re.compile(r"\b((?:https?|ftp)://)[^\s/?#@<>\"'`\\]+@", re.IGNORECASE)


def plain(text: str) -> str:
    """One line without control characters or bidi overrides: notes and pages are not to be trusted.

    Nor with passwords in its addresses: what is printed ends up in logs.
    """
    return _LOGIN.sub(r"\1", CONTROL.sub(" ", text))


def plain_lines(text: str) -> str:
    """The same for a text of several lines, which stay lines."""
    return "\n".join(_LOGIN.sub(r"\1", CONTROL_IN_LINE.sub(" ", line)) for line in text.split("\n"))


def json_text(text: str) -> str:
    """JSON that means the same, with escapes for what it may hold raw and a terminal would obey."""
    return CONTROL_IN_LINE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
