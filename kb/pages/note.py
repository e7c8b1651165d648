"""A note as a page: its own Markdown under a heading and a line that says what it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from kb.model.kinds import NoteKind
from kb.model.site import Page
from kb.pages import markup
from kb.pages.card import KIND_WORDS, Card
from kb.pages.text import clipped, day, flat, plain
from kb.places import WIKILINK, read_wikilink

# Front matter as the person wrote it. Page generators read it with parsers of their own, which
# a hostile file can crash, so a page never carries it on.
# YAML, or Hugo's TOML between lines of `+++`.
_FRONT_MATTER = re.compile(
    r"\A\ufeff?(?P<toml>\+\+\+)?(?(toml)|---)[ \t]*\n(?P<yaml>(?:.*\n)*?)"
    r"(?(toml)\+\+\+|(?:---|\.\.\.))[ \t]*(?:\n|\Z)"
)
_WITHHELD = re.compile(
    r"^[\"']?(?:private|draft)[\"']?[ \t]*[:=](?P<value>.*)$", re.IGNORECASE | re.MULTILINE
)
_NO = re.compile(r"\s*[\"']?(?:false|no|off|n|0|null|~)?[\"']?\s*(?:#.*)?\Z", re.IGNORECASE)
_HEADING = re.compile(
    r"\A\s*(?:[ ]{0,3}\#[ \t]+[^\n]*|[^\s\-*+>#|`~][^\n]*\n=+[ \t]*)(?:\n|\Z)",
)

_SENTENCE_END = re.compile(r"[.!?\u3002](?=\s|\Z)|\n")
_AROUND = 240


@dataclass(frozen=True, slots=True)
class Backlink:
    """A mention of a note in another: that note, the words of the link, and the passage around it."""

    card: Card
    anchor: str
    text: str


def page(
    card: Card, source: str, *, backlinks: Sequence[Backlink] = (), related: Sequence[Card] = ()
) -> Page:
    """The page of a note whose file holds `source`, with what points to it and what is near to it."""
    text = body(source)
    heading = _HEADING.match(text)
    if heading:
        top, rest = heading[0].strip(), text[heading.end() :]
    else:
        top, rest = f"# {plain(card.title)}", text
    return Page(
        path=card.path,
        title=plain(card.title),
        description=plain(clipped(card.description or card.title)),
        markdown=f"{top}\n\n{byline(card)}\n\n{rest}",
        style="note",
        tags=tuple(plain(tag) for tag in card.tags if flat(tag)),
        noted=card.noted.earliest if card.noted else None,
        more=_more(backlinks, related),
    )


def _more(backlinks: Sequence[Backlink], related: Sequence[Card]) -> str:
    parts = []
    if backlinks:
        rows = (
            f"{markup.page_a(one.card.title, one.card.path)}<p>{around(one.text, one.anchor)}</p>"
            for one in backlinks
        )
        parts += [markup.heading("Mentioned in", "kb-mentioned-in"), markup.items(rows, "kb-backlinks")]
    if related:
        rows = (
            markup.page_a(one.title, one.path)
            + (f" <small>{markup.date(one.noted)}</small>" if one.noted else "")
            for one in related
        )
        parts += [markup.heading("Near in meaning", "kb-near"), markup.items(rows, "kb-near")]
    return f'<aside class="kb-more" aria-label="Around this note">{"".join(parts)}</aside>' if parts else ""


def around(text: str, anchor: str) -> str:
    """The sentence of `text` that holds `anchor`, as HTML, the anchor marked."""
    line = flat(text)
    words = flat(anchor)
    at = line.find(words) if words else -1
    if at < 0:
        return markup.words(clipped(line, _AROUND))
    ends = [match.end() for match in _SENTENCE_END.finditer(line)]
    start = max((end for end in ends if end <= at), default=0)
    stop = min((end for end in ends if end >= at + len(words)), default=len(line))
    start, stop = max(start, at - _AROUND // 2), min(stop, at + len(words) + _AROUND // 2)
    before, after = escape(line[start:at].lstrip()), escape(line[at + len(words) : stop].rstrip())
    return f"{before}<mark>{escape(words)}</mark>{after}"


def byline(card: Card) -> str:
    """When the note was written, what it is, and its tags: one paragraph of HTML."""
    parts = []
    if card.noted:
        parts.append(f'<time datetime="{card.noted.first}">{day(card.noted)}</time>')
    if card.kind is not NoteKind.NOTE or not parts:
        parts.append(f"<span>{KIND_WORDS[card.kind][0]}</span>")
    parts += [f'<span class="kb-tag">{plain(tag)}</span>' for tag in card.tags if flat(tag)]
    return f'<p class="kb-byline">{" ".join(parts)}</p>'


def body(source: str) -> str:
    """The note without its front matter, lines ended by `\\n`."""
    text = source.replace("\r\n", "\n").replace("\r", "\n")
    match = _FRONT_MATTER.match(text)
    return text[match.end() :] if match else text.removeprefix("\ufeff")


def is_withheld(source: str, *, broken: bool) -> bool:
    """Whether front matter says in any way that the note is private or a draft.

    A slip (`private: "yes"`, a line of YAML before it that cannot be read, front matter that
    never ends) must not publish what was meant to stay: unless it plainly says no, it stays. In
    `broken` front matter even the key is enough.
    """
    text = source.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    if not text.startswith(("---", "+++")):
        return False
    match = _FRONT_MATTER.match(text)
    if match is None:
        return broken and _WITHHELD.search(text[:4096]) is not None
    return any(broken or not _NO.match(key["value"]) for key in _WITHHELD.finditer(match["yaml"]))


_NOT_WORDS = re.compile(
    r"^\s*(?:[-+*>]|\d+[.)])\s+"  # bullets and quotes
    r"|!?\[(?=[^\]]*\])|\](?:\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\]|\])?"  # what surrounds a link's words
    r"|<[^>]*>|[*`|]|(?<!\w)_(?=\S)|(?<=\S)_(?![\w(])",
    re.MULTILINE,
)
_NO_PROSE = re.compile(r"\s*(?:#|```|~~~|\||<|---|===|\Z)")


def first_words(source: str) -> str:
    """How the note begins: its first words that are no heading, table or code, without Markdown's marks."""
    words = ""
    for line in body(source)[:4000].split("\n"):
        if not _NO_PROSE.match(line):
            said = WIKILINK.sub(lambda found: read_wikilink(found[2], found[3]).words, line)
            words = f"{words} {_NOT_WORDS.sub('', said).strip()}".strip()
        if len(words) > 60:
            break
    return clipped(words)
