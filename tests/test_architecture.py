"""The house stays livable: imports point down, each third party has one home."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "kb"

GROUND = {"values", "model", "errors", "urls", "config", "contract", "instants", "places", "temporary"}
ROOMS = {"notes", "web", "search", "pages", "store"}
STAGES = {
    "sync", "find", "add", "check", "repair", "enrich", "titles", "clipboard", "publish", "transfer", "init",
    "backup", "configure", "doctor", "lately", "opening", "person", "recall", "stats", "watch", "show",
}  # fmt: skip
DOORS = {"cli", "plugin", "mcp"}
# fresh is what sync and search both stand on: a scan, and no more. reading is sync's helper,
# around what init and doctor both know of git's files and the site's. meaning stands on find: the
# site's search ranks by the constants of the command's.
# edits is what repair and titles both end in.
# observed is the ledger's side of a sync, and of all that writes the ledger.
BASES = [{"around", "edits", "fresh", "reading"}, {"observed"}]
FLOORS = [GROUND, ROOMS, *BASES, STAGES, {"meaning"}, {"knowledge"}, DOORS]
# The command line opens the other door that is a command.
OPENS = {("cli", "mcp")}

# Where each third party may be imported: dotted prefixes below kb.
HOMES = {
    "sqlite_utils": {"store"},
    "certifi": {"web.fetch"},
    "charset_normalizer": {"web.page.decoding"},
    "pypdf": {"web.page"},
    "yaml": {"notes.frontmatter"},
    "pyromark": {"notes.parse"},
    "sentence_transformers": {"search"},
    "torch": {"search.packed"},
    "numpy": {"search"},
    "nh3": {"pages"},
    "markdown": {"plugin"},
    "jinja2": {"plugin"},
    "mkdocs": {"plugin"},
    "click": {"cli"},
    "mcp": {"mcp"},
    "mcp_types": {"mcp"},
    "pydantic": {"mcp"},
    "watchfiles": {"watch"},
}

# Modules that may import inside a function, so that a light path stays light.
DEFERRING = {"knowledge", "cli"}


@lru_cache
def modules() -> list[str]:
    names = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        names.append(".".join(part for part in parts if part != "__init__"))
    # testing.py stands outside: only tests import it. So does the doorstep, which imports the door.
    return [name for name in names if name not in ("testing", "__main__")]


@cache
def tree(module: str) -> ast.Module:
    path = PACKAGE.joinpath(*module.split(".")) if module else PACKAGE
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "absolute imports only"
        assert node.module
        if node.module.split(".")[0] == "kb":
            # `from kb.notes import edit` imports the module kb.notes.edit
            for alias in node.names:
                deeper = PACKAGE.joinpath(*node.module.split(".")[1:], alias.name)
                is_module = deeper.is_dir() or deeper.with_suffix(".py").exists()
                yield f"{node.module}.{alias.name}" if is_module else node.module
        else:
            yield node.module


def imports(module: str) -> set[str]:
    return {name for node in ast.walk(tree(module)) for name in imported(node)}


def ours(module: str) -> set[str]:
    return {name.removeprefix("kb").lstrip(".") for name in imports(module) if name.split(".")[0] == "kb"} - {
        ""
    }


def room(module: str) -> str:
    return module.split(".")[0]


def floor(module: str) -> int:
    return next(index for index, rooms in enumerate(FLOORS) if room(module) in rooms)


@pytest.mark.parametrize("module", [name for name in modules() if name])
def test_imports_point_only_downwards(module: str) -> None:
    for target in ours(module):
        if room(target) == room(module) or (room(module), room(target)) in OPENS:
            continue
        same_floor_allowed = floor(module) == 0
        assert floor(target) < floor(module) or (same_floor_allowed and floor(target) == 0), (
            f"kb.{module} imports kb.{target}, which is not below it"
        )


@pytest.mark.parametrize("module", [name for name in modules() if name and room(name) in DOORS])
def test_doors_know_only_the_knowledge_base_and_the_values(module: str) -> None:
    beyond = (
        {room(name) for name in ours(module)}
        - {
            room(module),
            "knowledge",
            "model",
            "errors",
            "instants",
            "contract",
            "places",
            "temporary",
            "values",
        }
        - {opened for door, opened in OPENS if door == room(module)}
    )
    assert not beyond, f"kb.{module} is a door and imports {beyond}"


@pytest.mark.parametrize("module", [name for name in modules() if name != "model"])
def test_the_house_takes_each_value_from_the_module_of_its_subject(module: str) -> None:
    direct = [
        alias.name
        for node in ast.walk(tree(module))
        if isinstance(node, ast.ImportFrom) and node.module == "kb.model"
        for alias in node.names
        if f"model.{alias.name}" not in modules()
    ]
    assert not direct or module == "", (
        f"kb.{module} takes {direct} from kb.model, which is for people's scripts"
    )


def test_people_find_every_value_in_kb_model() -> None:
    import kb.model

    defined = {
        node.name: module
        for module in modules()
        if module.startswith("model.")
        for node in tree(module).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
    }
    typed = {
        alias.asname: node.module.removeprefix("kb.")
        for node in ast.walk(tree("model"))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("kb.")
        for alias in node.names
    }
    assert typed == defined
    for name, module in defined.items():
        assert getattr(kb.model, name).__module__ == f"kb.{module}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {name: {target for target in ours(name) if target in modules()} for name in modules() if name}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name in done:
            return
        for target in graph[name]:
            visit(target, (*trail, name))
        done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("module", modules())
def test_each_third_party_has_one_home(module: str) -> None:
    for name in imports(module):
        top = name.split(".")[0]
        if top == "kb" or top in sys.stdlib_module_names:
            continue
        assert top in HOMES, f"kb.{module} imports {top}, which has no home yet"
        homes = HOMES[top]
        assert any(module == home or module.startswith(home + ".") for home in homes), (
            f"kb.{module} imports {top}, whose home is {homes}"
        )


@pytest.mark.parametrize("module", modules())
def test_imports_are_deferred_only_where_a_command_is_wired(module: str) -> None:
    if room(module) in DEFERRING:
        return
    body = tree(module)
    for node in ast.walk(body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                deferred = {
                    name for name in imported(inner) if name.split(".")[0] not in sys.stdlib_module_names
                }
                assert not deferred, f"kb.{module}.{node.name} defers {deferred}"
