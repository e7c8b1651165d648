"""What the pages of docs/ say of the program, asked of the program. Cog calls these; `make docs` runs cog.

python -m cogapp -r docs/*.md         writes it anew
python -m cogapp --check docs/*.md    says whether it is still so
"""

from __future__ import annotations

import os
import sys
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from click.testing import CliRunner  # noqa: E402  # after the checkout is put on the path

from kb import config, contract  # noqa: E402
from kb.cli import COMMANDS, main  # noqa: E402
from kb.mcp.tools import TOOLS  # noqa: E402
from kb.model import (  # noqa: E402
    Added,
    Entry,
    Facts,
    Hit,
    Key,
    LinkKind,
    LinkRecord,
    Looks,
    Mention,
    NoteKind,
    Saved,
    Source,
    Span,
    Standing,
    Term,
    Transition,
    Use,
    Verdict,
    When,
)
from kb.store import ledger, schema  # noqa: E402
from kb.store.store import Store  # noqa: E402


def commands() -> str:
    """Every command's help, each under a heading of its own."""
    return "\n\n".join([_help(), *(f"## kb {name}\n\n{_help(name)}" for name in COMMANDS)])


def _help(*command: str) -> str:
    os.environ["COLUMNS"] = "90"
    told = CliRunner().invoke(main, [*command, "--help"], prog_name="kb", terminal_width=90)
    return "```text\n" + "\n".join(line.rstrip() for line in told.output.strip().splitlines()) + "\n```"


def settings() -> str:
    """Every setting: name, default, who may set it, meaning."""
    lines = ["| setting | default | set by | what it does |", "|---|---|---|---|"]
    for key in config.KEYS:
        where = {"notebook": "kb.toml", "person": "you alone", "trust": "you alone, per notebook"}[key.scope]
        meaning = key.help + (f" ({' or '.join(f'`{one}`' for one in key.choices)})" if key.choices else "")
        default = str(key.default).lower() if isinstance(key.default, bool) else key.default or '""'
        default = "[]" if key.default == () else default
        lines.append(f"| `{key.name}` | `{default}` | {where} | {meaning.replace('|', '&#124;')} |")
    return "\n".join(lines)


_AT = "2026-11-24T12:00:00Z"
_MENTION = Mention(
    "papers/qlora.md",
    17,
    "https://arxiv.org/abs/2305.14314",
    "QLoRA",
    When.parse("2023-09"),
    None,
    Span(0, 1),
)
_LINK = LinkRecord(
    Key("arxiv:2305.14314"),
    LinkKind.PAPER,
    "arxiv.org",
    Facts(title="QLoRA: Efficient Finetuning of Quantized LLMs", authors=("Tim Dettmers",), fetched=_AT),
    Looks(
        Standing.ALIVE,
        Verdict.ALIVE,
        200,
        first_seen=_AT,
        last_checked=_AT,
        last_conclusive=_AT,
        last_alive=_AT,
        due="2026-12-24T12:00:00Z",
        transitions=(Transition(_AT, Standing.ALIVE),),
    ),
    mentions=(_MENTION,),
)
_HIT = Hit(_MENTION.path, 17, "", (), (), "", _MENTION.date, None, NoteKind.PAPER, (), Source.NOTE, 1.0)
_TERM = Term("RAG", None, None, None, 3)


def shapes() -> str:
    """The keys of each kind of JSON object, and the commands that print it."""
    link = contract.link(_LINK)
    rows = [
        ("a hit", "`kb search`, `kb related`", contract.hit(_HIT)),
        ("a link", "`kb links`, `kb check-links`", link),
        ("a mention of a link", "within links", link["mentions"][0]),
        ("a term", "`kb glossary`", contract.term(Entry(_TERM, "glossary.md", (Use("a.md", 1),)))),
        ("a link's facts", "`kb enrich`", contract.facts(_LINK)),
        ("an added link", "`kb add-link`", contract.added(Added("", "", 0, None))),
        ("a saved page", "`kb show`", contract.saved_page(Saved("", "", "", ""))),
    ]
    lines = ["| object | printed by | keys |", "|---|---|---|"]
    lines += [
        f"| {name} | {where} | {', '.join(f'`{key}`' for key in value)} |" for name, where, value in rows
    ]
    return "\n".join(lines)


def ledger_line() -> str:
    """A line of the ledger as it is written, and what its groups may hold."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "links.jsonl"
        ledger.write(path, [ledger.entry(_LINK)])
        line = path.read_text(encoding="utf-8").strip()
    groups = [("facts", Facts), ("looks", Looks), ("person", type(_LINK.person))]
    told = [f"- `{name}`: {', '.join(f'`{one.name}`' for one in fields(kind))}" for name, kind in groups]
    return f"```json\n{line}\n```\n\n" + "\n".join(told)


def tables() -> str:
    """The store's tables with their columns."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "kb.sqlite3"
        schema.ensure(path)
        lines = ["| table | columns |", "|---|---|"]
        with Store.open(path) as store:
            names = store.connection.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
                " AND name NOT LIKE '%\\_fts\\__%' ESCAPE '\\' AND name NOT LIKE '\\_sqlite%' ESCAPE '\\'"
                " ORDER BY name"
            )
            for (name,) in names.fetchall():
                columns = store.connection.execute("SELECT name FROM pragma_table_info(?)", [name]).fetchall()
                lines.append(f"| `{name}` | {', '.join(f'`{column}`' for (column,) in columns)} |")
    return "\n".join(lines)


def tools() -> str:
    """The tools of `kb mcp`: what each does and takes."""
    lines = ["| tool | does | takes |", "|---|---|---|"]
    for tool in TOOLS:
        told = tool.described()
        takes = ", ".join(
            f"**`{name}`**" if name in told.input_schema.get("required", ()) else f"`{name}`"
            for name in told.input_schema["properties"]
        )
        only = " Only with `--write`." if tool.writes else ""
        lines.append(f"| `{tool.name}` | {told.description}{only} | {takes} |")
    return "\n".join(lines)
