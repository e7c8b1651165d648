"""What is shown of one note or one linked page, its text as it lies; and of the glossary."""

from __future__ import annotations

import re

from kb import urls
from kb.config import Settings
from kb.errors import UsageError
from kb.model.links import Saved
from kb.model.notes import Entry, Shown, Term
from kb.notes.files import read
from kb.notes.parse import parse
from kb.notes.source import read_source
from kb.store import saved
from kb.store.store import Store

# As the parser counts lines; str.splitlines would break at form feeds and the like as well.
_LINE_END = re.compile(r"\r\n|\r|\n")


def note(settings: Settings, path: str, *, private: bool = True) -> Shown:
    """The text of the note at `path`, relative to the notes folder. UnknownNote, NoteError.

    Without `private` a private note is a UsageError: it is judged by the very bytes that would be
    shown, not by what the store remembers of them.
    """
    data = read(settings.notes, path)
    parsed = parse(path, data, day_first=settings["notes.day_first"])
    if parsed.private and not private:
        raise UsageError(f"{path} is a private note, and private notes are not shown here")
    text = read_source(path, data).raw.decode()
    lines = tuple(_LINE_END.split(text))
    # The end of the last line begins no other.
    lines = lines[:-1] if lines[-1] == "" else lines
    return Shown(path, parsed.title, parsed.kind, parsed.noted, parsed.tags, lines)


def page(store: Store, settings: Settings, url: str, *, private: bool = True) -> Saved:
    """The saved text of a page. UsageError if none is kept.

    Without `private`, none is shown of a page that no public note links.
    """
    record = store.link(urls.key(url))
    keys = [urls.key(url).key, *([record.key.key] if record else [])]
    public = record is not None and any(not mention.private for mention in record.mentions)
    folders = (settings.saved, settings.private_saved) if private else (settings.saved,)
    for key in keys if private or public else ():
        found = saved.find(folders, key)
        if found is not None:
            return found
    raise UsageError(f"{url}: no text of it is kept", hint="kb enrich   keeps the text of linked pages")


def terms(store: Store, named: str | None = None, *, private: bool = True) -> list[Entry]:
    """Every term with its uses, A to Z; or those that `named` is a term, alias or expansion of, in any case.

    Without `private`, private notes neither define nor use one.
    """
    found = [
        (path, one)
        for path, one in store.terms(private=private)
        if named is None or named.casefold() in _names(one)
    ]
    found.sort(key=lambda pair: (pair[1].term.casefold(), pair[0], pair[1].line))
    return [Entry(one, path, store.uses(one, private=private)) for path, one in found]


def _names(term: Term) -> set[str]:
    return {name.casefold() for name in (term.term, term.expansion, *term.aliases) if name}
