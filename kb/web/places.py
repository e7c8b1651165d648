"""Whether a page has the place that a fragment names. Pure."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from kb.web.plain import Plain

_DIRECTIVE: Final = ":~:"
# What scripts read and servers never place: state, media times, lines of code, comment numbers.
_OF_SCRIPTS: Final = re.compile(
    r"[!/?]|.*[=&]|L\d+|(?:issuecomment|discussion_r|pullrequestreview|discussioncomment|comment|cmt)-?\d+|"
    r"t\d+[hms\d]*|slide-?\d+|p\d+\Z"
)
_PREFIXES: Final = ("", "user-content-", "heading-", "section-")
_WORD: Final = re.compile(r"\w+")


def lacks(fragment: str, seen: Plain, *, whole: bool) -> str:
    """Why a page has no such place, in words; '' where it has, or where that cannot be told.

    `fragment` is without its `#`. Only a page that was read to its end, and that no script
    builds, can lack one.
    """
    name, _, directive = fragment.partition(_DIRECTIVE)
    if not whole or seen.built:
        return ""
    if name and name.lower() != "top" and not _OF_SCRIPTS.match(name) and not _has(name, seen):
        return f'the page has no place called "{unquote(name)}"'
    for part in directive.split("&") if directive else []:
        key, _, value = part.partition("=")
        if key == "text" and value and not _says(value, seen):
            return f'the page no longer says "{unquote(_start(value))}"'
    return ""


def _has(name: str, seen: Plain) -> bool:
    spelled = {name, unquote(name), unquote(name.replace("+", " "))}
    if any(prefix + one in seen.places for prefix in _PREFIXES for one in spelled):
        return True
    # MediaWiki wrote `.C3.A9` for what is now an escape or the letter itself.
    dotted = unquote(re.sub(r"\.([0-9A-F]{2})", r"%\1", name))
    return dotted in seen.places


def _start(value: str) -> str:
    """The first text of a text directive: `[prefix-,]start[,end][,-suffix]`."""
    return _texts(value)[0]


def _texts(value: str) -> list[str]:
    parts = [part for part in value.split(",") if part]
    inner = [part for part in parts if not part.endswith("-") and not part.startswith("-")]
    return inner or [value]


def _says(value: str, seen: Plain) -> bool:
    """Whether the texts of a directive stand on the page, one after the other."""
    said = " ".join(_WORD.findall(seen.text.lower()))
    at = 0
    for text in _texts(value)[:2]:
        wanted = " ".join(_WORD.findall(unquote(text).lower()))
        found = said.find(wanted, at)
        if found < 0:
            return False
        at = found + len(wanted)
    return True
