"""How the store is opened and written to: stdlib sqlite3 alone, so that a search starts fast."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kb.errors import StoreBusy, StoreError, StoreTooNew

#: Kept in `PRAGMA user_version`; schema.py makes the tables of this version.
SCHEMA_VERSION = 4

#: Milliseconds to wait for another process's short transaction.
BUSY_MS = 10_000

# Pages of the store that many writes in a row keep in memory; SQLite's own default is 2 MiB, and the
# keys of links fall anywhere in their index. Memory is taken as pages are touched.
_BULK_KIB, _USUAL_KIB = 64 * 1024, 2_000

#: What mends a store that is beyond use.
REBUILD = "delete the .kb folder and run `kb sync`: notes and ledger rebuild it"


def version_of(connection: sqlite3.Connection) -> int:
    """The schema version of an open store; 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def outdated(path: Path) -> bool:
    """Whether `path` is missing or of an older schema, so that `schema.ensure` must run first.

    StoreTooNew if a newer kb made it, StoreError if it is no store at all.
    """
    if not path.exists():
        return True
    connection = connect(path)
    try:
        found = version_of(connection)
    finally:
        connection.close()
    if found > SCHEMA_VERSION:
        raise StoreTooNew(
            f"{path}: made by a newer kb (schema {found}, this one reads {SCHEMA_VERSION}); left untouched",
            hint="update kb, or delete the .kb folder and run `kb sync` with this one",
        )
    return found < SCHEMA_VERSION


def connect(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """Open the SQLite file at `path`, read-only where it cannot be written. StoreError if it is none."""
    writable = os.access(path if path.exists() else path.parent, os.W_OK) and os.access(path.parent, os.W_OK)
    modes = ("rwc" if create else "rw",) if writable else ("ro", "ro&immutable=1")
    failure: Exception | None = None
    for mode in modes:
        try:
            return _open(path, mode, writable=writable)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            failure = error
    raise StoreError(f"{path}: cannot be read as a store ({failure})", hint=REBUILD)


def _open(path: Path, mode: str, *, writable: bool) -> sqlite3.Connection:
    address = path.absolute().as_uri()
    # Transactions are begun by hand: sqlite3's own begin is deferred and loses to SQLITE_BUSY_SNAPSHOT.
    connection = sqlite3.connect(f"{address}?mode={mode}", uri=True, isolation_level=None)
    try:
        prepare(connection, writable=writable)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except (sqlite3.Error, UnicodeDecodeError):
        connection.close()
        raise
    return connection


def prepare(connection: sqlite3.Connection, *, writable: bool = True) -> None:
    """The settings that hold for a connection, not for the file."""
    leave_out(connection)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    if writable:
        # In WAL mode NORMAL cannot corrupt; a power cut may lose the last commits, which a sync redoes.
        connection.execute("PRAGMA synchronous = NORMAL")
        # A kill in the middle of a large sync would else leave its write-ahead log at full size.
        connection.execute(f"PRAGMA journal_size_limit = {16 * 1024 * 1024}")


def leave_out(connection: sqlite3.Connection, left_out: Callable[[str], bool] | None = None) -> None:
    """Which addresses the notebook's patterns ignore, for `filters.STANDING`; at first none."""
    connection.create_function("patterns_given", 0, lambda: left_out is not None)
    connection.create_function("left_out", 1, left_out or (lambda url: False), deterministic=True)


class Connected:
    """What each part of the store stands on: one connection and one kind of transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def leave_out(self, left_out: Callable[[str], bool]) -> None:
        """Take links for ignored whose address this says is: the settings know patterns, the rows do not."""
        leave_out(self.connection, left_out)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN IMMEDIATE ... COMMIT, undone on any exception; inside another it joins it.

        StoreBusy if another process holds the store for longer than it waits, StoreError where the
        disk is full or does not take it.
        """
        if self.connection.in_transaction:
            yield
            return
        try:
            self.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise _not_written(error) from None
        try:
            yield
            self.connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            self._undo()
            raise _not_written(error) from error
        except BaseException:
            self._undo()
            raise

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """For many transactions in a row: what they touch stays in memory between them."""
        self.connection.execute(f"PRAGMA cache_size = -{_BULK_KIB}")
        try:
            yield
        finally:
            self.connection.execute(f"PRAGMA cache_size = -{_USUAL_KIB}")

    def version(self) -> int:
        """Changes when another connection has written to the store."""
        return int(self.connection.execute("PRAGMA data_version").fetchone()[0])

    def _undo(self) -> None:
        if self.connection.in_transaction:  # a full disk may have undone it already
            with suppress(sqlite3.OperationalError):
                self.connection.execute("ROLLBACK")

    def setting(self, name: str) -> str | None:
        """A value remembered beside the rows, such as the signature of the ledger last read."""
        row = self.connection.execute("SELECT value FROM meta WHERE name = ?", [name]).fetchone()
        return None if row is None else str(row[0])

    def remember(self, name: str, value: str | None) -> None:
        """Keep such a value; None forgets it."""
        with self.transaction():
            self.connection.execute("DELETE FROM meta WHERE name = ?", [name])
            if value is not None:
                self.connection.execute("INSERT INTO meta (name, value) VALUES (?, ?)", [name, value])


def _not_written(error: sqlite3.OperationalError) -> StoreError:
    name = error.sqlite_errorname
    if name.startswith("SQLITE_BUSY"):
        return StoreBusy("another kb is writing to the store", hint="try again when it has finished")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return StoreError(
            f"the store cannot be written ({error})",
            hint="is the disk full? What was recorded is kept",
        )
    return StoreError(
        f"the store cannot be written ({error})", hint="is the notebook's .kb folder read-only?"
    )
