from __future__ import annotations

import time

import pytest

from kb.model import LinkForm, Note, NoteKind, PassageKind, Severity
from kb.notes.parse import outline, parse

PAGE = """\
---
title: Model notes
permalink: /models/
sitemap: false
---

### March 29, 2023
* Things to watch
\t* [A C++ port](https://github.com/ggerganov/whisper.cpp) for laptops.
\t* A long [video](https://www.youtube.com/watch?v=kCc8FmEb1nY&t=13s)
\t\t* It says: 'we'll build it, it's small'

### March 30, 2023
* See the [setup page](/python)

## September 2023
### On Llama
* [A post from August 2023](https://example.com/llama)
* The original 2017 paper
* August 11, 2023 [case study](https://example.com/case) on tuning
\t* [comment](https://news.ycombinator.com/item?id=1): 'a 12 GB card's enough'
\t* His channel: https://www.youtube.com/@someone
\t\t* This 7/17/2023 [rant](https://example.com/rant)

### Links
* 7/05/2023 ['Form, not facts'](https://example.com/form) by them.
"""


def read(text: str | bytes, path: str = "n.md", *, day_first: bool = False) -> Note:
    data = text if isinstance(text, bytes) else text.encode()
    note = parse(path, data, day_first=day_first)
    for link in note.links:
        assert data[link.span.start : link.span.end].decode() == link.href
    return note


def hrefs(text: str) -> list[str]:
    return [link.href for link in read(text).links]


def only(text: str, kind: PassageKind | None = None) -> str:
    texts = [passage.text for passage in read(text).passages if kind in (None, passage.kind)]
    assert len(texts) == 1, texts
    return texts[0]


class TestAPageThatGrewOverYears:
    note = read(PAGE)

    def by(self, words: str) -> tuple[str, str]:
        passage = next(one for one in self.note.passages if words in one.text)
        return str(passage.noted), str(passage.date)

    def test_has_every_link_bare_and_relative_ones_too(self) -> None:
        assert len(self.note.links) == 9
        assert {link.href for link in self.note.links} >= {"/python", "https://www.youtube.com/@someone"}

    @pytest.mark.parametrize(
        ("words", "noted", "date"),
        [
            ("Things to watch", "2023-03-29", "2023-03-29"),
            ("setup page", "2023-03-30", "2023-03-30"),
            ("A post from", "2023-09", "2023-08"),
            ("original 2017 paper", "2023-09", "2023-09"),
            ("case study", "2023-09", "2023-08-11"),
            ("12 GB", "2023-09", "2023-08-11"),
            ("rant", "2023-09", "2023-07-17"),
            ("Form, not facts", "2023-09", "2023-07-05"),
        ],
    )
    def test_dates_come_from_the_bullet_its_parent_or_the_heading(
        self, words: str, noted: str, date: str
    ) -> None:
        assert self.by(words) == (noted, date)

    def test_a_bullet_stands_apart_from_its_children_and_knows_where_it_hangs(self) -> None:
        passage = next(one for one in self.note.passages if "12 GB" in one.text)
        assert passage.kind is PassageKind.BULLET
        assert passage.text == "comment: 'a 12 GB card's enough'"
        assert passage.heading == ("September 2023", "On Llama")
        assert passage.parents == ("August 11, 2023 case study on tuning",)
        assert PAGE.splitlines()[passage.line - 1].startswith("\t* [comment]")

    def test_spans_of_bullets_begin_at_the_marker_and_leave_children_out(self) -> None:
        passage = next(one for one in self.note.passages if "case study" in one.text)
        source = PAGE.encode()[passage.span.start : passage.span.end].decode()
        assert source == "* August 11, 2023 [case study](https://example.com/case) on tuning"


class TestLinks:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("[a](http://x.y/z)", ["http://x.y/z"]),
            ('[a](<http://x.y/a b> "t")', ["http://x.y/a b"]),
            ("[a](http://x.y/(b)_c)", ["http://x.y/(b)_c"]),
            ("[[1]](http://x.y)", ["http://x.y"]),
            ("[](http://x.y)", ["http://x.y"]),
            ("[a `b](c)` d](http://x.y)", ["http://x.y"]),
            ("[**a** _b_](http://x.y)", ["http://x.y"]),
            ("[![alt](i.png)](http://x.y)", ["http://x.y", "i.png"]),
            ("[a][r] [r][] [r]\n\n[r]: http://x.y 'T'\n", ["http://x.y"] * 3),
            ("[A  B]\n\n[a b]: <http://x.y>\n", ["http://x.y"]),
            ("<http://x.y> <me@x.org>", ["http://x.y", "me@x.org"]),
            ("| a |\n|---|\n| [q](http://x.y) |\n", ["http://x.y"]),
            ("# See [a](http://x.y)\n", ["http://x.y"]),
            ("> said [a](http://x.y)\n", ["http://x.y"]),
            ("> [a](\n> http://x.y)\n", ["http://x.y"]),
            ("text[^1]\n\n[^1]: from [a](http://x.y)\n", ["http://x.y"]),
            ('<a href="http://x.y">a</a>', ["http://x.y"]),
            ("<div>\n<a class=b href='http://x.y'>a</a>\n</div>\n", ["http://x.y"]),
            ('<img src="i.png" alt="a">', ["i.png"]),
            ("[[Note]] [[Note#Part|words]] ![[i.png]]", ["Note", "Note#Part", "i.png"]),
            ("[m](mailto:a@b.c) [r](../b.md) [f](#part)", ["mailto:a@b.c", "../b.md", "#part"]),
        ],
    )
    def test_are_found_wherever_they_can_stand(self, text: str, expected: list[str]) -> None:
        assert hrefs(text) == expected

    @pytest.mark.parametrize(
        "text",
        [
            "`http://x.y`",
            "`[a](http://x.y)`",
            "```\nhttp://x.y [a](b)\n```",
            "    http://x.y",
            "<!-- http://x.y -->",
            "<!--\n[a](b)\n\nhttp://x.y\n-->",
            "a <!-- [a](b) --> b",
            "README.md and setup.py and example.com",
            "http:// and https://",
            "www.x",
            r"\[[Note]]",
            r"\[a](b)",
            "`[[Note]]`",
            "[unknown] [reference][x]",
        ],
    )
    def test_are_not_found_in_code_comments_and_words(self, text: str) -> None:
        assert hrefs(text) == []

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("see http://x.y/a.", "http://x.y/a"),
            ("(see http://x.y/a)", "http://x.y/a"),
            ("http://x.y/Foo_(bar)", "http://x.y/Foo_(bar)"),
            ("(http://x.y/Foo_(bar)), and", "http://x.y/Foo_(bar)"),
            ("'http://x.y/a', he said", "http://x.y/a"),
            ('"http://x.y/a"', "http://x.y/a"),
            ("http://x.y/a?b=c&amp;d=e", "http://x.y/a?b=c&amp;d=e"),
            ("http://x.y/a&gt;", "http://x.y/a"),
            ("**http://x.y/a**", "http://x.y/a"),
            ("http://x.y/snake_case_*it*", "http://x.y/snake_case_*it"),
            ("读http://x.y/a。然后", "http://x.y/a"),
            ("http://x.y/a，b", "http://x.y/a"),
            ("http://x.y/é", "http://x.y/é"),
            ("http://münchen.de/a", "http://münchen.de/a"),
            ("http://x.y/a[^1]\n\n[^1]: n\n", "http://x.y/a"),
            ("www.x.org/a", "www.x.org/a"),
            ("HTTP://X.Y/A", "HTTP://X.Y/A"),
            ("http://localhost:8000/a!", "http://localhost:8000/a"),
            ("| a |\n|---|\n| http://x.y/a |\n", "http://x.y/a"),
        ],
    )
    def test_bare_addresses_end_where_the_sentence_goes_on(self, text: str, expected: str) -> None:
        assert hrefs(text) == [expected]

    def test_know_their_form_anchor_line_and_meaning(self) -> None:
        note = read('x\n\n[a *b*](http://x.y/?a&amp;b) www.x.org [[N|w]] <a href="q">h i</a> ![p](i.png)\n')
        seen = [(link.line, link.form, link.anchor, link.url) for link in note.links]
        assert seen == [
            (3, LinkForm.INLINE, "a b", "http://x.y/?a&b"),
            (3, LinkForm.BARE, "www.x.org", "http://www.x.org"),
            (3, LinkForm.WIKILINK, "w", "N"),
            (3, LinkForm.HTML, "h i", "q"),
            (3, LinkForm.IMAGE, "p", "i.png"),
        ]

    def test_of_references_span_the_address_in_the_definition(self) -> None:
        text = "[a][r]\n\n[r]: http://x.y\n"
        link = read(text).links[0]
        assert (link.line, link.span.start) == (1, text.index("http"))

    def test_anchor_text_that_is_an_address_is_no_second_link(self) -> None:
        assert hrefs('[http://x.y](http://z.z) <a href="http://q.q">http://x.y</a>') == [
            "http://z.z",
            "http://q.q",
        ]


class TestPassages:
    def test_text_is_plain(self) -> None:
        text = "a **b** [c](http://x.y) `d` http://x.y/e &amp; [[N|f]] <b>g</b>\nh"
        assert only(text) == "a b c d http://x.y/e & f g h"

    def test_a_quote_keeps_who_said_it(self) -> None:
        note = read("They [write](http://x.y):\n\n> it works\n\n— the authors\n\nNext.\n")
        assert [(one.kind, one.text) for one in note.passages] == [
            (PassageKind.QUOTE, "They write:\nit works\n— the authors"),
            (PassageKind.PARAGRAPH, "Next."),
        ]
        assert [link.href for link in note.passages[0].links] == ["http://x.y"]

    def test_a_row_names_its_columns(self) -> None:
        text = "| card | fits |\n|---|---|\n| 3060 | 7B |\n"
        assert only(text) == "card: 3060 | fits: 7B"

    def test_code_comes_with_the_sentence_that_introduces_it(self) -> None:
        text = "First this. Then run:\n\n```sh\nmake\n```\n"
        assert only(text, PassageKind.CODE) == "Then run:\nmake"

    def test_a_list_hangs_under_the_line_that_introduces_it(self) -> None:
        note = read("To try:\n\n* one\n* two\n\nDone.\n\n* three\n")
        assert [one.parents for one in note.passages if one.kind is PassageKind.BULLET] == [
            ("To try:",),
            ("To try:",),
            (),
        ]

    def test_a_footnote_hangs_under_the_sentence_that_has_it(self) -> None:
        note = read("It fits.[^1]\n\n[^1]: In 24 GB.\n")
        assert [(one.text, one.parents) for one in note.passages] == [
            ("It fits.", ()),
            ("In 24 GB.", ("It fits.",)),
        ]

    def test_a_definition_names_its_term(self) -> None:
        assert only("RAG\n:   Look it up.\n") == "RAG: Look it up."

    def test_a_bullet_of_two_paragraphs_is_one_passage(self) -> None:
        assert only("* one\n\n    two\n") == "one\ntwo"

    def test_a_heading_with_nothing_under_it_is_a_passage(self) -> None:
        note = read("# A\n\n## B\n\n## C\n\ntext\n")
        assert [(one.kind, one.text, one.heading) for one in note.passages] == [
            (PassageKind.HEADING, "B", ("A",)),
            (PassageKind.PARAGRAPH, "text", ("A", "C")),
        ]

    def test_bullets_in_a_quote_and_quotes_in_a_bullet_keep_their_context(self) -> None:
        note = read("> They list:\n>\n> * one\n\n* says\n\n    > two\n")
        assert [(one.kind, one.text, one.parents) for one in note.passages] == [
            (PassageKind.QUOTE, "They list:", ()),
            (PassageKind.BULLET, "one", ("They list:",)),
            (PassageKind.BULLET, "says", ()),
            (PassageKind.QUOTE, "two", ("says",)),
        ]

    def test_only_the_nearest_parents_are_kept(self) -> None:
        note = read("".join("\t" * depth + f"* level {depth}\n" for depth in range(12)))
        assert note.passages[11].parents == tuple(f"level {depth}" for depth in range(3, 11))

    def test_a_task_is_a_bullet_without_its_box(self) -> None:
        assert only("- [x] done\n") == "done"


class TestDatedSections:
    def test_the_nearest_of_heading_front_matter_and_file_name_wins(self) -> None:
        text = "---\ndate: 2023-05-01\n---\none\n\n## June 2, 2023\ntwo\n\n## Other\nthree\n"
        note = read(text, "2023-04-01-x.md")
        assert [str(one.noted) for one in note.passages] == ["2023-05-01", "2023-06-02", "2023-05-01"]
        assert str(read("one\n", "2023-04-01-x.md").passages[0].noted) == "2023-04-01"

    def test_a_heading_without_date_falls_back_to_the_section_that_encloses_it(self) -> None:
        note = read("## May 2023\n### May 5, 2023\none\n### Other\ntwo\n")
        assert [str(one.noted) for one in note.passages] == ["2023-05-05", "2023-05"]

    def test_under_a_year_a_short_date_is_a_date(self) -> None:
        note = read("## 2023\n* 2/21: read it\n* 2/9-2/12 trip\n* 3/4 of it\n\n### March 3\nx\n")
        assert [str(one.date) for one in note.passages] == [
            "2023-02-21",
            "2023-02-09/2023-02-12",
            "2023",
            "2023-03-03",
        ]

    def test_day_first_reads_the_day_first(self) -> None:
        assert str(read("* 7/05/2023 x\n", day_first=True).passages[0].date) == "2023-05-07"

    def test_dates_in_addresses_and_code_are_not_dates(self) -> None:
        note = read("* http://x.y/2023/03/04/a\n* `2023-03-04`\n* [a](http://x.y/2023-03-04)\n")
        assert [one.date for one in note.passages] == [None, None, None]


class TestOddFiles:
    def test_a_byte_order_mark_shifts_spans_by_three(self) -> None:
        assert read(b"\xef\xbb\xbf---\ntitle: T\n---\n[a](http://x.y)\n").title == "T"

    @pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
    def test_lines_count_whatever_ends_them(self, newline: str) -> None:
        note = read(newline.join(["---", "title: T", "---", "# H", "", "* a", "* [b](c)", ""]))
        assert [one.line for one in note.passages] == [6, 7]
        assert note.links[0].line == 7

    def test_stray_bytes_are_read_as_windows_1252_and_said(self) -> None:
        data = "é ".encode() + b"caf\xe9\n\n[a](http://x.y)\n"
        note = read(data)
        assert note.passages[0].text == "é café"
        (problem,) = note.problems
        assert (problem.line, problem.severity) == (1, Severity.ERROR)
        assert "0xe9" in problem.message

    @pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
    def test_utf_16_is_read_and_said_and_its_spans_are_right(self, codec: str) -> None:
        data = "\ufeff# Tê𝄞\n\n[a](http://x.y)\n".encode(codec)
        note = parse("n.md", data)
        assert note.title == "Tê𝄞"
        assert "UTF-16" in note.problems[0].message
        (link,) = note.links
        assert data[link.span.start : link.span.end].decode(codec) == "http://x.y"

    def test_nul_is_said_with_its_line(self) -> None:
        (problem,) = read(b"a\nb\0c\n").problems
        assert (problem.line, "NUL" in problem.message) == (2, True)

    def test_an_empty_note_is_a_note(self) -> None:
        note = read("", "2023-03-29-on_qlora.md")
        assert (note.title, note.passages, str(note.noted)) == ("on qlora", (), "2023-03-29")

    def test_bullets_nested_by_two_spaces_are_warned_about_once(self) -> None:
        (problem,) = read("* a\n    * b\n* c\n  * d\n  * e\n").problems
        assert (problem.line, problem.severity) == (4, Severity.WARNING)

    def test_the_title_comes_from_front_matter_then_heading_then_file_name(self) -> None:
        assert read("---\ntitle: A\n---\n# B\n").title == "A"
        assert read("# B\n").title == "B"
        assert read("x\n", "a/some-thing.md").title == "some thing"

    def test_a_note_under_private_is_private(self) -> None:
        assert read("x", "private/a.md").private
        assert not read("x", "private.md").private

    def test_the_kind_is_read(self) -> None:
        assert read("---\nkind: hn-thread\n---\n").kind is NoteKind.HN_THREAD


def test_an_outline_gives_the_headings_that_stand_alone() -> None:
    data = b"---\na: b\n---\n# A\n\n> # B\n\n* # C\n\nD\n===\n"
    body, headings = outline(data)
    assert data[body:].startswith(b"# A")
    assert [(one.level, one.text) for one in headings] == [(1, "A"), (1, "D")]


HOSTILE = {
    "100,000 links": "* [a](http://x.y/a)\n" * 100_000,
    "30,000 links in a line": "[a](http://x.y/a) " * 30_000,
    "30,000 bare addresses": "http://x.y/a, " * 30_000,
    "a line of 10 MB": ("some words " * 30 + "http://x.y/1 [a](b) ") * 30_000,
    "a word of 10 MB": "http://x.y/" + "a" * 10_000_000,
    "2,000 levels": "".join("\t" * depth + "* [a](b)\n" for depth in range(2000)),
    "3,000 quotes": "> " * 3000 + "[a](b)\n",
    "50,000 brackets": "[" * 50_000,
    "50,000 double brackets": "[[" * 50_000 + "a",
    "50,000 open links": "[a](" * 50_000,
    "50,000 tags": "<a href='" * 50_000,
    "50,000 closing brackets after an address": "http://x.y/" + ")" * 50_000,
    "50,000 addresses without a gap": "http://x.y/，" * 50_000,
    "a bullet with 20,000 children": "* " + "a" * 20_000 + "\n" + "\t* b\n" * 20_000,
    "numbers": "1/1/" * 100_000,
    "months": "May 1 - " * 30_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_read_in_time(name: str) -> None:
    start = time.process_time()
    parse("n.md", HOSTILE[name].encode())
    assert time.process_time() - start < 10


JOINED = "a list follows a paragraph without a blank line: MkDocs renders it as text"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("words\n* a\n* b\n\nwords\n* c\n", [2]),
        ("words\r\n1. a\r\n", [2]),
        ("> words\n> * a\n", [2]),
        ("words\n\n* a\n", []),
        ("# heading\n* a\n", []),
        ("* a\n\t* b\n", []),
        ("* a\n\n\tmore\n\n\t* b\n", []),
        ("words\n***\n* a\n", []),
        ("| a |\n|---|\n| b |\n\n* c\n", []),
    ],
)
def test_a_list_that_the_site_would_not_show_as_one_is_said(text: str, lines: list[int]) -> None:
    assert [one.line for one in parse("n.md", text.encode()).problems if one.message == JOINED] == lines


def test_an_address_beyond_all_servers_is_left_out_and_said() -> None:
    long = "http://x.example/" + "a" * 9_000
    note = parse(
        "n.md", f"one\n\n[a](http://y.example/) {long}\n![p](data:image/png;base64,{'A' * 9_000})\n".encode()
    )
    assert [link.url for link in note.links] == ["http://y.example/"]
    assert [(one.line, one.message) for one in note.problems] == [
        (3, "an address of 9,017 bytes is left out; kb reads up to 8,192")
    ]


def test_the_body_of_an_admonition_is_read_where_it_stands() -> None:
    text = 'Before.\n\n!!! note "On [cards](c)"\n    a [l](u)\n\n    * b 2023-09-01\n        * [m][r]\n\n[r]: http://r.x\n'
    note = read(text)
    assert [(one.kind.value, one.line, one.text, one.parents) for one in note.passages] == [
        ("paragraph", 1, "Before.", ()),
        ("paragraph", 3, "On cards", ("On cards",)),
        ("paragraph", 4, "a l", ("On cards",)),
        ("bullet", 6, "b 2023-09-01", ("On cards",)),
        ("bullet", 7, "m", ("On cards", "b 2023-09-01")),
    ]
    assert [(link.href, link.line) for link in note.links] == [("c", 3), ("u", 4), ("http://r.x", 7)]
    assert str(note.passages[-1].date) == "2023-09-01"


@pytest.mark.parametrize(
    "text",
    [
        "```\n!!! note\n    a\n\n    [l](u)\n```",
        "!!! note\n\n        [l](u)",
        "    !!! note\n\n        [l](u)",
        "<!--\n!!! note\n\n    [l](u)\n-->",
        "!!! !\n\n    [l](u)",
    ],
)
def test_what_only_looks_like_an_admonition_holds_no_link(text: str) -> None:
    assert hrefs(text) == []


def test_code_at_the_end_of_a_note_ends_with_it_where_an_admonition_uses_a_definition() -> None:
    text = '??? tip "see [t](u)"\n\n[r]: <http://r.r>\n\n        ['
    note = read(text)
    assert note.passages[-1].span.end == len(text)
    assert note.passages[-1].text == "    ["


def test_a_footnote_of_the_note_is_one_in_an_admonition_too() -> None:
    note = parse("n.md", b'!!! note "T"\n    Said so[^1], and [^2].\n\n[^1]: By [x](http://x.y/).\n')
    said, by = note.passages
    assert said.text == "Said so, and [^2]."
    assert by.parents == (said.text,)
    assert [link.url for link in note.links] == ["http://x.y/"]


def test_admonitions_in_admonitions_are_read_to_a_depth_and_in_time() -> None:
    text = "".join("    " * depth + "!!! note\n\n" for depth in range(2_000)) + "    " * 2_000 + "[l](u)\n"
    began = time.process_time()
    read(text)
    read("!!! note\n    a\n\n    [l][r]\n\n" * 5_000 + "[r]: http://x.y\n")
    read("!!! note\n" + "\n" * 50_000)
    read("!!! " + "a " * 50_000 + '"')
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("[[Note|a [b] c]]", "a [b] c"),
        ("[[Note|a [b] [c]]]", "a [b] [c]"),
        ("[[Note|[b]]]", "[b]"),
        ("[[Note|x]] [y]] z", "x"),
    ],
)
def test_the_words_of_a_wikilink_may_hold_brackets(text: str, anchor: str) -> None:
    (link,) = read(text).links
    assert (link.href, link.anchor, link.form) == ("Note", anchor, LinkForm.WIKILINK)


@pytest.mark.parametrize("text", ["WWW.X.ORG/a", "a HTTP://x.y/a", "See Www.x.org/a and http://x.y/b."])
def test_bare_addresses_are_found_in_any_case(text: str) -> None:
    assert hrefs(text)


def test_a_title_leaves_out_the_hour_of_a_note_box() -> None:
    note = read("x", "202309011230 On cards.md")
    assert (note.title, str(note.noted)) == ("On cards", "2023-09-01")


@pytest.mark.parametrize(
    "text",
    [
        '!!! tip "see [t]"\n    use [t][r]\n\n[r]: <http://r.r>\n\n```\ncode\n',
        '!!! tip "see"\n    use it\n\n    [r]: <http://r.r>\n\na [x][r]\n\n```\ncode\n',
    ],
)
def test_a_fence_that_nobody_closed_holds_no_definition_of_elsewhere(text: str) -> None:
    assert read(text).passages[-1].text.splitlines()[-1] == "code"
