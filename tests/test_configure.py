"""kb config tells what holds and from where, and sets one key without touching another byte."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.configure import assign
from kb.errors import ConfigError
from tests.commands import Run, runner

ODD = (
    '# mine\r\n[notebook]\r\ntitle = "A # B"   # the name\r\n\r\n[links]  # of the web\r\n'
    'ignore = [\r\n  "*://a.*",  # first\r\n]  # all\r\ntimeout=20\r\n'
)


@pytest.fixture
def run(notebook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(capsys, monkeypatch, notebook)


@pytest.mark.parametrize(
    ("name", "value", "old", "new"),
    [
        ("notebook.title", "C", 'title = "A # B"   # the name', 'title = "C"   # the name'),
        ("links.timeout", 30.0, "timeout=20", "timeout = 30"),
        (
            "links.ignore", ("x", "y"), 'ignore = [\r\n  "*://a.*",  # first\r\n]  # all',
            'ignore = ["x", "y"]  # all',
        ),
        ("links.archive", True, "timeout=20\r\n", "timeout=20\r\narchive = true\r\n"),
        ("notebook.notes", "n", "# the name\r\n", '# the name\r\nnotes = "n"\r\n'),
        ("enrich.keep_text", False, "timeout=20\r\n", "timeout=20\r\n\r\n[enrich]\r\nkeep_text = false\r\n"),
        ("links.timeout", None, "timeout=20\r\n", ""),
    ],
)  # fmt: skip
def test_only_the_value_changes(name: str, value: object, old: str, new: str) -> None:
    assert assign(ODD, name, value) == ODD.replace(old, new)


def test_only_a_line_feed_ends_a_line_of_toml() -> None:
    text = "# see\u2028[links]\n[notes]\nday_first = true\n"
    assert assign(text, "links.timeout", 5.0) == text + "\n[links]\ntimeout = 5\n"


@pytest.mark.parametrize(
    "text", ["links.timeout = 3\n", "links = { timeout = 3 }\n", "[links]\ntimeout.x = 3\n", "links = 3\n"]
)
def test_a_file_too_odd_to_change_without_harm_is_left_to_the_person(text: str) -> None:
    with pytest.raises(ConfigError):
        assign(text, "links.timeout", 9.0)


@pytest.mark.parametrize("other", ["\x85", "\u2028", "\u2029"])
def test_what_ends_lines_elsewhere_ends_none_here(other: str) -> None:
    text = f"# a{other}[links]\n[links]\ntimeout = 20 # b{other}archive = true\n"
    assert assign(text, "links.timeout", None) == f"# a{other}[links]\n[links]\n"
    assert assign(text, "links.archive", True) == text + "archive = true\n"


@given(st.text(), st.sampled_from(["", ODD, "[links]", "\n\n[a.b]\nx = 1\n# end"]))
def test_any_text_comes_back_from_the_file_as_it_went_in(value: str, text: str) -> None:
    try:
        changed = assign(text, "notebook.title", value)
    except ConfigError:
        assert any("\ud800" <= char <= "\udfff" for char in value)
        return
    assert tomllib.loads(changed)["notebook"]["title"] == value
    assert assign(changed, "notebook.title", value) == changed


def test_every_key_is_told_with_its_value_and_where_it_comes_from(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_LINKS_TIMEOUT", "7")
    ran = run("--set", "links.per_host=2", "config", "--json")
    assert ran.status == 0
    origins = {one["key"]: (one["value"], one["origin"]) for one in ran.json}
    assert origins["notebook.title"] == ("Test notes", "kb.toml")
    assert origins["links.timeout"] == (7.0, "KB_LINKS_TIMEOUT")
    assert origins["links.per_host"] == (2, "--set")
    assert origins["links.ignore"] == ([], "default")
    assert "links.timeout" in run("config").out


def test_one_key_is_printed_bare_for_scripts(run: Run) -> None:
    assert run("config", "notebook.title").out == "Test notes\n"
    assert run("config", "links.timeout").out == "20\n"
    ran = run("config", "links.timeot")
    assert ran.status == 2
    assert "did you mean links.timeout?" in ran.err


def test_a_notebooks_key_goes_into_kb_toml_and_a_persons_into_their_own_config(
    run: Run, notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    before = (notebook / "kb.toml").read_text()
    assert run("config", "links.ignore", "*://a.*,*://b.*").status == 0
    assert (notebook / "kb.toml").read_text() == before + '\n[links]\nignore = ["*://a.*", "*://b.*"]\n'
    assert run("config", "github.token", "secret").status == 0
    own = tmp_path / "xdg" / "kb" / "config.toml"
    assert own.read_text() == '[github]\ntoken = "secret"\n'
    assert own.stat().st_mode & 0o077 == 0
    assert "secret" not in run("config").out
    assert "secret" not in run("config", "--json").out
    assert run("config", "github.token").out == "secret\n"
    assert run("config", "--unset", "github.token").status == 0
    assert own.read_text() == "[github]\n"


def test_a_value_that_does_not_hold_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_LINKS_TIMEOUT", "7")
    assert "KB_LINKS_TIMEOUT goes before it" in run("config", "links.timeout", "9").err


@pytest.mark.parametrize(
    "args",
    [
        ("links.timeout", "soon"), ("--", "links.timeout", "-1"), ("links.timeout", "inf"), ("no.such", "1"),
        ("links.private_hosts", "perhaps"), ("notebook.notes", "../elsewhere"), ("--unset",),
        ("--unset", "links.timeout", "3"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_hold_is_refused_and_the_file_stays(
    run: Run, notebook: Path, args: tuple[str, ...]
) -> None:
    before = (notebook / "kb.toml").read_bytes()
    ran = run("config", *args)
    assert ran.status == 2
    assert ran.err.startswith("kb: ")
    assert (notebook / "kb.toml").read_bytes() == before


def test_outside_of_a_notebook_a_persons_own_keys_are_still_theirs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    (tmp_path / "empty").mkdir()
    run = runner(capsys, monkeypatch, tmp_path / "empty")
    assert run("config", "editor.command", "nano").status == 0
    assert run("config", "editor.command").out == "nano\n"
    ran = run("config", "links.timeout", "3")
    assert ran.status == 2
    assert "kb init" in ran.err
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_setting_for_one_run_goes_before_all_others(run: Run) -> None:
    ran = run("--set", "links.ignore=*arxiv.org*", "links", "--standing", "ignored", "--json")
    assert [link["host"] for link in ran.json] == ["arxiv.org"]
    assert run("links", "--standing", "ignored", "--json").json == []
    assert run("--set", "links.ignore", "links").status == 2
    assert run("--set", "no.key=1", "links").status == 2


def test_a_folder_that_is_no_notebook_is_not_made_one_by_a_setting(run: Run, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for args in (["config"], ["config", "links.timeout"], ["config", "links.timeout", "3"]):
        ran = run("--root", str(tmp_path / "other"), *args)
        assert ran.status == 2
        assert "kb init" in ran.err
    assert list((tmp_path / "other").iterdir()) == []


def test_a_guard_is_loosened_for_the_notebook_in_which_it_is_said_alone(
    run: Run,
    notebook: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    own = tmp_path / "xdg" / "kb" / "config.toml"
    own.parent.mkdir(parents=True)
    own.write_text('[github]\ntoken = "secret"\n')
    before = (notebook / "kb.toml").read_text()
    assert run("config", "links.private_hosts", "check").err == f"set in {own}\n"
    assert run("config", "site.trust_html", "true").status == 0
    table = f'[notebooks."{notebook}".'
    links, site = f'{table}links]\nprivate_hosts = "check"\n', f"{table}site]\ntrust_html = true\n"
    assert own.read_text() == f'[github]\ntoken = "secret"\n\n{links}\n{site}'
    assert (notebook / "kb.toml").read_text() == before
    assert "for this notebook" in run("config", "links.private_hosts").err
    (tmp_path / "other").mkdir()
    (tmp_path / "other/kb.toml").write_text("")
    assert runner(capsys, monkeypatch, tmp_path / "other")("config", "links.private_hosts").out == "skip\n"
    assert run("config", "links.private_hosts", "skip").status == 0
    assert own.read_text().count("private_hosts") == 1
    assert run("config", "--unset", "links.private_hosts").status == 0
    assert "private_hosts" not in own.read_text()


def test_a_notebook_that_would_loosen_a_guard_says_what_to_type(run: Run, notebook: Path) -> None:
    with (notebook / "kb.toml").open("a") as file:
        file.write("[site]\ntrust_html = true\n")
    ran = run("search", "llama")
    assert ran.status == 2
    assert "site.trust_html may not be set by a notebook" in ran.err
    assert "kb config site.trust_html true" in ran.err
    assert "kb config --unset site.trust_html" in ran.err


@pytest.mark.parametrize(
    ("typed", "holds"),
    [(["site.trust_html", "true"], "true"), (["--unset", "site.trust_html"], "false")],
    ids=["trusted", "taken out"],
)
def test_what_then_is_typed_takes_the_line_out_of_the_notebook(
    typed: list[str],
    holds: str,
    run: Run,
    notebook: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    path = notebook / "kb.toml"
    before = path.read_text()
    path.write_text(before + "[site]\nsemantic_search = false\ntrust_html = true\n")
    ran = run("config", *typed)
    assert ran.status == 0
    assert (f"taken out of {path}" in ran.err) == (holds == "false")
    assert ("taken out of kb.toml, where it may no longer stand" in ran.err) == (holds == "true")
    assert path.read_text() == before + "[site]\nsemantic_search = false\n"
    assert run("config", "site.trust_html").out == f"{holds}\n"
