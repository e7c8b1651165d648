"""What a shell may complete, read from the store without writing to it. The answer must come at once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

#: More than a shell lists without asking.
MOST = 1_000

_ASKED = {
    "notes": "SELECT path FROM notes WHERE path LIKE ? ESCAPE '\\' ORDER BY path LIMIT ?",
    "tags": "SELECT DISTINCT tag FROM tags WHERE tag LIKE ? ESCAPE '\\' ORDER BY tag LIMIT ?",
    "hosts": "SELECT DISTINCT l.host FROM mentions m JOIN links l ON l.id = m.link_id"
    " WHERE l.host LIKE ? ESCAPE '\\' AND l.host <> '' ORDER BY l.host LIMIT ?",
    "terms": "SELECT DISTINCT term FROM terms WHERE term LIKE ? ESCAPE '\\' ORDER BY term LIMIT ?",
}


def suggest(path: Path, what: str, begin: str) -> list[str]:
    """Notes, tags, hosts or terms that begin with `begin`; nothing where the store cannot be read."""
    pattern = "".join(f"\\{char}" if char in "\\%_" else char for char in begin) + "%"
    for mode in ("mode=ro", "mode=ro&immutable=1"):  # the second where no lock can be taken
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)) as store:
                return [row[0] for row in store.execute(_ASKED[what], [pattern, MOST])]
        except (sqlite3.Error, UnicodeError):
            continue
    return []
