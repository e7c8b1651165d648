"""`kb links`, `kb check-links` and `kb repair` as a person meets them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kb.cli import main
from kb.cli.render import duration
from kb.cli.shared import pace
from kb.config import load
from kb.knowledge import KnowledgeBase
from kb.model import Facts, Looks, Standing, Transition, Verdict
from kb.store import ledger
from kb.testing import FixedClock
from kb.urls import key
from tests.archive import Archive
from tests.servers import Server
from tests.store_helpers import notebook
from tests.ways import article, html, prose, routes

TOML = "[links]\ntimeout = 5\ninterval = 0.001\n"
pytestmark = pytest.mark.usefixtures("loopback")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(routes=routes()) as running:
        yield running


def book(root: Path, *links: str, toml: str = TOML) -> Path:
    notebook(root, {"2023/a.md": "".join(f"* [link {n}]({url})\n" for n, url in enumerate(links))}, toml)
    return root


def kb(root: Path, *args: str) -> Result:
    result = CliRunner().invoke(
        main, ["--root", str(root), *args], catch_exceptions=False, standalone_mode=False
    )
    result.exit_code = int(result.return_value or 0)  # what `kb` leaves with
    return result


def listed(root: Path, *args: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(kb(root, *args, "--json").stdout)
    return found


# -- links -----------------------------------------------------------------------------------------

DEAD = Looks(
    Standing.DEAD,
    Verdict.BROKEN,
    404,
    reason="404 Not Found",
    last_checked="2026-11-23T09:00:00Z",
    last_alive="2023-10-02T09:00:00Z",
    transitions=(
        Transition("2023-09-01T09:00:00Z", Standing.ALIVE),
        Transition("2026-11-03T09:00:00Z", Standing.DEAD),
    ),
)


def test_a_dead_link_is_told_with_how_long_and_when_it_last_lived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = book(tmp_path, "https://one.example/a", "https://two.example/b")
    kb(root, "links")
    with KnowledgeBase(load(root)) as base:
        base.store.save_look(key("https://one.example/a"), None, DEAD)
    monkeypatch.setattr("kb.knowledge.SystemClock.now", lambda _: "2026-11-24T12:00:00Z")
    text = kb(root, "links", "--standing", "dead").stdout
    assert "dead for 3 weeks, last alive 2023-10-02; 404 Not Found; looked 2026-11-23" in " ".join(
        text.split()
    )
    assert "two.example" not in text


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0.5, "less than a day"),
        (1, "1 day"),
        (13, "13 days"),
        (21, "3 weeks"),
        (70, "2 months"),
        (800, "2 years"),
    ],
)
def test_time_is_told_as_people_say_it(days: float, words: str) -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert duration((now - timedelta(days=days)).isoformat(), now.isoformat()) == words


def test_a_table_of_markdown_holds_strangers_words_as_words(tmp_path: Path) -> None:
    root = book(tmp_path, "https://one.example/a|b")
    kb(root, "links")
    with KnowledgeBase(load(root)) as base:
        (link,) = base.links()
        base.store.save_facts(link.key, Facts(title="*A* | <img src=x> [b](javascript:x)", fetched="2026"))
    text = kb(root, "links", "--format", "markdown").stdout
    header, rule, row = text.splitlines()
    assert header == "| Standing | Link | What is known | Where |"
    assert rule.count("|") == header.count("|") == row.count("|")
    assert "[\\*A\\* &#124; &lt;img src=x&gt; \\[b\\](javascript:x)](https://one.example/a%7Cb)" in row


def test_formats_agree_with_each_other(tmp_path: Path) -> None:
    root = book(tmp_path, "https://one.example/a")
    assert listed(root, "links") == json.loads(kb(root, "links", "--format", "json").stdout)
    assert listed(root, "links")[0]["changed"] is None


def test_a_link_that_the_person_ignores_is_left_out_of_checks(server: Server, tmp_path: Path) -> None:
    gone, good = server.url("404/p1"), server.url("article/p1")
    root = book(tmp_path, gone, good)
    assert kb(root, "check-links").exit_code == 1
    assert kb(root, "links", "--ignore", gone).exit_code == 0
    assert kb(root, "check-links", "--all").exit_code == 0
    assert [one["standing"] for one in listed(root, "links")] == ["ignored", "alive"]
    assert server.times["/404/p1"] == 2  # as ourselves and as a browser, before the person spoke
    assert '"ignored":true' in (root / "links.jsonl").read_text()


def test_i_looked_it_lives_clears_the_strikes(server: Server, tmp_path: Path) -> None:
    gone, good = server.url("404/p2"), server.url("article/p2")
    root = book(tmp_path, gone, good)
    kb(root, "check-links")
    assert [one["standing"] for one in listed(root, "links")] == ["suspect", "alive"]
    assert kb(root, "links", "--alive", gone).exit_code == 0
    assert [one["standing"] for one in listed(root, "links")] == ["alive", "alive"]


def test_a_word_about_a_link_that_no_note_holds_is_refused(tmp_path: Path) -> None:
    from kb.errors import UsageError

    root = book(tmp_path, "https://one.example/a")
    with pytest.raises(UsageError):
        kb(root, "links", "--ignore", "https://other.example/")


# -- check-links -----------------------------------------------------------------------------------


def test_a_summary_in_markdown_says_what_was_found(server: Server, tmp_path: Path) -> None:
    root = book(tmp_path, server.url("404/p3"), server.url("article/p3"))
    done = kb(root, "check-links", "--format", "markdown")
    assert done.exit_code == 1
    summary = "looked at 2 links: 1 alive, 1 broken; new: 1 failed"
    assert done.stdout.startswith(f"### Links\n\n{summary}\n\n| Standing |")
    assert "| suspect | [link 0](" in done.stdout
    assert "article/p3" not in done.stdout
    again = kb(root, "check-links", "--format", "markdown", "--host", "nowhere.example")
    assert again.stdout == "### Links\n\nlooked at 0 links\n\n"


def test_what_is_new_since_the_last_look_is_told_apart_from_what_was_known(
    server: Server, tmp_path: Path
) -> None:
    root = book(tmp_path, server.url("404/p4"), server.url("404/p5"), server.url("article/p6"))
    assert "2 broken; new: 2 failed" in kb(root, "check-links").stderr
    kb(root, "links", "--alive", server.url("404/p4"))
    assert "looked at 3 links: 1 alive, 2 broken; new: 1 failed\n" in kb(root, "check-links", "--all").stderr
    assert "new:" not in kb(root, "check-links", "--all").stderr


def test_unsafe_links_are_listed_and_never_followed(server: Server, tmp_path: Path) -> None:
    root = book(
        tmp_path, "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", server.url("article/p4")
    )
    done = kb(root, "check-links")
    assert done.exit_code == 0
    for scheme in ("javascript", "data", "file"):
        assert f"unsafe: {scheme}: is never followed" in done.stdout
    found = {one["url"]: one for one in listed(root, "check-links")}
    assert found["javascript:alert(1)"]["verdict"] == "skipped"
    assert [one["reason"] for one in listed(root, "links") if one["verdict"] == "skipped"] == [
        f"unsafe: {scheme}: is never followed" for scheme in ("javascript", "data", "file")
    ]


def test_a_page_that_got_another_title_is_told_with_old_and_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FixedClock()
    monkeypatch.setattr("kb.knowledge.SystemClock.now", lambda _: clock.now())
    titles = iter(["Llamas at home", "Casino bonus", "Casino bonus", "Llamas at home", "Casino"])

    def renamed(handler: Any, rest: str) -> None:
        if rest == "page":
            handler.answer(body=article("p1", next(titles)))
        else:
            handler.answer(404, b"")

    with Server(routes={"renamed": renamed}) as server:
        root = book(tmp_path, server.url("renamed/page"))
        kb(root, "check-links", "--all")
        assert listed(root, "links")[0]["title"] == "Llamas at home"
        clock.advance(days=1)
        told = kb(root, "check-links", "--all")
        assert 'changed: "Llamas at home" is now "Casino bonus"' in " ".join(told.stdout.split())
        (found,) = listed(root, "check-links", "--all")
        assert found["title"] == "Llamas at home", "never silently overwritten"
        assert (found["changed"]["from"], found["changed"]["to"]) == ("Llamas at home", "Casino bonus")
        assert found["standing"] == "alive"
        assert '"now_title":"Casino bonus"' in (root / "links.jsonl").read_text()
        clock.advance(days=1)
        (back,) = listed(root, "check-links", "--all")
        assert back["changed"] is None
        clock.advance(days=1)
        assert listed(root, "check-links", "--all")[0]["changed"]["to"] == "Casino"
        clock.advance(days=1)
        kb(root, "links", "--alive", server.url("renamed/page"))
        (taken,) = listed(root, "links")
        assert (taken["title"], taken["changed"]) == ("Casino", None)


def test_a_page_that_says_something_else_is_told_once_its_text_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FixedClock()
    monkeypatch.setattr("kb.knowledge.SystemClock.now", lambda _: clock.now())
    says = prose("llamas", 200)

    def page(handler: Any, rest: str) -> None:
        body = html("A page", f"<article><h1>A page</h1><p>{says}</p></article>")
        handler.answer(200, body if rest == "page" else b"", ETag=f'"{hash(says)}"')

    with Server(routes={"retold": page}) as server:
        root = book(tmp_path, server.url("retold/page"), server.url("retold/page#top"))
        assert kb(root, "enrich").exit_code == 0
        clock.advance(days=1)
        assert all(one["text_changed"] is None for one in listed(root, "check-links", "--all"))
        says = says + " " + prose("comments", 400)
        clock.advance(days=1)
        assert listed(root, "check-links", "--all")[0]["text_changed"] is None, "it only grew"
        says = prose("casino", 300)
        clock.advance(days=1)
        told = " ".join(kb(root, "check-links", "--all").stdout.split())
        assert f'another text: it began "{prose("llamas", 200)[:40]}' in told
        found = listed(root, "links")[0]
        assert (found["standing"], found["changed"]) == ("alive", None)
        assert found["text_changed"]["to"].startswith(says[:40])
        kb(root, "enrich", "--all")
        with KnowledgeBase(load(root)) as base:
            assert base.saved(server.url("retold/page")).text.startswith(
                f"# A page\n\n{prose('llamas', 200)[:40]}"
            )
        assert listed(root, "links")[0]["text_changed"] is not None, "still told, and the old text kept"
        (taken,) = listed(root, "links", "--alive", server.url("retold/page"))
        assert taken["text_changed"] is None
        clock.advance(days=1)
        assert listed(root, "check-links", "--all")[0]["text_changed"] is None
        kb(root, "enrich", "--all")
        with KnowledgeBase(load(root)) as base:
            assert says[:40] in base.saved(server.url("retold/page")).text


@pytest.mark.parametrize("option", ["--ignore", "--alive"])
def test_what_the_person_says_of_a_link_is_told_back(server: Server, tmp_path: Path, option: str) -> None:
    url = server.url("article/p1")
    root = book(tmp_path, url, server.url("article/p2"))
    standing = {"--ignore": "ignored", "--alive": "alive"}[option]
    done = kb(root, "links", option, url)
    assert (done.stdout, done.stderr) == ("", f"{url}: {standing}\n")
    (record,) = listed(root, "links", option, url)
    assert (record["url"], record["standing"]) == (url, standing)
    assert len(listed(root, "links", "--host", "127.0.0.1")) == 2


@pytest.mark.parametrize(
    ("done", "total", "seconds", "words"),
    [
        (0, 10, 5.0, ""),
        (5, 10, 0.5, ""),
        (100, 2000, 10.0, ", 10/s, 190 s left"),
        (400, 500, 10.0, ", 40/s, 2 s left"),
        (2, 10, 10.0, ", 40 s left"),
        (100, 100_000, 10.0, ", 10/s, 166 min left"),
    ],
)
def test_progress_tells_its_rate_and_the_time_left(done: int, total: int, seconds: float, words: str) -> None:
    assert pace(done, total, seconds) == words.replace("190 s", "3 min")


def test_a_proxy_that_is_not_there_is_named_and_nothing_recorded(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = book(tmp_path, server.url("article/p1"), "https://far.example/")
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    command = [sys.executable, "-c", "from kb.cli import run; run()", "--root", str(root), "check-links"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "none of 2 pages answered (the proxy refused: 127.0.0.1:9 cannot be reached)" in done.stderr
    assert not (root / "links.jsonl").exists()


# -- cut short -------------------------------------------------------------------------------------


def start(root: Path, name: str = "check-links") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from kb.cli import run; run()", "--root", str(root), name]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def wait_for(condition: Any) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def recorded(root: Path) -> int:
    """Looks in the store, as another process sees them."""
    import sqlite3

    path = root / ".kb" / "kb.sqlite3"
    if not path.exists():
        return 0
    store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return int(store.execute("SELECT count(*) FROM checks").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        store.close()


@pytest.fixture
def half_slow(server: Server, tmp_path: Path) -> Path:
    """Eight links that answer, and as many that never do."""
    good = [server.url(f"article/p{n}") for n in range(100, 108)]
    return book(
        tmp_path,
        *good,
        *(server.url(f"never-answers/p{n}") for n in range(8)),
        toml=TOML + "per_host = 32\n",
    )


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_keeps_what_it_did_and_writes_the_ledger(half_slow: Path, how: signal.Signals) -> None:
    process = start(half_slow)
    wait_for(lambda: recorded(half_slow) >= 8)
    process.send_signal(how)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "what was done is kept" in errors
    entries = ledger.read(half_slow / "links.jsonl").values()
    assert sum(one.looks.standing is Standing.ALIVE for one in entries) == 8


def test_facts_that_are_known_when_it_is_told_to_end_are_kept(half_slow: Path) -> None:
    process = start(half_slow, "enrich")
    wait_for(lambda: len(list((half_slow / "saved").glob("*"))) >= 8)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "what was done is kept" in errors
    assert sum(one.facts.title is not None for one in ledger.read(half_slow / "links.jsonl").values()) == 8


def test_a_killed_run_loses_no_more_than_what_was_in_flight_and_the_ledger_catches_up(
    half_slow: Path,
) -> None:
    process = start(half_slow)
    wait_for(lambda: recorded(half_slow) >= 8)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=20)
    assert not (half_slow / "links.jsonl").exists()
    again = kb(half_slow, "check-links", "--host", "nowhere.example")
    assert again.exit_code == 0
    entries = ledger.read(half_slow / "links.jsonl").values()
    assert sum(one.looks.standing is Standing.ALIVE for one in entries) == 8


# -- repair and the archive ------------------------------------------------------------------------


def test_repair_shows_a_diff_and_writes_only_when_told(server: Server, tmp_path: Path) -> None:
    moved = server.url("moved-301/p1")
    root = book(tmp_path, moved)
    kb(root, "check-links")
    path = root / "notes/2023/a.md"
    before = path.read_text()
    shown = kb(root, "repair")
    assert shown.exit_code == 0
    assert f"-* [link 0]({moved})\n+* [link 0]({moved}/0)\n" in shown.stdout
    assert "kb repair --apply   writes it" in shown.stderr
    assert kb(root, "repair", "--apply", "--dry-run").stdout == shown.stdout
    assert path.read_text() == before
    (change,) = listed(root, "repair")
    assert (change["path"], change["line"], change["old"]) == ("2023/a.md", 1, moved)
    assert kb(root, "repair", "--apply").exit_code == 0
    assert path.read_text() == before.replace(moved, moved + "/0")
    assert "no link to rewrite" in kb(root, "repair").stderr


def test_a_new_link_is_kept_in_the_archive_where_the_notebook_asks_for_it(
    server: Server, tmp_path: Path
) -> None:
    url = server.url("article/p9")
    root = book(tmp_path, toml=TOML + "archive = true\n")
    with Archive() as archive, KnowledgeBase(load(root)) as base:
        assert base.add_link(url, archive=archive.base).warning == ""
        base.add_link(url, archive=archive.base)
        assert archive.saved == [url], "only once, when it is new"
        (link,) = base.links()
        assert link.looks.archived_url == f"{archive.base}/web/20261124120000/{url}"
    assert "archived_url" in (root / "links.jsonl").read_text()


def test_an_archive_that_fails_costs_a_warning_and_no_more(server: Server, tmp_path: Path) -> None:
    url = server.url("article/p10")
    root = book(tmp_path, toml=TOML + "archive = true\n")
    with Archive(silent=True) as archive, KnowledgeBase(load(root)) as base:
        assert base.add_link(url, archive=archive.base).warning == f"{url}: the archive made no copy"
        assert [link.url for link in base.links()] == [url]


def test_without_being_asked_no_link_is_told_to_the_archive(server: Server, tmp_path: Path) -> None:
    root = book(tmp_path)
    with Archive() as archive, KnowledgeBase(load(root)) as base:
        base.add_link(server.url("article/p11"), archive=archive.base)
        base.add_link(server.url("article/p12"), archive=archive.base, dry_run=True)
        assert archive.asked == []
