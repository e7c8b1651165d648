"""How help looks: what the command does, examples, usage, then the rest; options that narrow stand apart."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from importlib import import_module
from typing import Any

import click


class Narrowing(click.Option):
    """An option that narrows what a command speaks of; help lists these under a heading of their own."""


class Word(click.Choice[str]):
    """One of a few words, in any case; a mistyped one is answered with the nearest."""

    def __init__(self, choices: Iterable[str]) -> None:
        super().__init__(list(choices), case_sensitive=False)

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """What it takes, and what was probably meant."""
        return super().get_invalid_choice_message(value, ctx) + did_you_mean(str(value), list(self.choices))


def did_you_mean(typed: str, known: list[str]) -> str:
    """` Did you mean 'paper'?`, or nothing."""
    close = import_module("difflib").get_close_matches(typed.lower(), known, n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""


class Command(click.Command):
    """A command whose help begins with examples: the last `\\b` block of its docstring."""

    allow_extra_args = True  # `parse_args` says what is wrong with them

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; a word too many is answered with where it may belong."""
        rest = super().parse_args(ctx, args)
        if rest and not isinstance(self, click.Group) and not ctx.resilient_parsing:
            raise click.UsageError(self._too_many(" ".join(rest)), ctx)
        return rest

    def _too_many(self, word: str) -> str:
        narrow = any(isinstance(one, Narrowing) for one in self.params)
        hint = f" To narrow it: --note, --host or --tag {word}. To look for words: kb search {word}"
        return f"{word!r} is a word too many for kb {self.name}.{hint if narrow else ''}"

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """First line, examples, usage, everything else."""
        summary, examples, rest = parts(self.help or "")
        formatter.write_text(summary)
        with formatter.section("Examples"):
            for line in examples:
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
        formatter.write_paragraph()
        self.format_usage(ctx, formatter)
        for paragraph in rest:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(paragraph)
        self.format_options(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Options, and those that narrow apart from the others."""
        plain: list[tuple[str, str]] = []
        narrowing: list[tuple[str, str]] = []
        for param in self.get_params(ctx):
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx)):
                (narrowing if isinstance(param, Narrowing) else plain).append(record)
        for title, records in (("Options", plain), ("Narrow to", narrowing)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def parts(text: str) -> tuple[str, list[str], list[str]]:
    """A docstring as its first paragraph, the lines of its examples, and the paragraphs between."""
    paragraphs = inspect.cleandoc(text).partition("\f")[0].split("\n\n")
    summary, *rest = paragraphs
    at = max((place for place, one in enumerate(rest) if one.startswith("\b\n")), default=None)
    if at is None:
        return summary, [], rest
    lines = [line.removeprefix("  ") for line in rest[at].splitlines()[1:]]
    return summary, lines, rest[:at] + rest[at + 1 :]
