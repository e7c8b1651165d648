"""A `Filter` as an SQL condition. Pure: text and parameters, values never in the text.

Fields narrow together (and); the values of one field widen (or), tags included. What concerns
links must hold for one and the same link: `hosts=arxiv.org, standings=dead` asks for a dead
arXiv link, not for a dead link beside a living one of arXiv.
"""

# ruff: noqa: S608  # statements are put together from our own names and `?`; every value is bound

from __future__ import annotations

from kb.model.search import Filter
from kb.store.rows import marks

#: The filter that narrows nothing.
EVERYTHING = Filter()

Clause = tuple[list[str], list[object]]

# A passage of a saved page that some note links which is not private.
_PUBLIC_PAGE = (
    "p.id IN (SELECT m.passage_id FROM mentions m JOIN links l ON l.id = m.link_id WHERE l.key IN"
    " (SELECT o.key FROM links o JOIN mentions w ON w.link_id = o.id JOIN passages q ON q.id = w.passage_id"
    " JOIN notes k ON k.id = q.note_id WHERE NOT k.private))"
)

#: What stands for a link `l` of a mention `m` over time: the person's "ignore" comes first, by name or by
#: pattern. The subquery is asked once, so that without patterns no address is looked at.
STANDING = (
    "CASE WHEN l.ignored OR ((SELECT patterns_given()) AND left_out(coalesce(m.meant, m.url)))"
    " THEN 'ignored' ELSE l.standing END"
)


def passage_clause(filter: Filter) -> tuple[str, list[object]]:
    """A condition on passages `p` left-joined with their notes `n`; `1` for an empty filter."""
    conditions, values = _of_note(filter)
    if filter.sources:
        conditions.append(f"p.source IN ({marks(len(filter.sources))})")
        values += filter.sources
    if filter.public:
        conditions.append(f"CASE WHEN n.id IS NULL THEN {_PUBLIC_PAGE} ELSE NOT n.private END")
    about_link, link_values = _of_link(filter)
    kinds = list(filter.kinds)
    if kinds:
        of_kind = f"l.kind IN ({marks(len(kinds))})"
        by_link = _holds_link([*about_link, of_kind])
        by_note = " AND ".join([_note_kind(filter), *([_holds_link(about_link)] if about_link else [])])
        conditions.append(f"({by_link} OR {by_note})")
        values += [*link_values, *kinds, *kinds, *link_values]
    elif about_link:
        conditions.append(_holds_link(about_link))
        values += link_values
    return " AND ".join(conditions) or "1", values


def link_clause(filter: Filter) -> tuple[str, list[object]]:
    """A condition on links `l` joined with a mention `m`, its passage `p` and its note `n`."""
    conditions, values = _of_note(filter)
    if filter.public:
        conditions.append("NOT n.private")
    about_link, link_values = _of_link(filter)
    conditions += about_link
    values += link_values
    if filter.kinds:
        conditions.append(f"(l.kind IN ({marks(len(filter.kinds))}) OR {_note_kind(filter)})")
        values += [*filter.kinds, *filter.kinds]
    return " AND ".join(conditions) or "1", values


def _holds_link(conditions: list[str]) -> str:
    # Not correlated with the passage: links are few beside passages, and asked once.
    return (
        "p.id IN (SELECT m.passage_id FROM links l JOIN mentions m ON m.link_id = l.id"
        f" WHERE {' AND '.join(conditions)})"
    )


def _note_kind(filter: Filter) -> str:
    return f"n.kind IN ({marks(len(filter.kinds))})"


def _of_note(filter: Filter) -> Clause:
    conditions: list[str] = []
    values: list[object] = []
    if filter.tags:
        conditions.append(f"n.id IN (SELECT note_id FROM tags WHERE tag IN ({marks(len(filter.tags))}))")
        values += [tag.casefold() for tag in filter.tags]
    folders = [path.strip("/") for path in filter.paths]
    if folders and not {"", "."} & set(folders):
        conditions.append("(" + " OR ".join(["n.path = ? OR substr(n.path, 1, ?) = ?"] * len(folders)) + ")")
        for folder in folders:
            values += [folder, len(folder) + 1, folder + "/"]
    if filter.since is not None or filter.until is not None:
        bounds = [filter.since or "0000", filter.until or "9999-99-99"]
        conditions.append(
            "((p.noted_to >= ? AND p.noted_from <= ?) OR (p.date_to >= ? AND p.date_from <= ?))"
        )
        values += bounds * 2
    return conditions, values


def _of_link(filter: Filter) -> Clause:
    conditions: list[str] = []
    values: list[object] = []
    if filter.hosts:
        conditions.append(
            "(" + " OR ".join(["l.host = ? OR substr(l.host, ?) = ?"] * len(filter.hosts)) + ")"
        )
        for host in (host.lower().removeprefix("www.") for host in filter.hosts):
            values += [host, -len(host) - 1, "." + host]
    if filter.standings:
        conditions.append(f"{STANDING} IN ({marks(len(filter.standings))})")
        values += filter.standings
    return conditions, values
