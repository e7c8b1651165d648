"""What the clipboard holds, by a program that prints it. No shell is involved."""

from __future__ import annotations

import shlex
import shutil
import subprocess

from kb.errors import UsageError

# In order; the first that is installed and prints anything.
PROGRAMS: tuple[tuple[str, ...], ...] = (
    ("pbpaste",),
    ("wl-paste", "--no-newline"),
    ("xclip", "-selection", "clipboard", "-out"),
    ("xsel", "--clipboard", "--output"),
)
_SECONDS = 5
_MAX_BYTES = 1024 * 1024


def clipboard(command: str = "") -> str:
    """The clipboard's text, by `command` (words as a shell would split them) or the first program there is.

    UsageError where none can read it.
    """
    programs = (tuple(shlex.split(command)),) if command.strip() else PROGRAMS
    failed = ""
    for program in programs:
        where = shutil.which(program[0])
        if where is None:
            continue
        try:
            done = subprocess.run(  # noqa: S603  # a fixed list, or the person's own config
                [where, *program[1:]], capture_output=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            failed = f"{program[0]}: {error}"
            continue
        if done.returncode == 0:
            return done.stdout[:_MAX_BYTES].decode("utf-8", "replace")
        failed = f"{program[0]}: {done.stderr.decode('utf-8', 'replace').strip()[:200] or 'failed'}"
    names = ", ".join(program[0] for program in programs)
    raise UsageError(
        f"the clipboard cannot be read ({failed or f'none of {names} is installed'})",
        hint="install one of them, or name another as clipboard.command in your own config",
    )
