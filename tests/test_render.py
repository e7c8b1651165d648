"""What a terminal is sent: marks, hyperlinks, and nothing that a note could slip in."""

from __future__ import annotations

import sys
from io import StringIO

import pytest

from kb.cli import render
from kb.model import Hit, NoteKind, Source
from kb.search.rank import marks


class Terminal(StringIO):
    """Standard output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Here:
    def shown(self, path: str) -> str:
        return f"notes/{path}"

    def address(self, path: str, line: int) -> str:
        return f"edit:{path}:{line}"


HIT = Hit(
    path="a\x1b]8;;evil.md",
    line=3,
    text="tuned models \x1b[31mof Llama",
    heading=("Part",),
    parents=(),
    title="T",
    date=None,
    noted=None,
    kind=NoteKind.NOTE,
    tags=(),
    source=Source.NOTE,
    score=1.0,
)


def shown(hit: Hit = HIT, words: tuple[str, ...] = ("tuning",)) -> str:
    return render.hits([hit], Here(), lambda text: marks(text, words), False)


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_on_a_terminal_words_are_bold_in_any_of_their_forms(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_terminal(monkeypatch)
    assert "\x1b[1mtuned\x1b[0m models" in shown()


def test_on_a_terminal_the_place_is_a_hyperlink_that_a_path_cannot_break_out_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_terminal(monkeypatch)
    text = shown()
    assert "\x1b]8;;edit:a ]8;;evil.md:3\x1b\\" in text
    assert text.count("\x1b]8;;") == 2
    assert "\x1b[31m" not in text


def test_a_dumb_terminal_gets_no_hyperlink_and_no_color_no_bold(monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in shown()


def test_a_pipe_gets_plain_text() -> None:
    assert "\x1b" not in shown()


@pytest.mark.parametrize(("columns", "expected"), [("40", 40), ("500", 100), ("x", 100), ("0", 100)])
def test_lines_are_as_wide_as_the_terminal_and_no_wider_than_can_be_read(
    monkeypatch: pytest.MonkeyPatch, columns: str, expected: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert render.width() == expected
