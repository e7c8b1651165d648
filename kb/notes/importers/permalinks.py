"""Where Jekyll published a file: its permalink by the site's rules.

Templates and their words are those of https://jekyllrb.com/docs/permalinks/; a word that is not
known here stays as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from kb.notes import dates

POST_NAME = re.compile(r"((?:19|20)\d\d)-(\d\d?)-(\d\d?)-(.+)")

_STYLES = {
    "date": "/:categories/:year/:month/:day/:title:output_ext",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "ordinal": "/:categories/:year/:y_day/:title:output_ext",
    "weekdate": "/:categories/:year/W:week/:short_day/:title:output_ext",
    "none": "/:categories/:title:output_ext",
}
_WORD = re.compile(r":([a-z_]+)")


class Place(NamedTuple):
    """A file of a site: `post`, `draft`, `page` or its collection's name; its path; its categories."""

    kind: str
    path: str
    categories: tuple[str, ...]


def permalink(place: Place, values: Mapping[str, Any], config: Mapping[str, Any]) -> str | None:
    """The path at which the site shows a file; None where it shows none (drafts, hidden collections)."""
    style = config.get("permalink", "date")
    if place.kind == "draft":
        return None
    if place.kind == "page":
        return _page(place, str(style))
    if place.kind == "post":
        template = _STYLES.get(str(style), str(style))
        return _filled(template, _words(place, values))
    collections = config.get("collections")
    about = collections.get(place.kind) if isinstance(collections, dict) else None
    if not isinstance(about, dict) or about.get("output") is not True:
        return None
    return _filled(str(about.get("permalink", "/:collection/:path:output_ext")), _words(place, values))


def _page(place: Place, style: str) -> str:
    path = PurePosixPath(place.path).with_suffix("")
    folder = f"/{path.parent}/".replace("/./", "/")
    if path.name == "index":
        return folder
    return (
        f"{folder}{path.name}/" if style == "pretty" or style.endswith("/") else f"{folder}{path.name}.html"
    )


def _words(place: Place, values: Mapping[str, Any]) -> dict[str, str]:
    pure = PurePosixPath(place.path)
    below = pure.parts[next(i for i, part in enumerate(pure.parts) if part.startswith("_")) + 1 :]
    named = POST_NAME.match(pure.stem)
    stem = named[4] if named else pure.stem
    words = {
        "title": str(values.get("slug") or stem),
        "slug": _slug(str(values.get("slug") or stem)),
        "name": _slug(stem),
        "path": str(PurePosixPath(*below).with_suffix("")),
        "collection": place.kind,
        "categories": "/".join(dict.fromkeys(_slug(one) for one in place.categories)),
        "slugified_categories": "/".join(dict.fromkeys(_slug(one) for one in place.categories)),
        "output_ext": ".html",
    }
    when = dates.written_date(str(values["date"])) if values.get("date") else None
    day = when.first if when is not None and len(when.first) == 10 else None
    if day is None and named is not None:
        day = f"{named[1]}-{int(named[2]):02d}-{int(named[3]):02d}"
    try:
        on = date.fromisoformat(day) if day else None
    except ValueError:
        on = None
    if on is not None:
        words |= {
            "year": f"{on.year:04d}",
            "short_year": f"{on.year % 100:02d}",
            "month": f"{on.month:02d}",
            "i_month": str(on.month),
            "short_month": on.strftime("%b"),
            "long_month": on.strftime("%B"),
            "day": f"{on.day:02d}",
            "i_day": str(on.day),
            "y_day": f"{on.timetuple().tm_yday:03d}",
            "short_day": on.strftime("%a"),
            "long_day": on.strftime("%A"),
            "week": f"{on.isocalendar().week:02d}",
            "w_year": f"{on.isocalendar().year:04d}",
        }
    return words


def _filled(template: str, words: Mapping[str, str]) -> str:
    path = _WORD.sub(lambda match: words.get(match[1], match[0]), template)
    return re.sub(r"/{2,}", "/", f"/{path}")


def _slug(text: str) -> str:
    """As Jekyll's default slugify: letters and digits of any script, lower case, hyphens between."""
    return re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", text).lower()).strip("-")
