"""YAML front matter (and TOML) under guards: where it ends, what it says, and what is wrong with it.

Values are built here from the parser's events rather than by a YAML loader: the C loader
crashes the process on deep nesting, lets the last of two equal keys win in silence, makes
`no` False and `1:30` 90, and raises on 2024-02-30. The events suffer from none of that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from kb.model.reports import Problem, Severity
from kb.notes import toml

# Front matter is a handful of lines; beyond these it is a mistake or an attack.
MAX_BYTES = 16 * 1024
MAX_DEPTH = 16

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is 8x faster

_FENCE = re.compile(rb"---[ \t]*(?:\r\n|\r|\n)")
_CLOSE = re.compile(rb"(?:^|(?<=[\r\n]))(?:---|\.\.\.)[ \t]*(?:\r\n|\r|\n|\Z)")
_TOML_FENCE = re.compile(rb"\+\+\+[ \t]*(?:\r\n|\r|\n)")
_TOML_CLOSE = re.compile(rb"(?:^|(?<=[\r\n]))\+\+\+[ \t]*(?:\r\n|\r|\n|\Z)")
_LOOKS_LIKE_KEY = re.compile(rb"[A-Za-z_][\w -]*:(?:[ \t\r\n]|\Z)")
_LOOKS_LIKE_TOML = re.compile(rb"[A-Za-z_][\w-]*[ \t]*=")

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_PLAIN = re.compile(r"[^\W\d_](?:[\w .,()/+-]*[\w.)+])?\Z")
_NOT_TEXT = frozenset(["null", "true", "false", "yes", "no", "on", "off", "y", "n", "none"])


@dataclass(slots=True)
class FrontMatter:
    """What a note's front matter says.

    `body` is the offset in the text at which the body begins; `lines` gives the line of each
    key. `values` is empty where the YAML cannot be read; the problems say why, and `mentions`
    holds those of `private` and `draft` that stand there all the same, with their lines.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    body: int = 0
    problems: list[Problem] = field(default_factory=list)
    mentions: Mapping[str, int] = field(default_factory=dict)


def is_toml(raw: bytes) -> bool:
    """Whether a text (without BOM) begins as Hugo's TOML front matter does."""
    return raw.startswith(b"+++")


def split(raw: bytes) -> tuple[int, int, int]:
    """(start, end, body) of the YAML or TOML in a text without BOM: offsets; (0, 0, 0) without any."""
    opening = (_TOML_FENCE if is_toml(raw) else _FENCE).match(raw)
    if opening is None:
        return 0, 0, 0
    close = (_TOML_CLOSE if is_toml(raw) else _CLOSE).search(raw, opening.end())
    if close is None:
        return 0, 0, 0
    return opening.end(), close.start(), close.end()


def read(path: str, raw: bytes) -> FrontMatter:
    """Read the front matter of a text (UTF-8, without BOM). Never raises."""
    start, end, body = split(raw)
    if not body:
        found = FrontMatter()
        fence, key = (_TOML_FENCE, _LOOKS_LIKE_TOML) if is_toml(raw) else (_FENCE, _LOOKS_LIKE_KEY)
        opening = fence.match(raw)
        if opening is not None and key.match(raw, opening.end()):
            hint = f"close it with a line {raw[:3].decode()}"
            found.problems.append(Problem(path, 1, Severity.ERROR, "front matter has no end", hint))
            found.mentions = _mentions(raw[opening.end() : opening.end() + MAX_BYTES])
        return found
    if end - start > MAX_BYTES:
        message = f"front matter is {end - start:,} bytes long; kb reads up to {MAX_BYTES:,}"
        problem = Problem(path, 1, Severity.ERROR, message, "shorten it")
        return FrontMatter(body=body, problems=[problem], mentions=_mentions(raw[start:end]))
    text = raw[start:end].decode("utf-8", "replace")
    if is_toml(raw):
        return _read_toml(path, text, body)
    plain = _plain(text)
    if plain is not None:
        return FrontMatter(*plain, body)
    reader = _Reader(path)
    try:
        values = reader.document(text)
    except _Fault as fault:
        reader.problems.append(Problem(path, fault.line + 2, Severity.ERROR, fault.message, fault.hint))
        values = {}
    except yaml.YAMLError as error:
        reader.problems.append(_from_yaml(path, error))
        values = {}
    mentions = _mentions(raw[start:end]) if reader.problems else {}
    return FrontMatter(values, reader.lines, body, reader.problems, mentions)


def _read_toml(path: str, text: str, body: int) -> FrontMatter:
    try:
        values, lines = toml.read(text)
    except toml.Fault as fault:
        line = 1 + (fault.line or text.count("\n"))
        message = f"front matter cannot be read: {fault.message}"
        problem = Problem(path, line, Severity.ERROR, message, "text in TOML stands in quotes")
        return FrontMatter(body=body, problems=[problem], mentions=_mentions(text.encode("utf-8", "replace")))
    return FrontMatter(values, {key: line + 1 for key, line in lines.items()}, body)


_MENTION = re.compile(rb"^[ \t{,]*[\"']?(private|draft)[\"']?[ \t]*[:=]", re.IGNORECASE | re.MULTILINE)


def _mentions(text: bytes) -> dict[str, int]:
    """Which of `private` and `draft` unreadable front matter speaks of, and in which line."""
    text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    found: dict[str, int] = {}
    for match in _MENTION.finditer(text):
        found.setdefault(match[1].decode().lower(), text.count(b"\n", 0, match.end()) + 2)
    return found


_PLAIN_LINE = re.compile(
    r"(?P<key>[A-Za-z_][A-Za-z0-9_-]{0,60}):[ ]+"
    r"(?:(?P<text>\w[\w .,/()+'&;!?-]*)|\[(?P<list>[ ]*\w[\w ./()+'-]*(?:,[ ]*\w[\w ./()+'-]*)*)\])[ ]*\Z"
)


def _plain(text: str) -> tuple[dict[str, Any], dict[str, int]] | None:
    """Values and lines where every line is `key: words` or `key: [words, words]`, as most are.

    What YAML makes of such lines needs no parser, and takes a tenth of its time. None for
    anything that could mean more than it says.
    """
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 2):
        if not line or line == "\r":
            continue
        found = _PLAIN_LINE.match(line.removesuffix("\r"))
        if found is None:
            return None
        key, words, items = found.groups()
        if key in values or key.lower() in _NOT_TEXT:
            return None
        lines[key] = number
        values[key] = (
            [_value(item.strip()) for item in items.split(",")]
            if items is not None
            else _value(words.rstrip())
        )
    return values, lines


class _Fault(Exception):
    """Ends the reading of one YAML text; never leaves this module."""

    def __init__(self, line: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.line, self.message, self.hint = line, message, hint


class _Reader:
    """Builds plain values from YAML events: str, int, float, bool, None, list, dict."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.lines: dict[str, int] = {}

    def document(self, text: str) -> dict[str, Any]:
        events: Any = yaml.parse(text, Loader=_LOADER)
        root: Any = None
        documents = 0
        # Each open collection: its list or dict, and for a dict the key that waits for a value.
        stack: list[list[Any]] = []
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                self._guard(event)
                value: Any = _scalar(event)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self._guard(event)
                if len(stack) >= MAX_DEPTH:
                    raise _Fault(_line(event), f"nested deeper than {MAX_DEPTH} levels")
                mapping = isinstance(event, yaml.MappingStartEvent)
                stack.append([{} if mapping else [], _NO_KEY])
                continue
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                value = stack.pop()[0]
            elif isinstance(event, yaml.AliasEvent):
                raise _Fault(_line(event), "aliases (*name) are not read", "write the value out")
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _Fault(_line(event), "holds more than one YAML document")
                continue
            else:
                continue
            if stack:
                self._put(stack, value, _line(event))
            else:
                root = value
        if root is None:
            return {}
        if not isinstance(root, dict):
            raise _Fault(0, "front matter is no list of `key: value` lines")
        return root

    def _put(self, stack: list[list[Any]], value: Any, line: int) -> None:
        container, key = stack[-1]
        if isinstance(container, list):
            container.append(value)
        elif key is _NO_KEY:
            if isinstance(value, list | dict):
                raise _Fault(line, "a key must be plain text", "quote it if it holds brackets or braces")
            name = str(value)
            if name in container:
                raise _Fault(line, f"the key {name!r} stands twice", "keep one of the two")
            stack[-1][1] = name
            if len(stack) == 1:
                self.lines[name] = line + 2
        else:
            container[key] = value
            stack[-1][1] = _NO_KEY

    def _guard(self, event: Any) -> None:
        if event.anchor is not None:
            raise _Fault(_line(event), "anchors (&name) are not read", "write the value out")
        if event.tag is not None and event.tag != "!":
            raise _Fault(_line(event), f"the tag {event.tag} is not read", "leave it out")


_NO_KEY = object()


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line


def _scalar(event: Any) -> Any:
    text: str = event.value
    return _value(text) if event.implicit[0] and event.style in (None, "") else text


def _value(text: str) -> Any:
    """What an unquoted scalar means."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if _INT.match(text) and len(text) < 19:
        return int(text)
    return text


def _from_yaml(path: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 2 if mark is not None else 1
    what = getattr(error, "problem", None) or str(error).partition("\n")[0]
    hint = "quote the value: a `: ` or a leading sign means something in YAML"
    if "\t" in str(what) or "character that cannot start any token" in str(what):
        hint = "YAML is indented with spaces, and values that begin with a sign are quoted"
    return Problem(path, line, Severity.ERROR, f"front matter cannot be read: {what}", hint)


def render(values: Mapping[str, str | int | bool | Sequence[str]]) -> str:
    """Front matter, fences included, LF ends. Every string comes back as it is from any YAML reader."""
    lines = ["---"]
    for key, value in values.items():
        if key == "date" and isinstance(value, str) and _DATE.match(value):
            shown = value  # a YAML date for every other tool that reads it
        elif isinstance(value, bool):
            shown = "true" if value else "false"
        elif isinstance(value, str | int):
            shown = _written(value)
        else:
            shown = "[" + ", ".join(_written(item, flow=True) for item in value) + "]"
        lines.append(f"{key}: {shown}")
    return "\n".join([*lines, "---", ""])


_DATE = re.compile(r"\d{4}-\d{2}(?:-\d{2})?\Z")
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def _written(value: str | int, *, flow: bool = False) -> str:
    if isinstance(value, int):
        return str(value)
    plain = _PLAIN.match(value) and value.lower() not in _NOT_TEXT and not (flow and "," in value)
    if plain:
        return value
    # JSON's strings are YAML's double-quoted ones, but for a few characters YAML wants escaped.
    return _UNPRINTABLE.sub(
        lambda match: f"\\u{ord(match.group()):04x}", json.dumps(value, ensure_ascii=False)
    )
