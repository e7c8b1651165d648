"""Which files the site is made of: kb's pages in, what is not public out, no two at one address."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Container
from functools import lru_cache
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from kb.model.site import Site
from kb.places import meetings

log = logging.getLogger("mkdocs.plugins.kb")

# What editors and people keep beside a file that they change.
_LEFT_BEHIND = re.compile(r"~\Z|\A\.?#|\.(?:bak|orig|swp|tmp|rej)\Z", re.IGNORECASE)


def fill(files: Files, config: MkDocsConfig, site: Site, notes: Path) -> None:
    """Make MkDocs' files those of the site. `notes` is the notes folder, which may be docs_dir or another."""
    pages = {page.path for page in site.pages}
    own = same(config.docs_dir, notes)
    for file in [file for file in files if file.src_dir == config.docs_dir]:  # not the theme's own
        if _withheld(file, notes, pages) or (
            own and file.is_documentation_page() and file.src_uri not in pages
        ):
            files.remove(file)
    for page in site.pages:
        known = files.get_file_from_path(page.path)
        if known is not None and not known.is_documentation_page():  # to MkDocs, NOTE.MD is a picture
            files.remove(known)
        if known is None or not known.is_documentation_page():
            files.append(_Note.generated(config, page.path, content=page.markdown))
    for path, first in meetings(page.path for page in site.pages):
        _move(files, path, first)
    for path, data in site.assets:
        if files.get_file_from_path(path) is None:
            files.append(File.generated(config, path, content=data))
    if not own:  # MkDocs has not seen the notes' folder, so their pictures come from here
        for path in site.files:
            if files.get_file_from_path(path) is None:
                files.append(File(path, str(notes), str(config.site_dir), config.use_directory_urls))
    for file, other in _in_the_way(files):
        log.warning(f"{file.src_uri}: left out, since its page would lie where {other} lies")
        files.remove(file)


def _withheld(file: File, notes: Path, pages: Container[str]) -> bool:
    """Whether a file of the person's may not be on the site, whatever MkDocs takes it for.

    What a link leads to outside of its folder; what is under `private/`; what an editor left
    behind of a note; a note that is not among the pages.
    """
    path = Path(str(file.abs_src_path))
    if not path.is_file():  # a pipe or a socket, which would end the build or be waited for
        return True
    folder, place = file.src_uri.rpartition("/")[::2]
    if _real(str(path.parent)) != os.path.join(_real(str(file.src_dir)), *folder.split("/")).rstrip("/"):
        return True
    if path.is_symlink() and not _within(path, _real(str(file.src_dir))):
        return True
    if "private" in folder.casefold().split("/") or _LEFT_BEHIND.search(place):
        return True
    real = Path(_real(str(path.parent))) / path.name
    if not place.lower().endswith((".md", ".markdown")) or not _within(real, _real(str(notes))):
        return False
    return real.relative_to(_real(str(notes))).as_posix() not in pages


def _in_the_way(files: Files) -> list[tuple[File, str]]:
    """Files whose folder on the site would have the name of another file, with that name."""
    taken = {file.dest_uri for file in files}
    found = []
    for file in files:
        parts = file.dest_uri.split("/")
        folders = ("/".join(parts[:end]) for end in range(1, len(parts)))
        other = next((folder for folder in folders if folder in taken), None)
        if other is not None:
            found.append((file, other))
    return found


class _Note(File):
    """A note, whatever the case of its suffix."""

    def is_documentation_page(self) -> bool:
        return True


def _move(files: Files, path: str, first: str) -> None:
    """Give a page whose address another has one of its own: `a.md` beside `a/index.md` goes to `a-2/`."""
    file = files.get_file_from_path(path)
    if file is None:
        return
    taken = {other.dest_uri for other in files}
    stem = re.sub(r"(/index)?\.html\Z", "", file.dest_uri)
    tail = file.dest_uri[len(stem) :] or ".html"
    file.dest_uri = next(
        place for number in range(2, 10_000) if (place := f"{stem}-{number}{tail}") not in taken
    )
    for name in ("url", "abs_dest_path"):
        file.__dict__.pop(name, None)
    log.info("%s and %s would have one address: the first stands at %s", path, first, file.url)


def _within(path: Path, folder: str) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(folder)


@lru_cache(maxsize=4096)
def _real(folder: str) -> str:
    return os.path.realpath(folder)


def same(one: str | Path, other: Path) -> bool:
    """Whether two paths lead to one folder."""
    return Path(one).resolve() == other.resolve()
