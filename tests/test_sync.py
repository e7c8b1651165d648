from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb import fresh, observed, sync
from kb.config import Settings
from kb.errors import LedgerError, StoreBusy
from kb.model import Facts, Filter, Key, Look, Looks, Person, Saved, Standing, SyncReport, Verdict
from kb.notes import files
from kb.notes import walk as walks
from kb.search.vectors import Compaction, VectorFile, vector_path
from kb.store import ledger, lock, saved, schema
from kb.store.store import Store
from kb.sync import Stage
from kb.testing import FakeEncoder, FixedClock
from tests.store_helpers import LONG_AGO_NS, embedded, notebook, open_store, vector_rows, write

NOTES = {
    "2023-09-01-qlora.md": "# QLoRA\n\n* [QLoRA](https://arxiv.org/abs/2305.14314) fits 33B in 24 GB\n",
    "deep/plain.md": "---\ntitle: Plain\ndate: 2023-05-01\n---\n\nSome words of a paragraph.\n",
    "words.md": "---\ntitle: Words\nkind: glossary\n---\n\n* **RAG**: Retrieval-Augmented Generation.\n",
}
ARXIV = Key("arxiv:2305.14314")


class Bench:
    """A notebook on disk with its store, its fake encoder and its file of vectors."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = open_store(settings.store)
        self.encoder = FakeEncoder()
        self.vectors = VectorFile(
            vector_path(settings.derived, self.encoder.identity), self.encoder.identity, self.encoder.width
        )
        self.clock = FixedClock()

    def sync(self, *, embed: bool = True, rehash: bool = False) -> SyncReport:
        report = sync.sync(self.store, self.settings, self.clock, rehash=rehash)
        return embedded(report, self.store, self.settings, self.encoder, self.vectors) if embed else report

    def found(self, word: str) -> list[str | None]:
        ids = [id for id, _ in self.store.keyword(f'"{word}"')]
        return [hit.path for hit in self.store.hits(ids).values()]

    def write(self, path: str, text: str, mtime_ns: int = LONG_AGO_NS + 1_000_000_000) -> None:
        write(self.settings.notes / path, text, mtime_ns)

    def move(self, old: str, new: str) -> None:
        (self.settings.notes / old).rename(self.settings.notes / new)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(notebook(tmp_path / "book", NOTES))
    yield bench
    bench.store.close()


def figures(report: SyncReport) -> tuple[int, ...]:
    return report.added, report.changed, report.renamed, report.deleted, report.unchanged


# -- notes -------------------------------------------------------------------------------------


def test_a_first_sync_reads_every_note(bench: Bench) -> None:
    report = bench.sync()
    assert figures(report) == (3, 0, 0, 0, 0)
    assert report.passages == bench.store.passage_count() > 2
    assert report.links == 1
    assert report.embedded > 0
    assert report.pending == 0
    assert bench.found("33B") == ["2023-09-01-qlora.md"]
    assert [term.term for _, term in bench.store.terms()] == ["RAG"]


def test_a_second_sync_has_nothing_to_do_and_writes_nothing(bench: Bench) -> None:
    bench.sync()
    before = bench.store.connection.total_changes
    bench.encoder.texts.clear()
    report = bench.sync()
    assert figures(report) == (0, 0, 0, 0, 3)
    assert (report.touched, report.embedded, bench.encoder.texts) == (0, 0, [])
    assert bench.store.connection.total_changes == before


def test_freshness_is_what_a_sync_would_find_to_do(bench: Bench) -> None:
    assert not fresh.look(bench.store, bench.settings).current
    full = bench.sync()
    found = fresh.look(bench.store, bench.settings)
    assert found.current
    quick = fresh.report(bench.store, bench.settings, found)
    assert (quick.passages, quick.links, quick.pending) == (full.passages, full.links, 0)
    bench.write("new.md", "new")
    assert [one.path for one in fresh.look(bench.store, bench.settings).changed] == ["new.md"]
    (bench.settings.notes / "new.md").unlink()
    (bench.settings.notes / "words.md").unlink()
    assert fresh.look(bench.store, bench.settings).gone == ("words.md",)


def test_only_what_changed_is_read_again_and_embedded(bench: Bench) -> None:
    bench.sync()
    bench.encoder.texts.clear()
    bench.write("deep/plain.md", NOTES["deep/plain.md"] + "\nAnother paragraph about llamas.\n")
    report = bench.sync()
    assert figures(report) == (0, 1, 0, 0, 2)
    assert [text.splitlines()[-1] for text in bench.encoder.texts] == ["Another paragraph about llamas."]
    assert bench.found("llamas") == ["deep/plain.md"]


def test_a_deleted_note_is_forgotten_and_its_comeback_is_not_embedded_again(bench: Bench) -> None:
    bench.sync()
    (bench.settings.notes / "deep/plain.md").unlink()
    assert figures(bench.sync()) == (0, 0, 0, 1, 2)
    assert bench.found("paragraph") == []
    bench.encoder.texts.clear()
    bench.write("deep/plain.md", NOTES["deep/plain.md"])
    assert figures(bench.sync()) == (1, 0, 0, 0, 2)
    assert bench.found("paragraph") == ["deep/plain.md"]
    assert bench.encoder.texts == []


def test_a_renamed_note_keeps_its_rows_and_its_vectors(bench: Bench) -> None:
    bench.sync()
    before = bench.store.keyword('"paragraph"')
    bench.encoder.texts.clear()
    bench.move("deep/plain.md", "other.md")
    assert figures(bench.sync()) == (0, 0, 1, 0, 2)
    assert bench.store.keyword('"paragraph"') == before
    assert bench.found("paragraph") == ["other.md"]
    assert bench.encoder.texts == []


def test_a_rename_that_changes_what_the_path_tells_is_read_anew(bench: Bench) -> None:
    bench.sync()
    bench.move("2023-09-01-qlora.md", "2024-01-01-qlora.md")
    assert figures(bench.sync()) == (0, 0, 1, 0, 2)
    (row,) = [row for row in bench.store.notes() if row.path == "2024-01-01-qlora.md"]
    assert str(row.noted) == "2024-01-01"
    (bench.settings.notes / "private").mkdir()
    bench.move("2024-01-01-qlora.md", "private/2024-01-01-qlora.md")
    assert figures(bench.sync()) == (0, 0, 1, 0, 2)
    assert bench.store.private_keys() == {ARXIV}


def test_a_copy_is_a_new_note_and_no_rename(bench: Bench) -> None:
    bench.sync()
    bench.write("copy.md", NOTES["deep/plain.md"])
    assert figures(bench.sync()) == (1, 0, 0, 0, 3)
    assert sorted(map(str, bench.found("paragraph"))) == ["copy.md", "deep/plain.md"]


def test_two_notes_that_swap_their_names_swap_their_words(bench: Bench) -> None:
    bench.write("a.md", "apple")
    bench.write("b.md", "banana")
    bench.sync()
    bench.write("a.md", "banana", LONG_AGO_NS)
    bench.write("b.md", "apple", LONG_AGO_NS)
    bench.sync()
    assert (bench.found("apple"), bench.found("banana")) == (["b.md"], ["a.md"])


def test_a_touched_file_of_the_same_bytes_is_unchanged_and_its_new_stamp_is_kept(bench: Bench) -> None:
    bench.sync()
    os.utime(bench.settings.notes / "words.md", ns=(LONG_AGO_NS + 5, LONG_AGO_NS + 5))
    assert figures(bench.sync()) == (0, 0, 0, 0, 3)
    assert fresh.look(bench.store, bench.settings).current


def test_files_of_a_time_that_64_bits_cannot_hold_are_read(bench: Bench) -> None:
    far = 12 * 10**18  # nanoseconds: the year 2350
    bench.write("a.md", "* apple\n", far)
    page = Saved(key="k", url="https://k.example/", title="K", fetched="2026-01-01", text="pear")
    saved.write(bench.settings.saved, page)
    for path in bench.settings.saved.iterdir():
        os.utime(path, ns=(far, far))
    bench.sync()
    assert bench.found("apple") == ["a.md"]
    bench.write("a.md", "* mango tree\n", far)
    bench.sync()
    assert bench.found("mango") == ["a.md"]


def test_a_change_that_keeps_size_and_mtime_is_seen_by_rehash_alone(bench: Bench) -> None:
    bench.sync()
    bench.write("deep/plain.md", NOTES["deep/plain.md"].replace("paragraph", "telegraph"), LONG_AGO_NS)
    assert figures(bench.sync()) == (0, 0, 0, 0, 3)
    assert figures(bench.sync(rehash=True)) == (0, 1, 0, 0, 2)
    assert bench.found("telegraph") == ["deep/plain.md"]


def test_a_note_written_just_now_may_change_again_within_the_same_tick(bench: Bench) -> None:
    now = time.time_ns()
    bench.write("quick.md", "first", now)
    bench.sync()
    bench.write("quick.md", "other", now)
    assert bench.sync().changed == 1
    assert bench.found("other") == ["quick.md"]


def test_a_setting_that_notes_are_read_by_makes_all_be_read_anew(bench: Bench) -> None:
    bench.write("us.md", "* 7/05/2023 something dated\n")
    bench.sync()
    (bench.settings.root / "kb.toml").write_text("[notes]\nday_first = true\n")
    bench.settings = notebook(bench.settings.root, {}, "[notes]\nday_first = true\n")
    bench.sync()
    ((id, _),) = bench.store.keyword('"dated"')
    assert str(bench.store.hits([id])[id].date) == "2023-05-07"
    assert fresh.look(bench.store, bench.settings).current


def test_syncing_never_changes_a_note_or_writes_outside_of_the_derived_folder(bench: Bench) -> None:
    def everything() -> dict[str, tuple[bytes, int]]:
        files = (path for path in bench.settings.root.rglob("*") if path.is_file())
        return {
            str(path): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in files
            if not path.is_relative_to(bench.settings.derived)
        }

    before = everything()
    bench.sync()
    bench.sync(rehash=True)
    assert everything() == before


def test_problems_are_reported_by_every_sync_until_they_are_mended(bench: Bench) -> None:
    bench.write("broken.md", "---\ntitle: [\n---\n\nstill found\n")
    for _ in range(2):
        report = bench.sync()
        assert {problem.path for problem in report.problems} == {"broken.md"}
    assert bench.found("found") == ["broken.md"]
    bench.write("broken.md", "---\ntitle: fine\n---\n\nstill found\n", LONG_AGO_NS + 7)
    assert bench.sync().problems == ()


def test_a_file_that_cannot_be_read_is_named_and_what_it_said_is_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.sync()
    bench.write("deep/plain.md", "changed")
    bench.write("new.md", "new words")
    real = files.read

    def refuse(root: Path, path: str) -> bytes:
        if path == "deep/plain.md":
            raise PermissionError(13, "Permission denied")
        return real(root, path)

    monkeypatch.setattr(files, "read", refuse)
    report = bench.sync()
    assert [(one.path, one.message) for one in report.problems] == [
        ("deep/plain.md", "cannot be read: permission denied")
    ]
    assert bench.found("paragraph") == ["deep/plain.md"]
    assert bench.found("new") == ["new.md"]
    monkeypatch.undo()
    assert bench.sync().changed == 1


def test_many_notes_are_recorded_in_parts_and_progress_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "NOTES_AT_ONCE", 2)
    monkeypatch.setattr(sync, "TEXTS_AT_ONCE", 2)
    told: list[tuple[Stage, int, int]] = []
    for number in range(5):
        bench.write(f"n{number}.md", f"number {number}")
    sync.sync(bench.store, bench.settings, bench.clock, progress=lambda *step: told.append(step))
    sync.embed(
        bench.store,
        bench.settings,
        bench.encoder,
        bench.vectors,
        progress=lambda *step: told.append(step),
    )
    reading = [done for stage, done, total in told if stage is Stage.READING and total == 8]
    embedding = [done for stage, done, _ in told if stage is Stage.EMBEDDING]
    assert reading == [0, 2, 4, 6, 8]
    assert embedding == sorted(embedding)
    assert embedding[-1] == bench.vectors.rows
    assert max(bench.encoder.calls) <= 2
    assert len(bench.store.notes()) == 8


# -- vectors -----------------------------------------------------------------------------------


def test_without_an_encoder_all_is_pending_until_a_sync_that_has_one(bench: Bench) -> None:
    report = bench.sync(embed=False)
    assert report.pending == report.passages > 0
    assert bench.sync().pending == 0
    bench.write("new.md", "one more")
    assert bench.sync(embed=False).pending == 1


def assert_rows_are_the_vectors_of_their_passages(bench: Bench) -> None:
    model = bench.vectors.model
    texts = bench.store.missing_digests("no such model")
    assert texts
    for digest, piece in texts:
        rows = [row for row, of, _ in vector_rows(bench.store, model) if of == digest]
        expected = FakeEncoder().embed(bench.encoder.windows(piece))
        assert bench.vectors.read(rows).tolist() == expected.tolist()


def test_every_row_of_the_file_is_the_vector_of_its_passage(bench: Bench) -> None:
    bench.encoder.limit = 3
    report = bench.sync()
    assert bench.vectors.rows > report.embedded, "some text has several windows"
    assert_rows_are_the_vectors_of_their_passages(bench)


def test_embedding_that_was_broken_off_goes_on_where_it_stopped(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "TEXTS_AT_ONCE", 1)
    real = bench.encoder.embed

    def fail_at_the_third(texts: list[str]) -> object:
        if len(bench.encoder.calls) == 2:
            raise KeyboardInterrupt
        return real(texts)

    monkeypatch.setattr(bench.encoder, "embed", fail_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        bench.sync()
    assert bench.found("33B")
    monkeypatch.setattr(bench.encoder, "embed", real)
    report = bench.sync()
    assert report.embedded == report.passages - 2
    assert report.pending == 0


def test_rows_written_and_never_recorded_do_no_harm(bench: Bench) -> None:
    bench.vectors.ensure()
    bench.vectors.append(FakeEncoder().embed(["left by a crash"]))
    bench.sync()
    assert min(row for row, _, _ in vector_rows(bench.store, bench.vectors.model)) == 1
    assert_rows_are_the_vectors_of_their_passages(bench)


def test_a_file_cut_short_is_filled_again(bench: Bench) -> None:
    bench.sync()
    path = bench.vectors.path
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 100)
    bench.vectors = VectorFile(path, "fake", 64)
    assert bench.sync().embedded == 1
    assert_rows_are_the_vectors_of_their_passages(bench)


def test_a_deleted_file_of_vectors_is_made_anew(bench: Bench) -> None:
    first = bench.sync()
    bench.vectors.path.unlink()
    assert bench.sync(embed=False).pending == first.passages
    bench.vectors = VectorFile(bench.vectors.path, "fake", 64)
    again = bench.sync()
    assert (again.embedded, again.pending) == (first.embedded, 0)
    assert_rows_are_the_vectors_of_their_passages(bench)


def test_another_model_embeds_everything_and_the_first_is_not_forgotten(bench: Bench) -> None:
    first = bench.sync()
    other = FakeEncoder("other", width=32)
    file = VectorFile(vector_path(bench.settings.derived, "other"), "other", 32)
    report = sync.sync(bench.store, bench.settings, bench.clock)
    report = embedded(report, bench.store, bench.settings, other, file)
    assert (report.embedded, report.pending) == (first.embedded, 0)
    assert fresh.pending(bench.store, bench.settings, "other") == 0
    assert fresh.pending(bench.store, bench.settings, "fake") == report.passages
    assert bench.sync().embedded == 0


# -- links and the ledger ----------------------------------------------------------------------


def test_a_link_was_first_seen_when_a_sync_first_saw_it(bench: Bench) -> None:
    bench.sync()
    bench.clock.advance(days=3)
    bench.write("again.md", "https://arxiv.org/abs/2305.14314 and https://later.example/")
    bench.sync()
    seen = {str(one.key): one.looks.first_seen for one in bench.store.links()}
    assert seen == {str(ARXIV): "2026-11-24T12:00:00Z", "https://later.example/": "2026-11-27T12:00:00Z"}


def test_recording_writes_only_links_of_which_something_is_known(bench: Bench) -> None:
    bench.write("more.md", "https://unseen.example/")
    bench.sync()
    assert not observed.record(bench.store, bench.settings)
    assert not bench.settings.ledger.exists()
    bench.store.save_facts(ARXIV, Facts(title="QLoRA", fetched="2026-01-01T00:00:00Z"))
    assert observed.record(bench.store, bench.settings)
    assert ledger.read(bench.settings.ledger).keys() == {ARXIV}
    assert not observed.record(bench.store, bench.settings)
    assert fresh.look(bench.store, bench.settings).current


def known_link(bench: Bench) -> None:
    """Give the arXiv link a history that is worth keeping."""
    dead = Looks(standing=Standing.DEAD, last_checked="2026-01-05T00:00:00Z", streak=3)
    bench.store.save_look(ARXIV, Look("2026-01-05T00:00:00Z", Verdict.BROKEN, 404), dead)
    bench.store.save_facts(ARXIV, Facts(title="QLoRA", fetched="2026-01-01T00:00:00Z"))
    bench.store.save_person(ARXIV, Person(ignored=True, said_at="2026-01-06T00:00:00Z"))
    bench.store.add_alias("https://old.example/q", ARXIV)


def test_deleting_the_store_loses_nothing_that_was_seen(bench: Bench) -> None:
    bench.sync()
    known_link(bench)
    observed.record(bench.store, bench.settings)
    before = bench.store.link(ARXIV)
    bench.store.close()
    for file in bench.settings.derived.iterdir():
        file.unlink()
    again = Bench(bench.settings)
    again.clock.advance(days=30)
    again.sync()
    assert again.store.link(ARXIV) == before
    assert again.store.link(Key("https://old.example/q")) == before
    assert not observed.record(again.store, again.settings)
    again.store.close()


def test_what_a_pull_brought_is_taken_in_by_the_next_sync(bench: Bench) -> None:
    bench.sync()
    known_link(bench)
    observed.record(bench.store, bench.settings)
    newer = ledger.Entry(ARXIV, looks=Looks(standing=Standing.ALIVE, last_checked="2026-02-01T00:00:00Z"))
    stranger = ledger.Entry(
        Key("https://elsewhere.example/p"), Facts(title="E", fetched="2026-01-01T00:00:00Z")
    )
    with bench.settings.ledger.open("a") as file:
        file.write(ledger.render([newer, stranger]))
    bench.sync()
    record = bench.store.link(ARXIV)
    assert record is not None
    assert (record.looks.standing, record.facts.title, record.person.ignored) == (
        Standing.ALIVE,
        "QLoRA",
        True,
    )
    assert bench.store.link(stranger.key) is not None
    assert len(bench.store.links()) == 1
    observed.record(bench.store, bench.settings)
    assert bench.settings.ledger.read_text().count("\n") == 2


def test_recording_first_takes_in_what_the_file_knows_better(bench: Bench) -> None:
    bench.sync()
    newer = ledger.Entry(ARXIV, looks=Looks(standing=Standing.ALIVE, last_checked="2026-02-01T00:00:00Z"))
    bench.settings.ledger.write_text(ledger.render([newer]).replace('"v":1', '"v":1,"later":[1]'))
    known_link(bench)
    observed.record(bench.store, bench.settings)
    text = bench.settings.ledger.read_text()
    assert ledger.parse(text)[ARXIV].looks.standing is Standing.ALIVE
    assert '"later":[1]' in text


def test_links_of_private_notes_stand_in_the_private_ledger_even_when_the_note_is_gone(bench: Bench) -> None:
    bench.write("private/p.md", "https://secret.example/page\n")
    bench.sync()
    secret = Key("https://secret.example/page")
    for key in (secret, ARXIV):
        bench.store.save_facts(key, Facts(title="T", fetched="2026-01-01T00:00:00Z"))
    observed.record(bench.store, bench.settings)
    assert "secret" not in bench.settings.ledger.read_text()
    assert ledger.read(bench.settings.private_ledger).keys() == {secret}
    (bench.settings.notes / "private/p.md").unlink()
    bench.sync()
    observed.record(bench.store, bench.settings)
    assert "secret" not in bench.settings.ledger.read_text()
    bench.store.close()
    bench.settings.store.unlink()
    again = Bench(bench.settings)
    again.sync()
    observed.record(again.store, again.settings)
    assert "secret" not in again.settings.ledger.read_text()
    assert ledger.read(again.settings.private_ledger).keys() == {secret}
    again.write("public.md", "https://secret.example/page\n")
    again.sync()
    observed.record(again.store, again.settings)
    assert ledger.read(again.settings.ledger).keys() == {secret, ARXIV}
    assert ledger.read(again.settings.private_ledger) == {}
    again.store.close()


def test_a_ledger_in_conflict_stops_the_sync_with_its_line_and_the_notes_are_in(bench: Bench) -> None:
    bench.settings.ledger.write_text("<<<<<<< HEAD\n")
    with pytest.raises(LedgerError, match=r"links\.jsonl:1"):
        bench.sync()
    assert bench.found("33B")
    with pytest.raises(LedgerError):
        observed.record(bench.store, bench.settings)
    assert bench.settings.ledger.read_text() == "<<<<<<< HEAD\n"


def test_a_line_of_the_ledger_that_cannot_be_read_costs_itself_and_is_told_until_it_is_mended(
    bench: Bench,
) -> None:
    good = '{"v":1,"key":"arxiv:2305.14314","facts":{"fetched":"2026-01-01T00:00:00Z","title":"QLoRA"}}\n'
    bad = '{"v":1,"key":"https://b.example/","looks":{"due":"soon"}}\n'
    bench.settings.ledger.write_text(bad + good)
    for _ in range(2):  # told each time, not only when the file has changed
        report = bench.sync()
        (problem,) = report.problems
        assert (problem.path, problem.line) == ("../links.jsonl", 1)
        assert problem.message == ("not a line of the ledger (looks.due is 'soon', which is no instant)")
    link = bench.store.link(ARXIV)
    assert link is not None
    assert link.facts.title == "QLoRA"
    assert observed.record(bench.store, bench.settings)
    assert bench.settings.ledger.read_text().endswith(bad), "it is not kb's to throw away"
    bench.settings.ledger.write_text(good)
    assert bench.sync().problems == ()
    assert fresh.look(bench.store, bench.settings).current


# -- crashes and neighbours --------------------------------------------------------------------

_SYNC = (
    "import sys; from pathlib import Path; from kb import config, sync; from kb.store import schema;"
    "from kb.store.store import Store;"
    "from kb.testing import FixedClock;"
    "s = config.load(Path(sys.argv[1]), {}); schema.ensure(s.store); store = Store.open(s.store);"
    "print('ready', flush=True); sync.sync(store, s, FixedClock())"
)


def test_a_sync_killed_at_any_moment_leaves_a_store_that_the_next_one_completes(tmp_path: Path) -> None:
    settings = notebook(
        tmp_path / "book",
        {f"n{number}.md": f"* bullet {number} https://a.example/{number}\n" * 20 for number in range(300)},
    )
    for note in settings.notes.iterdir():
        os.utime(note, (1_700_000_000, 1_700_000_000))  # written just now, they would be read again
    for pause in (0.0, 0.02, 0.05, 0.1, 0.2):
        child = subprocess.Popen([sys.executable, "-c", _SYNC, str(settings.root)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(pause)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        with Store.open(settings.store) as store:
            assert store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert store.passage_count() == 20 * len(store.notes())
    with Store.open(settings.store) as store:
        report = sync.sync(store, settings, FixedClock())
        assert report.added + report.unchanged == 300
        assert store.allowed(Filter(hosts=("a.example",))) is not None
        assert (store.passage_count(), store.link_count()) == (6_000, 300)


def test_two_syncs_at_once_queue_and_both_end_well(tmp_path: Path) -> None:
    settings = notebook(tmp_path / "book", {f"n{number}.md": f"number {number}" for number in range(200)})
    schema.ensure(settings.store)
    children = [subprocess.Popen([sys.executable, "-c", _SYNC, str(settings.root)]) for _ in range(2)]
    assert [child.wait() for child in children] == [0, 0]
    with Store.open(settings.store) as store:
        assert len(store.notes()) == store.passage_count() == 200


def test_a_sync_that_waits_too_long_says_why(bench: Bench) -> None:
    with (
        lock.hold(bench.settings.derived / "lock"),
        pytest.raises(StoreBusy, match=r"another kb has been at work in this notebook for 0\.05 s"),
    ):
        sync.sync(bench.store, bench.settings, bench.clock, wait=0.05)
    assert bench.sync().added == 3


def test_a_lock_dies_with_its_holder(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from kb.store import lock\n"
        "with lock.hold(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    path = tmp_path / "lock"
    child = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    with pytest.raises(StoreBusy), lock.hold(path, 0.05):
        pass
    child.kill()
    child.wait()
    child.stdout.close()
    with lock.hold(path, 0.05):
        assert path.exists()


def test_looking_whether_anything_changed_imports_neither_parser_nor_model(tmp_path: Path) -> None:
    code = (
        "import sys; import kb.fresh;"
        "print([m for m in ('yaml', 'pyromark', 'numpy', 'sqlite_utils', 'kb.urls') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    code = code.replace("kb.fresh", "kb.sync").replace("'yaml', 'pyromark', ", "").replace(", 'kb.urls'", "")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_scan_that_finds_what_the_last_sync_found_compares_no_rows(tmp_path: Path) -> None:
    settings = notebook(tmp_path, {"a.md": "# A\n\n* one\n", "b.md": "# B\n\n* two\n"})
    with open_store(settings.store) as store:
        sync.sync(store, settings, FixedClock())
        assert store.setting("scan") == fresh.fingerprint(walks.walk(settings.notes).found)
        store.connection.execute("UPDATE notes SET size = size + 1")  # what a comparison would see
        assert fresh.look(store, settings).current
        write(settings.notes / "b.md", "* three, now longer\n")
        assert [one.path for one in fresh.look(store, settings).changed] == ["a.md", "b.md"]


def test_a_glance_tells_what_a_walk_would_find_changed(tmp_path: Path) -> None:
    settings = notebook(tmp_path, {"a.md": "* one\n", "deep/b.md": "* two\n", "c.MARKDOWN": "* three\n"})
    with open_store(settings.store) as store:
        sync.sync(store, settings, FixedClock())
        seen = store.setting("glance")
        assert seen == walks.glance(settings.notes)
        assert fresh.look(store, settings).walk.found == ()
        assert fresh.look(store, settings).unchanged == 3
        for path, text in (("a.md", "* one and more\n"), ("deep/d.md", ""), ("c.MARKDOWN", "* four\n")):
            write(settings.notes / path, text)
            assert not fresh.look(store, settings).current
            sync.sync(store, settings, FixedClock())
            assert fresh.look(store, settings).current
        (settings.notes / "deep/d.md").unlink()
        assert fresh.look(store, settings).gone == ("deep/d.md",)


def test_where_a_walk_has_something_to_say_a_glance_is_not_enough(tmp_path: Path) -> None:
    settings = notebook(tmp_path, {"a.md": "* one\n"})
    os.mkfifo(settings.notes / "pipe.md")
    with open_store(settings.store) as store:
        for _ in range(2):
            report = sync.sync(store, settings, FixedClock())
            assert [one.path for one in report.problems] == ["pipe.md"]
        (settings.notes / "pipe.md").unlink()
        (settings.notes / "link.md").symlink_to("a.md")
        assert walks.glance(settings.notes) is None
        sync.sync(store, settings, FixedClock())
        assert fresh.look(store, settings).current


def test_a_fingerprint_tells_every_field_of_every_note() -> None:
    scan = (walks.Found("a.md", 1, 2), walks.Found("b.md", 3, 4))
    others = [(), scan[:1], (scan[0], walks.Found("c.md", 3, 4)), (walks.Found("a.md", 2, 2), scan[1])]
    others.append((scan[0], walks.Found("b.md", 3, 5)))
    assert len({fresh.fingerprint(one) for one in [scan, *others]}) == 6


# -- compaction --------------------------------------------------------------------------------


@pytest.fixture
def stale(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A notebook whose vectors are for the most part of passages that are gone."""
    monkeypatch.setattr(sync, "STALE_LEAST", 0)
    bench.write("long.md", "# Long\n\n" + "\n".join(f"* passage number {n}" for n in range(20)) + "\n")
    bench.sync()
    (bench.settings.notes / "long.md").unlink()
    return bench


def test_rows_that_nothing_needs_go_when_they_pass_a_third(stale: Bench) -> None:
    before, model = stale.vectors.rows, stale.vectors.model
    wanted = {
        hit.text: stale.vectors.read(rows)[0].tolist()
        for id, rows in stale.store.passages_to_rows(model, range(1, 100)).items()
        for hit in stale.store.hits([id]).values()
        if not hit.text.startswith("passage number")
    }
    stale.sync()
    assert stale.vectors.rows == before - 20 == len(wanted)
    assert stale.vectors.model != model
    assert stale.store.setting("model") == stale.vectors.model
    assert vector_rows(stale.store, model) == []
    now = stale.store.passages_to_rows(stale.vectors.model, range(1, 100))
    assert {
        stale.store.hits([id])[id].text: stale.vectors.read(rows)[0].tolist() for id, rows in now.items()
    } == wanted
    stale.encoder.texts.clear()
    assert stale.sync().pending == 0
    assert stale.encoder.texts == []


def test_few_stale_rows_stay_for_a_comeback(bench: Bench) -> None:
    bench.sync()
    before = bench.vectors.rows
    (bench.settings.notes / "words.md").unlink()
    bench.sync()
    assert bench.vectors.rows == before


@pytest.mark.parametrize("step", ["renumber_vectors", "publish", "keep_model"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_compaction_killed_at_any_step_leaves_vectors_that_belong_to_their_passages(
    stale: Bench, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    owner: object = Compaction if step == "publish" else type(stale.store)
    real = getattr(owner, step)

    def killed(self: object, *arguments: object) -> None:
        if when == "after":
            real(self, *arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, killed)
        with pytest.raises(KeyboardInterrupt):
            stale.sync()
    stale.vectors = VectorFile(stale.vectors.path, stale.encoder.identity, stale.encoder.width)
    stale.encoder.texts.clear()
    report = stale.sync()
    assert (report.pending, stale.encoder.texts) == (0, [])
    assert_rows_are_the_vectors_of_their_passages(stale)


def test_a_look_is_good_for_a_sync_unless_another_has_written_since(bench: Bench) -> None:
    def sync_by(seen: fresh.Freshness, store: Store) -> SyncReport:
        return sync.sync(store, bench.settings, bench.clock, seen=seen)

    seen = fresh.look(bench.store, bench.settings)
    with Store.open(bench.settings.store) as other:
        assert sync_by(fresh.look(other, bench.settings), other).added == len(NOTES)
    assert sync_by(seen, bench.store).added == 0  # by that look alone they would be new once more
    seen = fresh.look(bench.store, bench.settings)
    bench.write("later.md", "* unseen\n")
    assert sync_by(seen, bench.store).added == 0
    assert bench.sync(embed=False).added == 1
