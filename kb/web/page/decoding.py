"""The bytes of a page as text: whether it is HTML, and in which charset."""

from __future__ import annotations

import codecs
import re
from typing import Final

from charset_normalizer import from_bytes

_META_CHARSET: Final = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE
)
_XML_CHARSET: Final = re.compile(
    rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE
)
_HEADER_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# As browsers do: who says latin-1 or ascii means Windows-1252.
_MEANT: Final = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "utf-7": "utf-8",
}
_TAG_BYTES: Final = re.compile(rb"<[^<>]*>")
_SAMPLE: Final = 4_096
_NOT_LATIN: Final = re.compile(
    r"(?:cp125[1356]|iso8859_[5-8]|koi8|mac_(?:cyrillic|greek)|shift|cp9(?:32|36|49|50)|euc|gb|hz|big5|johab|iso2022)"
)
_HTML_TYPE: Final = re.compile(
    r"text/html|application/xhtml|\Z|text/plain\Z|application/octet-stream", re.IGNORECASE
)
_LOOKS_HTML: Final = re.compile(
    r"(?:<\?xml[^>]*>|<!--.*?-->|\s)*<(?:!doctype\s+html|html|head|title|meta|body|h1)\b",
    re.IGNORECASE | re.DOTALL,
)


def html_text(body: bytes, content_type: str | None) -> str | None:
    """The page as text, where it is HTML, whatever the server calls it; else None. Never raises."""
    media = (content_type or "").partition(";")[0].strip()
    sure = media.lower() in ("text/html", "application/xhtml+xml")
    if not sure and not _HTML_TYPE.match(media):
        return None
    text = decode(body, content_type)
    return text if sure or _LOOKS_HTML.match(text[:5000]) else None


def decode(body: bytes, content_type: str | None) -> str:
    """Bytes to text: by mark, header, meta or XML declaration, as UTF-8, then by what they look like.

    A declared charset of single bytes, which fits anything, yields to UTF-8 where that fits:
    servers set one header for a whole site. Never raises.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    header = _HEADER_CHARSET.search(content_type or "")
    meta = _META_CHARSET.search(body[:8192]) or _XML_CHARSET.match(body[:1024])
    named = [header[1]] if header else []
    named += [meta[1].decode("ascii")] if meta else []
    if not body.isascii() and all(map(_one_byte, named)):
        named = ["utf-8", *named]  # text that reads as UTF-8 is UTF-8, whatever a header says
    for name in (*named, "utf-8"):
        try:
            known = codecs.lookup(name).name
            known = _MEANT.get(known, known)
            decoder = codecs.getincrementaldecoder(known)("strict")
            # The body is cut off somewhere: its last character may be half there.
            text = decoder.decode(body)
        except (LookupError, UnicodeError, ValueError):
            continue
        except Exception:  # noqa: S112  # codecs such as `zip` or `punycode` raise as they like
            continue
        if isinstance(text, str):
            return text
    return body.decode("cp1252" if header or meta else _looks_like(body), "replace")


def _looks_like(body: bytes) -> str:
    """The charset of bytes that nobody names and that are not UTF-8, by the words between the tags.

    Alphabets of Latin letters are told apart too badly: for those it is what browsers assume.
    """
    try:
        found = from_bytes(_TAG_BYTES.sub(b" ", body[:65_536])[:_SAMPLE]).best()
        name = found.encoding if found else "cp1252"
        return name if _NOT_LATIN.match(name) and codecs.lookup(name) else "cp1252"
    except Exception:  # a guess is no reason to fail, whatever its maker raises
        return "cp1252"


def _one_byte(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name.startswith(("ascii", "iso8859", "cp125", "koi8", "mac"))
    except (LookupError, ValueError):
        return True
