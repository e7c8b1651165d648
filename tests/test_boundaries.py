"""A notebook may be a stranger's clone: what it may not do to the person who opens it."""

from __future__ import annotations

import ast
import os
import sqlite3
import stat
import time
from pathlib import Path

import pytest
from mkdocs.exceptions import Abort

from kb.errors import ConfigError, KbError, ModelError, StoreTooNew, UsageError
from kb.knowledge import KnowledgeBase
from kb.model import Saved
from kb.pages.tame import tamed
from kb.search.choose import choose
from kb.search.encode import Encoder
from kb.search.weights import weights_sha256
from kb.store import saved, schema
from kb.store.connection import SCHEMA_VERSION
from kb.web.ignore import with_ignored
from tests.commands import Run, runner
from tests.notebook import write_notebook
from tests.site_build import build, write_mkdocs_yml
from tests.store_helpers import note, passage, put

PACKAGE = Path(__file__).parent.parent / "kb"
SECRET = "outside, and nobody's business"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.md").write_text(SECRET)
    return folder


@pytest.fixture
def run(notebook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(capsys, monkeypatch, notebook)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# -- links that lead out ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", [".kb", "saved", "saved.private"])
def test_a_folder_of_kbs_own_that_leads_out_is_refused(
    name: str, notebook: Path, outside: Path, run: Run
) -> None:
    (notebook / name).symlink_to(outside)
    before = snapshot(outside)
    done = run("sync")
    assert done.status == 2
    assert "outside of the notebook" in done.err
    assert snapshot(outside) == before


@pytest.mark.parametrize(
    "name",
    ["links.jsonl", "links.private.jsonl", ".kb/kb.sqlite3", ".kb/lock", ".kb/notes.lock", ".kb/models.json"],
)
@pytest.mark.parametrize("exists", [True, False], ids=["to a file", "to none"])
def test_a_file_of_kbs_own_that_leads_out_is_refused(
    name: str, exists: bool, notebook: Path, outside: Path, run: Run
) -> None:
    target = outside / "theirs"
    if exists:
        target.write_bytes(b"")
    (notebook / ".kb").mkdir()
    (notebook / name).symlink_to(target)
    before = snapshot(outside)
    for command in (["sync"], ["links"], ["search", "--mode", "keyword", "rant"]):
        done = run(*command)
        assert done.status == 2
        assert "outside of the notebook" in done.err
    assert snapshot(outside) == before
    assert target.exists() == exists


def test_a_ledger_that_is_a_pipe_is_refused_and_not_waited_for(notebook: Path, run: Run) -> None:
    os.mkfifo(notebook / "links.jsonl")
    done = run("sync")
    assert done.status == 2
    assert "no regular file" in done.err


def test_a_saved_page_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / saved.file_name("k"))
    assert saved.find((tmp_path,), "k") is None


def test_a_ledger_kept_elsewhere_in_the_notebook_is_followed(notebook: Path, run: Run) -> None:
    (notebook / "kept").mkdir()
    (notebook / "links.jsonl").symlink_to("kept/links.jsonl")
    assert run("links", "--ignore", "https://blog.example/form-not-facts").status == 0
    assert "form-not-facts" in (notebook / "kept/links.jsonl").read_text()


def test_a_folder_of_notes_that_leads_out_gets_no_note(notebook: Path, outside: Path, run: Run) -> None:
    year = time.strftime("%Y")
    (notebook / "notes" / year).symlink_to(outside)
    before = snapshot(outside)
    assert run("new", "A thought", "--no-edit").status == 2
    assert run("add-link", "http://127.0.0.1:9/none").status == 2
    assert snapshot(outside) == before


def test_a_row_of_a_strangers_store_publishes_nothing_from_outside(
    notebook: Path, outside: Path, tmp_path: Path
) -> None:
    with KnowledgeBase.open(notebook) as base:
        base.sync(embed=False)
        put(base.store, note("../../outside/secret.md", passage("theirs")))
        site = base.publish()
    assert not any(SECRET in page.markdown for page in site.pages)


def test_a_picture_that_leads_out_is_not_published(notebook: Path, outside: Path, run: Run) -> None:
    (notebook / "notes/key.png").symlink_to(outside / "secret.md")
    (notebook / "notes/papers/qlora.md").write_text("![](../key.png)\n")
    assert run("site", "out").status == 0
    assert not any(SECRET.encode() in data for data in snapshot(notebook / "out").values())


def test_the_pages_of_a_site_are_not_written_through_a_link(notebook: Path, outside: Path, run: Run) -> None:
    assert run("site", "out").status == 0
    (notebook / "out/papers/qlora.md").unlink()
    (notebook / "out/papers").rmdir()
    (notebook / "out/papers").symlink_to(outside)
    before = snapshot(outside)
    done = run("site", "out")
    assert done.status == 2
    assert "leads elsewhere" in done.err
    assert snapshot(outside) == before


def test_what_the_last_site_listed_is_not_deleted_through_a_link(
    notebook: Path, outside: Path, run: Run
) -> None:
    assert run("site", "out").status == 0
    (notebook / "out/gone").symlink_to(outside)
    (notebook / "out/.kb-site.json").write_text('["gone/secret.md"]')
    assert run("site", "out").status == 2
    assert (outside / "secret.md").exists()


# -- programs, models, patterns --------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["./evil", "../evil", "/evil", "evil/deeper/still", "ev il", "", "-x", "a\n"]
)
def test_a_notebook_cannot_name_a_model_by_its_place(name: str, notebook: Path) -> None:
    (notebook / "kb.toml").write_text(f"[search]\nmodel = {name!r}\n".replace("'", '"'))
    with pytest.raises(ConfigError, match=r"search\.model"):
        KnowledgeBase.open(notebook)


def test_a_model_whose_name_is_a_folder_here_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner/model").mkdir(parents=True)

    def load(*_: object) -> Encoder:
        raise AssertionError("loaded")

    for name in ("owner", "owner/model"):
        with pytest.raises(ModelError, match="from a place that a notebook names"):
            choose(name, "", tmp_path / "models.json", load, embedding=True)


def test_weights_that_are_a_pickle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match="pickle"):
        weights_sha256(tmp_path)
    (tmp_path / "pytorch_model.bin").unlink()
    (tmp_path / "model.safetensors").write_bytes(b"x")
    (tmp_path / "2_Dense").mkdir()
    (tmp_path / "2_Dense/pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match="pickle"):
        weights_sha256(tmp_path)


def test_no_code_of_ours_unpickles_evaluates_or_calls_a_shell() -> None:
    banned = {
        "pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "eval", "exec", "system", "popen",
        "unsafe_load", "full_load",
    }  # fmt: skip
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name.split(".")[0] for alias in node.names}
                names |= {str(getattr(node, "module", "")).split(".")[0]}
                assert not names & banned, f"{path}: imports {names & banned}"
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                owner = getattr(getattr(node.func, "value", None), "id", "") not in ("", "os", "yaml")
                # Our own dataclasses are made of source that is put together from their fields' names.
                if not owner and (path.name, name) != ("values.py", "exec"):
                    assert name not in banned, f"{path}:{node.lineno}: calls {name}"
                for word in node.keywords:
                    risky = word.arg in ("shell", "trust_remote_code", "allow_pickle")
                    on = not (isinstance(word.value, ast.Constant) and word.value.value is False)
                    assert not (risky and on), f"{path}:{node.lineno}: {word.arg}"


def test_a_pattern_of_a_stranger_takes_no_longer_than_its_length(notebook: Path) -> None:
    (notebook / "notes/long.md").write_text(f"* http://x.example/{'a' * 400}!\n")
    patterns = ["*".join("a" * 30) + "b", "?" * 50 + "*a" * 30 + "c"]
    with KnowledgeBase.open(notebook) as base:
        records = base.links()
    began = time.process_time()
    with_ignored(records, patterns)
    # Going back, the first of these takes longer than anybody lives.
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("https://blog.example/*", True),
        ("*form-not-facts", True),
        ("https://*/form*facts", True),
        ("*o*o*", True),
        ("**blog**", True),
        ("https://blog.example/form-not-fact?", True),
        ("https://blog.example/form", False),
        ("*facts*x", False),
        ("*example*blog*", False),
        ("", False),
    ],
)
def test_a_pattern_means_the_whole_address(pattern: str, matches: bool, notebook: Path) -> None:
    with KnowledgeBase.open(notebook) as base:
        (record,) = [one for one in base.links() if one.url == "https://blog.example/form-not-facts"]
    assert with_ignored([record], [pattern])[0].person.ignored is matches


# -- modes -----------------------------------------------------------------------------------------


def test_everything_that_is_written_is_readable_only_as_the_umask_says(notebook: Path, run: Run) -> None:
    old = os.umask(0o077)
    try:
        assert run("sync").status == 0
        assert run("links", "--alive", "https://blog.example/form-not-facts").status == 0
        assert run("new", "Mine", "--no-edit").status == 0
        page = Saved(key="k", url="https://k.example/", title="K", fetched="2026-01-01", text="t")
        saved.write(notebook / "saved", page)
        assert run("site", "out").status == 0
    finally:
        os.umask(old)
    fresh = [*(notebook / ".kb").iterdir(), *notebook.glob("links*.jsonl"), *(notebook / "saved").iterdir()]
    fresh += [*(notebook / "out").rglob("*.md"), *notebook.glob("notes/20[2-9][0-9]/*.md")]
    assert len(fresh) > 10
    open_to_others = [
        path.name for path in fresh if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    assert open_to_others == []


# -- stores of other versions ----------------------------------------------------------------------


def test_a_store_of_an_older_kb_is_copied_before_it_is_brought_up(tmp_path: Path) -> None:
    path = tmp_path / "kb.sqlite3"
    schema.ensure(path)
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO meta (name, value) VALUES ('kept', 'yes')")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION - 1}")
    connection.close()
    (tmp_path / "kb.sqlite3.schema-1").write_bytes(b"of the time before")
    schema.ensure(path)
    copy = tmp_path / f"kb.sqlite3.schema-{SCHEMA_VERSION - 1}"
    with sqlite3.connect(copy) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION - 1,)
        assert old.execute("SELECT value FROM meta WHERE name = 'kept'").fetchone() == ("yes",)
        assert old.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    old.close()
    assert sorted(one.name for one in tmp_path.iterdir() if "schema" in one.name) == [copy.name]


@pytest.mark.parametrize("command", [["links", "--json"], ["search", "qlora", "--mode", "keyword"]])
def test_that_a_store_was_brought_up_is_told_once_with_the_name_of_its_copy(
    command: list[str], notebook: Path, run: Run
) -> None:
    assert run("sync").status == 0
    with sqlite3.connect(notebook / ".kb" / "kb.sqlite3") as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION - 1}")
        connection.execute("ALTER TABLE mentions DROP COLUMN meant")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = '0004_meant'")
    connection.close()
    copy = f".kb/kb.sqlite3.schema-{SCHEMA_VERSION - 1}"
    told = f"an older kb made the store: it was brought up, and {copy} is as it was\n"
    done = run(*command)
    assert (done.status, done.err) == (0, told)
    assert (notebook / copy).is_file()
    assert told not in run(*command).err


def test_a_store_that_cannot_be_copied_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kb.sqlite3"
    schema.ensure(path)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION - 1}")
    connection.close()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(KbError, match="could not be copied"):
        schema.ensure(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION - 1,)
    connection.close()
    assert not list(tmp_path.glob(".kb-*"))


def test_a_store_whose_tables_are_not_those_of_its_version_is_left_and_says_what_mends_it(
    notebook: Path, run: Run
) -> None:
    assert run("sync").status == 0
    with sqlite3.connect(notebook / ".kb/kb.sqlite3") as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION - 1}")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name >= '0003'")
    connection.close()
    done = run("search", "qlora")
    assert done.status == 2
    assert "cannot be brought to this version (table frequencies already exists)" in done.err
    assert "delete the .kb folder and run `kb sync`" in done.err
    with sqlite3.connect(notebook / ".kb/kb.sqlite3") as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION - 1,)
    connection.close()


def test_no_command_touches_a_store_of_a_newer_kb(notebook: Path, run: Run) -> None:
    assert run("sync").status == 0
    with sqlite3.connect(notebook / ".kb/kb.sqlite3") as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    before = (notebook / ".kb/kb.sqlite3").read_bytes()
    for command in (["sync"], ["search", "x"], ["links"], ["glossary"], ["export", "jsonl"], ["site", "out"]):
        done = run(*command)
        assert done.status == 2
        assert "newer kb" in done.err
    assert (notebook / ".kb/kb.sqlite3").read_bytes() == before
    with pytest.raises(StoreTooNew):
        KnowledgeBase.open(notebook).links()


def test_a_site_is_not_written_where_the_folder_is_a_strangers(notebook: Path, outside: Path) -> None:
    with KnowledgeBase.open(notebook) as base, pytest.raises(UsageError, match="did not write"):
        base.write_site(str(outside))


def test_brackets_that_are_never_closed_do_not_hold_up_a_site() -> None:
    few = "[a](b) [[c]] [\n\n* [d][e]\n" * 20
    assert tamed(few) == few
    links = "[a](http://x.example/) " * 5_000
    assert tamed(links) == links
    many = tamed(f"before [a](b)\n\n{'[' * 50_000}\n\nafter [c](d)\n")
    assert many == f"before [a](b)\n\n{'&#91;' * 50_000}\n\nafter [c](d)\n"


def test_a_pipe_among_the_notes_does_not_end_the_build_of_a_site(tmp_path: Path) -> None:
    root = write_notebook(tmp_path / "n", {"a.md": "# A\n\n![](pipe.png)\n"})
    write_mkdocs_yml(root)
    os.mkfifo(root / "notes/pipe.png")
    site = build(root)
    assert (site / "a/index.html").is_file()
    assert not (site / "pipe.png").exists()


def test_a_note_that_is_named_as_a_file_of_the_site_does_not_end_its_build(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write_notebook(tmp_path / "n", {"assets/kb/kb.css.md": "# In the way\n", "a.md": "# A\n"})
    write_mkdocs_yml(root)
    with pytest.raises(Abort, match="1 warnings in strict mode"):
        build(root)
    assert (root / "site/a/index.html").is_file()
    assert (root / "site/assets/kb/kb.css").is_file()
    assert "assets/kb/kb.css.md: left out" in caplog.text
