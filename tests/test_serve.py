"""`mkdocs serve`, kept open all day: what changes is built anew, and nothing is given up for good."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.livereload import LiveReloadServer

from kb.knowledge import KnowledgeBase
from kb.plugin import watching
from tests.notebook import write_notebook
from tests.site_build import write_mkdocs_yml

# Far more than it takes: a busy machine is no fault of the code.
PATIENCE = 30.0
# Seconds between two looks: sooner than a person needs them.
LOOK = 0.1
# Longer than a look of ours and one of MkDocs', and than it waits for a change to end.
A_WHILE = 0.6

Change = Callable[[Callable[[], object]], None]


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "PAUSE", LOOK)
    monkeypatch.setattr(watching, "SHARE", 0)


@contextmanager
def serving(root: Path) -> Iterator[Change]:
    """Serve a notebook; what is given makes a change, and waits for the build that it asks for."""
    config = load_config(str(root / "mkdocs.yml"), site_dir=str(root.parent / "built"))
    builds: list[float] = []
    config.plugins.on_startup(command="serve", dirty=False)
    build(config, serve_url="/")
    server = LiveReloadServer(
        lambda: builds.append(time.monotonic()),
        "127.0.0.1",
        0,
        config.site_dir,
        polling_interval=LOOK,
    )
    server.watch(config.docs_dir)
    server.watch(str(root / "mkdocs.yml"))
    config.plugins.on_serve(server, config=config, builder=lambda: None)
    thread = Thread(target=server.serve)
    thread.start()

    def change(act: Callable[[], object]) -> None:
        before = len(builds)
        act()
        end = time.monotonic() + PATIENCE
        while len(builds) == before:
            assert time.monotonic() < end, "nothing was built"
            time.sleep(0.02)
        while (still := A_WHILE - (time.monotonic() - builds[-1])) > 0:
            assert time.monotonic() < end, "it is built again and again"
            time.sleep(still)

    try:
        time.sleep(A_WHILE)
        assert not builds
        yield change
        built = len(builds)
        time.sleep(A_WHILE)
        assert len(builds) == built, "it is built though nothing changed"
    finally:
        config.plugins.on_shutdown()
        server.shutdown()
        thread.join()


def test_what_was_seen_of_links_and_the_settings_are_shown_as_they_change(tmp_path: Path) -> None:
    root = write_notebook(tmp_path / "n")
    write_mkdocs_yml(root)

    def ignore() -> None:
        with KnowledgeBase.open(root) as base:
            base.sync(embed=False)
            base.ignore(next(iter(base.store.links())).address)

    with serving(root) as change:
        change(ignore)
        change(lambda: (root / "kb.toml").write_text('[notebook]\ntitle = "Another"\nnotes = "notes"\n'))


def test_a_folder_that_was_away_and_a_file_that_was_gone_for_a_moment_are_watched_again(
    tmp_path: Path,
) -> None:
    root = write_notebook(tmp_path / "n")
    settings = write_mkdocs_yml(root)
    with serving(root) as change:
        change(lambda: os.rename(root / "notes", root / "away"))
        change(lambda: os.rename(root / "away", root / "notes"))
        change(lambda: (root / "notes/papers/qlora.md").write_text("# QLoRA\n\nOther words.\n"))
        text = settings.read_text()
        settings.unlink()
        time.sleep(A_WHILE)
        change(lambda: settings.write_text(text))
        change(lambda: settings.write_text(text + "\n# the end\n"))


def test_a_new_folder_of_an_adopted_notebook_is_watched_and_one_that_goes_is_missed(tmp_path: Path) -> None:
    root = tmp_path / "n"
    (root / "site-pages").mkdir(parents=True)
    (root / "kb.toml").write_text('[notebook]\nnotes = "."\n')
    (root / "a.md").write_text("# A note\n\n* words\n")
    write_mkdocs_yml(root, docs_dir="site-pages")
    new = root / "sub" / "deep" / "b.md"

    def add() -> None:
        new.parent.mkdir(parents=True)
        new.write_text("# B note\n\n* words\n")

    with serving(root) as change:
        change(add)
        change(lambda: new.write_text("# B note\n\n* other words\n"))
        change(lambda: os.rename(root / "sub", root / "other"))
        change(lambda: (root / "other/deep/b.md").write_text("# B note\n\n* still other words\n"))
        change(lambda: os.rename(root / "other", root / "sub"))
        change(lambda: new.write_text("# B note\n\n* words once more\n"))
