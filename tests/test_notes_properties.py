"""What holds for any text at all."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kb.errors import NoteError
from kb.model import LinkForm, Note
from kb.notes import frontmatter
from kb.notes.edit import append_bullet, bullet, replace_url
from kb.notes.importers.page import split_page
from kb.notes.parse import outline, parse

_PIECES = [
    *"[]()<>*_`#>|-+=:!&\\\"' \n\r\t",
    "\n\n",
    "\r\n",
    "    ",
    "* ",
    "\n* ",
    "\n\t* ",
    "\n> ",
    "\n# ",
    "\n## March 29, 2023\n",
    "\n### Glossary\n",
    "1. ",
    "\n---\n",
    "```\n",
    "http://x.y/a",
    "https://é.org/b_(c)?d=e&amp;f",
    "www.z.org",
    "mailto:a@b.c",
    "[a](http://x.y)",
    "[b][r]",
    "[r]: <http://r.r>",
    "![i](j.png)",
    "[[N#h|t]]",
    "<a href='q'>",
    "</a>",
    "<!-- ",
    " -->",
    "<div>",
    "[^1]",
    "[^1]: ",
    "| a | b |\n|---|---|\n| c | d |\n",
    "\nterm\n: def",
    "word",
    "é。",
    "𝄞",
    "2/21",
    "August 11, 2023",
    "\n\n!!! note\n",
    '\n??? tip "see [t](u)"\n\n',
    "\n> !!! note\n>     ",
    "\n    ",
    "\n\n        ",
    "\n\t",
]
markdown = st.lists(st.sampled_from(_PIECES), max_size=40).map("".join)
notes = st.builds(
    lambda bom, front, body: (bom + front + body).encode(),
    st.sampled_from(["", "\ufeff"]),
    st.sampled_from(["", "---\ntitle: T\ndate: 2023-05-01\n---\n", "---\nbroken: [\n---\n"]),
    markdown,
)


def links(note: Note) -> list[tuple[str, str, LinkForm]]:
    return [(link.href, link.url, link.form) for link in note.links]


@settings(max_examples=300, deadline=None)
@given(notes)
def test_every_span_points_at_the_bytes_it_names(data: bytes) -> None:
    note = parse("n.md", data)
    last = 0
    for passage in note.passages:
        assert last <= passage.span.start <= passage.span.end <= len(data)
        last = passage.span.start
        assert 1 <= passage.line <= data.count(b"\n") + data.count(b"\r") + 1
        for link in passage.links:
            assert data[link.span.start : link.span.end].decode() == link.href
    for problem in note.problems:
        assert problem.line >= 1


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_raising(data: bytes) -> None:
    for bytes_ in (data, b"\xff\xfe" + data, b"\xef\xbb\xbf" + data):
        note = parse("n.md", bytes_)
        for passage in note.passages:
            assert 0 <= passage.span.start <= passage.span.end <= len(bytes_)


@settings(max_examples=200, deadline=None)
@given(markdown, st.sampled_from(["utf-16-le", "utf-16-be"]))
def test_utf_16_gives_the_same_links_with_spans_of_its_own(text: str, codec: str) -> None:
    data = ("\ufeff" + text).encode(codec)
    note = parse("n.md", data)
    assert links(note) == links(parse("n.md", text.encode()))
    for link in note.links:
        assert data[link.span.start : link.span.end].decode(codec) == link.href


@settings(max_examples=200, deadline=None)
@given(markdown)
def test_stray_bytes_move_no_link(text: str) -> None:
    data = b"\xe9\xff " + text.encode()
    note = parse("n.md", data)
    for link in note.links:
        assert data[link.span.start : link.span.end].decode() == link.href


@settings(max_examples=300, deadline=None)
@given(notes)
def test_append_then_parse_gives_the_old_links_and_the_new_one(data: bytes) -> None:
    before = links(parse("n.md", data))
    try:
        after = append_bullet(data, "[new](http://new.example)")
    except NoteError:
        return
    assert after.startswith(data)
    found = links(parse("n.md", after))
    new = ("http://new.example", "http://new.example", LinkForm.INLINE)
    assert new in found
    found.remove(new)
    assert found == before


@settings(max_examples=300, deadline=None)
@given(notes, st.data())
def test_replace_then_parse_differs_in_one_address(data: bytes, draw: st.DataObject) -> None:
    found = parse("n.md", data).links
    assume(found)
    link = draw.draw(st.sampled_from(found))
    try:
        after = replace_url(data, link.span, link.href, "https://new.example/z")
    except NoteError:
        return
    assert after == data[: link.span.start] + b"https://new.example/z" + data[link.span.end :]
    expected = ["https://new.example/z" if one.span == link.span else one.href for one in found]
    assert [one.href for one in parse("n.md", after).links] == expected


titles = st.text(alphabet=[*map(chr, range(32, 127)), "é", "。", "𝄞", "\n"], max_size=40)
tails = st.text(alphabet="abc/?=&;()<>\"' []\\|`%é_*~", max_size=20)


@settings(max_examples=300, deadline=None)
@given(titles, tails)
def test_a_bullet_is_one_link_whatever_the_page_calls_itself(title: str, tail: str) -> None:
    (link,) = parse("n.md", append_bullet(b"", bullet(title, "http://x.y/" + tail))).links
    assert link.url.startswith("http://x.y/")
    if title.strip():
        assert link.anchor.split() == title.split()


@settings(max_examples=200, deadline=None)
@given(markdown.map(str.encode))
def test_a_split_page_keeps_every_byte_of_its_body(data: bytes) -> None:
    body, _ = outline(data)
    drafts = split_page("p.md", data).drafts
    assert len({draft.path for draft in drafts}) == len(drafts)
    pieces = [draft.data[frontmatter.split(draft.data)[2] :] for draft in drafts]
    # Definitions may be copied beside what uses them; nothing else is added, and nothing is lost.
    assert sum(map(len, pieces)) >= len(data) - body
    for line in set(data[body:].splitlines()):
        assert any(line in piece for piece in pieces)
