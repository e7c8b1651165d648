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
    # The class asks which bash there is and warns of an old one: that is for the person, not for the script.
    click.echo(kind(main, {}, "kb", "_KB_COMPLETE").source())
    return 0
