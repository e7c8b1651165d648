"""How help looks: what the command does, examples, usage, then the rest; options that narrow stand apart."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import click


class Narrowing(click.Option):
    """An option that narrows what a command speaks of; help lists these under a heading of their own."""


class Word(click.Choice[str]):
    """One of a few words; a mistyped one is answered with the nearest."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """What it takes, and what was probably meant."""
        return super().get_invalid_choice_message(value, ctx) + did_you_mean(str(value), list(self.choices))


def did_you_mean(typed: str, known: list[str]) -> str:
    """` Did you mean 'paper'?`, or nothing."""
    close = import_module("difflib").get_close_matches(typed.lower(), known, n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""


class Command(click.Command):
    """A command whose help begins with examples: the last `\\b` block of its docstring."""

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
