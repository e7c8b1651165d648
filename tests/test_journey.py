"""One line of a note, all the way: file, passage, link, key, look, ledger, hit, page of the site."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kb import urls
from kb.knowledge import KnowledgeBase
from kb.model import Key, LinkForm, LinkKind, Standing, Verdict
from kb.notes.parse import parse
from tests.notebook import write_notebook
from tests.servers import Server
from tests.site_build import build, write_mkdocs_yml

NOTE = """---
title: Journeys
date: 2023-09-02
tags: [travel]
---

## August 11, 2023

* Things that fit
\t* [Otters]({url}) carry a stone in a pocket of skin
"""


@pytest.mark.usefixtures("loopback")
def test_one_line_from_the_file_to_the_site(tmp_path: Path) -> None:
    body = b"<title>About otters</title><h2 id=stones>Stones</h2>"
    with Server(routes={"otters": lambda handler, _: handler.answer(body=body)}) as server:
        url = server.url("otters/tools?utm_source=feed#stones")
        text = NOTE.format(url=url)
        root = write_notebook(tmp_path / "notebook", {"travel/otters.md": text})
        write_mkdocs_yml(root)

        # The file gives a passage that holds a link, whose span covers the href's bytes.
        note = parse("travel/otters.md", text.encode())
        [passage] = [one for one in note.passages if one.links]
        [link] = passage.links
        assert passage.line == 10
        assert (passage.heading, passage.parents) == (("August 11, 2023",), ("Things that fit",))
        assert (str(passage.noted), str(passage.date)) == ("2023-08-11", "2023-08-11")
        assert text.encode()[link.span.start : link.span.end].decode() == link.href == url
        assert link.form is LinkForm.INLINE

        # The href gives a key and a fragment; the href itself is kept.
        key = urls.key(link.url)
        assert key == Key(server.url("otters/tools"), "stones")

        with KnowledgeBase.open(root) as base:
            # The store holds the passage, the link and its vector.
            report = base.sync()
            assert (report.added, report.links, report.pending) == (1, 1, 0)
            [record] = base.links()
            assert (record.key, record.url, record.kind) == (key, url, LinkKind.OTHER)
            assert record.standing is Standing.UNCHECKED

            # A look gives a verdict, the verdict a standing, the same answer a title.
            looked = base.check_links()
            assert dict(looked.counts) == {Verdict.ALIVE: 1}
            [record] = base.links()
            assert (record.standing, record.facts.title) == (Standing.ALIVE, "About otters")

            # The ledger has it in one line of text.
            [line] = base.settings.ledger.read_text().splitlines()
            entry = json.loads(line)
            assert (entry["key"], entry["fragment"]) == (key.key, key.fragment)
            assert entry["facts"]["title"] == "About otters"
            assert entry["looks"]["standing"] == "alive"

            # A question in other words gives the bullet, its date, place and link.
            [hit, *_] = base.search("where do sea animals keep their tools").hits
            assert (hit.path, hit.line, str(hit.date)) == ("travel/otters.md", 10, "2023-08-11")
            assert [(one.title, one.standing) for one in hit.links] == [("About otters", Standing.ALIVE)]

        # Without the store, notes and ledger give it all back, with nobody asked.
        server.asked.clear()
        shutil.rmtree(root / ".kb")
        with KnowledgeBase.open(root) as base:
            [record] = base.links()
            assert (record.standing, record.facts.title) == (Standing.ALIVE, "About otters")

        # The site shows the line, and the link among the links with its title.
        site = build(root)
        page = (site / "travel" / "otters" / "index.html").read_text()
        assert "carry a stone in a pocket of skin" in page
        assert url in page
        links = (site / "links" / "index.html").read_text()
        assert "About otters" in links
        assert "alive" in links
        assert server.asked == []

    assert (root / "notes" / "travel" / "otters.md").read_bytes() == text.encode()
