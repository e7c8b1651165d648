"""What is wrong with a notebook, and what to type about it. Looks, and changes nothing."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from kb import around, fresh, observed, temporary, urls
from kb.config import CONFIG_NAME, Settings
from kb.errors import KbError, LedgerError, ModelError
from kb.model.kinds import Standing
from kb.model.links import LinkRecord
from kb.model.reports import Severity
from kb.notes.walk import walk
from kb.search.vectors import VectorFile
from kb.store import integrity, saved
from kb.store.notes import NoteRow
from kb.store.store import Store
from kb.values import dataclass

REBUILD = "rm -r .kb && kb sync   notes and ledger rebuild it"
#: So many names are told, then how many more there are.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong (an error) or may surprise (a warning), where, and what to type.

    `path` is that of a note, relative to the notes folder; `file` any other, relative to kb.toml.
    """

    check: str
    severity: Severity
    message: str
    hint: str
    path: str | None = None
    line: int = 0
    file: str | None = None


def error(
    check: str, message: str, hint: str, *, path: str | None = None, file: str | None = None
) -> Finding:
    """A finding that is to be mended."""
    return Finding(check, Severity.ERROR, message, hint, path, file=file)


def warning(
    check: str, message: str, hint: str, *, path: str | None = None, file: str | None = None
) -> Finding:
    """A finding that may be as it is meant."""
    return Finding(check, Severity.WARNING, message, hint, path, file=file)


def of_error(check: str, raised: KbError) -> Finding:
    """What stopped a check, as a finding."""
    return error(check, str(raised), raised.hint or REBUILD)


# -- files alone: these hold where there is no store ---------------------------------------------


def files(settings: Settings) -> Iterator[Finding]:
    """Of the notes' names, the site's settings, git's files, the saved pages and the ledger's text."""
    if not settings.notes.is_dir():
        yield error(
            "notes",
            f"the folder of the notes, {settings.notes}, is gone",
            f"bring it back, or name another: kb config notebook.notes FOLDER (in {CONFIG_NAME})",
            file=CONFIG_NAME,
        )
        return
    walked = walk(settings.notes)
    for problem in walked.problems:
        hint = problem.hint or "move it out of the notes folder, or mend it"
        yield Finding("notes", problem.severity, problem.message, hint, problem.path, problem.line)
    yield from names([found.path for found in walked.found])
    yield from _leftovers(settings.notes)
    yield from _site(settings)
    yield from _git(settings.root)
    yield from _saved(settings)


def names(paths: Sequence[str]) -> Iterator[Finding]:
    """Notes whose names collide on some disk, or on the site. Pure."""
    yield from _spelled_alike(paths)
    for problem in fresh.same_address(paths):
        yield Finding("names", problem.severity, problem.message, problem.hint, problem.path)


def _spelled_alike(paths: Sequence[str]) -> Iterator[Finding]:
    groups: dict[str, list[str]] = {}
    for path in paths:
        groups.setdefault(_folded(path), []).append(path)
    for group in groups.values():
        if len(group) > 1:
            forms = {unicodedata.normalize("NFC", path) for path in group}
            differ = "only in case" if len(forms) > 1 else "only in the Unicode form of their letters"
            yield error(
                "names",
                f"and {', '.join(group[1:])} differ {differ}: on many disks they are one file",
                f"mv {quoted(group[-1])} ANOTHER-NAME.md",
                path=group[0],
            )


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def quoted(path: str) -> str:
    """A path as a shell reads it."""
    plain = path and all(char.isalnum() or char in "/._-+@" for char in path)
    return path if plain else "'" + path.replace("'", "'\\''") + "'"


def _leftovers(notes: Path) -> Iterator[Finding]:
    for file in sorted(notes.rglob(f"{temporary.PREFIX}*{temporary.SUFFIX}")):
        path = file.relative_to(notes).as_posix()
        yield warning("notes", "was left by a kb that was killed", f"rm {quoted(str(file))}", path=path)


def _site(settings: Settings) -> Iterator[Finding]:
    path = settings.root / "mkdocs.yml"
    if not path.is_file():
        yield warning(
            "site",
            "there is no mkdocs.yml, so no site",
            "kb site DIR   needs none",
        )
        return
    lacking = around.lacking(path, str(settings["notebook.notes"]))
    if lacking:
        yield error(
            "site", "lacks the plugin that makes the site", f"add to it:\n{lacking}", file="mkdocs.yml"
        )


def _git(root: Path) -> Iterator[Finding]:
    if not (root / ".git").exists():
        return
    for name, lines in around.lines_for_git(root).items():
        for line in lines:
            why = {
                ".kb/": "the store would be committed: it is rebuilt anywhere",
                "links.private.jsonl": "links of private notes would be committed",
                "saved.private/": "pages of private notes would be committed",
                "links.jsonl merge=union": "git would make conflicts of the ledger",
            }.get(line)
            if why:
                yield warning("git", f"lacks `{line}`: {why}", f"echo '{line}' >> {name}", file=name)


def _saved(settings: Settings) -> Iterator[Finding]:
    for folder in (settings.saved, settings.private_saved):
        for name in sorted(saved.listing(folder)):
            if saved.read(folder / name) is None:
                yield warning(
                    "saved", "cannot be read as a saved page", f"rm {folder.name}/{name} && kb enrich",
                    file=f"{folder.name}/{name}",
                )  # fmt: skip


# -- with the store ------------------------------------------------------------------------------


def store(base: Store) -> Iterator[Finding]:
    """Of the store's own soundness."""
    for words in integrity.damage(base):
        yield error("store", words, REBUILD, file=".kb/kb.sqlite3")


def notes(base: Store, rows: Sequence[NoteRow]) -> Iterator[Finding]:
    """What reading the notes found, and titles that two of them bear."""
    for problem in base.problems():
        hint = problem.hint or "mend it in your editor"
        yield Finding("notes", problem.severity, problem.message, hint, problem.path, problem.line)
    titles: dict[str, list[NoteRow]] = {}
    for row in rows:
        titles.setdefault(" ".join(row.title.split()).casefold(), []).append(row)
    for group in titles.values():
        if len(group) > 1:
            yield warning(
                "names",
                f"bears the title {group[0].title!r}, as {_listed(row.path for row in group[1:])}: "
                "a wikilink by title means the first",
                "give one another title",
                path=group[0].path,
            )


def links(records: Iterable[LinkRecord]) -> Iterator[Finding]:
    """What is not known yet of the links."""
    untitled = unchecked = 0
    for one in records:
        if urls.is_web(one.address) and one.standing is not Standing.IGNORED:
            untitled += one.facts.title is None and one.standing is not Standing.DEAD
            unchecked += one.standing is Standing.UNCHECKED
    if untitled:
        yield warning("titles", f"{_count(untitled, 'link')} without a title of the page", "kb enrich")
    if unchecked:
        yield warning("links", f"{_count(unchecked, 'link')} never looked at", "kb check-links")


def ledgers(base: Store, settings: Settings) -> Iterator[Finding]:
    """The ledger against the store, and against what is private."""
    mend = "kb check-links   writes it anew"
    try:
        found = observed.difference(base, settings)
    except LedgerError as raised:
        yield of_error("ledger", raised)
        return
    name = settings.ledger.name
    if found.leaked:
        message = f"{_count(found.leaked, 'link')} of private notes in the ledger that git shares"
        yield error("ledger", message, mend, file=name)
    if found.doubled:
        message = (
            f"has {found.doubled} lines more than links, as git's union leaves them; they are read as one"
        )
        yield warning("ledger", message, mend, file=name)
    if found.behind:
        message = f"lacks what the store knows of {found.behind} link(s): a run was stopped"
        yield warning("ledger", message, mend, file=name)


def model(base: Store, settings: Settings, choose: Callable[[], tuple[VectorFile, str]]) -> Iterator[Finding]:
    """The embedding model, its vectors, and vectors that nothing needs."""
    try:
        vectors, notice = choose()
        if notice:
            yield warning("model", notice, "kb config search.model all-MiniLM-L6-v2   is read without it")
        held, rows = base.vector_count(vectors.model), vectors.rows
        if held > rows:
            yield error("vectors", f"{held - rows} vectors are lost: their file was cut short", "kb sync")
    except ModelError as raised:
        yield Finding("model", Severity.WARNING, str(raised), raised.hint or "kb sync")
    lacking = base.counts().pending
    if lacking:
        yield warning(
            "vectors", f"{lacking:,} passages are not embedded: they are found by words alone", "kb sync"
        )
    orphans = integrity.surplus(base).vectors
    if orphans:
        yield warning(
            "vectors", f"{orphans:,} vectors of texts that are gone, kept in case they come back",
            "nothing: kb sync drops them when they are a third of all",
        )  # fmt: skip
    current = base.setting("vectors")
    for file in sorted(settings.derived.glob("vectors-*")) if settings.derived.is_dir() else ():
        if file.name != current:
            size = f"{file.stat().st_size / 2**20:.1f} MiB"
            yield warning(
                "vectors",
                f"is of no model in use ({size})",
                f"rm .kb/{quoted(file.name)}",
                file=f".kb/{file.name}",
            )


def guarded(check: str, found: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """The findings of a check; where the store or the disk fails under it, that."""
    try:
        return list(found())
    except KbError as raised:
        return [of_error(check, raised)]
    except (sqlite3.DatabaseError, OSError) as raised:
        return [error(check, f"could not be looked at: {raised}", REBUILD)]


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def _listed(names: Iterable[str]) -> str:
    shown = list(names)
    more = len(shown) - _NAMED
    return ", ".join(shown[:_NAMED]) + (f" and {more} more" if more > 0 else "")
