from __future__ import annotations

import base64
import gzip
import hashlib
import json
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree.ElementTree import fromstring

import pytest
from mkdocs.exceptions import Abort

from kb.knowledge import KnowledgeBase
from kb.model import Looks, Standing, Transition
from tests.notebook import NOTES, write_notebook
from tests.site_build import HOSTILE_TITLE, MORE_NOTES, build, write_mkdocs_yml

ROOT = Path(__file__).parent.parent
SENTINEL = "xylophonequartz"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_notebook(tmp_path_factory.mktemp("site") / "notebook", NOTES | MORE_NOTES)
    write_mkdocs_yml(root)
    return build(root)


class Document(HTMLParser):
    """What a page of the site holds, for asking."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._raw = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._raw += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._raw -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._raw:
            self.text += data

    def attributes(self, tag: str, name: str) -> list[str]:
        return [attrs[name] for found, attrs in self.tags if found == tag and name in attrs]


def page(site: Path, path: str) -> Document:
    return Document((site / path / "index.html").read_text(encoding="utf-8"))


def article(site: Path, path: str) -> str:
    found = re.search(
        r"<article.*?</article>", (site / path / "index.html").read_text(encoding="utf-8"), re.DOTALL
    )
    assert found
    return found[0]


def html_files(site: Path) -> Iterator[tuple[str, Document]]:
    for file in sorted(site.rglob("*.html")):
        yield file.relative_to(site).as_posix(), Document(file.read_text(encoding="utf-8"))


def test_a_strict_build_has_the_notes_and_the_pages_made_of_them(site: Path) -> None:
    pages = {path.removesuffix("index.html") for path, _ in html_files(site)} - {"404.html"}
    # The notebook has a note at glossary.md: it keeps its address, and the gathered terms go to another.
    made = {"", "notes/", "timeline/", "tags/", "links/", "papers/", "threads/", "tutorials/", "link-health/"}
    made |= {"all-terms/", "graph/"}
    assert pages == made | {f"{path.removesuffix('.md')}/" for path in NOTES | MORE_NOTES}


def test_the_menu_is_short_and_the_same_on_every_page(site: Path) -> None:
    for path in ("", "papers/qlora", "links"):
        html = (site / path / "index.html").read_text(encoding="utf-8")
        tabs = re.search(r'<ul class="md-tabs__list">.*?</ul>', html, re.DOTALL)
        assert tabs
        assert Document(tabs[0]).text.split() == ["Home", "Notes", "Links", "Glossary", "Graph"]


def test_the_glossary_tells_both_terms_and_where_they_are_used(site: Path) -> None:
    shown = page(site, "all-terms")
    for part in ("PEFT", "Parameter-Efficient Fine-Tuning", "RAG", "Retrieval-Augmented Generation"):
        assert part in shown.text
    assert "fetched passages ground the model's answer in facts that can be checked." in shown.text
    assert "https://words.example/rag" in shown.attributes("a", "href")
    assert {"peft", "rag"} <= {attrs.get("id") for _, attrs in shown.tags}


def test_the_links_page_lists_every_link_once(site: Path) -> None:
    hrefs = [href for href in page(site, "links").attributes("a", "href") if href.startswith("http")]
    expected = {
        "https://arxiv.org/abs/2305.14314",
        "https://news.ycombinator.com/item?id=37091586",
        "https://github.com/ggerganov/whisper.cpp",
        "https://www.youtube.com/@jaredthecoder",
        "https://addresses.example/a_b_c",
    }
    assert expected <= set(hrefs)
    assert len(hrefs) == len(set(hrefs))


def test_a_note_shows_its_title_date_kind_and_tags(site: Path) -> None:
    html = article(site, "threads/llama-2")
    shown = " ".join(Document(html).text.split())
    assert shown.startswith("Adapting Llama 2 at home\xb6 September 2023 HN thread fine-tuning qlora")
    assert html.count("<h1") == 1
    assert article(site, "papers/qlora").count("<h1") == 1


def test_lists_nested_by_tabs_stay_nested(site: Path) -> None:
    html = article(site, "threads/llama-2")
    assert re.search(
        r"<ul>\s*<li>[^<]*<a[^>]*>case study</a>.*?<ul>\s*<li><a.*?<ul>\s*<li>This", html, re.DOTALL
    )


def test_bare_addresses_are_links_without_the_punctuation_around_them(site: Path) -> None:
    assert "https://www.youtube.com/@jaredthecoder" in page(site, "tutorials/2023-03-tutorials").attributes(
        "a", "href"
    )
    hrefs = page(site, "odd/hostile").attributes("a", "href")
    assert "https://en.wikipedia.org/wiki/Llama_(animal)" in hrefs
    assert "https://addresses.example/a_b_c" in hrefs


def test_a_link_to_a_page_that_the_site_lacks_is_words(site: Path) -> None:
    tutorials = page(site, "tutorials/2023-03-tutorials")
    assert "/python" not in tutorials.attributes("a", "href")
    assert "setup" in tutorials.text
    hostile = page(site, "odd/hostile")
    assert not [href for href in hostile.attributes("a", "href") if "missing" in href]
    assert "../../papers/qlora/" in hostile.attributes("a", "href")


def test_a_link_by_address_finds_the_note_it_means(tmp_path: Path) -> None:
    root = write_notebook(tmp_path / "n", NOTES | {"python.md": "# Python\n\nSetup.\n"})
    write_mkdocs_yml(root)
    assert "../../python/" in page(build(root), "tutorials/2023-03-tutorials").attributes("a", "href")


def test_a_broken_note_is_reported_by_file_and_line_and_still_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write_notebook(tmp_path / "n", {"broken.md": MORE_NOTES["odd/broken.md"], "good.md": "# Good\n"})
    write_mkdocs_yml(root)
    with caplog.at_level(logging.INFO, "mkdocs.plugins.kb"):
        built = build(root)
    assert re.search(r"broken\.md:\d+: ", caplog.text)
    assert "The words of the broken note." in page(built, "broken").text
    assert "never closed" not in page(built, "broken").text
    assert page(built, "good")


def test_lines_like_metadata_and_front_matter_that_crashes_parsers_lose_no_words(site: Path) -> None:
    assert "Author: this line is part of the note" in page(site, "odd/metadata").text
    assert "The words under deep front matter." in page(site, "odd/deep").text
    windows = article(site, "odd/windows")
    assert "From Windows" in windows
    assert "Caf\u00e9." in windows


def test_words_of_front_matter_are_words_everywhere(site: Path) -> None:
    html = (site / "odd/hostile/index.html").read_text(encoding="utf-8")
    shown = Document(html)
    title = re.search(r"<title>(.*?)</title>", html, re.DOTALL)
    assert title
    assert HOSTILE_TITLE in Document(title[1]).text
    assert HOSTILE_TITLE in shown.text
    assert '"><script>alert(5)</script>' in shown.attributes("meta", "content")
    for document in (shown, page(site, ""), page(site, "notes")):
        assert not [name for _, attrs in document.tags for name in attrs if name.startswith("on")]
        assert not document.attributes("img", "src")
    for path, document in html_files(site):
        assert not [href for href in document.attributes("a", "href") if "script:" in href], path
        assert "alert(" not in "".join(
            re.findall(r"<script.*?</script>", (site / path).read_text(), re.DOTALL)
        ), path


def test_the_search_index_holds_no_markup_of_strangers(site: Path) -> None:
    docs = json.loads((site / "search/search_index.json").read_text(encoding="utf-8"))["docs"]
    assert any(doc["location"].startswith("papers/qlora/") for doc in docs)
    for doc in docs:
        for text in (doc["title"], *doc.get("tags", ())):
            assert not re.search(r"<(?!/?code>)", text)
        assert not re.search(r"<(?!/?(?:p|code|pre|li|ol|ul|sub|sup)>)", doc["text"])


def test_the_front_page_that_kb_makes_is_not_found_in_the_place_of_the_notes(site: Path) -> None:
    docs = json.loads((site / "search/search_index.json").read_text(encoding="utf-8"))["docs"]
    assert not [doc for doc in docs if not doc["location"].partition("#")[0]]
    assert [doc for doc in docs if doc["location"].startswith("all-terms/")]


def test_nothing_on_a_page_comes_from_elsewhere(site: Path) -> None:
    for path, document in html_files(site):
        for tag, name in (
            ("script", "src"),
            ("link", "href"),
            ("img", "src"),
            ("iframe", "src"),
            ("source", "srcset"),
        ):
            for address in document.attributes(tag, name):
                assert not urlsplit(address).netloc, f"{path}: {address}"
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//|@import", sheet.read_text(encoding="utf-8")), sheet


def test_every_link_and_anchor_within_the_site_leads_somewhere(site: Path) -> None:
    assert len(leads_nowhere(site)) == 0


def leads_nowhere(site: Path) -> list[str]:
    """The links and anchors of a site that nothing answers to."""
    found = []
    documents = dict(html_files(site))
    anchors = {
        path: {attrs["id"] for _, attrs in doc.tags if "id" in attrs} for path, doc in documents.items()
    }
    for path, document in documents.items():
        if path == "404.html":
            continue  # its links are from the root of the server
        for href in document.attributes("a", "href"):
            if urlsplit(href).scheme or href == "#nope":  # the second is the person's own slip
                continue
            target = urlsplit(urljoin(f"http://x/{path}", href))
            file = unquote(target.path).lstrip("/")
            file = f"{file}index.html" if file.endswith("/") or not file else file
            if not (file in documents or (site / file).is_file()) or (
                target.fragment and target.fragment not in anchors[file]
            ):
                found.append(f"{path}: {href}")
    return found


def test_every_page_has_a_description_and_a_title_of_its_own(site: Path) -> None:
    titles = []
    for path, document in html_files(site):
        if path == "404.html":
            continue
        descriptions = [
            attrs["content"] for tag, attrs in document.tags if attrs.get("name") == "description"
        ]
        assert len(descriptions) == 1, path
        assert descriptions[0].strip(), path
        html = (site / path).read_text(encoding="utf-8")
        titles += re.findall(r"<title>(.*?)</title>", html, re.DOTALL)
    assert len(titles) == len(set(titles))


def test_what_is_private_or_a_draft_appears_nowhere(tmp_path: Path) -> None:
    secret = (
        f"# {SENTINEL}\n\n* {SENTINEL} [{SENTINEL}](https://{SENTINEL}.example/) and QLoRA\n"
        f"* {SENTINEL} = {SENTINEL} words\n"
    )
    hidden = {
        "a.md": f"---\nprivate: true\ntags: [{SENTINEL}]\n---\n{secret}",
        "b.md": f"---\ndraft: true\nkind: glossary\n---\n{secret}",
        "private/c.md": secret,
        "sub/private/d.md": secret,
        "e.md": f'---\nprivate: "yes"\n---\n{secret}',
        "f.md": f"---\ntitle: [broken\nprivate: true\n---\n{secret}",
        f"private/{SENTINEL}.txt": SENTINEL,
        "points.md": "# Points\n\nSee [[a]], [words](private/c.md) and [[b|more]].\n",
    }
    root = write_notebook(tmp_path / "n", NOTES | hidden)
    write_mkdocs_yml(root)
    with KnowledgeBase.open(root) as base:  # vectors, and a link that died: all that a page can tell of
        base.sync()
        for record in base.store.links():
            looks = Looks(
                standing=Standing.DEAD,
                last_checked="2026-03-01T00:00:00Z",
                transitions=(Transition("2026-01-01T00:00:00Z", Standing.ALIVE),),
            )
            base.store.save_look(record.key, None, looks)
    built = build(root)
    assert "Near in meaning" in (built / "threads/llama-2/index.html").read_text()
    assert "Dead (" in (built / "link-health/index.html").read_text()
    for file in built.rglob("*"):
        assert SENTINEL not in str(file.relative_to(built))
        if file.is_file():
            data = file.read_bytes()
            assert SENTINEL.encode() not in (gzip.decompress(data) if file.suffix == ".gz" else data), file
    assert SENTINEL not in (root / "mkdocs.yml").read_text()
    assert "5 notes" in page(built, "").text


@pytest.fixture(scope="session")
def wiki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    notes = {
        "index.md": "# Front\n\n[[a#Second part|the second]] and [[Alias]] and [[nothing here]].\n",
        "a.md": (
            "---\ntitle: First\ndate: 2024-02-03\naliases: [Alias]\ntags: [x]\n---\n# First\n\n"
            "## Second part\n\nText. See [the other](sub/b.md), please. End.\n\n"
            "`[[a]]` [[1]](https://cite.example/) [[#Second part]]\n"
        ),
        "sub/b.md": (
            "# Other\n\n* RAGs are not `RAG`, nor [RAG](https://rag.example/)\n\n"
            "| a |\n|---|\n| [[a\\|bar]] |\n"
        ),
        "words.md": "---\nkind: glossary\n---\n* RAG = Retrieval-Augmented Generation.\n",
    }
    root = write_notebook(tmp_path_factory.mktemp("wiki") / "notebook", notes)
    write_mkdocs_yml(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SITE_URL", "https://notes.example/me/")
        return build(root)


def test_wikilinks_lead_to_notes_and_headings(wiki: Path) -> None:
    front = page(wiki, "")
    assert {"a/#second-part", "a/"} <= set(front.attributes("a", "href"))
    assert "the second and Alias and nothing here." in front.text
    assert any(attrs.get("class") == "kb-missing" for _, attrs in front.tags)
    assert "../../a/" in page(wiki, "sub/b").attributes("a", "href")
    first = page(wiki, "a")
    assert "[[a]]" in first.text
    assert "https://cite.example/" in first.attributes("a", "href")
    assert "#second-part" in first.attributes("a", "href")


def test_a_note_shows_what_links_to_it_with_the_sentence_around(wiki: Path) -> None:
    text = " ".join(Document(article(wiki, "sub/b")).text.split())
    assert text.endswith("bar Mentioned in FirstSee the other, please.")
    assert "../../a/" in page(wiki, "sub/b").attributes("a", "href")


def test_terms_are_explained_in_notes_but_not_in_code_or_links(wiki: Path) -> None:
    shown = article(wiki, "sub/b")
    assert re.findall(r'<abbr[^>]*title="([^"]*)"[^>]*>(.*?)</abbr>', shown) == [
        ("Retrieval-Augmented Generation", "RAGs")
    ]


def test_the_feed_has_the_dated_notes_alone(wiki: Path) -> None:
    feed = fromstring((wiki / "feed_rss_created.xml").read_text(encoding="utf-8"))
    items = [[item.findtext(name) for name in ("title", "link", "category")] for item in feed.iter("item")]
    assert items == [["First", "https://notes.example/me/a/", "x"]]
    assert "03 Feb 2024" in (feed.findtext(".//item/pubDate") or "")


def test_the_feed_tells_words_as_they_were_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_URL", "https://notes.example/")
    root = write_notebook(tmp_path / "n", {"hostile.md": MORE_NOTES["odd/hostile.md"]})
    write_mkdocs_yml(root)
    feed = fromstring((build(root) / "feed_rss_created.xml").read_text(encoding="utf-8"))
    assert HOSTILE_TITLE in [item.findtext("title") for item in feed.iter("item")]
    assert "<img src=x onerror=alert(4)>" in [tag.text for tag in feed.iter("category")]


def test_the_feed_of_notes_with_an_ampersand_in_their_name_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_URL", "https://notes.example/")
    root = write_notebook(tmp_path / "n")
    config = write_mkdocs_yml(root)
    config.write_text(config.read_text().replace('"Test notes"', '"Notes <& more>"'))
    feed = fromstring((build(root) / "feed_rss_created.xml").read_text(encoding="utf-8"))
    assert {title.text for title in feed.iter("source")} == {"Notes <& more>"}


def test_the_feed_needs_no_git(tmp_path: Path) -> None:
    root = write_notebook(tmp_path / "n")
    write_mkdocs_yml(root)
    (tmp_path / "bin").mkdir()
    environ = {**os.environ, "PATH": str(tmp_path / "bin"), "NO_MKDOCS_2_WARNING": "1"}
    environ["SITE_URL"] = "https://notes.example/"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q"]
    done = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (root / "site/feed_rss_created.xml").exists()


def test_a_site_that_nobody_can_reach_has_no_feed_and_no_map_that_speak_of_this_machine(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_notebook(tmp_path / "n")
    write_mkdocs_yml(root)
    with caplog.at_level(logging.INFO, "mkdocs.plugins.kb"):
        built = build(root)
    assert "no feed and no site map: they need the site's address" in caplog.text
    assert not [file.name for file in built.iterdir() if file.name.startswith(("feed_", "sitemap"))]
    for file in built.rglob("*"):
        assert not file.is_file() or b"http://127.0.0.1" not in file.read_bytes(), file
    assert "application/rss+xml" not in (built / "index.html").read_text()
    monkeypatch.setenv("SITE_URL", "https://notes.example/me/")
    built = build(root)
    assert "https://notes.example/me/papers/qlora/" in (built / "sitemap.xml").read_text()
    assert 'href="feed_rss_created.xml"' in (built / "index.html").read_text()


def test_the_order_of_the_plugins_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_URL", "https://notes.example/")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    root = write_notebook(tmp_path / "n")
    config = write_mkdocs_yml(root)
    text = config.read_text()
    found = []
    feed = text[text.index("  - rss:") : text.index("markdown_extensions:")].rstrip() + "\n"
    for plugins in (
        "  - search\n  - kb\n" + feed,
        feed + "  - search\n  - kb\n",
        "  - kb\n" + feed + "  - search\n",
    ):
        start, end = text.index("plugins:\n") + len("plugins:\n"), text.index("\nmarkdown_extensions:")
        config.write_text(text[:start] + plugins + text[end:])
        built = build(root)
        files = sorted(file for file in built.rglob("*") if file.suffix in (".html", ".xml", ".json"))
        found.append({file.relative_to(built): file.read_text().split() for file in files})
    assert found[0] == found[1] == found[2]
    assert not (root / ".cache").exists()


def test_notes_that_would_have_one_address_are_both_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notes = {
        "foo.md": "# The file\n\nSee [the folder](foo/index.md).\n",
        "foo/index.md": "# The folder\n\nSee [[foo.md|the file]].\n",
        "SHOUT.MD": "# Shouted\n\nTo [[foo/index|it]].\n",
        "see.md": "# See\n\n[shout](SHOUT.MD) and [[SHOUT]].\n",
    }
    root = write_notebook(tmp_path / "n", notes)
    write_mkdocs_yml(root)
    with caplog.at_level(logging.INFO, "mkdocs.plugins.kb"):
        built = build(root)
    assert "foo.md and foo/index.md would have one address: the first stands at foo-2/" in caplog.text
    assert "../foo/" in page(built, "foo-2").attributes("a", "href")
    assert "../foo-2/" in page(built, "foo").attributes("a", "href")
    assert "Shouted" in article(built, "SHOUT")
    assert page(built, "see").attributes("a", "href").count("../SHOUT/") == 2
    assert not (built / "SHOUT.MD").exists()
    assert leads_nowhere(built) == []
    with KnowledgeBase.open(root) as base:
        told = [(one.path, one.message) for one in base.sync(embed=False).problems]
    assert ("foo.md", "would have the same address on the site as foo/index.md, and is given another") in told


def test_only_a_site_with_an_address_claims_one(site: Path, wiki: Path) -> None:
    assert 'rel="canonical"' not in (site / "index.html").read_text(encoding="utf-8")
    assert '<link rel="canonical" href="https://notes.example/me/">' in (wiki / "index.html").read_text()


def test_a_wrong_address_is_answered_with_a_way_back(wiki: Path) -> None:
    lost = Document((wiki / "404.html").read_text(encoding="utf-8"))
    assert "No page of these notes has this address" in lost.text
    assert "/me/" in lost.attributes("a", "href")
    assert any(attrs.get("name") == "description" and attrs["content"] for _, attrs in lost.tags)


def test_every_page_lets_only_its_own_scripts_run(site: Path) -> None:
    for path, document in html_files(site):
        policies = [attrs["content"] for _, attrs in document.tags if attrs.get("http-equiv")]
        assert len(policies) == 1, path
        scripts = re.search(r"script-src ([^;]*);", policies[0])
        assert scripts
        assert "'unsafe-inline'" not in scripts[1]
        assert "object-src 'none'" in policies[0]
        code = re.findall(r"<script>(.*?)</script>", (site / path).read_text(encoding="utf-8"), re.DOTALL)
        for piece in code:
            digest = base64.b64encode(hashlib.sha256(piece.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in scripts[1], path


def test_what_a_page_shows_holds_no_script_which_swapping_pages_would_run(site: Path) -> None:
    for path, _ in html_files(site):
        _, _, page = (site / path).read_text(encoding="utf-8").partition("<article")
        assert "<script" not in page.partition("</article>")[0], path


def test_raw_html_is_published_as_it_is_only_where_the_person_vouches_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    html = "# Raw\n\n<form><button onclick='run()'>x</button></form>\n\n<script>run = 1</script>\n"
    root = write_notebook(tmp_path / "n", {"raw.md": html})
    write_mkdocs_yml(root)
    assert "<form>" not in article(build(root), "raw")
    monkeypatch.setenv("KB_SITE_TRUST_HTML", "true")
    built = build(root)
    shown = article(built, "raw")
    assert "<form><button onclick='run()'>x</button></form>" in shown
    digest = base64.b64encode(hashlib.sha256(b"run = 1").digest()).decode()
    assert f"'sha256-{digest}'" in (built / "raw/index.html").read_text()


def test_what_is_kept_of_the_last_build_changes_nothing(tmp_path: Path) -> None:
    root = write_notebook(tmp_path / "n", NOTES | {"see.md": "# See\n\n[[Fresh]] and [b](fresh.md)\n"})
    write_mkdocs_yml(root)

    def pages() -> dict[str, str]:
        built = build(root)
        return {path: (built / path).read_text(encoding="utf-8") for path, _ in html_files(built)}

    first = pages()
    assert (root / ".kb/html.jsonl").exists()
    assert pages() == first
    (root / "notes/fresh.md").write_text("# Fresh\n")
    warm = pages()
    assert 'href="../fresh/"' in warm["see/index.html"]
    (root / ".kb/html.jsonl").unlink()
    assert pages() == warm
    (root / ".kb/html.jsonl").write_text('{"broken": 1\n' * 3)
    assert pages() == warm


def test_serving_shows_an_edit_and_leaves_room_for_live_reload(tmp_path: Path) -> None:
    root = write_notebook(tmp_path / "n")
    write_mkdocs_yml(root)
    for words in ("before", "after"):
        (root / "notes/papers/qlora.md").write_text(f"# QLoRA\n\nSaid {words}.\n")
        built = build(root, serving=True)
        assert f"Said {words}." in page(built, "papers/qlora").text
        assert "Content-Security-Policy" not in (built / "papers/qlora/index.html").read_text()
    assert "Content-Security-Policy" in (build(root) / "index.html").read_text()


def test_a_page_that_another_plugin_changes_is_rendered_each_time(tmp_path: Path) -> None:
    root = write_notebook(tmp_path / "n")
    config = write_mkdocs_yml(root)
    (root / "stamp.py").write_text(
        "from pathlib import Path\n"
        "def on_page_markdown(markdown, **_):\n"
        "    return markdown + Path('STAMP').read_text()\n".replace("'STAMP'", repr(str(root / "stamp.txt")))
    )
    config.write_text(config.read_text() + "\nhooks: [stamp.py]\n")
    for words in ("the first time", "the second time"):
        (root / "stamp.txt").write_text(f"\n\nSeen {words}.\n")
        assert f"Seen {words}." in page(build(root), "papers/qlora").text


def test_a_front_page_of_ones_own_comes_first(tmp_path: Path) -> None:
    root = write_notebook(tmp_path / "n", NOTES | {"index.md": "# My own front page\n"})
    write_mkdocs_yml(root)
    built = build(root)
    assert "My own front page" in page(built, "").text
    assert "Added lately" not in page(built, "").text
    assert "My own front page" not in page(built, "notes").text


def test_a_build_writes_nothing_among_the_notes(tmp_path: Path) -> None:
    root = write_notebook(tmp_path / "n")
    write_mkdocs_yml(root)

    def state() -> dict[str, int]:
        return {str(file): file.stat().st_mtime_ns for file in sorted((root / "notes").rglob("*"))}

    before = state()
    build(root)
    build(root)
    assert state() == before


def test_a_build_asks_nothing_of_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the build went to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    root = write_notebook(tmp_path / "n")
    write_mkdocs_yml(root)
    assert page(build(root), "links")


def test_the_next_build_shows_what_was_edited_added_and_deleted(tmp_path: Path) -> None:
    root = write_notebook(tmp_path / "n")
    write_mkdocs_yml(root)
    build(root)
    (root / "notes/papers/qlora.md").write_text("# QLoRA\n\nNow it says something new.\n")
    (root / "notes/fresh.md").write_text("# Fresh\n")
    (root / "notes/threads/llama-2.md").unlink()
    built = build(root)
    assert "Now it says something new." in page(built, "papers/qlora").text
    assert "Fresh" in page(built, "notes").text
    assert not (built / "threads/llama-2").exists()
    assert "37091586" not in (built / "links/index.html").read_text()


def test_an_adopted_folder_of_markdown_is_published_too(tmp_path: Path) -> None:
    root = tmp_path / "n"
    write_notebook(root, {})
    (root / "kb.toml").write_text('[notebook]\ntitle = "Adopted"\nnotes = "."\n')
    (root / "notes").rmdir()
    (root / "site-pages").mkdir()
    (root / "deep").mkdir()
    (root / "deep/note.md").write_text("# A note that lay there\n")
    write_mkdocs_yml(root, "site-pages")
    built = build(root)
    assert "A note that lay there" in page(built, "deep/note").text
    assert "../deep/note/" in page(built, "notes").attributes("a", "href")


def test_without_a_notebook_the_build_says_what_to_do(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "notes").mkdir()
    write_mkdocs_yml(tmp_path)
    with pytest.raises(Abort):
        build(tmp_path)
    assert "no kb.toml" in caplog.text
    assert "kb init" in caplog.text


def test_a_new_notebook_gets_the_mkdocs_yml_that_ships() -> None:
    shipped = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").splitlines()
    template = (ROOT / "kb/scaffold/mkdocs.yml").read_text(encoding="utf-8").splitlines()
    differ = [(one, other) for one, other in zip(shipped, template, strict=True) if one != other]
    assert [other for _, other in differ] == ["site_name: {title}", "docs_dir: {docs_dir}"]


def test_the_notebook_that_ships_builds_without_a_warning(tmp_path: Path) -> None:
    for name in ("kb.toml", "mkdocs.yml", "links.jsonl"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "notes", tmp_path / "notes")
    built = build(tmp_path)
    assert "37091586" in (built / "links/index.html").read_text(encoding="utf-8")
    assert leads_nowhere(built) == []


def test_nothing_of_a_private_note_or_of_what_lies_outside_is_copied(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("SENTINEL")
    root = write_notebook(tmp_path / "notebook", {"a.md": "* a public bullet\n"})
    notes = root / "notes"
    hidden = "---\nprivate: true\n---\n\n* SENTINEL\n"
    for name in ("SECRET.MD", "b.md", "b.md~", "b.md.bak", ".#b.md", "private/c.md", "Private/d.txt"):
        (notes / name).parent.mkdir(exist_ok=True)
        (notes / name).write_text(hidden)
    (notes / "attachments").symlink_to(outside)
    (notes / "key.txt").symlink_to(outside / "secret.txt")
    (notes / "self").symlink_to(".")
    (notes / "picture.svg").write_text("<svg/>")
    write_mkdocs_yml(root)
    site = build(root)
    assert (site / "a" / "index.html").exists()
    assert (site / "picture.svg").exists()
    assert [path for path in site.rglob("*") if path.is_file() and b"SENTINEL" in path.read_bytes()] == []


def test_a_private_note_below_another_folder_of_pages_is_withheld_too(tmp_path: Path) -> None:
    root = tmp_path / "project"
    (root / "docs").mkdir(parents=True)
    (root / "kb.toml").write_text('[notebook]\nnotes = "."\n')
    (root / "docs" / "open.md").write_text("* open\n")
    (root / "docs" / "closed.md").write_text("---\nprivate: true\n---\n\n* SENTINEL\n")
    write_mkdocs_yml(root, "docs")
    site = build(root)
    assert [path for path in site.rglob("*") if path.is_file() and b"SENTINEL" in path.read_bytes()] == []


def test_pictures_beside_the_notes_of_an_adopted_folder_are_on_its_site(tmp_path: Path) -> None:
    root = tmp_path / "adopted"
    (root / "trips" / "img").mkdir(parents=True)
    (root / "kb.toml").write_text('[notebook]\nnotes = "."\n')
    odd = "[odd](//[x)\n\n![p](//[y) and http://[z and https://[::1\n"
    (root / "trips" / "a.md").write_text("![map](img/map.svg) and [a paper](../paper.pdf)\n\n" + odd)
    (root / "trips" / "b.md").write_text("---\nprivate: true\n---\n\n![plan](img/plan.svg)\n")
    for name in ("trips/img/map.svg", "trips/img/plan.svg", "trips/img/other.svg", "paper.pdf"):
        (root / name).write_text("<svg/>")
    (root / "site-pages").mkdir()
    write_mkdocs_yml(root, "site-pages")
    site = build(root)
    assert (site / "trips" / "img" / "map.svg").exists()
    assert (site / "paper.pdf").exists()
    assert not (site / "trips" / "img" / "plan.svg").exists()
    assert not (site / "trips" / "img" / "other.svg").exists()
    assert 'src="../img/map.svg"' in (site / "trips" / "a" / "index.html").read_text()
