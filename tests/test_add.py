"""kb add-link: one bullet, every other byte as it was, and no link twice."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest

from kb.add import append, note_path, web_address
from kb.errors import UnknownNote, UsageError
from kb.knowledge import KnowledgeBase
from kb.notes.files import write_atomic
from tests.commands import Run, runner
from tests.servers import Server, refused_url


@pytest.fixture
def run(notebook: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(capsys, monkeypatch, notebook)


def todays(notebook: Path) -> Path:
    [note] = (notebook / "notes").glob("2*/2*.md")
    return note


def test_the_title_is_fetched_and_a_missing_note_of_the_day_is_made(run: Run, notebook: Path) -> None:
    with Server() as server:
        ran = run("add-link", server.url("page/A%20page"))
        assert ran.status == 0
        note = todays(notebook)
        day = note.stem
        assert note.relative_to(notebook / "notes").as_posix() == f"{day[:4]}/{day}.md"
        text = note.read_text()
        assert text == f'---\ntitle: "{day}"\ndate: {day}\n---\n\n* [A page]({server.url("page/A%20page")})\n'
        assert f"{note.relative_to(notebook)}:6" in ran.out
        link = next(one for one in run("links", "--json").json if one["host"] == "127.0.0.1")
        assert (link["title"], link["standing"]) == ("A page", "alive")


def test_every_other_byte_of_the_note_stays(run: Run, notebook: Path) -> None:
    target = notebook / "notes" / "windows.md"
    old = b"\xef\xbb\xbf# Title\r\n\r\n- one\r\n\t- two  \r\n- three"
    target.write_bytes(old)
    with Server() as server:
        url = server.url("page/T")
        assert run("add-link", url, "--note", "windows", "-c", "why it matters").status == 0
    assert target.read_bytes() == old + f"\r\n- [T]({url}) why it matters\r\n".encode()


@pytest.mark.parametrize(
    "spelling",
    [
        "https://arxiv.org/abs/2305.14314",
        "https://arxiv.org/pdf/2305.14314v2",
        "arxiv.org/abs/2305.14314?utm_source=feed",
        "https://news.ycombinator.com/item?id=37091586&utm_medium=x",
    ],
)
def test_a_known_link_is_told_under_any_spelling_and_nothing_is_written(
    run: Run, notebook: Path, spelling: str
) -> None:
    ran = run("add-link", spelling)
    assert ran.status == 0
    assert "already in notes/" in ran.out
    assert not list((notebook / "notes").glob("2*"))


def test_a_page_known_by_where_it_redirects_to_is_not_added_again(run: Run, notebook: Path) -> None:
    with Server() as server:
        assert run("add-link", server.url("page/A")).status == 0
        before = todays(notebook).read_bytes()
        # The same page but for a slash at its end: the redirect is the evidence.
        server.routes["page"] = lambda handler, rest: (
            handler.redirect("/page/A") if handler.path.endswith("/") else handler.answer()
        )
        assert "already in" in run("add-link", server.url("page/A/")).out
        assert "already in" in run("add-link", server.url("page/A/")).out
        assert todays(notebook).read_bytes() == before


def test_a_host_that_shows_one_page_for_every_path_gives_its_title_all_the_same(
    run: Run, notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b"<title>The only page</title><p>Whatever is asked for, this is what there is to read.</p>" * 3
    with Server() as server:
        monkeypatch.setattr("tests.servers.missing", lambda handler, _: handler.answer(body=body))
        ran = run("add-link", server.url("a"))
    assert ran.err == ""
    assert "The only page" in todays(notebook).read_text()


def test_what_cannot_be_reached_is_saved_all_the_same_with_a_warning(run: Run, notebook: Path) -> None:
    url = refused_url()
    ran = run("add-link", url)
    assert ran.status == 0
    assert "its title is still to come" in ran.err
    assert f"* <{url}>" in todays(notebook).read_text()
    link = next(one for one in run("links", "--json").json if one["host"] == "127.0.0.1")
    assert link["standing"] == "unchecked"


def test_a_hostile_title_makes_no_markup(run: Run, notebook: Path) -> None:
    title = "x](http://evil.example) &lt;script&gt;alert(1)&lt;/script&gt; **b** `c` {onclick=1}\n# H"
    body = f"<html><head><title>{title}</title></head></html>"
    with Server(routes={"evil": lambda handler, _: handler.answer(body=body.encode())}) as server:
        run("add-link", server.url("evil"))
        [bullet] = [line for line in todays(notebook).read_text().splitlines() if line.startswith("*")]
        links = run("links", "--json").json
        assert [one["url"] for one in links if one["host"] == "127.0.0.1"] == [server.url("evil")]
        assert not [one for one in links if one["host"] == "evil.example"]
    assert "<script>" not in bullet
    assert title.split("]")[0] in bullet


def test_a_dry_run_writes_nothing(run: Run, notebook: Path) -> None:
    with Server() as server:
        ran = run("add-link", server.url("page/T"), "--dry-run")
    assert ran.status == 0
    assert "would add to" in ran.out
    assert not list((notebook / "notes").glob("2*"))
    assert not (notebook / "links.jsonl").exists()


@pytest.mark.parametrize(
    "text", ["", "javascript:alert(1)", "file:///etc/passwd", "not a link", "http://", "x"]
)
def test_what_is_no_web_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        web_address(text)


def test_a_bare_host_is_taken_for_https() -> None:
    assert web_address(" example.org/a ") == "https://example.org/a"


def test_a_backslash_in_a_path_is_the_slash_that_browsers_make_of_it() -> None:
    assert web_address("https://example.org/a\\b?c\\d") == "https://example.org/a/b?c\\d"


def test_a_note_is_named_from_here_or_from_the_notes_with_or_without_its_ending(
    notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = notebook / "notes"
    monkeypatch.chdir(notebook)
    for name in ("papers/qlora.md", "papers/qlora", "notes/papers/qlora", str(notes / "papers/qlora.md")):
        assert note_path(notes, name, "2026-11-24") == "papers/qlora.md"
    (notes / "data.csv").write_text("a,b\n")
    (notes / ".hidden").mkdir()
    (notes / ".hidden" / "n.md").write_text("* n\n")
    for name in ("nothing", "../kb.toml", "/etc/passwd", "/", "", ".", "data.csv", ".hidden/n.md", "papers"):
        with pytest.raises(UnknownNote):
            note_path(notes, name, "2026-11-24")


def test_ten_at_once_all_land(notebook: Path) -> None:
    def add(number: int) -> None:
        with KnowledgeBase.open(notebook) as base:
            base.add_link(f"http://127.0.0.1:1/{number}")

    threads = [Thread(target=add, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text = todays(notebook).read_text()
    assert sorted(line for line in text.splitlines() if line.startswith("*")) == [
        f"* <http://127.0.0.1:1/{number}>" for number in range(10)
    ]


def test_an_editor_that_saves_in_between_loses_nothing(
    notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes, path = notebook / "notes", "papers/qlora.md"
    saved: list[Path] = []

    def write(target: Path, data: bytes, *, expected: bytes | None, root: Path) -> None:
        if not saved:
            saved.append(target)
            target.write_bytes(target.read_bytes() + b"* typed meanwhile\n")
        write_atomic(target, data, expected=expected, root=root)

    monkeypatch.setattr("kb.add.write_atomic", write)
    append(notes, path, "added", "2026-11-24")
    assert (notes / path).read_text().endswith("* typed meanwhile\n* added\n")
