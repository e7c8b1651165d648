"""Links that the notebook's settings say never to look at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from kb import urls
from kb.model import LinkRecord


def with_ignored(links: Iterable[LinkRecord], patterns: Sequence[str]) -> list[LinkRecord]:
    """The same links, those whose URL matches a pattern (`*`, `?`) ignored as if the person had said so."""
    if not patterns:
        return list(links)
    spelled = "|".join(re.escape(one).replace(r"\*", ".*").replace(r"\?", ".") for one in patterns)
    matcher = re.compile(rf"(?:{spelled})\Z", re.DOTALL)
    return [
        replace(link, person=replace(link.person, ignored=True))
        if matcher.match(link.url) or matcher.match(urls.canonical(link.url))
        else link
        for link in links
    ]
