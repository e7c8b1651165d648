from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlite_utils import Database

from kb.errors import StoreError, StoreTooNew
from kb.store import schema, tables
from kb.store.connection import SCHEMA_VERSION
from kb.store.store import Store
from tests.ordinary import as_an_ordinary_user
from tests.store_helpers import note, passage, put


def test_a_new_store_is_made_with_its_folder_and_is_current(tmp_path: Path) -> None:
    path = tmp_path / ".kb" / "kb.sqlite3"
    assert Store.outdated(path)
    schema.ensure(path)
    assert not Store.outdated(path)
    with Store.open(path) as store:
        run = store.connection.execute
        assert run("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert run("PRAGMA journal_mode").fetchone() == ("wal",)
        assert run("PRAGMA foreign_keys").fetchone() == (1,)
        assert run("PRAGMA journal_size_limit").fetchone()[0] > 0
        assert run("PRAGMA integrity_check").fetchone() == ("ok",)


def test_ensuring_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "kb.sqlite3"
    schema.ensure(path)
    with Store.open(path) as store:
        put(store, note("a.md", passage("kept")))
    schema.ensure(path)
    with Store.open(path) as store:
        assert [row.path for row in store.notes()] == ["a.md"]


def test_two_processes_may_make_the_store_at_once(tmp_path: Path) -> None:
    path = tmp_path / "kb.sqlite3"
    code = (
        "import sys; from pathlib import Path; from kb.store import schema; schema.ensure(Path(sys.argv[1]))"
    )
    makers = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(2)]
    assert [maker.wait() for maker in makers] == [0, 0]
    assert not Store.outdated(path)


def test_a_store_of_a_newer_kb_is_refused_and_left_untouched(tmp_path: Path) -> None:
    path = tmp_path / "kb.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.execute("CREATE TABLE later (x)")
    connection.close()
    before = path.read_bytes()
    for refused in (schema.ensure, Store.open, Store.outdated):
        with pytest.raises(StoreTooNew, match="newer kb"):
            refused(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_store_says_how_to_rebuild(tmp_path: Path) -> None:
    path = tmp_path / "kb.sqlite3"
    path.write_bytes(b"this is no database, " * 100)
    with pytest.raises(StoreError, match=r"cannot be read as a store") as caught:
        schema.ensure(path)
    assert "kb sync" in caught.value.hint
    assert path.read_bytes().startswith(b"this is no database")


def test_opening_where_there_is_no_store_says_to_sync(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        Store.open(tmp_path / "kb.sqlite3")
    assert "kb sync" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_opening_and_searching_imports_no_sqlite_utils_and_no_numpy(tmp_path: Path) -> None:
    path = tmp_path / "kb.sqlite3"
    schema.ensure(path)
    code = (
        "import sys; from pathlib import Path; from kb.store.store import Store;"
        "Store.open(Path(sys.argv[1])).keyword('\"x\"');"
        "print([m for m in ('sqlite_utils', 'numpy', 'yaml', 'click') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("killed", [False, True], ids=["after a clean close", "with a log left behind"])
def test_a_read_only_notebook_can_still_be_searched(tmp_path: Path, open_folder: Path, killed: bool) -> None:
    path = tmp_path / "kb" / "kb.sqlite3"
    schema.ensure(path)
    store = Store.open(path)
    put(store, note("a.md", passage("readable")))
    if not killed:
        store.close()
    folder = open_folder / "kb"
    shutil.copytree(path.parent, folder)  # while it is open, it is what a kill would leave
    store.close()
    assert (folder / "kb.sqlite3-wal").exists() == killed
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555)
    try:
        assert as_an_ordinary_user(lambda: _reads(folder / "kb.sqlite3")) == 0
    finally:
        folder.chmod(0o755)


def _reads(path: Path) -> bool:
    if os.access(path, os.W_OK):
        return False
    with Store.open(path) as store:
        found = store.hits([id for id, _ in store.keyword('"readable"')])
        return [hit.text for hit in found.values()] == ["readable"]


def test_a_store_of_the_first_version_is_brought_up_and_its_notes_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "kb.sqlite3"
    connection = sqlite3.connect(path, isolation_level=None)
    schema.migrations.apply(Database(connection), stop_before="0002_saved_pages")
    connection.execute("PRAGMA user_version = 1")
    connection.execute("INSERT INTO meta (name, value) VALUES ('rules', 'those of the time')")
    connection.close()
    assert Store.outdated(path)
    schema.ensure(path)
    with Store.open(path) as store:
        assert store.setting("rules") is None
        put(store, note("a.md", passage("中文的声调")))
        assert [id for id, _ in store.spaceless("声调")] == [1]


def test_a_new_store_has_the_tables_that_all_migrations_come_to(tmp_path: Path) -> None:
    with schema.memory() as fresh:
        new = _tables(fresh.connection)
        assert not schema.migrations.pending(Database(fresh.connection))
    connection = sqlite3.connect(":memory:", isolation_level=None)
    schema.migrations.apply(Database(connection))
    assert new == _tables(connection)
    assert len(new) > 20


def _tables(connection: sqlite3.Connection) -> dict[str, str]:
    """The SQL of each table, index and view, told apart by more than quotes and blanks."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: " ".join(re.findall(r"\w+|'[^']*'|[^\w\s\"]", sql)) for name, sql in rows}


def test_a_store_made_halfway_is_made_whole_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "kb.sqlite3"
    sqlite3.connect(path).execute("PRAGMA journal_mode = WAL").close()  # killed before the first table
    assert Store.outdated(path)
    assert tables.make(path)
    with Store.open(path) as store:
        assert store.notes() == []
