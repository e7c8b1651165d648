"""What rendered HTML may hold: everything that shows text, nothing that runs or calls away.

A notebook can be somebody else's clone, and Markdown lets any HTML through.
"""

from __future__ import annotations

import re

import nh3

_TAGS = (nh3.ALLOWED_TAGS - {"map", "area"}) | {"input", "label", "section", "figure", "figcaption", "mark"}
_EVERYWHERE = {"class", "id", "title", "lang", "dir", "role", "aria-label", "aria-hidden"}
_ATTRIBUTES: dict[str, set[str]] = {
    **{tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items() if tag in _TAGS},
    "*": _EVERYWHERE,
    "input": {"type", "disabled", "checked"},
    "time": {"datetime"},
    "details": {"open"},
    "ol": {"start", "type", "reversed"},
    "td": {"align", "colspan", "rowspan", "style"},
    "th": {"align", "colspan", "rowspan", "scope", "style"},
}


_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*:", re.IGNORECASE)


def is_remote(address: str) -> bool:
    """Whether a browser would leave the site for `address`, which it reads as leniently as it does."""
    squeezed = re.sub(r"[\x00-\x20]", "", address).replace("\\", "/")
    return squeezed.startswith("//") or _SCHEME.match(squeezed) is not None


def _attribute(tag: str, name: str, value: str) -> str | None:
    # The theme's scripts find their parts by ids that begin so, and load a script from far away
    # for a diagram: a note's HTML must not be able to stand in for the one or ask for the other.
    if name == "id" and value.startswith("__"):
        return None
    if name == "class":
        kept = [word for word in value.split() if not word.startswith("mermaid")]
        return " ".join(kept) or None
    if tag == "input" and name == "type" and value != "checkbox":
        return "hidden"
    # A picture from elsewhere tells that site who reads what, and when.
    if tag == "img" and name == "src" and is_remote(value):
        return None
    return value


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    attribute_filter=_attribute,
    url_schemes={"http", "https", "mailto"},
    filter_style_properties={"text-align"},
    link_rel=None,
)


def clean(html: str) -> str:
    """`html` with only known tags and attributes, and links to http, https, mailto or the site itself."""
    return _CLEANER.clean(html)
