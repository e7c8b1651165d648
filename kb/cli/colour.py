"""Whether to colour: what a person asked for, by option or environment."""

from __future__ import annotations

import os


def colour_of(asked: str) -> bool | None:
    """Whether to colour; None to let stdout say. The option goes before NO_COLOR, that before FORCE_COLOR."""
    if asked != "auto":
        return asked == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return True if os.environ.get("FORCE_COLOR", "0") not in ("", "0") else None
