"""What was seen on the web outlives the store: notes, ledger and saved pages give everything back."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from kb import observed
from kb.errors import LedgerError
from kb.knowledge import KnowledgeBase
from kb.model import Facts, Key, LinkRecord, Look, Person, Saved, Standing, Verdict
from kb.store import ledger, saved, schema
from kb.store.store import Store
from kb.testing import FixedClock
from kb.web.verdict import Thresholds, advance
from tests.notebook import NOTES, write_notebook
from tests.site_build import build, write_mkdocs_yml

QLORA = Key("arxiv:2305.14314")
THREAD = Key("hn:37091586")
RANT = Key("https://rants.example/p/retrieval-first")
PRIVATE = Key("https://secret.example/plan")


def seen(root: Path) -> None:
    """A notebook with a history: facts, looks over days, a death, words of the person, a saved page."""
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
        store, clock = base.store, FixedClock("2026-11-01T08:00:00Z")
        store.save_facts(
            QLORA,
            Facts(
                title="QLoRA: Efficient Finetuning",
                authors=("Tim Dettmers",),
                published="2023-05-23",
                fetched=clock.now(),
                extra={"source": "arxiv", "saved": "2026-11-01"},
            ),
        )
        store.add_alias("https://arxiv.org/abs/2305.14314v9", QLORA)
        for verdict in (Verdict.ALIVE, *[Verdict.BROKEN] * 4):
            for key in (RANT, THREAD):
                record = store.link(key)
                assert record is not None
                mine = verdict if key == RANT else Verdict.ALIVE
                look = Look(clock.now(), mine, 404 if mine is Verdict.BROKEN else 200, reason="as seen")
                store.save_look(key, look, advance(record.looks, look, Thresholds()))
            clock.advance(days=2)
        store.save_person(THREAD, Person(ignored=True, said_at=clock.now()))
        if store.link(PRIVATE):
            store.save_facts(PRIVATE, Facts(title="The plan", fetched=clock.now()))
        page = Saved(
            QLORA.key, "https://arxiv.org/abs/2305.14314", "QLoRA", clock.now(), "Words of a zanzibar."
        )
        saved.write(base.settings.saved, page)
        observed.record(store, base.settings)


def links(root: Path) -> list[LinkRecord]:
    with KnowledgeBase.open(root) as base:
        return base.links()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    notes = NOTES | {
        "private/plan.md": "* https://secret.example/plan and https://arxiv.org/abs/2305.14314\n"
    }
    root = write_notebook(tmp_path / "notebook", notes)
    seen(root)
    return root


def test_deleting_the_store_and_syncing_gives_back_titles_standings_and_dates(root: Path) -> None:
    before = links(root)
    assert {link.standing for link in before} >= {Standing.DEAD, Standing.IGNORED, Standing.UNCHECKED}
    shutil.rmtree(root / ".kb")
    after = links(root)
    # When a link that nobody looked at was first seen is known to the store alone.
    looked = {link.key for link in before if link.looks.last_checked or link.facts.title}
    assert [link for link in after if link.key in looked] == [link for link in before if link.key in looked]
    forget = [replace(link, looks=replace(link.looks, first_seen=None)) for link in after]
    assert forget == [replace(link, looks=replace(link.looks, first_seen=None)) for link in before]
    with KnowledgeBase.open(root) as base:
        assert base.search("zanzibar", mode="keyword").hits[0].links[0].title == "QLoRA: Efficient Finetuning"


def test_writing_the_ledger_again_changes_no_byte(root: Path) -> None:
    before = (root / "links.jsonl").read_bytes()
    shutil.rmtree(root / ".kb")
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
        assert not observed.record(base.store, base.settings)
    assert (root / "links.jsonl").read_bytes() == before


def test_what_stands_in_private_notes_alone_is_in_no_shared_file(root: Path) -> None:
    shared = (root / "links.jsonl").read_text()
    assert "secret.example" not in shared
    assert "2305.14314" in shared
    assert "The plan" in (root / "links.private.jsonl").read_text()


def digest(site: Path) -> dict[str, str]:
    return {
        path.relative_to(site).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(site.rglob("*"))
        if path.is_file() and path.suffix in (".html", ".md", ".json")
    }


def test_a_clone_with_no_network_builds_the_same_site(root: Path, tmp_path: Path) -> None:
    write_mkdocs_yml(root)
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in ("kb.toml", "mkdocs.yml", "links.jsonl"):  # what git holds: no store, no private ledger
        shutil.copy2(root / name, clone / name)
    shutil.copytree(root / "notes", clone / "notes")
    first = digest(build(root))
    second = digest(build(clone))
    assert "links/index.html" in first
    assert first == second
    page = (root / "site" / "links" / "index.html").read_text()
    assert "QLoRA: Efficient Finetuning" in page
    assert "kb-dead" in page


def test_the_site_says_that_a_dead_pages_text_is_kept(root: Path) -> None:
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
        base.store.save_facts(
            RANT, Facts(title="A rant", fetched="2026-11-01T08:00:00Z", extra={"saved": "2026-11-01"})
        )
        observed.record(base.store, base.settings)
    write_mkdocs_yml(root)
    page = (build(root) / "links" / "index.html").read_text()
    assert page.count("text of 1 November 2026 kept") == 1


# -- git -------------------------------------------------------------------------------------------


def git(root: Path, *args: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", *args],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
    )
    return done.stdout + done.stderr


def _look(root: Path, key: Key, verdict: Verdict, at: str, title: str | None = None) -> None:
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
        record = base.store.link(key)
        assert record is not None
        look = Look(at, verdict, 200, reason=f"{verdict} at {at}")
        base.store.save_look(key, look, advance(record.looks, look, Thresholds()))
        if title:
            base.store.save_facts(key, Facts(title=title, fetched=at))
        observed.record(base.store, base.settings)


def test_what_two_clones_saw_is_joined_by_git_and_the_next_sync(root: Path, tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    (root / ".gitattributes").write_text("links.jsonl merge=union\n")
    (root / ".gitignore").write_text(".kb/\nlinks.private.jsonl\n")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "begin")
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(root), str(other))
    _look(root, RANT, Verdict.ALIVE, "2026-12-01T00:00:00Z")
    _look(root, QLORA, Verdict.ALIVE, "2026-12-02T00:00:00Z")
    git(root, "commit", "-q", "-a", "-m", "here")
    _look(other, RANT, Verdict.BROKEN, "2026-11-20T00:00:00Z", title="The rant")
    git(other, "commit", "-q", "-a", "-m", "there")
    told = git(other, "pull", "-q", "--no-rebase", "--no-edit")
    assert "CONFLICT" not in told
    assert (other / "links.jsonl").read_text().count(RANT.key) == 2  # one line of each side
    with KnowledgeBase.open(other) as base:
        base.sync(embed=False)
        rant, qlora = base.store.link(RANT), base.store.link(QLORA)
        assert rant is not None
        assert qlora is not None
        assert (rant.standing, rant.looks.last_checked) == (Standing.ALIVE, "2026-12-01T00:00:00Z")
        assert rant.facts.title == "The rant"
        assert len({one.at for one in rant.looks.transitions}) == len(rant.looks.transitions)
        assert qlora.looks.last_alive == "2026-12-02T00:00:00Z"
        observed.record(base.store, base.settings)
    assert (other / "links.jsonl").read_text().count(f'"key":"{RANT.key}"') == 1


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", "=======", ">>>>>>> there", "||||||| base"])
def test_marks_of_a_conflict_stop_a_sync_with_the_way_out_and_lose_nothing(root: Path, mark: str) -> None:
    path = root / "links.jsonl"
    whole = path.read_text()
    path.write_text(f"{mark}\n{whole}")
    with KnowledgeBase.open(root) as base, pytest.raises(LedgerError, match=r"links\.jsonl:1") as caught:
        base.sync(embed=False)
    assert "delete the lines" in caught.value.hint
    assert path.read_text() == f"{mark}\n{whole}"


def test_a_ledger_of_a_stranger_names_links_that_no_note_holds_and_they_are_kept(tmp_path: Path) -> None:
    root = write_notebook(tmp_path / "n", {"a.md": "* nothing\n"})
    line = ledger.render(
        [ledger.Entry(Key("https://gone.example/"), Facts(title="Gone", fetched="2026-01-01T00:00:00Z"))]
    )
    (root / "links.jsonl").write_text(line)
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
        observed.record(base.store, base.settings)
    assert (root / "links.jsonl").read_text() == line


def test_an_older_store_is_brought_up_to_date_where_it_stands(tmp_path: Path) -> None:
    root = write_notebook(tmp_path / "n")
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
        path = base.settings.store
    with Store.open(path) as store:
        store.connection.execute("ALTER TABLE passages DROP COLUMN embed")
        store.connection.execute("DROP TABLE saved")
        store.connection.execute("DELETE FROM _sqlite_migrations WHERE name = '0002_saved_pages'")
        store.connection.execute("PRAGMA user_version = 1")
    schema.ensure(path)
    with Store.open(path) as store:
        assert store.saved_stats() == {}
        assert store.passage_count() > 5
