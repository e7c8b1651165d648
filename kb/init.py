"""Make a notebook in a folder: plan the files, then write those that are not there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kb import around, config
from kb.around import SITE_PAGES, template
from kb.config import CONFIG_NAME
from kb.errors import KbError, UsageError
from kb.notes.files import write_atomic
from kb.notes.walk import walk


@dataclass(frozen=True, slots=True)
class InitPlan:
    """What `kb init` writes: (path relative to root, bytes); `kept` stand already and stay.

    `lacking` is what is to be added to a kept mkdocs.yml; empty where it lacks nothing. `among` is
    the notebook among whose notes the folder lies.
    """

    root: Path
    writes: tuple[tuple[str, bytes], ...]
    kept: tuple[str, ...]
    adopted: int
    lacking: str = ""
    among: Path | None = None


def plan_init(root: Path, today: str) -> InitPlan:
    """Plan a notebook at `root`, which need not exist. UsageError if it is one already."""
    if (root / CONFIG_NAME).exists():
        raise UsageError(f"{root} is a notebook already", hint=f"its settings are in {root / CONFIG_NAME}")
    adopted = len(walk(root).found) if root.is_dir() else 0
    # A folder laid out as this one would be is taken as such; any other Markdown as it lies.
    nested = not adopted or ((root / "notes").is_dir() and len(walk(root / "notes").found) == adopted)
    notes = "notes" if nested else "."
    site = "site" if _may_be_built_over(root / "site") else ".site"
    title = root.resolve().name.replace("-", " ").replace("_", " ").strip().capitalize() or "Notes"
    wanted: dict[str, str] = {
        CONFIG_NAME: template("kb.toml").format(title=_quoted(title), notes=_quoted(notes)),
        "mkdocs.yml": _mkdocs(title, "notes" if nested else SITE_PAGES, site),
    }
    if not nested:
        wanted[f"{SITE_PAGES}/.gitkeep"] = ""
    if not adopted:
        wanted |= {
            f"notes/{name}": template(f"notes/{name}").format(date=today, heading=_spelled(today))
            for name in ("welcome.md", "tutorial.md", "paper.md", "thread.md", "glossary.md")
        }
    writes = [(path, text.encode()) for path, text in wanted.items() if not (root / path).exists()]
    kept = [path for path in wanted if (root / path).exists()]
    for name, lines in around.lines_for_git(root, site).items():
        if lines:
            writes.append((name, _with_lines(root / name, lines)))
    return InitPlan(
        root,
        tuple(writes),
        tuple(kept),
        adopted,
        around.lacking(root / "mkdocs.yml", notes) if "mkdocs.yml" in kept else "",
        _among(root),
    )


def _among(root: Path) -> Path | None:
    """The notebook among whose notes a folder lies, and which would read its notes as well; None if none."""
    try:
        above = config.load(config.find_root(root.parent))
    except KbError:
        return None
    return above.root if root.is_relative_to(above.notes) else None


def apply_init(plan: InitPlan) -> None:
    """Write the plan's files. Only .gitignore and .gitattributes may stand already: lines are added."""
    for path, data in plan.writes:
        target = plan.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        expected = target.read_bytes() if target.exists() else None
        write_atomic(target, data, expected=expected)


def _mkdocs(title: str, docs_dir: str, site: str) -> str:
    text = template("mkdocs.yml").replace("site_dir: site\n", f"site_dir: {site}\n")
    return text.replace("{title}", _quoted(title)).replace("{docs_dir}", docs_dir)


def _may_be_built_over(site: Path) -> bool:
    """Whether MkDocs, which empties its folder first, may have this one: missing, empty or its own."""
    return not site.is_dir() or not any(site.iterdir()) or (site / "sitemap.xml").exists()


def _quoted(text: str) -> str:
    """A string as TOML and YAML both read it."""
    return json.dumps(text, ensure_ascii=False)


def _spelled(day: str) -> str:
    """`2026-11-24` as a heading has it: November 24, 2026."""
    when = date.fromisoformat(day)
    return f"{when:%B} {when.day}, {when.year}"


def _with_lines(path: Path, lines: list[str]) -> bytes:
    """The file with these lines at its end."""
    old = path.read_bytes() if path.exists() else b""
    gap = b"" if not old or old.endswith(b"\n") else b"\n"
    return old + gap + "".join(f"{line}\n" for line in lines).encode()
