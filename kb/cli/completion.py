"""kb completion: the script that completes kb in a shell."""

from __future__ import annotations

from importlib import import_module

import click

from kb.cli.help import Command, Word


@click.command("completion", cls=Command)
@click.argument("shell", type=Word(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the script that completes commands, options, notes, tags, kinds, standings and hosts.

    \b
      echo 'eval "$(kb completion bash)"' >> ~/.bashrc
      echo 'eval "$(kb completion zsh)"' >> ~/.zshrc
      kb completion fish > ~/.config/fish/completions/kb.fish
    """
    completion = import_module("click.shell_completion")
    main = import_module("kb.cli").main
    kind = completion.get_completion_class(shell)
    script = kind(main, {}, "kb", "_KB_COMPLETE").source()
    # What kb escapes for bash must reach it as it is: click's script would take the backslashes away.
    script = script.replace("read type value", "read -r type value").replace("+=($value)", '+=("$value")')
    # In fish a value or its description may hold a comma, too.
    script = script.replace('string split "," $completion', 'string split -m 1 "," $completion')
    click.echo(script)
    return 0
