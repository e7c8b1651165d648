"""The hits that were shown last, by their numbers. A search keeps them, so this module is light."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from kb.errors import UsageError
from kb.model.search import Hit
from kb.temporary import replacing
from kb.values import dataclass

_LAST = "last-search.json"


@dataclass(frozen=True, slots=True)
class Target:
    """Something to open: a note (relative to the notes folder) at a line, and its links; or links alone."""

    path: str | None
    line: int
    links: tuple[str, ...] = ()


def remember(derived: Path, hits: Sequence[Hit]) -> None:
    """Keep the hits that were shown. Where that cannot be written, `kb open` knows the ones before."""
    text = json.dumps([[hit.path, hit.line, [link.url for link in hit.links]] for hit in hits])
    with suppress(OSError), replacing(derived / _LAST) as file:
        file.write(text.encode("utf-8", "surrogatepass"))


def recall(derived: Path, number: int) -> Target:
    """The hit of that number, counted from 1. UsageError where there is none."""
    try:
        found = json.loads((derived / _LAST).read_text(encoding="utf-8", errors="surrogatepass"))
        targets = [Target(path, int(line), tuple(map(str, links))) for path, line, links in found]
    except FileNotFoundError:
        raise UsageError("nothing was searched for yet", hint='kb search "words or a question"') from None
    except (OSError, ValueError, TypeError):
        raise UsageError(
            "what was searched for last cannot be read", hint='kb search "words or a question"'
        ) from None
    if not 1 <= number <= len(targets):
        count = f"{len(targets)} hit" + ("" if len(targets) == 1 else "s")
        raise UsageError(f"there is no hit {number}: the last search showed {count}", hint="kb open 1")
    target = targets[number - 1]
    if not isinstance(target.path, str | None):
        raise UsageError("what was searched for last cannot be read", hint="search again")
    return target
