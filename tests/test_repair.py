"""Repair: what moved gets its target, what died the archived copy of its day, and no other byte changes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kb.config import Settings
from kb.edits import apply_edits
from kb.knowledge import KnowledgeBase
from kb.model import Filter, Looks, Standing, Verdict
from kb.repair import NoteEdit, RepairPlan, plan_repair
from kb.store.schema import memory
from kb.store.store import Store
from kb.sync import sync
from kb.testing import FixedClock
from kb.titles import TitleEdit
from kb.urls import key
from kb.web import wayback
from kb.web.outcome import Outcome
from kb.web.wayback import AVAILABLE, SAVE, is_copy
from tests.archive import Archive
from tests.store_helpers import notebook

TOML = "[links]\ntimeout = 5\n"
pytestmark = pytest.mark.usefixtures("loopback")
NOTE = """---
title: Links
date: 2023-09-05
---

* [One](https://one.example/old#part) and <https://one.example/old>, twice
* Bare: https://two.example/gone. A stop behind it
* [Three](https://three.example/a_(b) "title")\ttab, and a last line without end"""
CRLF = "* [One](https://one.example/old)\r\n* caf\u00e9 [Two](https://two.example/gone)\r\n"


@pytest.fixture
def store() -> Iterator[Store]:
    with memory() as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return notebook(tmp_path, {"a.md": NOTE, "deep/b.md": CRLF}, TOML)


def read(store: Store, settings: Settings) -> None:
    sync(store, settings, FixedClock())


def stand(store: Store, url: str, standing: Standing, verdict: Verdict, **fields: object) -> None:
    looks = Looks(
        standing,
        verdict,
        first_seen="2026-01-01T00:00:00Z",
        last_checked="2026-11-20T08:00:00Z",
        **fields,  # type: ignore[arg-type]
    )
    for link in store.links():
        if link.key.key == key(url).key:
            store.save_look(link.key, None, looks)


def move(store: Store, url: str, final: str, reason: str = "redirects for good to it (301)") -> None:
    stand(store, url, Standing.MOVED, Verdict.MOVED, final_url=final, reason=reason)


def die(store: Store, url: str, reason: str = "404 Not Found") -> None:
    stand(store, url, Standing.DEAD, Verdict.BROKEN, reason=reason)


def plan(store: Store, settings: Settings, base: str = "http://127.0.0.1:1", **narrow: object) -> RepairPlan:
    return plan_repair(store, settings, FixedClock(), Filter(**narrow), base=base)  # type: ignore[arg-type]


# -- what moved ------------------------------------------------------------------------------------


def test_a_page_that_moved_for_good_is_rewritten_wherever_it_stands_and_its_place_kept(
    store: Store, settings: Settings
) -> None:
    read(store, settings)
    move(store, "https://one.example/old", "https://one.example/new")
    made = plan(store, settings)
    assert [(change.path, change.line, change.old, change.new) for change in made.changes] == [
        ("a.md", 6, "https://one.example/old#part", "https://one.example/new#part"),
        ("a.md", 6, "https://one.example/old", "https://one.example/new"),
        ("deep/b.md", 1, "https://one.example/old", "https://one.example/new"),
    ]
    apply_edits(made.edits, settings)
    assert (settings.notes / "a.md").read_bytes() == NOTE.replace("/old", "/new").encode()
    assert (settings.notes / "deep/b.md").read_bytes() == CRLF.replace("/old", "/new").encode()


def test_a_plan_writes_nothing(store: Store, settings: Settings) -> None:
    read(store, settings)
    move(store, "https://one.example/old", "https://one.example/new")
    assert plan(store, settings).changes
    assert (settings.notes / "a.md").read_bytes() == NOTE.encode()


def test_the_diff_is_one_that_git_takes(store: Store, settings: Settings, tmp_path: Path) -> None:
    read(store, settings)
    move(store, "https://one.example/old", "https://one.example/new")
    move(store, "https://three.example/a_(b)", "https://three.example/c")
    made = plan(store, settings)
    assert "\\ No newline at end of file" in made.edits[0].diff
    diff = "".join(one.diff for one in made.edits).encode()
    subprocess.run(["git", "apply", "-"], cwd=settings.notes, input=diff, check=True, capture_output=True)
    for one in made.edits:
        assert (settings.notes / one.path).read_bytes() == one.after


@pytest.mark.parametrize(
    "final",
    [
        "https://one.example/",
        "https://elsewhere.example/",
        "https://one.example/index.html",
        "https://one.example/en/",
        "https://one.example/#content",
        "https://one.example/#utm_source=old",
        "https://one.example/login?next=/old",
        "https://accounts.example/signin",
        "https://one.example/?return=%2Fold",
        "https://consent.example/collectConsent",
        "ftp://one.example/new",
    ],
)
def test_a_home_page_a_login_and_a_page_of_consent_replace_nothing(
    store: Store, settings: Settings, final: str
) -> None:
    read(store, settings)
    move(store, "https://one.example/old", final)
    assert plan(store, settings).edits == ()


def test_a_page_that_became_a_part_of_the_home_page_is_replaced_with_it(
    store: Store, settings: Settings
) -> None:
    read(store, settings)
    move(store, "https://one.example/old", "https://one.example/#about")
    assert {change.new for change in plan(store, settings).changes} == {"https://one.example/#about"}


def test_a_temporary_redirect_replaces_nothing(store: Store, settings: Settings) -> None:
    read(store, settings)
    stand(
        store,
        "https://one.example/old",
        Standing.ALIVE,
        Verdict.ALIVE,
        final_url="https://one.example/today",
        reason="200 OK, by way of https://one.example/today (302)",
    )
    assert plan(store, settings).edits == ()


def test_a_link_that_the_last_look_no_longer_found_moved_is_left_alone(
    store: Store, settings: Settings
) -> None:
    read(store, settings)
    stand(
        store,
        "https://one.example/old",
        Standing.MOVED,
        Verdict.UNREACHABLE,
        final_url="https://one.example/x",
    )
    assert plan(store, settings).edits == ()


def test_a_note_and_a_host_narrow_what_is_rewritten(store: Store, settings: Settings) -> None:
    read(store, settings)
    move(store, "https://one.example/old", "https://one.example/new")
    move(store, "https://three.example/a_(b)", "https://three.example/c")
    assert {change.path for change in plan(store, settings, paths=("deep",)).changes} == {"deep/b.md"}
    narrowed = plan(store, settings, hosts=("three.example",))
    assert [change.new for change in narrowed.changes] == ["https://three.example/c"]


def test_another_spelling_of_a_paper_is_not_rewritten_to_what_the_first_led_to(
    store: Store, tmp_path: Path
) -> None:
    abs, pdf = "http://arxiv.org/abs/2305.14314", "http://arxiv.org/pdf/2305.14314"
    settings = notebook(tmp_path / "papers", {"a.md": f"* <{abs}>\n* <{pdf}>\n"}, TOML)
    read(store, settings)
    move(store, abs, "https://arxiv.org/abs/2305.14314")
    assert [change.old for change in plan(store, settings).changes] == [abs]


def test_a_note_that_changed_meanwhile_is_left_alone(store: Store, settings: Settings) -> None:
    read(store, settings)
    move(store, "https://one.example/old", "https://one.example/new")
    made = plan(store, settings)
    (settings.notes / "a.md").write_text("something else")
    done = apply_edits(made.edits, settings)
    assert done.written == ["deep/b.md"]
    assert [(problem.path, "changed" in problem.message) for problem in done.problems] == [("a.md", True)]
    assert (settings.notes / "a.md").read_text() == "something else"


# -- what died -------------------------------------------------------------------------------------

GONE = "https://two.example/gone"
COPIES = {GONE: {"20150101000000": "200", "20230829000000": "200", "20250101000000": "200"}}


def test_a_dead_link_gets_the_copy_nearest_to_the_notes_date(store: Store, settings: Settings) -> None:
    read(store, settings)
    die(store, GONE)
    with Archive(COPIES) as archive:
        made = plan(store, settings, archive.base, paths=("a.md",))
        assert archive.questions() == [{"url": GONE, "timestamp": "20230905"}]
    copy = f"https://web.archive.org/web/20230829000000/{GONE}"
    assert [(change.old, change.new) for change in made.changes] == [(GONE, copy)]
    assert made.changes[0].why == "404 Not Found: the archived copy of 2023-08-29"
    apply_edits(made.edits, settings)
    assert (settings.notes / "a.md").read_bytes() == NOTE.replace(GONE, copy).encode()


def test_a_note_without_a_date_asks_for_the_latest_copy(store: Store, settings: Settings) -> None:
    read(store, settings)
    die(store, GONE)
    with Archive(COPIES) as archive:
        made = plan(store, settings, archive.base, paths=("deep",))
        assert archive.questions() == [{"url": GONE}]
    assert made.changes[0].new == f"https://web.archive.org/web/20250101000000/{GONE}"


def test_a_dead_link_without_a_good_copy_is_told_and_left(store: Store, settings: Settings) -> None:
    read(store, settings)
    die(store, GONE)
    with Archive({GONE: {"20230901000000": "404"}}) as archive:
        made = plan(store, settings, archive.base)
    assert (made.edits, made.silent) == ((), 0)
    assert [link.url for link in made.lost] == [GONE]


def test_an_archive_that_does_not_answer_is_no_proof_that_it_holds_nothing(
    store: Store, settings: Settings
) -> None:
    read(store, settings)
    die(store, GONE)
    with Archive(silent=True) as archive:
        made = plan(store, settings, archive.base)
    assert (made.edits, made.lost, made.silent) == ((), (), 1)


def test_a_copy_made_when_the_link_was_added_serves_when_the_archive_is_silent(
    store: Store, settings: Settings
) -> None:
    read(store, settings)
    kept = f"https://web.archive.org/web/20230905000000/{GONE}"
    stand(store, GONE, Standing.DEAD, Verdict.BROKEN, reason="410 Gone", archived_url=kept)
    made = plan(store, settings)
    assert {change.new for change in made.changes} == {kept}


def test_suspect_and_walled_links_are_left_alone(store: Store, settings: Settings) -> None:
    read(store, settings)
    with Archive(COPIES) as archive:
        for standing, verdict in (
            (Standing.SUSPECT, Verdict.BROKEN),
            (Standing.UNKNOWN, Verdict.BLOCKED),
            (Standing.ALIVE, Verdict.UNREACHABLE),
        ):
            stand(store, GONE, standing, verdict, last_conclusive="2020-01-01T00:00:00Z")
            assert plan(store, settings, archive.base).edits == ()
        assert archive.questions() == []


@pytest.mark.parametrize(("since", "offered"), [("2026-08-20", True), ("2026-09-20", False)])
def test_a_page_out_of_reach_for_a_season_is_offered_its_copy(
    store: Store, settings: Settings, since: str, offered: bool
) -> None:
    read(store, settings)
    stand(store, GONE, Standing.UNKNOWN, Verdict.UNREACHABLE, last_conclusive=f"{since}T00:00:00Z")
    with Archive(COPIES) as archive:
        assert bool(plan(store, settings, archive.base).edits) == offered


def test_an_archived_copy_that_died_is_not_looked_up_in_the_archive(store: Store, tmp_path: Path) -> None:
    copy = f"https://web.archive.org/web/2015/{GONE}"
    settings = notebook(tmp_path / "copies", {"a.md": f"* <{copy}>\n"}, TOML)
    read(store, settings)
    die(store, copy)
    assert is_copy(copy)
    assert plan(store, settings).edits == ()


def test_an_ignored_link_is_left_alone(store: Store, settings: Settings) -> None:
    read(store, settings)
    move(store, "https://one.example/old", "https://one.example/new")
    for link in store.links():
        store.save_person(link.key, replace(link.person, ignored=True))
    assert plan(store, settings).edits == ()


# -- the whole -------------------------------------------------------------------------------------


def test_the_archive_is_the_real_one_unless_told_otherwise() -> None:
    assert (AVAILABLE, SAVE) == ("https://archive.org", "https://web.archive.org")


def test_after_repair_the_notebook_knows_the_new_address(settings: Settings) -> None:
    with KnowledgeBase(settings) as base:
        base.links(Filter())
        move(base.store, "https://one.example/old", "https://one.example/new")
        plan = base.repair(apply=True)
        assert len(plan.changes) == 3
        urls = {link.url for link in base.links(Filter())}
        assert "https://one.example/new" in urls
        assert not any(url.startswith("https://one.example/old") for url in urls)
        assert base.repair(apply=True).edits == ()


def test_only_a_line_feed_parts_the_lines_of_a_diff() -> None:
    before, after = b"a\x0cb\xe2\x80\xa8c\rd\nlast", b"a\x0cb\xe2\x80\xa8C\rd\nlast"
    told = TitleEdit("n.md", before, after).diff
    assert told == NoteEdit("n.md", (), before, after).diff
    changed = ["-a\x0cb\u2028c\rd", "+a\x0cb\u2028C\rd", " last", "\\ No newline at end of file", ""]
    assert told.split("\n")[3:] == changed


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"archived_snapshots": ' + b'{"closest":' * 50_000,
        b'{"archived_snapshots": []}',
        b"\xff",
        b"",
    ],
)
def test_what_is_no_answer_of_the_archive_is_none(body: bytes) -> None:
    with pytest.raises(ConnectionError):
        wayback.read(Outcome("https://archive.org/", "https://archive.org/", 200, body=body))


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/web/20230101000000/https://x.example/", "javascript:/web/20230101/", "", 7, None],
)
def test_a_copy_that_somebody_else_keeps_is_not_offered(url: object) -> None:
    closest = {"available": True, "status": "200", "url": url}
    body = json.dumps({"archived_snapshots": {"closest": closest}}).encode()
    assert wayback.read(Outcome("https://archive.org/", "https://archive.org/", 200, body=body)) is None
