"""A note about one linked page, from what the page and its site say of it. Pure: facts in, text out.

All of it comes from strangers: it is flattened, escaped, and no address in it becomes a link but
those that are meant as links.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from kb.model.kinds import LinkKind, NoteKind
from kb.model.links import Facts
from kb.notes import frontmatter
from kb.notes.bibtex import address, author_field, cite_key, entry, tex, title_field
from kb.notes.edit import bullet, escape

_KINDS = {
    LinkKind.PAPER: NoteKind.PAPER,
    LinkKind.HN_THREAD: NoteKind.HN_THREAD,
    LinkKind.HN_COMMENT: NoteKind.HN_THREAD,
}
# What a linkifier looks for: a scheme, and a host without one. Read alike, they begin no link.
_SCHEME = re.compile(r":(?=//)")
_WWW = re.compile(r"(?<![^\W_])(www)\.", re.IGNORECASE)
_START = re.compile(r"\A([#>+\-!:=])|\A(\d{1,9})([.)])|\A(\?)|\A(\t)")
_PRINTED = ("journal", "volume", "pages", "doi")
_SHOWN = 20  # authors named in a line; the rest are counted


def prose(text: str) -> str:
    """A stranger's text as one line that Markdown shows as it is: no link, heading, list or HTML."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    line = escape(line)
    line = _WWW.sub(r"\1&#46;", _SCHEME.sub("&#58;", line))
    return _START.sub(
        lambda found: (
            f"\\{found[1]}"
            if found[1]
            else f"{found[2]}\\{found[3]}"
            if found[2]
            else "&#63;"
            if found[4]
            else ""
        ),
        line,
    )


def note_kind(kind: LinkKind) -> NoteKind:
    """What a note about such a link is."""
    return _KINDS.get(kind, NoteKind.NOTE)


def link_note(
    title: str,
    url: str,
    kind: LinkKind,
    facts: Facts,
    today: str,
    *,
    tags: Sequence[str] = (),
    comment: str = "",
    quote: str = "",
) -> str:
    """The whole text of a note dated `today` about `url`, by the template of its kind."""
    values: dict[str, str | Sequence[str]] = {"title": " ".join(title.split()), "date": today}
    if note_kind(kind) is not NoteKind.NOTE:
        values["kind"] = str(note_kind(kind))
    if tags:
        values["tags"] = list(tags)
    paper = kind is LinkKind.PAPER and bool(facts.authors)
    if paper:
        values["authors"] = list(facts.authors[:_SHOWN])
    if facts.published:
        values["published"] = facts.published
    if paper:
        values["bibtex"] = cite_key(title, facts)
    lines = [frontmatter.render(values), f"# {prose(title)}", "", f"* {bullet(title, url, comment)}"]
    lines += [f"    * {line}" for line in _about(kind, facts)]
    if quote.strip():
        lines += [f"    * “{prose(quote)}”"]
    if facts.description and kind is not LinkKind.HN_THREAD:
        heading = "Abstract" if kind is LinkKind.PAPER else "In its own words"
        lines += ["", f"## {heading}", "", f"> {prose(facts.description)}"]
    if paper:
        lines += ["", "## Reference", "", "```bibtex", *_reference(title, url, facts), "```"]
    return "\n".join([*lines, ""])


def _about(kind: LinkKind, facts: Facts) -> Iterator[str]:
    """What is known beside the title, a line each."""
    extra = facts.extra
    if facts.authors and kind is LinkKind.VIDEO:
        channel = extra.get("channel_url")
        name = facts.authors[0]
        yield f"Channel: {bullet(name, channel) if isinstance(channel, str) else prose(name)}"
    elif facts.authors:
        more = len(facts.authors) - _SHOWN
        names = ", ".join(facts.authors[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        label = "By" if kind is not LinkKind.PAPER else "Authors"
        yield f"{label}: {prose(names)}"
    told = [
        facts.published,
        facts.site if kind is not LinkKind.OTHER or facts.site else None,
        *(
            f"{extra[name]:,} {name}"
            for name in ("points", "comments", "stars", "cited")
            if isinstance(extra.get(name), int)
        ),
        *(
            str(extra[name])
            for name in ("category", "journal", "licence", "programming_language")
            if extra.get(name)
        ),
        "archived" if extra.get("archived") else None,
    ]
    kept = [part for part in dict.fromkeys(told) if part]
    if kept:
        yield prose(", ".join(kept))
    article = extra.get("article")
    if isinstance(article, str):
        named = extra.get("story_title")
        yield f"The article: {bullet(str(named or ''), article)}"


def _reference(title: str, url: str, facts: Facts) -> list[str]:
    """The lines of a BibTeX entry."""
    printed = [(name, tex(str(facts.extra.get(name) or ""))) for name in _PRINTED]
    year = ("year", (facts.published or "")[:4])
    fields = [title_field(title), author_field(facts), year, *printed, ("url", address(url))]
    return entry("article" if facts.extra.get("journal") else "misc", cite_key(title, facts), fields)


def tagged(line: str, tags: Iterable[str]) -> str:
    """A bullet with `#tags` at its end; white space in a tag becomes a hyphen."""
    words = ("-".join("".join(c if c.isalnum() or c in "-_/" else " " for c in tag).split()) for tag in tags)
    return " ".join([line, *(f"#{word}" for word in words if word)])
