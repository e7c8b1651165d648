"""The files of the search by meaning: what is in them, when they are made anew, and when there are none."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path

import numpy as np
import pytest

from kb.errors import ModelError
from kb.knowledge import KnowledgeBase
from kb.meaning import Shared
from kb.places import anchors
from kb.search.browser.model import compact, quantised
from kb.search.browser.parts import part
from kb.search.weights import packaged_model
from kb.store import schema
from tests.notebook import NOTES, write_notebook
from tests.site_build import build, write_mkdocs_yml

SECRET = "zanzibarquux"
HIDDEN_NOTES = {
    "private/diary.md": f"---\ntitle: Diary {SECRET}\n---\n\n* {SECRET} in a private folder\n",
    "mine.md": f"---\ntitle: Mine\nprivate: true\n---\n\n* {SECRET} under private front matter\n",
    "draft.md": f"---\ntitle: Draft\ndraft: true\n---\n\n* {SECRET} in a draft, https://{SECRET}.example/\n",
    "words.md": (
        f"---\ntitle: My words\nkind: glossary\nprivate: true\n---\n\n* QLX = Quick {SECRET} words. No.\n"
    ),
}


def shared(root: Path) -> Shared:
    with KnowledgeBase.open(root) as base:
        base.sync()
        return base.share(base.publish(), lambda path: path.removesuffix(".md") + "/")


def unpacked(files: Shared) -> dict[str, bytes]:
    found = {}
    for path, file in files.files:
        data = file.read_bytes()
        found[path] = zlib.decompress(data) if path.endswith(".bin") else data
    return found


def names(files: Shared, kind: str) -> set[str]:
    return {path for path, _ in files.files if f"/{kind}-" in path}


def test_no_file_holds_a_word_of_a_private_note_or_a_draft(tmp_path: Path) -> None:
    root = write_notebook(tmp_path / "notebook", NOTES | HIDDEN_NOTES)
    files = unpacked(shared(root))
    assert any(b"12 GB RTX 3060" in data for data in files.values())
    assert [path for path, data in files.items() if SECRET.encode() in data.lower()] == []


def test_the_built_site_carries_the_files_and_they_hold_no_secret(tmp_path: Path) -> None:
    root = write_notebook(tmp_path / "notebook", NOTES | HIDDEN_NOTES)
    write_mkdocs_yml(root)
    with KnowledgeBase.open(root) as base:
        base.sync()
    folder = build(root) / "assets/kb/meaning"
    assert (folder / "index.json").is_file()
    for file in folder.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert SECRET.encode() not in (zlib.decompress(data) if file.suffix == ".bin" else data).lower()


def test_the_switch_in_kb_toml_leaves_everything_out(notebook: Path) -> None:
    write_mkdocs_yml(notebook)
    with KnowledgeBase.open(notebook) as base:
        base.sync()
    with (notebook / "kb.toml").open("a") as file:
        file.write("[site]\nsemantic_search = false\n")
    site = build(notebook)
    assert not (site / "assets/kb/meaning").exists()
    assert "kb/meaning" not in (site / "index.html").read_text()
    assert not (notebook / ".kb/meaning").exists()


def test_a_notebook_that_is_not_embedded_gets_a_line_that_says_so(notebook: Path) -> None:
    with KnowledgeBase.open(notebook) as base:
        base.sync(embed=False)
        found = base.share(base.publish(), str)
    assert found.files == ()
    assert found.notice == "the site has no search by meaning: nothing is embedded yet (kb sync)"


def test_a_site_whose_notes_are_not_embedded_is_built_all_the_same(notebook: Path) -> None:
    write_mkdocs_yml(notebook)
    site = build(notebook)
    assert (site / "index.html").is_file()
    assert not (site / "assets/kb/meaning").exists()


def test_what_has_not_changed_is_not_made_again(notebook: Path) -> None:
    stamps = {file: file.stat().st_mtime_ns for _, file in shared(notebook).files}
    assert {
        file: file.stat().st_mtime_ns for _, file in shared(notebook).files if ".json" not in file.name
    } == {file: stamp for file, stamp in stamps.items() if ".json" not in file.name}


def test_a_changed_note_changes_the_names_of_its_files_and_not_of_the_model(notebook: Path) -> None:
    before = shared(notebook)
    note = notebook / "notes/papers/qlora.md"
    note.write_text(note.read_text() + "* A line about weaving baskets\n")
    after = shared(notebook)
    assert names(before, "texts").isdisjoint(names(after, "texts"))
    assert names(before, "vectors").isdisjoint(names(after, "vectors"))
    assert names(before, "layers") == names(after, "layers")
    assert names(before, "words") == names(after, "words")
    kept = {file.name for file in (notebook / ".kb/meaning/notes").iterdir()}
    assert not any(Path(path).name in kept for path in names(before, "texts"))


def test_files_that_went_missing_are_made_again(notebook: Path) -> None:
    for _, file in shared(notebook).files:
        if re.match(r"(?:texts|words)-\w+\.bin", file.name):
            file.unlink()
    assert all(file.is_file() for _, file in shared(notebook).files)


def test_a_link_is_told_as_the_site_tells_it(notebook: Path) -> None:
    with (notebook / "kb.toml").open("a") as file:
        file.write('[links]\nignore = ["https://news.ycombinator.com/*"]\n')
    (notebook / "notes/links.md").write_text(
        "---\ntitle: Links\n---\n\n* [wiki](papers/qlora.md), [[QLoRA]], [x](javascript:alert(1)), "
        "[gone](nowhere.md), [web](https://a.example/b)\n"
    )
    texts = [data for path, data in unpacked(shared(notebook)).items() if "/texts-" in path]
    shown = {one[4]: one for data in texts for one in json.loads(data)}
    thread = next(one for text, one in shown.items() if text.startswith("HN thread"))
    assert thread[7] == [["https://news.ycombinator.com/item?id=37090632", "HN thread", "ignored"]]
    own = next(one for text, one in shown.items() if text.startswith("wiki"))
    assert own[7] == [
        ["papers/qlora/", "wiki", ""],
        ["papers/qlora/", "QLoRA", ""],
        ["https://a.example/b", "web", "unchecked"],
    ]


def test_a_file_cannot_be_written_says_so_and_no_site_is_lost(
    notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (notebook / ".kb").mkdir()
    (notebook / ".kb/meaning").write_text("in the way")
    found = shared(notebook)
    assert found.files == ()
    assert "no search by meaning" in found.notice


# -- the model -----------------------------------------------------------------------------------


def copied_model(target: Path, **changes: object) -> Path:
    """The packaged model with other settings; its weights are the same file."""
    for file in packaged_model().rglob("*"):
        if file.is_file():
            place = target / file.relative_to(packaged_model())
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(file)
    for name, value in changes.items():
        place = target / name.replace("__", "/")
        place = place.with_name(place.name + ".json")
        data = json.loads(place.read_text()) | (value if isinstance(value, dict) else {})
        place.unlink()
        place.write_text(json.dumps(data))
    return target


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (
            {"1_Pooling__config": {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}},
            "it pools by cls",
        ),
        ({"tokenizer_config": {"do_lower_case": False}}, "it tells capital letters and accents apart"),
    ],
)
def test_a_model_that_the_browser_cannot_run_is_refused_in_words(
    tmp_path: Path, changes: dict[str, object], why: str
) -> None:
    with pytest.raises(ModelError, match=why):
        compact(copied_model(tmp_path / "model", **changes))


def test_a_row_in_int8_is_near_to_what_it_was() -> None:
    rows = np.random.default_rng(7).standard_normal((50, 384)).astype(np.float32)
    rows[3] = 0
    found = quantised(rows)
    assert np.abs(found.rows * found.scales[:, None] - rows).max() <= np.abs(rows).max() / 127 / 2 + 1e-6
    assert (found.rows[3] == 0).all()
    lengths = np.linalg.norm(found.rows.astype(np.float64), axis=1)
    assert (found.longest[0] >= lengths).all()


def test_a_part_is_named_for_its_content_and_unpacks_to_it() -> None:
    one, other = part("x", b"content"), part("x", b"other", noise=True)
    assert one.name != other.name
    assert one.name == part("x", b"content").name
    assert (zlib.decompress(one.data), zlib.decompress(other.data)) == (b"content", b"other")
    assert other.entry == [other.name, len(other.data)]


# -- words and anchors ---------------------------------------------------------------------------


def test_texts_are_cut_as_the_keyword_index_cuts_them() -> None:
    texts = ["Fine-tuning adapters, running", "Café ÅNGSTRÖM", "", "你好 world's", "x_y_z 4-bit GPTQ"]
    with schema.memory() as store:
        assert store.tokens(texts) == [
            ["fine", "tune", "adapt", "run"],
            ["cafe", "angstrom"],
            [],
            ["你好", "world", "s"],
            ["x", "y", "z", "4", "bit", "gptq"],
        ]


def test_headings_of_the_same_words_get_the_anchors_that_toc_gives_them() -> None:
    paths = [("A", "Notes"), ("A", "Notes"), ("B", "Notes"), ("B",), (), ("Notes",)]
    assert anchors("Notes", paths) == ["notes_1", "notes_1", "notes_2", "b", "", "notes_3"]
    assert anchors("Title", [("Title", "Part"), ("Title",)]) == ["part", "title"]
