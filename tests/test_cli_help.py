"""Help begins with what people type, and the table of commands tells the truth."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from kb import __version__
from kb.cli import COMMANDS, main


def invoke(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, args)
    return result.exit_code, result.output


def test_help_shows_examples_before_options_and_every_command() -> None:
    status, text = invoke("--help")
    assert status == 0
    assert text.index('kb search "qlora vram"') < text.index("Options:")
    for name, (_, line) in COMMANDS.items():
        assert name in text
        assert line.split()[0] in text


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself_with_an_example(name: str) -> None:
    status, text = invoke(name, "--help")
    assert status == 0
    assert f"kb {name}" in text
    assert len(text.splitlines()) > 8


def test_a_mistyped_command_is_answered_with_the_nearest_one() -> None:
    status, text = invoke("serch", "x")
    assert status == 2
    assert "kb search" in text


def test_a_command_like_nothing_is_answered_with_where_to_look() -> None:
    status, text = invoke("zzzzzz")
    assert status == 2
    assert "kb --help" in text


def test_the_version_is_the_packages() -> None:
    assert invoke("--version") == (0, f"kb {__version__}\n")
