"""No command answers bad input, a pipe that closes, or an interrupt with a traceback."""

from __future__ import annotations

import io
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from kb.cli import COMMANDS, main
from kb.knowledge import KnowledgeBase
from tests.commands import Run, runner
from tests.notebook import write_notebook
from tests.servers import refused_url

KB = [sys.executable, "-c", "from kb.cli import run; run()"]

# What each command needs to get as far as its work, where words of any kind are not enough.
WORK = {
    "search": ["--mode", "keyword", "qlora"], "open": ["1"], "related": ["papers/qlora.md"], "show": ["https://a.example/"],
    "new": ["A title", "--no-edit"], "import": ["notes/glossary.md", "--dry-run"], "export": ["csv"],
    "add-link": ["https://arxiv.org/abs/2305.14314"], "init": ["new"], "site": ["out"],
    "backup": ["b.tar.gz"], "restore": ["b.tar.gz", "r"], "completion": ["bash"],
    "check-links": ["--host", "nowhere.example"], "enrich": ["--host", "nowhere.example"],
    "repair": ["--host", "nowhere.example"],
}  # fmt: skip
# Whatever a shell can hand over; an argument never holds a NUL.
BAD = ["", "-", "\U0001f9ed" * 50, "../..", "/nonexistent/x", "a\nb", "x" * 5000, "999999999999",
       "papers/qlora.md:99999999999999999999", "%s{}[]$(x)`", ".", "kb.toml", "notes"]  # fmt: skip
NAMES = {"x" * 5000, "%s{}[]$(x)`", "999999999999", "a\nb", "\U0001f9ed" * 50, "-"}


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_notebook(tmp_path_factory.mktemp("robust") / "notebook")
    subprocess.run([*KB, "sync", "--no-embed"], cwd=root, check=True, capture_output=True)
    return root


@pytest.fixture
def run(synced: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    # What a person is told kindly of is raised here, so that it cannot pass for an answer.
    monkeypatch.setenv("KB_DEBUG", "1")
    monkeypatch.setenv("KB_EDITOR_COMMAND", "true")
    monkeypatch.setenv("KB_LINKS_TIMEOUT", "1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(synced / "xdg"))
    monkeypatch.setattr("webbrowser.open", lambda url: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    return runner(capsys, monkeypatch, synced)


@pytest.mark.parametrize("name", COMMANDS)
def test_odd_words_are_answered(name: str, run: Run) -> None:
    for word in BAD:
        # What could wait for the network or write where a test should not is asked only to look.
        args = {
            "add-link": ["--dry-run", "--", word or "-"], "new": ["--no-edit", "--", word],
            "init": ["--dry-run", "--", word], "restore": ["--dry-run", "--", word], "config": ["--", word],
            "import": ["--dry-run", "--", word],
        }.get(name, ["--", word])  # fmt: skip
        if name in ("sync", "check-links", "enrich", "repair", "doctor", "stats", "links", "log"):
            args = [word or "x"]
        if name in ("site", "backup") and word in NAMES - {"x" * 5000}:
            continue  # fine names for a new file
        ran = run(name, *args)
        assert ran.status in (0, 1, 2), (name, word)
        assert ran.status == 0 or ran.out or ran.err


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_of_the_wrong_type_is_answered_with_what_it_takes(name: str, run: Run) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    for option in command.params:
        if not isinstance(option, click.Option) or option.is_flag or option.name == "output":
            continue
        for word in ("", "-1", "x" * 5000):
            ran = run(name, *WORK.get(name, []), "--dry-run" if name == "add-link" else option.opts[-1],
                      *([option.opts[-1]] if name == "add-link" else []), word)  # fmt: skip
            assert ran.status in (0, 1, 2), (name, option.name, word)


def test_bytes_that_are_no_text_are_answered_by_every_command(synced: Path) -> None:
    cases = [
        [name, "\udcff"] for name in COMMANDS if name not in ("site", "backup", "init", "new", "completion")
    ]
    cases += [[name, option, "\udcff"] for name in ("links", "search", "check-links") for option in
              ("--host", "--tag", "--note", "--kind", "--since")]  # fmt: skip
    script = (
        "import sys\n"
        "from kb.cli import invoke\n"
        "for stream in (sys.stdout, sys.stderr): stream.reconfigure(errors='backslashreplace')\n"
        f"for args in {cases!r}: assert invoke(args) in (0, 1, 2), args\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=synced, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "KB_DEBUG": "1"}, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


def test_no_such_option_is_answered_with_the_nearest(run: Run) -> None:
    assert "--standing" in run("links", "--standng", "dead").err
    assert "Did you mean 'dead'?" in run("links", "--standing", "daed").err
    assert "Did you mean 'hn-thread'?" in run("search", "x", "--kind", "hn-thred").err
    assert "did you mean kind:paper?" in run("search", "x kind:papr").err
    assert "Did you mean 'tutorial'?" in run("new", "x", "--kind", "tutoral").err
    assert "Did you mean 'bibtex'?" in run("export", "bibtx").err
    assert "Did you mean 'kb check-links'?" in run("check-link").err
    assert "did you mean papers/qlora.md?" in run("links", "--note", "papers/qloar").err
    assert "did you mean threads/llama-2.md?" in run("related", "llama2.md").err


def test_a_fault_of_kbs_own_is_told_without_a_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KB_DEBUG")
    monkeypatch.setattr("kb.knowledge.KnowledgeBase.each_link", lambda *_: 1 / 0)
    ran = run("links")
    assert ran.status == 2
    assert "fault of kb's own: ZeroDivisionError" in ran.err
    assert "KB_DEBUG=1" in ran.err


@pytest.mark.parametrize("name", COMMANDS)
def test_closed_streams_are_borne(
    name: str, synced: Path, monkeypatch: pytest.MonkeyPatch, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    from kb.cli import invoke

    monkeypatch.chdir(synced)
    for stream in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, stream, None)
    work = WORK.get(name, [])
    if name in ("site", "backup", "init", "restore", "new"):
        work = [*work[:-1], f"{work[-1]}-closed"] if name != "new" else ["Closed streams"]
    assert invoke([name, *work]) in (0, 1, 2)


# Long enough for a pipe to fill while the reader is gone; each command in a process of its own.
@pytest.mark.parametrize(
    "command",
    ["links", "links --json", "glossary", "search --mode keyword qlora", "log --since 2000", "stats",
     "doctor", "config", "--help", "export csv", "completion bash"],
)  # fmt: skip
def test_a_reader_that_leaves_ends_a_command_quietly(command: str, synced: Path) -> None:
    kb = shlex.join(KB)
    done = subprocess.run(
        f"{kb} {command} 2>err-$$ | true; cat err-$$; rm err-$$",
        shell=True, cwd=synced, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    assert "BrokenPipe" not in done.stdout + done.stderr
    assert "fault" not in done.stdout


def test_a_reader_that_leaves_is_nothing_found(synced: Path) -> None:
    kb = shlex.join(KB)
    for command in ("links --json", "--help", "search --mode keyword qlora"):
        done = subprocess.run(
            ["bash", "-c", f"{kb} {command} | true; echo ${{PIPESTATUS[0]}}"],
            cwd=synced, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.stdout == "0\n", command


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux's")
def test_a_full_disk_is_told_and_cannot_pass_for_an_answer(synced: Path) -> None:
    with Path("/dev/full").open("w") as full:
        out = subprocess.run([*KB, "links"], cwd=synced, stdout=full, stderr=-1, text=True, check=False)
        err = subprocess.run([*KB, "show", "x"], cwd=synced, stdout=-1, stderr=full, check=False)
    assert (out.returncode, err.returncode) == (2, 2)
    assert out.stderr.count("\n") == 1
    assert "No space left" in out.stderr


@pytest.mark.parametrize(
    ("loading", "status", "told"),
    [("kb.cli", -2, ""), ("click", 130, "kb: stopped; what was done is kept\n")],
)
def test_an_interrupt_while_modules_load_is_no_traceback(
    loading: str, status: int, told: str, synced: Path
) -> None:
    script = (
        "import os, signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {loading!r}:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from kb.__main__ import run\n"
        "run()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "links"],
        cwd=synced, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (status, told)


def test_the_package_runs_as_a_module(synced: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kb", "links", "--no-such"],
        cwd=synced, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Usage: kb links" in done.stderr


@pytest.mark.parametrize("asked", ["search qlora --json", "show x"])
def test_words_for_a_closed_stderr_do_not_come_among_the_answers(asked: str, synced: Path) -> None:
    told, untold = (
        subprocess.run(
            f"{shlex.join(KB)} {asked} {closed}",
            shell=True, cwd=synced, stdout=-1, stderr=-1, text=True, timeout=60, check=False,
            env={**os.environ, "KB_SEARCH_MODEL_PATH": str(synced / "no-model")},
        )
        for closed in ("", "2>&-")
    )  # fmt: skip
    assert told.stderr
    assert (untold.returncode, untold.stdout) == (told.returncode, told.stdout)


def test_closed_descriptors_are_borne(synced: Path) -> None:
    kb = shlex.join(KB)
    for closed in (">&-", "2>&-", "<&-", ">&- 2>&- <&-"):
        done = subprocess.run(
            f"{kb} links {closed}",
            shell=True,
            cwd=synced,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0
        assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("loopback")
def test_an_interrupt_ends_a_run_with_one_line_and_keeps_what_was_done(tmp_path: Path) -> None:
    root = write_notebook(tmp_path / "n", {"a.md": "".join(f"* {refused_url()}?{n}\n" for n in range(50))})
    (root / "kb.toml").write_text("[links]\ninterval = 1\nper_host = 1\n")
    process = subprocess.Popen(
        [*KB, "check-links"], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "stopped; what was done is kept" in errors


def test_what_stands_where_the_notes_should_is_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_DEBUG", "1")
    spoils: list[Callable[[Path], object]] = [
        lambda root: (root / "kb.toml").write_bytes(b"\xff\xfe"),
        lambda root: (root / "kb.toml").write_text("[links"),
        lambda root: (root / "kb.toml").write_text('[notebook]\nnotes = "kb.toml"\n'),
        lambda root: (root / ".kb").write_text("a file"),
        lambda root: (root / "links.jsonl").mkdir(),
        lambda root: (root / "links.jsonl").write_bytes(b"\xff\n"),
        lambda root: (root / "saved").write_text("a file"),
        lambda root: (root / "templates").write_text("a file"),
        lambda root: (root / "mkdocs.yml").mkdir(),
    ]
    for number, spoil in enumerate(spoils):
        root = write_notebook(tmp_path / str(number))
        spoil(root)
        run = runner(capsys, monkeypatch, root)
        for name in ("links", "search", "stats", "log", "doctor", "config", "new", "backup"):
            ran = run(name, *WORK.get(name, []))
            assert ran.status in (0, 1, 2), (number, name)
            assert ran.status != 2 or ran.err.startswith(("kb: ", "Usage")), (number, name, ran)


def test_a_notebook_in_a_folder_whose_name_is_not_utf_8_is_used_as_any_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_notebook(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")))
    run = runner(capsys, monkeypatch, root)
    assert run("sync").status == 0
    assert "12 GB" in run("search", "12 GB", "--mode", "keyword").out
    with KnowledgeBase.open(root) as base:
        assert base.address("a.md", 1).endswith("/caf%E9/notes/a.md")
    refused = run("config", "links.private_hosts", "check")
    assert refused.status == 2
    assert "not UTF-8" in refused.err


def test_a_current_folder_that_was_deleted_is_said(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"import os; os.rmdir({str(gone)!r}); from kb.cli import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", script, "links"],
        cwd=gone,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "kb: the current folder is gone\n")
