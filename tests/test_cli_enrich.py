"""The commands that ask, show and search what linked pages say, from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kb import cli
from kb.knowledge import KnowledgeBase
from tests.replicas import ROUTES, bases
from tests.servers import Handler, Server, refused_url
from tests.store_helpers import notebook

Kb = Callable[..., int]


def post(handler: Handler, rest: str) -> None:
    handler.answer(
        body=(
            f"<html><head><title>The {rest} post</title><meta name=description content='On {rest}.'></head>"
            f"<main><p>Everything there is to say of {rest}, zanzibar and all of that.</p></main>"
        ).encode()
    )


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(routes={**ROUTES, "post": post}) as running:
        yield running


@pytest.fixture
def root(tmp_path: Path, server: Server, loopback: None) -> Path:
    note = (
        f"* {server.url('post/sheep')} on sheep\n* [goats]({server.url('post/goats')})\n"
        f"* {server.url('status/404')}\n* https://github.com/octocat/Hello-World\n"
    )
    notebook(tmp_path / "n", {"a.md": note}, "[enrich]\nkeep_text = true\n")
    return tmp_path / "n"


@pytest.fixture
def kb(root: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Kb:
    opened = KnowledgeBase.__init__

    def elsewhere(self: KnowledgeBase, *args: object) -> None:
        opened(self, *args)  # type: ignore[arg-type]
        self.bases = bases(server)

    monkeypatch.setattr(KnowledgeBase, "__init__", elsewhere)
    return lambda *args: cli.invoke(["--root", str(root), *args])


def test_enriching_tells_how_much_was_learnt_and_what_was_not(
    kb: Kb, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kb("enrich", "--host", "127.0.0.1") == 0
    told = capsys.readouterr()
    assert told.out == "asked about 3 links: 2 new titles, 2 texts kept\n"
    assert "status/404: the page: it answered 404" in told.err
    assert (root / "links.jsonl").read_text().count('"title":"The ') == 2
    assert len(list((root / "saved").iterdir())) == 2
    assert kb("enrich", "--host", "127.0.0.1") == 0
    assert (
        capsys.readouterr().out
        == "asked about 0 links: 0 new titles, 0 texts kept; 3 known already (--all asks again)\n"
    )


def test_facts_are_printed_as_json(kb: Kb, capsys: pytest.CaptureFixture[str]) -> None:
    kb("enrich", "--json", "--host", "127.0.0.1")
    told = json.loads(capsys.readouterr().out)
    assert [one["title"] for one in told if one["title"]] == ["The sheep post", "The goats post"]
    assert {"url", "key", "kind", "authors", "published", "extra", "words"} <= set(told[0])


def test_the_saved_text_is_shown_with_its_date(
    kb: Kb, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    kb("enrich", "--host", "127.0.0.1")
    capsys.readouterr()
    assert kb("show", server.url("post/sheep") + "?utm_source=x") == 0
    title, address, read, _, *text = capsys.readouterr().out.splitlines()
    assert (title, address) == ("The sheep post", server.url("post/sheep"))
    assert read.startswith("read 20")
    assert text == ["Everything there is to say of sheep, zanzibar and all of that."]
    assert kb("show", server.url("post/sheep"), "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["abstract"] == "On sheep."
    assert kb("show", "https://nobody.example/") == 2


def test_a_search_tells_notes_from_pages(kb: Kb, capsys: pytest.CaptureFixture[str]) -> None:
    kb("enrich", "--host", "127.0.0.1")
    capsys.readouterr()

    def found(*where: str) -> list[tuple[str, str | None]]:
        kb("search", "--mode", "keyword", "sheep", "--json", *where)
        return [(one["source"], one["path"]) for one in json.loads(capsys.readouterr().out)]

    assert {source for source, _ in found()} == {"note", "page"}
    assert found("--in", "notes") == [("note", "a.md")]
    assert {source for source, _ in found("--in", "pages")} == {"page"}
    assert {path for source, path in found("--in", "pages")} == {None}
    kb("search", "--mode", "keyword", "zanzibar", "goats")
    assert "(saved page)" in capsys.readouterr().out


def test_titles_are_shown_as_a_diff_and_written_only_when_asked(
    kb: Kb, root: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    kb("enrich", "--host", "127.0.0.1")
    capsys.readouterr()
    note = root / "notes" / "a.md"
    before = note.read_text()
    assert kb("enrich", "--write-titles") == 0
    bullet = f"* [The sheep post]({server.url('post/sheep')}) on sheep"
    assert f"+{bullet}\n" in capsys.readouterr().out
    assert note.read_text() == before
    assert kb("enrich", "--write-titles", "--apply") == 0
    assert note.read_text() == before.replace(f"* {server.url('post/sheep')} on sheep", bullet)


def test_the_diff_of_titles_keeps_the_lines_that_the_note_has(
    kb: Kb, root: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "notes" / "a.md").write_text(f"* one\u2028line\twith a tab\n* {server.url('post/sheep')}\n")
    kb("enrich", "--host", "127.0.0.1")
    capsys.readouterr()
    assert kb("enrich", "--write-titles") == 0
    assert " * one\u2028line\twith a tab\n" in capsys.readouterr().out


@pytest.mark.usefixtures("loopback")
def test_with_the_network_away_nothing_is_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = notebook(tmp_path / "n", {"a.md": f"* {refused_url()}\n"})
    assert cli.invoke(["--root", str(settings.root), "enrich"]) == 2
    assert "network is away" in capsys.readouterr().err
    assert not settings.ledger.exists()


def test_private_hosts_are_not_asked_unless_the_person_says_so(tmp_path: Path, server: Server) -> None:
    settings = notebook(tmp_path / "n", {"a.md": f"* {server.url('post/sheep')}\n"})
    assert cli.invoke(["--root", str(settings.root), "enrich"]) == 0
    assert server.asked == []
