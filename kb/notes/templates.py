"""A new note from a template: `{title}`, `{date}`, `{kind}` and `{tags}` are filled in. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.errors import UsageError
from kb.model.kinds import NoteKind
from kb.model.reports import Severity
from kb.notes import edit, frontmatter
from kb.notes.parse import parse

_PLACE = re.compile(r"(?P<quote>[\"']?)\{(?P<name>title|date|kind|tags)\}(?P=quote)")


def filled(name: str, template: str, title: str, kind: NoteKind, tags: Sequence[str], today: str) -> str:
    """The note. A template without front matter is given kb's own.

    `name` is the template's, for the error: UsageError where the note would not be read as one of
    this title, kind and tags.
    """
    title = " ".join(title.split())
    raw = template.encode("utf-8", "replace")
    cut = frontmatter.split(raw)[2]
    head, body = raw[:cut].decode(), raw[cut:].decode()
    said = {
        "title": edit.escape(title),
        "date": today,
        "kind": str(kind),
        "tags": " ".join(f"#{t}" for t in tags),
    }
    yaml = {**said, "title": _scalar(title), "tags": _scalar(tuple(tags))}
    if head:
        head = _PLACE.sub(lambda found: yaml[found["name"]], head)
    else:
        head = edit.new_note(title, today, kind, tags)
    # In the text quotation marks are the person's.
    text = head + _PLACE.sub(lambda found: f"{found['quote']}{said[found['name']]}{found['quote']}", body)
    note = parse("note.md", text.encode("utf-8", "replace"))
    broken = next((one for one in note.problems if one.severity is Severity.ERROR), None)
    if broken is not None:
        raise UsageError(f"{name}: makes a note that cannot be read: {broken.message}", hint=broken.hint)
    for what, lacks in (("title", note.title != title), ("kind", note.kind is not kind)):
        if lacks:
            raise UsageError(
                f"{name}: makes a note without the {what} asked for",
                hint=f"write `{what}: {{{what}}}` at its top",
            )
    if not set(tags) <= set(note.tags):
        raise UsageError(f"{name}: has no place for tags", hint="write `tags: {tags}` at its top")
    return text


def _scalar(value: str | Sequence[str]) -> str:
    return frontmatter.render({"value": value}).split("\n")[1].removeprefix("value: ")
