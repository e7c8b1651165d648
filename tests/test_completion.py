"""A shell completes commands, options and the notebook's own words, and never sees an error."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kb.knowledge import KnowledgeBase
from tests.notebook import write_notebook

BASH = """
eval "$(kb completion bash)"
compopt() { echo "files"; }
complete_words() {
    COMP_WORDS=("$@"); COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )); COMPREPLY=(); _kb_completion kb
    echo "${COMPREPLY[*]}"
}
"""
ZSH = """
compdef() { :; }
compadd() { print -r -- "${completions[*]}"; }
_describe() { print -r -- "${completions_with_descriptions[*]%%:*}"; }
eval "$(kb completion zsh)"
complete_words() { words=("$@"); CURRENT=$#words; _kb_completion; }
"""
ASKED = [
    (["kb", "sea"], "search"),
    (["kb", "links", "--stan"], "--standing"),
    (["kb", "links", "--standing", "de"], "dead"),
    (["kb", "links", "--kind", "hn-c"], "hn-comment"),
    (["kb", "links", "--note", "pap"], "papers/qlora.md"),
    (["kb", "links", "--note", "notes/pap"], "notes/papers/qlora.md"),
    (["kb", "search", "--tag", "ql"], "qlora"),
    (["kb", "links", "--host", "arx"], "arxiv.org"),
    (["kb", "glossary", "r"], "RAG"),
    (["kb", "config", "links.t"], "links.timeout"),
]


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_notebook(tmp_path_factory.mktemp("complete") / "notebook")
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
    (root / "bin").mkdir()
    script = f"#!{sys.executable}\nfrom kb.cli import run\nrun()\n"
    (root / "bin" / "kb").write_text(script)
    (root / "bin" / "kb").chmod(0o755)
    return root


def shell(root: Path, command: list[str], script: str) -> list[str]:
    env = {**os.environ, "PATH": f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    env["PYTHONPATH"] = os.pathsep.join(
        filter(None, (str(Path(__file__).parent.parent), env.get("PYTHONPATH")))
    )
    done = subprocess.run(
        [*command, script], cwd=root, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def quoted(words: list[str]) -> str:
    return " ".join(f"'{word}'" for word in words)


@pytest.mark.parametrize(("name", "prepare"), [("bash", BASH), ("zsh", ZSH)])
def test_a_shell_completes_the_notebooks_own_words(name: str, prepare: str, synced: Path) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    calls = "\n".join(f"complete_words {quoted(words)}" for words, _ in ASKED)
    found = shell(synced, [name, *(["--norc"] if name == "bash" else ["-f"]), "-c"], prepare + calls)
    assert found == [answer for _, answer in ASKED]


def test_what_a_stranger_called_a_tag_or_a_note_is_never_run(tmp_path: Path, synced: Path) -> None:
    root = write_notebook(
        tmp_path / "n",
        {"a b/it's $(touch owned).md": '---\ntags: ["$(touch owned)", "x;y", "esc\\e[2J"]\n---\n* x\n'},
    )
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
    (root / "bin").symlink_to(synced / "bin")
    ask = """
        complete_words kb links --tag ''
        for word in "${COMPREPLY[@]}"; do eval "printf '<%s>' $word"; done; echo
        complete_words kb links --note 'a\\ b'; eval "printf '<%s>' ${COMPREPLY[0]}"; echo
    """
    _, tags, _, notes = shell(root, ["bash", "--norc", "-c"], BASH + ask)
    assert tags == "<$(touch owned)><x;y>"
    assert notes == "<a b/it's $(touch owned).md>"
    assert not (root / "owned").exists()


def test_fish_completes_them_too(synced: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    calls = "\n".join(f"complete -C '{' '.join(words)}'" for words, _ in ASKED)
    found = shell(synced, ["fish", "--no-config", "-c"], f"kb completion fish | source\n{calls}")
    assert [line.split("\t")[0] for line in found] == [answer for _, answer in ASKED]


def test_a_comma_cuts_nothing_off_in_fish(tmp_path: Path, synced: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    root = write_notebook(tmp_path / "n", {"a, b.md": "* x\n"})
    with KnowledgeBase.open(root) as base:
        base.sync(embed=False)
    (root / "bin").symlink_to(synced / "bin")
    ask = "kb completion fish | source\ncomplete -C 'kb sea'\ncomplete -C 'kb links --note a'"
    found = shell(root, ["fish", "--no-config", "-c"], ask)
    assert found == ["search\tFind the passages that answer, by words and by meaning.", "a, b.md"]


def test_notes_are_completed_from_wherever_one_stands(synced: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(synced / "notes" / "papers")
    assert KnowledgeBase.suggest("notes", "papers/") == ["papers/qlora.md"]
    assert KnowledgeBase.suggest("notes", "../pap") == ["../papers/qlora.md"]
    assert KnowledgeBase.suggest("notes", "", str(synced))[:2] == ["glossary.md", "papers/qlora.md"]


def test_where_there_is_nothing_to_complete_there_is_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert KnowledgeBase.suggest("notes", "") == []
    root = write_notebook(tmp_path / "unsynced")
    assert KnowledgeBase.suggest("tags", "", str(root)) == []
    assert not (root / ".kb").exists()
    (root / ".kb").mkdir()
    (root / ".kb" / "kb.sqlite3").write_bytes(b"no store" * 999)
    assert KnowledgeBase.suggest("hosts", "", str(root)) == []
    (root / "kb.toml").write_text("[broken")
    assert KnowledgeBase.suggest("notes", "", str(root)) == []


@pytest.mark.parametrize("begin", ["%", "_", "\\", "'", '"', "\x00", "\udcff", "100%_"])
def test_marks_of_a_pattern_are_taken_as_they_are(begin: str, synced: Path) -> None:
    assert KnowledgeBase.suggest("tags", begin, str(synced)) == []


def test_completing_writes_nothing(synced: Path) -> None:
    store = synced / ".kb" / "kb.sqlite3"
    before = store.read_bytes(), store.stat().st_mtime_ns
    KnowledgeBase.suggest("notes", "", str(synced))
    assert (store.read_bytes(), store.stat().st_mtime_ns) == before
