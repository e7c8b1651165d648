"""Every way in which a link can live, be gone, or not say: a table that tests and benchmarks share."""

from __future__ import annotations

from tests.ways import dead, living, odd, unknowable
from tests.ways.base import MENU, WAYS, Life, Route, Way, article, home, html, prose

__all__ = ["MENU", "WAYS", "Life", "Way", "article", "html", "prose", "routes"]

# Importing them fills the table.
TABLES = (living, dead, unknowable, odd)


def routes() -> dict[str, Route]:
    """What a server needs to misbehave in all of these ways."""
    found = {one.name: one.route for one in WAYS.values() if one.route is not None}
    return {**found, "": home, "en": home, "index.html": home}
