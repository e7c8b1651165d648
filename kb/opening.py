"""A note in the person's editor at a line, a link in their browser."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import webbrowser
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from kb import urls
from kb.errors import UsageError

#: Tried in order where the person names none.
_EDITORS = ("sensible-editor", "vim", "nano", "vi")
#: How editors are told a line: `+12 note.md`, `note.md:12`, `-g note.md:12`.
_PLUS = frozenset(
    [
        "vi",
        "vim",
        "nvim",
        "view",
        "gvim",
        "nano",
        "pico",
        "emacs",
        "emacsclient",
        "kak",
        "micro",
        "ne",
        "joe",
        "mg",
        "sensible-editor",
    ]
)
_COLON = frozenset(["subl", "hx", "helix", "zed"])
_GOTO = frozenset(["code", "code-insiders", "codium", "cursor", "windsurf"])


def editor(named: str, environ: Mapping[str, str]) -> str:
    """The person's editor: as their config names it, then KB_EDITOR, VISUAL, EDITOR, then what there is.

    UsageError where there is none.
    """
    told = (named, *(environ.get(name, "") for name in ("KB_EDITOR", "VISUAL", "EDITOR")))
    found = next((one for one in told if one.strip()), None)
    found = found or next((one for one in _EDITORS if shutil.which(one)), None)
    if found is None:
        raise UsageError("there is no editor", hint='kb config editor.command "nano"')
    return found


def command(template: str, path: str, line: int) -> list[str]:
    """The words of the command that opens `path` at `line`. Pure; no shell reads them.

    `{path}` and `{line}` in the template are replaced. Without them the line is told as the
    editor takes it, if it is one of those that are known, and else not at all.
    """
    try:
        words = shlex.split(template)
    except ValueError as error:
        raise UsageError(f"the editor {template!r} cannot be read as a command ({error})") from None
    if any("{path}" in word for word in words):
        return [word.replace("{path}", path).replace("{line}", str(max(line, 1))) for word in words]
    name = PurePath(words[0]).stem if words else ""
    if line < 1 or name not in _PLUS | _COLON | _GOTO:
        return [*words, path]
    if name in _PLUS:
        return [*words, f"+{line}", path]
    return [*words, *(["-g"] if name in _GOTO else []), f"{path}:{line}"]


def edit(words: Sequence[str]) -> None:
    """Run the editor and wait for it. UsageError where it cannot be started or fails."""
    try:
        status = subprocess.run(words, check=False).returncode  # noqa: S603 - the person's own editor
    except OSError as error:
        raise UsageError(
            f"{words[0]}: cannot be started ({error.strerror})",
            hint='name another: kb config editor.command "nano"',
        ) from None
    if status:
        raise UsageError(f"{words[0]} ended with status {status}")


def browse(address: str) -> None:
    """Show a web address in the person's browser. UsageError for any other address, or without a browser."""
    if not urls.is_web(address):
        raise UsageError(f"{address}: no web address, so no browser opens it")
    if not webbrowser.open(address):
        raise UsageError("there is no browser", hint=f"BROWSER=firefox kb open ...   or open {address}")
