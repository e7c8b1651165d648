"""The Content-Security-Policy of a built page: its own files, and the inline scripts of the theme by hash.

A note's own HTML is cleaned; the policy is there for the day on which that fails.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from urllib.parse import urlsplit

_SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_SOURCE = re.compile(r"""\bsrc=["']?(https?://[^"'\s>]+)""", re.IGNORECASE)
_DATA = re.compile(r"""\btype=["']?(?:application/(?:ld\+)?json|text/template)""", re.IGNORECASE)
_HEAD = '<meta charset="utf-8">'


def protected(output: str, blessed: str) -> str:
    """`output` with a policy that lets only those scripts run that stand in `blessed`.

    `blessed` is the part of the page that the theme and its configuration wrote.
    """
    scripts = " ".join(dict.fromkeys(["'self'", *_allowed(blessed)]))
    policy = (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'"
    )
    return output.replace(
        _HEAD, f'{_HEAD}\n      <meta http-equiv="Content-Security-Policy" content="{policy}">', 1
    )


def _allowed(html: str) -> Iterator[str]:
    for attributes, code in _SCRIPT.findall(html):
        source = _SOURCE.search(attributes)
        if source:  # a script from elsewhere is the person's own wish, in mkdocs.yml
            parts = urlsplit(source[1])
            yield f"{parts.scheme}://{parts.netloc}"
        elif code.strip() and not _DATA.search(attributes):
            yield _hash(code)


@lru_cache(maxsize=256)
def _hash(code: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(code.encode()).digest()).decode()}'"
