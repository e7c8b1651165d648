"""Settings: each key in its scope, each value with its origin, each mistake with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb import config
from kb.errors import ConfigError, NotebookNotFound


def write(root: Path, text: str) -> Path:
    (root / "kb.toml").write_text(text)
    return root


def environ(tmp_path: Path, **variables: str) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "xdg"), **variables}


def personal(tmp_path: Path, text: str) -> None:
    path = tmp_path / "xdg" / "kb" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    settings = config.load(write(tmp_path, ""), environ(tmp_path))
    assert settings["notebook.notes"] == "notes"
    assert settings.origin("notebook.notes") == "default"
    assert settings.notes == tmp_path / "notes"


def test_the_environment_wins_over_kb_toml_and_that_over_the_persons_config(tmp_path: Path) -> None:
    personal(tmp_path, "[links]\ntimeout = 1\nconcurrency = 1\nper_host = 1\n")
    write(tmp_path, "[links]\ntimeout = 2\nconcurrency = 2\n")
    settings = config.load(tmp_path, environ(tmp_path, KB_LINKS_TIMEOUT="3"))
    assert [settings[f"links.{name}"] for name in ("timeout", "concurrency", "per_host")] == [3.0, 2, 1]
    assert settings.origin("links.timeout") == "KB_LINKS_TIMEOUT"
    assert settings.origin("links.concurrency") == "kb.toml"
    assert settings.origin("links.per_host").endswith("config.toml")


@pytest.mark.parametrize(
    "key", [key for key in config.KEYS if key.scope is config.Scope.PERSON], ids=lambda key: key.name
)
def test_a_notebook_cannot_set_what_runs_a_program_or_is_a_secret(key: config.Key, tmp_path: Path) -> None:
    table, _, name = key.name.partition(".")
    write(tmp_path, f'[{table}]\n{name} = "touch /tmp/owned"\n')
    with pytest.raises(ConfigError, match=key.name) as caught:
        config.load(tmp_path, environ(tmp_path))
    assert key.variable in caught.value.hint
    (tmp_path / "kb.toml").write_text("")
    assert config.load(tmp_path, environ(tmp_path, **{key.variable: "mine"}))[key.name] == "mine"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[links]\ntimeuot = 3\n", "timeuot"),
        ("[links]\ntimeout = 'soon'\n", "a number above zero"),
        ("[links]\ntimeout = 0\n", "a number above zero"),
        ("[links]\nconcurrency = 1.5\n", "a number above zero"),
        ("[links]\narchive = 'maybe'\n", "true or false"),
        ("[links]\nignore = [1]\n", "a list of strings"),
        ("[notes]\nday_first = 'yes'\n", "true or false"),
        ("[links\n", "kb.toml"),
        ("[notebook]\nnotes = '../elsewhere'\n", "outside"),
        ("[notebook]\nnotes = '/etc'\n", "outside"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_what_to_write(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(write(tmp_path, text), environ(tmp_path))
    assert words in str(caught.value)
    assert "kb.toml" in str(caught.value)
    assert caught.value.hint


def test_a_mistyped_key_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(write(tmp_path, "[links]\ntimeuot = 3\n"), environ(tmp_path))
    assert "links.timeout" in caught.value.hint


def test_a_file_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    (tmp_path / "kb.toml").write_bytes(b'[notebook]\ntitle = "caf\xe9"\n')
    with pytest.raises(ConfigError, match=r"kb\.toml"):
        config.load(tmp_path, environ(tmp_path))


def test_a_key_without_its_table_is_answered_with_the_table(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(write(tmp_path, 'notes = "x"\n'), environ(tmp_path))
    assert "notebook.notes" in caught.value.hint


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "kb.toml").write_bytes(b'\xef\xbb\xbf[notebook]\ntitle = "Mine"\n')
    assert config.load(tmp_path, environ(tmp_path))["notebook.title"] == "Mine"


def test_a_notes_folder_that_leads_out_of_the_notebook_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").mkdir()
    (root / "notes").symlink_to(tmp_path / "outside")
    with pytest.raises(ConfigError, match="outside"):
        config.load(write(root, ""), environ(tmp_path))


def test_the_nearest_folder_upward_is_the_notebook(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    with pytest.raises(NotebookNotFound) as caught:
        config.find_root(deep)
    assert "kb init" in caught.value.hint
    write(tmp_path, "")
    assert config.find_root(deep) == tmp_path
    write(tmp_path / "a", "")
    assert config.find_root(deep) == tmp_path / "a"


def test_every_key_has_a_meaning_and_a_default_of_its_type() -> None:
    for key in config.KEYS:
        assert key.help
        assert isinstance(key.default, bool | int | float | str | tuple)


LOOSE = {"links.private_hosts": "check", "site.trust_html": True}


@pytest.mark.parametrize("name", LOOSE)
def test_a_notebook_cannot_loosen_what_guards_against_it(name: str, tmp_path: Path) -> None:
    table, _, leaf = name.partition(".")
    line = f"[{table}]\n{leaf} = {str(LOOSE[name]).lower() if LOOSE[name] is True else repr(LOOSE[name])}\n"
    with pytest.raises(ConfigError, match="may not be set by a notebook") as caught:
        config.load(write(tmp_path, line), environ(tmp_path))
    assert f"kb config {name} " in caught.value.hint
    write(tmp_path, "")
    assert config.load(tmp_path, environ(tmp_path))[name] == config.known(name).default
    personal(tmp_path, line)
    assert config.load(tmp_path, environ(tmp_path))[name] == LOOSE[name]


def test_every_key_that_loosens_a_guard_is_the_persons() -> None:
    assert {key.name for key in config.KEYS if key.scope is config.Scope.TRUST} == set(LOOSE)


def test_a_person_trusts_one_notebook_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    mine, other = tmp_path / "mine", tmp_path / "other"
    for root in (mine, other):
        root.mkdir()
        write(root, "")
    personal(tmp_path, '[notebooks."~/mine".links]\nprivate_hosts = "check"\n')
    settings = config.load(mine, environ(tmp_path))
    assert settings["links.private_hosts"] == "check"
    assert settings.origin("links.private_hosts").endswith("config.toml, for this notebook")
    assert config.load(other, environ(tmp_path))["links.private_hosts"] == "skip"


@pytest.mark.parametrize(
    "text",
    ['notebooks = "x"\n', "[notebooks]\nlinks = 3\n", '[notebooks."~/n".links]\ntimeout = 3\n',
     '[notebooks."~/n".editor]\ncommand = "x"\n'],
)  # fmt: skip
def test_what_is_said_of_one_notebook_is_what_may_be_said_of_one(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "n").mkdir()
    personal(tmp_path, text)
    with pytest.raises(ConfigError, match=r"config\.toml") as caught:
        config.load(write(tmp_path / "n", ""), environ(tmp_path))
    assert caught.value.hint


@pytest.mark.parametrize("variables", [{"XDG_CONFIG_HOME": "x"}, {"HOME": ""}, {"HOME": "x"}, {}])
def test_the_persons_config_never_lies_in_the_folder_one_is_in(variables: dict[str, str]) -> None:
    assert config.personal_config(variables).is_absolute()
    assert config.personal_config({"HOME": "/h", **variables, "XDG_CONFIG_HOME": "/x"}) == Path(
        "/x/kb/config.toml"
    )


def test_a_config_that_is_a_folder_is_not_called_a_wrong_line(tmp_path: Path) -> None:
    (tmp_path / "xdg/kb/config.toml").mkdir(parents=True)
    root = tmp_path / "n"
    root.mkdir()
    (root / "kb.toml").write_text("")
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        config.load(root, environ={"XDG_CONFIG_HOME": str(tmp_path / "xdg")})
    assert caught.value.hint == ""
