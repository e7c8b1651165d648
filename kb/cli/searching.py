"""What `kb search` does, whoever took its arguments apart: click or `quick`."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from kb import contract
from kb.cli import Session, render
from kb.cli.clean import plain_lines
from kb.cli.plain import filter_of, page, print_json, progress, remember, warn, within
from kb.knowledge import KnowledgeBase


def search(
    session: Session,
    *,
    query: tuple[str, ...],
    mode: str,
    limit: int,
    where: str,
    explain: bool,
    as_json: bool,
    **narrow: Any,
) -> int:
    """Search and print; 1 if there is no hit."""
    with KnowledgeBase.open(session.root, session.given) as base:
        base.told = partial(warn, quiet=session.quiet)
        found = base.search(
            " ".join(query),
            narrow=within(filter_of(**narrow), where),
            mode=mode,
            limit=limit,
            progress=progress(quiet=session.quiet),
        )
        for notice in found.notices:
            warn(notice, quiet=session.quiet)
        if as_json:
            print_json(map(contract.hit, found.hits))
        elif found.hits:
            page(render.hits(found.hits, base, found.marks, explain), pager=session.pager)
        else:
            print(plain_lines(found.advice or "nothing found"), file=sys.stderr)
        if found.hits and not as_json:
            remember(base, found.hits)
        return 0 if found.hits else 1
