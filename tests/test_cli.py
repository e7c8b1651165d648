"""The commands, as a person types them: what is printed, where, and with which exit status."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import Run, runner
from tests.notebook import write_notebook
from tests.servers import Handler, Server, refused_url


@pytest.fixture
def run(notebook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(capsys, monkeypatch, notebook)


def test_the_first_search_reads_the_notes_and_answers_with_the_bullet(run: Run) -> None:
    ran = run("search", "qlora vram")
    assert ran.status == 0
    first = ran.out.split("\n\n")[0]
    assert "notes/threads/llama-2.md:14" in first
    assert "2023-08-11 (noted 2023-09)" in first
    assert "Adapting Llama 2 at home > September 2023 > A study and what people said of it" in first
    assert "a 12 GB RTX 3060 has VRAM enough for qlora" in first
    assert "https://news.ycombinator.com/item?id=37091586" in first
    assert "unchecked" in first


def test_a_hit_in_json_has_the_contracts_keys(run: Run) -> None:
    [hit] = run("search", "qlora vram", "-n", "1", "--json").json
    assert list(hit) == [
        "path", "line", "text", "heading", "title", "date", "noted", "kind", "tags", "source", "score",
        "links",
    ]  # fmt: skip
    assert hit["path"] == "threads/llama-2.md"
    assert hit["links"] == [
        {
            "url": "https://news.ycombinator.com/item?id=37091586",
            "title": "HN comment",
            "standing": "unchecked",
        }
    ]


def test_a_search_without_a_hit_is_status_1_with_advice_or_an_empty_array(run: Run) -> None:
    ran = run("search", "--mode", "keyword", "xylophone")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err
    ran = run("search", "xylophone", "--mode", "keyword", "--json")
    assert (ran.status, ran.json) == (1, [])


@pytest.fixture(scope="module")
def read_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook that several tests only search: its passages are embedded once."""
    return write_notebook(tmp_path_factory.mktemp("read") / "notebook")


@pytest.mark.parametrize("mode", ["hybrid", "keyword", "semantic"])
@pytest.mark.parametrize(
    "query",
    ['"', "AND", "a:b", "foo*", "NEAR(", "", "'", "x OR", "(((", "^a", "a AND b", "-", "{x}: y", "\x00"],
)
def test_no_text_is_a_fault_of_the_query_language(
    read_before: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    query: str,
    mode: str,
) -> None:
    ran = runner(capsys, monkeypatch, read_before)("search", "--mode", mode, "--", query)
    assert ran.status in (0, 1, 2)
    assert "sql" not in ran.err.lower()
    assert "fts" not in ran.err.lower()


def test_an_empty_query_cannot_run(run: Run) -> None:
    ran = run("search", "")
    assert ran.status == 2
    assert "kb search" in ran.err


def test_an_exclusion_may_stand_outside_of_quotes(run: Run) -> None:
    everything = run("search", "qlora", "--json", "-n9").json
    without = run("search", "qlora", "-rtx", "--json", "-n9").json
    assert any("RTX" in hit["text"] for hit in everything)
    assert without
    assert not any("RTX" in hit["text"] for hit in without)
    assert run("search", "-n", "1", "qlora", "-3060").status == 0


def test_a_search_never_fetches_a_model(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_SEARCH_MODEL", "nobody/nothing")
    ran = run("search", "qlora vram", "-n", "1")
    assert ran.status == 0
    assert "RTX 3060" in ran.out
    assert "kb sync" in ran.err


def test_filters_narrow_a_search_and_a_wrong_one_is_answered_with_the_right_ones(run: Run) -> None:
    assert {hit["kind"] for hit in run("search", "qlora", "--kind", "paper", "--json").json} == {"paper"}
    assert run("search", "qlora", "--since", "2031", "--json").json == []
    ran = run("search", "qlora", "--since", "yesterday")
    assert ran.status == 2
    assert "2023-09-01" in ran.err


def test_links_list_standing_kind_title_and_place(run: Run) -> None:
    ran = run("links")
    assert ran.status == 0
    assert "unchecked  hn-comment    https://news.ycombinator.com/item?id=37091586" in ran.out
    assert "notes/threads/llama-2.md:14" in ran.out
    link = next(one for one in run("links", "--json").json if one["key"] == "arxiv:2305.14314")
    assert set(link) >= {
        "url", "key", "fragment", "title", "kind", "host", "standing", "verdict", "status", "final_url",
        "reason", "first_seen", "last_checked", "last_alive", "archived_url", "mentions",
    }  # fmt: skip
    assert link["mentions"] == [
        {
            "path": "papers/qlora.md",
            "line": 10,
            "url": "https://arxiv.org/abs/2305.14314",
            "anchor": "The paper",
            "date": "2023-09-02",
        }
    ]


def test_the_glossary_tells_expansion_definition_source_and_uses(run: Run) -> None:
    entries = run("glossary", "--json").json
    assert [entry["term"] for entry in entries] == ["PEFT", "RAG"]
    assert entries[1]["expansion"] == "Retrieval-Augmented Generation"
    assert entries[1]["definition"] == (
        "fetched passages ground the model's answer in facts that can be checked."
    )
    assert "Parameter-Efficient Fine-Tuning" in run("glossary", "peft").out
    ran = run("glossary", "nothing")
    assert ran.status == 1
    assert "kb glossary" in ran.err


def test_a_broken_note_is_told_with_file_and_line_and_the_others_still_work(run: Run, notebook: Path) -> None:
    (notebook / "notes" / "broken.md").write_text("---\ntitle: [unclosed\n---\n\n* a bullet about otters\n")
    ran = run("sync")
    assert ran.status == 1
    assert "notes/broken.md:" in ran.err
    assert "error" in ran.err
    assert run("search", "otters", "--mode", "keyword").status == 0
    assert run("search", "qlora vram").status == 0


def test_sync_says_what_changed_and_then_that_nothing_did(run: Run, notebook: Path) -> None:
    assert "4 new" in run("sync").err
    assert "none changed" in run("sync").err
    (notebook / "notes" / "glossary.md").unlink()
    assert "1 deleted" in run("sync").err
    assert run("--quiet", "sync").err == ""


def test_outside_of_a_notebook_the_next_step_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = runner(capsys, monkeypatch, tmp_path)("search", "x")
    assert ran.status == 2
    assert "kb init" in ran.err


def test_the_root_may_be_named_before_the_command_or_in_the_environment(
    tmp_path: Path, notebook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = runner(capsys, monkeypatch, tmp_path)
    assert elsewhere("--root", str(notebook), "links").status == 0
    monkeypatch.setenv("KB_ROOT", str(notebook))
    assert elsewhere("links").status == 0
    assert elsewhere("--root", str(tmp_path), "links").status == 2


def test_a_wrong_key_in_kb_toml_is_told_with_the_file(run: Run, notebook: Path) -> None:
    (notebook / "kb.toml").write_text("[links]\ntimeuot = 3\n")
    ran = run("links")
    assert ran.status == 2
    assert "kb.toml" in ran.err
    assert "links.timeout" in ran.err


def test_escapes_in_a_note_never_reach_the_terminal(run: Run, notebook: Path) -> None:
    (notebook / "notes" / "evil.md").write_text("* walrus \x1b]0;owned\x07 \x1b[2J \u202etxet\n")
    ran = run("search", "walrus", "--mode", "keyword")
    assert ran.status == 0
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out


def test_a_reader_that_leaves_ends_the_command_quietly(notebook: Path) -> None:
    script = f'"{sys.executable}" -c "from kb.cli import run; run()" links | head -n 1'
    done = subprocess.run(
        script, shell=True, cwd=notebook, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1


def test_a_note_is_named_as_it_is_printed_and_one_that_is_not_there_is_told(run: Run) -> None:
    printed = [
        link["mentions"][0]["path"] for link in run("links", "--note", "notes/papers/qlora.md", "--json").json
    ]
    assert set(printed) == {"papers/qlora.md"}
    assert run("links", "--note", "papers/qlora", "--json").json
    assert run("links", "--note", "papers", "--json").json
    for command in (["links"], ["check-links"], ["search", "qlora"]):
        ran = run(*command, "--note", "notes/nothing.md")
        assert ran.status == 2
        assert "no such note" in ran.err


def test_a_pattern_of_ignored_links_counts_in_filters_too(run: Run, notebook: Path) -> None:
    (notebook / "kb.toml").write_text('[links]\nignore = ["*arxiv.org*"]\n')
    [ignored] = run("links", "--standing", "ignored", "--json").json
    assert ignored["key"] == "arxiv:2305.14314"
    assert ignored["key"] not in [
        link["key"] for link in run("links", "--standing", "unchecked", "--json").json
    ]


@pytest.mark.parametrize("pattern", ["*arxiv.org*", "https://arxiv.org/abs/*"])
def test_a_search_by_standing_knows_links_that_a_pattern_ignores(
    run: Run, notebook: Path, pattern: str
) -> None:
    def places(*words: str) -> set[str]:
        hits = run("search", "--mode", "keyword", "--json", *words).json
        return {f"{hit['path']}:{hit['line']}" for hit in hits}

    of_arxiv = places("qlora", "--host", "arxiv.org")
    unchecked = places("qlora", "--standing", "unchecked")
    assert of_arxiv
    assert of_arxiv <= unchecked
    assert run("search", "--mode", "keyword", "qlora", "--standing", "ignored").status == 1
    (notebook / "kb.toml").write_text(f'[links]\nignore = ["{pattern}"]\n')
    assert places("qlora", "--standing", "ignored") == of_arxiv
    assert places("qlora standing:ignored") == of_arxiv
    assert places("qlora", "--standing", "unchecked") == unchecked - of_arxiv
    hits = run("search", "--mode", "keyword", "--json", "qlora", "--host", "arxiv.org").json
    assert {link["standing"] for hit in hits for link in hit["links"] if "arxiv" in link["url"]} == {
        "ignored"
    }


def test_a_terminal_that_lacks_a_letter_shows_its_number(notebook: Path) -> None:
    (notebook / "notes" / "dash.md").write_text("* a walrus \u2014 large\n")
    done = subprocess.run(
        [sys.executable, "-c", "from kb.cli import run; run()", "search", "--mode", "keyword", "walrus"],
        cwd=notebook, capture_output=True, timeout=60, check=False,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
    )  # fmt: skip
    assert done.returncode == 0
    assert b"walrus \\u2014 large" in done.stdout


def test_a_damaged_store_is_told_with_what_mends_it(run: Run, notebook: Path) -> None:
    run("links")
    store = notebook / ".kb" / "kb.sqlite3"
    data = bytearray(store.read_bytes())
    data[4096:] = b"\x5a" * (len(data) - 4096)
    store.write_bytes(data)
    for suffix in ("-wal", "-shm"):
        store.with_name(store.name + suffix).unlink(missing_ok=True)
    ran = run("links")
    assert ran.status == 2
    assert "kb.sqlite3" in ran.err
    assert "kb sync" in ran.err


def test_a_notes_folder_that_is_gone_does_not_empty_the_store(run: Run, notebook: Path) -> None:
    run("sync")
    (notebook / "notes").rename(notebook / "elsewhere")
    ran = run("sync")
    assert ran.status == 2
    assert "notes" in ran.err
    (notebook / "elsewhere").rename(notebook / "notes")
    assert "none changed" in run("sync").err


def test_a_full_disk_behind_stdout_is_told(notebook: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full on this system")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from kb.cli import run; run()", "links"],
            cwd=notebook, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "No space left" in done.stderr


# -- links ---------------------------------------------------------------------------------------


def local_notebook(root: Path, server: Server) -> Path:
    note = "".join(
        f"* [{name}]({address})\n"
        for name, address in [
            ("page", server.url("page/Alive")),
            ("gone", server.url("gone")),
            ("moved", server.url("to/301/page/Moved")),
            ("slow", server.url("slow")),
            ("refused", refused_url()),
        ]
    )
    write_notebook(root, {"a.md": note})
    (root / "kb.toml").write_text("[links]\ntimeout = 1\n")
    return root


def stall(handler: Handler, _: str) -> None:
    handler.server.closing.wait(5)


@pytest.mark.usefixtures("loopback")
def test_five_answers_give_five_verdicts_and_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(routes={"slow": stall}) as server:
        run = runner(capsys, monkeypatch, local_notebook(tmp_path / "local", server))
        ran = run("check-links", "--json")
        assert ran.status == 1
        seen = {link["mentions"][0]["anchor"]: (link["verdict"], link["standing"]) for link in ran.json}
        assert seen == {
            "page": ("alive", "alive"),
            "gone": ("broken", "suspect"),
            "moved": ("moved", "moved"),
            "slow": ("unreachable", "unknown"),
            "refused": ("unreachable", "unknown"),
        }
        titles = {link["title"] for link in run("links", "--json").json}
        assert {"Alive", "Moved"} <= titles
        ledger = (tmp_path / "local" / "links.jsonl").read_text()
        assert len(ledger.splitlines()) == 5
        # Nothing is due again, and what is known to be broken still counts.
        ran = run("check-links")
        assert ran.status == 1
        assert "looked at 0 links" in ran.err


@pytest.mark.usefixtures("loopback")
def test_the_persons_word_clears_or_ignores_a_link(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server() as server:
        root = write_notebook(tmp_path / "local", {"a.md": f"* {server.url('gone')}\n"})
        run = runner(capsys, monkeypatch, root)
        assert run("check-links").status == 1
        run("links", "--alive", server.url("gone"))
        assert [link["standing"] for link in run("links", "--json").json] == ["alive"]
        run("links", "--ignore", server.url("gone"))
        assert run("check-links", "--all").status == 0
        assert [link["standing"] for link in run("links", "--json").json] == ["ignored"]
        ran = run("links", "--ignore", "https://nowhere.example/")
        assert ran.status == 2


@pytest.mark.usefixtures("loopback")
def test_where_nothing_answers_nothing_is_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_notebook(tmp_path / "away", {"a.md": f"* {refused_url()}\n"})
    run = runner(capsys, monkeypatch, root)
    ran = run("check-links")
    assert ran.status == 2
    assert "network is away" in ran.err
    assert [link["standing"] for link in run("links", "--json").json] == ["unchecked"]
    assert not (root / "links.jsonl").exists()


def test_private_hosts_are_skipped_unless_the_person_says_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server() as server:
        root = write_notebook(tmp_path / "local", {"a.md": f"* {server.url('page')}\n"})
        run = runner(capsys, monkeypatch, root)
        [link] = run("check-links", "--json").json
        assert (link["verdict"], link["standing"]) == (None, "unchecked")
        assert server.asked == []
