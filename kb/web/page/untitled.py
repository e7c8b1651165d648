"""Titles that are none: of an error, a wall or a door in the page's place, and of nothing at all."""

from __future__ import annotations

import re
from typing import Final

#: Between the parts of a tab's title.
SEPARATORS: Final = re.compile(r"\s+[|\u00b7\u2022\u2013\u2014\u00bb:-]\s+|\s+::\s+")

_PLACEHOLDERS: Final = frozenset(
    {
        *("none", "null", "undefined", "nan", "title", "document", "home page", "new page"),
        *("untitled", "untitled document", "untitled page", "loading...", "loading\u2026"),
    }
)

_THING: Final = (
    r"(?:(?:the |this )?(?:page|file|file or directory|site|resource|article|post|document|item|content)"
    r"(?: (?:you (?:requested|are looking for)|requested))?"
    r"(?: (?:is|was|were|has been|does|could|can))?(?: ?n.t| not|not)? ?(?:be )?"
    r"(?:found|available|unavailable|exist|removed|deleted|moved))"
)
_CODE: Final = r"(?:4\d\d|50\d)"

# Each stands for a whole title: a post may be called "404 stories".
_ALTERNATIVES: Final = (
    rf"(?:error\W*)?{_CODE}?\W*(?:error\W*)?{_THING}\W*(?:\(?(?:error )?{_CODE}\)?)?\W*",
    rf"(?:error\W*)?{_CODE}?\W*(?:error\W*)?not found\W*",
    rf"(?:error|http|status)?\W*{_CODE}\W*(?:error|\(?not found\)?)?\W*1?",
    rf"(?:error\W*)?{_CODE}?\W*(?:access (?:to this page )?(?:has been )?)?(?:denied|forbidden)\W*",
    rf"(?:error\W*)?{_CODE}?\W*unauthori[sz]ed\W*",
    rf"(?:error\W*)?{_CODE}?\W*(?:bad (?:request|gateway)|service (?:temporarily )?unavailable)\W*",
    rf"(?:error\W*)?{_CODE}?\W*(?:internal server error|gateway time-?out|too many requests|unavailable)\W*",
    r"(?:temporarily )?under (?:construction|maintenance)\W*|(?:site )?maintenance(?: mode)?\W*|error\W*",
    r"oops\W.{0,40}|just a moment\W*|one moment,? please\W*|attention required\W.*|redirecting\W*",
    r"(?:please )?(?:verify|verifying|checking)(?: that)? (?:you are|if you are|your browser).*",
    r"are you (?:a )?(?:human|robot)\W*|robot (?:check|challenge).*|security check.*|ddos.guard|captcha.*",
    r"(?:before you continue|consent)(?: to .{0,30})?|(?:sign|log) ?in(?: (?:to|\W) ?.{0,30})?",
    r"(?:domain|site|web ?site) (?:(?:is )?for sale|suspended|expired|not configured).*|account suspended",
    r"(?:.{0,60} )?(?:domain )?is for sale\W*",
    r"(?:default|test) page(?: for .*)?|welcome to nginx\W*|apache2? .{0,20}default page.*|it works\W*",
    r"index of /.*",
    r"javascript (?:is )?(?:required|disabled).*|(?:your )?browser (?:is )?(?:not supported|unsupported)\W*",
)
_NO_PAGE: Final = re.compile(
    r"(?:(?:sorry|oops|whoops|uh.oh)\W+)?(?:" + "|".join(_ALTERNATIVES) + ")", re.IGNORECASE
)
# With a site's name beside it, words that a headline may be made of too do not count.
_WEAK: Final = frozenset(
    {"error", "consent", "unavailable", "forbidden", "denied", "maintenance", "500", "404"}
)


def is_no_title(line: str) -> bool:
    """Whether a title says that the page is not there, or says nothing."""
    if line.lower() in _PLACEHOLDERS or _NO_PAGE.fullmatch(line):
        return True
    pieces = [piece.strip() for piece in SEPARATORS.split(line)]
    return 1 < len(pieces) < 4 and any(
        piece.lower() not in _WEAK and _NO_PAGE.fullmatch(piece) for piece in (pieces[0], pieces[-1])
    )
