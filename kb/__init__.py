"""Research notes and the links in them: found by meaning, checked for rot, published.

`KnowledgeBase` is the way in for Python; docs/python.md shows it at work. What it takes and gives
are the values of `kb.model`, what it raises stands in `kb.errors`. The rest of the package is the
house behind that door, and may move.
"""

from __future__ import annotations

# As `typing` spells it, whose import is a third of a bare process, and an interrupt there a traceback.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from kb.errors import KbError as KbError
    from kb.knowledge import KnowledgeBase as KnowledgeBase
    from kb.model.kinds import Standing as Standing
    from kb.model.search import Filter as Filter

__version__ = "0.1.0"

__all__ = ["Filter", "KbError", "KnowledgeBase", "Standing", "__version__"]

# name -> module: found when asked for, since every command imports this package first.
_PUBLIC = {
    "KnowledgeBase": "kb.knowledge",
    "KbError": "kb.errors",
    "Filter": "kb.model.search",
    "Standing": "kb.model.kinds",
}


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        from importlib import import_module

        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
