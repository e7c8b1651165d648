"""The files around the notes: what git's and the site's must hold, and what they lack."""

from __future__ import annotations

import re
from importlib.resources import files as resource_files
from pathlib import Path

# Where MkDocs looks for pages of its own in an adopted folder: it refuses to read the folder
# that mkdocs.yml stands in, so there the plugin brings the notes.
SITE_PAGES = "site-pages"


def template(name: str) -> str:
    """A file of the scaffold from which notebooks are made."""
    return (resource_files("kb") / "scaffold" / name).read_text(encoding="utf-8")


def lines_for_git(root: Path, site: str = "site") -> dict[str, list[str]]:
    """The lines that .gitignore and .gitattributes of a notebook lack, by file."""
    wanted = {
        ".gitignore": template("gitignore").replace("site/", f"{site}/"),
        ".gitattributes": template("gitattributes"),
    }
    found = {}
    for name, text in wanted.items():
        old = (root / name).read_bytes() if (root / name).is_file() else b""
        present = {line.strip() for line in old.decode("utf-8", "replace").splitlines()}
        found[name] = [line for line in text.splitlines() if line not in present]
    return found


# -- a mkdocs.yml that is the person's -------------------------------------------------------------

_DOCS_DIR = re.compile(r"^docs_dir:", re.MULTILINE)
_PLUGINS = re.compile(r"^plugins:[ \t]*(.*(?:\n(?:[ \t#-].*)?)*)", re.MULTILINE)
_OURS = re.compile(r"(?:^|[\[,\n])[ \t]*(?:-[ \t]*)?[\"']?kb[\"']?[ \t]*(?:[:,\]#\r\n]|$)")


def lacking(path: Path, notes: str) -> str:
    """The lines that a mkdocs.yml needs so that the site is kb's; empty where it lacks none.

    `notes` is the notes folder, relative to it.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    lines = []
    if not _DOCS_DIR.search(text) and not (path.parent / "docs").is_dir():
        lines.append(f"docs_dir: {SITE_PAGES if notes == '.' else notes}")
    plugins = _PLUGINS.search(text)
    if not plugins:
        # MkDocs has its search only where no plugins are named, or it is among them.
        lines += ["plugins:", "  - search", "  - kb"]
    elif not _OURS.search("\n" + plugins[1]):
        lines.append("  - kb          (under plugins:)")
    return "\n".join(lines)
