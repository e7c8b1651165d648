"""The site as plain Markdown, and what another engine makes of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kb.model import Page
from kb.pages import plainly
from kb.places import Places
from tests.commands import Run, runner
from tests.notebook import NOTES, write_notebook
from tests.site_build import MORE_NOTES, build, write_mkdocs_yml

SECRET = {"private/c.md": "# xylophone\n", "d.md": "---\ndraft: true\n---\nxylophone\n"}
WIKI = {
    "see.md": "# See\n\n[[QLoRA]] and [[llama-2#September 2023|thread]], not `[[QLoRA]]`, nor [[void]].\n"
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_notebook(tmp_path / "notebook", NOTES | MORE_NOTES | SECRET | WIKI)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, root: Path) -> Run:
    return runner(capsys, monkeypatch, root)


def pages(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("index.html")}


def test_another_engine_makes_the_same_pages_of_it(root: Path, tmp_path: Path, run: Run) -> None:
    assert run("site", str(tmp_path / "docs")).status == 0
    (tmp_path / "theme").mkdir()
    (tmp_path / "theme/main.html").write_text("<title>{{ page.title }}</title>{{ page.content }}")
    (tmp_path / "properdocs.yml").write_text(
        "site_name: Test notes\ndocs_dir: docs\nsite_dir: other\ntheme: {name: null, custom_dir: theme}\n"
    )
    command = [sys.executable, "-m", "properdocs", "build", "-q", "-f", "properdocs.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    write_mkdocs_yml(root)
    assert pages(tmp_path / "other") == pages(build(root))
    shown = (tmp_path / "other/see/index.html").read_text(encoding="utf-8")
    assert 'href="../papers/qlora/"' in shown
    assert 'href="../threads/llama-2/#september-2023"' in shown
    assert 'href="https://arxiv.org/abs/2305.14314"' in (tmp_path / "other/links/index.html").read_text()


def test_wikilinks_become_links_but_not_in_code(root: Path, tmp_path: Path, run: Run) -> None:
    run("site", str(tmp_path / "docs"))
    text = (tmp_path / "docs/see.md").read_text(encoding="utf-8")
    assert text.endswith(
        "[QLoRA](papers/qlora.md) and [thread](threads/llama-2.md#september-2023), "
        "not `[[QLoRA]]`, nor void.\n"
    )


def test_a_note_whose_suffix_is_in_capitals_is_a_page_and_two_of_one_address_are_two(
    root: Path, tmp_path: Path, run: Run
) -> None:
    notes, out = root / "notes", tmp_path / "docs"
    (notes / "sub").mkdir()
    (notes / "sub/LOUD.MD").write_text(
        "---\ndate: 2031-01-01\n---\n# Loud\n\nTo [quiet](../quiet.md) and [[QLoRA]].\n"
    )
    (notes / "quiet.MD").write_text("# Quiet\n")
    (notes / "quiet.md").write_text(
        "# Other\n\n[loud](sub/LOUD.MD#loud) [[Loud]] [me](quiet.md) [quiet](quiet.MD) `[x](sub/LOUD.MD)`\n\n"
        "[ref]: sub/LOUD.MD\n"
    )
    assert run("site", str(out)).status == 0
    written = {
        file.relative_to(out).as_posix(): file.read_text() for file in out.rglob("*") if file.is_file()
    }
    assert {"sub/LOUD.md", "quiet.md", "quiet-2.md"} <= written.keys()
    assert not {name for name in written if name.endswith(".MD")}
    assert "# Quiet" in written["quiet.md"]
    assert "To [quiet](../quiet-2.md) and [QLoRA](../papers/qlora.md)." in written["sub/LOUD.md"]
    links = (
        "[loud](sub/LOUD.md#loud) [Loud](sub/LOUD.md) [me](quiet-2.md) [quiet](quiet.md) `[x](sub/LOUD.MD)`"
    )
    assert f"{links}\n\n[ref]: sub/LOUD.md\n" in written["quiet-2.md"]
    assert "(sub/LOUD.md)" in written["index.md"]
    assert 'href="../quiet-2/"' in written["notes.md"]


def test_nothing_private_is_written(root: Path, tmp_path: Path, run: Run) -> None:
    run("site", str(tmp_path / "docs"))
    for file in (tmp_path / "docs").rglob("*"):
        assert "private" not in file.relative_to(tmp_path).as_posix()
        assert file.is_dir() or b"xylophone" not in file.read_bytes()


def test_the_next_time_what_is_gone_is_removed_and_nothing_else(root: Path, tmp_path: Path, run: Run) -> None:
    docs = tmp_path / "docs"
    run("site", str(docs))
    (docs / "mine.md").write_text("mine")
    (root / "notes/papers/qlora.md").unlink()
    assert run("site", str(docs)).status == 0
    assert not (docs / "papers/qlora.md").exists()
    assert (docs / "mine.md").read_text() == "mine"


def test_a_folder_with_files_of_others_is_refused(root: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/mine.md").write_text("mine")
    refused = run("site", str(tmp_path / "docs"))
    assert refused.status == 2
    assert "files that kb did not write" in refused.err
    assert [file.name for file in (tmp_path / "docs").iterdir()] == ["mine.md"]


def test_a_list_of_written_files_cannot_reach_out_of_the_folder(root: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "outside.md").write_text("mine")
    (tmp_path / "docs/.kb-site.json").write_text('["../outside.md", "/etc/hostname"]')
    run("site", str(tmp_path / "docs"))
    assert (tmp_path / "outside.md").exists()


@pytest.mark.parametrize(
    ("path", "here", "found"),
    [
        ("a.md", "b.md", "../a/"),
        ("index.md", "x/b.md", "../../"),
        ("x/a b.md", "index.md", "x/a%20b/"),
        ("x/index.md", "x/y.md", "../"),
    ],
)
def test_html_below_a_page_finds_the_other_pages(path: str, here: str, found: str) -> None:
    assert plainly.address(path, here) == found


def test_front_matter_is_data_whatever_the_title_says() -> None:
    made = plainly.page(Page("a.md", 'a: "b"\n---', "d", "# x\n", "note"), Places(), {})
    assert made.startswith('---\ntitle: "a: \\"b\\"\\n---"\ndescription: "d"\n---\n')
