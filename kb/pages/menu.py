"""Where kb's own pages lie, and the line at the top of each that leads to its neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from kb.pages.text import page_link

#: Each page by the name that the rest of kb knows it under, which its file wants too: its label, its group.
PAGES: dict[str, tuple[str, str]] = {
    "notes": ("All notes", "notes"),
    "timeline": ("Timeline", "notes"),
    "tags": ("Tags", "notes"),
    "links": ("All links", "links"),
    "papers": ("Papers", "links"),
    "threads": ("Threads", "links"),
    "tutorials": ("Tutorials", "links"),
    "health": ("Link health", "links"),
    "glossary": ("Glossary", "glossary"),
    "graph": ("Graph", "graph"),
}
# The files that want another name, and what one is called whose name a note has, if not `all-` and the name.
_FILES = {"health": "link-health"}
_OTHERS = {"glossary": "all-terms"}
GROUPS = {"notes": "Notes", "links": "Links", "glossary": "Glossary", "graph": "Graph"}

Nav = tuple[tuple[str, "str | Nav"], ...]


def places(taken: Iterable[str]) -> dict[str, str]:
    """The path of each page. The person's own note of that name comes first, and keeps it."""
    used = {_address(path) for path in taken}
    found = {}
    for name in PAGES:
        wanted = _FILES.get(name, name)
        other = _OTHERS.get(name, f"all-{wanted}")
        numbered = (f"{other}-{number}.md" for number in range(2, 10_000))
        candidates = (f"{wanted}.md", f"{other}.md", *numbered)
        found[name] = next(path for path in candidates if _address(path) not in used)
    return found


def part(path: str, name: str, taken: Iterable[str]) -> str:
    """The path of a page's further part: `links-part-2.md` of `links.md`; a note of that name keeps it."""
    stem = path.removesuffix(".md")
    used = {_address(one) for one in taken if one.casefold().startswith(stem.casefold())}
    candidates = (f"{stem}-{name}{tail}.md" for tail in ("", *(f"-{number}" for number in range(2, 10_000))))
    return next(one for one in candidates if _address(one) not in used)


def nav(front: str, where: Mapping[str, str]) -> Nav:
    """The menu: short, so that a page's share of it stays small however many notes there are."""
    entries: list[tuple[str, str | Nav]] = [("Home", front)]
    for group, label in GROUPS.items():
        names = _of(group)
        if len(names) == 1:
            entries.append((label, where[names[0]]))
        else:
            entries.append((label, tuple((PAGES[name][0], where[name]) for name in names)))
    return tuple(entries)


def line(name: str, where: Mapping[str, str]) -> list[str]:
    """The pages of a page's group as a line of links, as Markdown; nothing where it stands alone."""
    names = _of(PAGES[name][1])
    if len(names) == 1:
        return []
    words = [f"**{PAGES[one][0]}**" if one == name else page_link(PAGES[one][0], where[one]) for one in names]
    return [" \u00b7 ".join(words), ""]


def _of(group: str) -> list[str]:
    return [name for name, (_, its) in PAGES.items() if its == group]


def _address(path: str) -> str:
    """Where a page lands in the site, so that `a.md` and `a/index.md` are seen to meet."""
    stem = PurePosixPath(path.casefold()).with_suffix("")
    return str(stem.parent if stem.name in ("index", "readme") else stem)
