"""What many tests share: a notebook of their own, far from the person's config and the network."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.notebook import write_notebook

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("kb", deadline=None)
settings.load_profile("kb")

# A shell starts what runs in the background deaf to Ctrl-C, and children inherit that: those that
# these tests interrupt would never hear of it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


#: Files whose tests start many processes, embed, or build sites: `make check` passes over them. Those that
#: take longest stand first, and are begun first: workers that share the files then end together.
SLOW = (
    "test_torture.py",
    "test_meaning_browser.py",
    "test_browser.py",
    "test_blas.py",
    "test_meaning.py",
    "test_encode.py",
    "test_docs.py",
    "test_reading_only.py",
    "test_robust.py",
    "test_site.py",
    "test_serve.py",
    "test_mcp.py",
    "test_cli.py",
    "test_lazy_imports.py",
    "test_find.py",
    "test_search_failures.py",
    "test_opening.py",
    "test_daily.py",
    "test_secrets.py",
    "test_boundaries.py",
    "test_journey.py",
    "test_backup.py",
    "test_cli_enrich.py",
    "test_completion.py",
    "test_links_cli.py",
    "test_plain_site.py",
    "test_reading.py",
    "test_rebuild.py",
    "test_related.py",
    "test_site_shortcuts.py",
    "test_sync.py",
    "test_terminal.py",
    "test_watch.py",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One worker more than there are cores: the slow tests wait for browsers and servers half of the time."""
    quick: bool = config.option.markexpr == "not slow"
    return (os.cpu_count() or 1) + (not quick)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where the slow tests are passed over, their files are not even imported: that takes seconds."""
    passed_over: bool = config.option.markexpr == "not slow" and collection_path.name in SLOW
    return passed_over or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of slow files, and those that start browsers, as slow, and put them first."""
    order = {name: at for at, name in enumerate(SLOW)}
    for item in items:
        if item.path.name in order or item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads the config of whoever runs it, or their proxy, or is as wide as their terminal."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "no-config"))
    monkeypatch.delenv("KB_ROOT", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)
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


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)
