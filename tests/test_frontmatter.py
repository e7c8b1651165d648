from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.model import NoteKind, Problem, Severity
from kb.notes import frontmatter
from kb.notes.parse import parse


def front(text: str) -> frontmatter.FrontMatter:
    return frontmatter.read("n.md", text.encode())


def faults(text: str) -> list[tuple[int, str]]:
    return [(one.line, one.message) for one in front(text).problems]


def problem(text: str) -> Problem:
    (found,) = parse("n.md", text.encode()).problems
    return found


def test_plain_values_are_read_with_their_lines() -> None:
    found = front("---\ntitle: A b\ntags: [a, 'b c']\nnested:\n  x: 1\ndraft: true\nnone:\n---\nbody\n")
    assert found.values == {
        "title": "A b",
        "tags": ["a", "b c"],
        "nested": {"x": 1},
        "draft": True,
        "none": None,
    }
    assert found.lines == {"title": 2, "tags": 3, "nested": 4, "draft": 6, "none": 7}


def test_words_that_yaml_turns_into_something_else_stay_words() -> None:
    found = front("---\na: no\nb: 1:30\nc: 2024-02-30\nd: 012\ne: 0x10\nf: on\n---\n")
    assert found.values == {"a": "no", "b": "1:30", "c": "2024-02-30", "d": "012", "e": "0x10", "f": "on"}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("---\ntitle: a\ntitle: b\n---\n", 3, "twice"),
        ("---\ntitle: a: b\n---\n", 2, "cannot be read"),
        ("---\na: 1\nb: [1, 2\n---\n", 4, "cannot be read"),
        ("---\n\ta: 1\n---\n", 2, "cannot be read"),
        ("---\na: &x 1\nb: *x\n---\n", 2, "anchors"),
        ("---\na: *x\n---\n", 2, "aliases"),
        ("---\na: 1\nb: !!python/object:os.system x\n---\n", 3, "tag"),
        ("---\n? [a]\n: b\n---\n", 2, "key"),
        ("---\n- a\n---\n", 2, "list"),
        ("---\ntitle: a\n", 1, "no end"),
        ("---\na: " + "[" * 40 + "]" * 40 + "\n---\n", 2, "deeper"),
        ("---\na: " + "[" * 9000 + "\n---\n", 2, ""),
        ("---\na: " + "{b: " * 3000 + "\n---\n", 2, ""),
        ("---\n" + "- " * 7000 + "\n---\n", 2, ""),
        ("---\na: " + "x" * 20_000 + "\n---\n", 1, "16,384"),
    ],
)
def test_a_fault_is_said_with_its_line_and_the_body_still_counts(text: str, line: int, words: str) -> None:
    note = parse("n.md", (text + "[a](http://x.y)\n").encode())
    assert [link.href for link in note.links] == ["http://x.y"]
    (one,) = note.problems
    assert (one.path, one.line, one.severity) == ("n.md", line, Severity.ERROR)
    assert words in one.message


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ("---\na: 1\ndate: 2024-02-30\n---\n", "2024-02-30", "2023-09-01"),
        ("---\na: 1\nkind: tutorail\n---\n", "tutorail", "tutorial"),
        ("---\na: 1\nkind: xyzzy\n---\n", "xyzzy", "paper"),
        ("---\na: 1\ntags: {a: b}\n---\n", "list", "[one, two]"),
        ("---\na: 1\ntitle: [a]\n---\n", "text", "quote"),
    ],
)
def test_a_value_that_means_nothing_is_said_and_left_out(text: str, words: str, hint: str) -> None:
    one = problem(text)
    assert (one.line, one.severity) == (3, Severity.WARNING)
    assert words in one.message
    assert hint in one.hint


def test_a_rule_at_the_top_is_no_front_matter() -> None:
    assert faults("---\n\ntext\n") == []
    assert front("--- \na: 1\n... \nbody").body == 15
    assert front("a\n---\nb: c\n---\n").body == 0


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_line_end_closes_it(newline: str) -> None:
    note = parse("n.md", newline.join(["---", "title: T", "---", "x"]).encode())
    assert (note.title, note.passages[0].line) == ("T", 4)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("[a, b]", ("a", "b")),
        ("a b", ("a", "b")),
        ("a b, c", ("a b", "c")),
        ("['#x', 7, x, '']", ("x", "7")),
        ("", ()),
    ],
)
def test_tags_are_read_as_jekyll_and_obsidian_write_them(tags: str, expected: tuple[str, ...]) -> None:
    assert parse("n.md", f"---\ntags: {tags}\n---\n".encode()).tags == expected


def test_what_a_note_says_of_itself() -> None:
    text = (
        "---\ntitle: T\naliases: [A, B]\ndescription: D\nkind: paper\ndate: 2023-09\n"
        "private: true\npublished: false\n---\n"
    )
    note = parse("n.md", text.encode())
    assert (note.title, note.aliases, note.description, note.kind) == ("T", ("A", "B"), "D", NoteKind.PAPER)
    assert (str(note.noted), note.private, note.draft) == ("2023-09", True, True)
    assert note.problems == ()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_raising(data: bytes) -> None:
    for text in (data, b"---\n" + data, b"---\n" + data + b"\n---\n"):
        frontmatter.read("n.md", text)


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=4))
def test_what_is_rendered_reads_back_the_same_here_and_in_any_yaml(title: str, tags: list[str]) -> None:
    try:
        title.encode()
        "".join(tags).encode()
    except UnicodeEncodeError:
        return
    text = frontmatter.render({"title": title, "tags": tags, "date": "2023-09-01"})
    assert yaml.safe_load(text.removeprefix("---\n").removesuffix("---\n"))["title"] == title
    found = front(text)
    assert found.problems == []
    assert (found.values["title"], found.values["tags"]) == (title, tags)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *("title", "date", "true", "a-b", "n", "x y", "x, y", "it's", "null", "True", "1:30"),
                *("2023-09-01", "0", "12", ":", ": ", " ", "  ", "[", "]", ", ", ",", "'", "-", " - ", "#"),
                *("?", "&", "!", "(", "/", "\n", "\r\n", "\r", "\t", "\x85", "\u2028", "\ufeff", "..."),
                *("é", "\u0663", " #", "~", "_", "0x1f", "1e3"),
            ]
        ),
        max_size=14,
    ).map("".join)
)  # fmt: skip
def test_plain_lines_mean_what_the_parser_says(text: str) -> None:
    plain = frontmatter._plain(text)
    if plain is not None:
        reader = frontmatter._Reader("n.md")
        assert (reader.document(text), reader.lines) == plain
        assert not reader.problems


def test_plain_lines_are_told() -> None:
    text = "title: It's a title, (really)\ndate: 2023-09-01\n\ntags: [one, two words]\r\ndraft: true\n"
    values = {
        "title": "It's a title, (really)",
        "date": "2023-09-01",
        "tags": ["one", "two words"],
        "draft": True,
    }
    assert frontmatter._plain(text) == (values, {"title": 2, "date": 3, "tags": 5, "draft": 6})


HUGO = (
    '+++\ntitle = "A b"\ndate = 2023-09-01T10:00:00+02:00\ndraft = true\ntags = ["one", "two"]\n'
    "aliases = ['/old/']\n[params]\nx = 1\n+++\nSee [a](http://x.y).\n"
)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_toml_between_plus_signs_is_front_matter(end: str, mark: str) -> None:
    data = (mark + HUGO).replace("\n", end).encode()
    note = parse("n.md", data)
    assert (note.title, str(note.noted), note.draft) == ("A b", "2023-09-01", True)
    assert (note.tags, note.aliases, note.problems) == (("one", "two"), ("/old/",), ())
    (link,) = note.links
    assert (link.line, data[link.span.start : link.span.end]) == (10, b"http://x.y")
    assert [passage.text for passage in note.passages] == ["See a."]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("title = A b\n", 2),
        ("a = 1\na = 2\n", 3),
        ("a = 2023-02-30\n", 2),
        ("a = " + "[" * 3000 + "\n", 2),
        ("a = 'x\n", 2),
        ("# " + "x" * 20_000 + "\n", 1),
    ],
)
def test_toml_that_cannot_be_read_is_said_and_the_body_counts(text: str, line: int) -> None:
    note = parse("n.md", f"+++\n{text}+++\n[a](http://x.y)\n".encode())
    assert [(one.line, one.severity) for one in note.problems] == [(line, Severity.ERROR)]
    assert [link.url for link in note.links] == ["http://x.y"]


def test_a_slip_in_toml_does_not_publish_a_draft() -> None:
    assert parse("n.md", b"+++\ntitle = A\ndraft = true\n+++\nx\n").draft
    assert parse("n.md", b"+++\nprivate = 'yes'\n+++\nx\n").private
    assert parse("n.md", b"+++\ndraft = true\nnever closed\n").draft


def test_plus_signs_that_open_nothing_are_text() -> None:
    note = parse("n.md", b"+++\nhello\n")
    assert not note.problems
    assert "hello" in note.passages[0].text


def test_taxonomies_name_the_tags() -> None:
    assert parse("n.md", b"+++\n[taxonomies]\ntags = ['a']\n+++\nx\n").tags == ("a",)


@given(st.text(alphabet="ab=[]{}'\"#.,0123\n \t-:", max_size=80))
def test_any_toml_is_read_or_said(text: str) -> None:
    frontmatter.read("n.md", f"+++\n{text}\n+++\n".encode())
