from __future__ import annotations

import pytest

from kb.errors import NoteChanged, NoteUnwritable
from kb.model import NoteKind, PassageKind, Span
from kb.notes.edit import append_bullet, bullet, new_note, replace_url
from kb.notes.parse import parse


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"* a\n", b"* a\n* [x](y)\n"),
        (b"- a\n", b"- a\n- [x](y)\n"),
        (b"+ a\n\t* b\n", b"+ a\n\t* b\n+ [x](y)\n"),
        (b"* a", b"* a\n* [x](y)\n"),
        (b"* a\r\n", b"* a\r\n* [x](y)\r\n"),
        (b"* a\r* b", b"* a\r* b\r* [x](y)\r"),
        (b"\xef\xbb\xbf* a\n", b"\xef\xbb\xbf* a\n* [x](y)\n"),
        (b"text\n", b"text\n\n* [x](y)\n"),
        (b"text", b"text\n\n* [x](y)\n"),
        (b"text\n\n", b"text\n\n* [x](y)\n"),
        (b"1. a\n", b"1. a\n* [x](y)\n"),
        (b"", b"* [x](y)\n"),
        (b"---\ntitle: T\n---\n", b"---\ntitle: T\n---\n\n* [x](y)\n"),
        (b"---\ntitle: T\n---\n\n", b"---\ntitle: T\n---\n\n* [x](y)\n"),
        (b'+++\ntitle = "T"\n+++\n', b'+++\ntitle = "T"\n+++\n\n* [x](y)\n'),
        (b'+++\r\nx = ["-"]\r\n+++\r\n+ a\r\n', b'+++\r\nx = ["-"]\r\n+++\r\n+ a\r\n+ [x](y)\r\n'),
        (b"- old\n\n## Now\n\n* a\n", b"- old\n\n## Now\n\n* a\n* [x](y)\n"),
    ],
)
def test_a_bullet_is_appended_in_the_style_of_the_note(before: bytes, after: bytes) -> None:
    assert append_bullet(before, "[x](y)") == after


def test_a_bullet_keeps_to_one_line_and_brings_no_marker_of_its_own() -> None:
    assert append_bullet(b"- a\n", "* [x](y)\nmore") == b"- a\n- [x](y) more\n"


@pytest.mark.parametrize("end", [b"```\ncode\n", b"<!-- open\n", b"<pre>\nopen\n"])
def test_a_bullet_is_refused_where_it_would_be_lost(end: bytes) -> None:
    with pytest.raises(NoteUnwritable, match="lost"):
        append_bullet(b"* a\n\n" + end, "[x](y)")


@pytest.mark.parametrize("data", [b"caf\xe9\n", "a".encode("utf-16")])
def test_what_is_not_utf_8_is_left_alone(data: bytes) -> None:
    with pytest.raises(NoteUnwritable, match="UTF-8"):
        append_bullet(data, "x")
    with pytest.raises(NoteUnwritable, match="UTF-8"):
        replace_url(data, Span(0, 1), "a", "b")


FORMS = [
    "[a](OLD)",
    "[a](<OLD> 't')",
    "[a][r]\r\n\r\n[r]: OLD 'T'\r\n",
    "<OLD>",
    "OLD, and",
    "<a href='OLD'>a</a>",
    "![a](OLD)",
    "| a |\n|---|\n| [b](OLD) |\n",
    "> * [é](OLD)",
]
OLD, NEW = "http://old.example/a?b=c", "https://new.example/d_(e)?f=g&copy;=h"


@pytest.mark.parametrize("form", FORMS)
def test_replacing_an_address_changes_its_bytes_and_nothing_else(form: str) -> None:
    data = ("\ufeff# H\n\n" + form.replace("OLD", OLD) + "\n\n[z](" + OLD + ")\n").encode()
    link = parse("n.md", data).links[0]
    after = replace_url(data, link.span, OLD, NEW)
    assert after.startswith(data[: link.span.start])
    assert after.endswith(data[link.span.end :])
    changed = parse("n.md", after).links
    assert changed[0].url == NEW
    assert [one.href for one in changed[1:]] == [OLD]


def test_an_address_in_toml_front_matter_is_not_the_one_replaced() -> None:
    head = f'+++\r\ntitle = "{OLD}"\r\nlink = "[z]({OLD})"\r\n+++\r\n'.encode()
    data = head + f"* a\r\n\t* [é]({OLD})\r\n* last".encode()
    (link,) = parse("n.md", data).links
    after = replace_url(data, link.span, OLD, NEW)
    assert after.startswith(data[: link.span.start])
    assert after.endswith(data[link.span.end :])
    changed = parse("n.md", after)
    assert (changed.title, [one.url for one in changed.links]) == (OLD, [NEW])


def test_an_address_that_moved_meanwhile_is_not_replaced() -> None:
    data = b"x [a](http://x.y)\n"
    with pytest.raises(NoteChanged):
        replace_url(data, Span(5, 15), "http://x.y", "http://z.z")
    with pytest.raises(NoteChanged):
        replace_url(b"`http://x.y`", Span(1, 11), "http://x.y", "http://z.z")


def test_an_address_that_cannot_stand_there_is_refused() -> None:
    with pytest.raises(NoteUnwritable, match="cannot stand"):
        replace_url(b"http://x.y/a\n", Span(0, 12), "http://x.y/a", "http://x.y/b.")


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("A [b] *c* _d_ snake_case", "A [b] *c* _d_ snake_case"),
        ("<script>alert(1)</script> & &amp; `x`", "<script>alert(1)</script> & &amp; `x`"),
        ("two\nlines \x00", "two lines"),
        ("[[Wiki]] | ~~s~~ {: onclick=x }", "[[Wiki]] | ~~s~~ {: onclick=x }"),
        ("back\\slash", "back\\slash"),
    ],
)
def test_a_title_reads_the_same_after_markdown(title: str, text: str) -> None:
    data = append_bullet(b"", bullet(title, "http://x.y/a"))
    (link,) = parse("n.md", data).links
    assert (link.anchor, link.href) == (text, "http://x.y/a")


def test_a_title_is_no_markup_on_the_site() -> None:
    import markdown

    line = bullet("<img src=x onerror=y> {: onclick=z } [a](b) &lt;b&gt;", "http://x.y/a")
    html = markdown.markdown("* " + line, extensions=["attr_list", "tables"])
    assert html.count("<a ") == 1
    assert "<img" not in html
    assert "onclick=z" in html
    assert 'onclick="' not in html


def test_a_bullet_without_title_is_its_address() -> None:
    (link,) = parse("n.md", append_bullet(b"", bullet(" ", "http://x.y/a"))).links
    assert link.url == "http://x.y/a"


def test_a_bullet_carries_the_comment() -> None:
    assert bullet("T", "http://x.y", "worth\nreading") == "[T](http://x.y) worth reading"


def test_a_new_note_says_what_it_is() -> None:
    text = new_note("RAG: a survey", "2023-09-01", NoteKind.PAPER, ["a", "b c"])
    note = parse("n.md", text.encode())
    assert (note.title, str(note.noted), note.kind, note.tags) == (
        "RAG: a survey",
        "2023-09-01",
        NoteKind.PAPER,
        ("a", "b c"),
    )
    passages = parse("n.md", append_bullet(text.encode(), "x")).passages
    assert [one.kind for one in passages] == [PassageKind.BULLET]
