"""Every exception that kb raises on purpose, drawn as a tree.

KbError
├── UsageError            what was typed cannot be done as typed
│   └── UnknownNote       a path that is no note of this notebook
├── NotebookNotFound      no kb.toml in this folder or above it
├── ConfigError           kb.toml or the user's config cannot be read as meant
├── NoteError
│   ├── NoteChanged       the file is no longer what was read; nothing was written
│   ├── NoteExists        a note stands where one was to be written
│   └── NoteUnwritable    the file cannot be written without harm (encoding, permissions, outside)
├── ImportRefused         a source that the importer cannot read
├── StoreError
│   ├── StoreTooNew       made by a newer kb; left untouched
│   ├── StoreBusy         another process holds the lock for too long
│   └── LedgerError       links.jsonl cannot be read: file, line and how to mend it
├── ModelError            the embedding model is missing, altered, or of another shape
└── NetworkAway           nothing on the network answered; nothing was recorded

A failed *item* (a dead link, a broken note) is a value in a report, never one of these:
an exception ends the run, and the command line turns it into one message and exit status 2.
"""

from __future__ import annotations


class KbError(Exception):
    """What went wrong, and in `hint` what to type next (may be empty)."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(KbError):
    """What was typed cannot be done as typed."""


class UnknownNote(UsageError):
    """A path that is no note of this notebook."""


class NotebookNotFound(KbError):
    """No kb.toml in this folder or any above it."""


class ConfigError(KbError):
    """kb.toml or the user's config cannot be read as meant; the message names file and key."""


class NoteError(KbError):
    """A note could not be written; its bytes are as they were."""


class NoteChanged(NoteError):
    """The file is no longer what was read."""


class NoteExists(NoteError):
    """A note stands where one was to be written."""


class NoteUnwritable(NoteError):
    """The file cannot be written without harm."""


class ImportRefused(KbError):
    """A source that the importer cannot read."""


class StoreError(KbError):
    """The store or the ledger cannot be used."""


class StoreTooNew(StoreError):
    """The store was made by a newer kb; it was left untouched."""


class StoreBusy(StoreError):
    """Another process holds the notebook's lock for too long."""


class LedgerError(StoreError):
    """links.jsonl cannot be read; the message names file and line."""


class ModelError(KbError):
    """The embedding model is missing, altered, or of another shape."""


class NetworkAway(KbError):
    """Nothing on the network answered; nothing was recorded."""
