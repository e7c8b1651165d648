"""Dates as people write them, with the precision that is known.

One expression finds what may be a date; what it found is then checked against the calendar.
An impossible date is text. Years run from 1900 to 2099, so that prices and counts are not years.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import PurePosixPath

from kb.model.dates import When

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Capitalised, so that "may 10 people" and "march 3 miles" stay words.
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?"
    r"|JAN(?:UARY)?|FEB(?:RUARY)?|MAR(?:CH)?|APR(?:IL)?|MAY|JUNE?|JULY?|AUG(?:UST)?"
    r"|SEPT?(?:EMBER)?|OCT(?:OBER)?|NOV(?:EMBER)?|DEC(?:EMBER)?)\b\.?"
)
_YEAR = r"(?:19|20)[0-9][0-9]"
_DAY = r"[0-3]?\d(?:st|nd|rd|th)?\b"
_TO = r"\s{0,3}(?:-|–|—|to|through|until)\s{0,3}"

# Each shape: one name, and groups in an order that `_read` knows.
_SHAPES = (
    ("iso", rf"({_YEAR})([-/])([01]?\d)\2([0-3]?\d)(?![\d-]|/(?!\d{{4}}-)\d)"),
    ("numeric", rf"([0-3]?\d)/([0-3]?\d)/({_YEAR}|\d\d)(?![\d/])"),
    ("dotted", rf"([0-3]?\d)\.([01]?\d)\.({_YEAR})(?![\d]|\.\d)"),
    ("month_days", rf"({_MONTH})\s{{0,3}}({_DAY}){_TO}({_DAY})\s{{0,3}},?\s{{0,3}}({_YEAR})\b"),
    ("days_month", rf"({_DAY}){_TO}({_DAY})\s{{0,3}}(?:of\s+)?({_MONTH}),?\s{{0,3}}({_YEAR})\b"),
    ("month_day", rf"({_MONTH})\s{{0,3}}({_DAY})\s{{0,3}},?\s{{0,3}}({_YEAR})\b"),
    ("day_month", rf"({_DAY})\.?\s{{0,3}}(?:of\s+)?({_MONTH}),?\s{{0,3}}({_YEAR})\b"),
    ("months", rf"({_MONTH}){_TO}({_MONTH}),?\s{{0,3}}({_YEAR})\b"),
    ("month", rf"({_MONTH}),?\s{{0,3}}(?:of\s+)?({_YEAR})\b"),
    # Without a year: read only where one is known.
    ("bare_month_days", rf"({_MONTH})\s{{0,3}}({_DAY}){_TO}({_DAY})"),
    ("bare_month_day", rf"({_MONTH})\s{{0,3}}({_DAY})"),
    ("bare_day_month", rf"({_DAY})\.?\s{{0,3}}(?:of\s+)?({_MONTH})"),
    ("bare_numeric", r"([0-3]?\d)/([0-3]?\d)(?![\d/.%])"),
)


def _compile() -> tuple[str, dict[str, int]]:
    """All shapes in one expression, and the number of each shape's first own group."""
    parts: list[str] = []
    first: dict[str, int] = {}
    count = 0
    for name, shape in _SHAPES:
        first[name] = count + 2
        shape = shape.replace(r"\2", rf"\{count + 3}")
        parts.append(f"(?P<{name}>{shape})")
        count += re.compile(parts[-1].replace(rf"\{count + 3}", "")).groups
    return "(?:" + "|".join(parts) + ")", first


_SHAPE, _FIRST = _compile()
_ANY = re.compile(r"(?=[\dJFMASOND])(?<![\w/.$€£#:-])" + _SHAPE, re.ASCII)
_SECOND = re.compile(_SHAPE, re.ASCII)
# A glance that spares most texts the search: digits around a sign, or a month's first letters.
_DIGIT = re.compile(r"[0-9]")
_SIGNED = re.compile(r"[0-9][-/.–—][0-9]")
_MONTH_LIKE = re.compile(r"[JFMASOND][aepucoAEPUCO][nbrylgptvcNBRYLGPTVC]")
_BETWEEN = re.compile(_TO + r"(?=[A-Z\d])|\s*/\s*(?=(?:19|20)\d\d-)")
_ISO_MONTH = re.compile(rf"\s*({_YEAR})-(0[1-9]|1[0-2])(?![\d-])")

# "2/21" under a year may be a fraction or a score: it counts at the start of a text, after a word
# that a date follows, or as part of a range.
_BEFORE_BARE = re.compile(
    r"(?:^|[(\[{\"'“‘*_]|\b(?:on|by|from|since|until|till|before|after|to|at|through|updated?|posted|"
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\.?,?)\s)\s*\Z"
)
_NOT_AFTER_BARE = re.compile(r"\s*(?:of|the|a|an|x|×|cups?|inch(?:es)?|\")\b|\s*[%\"″]")


class _Hit:
    __slots__ = ("bare", "end", "start", "when")

    def __init__(self, start: int, end: int, when: When, bare: bool) -> None:
        self.start, self.end, self.when, self.bare = start, end, when, bare


def find_date(text: str, *, day_first: bool = False, year: int | None = None) -> When | None:
    """The first full date in a text, or a range; without one, the first month with its year.

    `year` is what a date without a year takes (`2/21`, `Aug 11`); None leaves those as text.
    A year alone is no date: "the 2017 paper" says nothing of when.
    """
    if not may_hold(text):
        return None
    month: When | None = None
    at = 0
    while (hit := _next(text, at, day_first, year)) is not None:
        if len(hit.when.first) == 10:
            return hit.when
        month = month or hit.when
        at = hit.end
    if month is None and (match := _ISO_MONTH.match(text)) is not None:
        return When(f"{match[1]}-{match[2]}", f"{match[1]}-{match[2]}")
    return month


def may_hold(text: str) -> bool:
    """A quick look: whether a text may hold a date. Most hold none."""
    return _DIGIT.search(text) is not None and (
        _SIGNED.search(text) is not None or _MONTH_LIKE.search(text) is not None
    )


def heading_date(text: str, *, day_first: bool = False, year: int | None = None) -> When | None:
    """The date that a heading sets for its section.

    The heading is a date, begins with one, or ends with a full one that nothing ties to what is
    before: "Notes of the 2017 paper" and "Reply to the post of 4 May 2023" set none.
    """
    if _DIGIT.search(text) is None:
        return None
    text = text.strip()
    whole = _WHOLE_YEAR.fullmatch(text)
    if whole is not None:
        return When(whole[1], whole[1])
    iso = _ISO_MONTH.match(text)
    if iso is not None and not text[iso.end() : iso.end() + 1].isalnum():
        return When(f"{iso[1]}-{iso[2]}", f"{iso[1]}-{iso[2]}")
    hit = _next(text, 0, day_first, year)
    while hit is not None:
        before, after = text[: hit.start], text[hit.end :]
        if _DAY_NAME.fullmatch(before):
            # "September 2023 papers" names papers; "September 2023: papers" is dated.
            if len(hit.when.first) == 10 or not after or _SEPARATED.match(after):
                return hit.when
        elif not after.strip(" .:)]") and not hit.bare:
            closed = before.rstrip()
            if closed.endswith(("(", "[", ",", ":", "-", "–", "—", "|")):
                return hit.when
            if len(hit.when.first) == 10 and not _TIED.search(before):
                return hit.when
        hit = _next(text, hit.end, day_first, year)
    return None


def date_in_heading(
    text: str, *, day_first: bool = False, year: int | None = None
) -> tuple[When, str] | None:
    """The heading's date and what the heading says besides; None where it sets no date."""
    when = heading_date(text, day_first=day_first, year=year)
    if when is None:
        return None
    hit = _next(text, 0, day_first, year)
    while hit is not None and hit.when != when:
        hit = _next(text, hit.end, day_first, year)
    if hit is None:
        rest = re.sub(rf"(?:Year\s+)?{_YEAR}(?:-\d\d)?", "", text, count=1)
    else:
        rest = _DAY_NAME.sub("", text[: hit.start]) + " " + text[hit.end :]
    return when, " ".join(rest.split()).strip(" ,:;|()[]-–—.")


_WHOLE_YEAR = re.compile(rf"(?:Year\s+)?({_YEAR})\W*")
_DAY_NAME = re.compile(
    r"\W*(?:[Ww]eek (?:of|ending) )?(?:(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?\b\W*)?"
)
_SEPARATED = re.compile(r"\s*[,:;|()\[\]–—]|\s+-")
_TIED = re.compile(r"\b(?:of|from|in|on|since|by|the|until|before|after|to|for)\s+\Z", re.IGNORECASE)

# `20230901`, `2023-09-01`, and a note box's `202309011230`: the day, then hour, minute and second.
_NAME_DAY = re.compile(
    r"(?<!\d)((?:19|20)[0-9]{2})([-_.]?)([01][0-9])\2([0-3][0-9])(?:T?[0-2][0-9][0-5][0-9](?:[0-5][0-9])?)?(?!\d)"
)
_NAME_MONTH = re.compile(r"((?:19|20)[0-9]{2})[-_.]([01][0-9])(?![\d])")
_NAME_YEAR = re.compile(r"((?:19|20)[0-9]{2})\Z")


def filename_date(path: str) -> When | None:
    """The date in a file's name, else in its folders: `2023-03-29-x.md`, `2023/03/29.md`."""
    pure = PurePosixPath(path)
    name = _NAME_DAY.search(pure.stem)
    if name is not None:
        day = _day(int(name[1]), int(name[3]), int(name[4]))
        if day is not None:
            return When(day, day)
    month = _NAME_MONTH.match(pure.stem)
    year = _NAME_YEAR.match(pure.stem)
    if month is not None and 1 <= int(month[2]) <= 12:
        return When(f"{month[1]}-{month[2]}", f"{month[1]}-{month[2]}")
    if year is not None:
        return When(year[1], year[1])
    folders = re.search(
        r"(?:^|/)((?:19|20)[0-9]{2})/([01][0-9])(?:/([0-3][0-9])\b)?", str(pure.parent / pure.stem)
    )
    if folders is None or not 1 <= int(folders[2]) <= 12:
        return None
    day = _day(int(folders[1]), int(folders[2]), int(folders[3])) if folders[3] else None
    found = day or f"{folders[1]}-{folders[2]}"
    return When(found, found)


_CLOCK = (
    r"(?:[T ,]+(?:at )?\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?: ?[AaPp]\.?[Mm]\.?)?"
    r"(?: ?(?:Z|[A-Z]{2,5}|[+-]\d{2}:?\d{2})){0,2})?"
)
_TIMED = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]\d.*)?")
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?:T?\d{4}(?:\d\d)?Z?)?", re.ASCII)
_YEAR_FIRST = re.compile(rf"({_YEAR})(?:\.|年 ?|/)(\d{{1,2}})(?:(?:\.|月 ?|/)(\d{{1,2}})日?|月)", re.ASCII)
_WITHOUT_CLOCK = re.compile(rf"(.*?){_CLOCK}", re.ASCII | re.DOTALL)
_LOWER_WORD = re.compile(r"\b[a-z]{3,}")


def written_date(text: str, *, day_first: bool = False) -> When | None:
    """The date that a whole text is, its time and weekday left out.

    ISO (a range too), `20230901`, `2023/09/01`, `2023年9月1日`, or one in words:
    `Fri, 01 Sep 2023 10:00:00 GMT`.
    """
    text = " ".join(text.split())
    stamp = _TIMED.fullmatch(text)
    iso = When.read(stamp[1] if stamp else text)
    if iso is not None or len(text) > 64:
        return iso
    whole = _WITHOUT_CLOCK.fullmatch(text)
    text = whole[1] if whole is not None else text
    for shape in (_COMPACT, _YEAR_FIRST):
        if (match := shape.fullmatch(text)) is not None:
            year, month, day = match.groups()
            found = _day(int(year), int(month), int(day)) if day else None
            if day is None and 1 <= int(month) <= 12:
                found = f"{year}-{int(month):02d}"
            return When(found, found) if found else None
    text = _LOWER_WORD.sub(lambda word: word[0].capitalize(), text)
    name = _DAY_NAME.match(text)
    text = text[name.end() :] if name is not None else text
    hit = _next(text, 0, day_first, None)
    return hit.when if hit is not None and hit.start == 0 and hit.end == len(text) else None


def _next(text: str, at: int, day_first: bool, year: int | None) -> _Hit | None:
    """The next date or range at or after `at`."""
    while (match := _ANY.search(text, at)) is not None:
        hit = _hit(text, match, day_first, year)
        if hit is not None:
            return hit
        at = match.start() + 1
    return None


def _hit(text: str, match: re.Match[str], day_first: bool, year: int | None) -> _Hit | None:
    name = _shape(match)
    bare = name.startswith("bare_")
    joined = _BETWEEN.match(text, match.end())
    second = _SECOND.match(text, joined.end()) if joined is not None else None
    if second is not None:
        when = _range(match, second, day_first, year)
        if when is not None:
            return _Hit(match.start(), second.end(), when, bare)
    found = _read(match, name, day_first, year)
    if found is None or (name == "bare_numeric" and not _meant(text, match)):
        return None
    return _Hit(match.start(), match.end(), found, bare)


def _shape(match: re.Match[str]) -> str:
    return next(name for name in _FIRST if match[name] is not None)


def _range(first: re.Match[str], second: re.Match[str], day_first: bool, year: int | None) -> When | None:
    """Two dates as a range. A half without a year takes the other's, or the one that is known."""
    one, two = _shape(first), _shape(second)
    bare, both = one.startswith("bare_"), two.startswith("bare_")
    last = _read(second, two, day_first, year)
    if last is None:
        return None
    own = int(last.last[:4]) if bare else year
    begin = _read(first, one, day_first, own)
    if begin is not None and begin.earliest > last.latest and bare and own is not None:
        # Over the turn of a year: 12/30-1/2, Dec 30 - Jan 2, 2023.
        if both:
            last = _read(second, two, day_first, own + 1)
        else:
            begin = _read(first, one, day_first, own - 1)
    if begin is None or last is None or begin.earliest > last.latest or len(begin.first) != len(last.last):
        return None
    return When(begin.first, last.last)


def _meant(text: str, match: re.Match[str]) -> bool:
    """Whether `2/21` is a date here, rather than a fraction or a score."""
    return (
        match.group() != "24/7"
        and _BEFORE_BARE.search(text[max(0, match.start() - 16) : match.start()]) is not None
        and (match.start() <= 16 or bool(text[match.start() - 16 : match.start()].strip()))
        and _NOT_AFTER_BARE.match(text, match.end()) is None
    )


def _read(match: re.Match[str], name: str, day_first: bool, year: int | None) -> When | None:
    """What a shape says, if the calendar has it."""
    group = _FIRST[name]

    def part(index: int) -> str:
        return match[group + index]

    first = last = None
    if name == "iso":
        first = _day(int(part(0)), int(part(2)), int(part(3)))
    elif name in ("numeric", "bare_numeric"):
        one, two = int(part(0)), int(part(1))
        month, day = (two, one) if day_first else (one, two)
        full = year if name == "bare_numeric" else _full_year(part(2))
        first = _day(full, month, day) if full else None
    elif name == "dotted":
        first = _day(int(part(2)), int(part(1)), int(part(0)))
    elif name in ("month_days", "bare_month_days"):
        full = int(part(3)) if name == "month_days" else year
        if full:
            first = _day(full, _month(part(0)), _number(part(1)))
            last = _day(full, _month(part(0)), _number(part(2)))
            if first is None or last is None or first > last:
                return None
    elif name == "days_month":
        first = _day(int(part(3)), _month(part(2)), _number(part(0)))
        last = _day(int(part(3)), _month(part(2)), _number(part(1)))
        if first is None or last is None or first > last:
            return None
    elif name in ("month_day", "bare_month_day"):
        full = int(part(2)) if name == "month_day" else year
        first = _day(full, _month(part(0)), _number(part(1))) if full else None
    elif name in ("day_month", "bare_day_month"):
        full = int(part(2)) if name == "day_month" else year
        first = _day(full, _month(part(1)), _number(part(0))) if full else None
    elif name == "months":
        first, last = (f"{part(2)}-{_month(part(index)):02d}" for index in (0, 1))
        if first > last:
            return None
    else:
        first = f"{part(1)}-{_month(part(0)):02d}"
    return When(first, last or first) if first is not None else None


def _day(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1


def _number(day: str) -> int:
    return int(re.sub(r"\D", "", day))


def _full_year(text: str) -> int:
    """Two digits mean 1970 to 2069, as POSIX reads them."""
    number = int(text)
    return number if len(text) == 4 else number + (2000 if number < 69 else 1900)
