"""Passwords in addresses and tokens of sites are used where they must be, and kept or shown nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.knowledge import KnowledgeBase
from tests.commands import Run, runner
from tests.notebook import write_notebook
from tests.servers import Handler, Server

PASSWORD, TOKEN = "sw0rdfish", "ghp_t0kenOfMine"


@pytest.fixture
def server() -> Iterator[Server]:
    def walled(handler: Handler, rest: str) -> None:
        ok = handler.headers.get("Authorization", "").startswith("Basic ")
        handler.answer(200 if ok else 401, b"<html><head><title>Vault</title></head><p>Words of it.</html>")

    def away(handler: Handler, rest: str) -> None:
        handler.redirect(f"http://127.0.0.3:{handler.server.port}/page/elsewhere", 302)

    with Server(more=("127.0.0.3",), routes={"walled": walled, "away": away}) as made:
        yield made


@pytest.fixture
def root(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KB_LINKS_PRIVATE_HOSTS", "check")
    monkeypatch.setenv("KB_GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("KB_LINKS_TIMEOUT", "5")
    login = f"http://me:{PASSWORD}@127.0.0.1:{server.port}"
    text = (
        f"* [Vault]({login}/walled) and [away]({login}/away)\n* {login}/gone#part\n"
        f"* \x00{login}/odd <{login}/auto>\n"
    )
    return write_notebook(tmp_path / "n", {"a.md": text})


@pytest.fixture
def run(root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(capsys, monkeypatch, root)


def kept(root: Path, *folders: str) -> bytes:
    found = [path for name in folders for path in (root / name).rglob("*") if path.is_file()]
    return b"".join(path.read_bytes() for path in (*found, *root.glob("*.jsonl")))


def test_a_password_reaches_its_own_host_and_nobody_else(root: Path, run: Run, server: Server) -> None:
    assert run("check-links", "--all").status == 1
    sent = {path: headers.get("authorization", "") for path, headers in server.asked}
    assert sent["/walled"].startswith("Basic ")
    assert sent["/page/elsewhere"] == ""
    assert not any(PASSWORD in path for path in sent)


def test_no_password_or_token_is_kept_beside_the_note_that_holds_it(root: Path, run: Run) -> None:
    assert run("check-links", "--all").status == 1
    assert run("enrich").status in (0, 1)
    assert run("site", "out").status == 0
    for secret in (PASSWORD, TOKEN):
        assert secret.encode() not in kept(root, "saved", "out")


def test_no_password_or_token_is_logged(root: Path, run: Run, caplog: pytest.LogCaptureFixture) -> None:
    for args in (["check-links", "--all"], ["enrich"], ["sync"], ["repair"]):
        done = run(*args)
        assert PASSWORD not in done.err
        assert TOKEN not in done.out + done.err
    assert PASSWORD not in caplog.text
    assert TOKEN not in caplog.text


def test_a_token_is_in_no_file_of_the_notebook(root: Path, run: Run) -> None:
    assert run("sync").status == 0
    assert run("check-links", "--all").status == 1
    assert TOKEN.encode() not in kept(root, ".kb", "saved", "notes")


def test_a_site_is_built_without_the_password(root: Path) -> None:
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
        site = base.publish()
    for page in site.pages:
        assert PASSWORD not in page.more, page.path
        if page.style != "note":
            assert PASSWORD not in page.markdown, page.path
