"""A search's arguments mean the same, whether click reads them or the short way does."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import cli
from kb.cli import quick
from kb.cli.search import command

WORDS = [
    "qlora", "vram", "a b", "", "-anyscale", "-70b", "-n", "-n3", "-h", "-", "--", "-_x", "kind:paper", "5",
    "0", "1000", "1001", "+5", "2023-09", "paper", "repo", "dead", "hybrid", "keyword", "notes", "pages",
    "--mode", "--limit", "--in", "--since", "--until", "--kind", "--tag", "--host", "--standing", "--note",
    "--explain", "--json", "--mode=keyword", "--mode=sideways", "--kind=paper", "--tag=a=b", "--tag=",
    "--limit=7", "--explain=1", "--nonsense", "-q", "-nx", "-\u00b2",
]  # fmt: skip


def of_click(args: list[str]) -> dict[str, object] | None:
    try:
        return command.make_context("search", list(args)).params
    except (click.ClickException, click.exceptions.Exit):
        return None


@given(st.lists(st.sampled_from(WORDS), max_size=6))
def test_what_the_short_way_understands_click_understands_alike(args: list[str]) -> None:
    found = quick.parse(["search", *args])
    if found is not None:
        del found["session"]
        assert found == of_click(args)


@pytest.mark.parametrize(
    "args",
    [
        ["qlora vram"],
        ["qlora", "-n", "3", "--explain"],
        ["rag -anyscale kind:hn-thread", "--json"],
        ["rag", "-anyscale", "--mode", "keyword", "--since=2023", "--tag", "a", "--tag", "b"],
        ["x", "--in", "pages", "--kind", "paper", "--host", "arxiv.org", "--standing", "dead", "--note", "p"],
    ],
)
def test_what_people_type_needs_no_click(args: list[str]) -> None:
    found = quick.parse(["search", *args])
    assert found is not None
    del found["session"]
    assert found == of_click(args)


def test_options_before_the_command_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_ROOT", "from-environment")
    plain = quick.parse(["search", "x"])
    assert plain is not None
    assert (plain["session"].root, plain["session"].quiet) == ("from-environment", False)
    said = quick.parse(["-q", "--root", "there", "search", "x"])
    assert said is not None
    assert (said["session"].root, said["session"].quiet) == ("there", True)


@pytest.mark.parametrize("args", [[], ["links"], ["--help", "search"], ["--root"], ["search", "x", "--help"]])
def test_what_is_no_plain_search_is_left_to_click(args: list[str]) -> None:
    assert quick.parse(args) is None


def test_a_wrong_value_is_answered_by_click(capfd: pytest.CaptureFixture[str], notebook: Path) -> None:
    assert cli.invoke(["--root", str(notebook), "search", "x", "--mode", "sideways"]) == 2
    assert "'sideways' is not one of" in capfd.readouterr().err
    assert cli.invoke(["--root", str(notebook), "search"]) == 2
    assert cli.invoke(["search", "--help"]) == 0
    assert "find" in capfd.readouterr().out.lower()
