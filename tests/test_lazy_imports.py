"""Nothing heavy loads on a path that does not need it: the start of a process is what people wait for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kb.search import blas

HEAVY = [
    "numpy",
    "torch",
    "sentence_transformers",
    "certifi",
    "rich",
    "mkdocs",
    "sqlite_utils",
    "mcp",
    "pydantic",
]


def loaded(*args: str, cwd: Path) -> set[str]:
    """The top-level modules that stand in sys.modules when the command has run."""
    script = (
        "import sys\n"
        "from kb import cli\n"
        f"status = cli.invoke({list(args)!r})\n"
        "print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))\n"
        "sys.exit(status)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return set(done.stdout.rpartition("LOADED")[2].split())


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.notebook import write_notebook

    root = write_notebook(tmp_path_factory.mktemp("lazy") / "notebook")
    loaded("sync", cwd=root)
    return root


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    assert loaded("--help", cwd=tmp_path).isdisjoint(HEAVY)


def test_help_of_a_command_loads_nothing_heavy(tmp_path: Path) -> None:
    assert loaded("search", "--help", cwd=tmp_path).isdisjoint(HEAVY)


def test_a_first_sync_makes_its_store_without_anything_heavy(tmp_path: Path) -> None:
    (tmp_path / "kb.toml").write_text("")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text("* a bullet\n")
    assert loaded("sync", "--no-embed", cwd=tmp_path).isdisjoint(HEAVY)


def test_a_keyword_search_loads_nothing_heavy(synced: Path) -> None:
    assert loaded("search", "--mode", "keyword", "qlora", cwd=synced).isdisjoint({*HEAVY, "tokenizers"})


def test_keeping_the_hits_for_kb_open_costs_a_search_nothing_heavy(synced: Path) -> None:
    modules = loaded("search", "--mode", "keyword", "qlora", cwd=synced)
    assert modules.isdisjoint({"webbrowser", "tarfile", "watchfiles"})


def test_help_and_completion_do_not_wait_for_the_store(tmp_path: Path) -> None:
    assert loaded("--help", cwd=tmp_path).isdisjoint({"sqlite3", "tomllib", "difflib", "subprocess"})


def test_a_hybrid_search_loads_not_even_numpy_where_that_brings_a_blas(synced: Path) -> None:
    modules = loaded("search", "qlora vram", cwd=synced)
    assert modules.isdisjoint({*HEAVY, "tokenizers"} - ({"numpy"} if blas.load() is None else set()))


def test_a_long_query_is_embedded_by_numpy_and_loads_no_more(synced: Path) -> None:
    modules = loaded("search", "qlora vram " * 40, cwd=synced)
    assert "numpy" in modules
    assert modules.isdisjoint({*HEAVY, "tokenizers"} - {"numpy"})


def test_a_search_as_people_type_it_does_not_load_click(synced: Path) -> None:
    assert "click" not in loaded("search", "qlora vram", "-n", "2", "--explain", cwd=synced)
    assert "click" in loaded("search", "qlora", "-n2", cwd=synced)


def test_listing_links_loads_nothing_heavy(synced: Path) -> None:
    assert loaded("links", cwd=synced).isdisjoint({*HEAVY, "tokenizers"})


def test_embedding_a_few_passages_needs_no_torch(synced: Path) -> None:
    (synced / "notes" / "new.md").write_text("* a bullet of the day about tuning\n")
    assert loaded("sync", cwd=synced).isdisjoint({"torch", "sentence_transformers"})


def test_showing_a_saved_page_loads_nothing_heavy(synced: Path) -> None:
    from kb.model import Saved
    from kb.store import saved

    url = "https://a.example/"
    saved.write(synced / "saved", Saved(url, url, "A page", "2026-11-24T12:00:00Z", "Its text."))
    assert loaded("show", url, cwd=synced).isdisjoint({*HEAVY, "tokenizers", "pypdf"})


def test_a_check_does_not_load_the_reader_of_pdfs(synced: Path) -> None:
    assert loaded("check-links", "--host", "nowhere.example", cwd=synced).isdisjoint(
        {"pypdf", "numpy", "torch"}
    )


def test_the_package_offers_its_door_without_opening_it() -> None:
    script = """
import sys
import kb
assert not {"kb.knowledge", "kb.model", "kb.errors", "importlib.metadata"} & set(sys.modules)
from kb import Filter, KbError, KnowledgeBase, Standing
from kb.knowledge import KnowledgeBase as real
assert KnowledgeBase is real
assert set(kb.__all__) <= {*dir(kb), *kb._PUBLIC}
try:
    kb.nothing
except AttributeError as error:
    assert "'nothing'" in str(error)
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_a_keyword_search_loads_nothing_that_only_a_write_needs(notebook: Path) -> None:
    loaded("sync", cwd=notebook)
    assert not loaded("search", "--mode", "keyword", "qlora", cwd=notebook) & {
        "ctypes",
        "tempfile",
        "sqlite_utils",
    }


def test_a_sync_with_nothing_to_do_loads_no_parser(notebook: Path) -> None:
    for note in (notebook / "notes").rglob("*.md"):
        os.utime(note, (1_700_000_000, 1_700_000_000))  # those of this second are read again
    loaded("sync", "--no-embed", cwd=notebook)
    assert loaded("sync", "--no-embed", cwd=notebook).isdisjoint({"kb.sync", "pyromark", "yaml", "numpy"})
