"""What a PDF says of itself in its metadata. Its pages are not read."""

from __future__ import annotations

import io
import logging
import re
from typing import Any, Final

from pypdf import PdfReader

from kb.model.dates import When
from kb.model.links import Facts
from kb.web.page import one_line

MAX_BYTES: Final = 32 * 1024 * 1024
# What programs put where a title belongs.
_NO_TITLE: Final = re.compile(
    r"microsoft (?:word|powerpoint)\b|\(?(?:untitled|anonymous|unnamed)\b|layout \d+\Z|slide \d+\Z|"
    r"(?:none|null|title|document\d*|print|paper|main|template|powerpoint presentation)\Z|"
    r".*\.(?:docx?|pptx?|tex|dvi|pdf|indd|qxd|odt|rtf|ps|eps)\Z|[\W\d_]*\Z|arxiv:\S+",
    re.IGNORECASE,
)
_DATE: Final = re.compile(r"D:(\d{4})(\d{2})?(\d{2})?")

# It tells of every flaw in a file by way of the root logger.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def is_pdf(body: bytes) -> bool:
    """Whether bytes begin as a PDF does (a little rubbish may stand before it)."""
    return b"%PDF-" in body[:1024]


def facts(body: bytes, at: str) -> Facts:
    """Title, authors and date of a whole PDF, fetched at `at`. Never raises: flaws leave facts out."""
    try:
        info: Any = PdfReader(io.BytesIO(body[:MAX_BYTES])).metadata or {}
        found = {name: _text(info.get(f"/{name}")) for name in ("Title", "Author", "CreationDate", "Subject")}
    except Exception:  # a PDF is a program of sorts, and its reader raises nearly everything
        return Facts(fetched=at)
    title = one_line(found["Title"], 300)
    if title and _NO_TITLE.match(title):
        title = None
    # A PDF is often named after the person's account on the machine that made it: only with a title.
    authors = re.split(r"\s*[;&]\s*|,\s+(?=\w+\s+\w)|\s+and\s+", one_line(found["Author"], 1_000) or "")
    return Facts(
        title=title,
        authors=tuple(dict.fromkeys(name for name in authors if name)) if title else (),
        published=_day(found["CreationDate"]),
        description=one_line(found["Subject"], 1_000),
        fetched=at,
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _day(text: str) -> str | None:
    match = _DATE.match(text.strip())
    if match is None:
        return None
    when = When.read("-".join(part for part in match.groups() if part))
    return when.first if when else None
