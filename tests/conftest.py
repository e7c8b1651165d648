"""What many tests share: a notebook of their own, far from the person's config and the network."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.notebook import write_notebook

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("kb", deadline=None)
settings.load_profile("kb")


#: Files whose tests start many processes, embed, or build sites: `make check` passes over them.
SLOW = frozenset(
    {
        "test_backup.py",
        "test_cli.py",
        "test_cli_enrich.py",
        "test_completion.py",
        "test_docs.py",
        "test_encode.py",
        "test_find.py",
        "test_lazy_imports.py",
        "test_links_cli.py",
        "test_mcp.py",
        "test_plain_site.py",
        "test_reading.py",
        "test_reading_only.py",
        "test_rebuild.py",
        "test_related.py",
        "test_robust.py",
        "test_search_failures.py",
        "test_site.py",
        "test_sync.py",
        "test_terminal.py",
        "test_watch.py",
    }
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of slow files, and those that start browsers, as slow."""
    for item in items:
        if item.path.name in SLOW or item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads the config of whoever runs it, or their proxy."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "no-config"))
    monkeypatch.delenv("KB_ROOT", raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """The person lets their links lead into their own network, where the tests' servers are."""
    monkeypatch.setenv("KB_LINKS_PRIVATE_HOSTS", "check")


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """A small notebook on disk, not synced."""
    return write_notebook(tmp_path / "notebook")
