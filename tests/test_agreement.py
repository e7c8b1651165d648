"""The links that kb finds are the links of the page that MkDocs renders, or the reason stands here."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import markdown
import pytest
import yaml

from kb.notes.parse import parse
from kb.places import Places
from kb.plugin.extension import NotesMarkdown


class _Mkdocs(yaml.SafeLoader):
    """mkdocs.yml names Python objects by tags, which say nothing here."""


_Mkdocs.add_multi_constructor("", lambda *_: None)


def _extensions() -> tuple[list[Any], dict[str, Any]]:
    """The extensions with which this project's site is rendered, MkDocs' own defaults included."""
    path = Path(__file__).parent.parent / "mkdocs.yml"
    listed = yaml.load(path.read_text(), _Mkdocs).get("markdown_extensions", [])
    names: list[Any] = ["toc", "tables", "fenced_code"]
    configs: dict[str, Any] = {}
    for one in listed:
        name = one if isinstance(one, str) else next(iter(one))
        names.append(name)
        if not isinstance(one, str):
            configs[name] = {key: value for key, value in (one[name] or {}).items() if value is not None}
    return [*dict.fromkeys(names), _notes_markdown()], configs


class _Everything(Places):
    """A site that has every page: whether a page is there is another test's matter."""

    def at(self, here: str, address: str) -> str | None:
        return unquote(address).lstrip("/")

    def named(self, here: str, name: str) -> str | None:
        return None


def _notes_markdown() -> NotesMarkdown:
    extension = NotesMarkdown()
    extension.places = _Everything()
    return extension


# Where the two differ, what Python-Markdown renders, and why kb says otherwise.
DIFFERENCES = {
    "see www.x.org/a": ([], "GFM makes a link of it, and so does a person; Python-Markdown does not"),
    "[a](/p)": (["p"], "the site writes the way from page to page; kb keeps what is written"),
    "text <!-- [a](b) --> text": (["b"], "Python-Markdown renders it inside of the comment: nobody sees it"),
    "<a href='http://x.y/a'>http://x.y/b</a>": (
        ["http://x.y/a", "http://x.y/b"],
        "links do not nest: the page's inner one is what Python-Markdown makes of raw HTML's words",
    ),
    "[a](b c)": (["b c"], "CommonMark wants <> around an address with a space; most tools show text"),
    "[x [y](b)](c)": (["c"], "links do not nest: CommonMark keeps the inner one, Python-Markdown the outer"),
    "<http://x.y/a b>": (["http://x.y/a b"], "an address ends at a space"),
    '=== "Tab"\n\n    [a](b)': (
        [],
        "only with pymdownx.tabbed, as many have it; the links are there either way",
    ),
    "[[Note]]": ([], "wikilinks are resolved by the site itself"),
}

SNIPPETS = [
    "[a](http://x.y/z)",
    "[a](<http://x.y/a b>)",
    '[a](http://x.y "t")',
    "[a](http://x.y\n'T')",
    "[a]( http://x.y )",
    "[a](http://x.y/(b)_c)",
    "[a](http://x.y/a_b_c)",
    "[a](http://x.y/%20b)",
    "[a](é)",
    "[a](b&amp;c)",
    "[a](http://x.y?a=b&c=d)",
    "[[1]](http://x.y)",
    "[](http://x.y)",
    "[a]()",
    "[a](<>)",
    "[a `b` c](http://x.y)",
    "[**a**](http://x.y)",
    "[long\ntext](http://x.y)",
    "[![i](i.png)](http://x.y)",
    "![i](i.png)",
    "[a][r]\n\n[r]: http://x.y",
    "[r][]\n\n[r]: http://x.y",
    "[r]\n\n[r]: http://x.y 'T'",
    "[a][R]\n\n[r]: <http://x.y>",
    "[a][b]\n\n[c]: d",
    "[a]: http://x.y",
    "<http://x.y>",
    "| a | b |\n|---|---|\n| [q](http://x.y) | c |",
    "# [a](http://x.y)",
    "> [a](http://x.y)",
    "> > [a](http://x.y)",
    "> a\n[a](b)",
    "* [a](http://x.y)\n    * [b](http://z.z)",
    "* [a](http://x.y)\n\t* [b](http://z.z)",
    "* [a](http://x.y)\n  * [b](http://z.z)",
    "1. [a](http://x.y)\n2. [b](http://z.z)",
    "+ [a](b)",
    "- [ ] [a](http://x.y)",
    "text\n* [a](b)",
    "term\n:   [a](http://x.y)",
    "t[^1]\n\n[^1]: [a](http://x.y)",
    '<a href="http://x.y">a</a>',
    '<div><a href="http://x.y">a</a></div>',
    "<p>[a](b)</p>",
    "`[a](b)`",
    "``[a](b)``",
    "```\n[a](b)\n```",
    "~~~\n[a](b)\n~~~",
    "    [a](b)",
    "<!-- [a](b) -->",
    "[a](mailto:a@b.c)",
    "[a](../b.md)",
    "[a](#p)",
    "\\[a](b)",
    "[a\\](b)",
    "[a](b\\)c)",
    "[a] (b)",
    "[a]\n(b)",
    "*[a](http://x.y)*",
    "~~[a](http://x.y)~~",
    "[a](http://x.y) [b](http://z.z)",
    "a_b [c](d) e_f",
    "[a](http://x.y){: .c }",
    "Line  \n[a](b)",
    "***\n[a](b)",
    "README.md and setup.py",
    "http://x.y/a",
    "See http://x.y/a.",
    "(see http://x.y/a)",
    "https://en.wikipedia.org/wiki/A_(b) and (https://en.wikipedia.org/wiki/A_(b))",
    "http://x.y/a, http://x.y/b; http://x.y/c: http://x.y/d! http://x.y/e?",
    "**http://x.y/a** and *http://x.y/b*",
    "http://x.y/a_b_c",
    "http://x.y/?a=1&b=2#c",
    "`http://x.y/a`",
    "* http://x.y/a\n    * http://x.y/b",
    "> http://x.y/a",
    "# http://x.y/a",
    "| a |\n|---|\n| http://x.y/a |",
    "t[^1]\n\n[^1]: http://x.y/a",
    "term\n:   http://x.y/a",
    "[http://x.y/a](http://x.y/b)",
    "<!-- http://x.y/a -->",
    "![i](http://x.y/i.png)",
    "見て http://例え.jp/道 。",
    "'http://x.y/a' and \"http://x.y/b\"",
    "http://x.y/a。次",
    "http://x.y/a，b",
    "「http://x.y/a」",
    "<http://x.y/a>",
    "<a@b.c>",
    "[a](mailto:a@b.c)",
    "!!! note\n    [a](http://x.y)",
    "!!! note\n    a\n\n    [b](http://x.y)",
    "!!! note\n\n    [b](http://x.y)\n\nafter [c](d)",
    '!!! warning "see [a](b)"\n\n    c',
    '!!! note inline end "x"\n    * [a](b)\n        * [c](d)\n\n            [e](f)',
    "!!! note\n\t[a](b)\n\n\t[c](d)",
    "before [a](b)\n!!! note\n    [c](d)\nafter [e](f)",
    "!!! note\n\n        [a](b)",
    "!!! note\n\n    ```\n    [a](b)\n    ```\n\n    [c](d)",
    "!!! note\n    a\n\n    !!! tip\n        b\n\n        [c](d)",
    "!!! note\n    [a][r]\n\n    [b][s]\n\n    [s]: http://s.x\n\n[r]: http://x.y",
    "* item\n\n    !!! note\n        a\n\n        [b](c)\n\n    [d](e)",
    "> !!! note\n>     a\n>\n>     [b](c)",
    "!!! note\n\n    | a |\n    |---|\n    | [q](http://x.y) |",
    "??? tip\n    a\n\n    [b](c)",
    '???+ tip "x"\n\n    [b](c)',
    "```\n!!! note\n    a\n\n    [b](c)\n```",
    "   !!! note\n       a\n\n       [b](c)",
    "!!! note\n[a](b)",
    "t[^1]\n\n[^1]:\n    a\n\n    [b](http://x.y)",
    "term\n:   a\n\n    [b](http://x.y)",
    "1.  a\n\n    [b](http://x.y)\n\n    * [c](d)",
    "[a [b] c](http://x.y)",
]


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if ("class", "headerlink") in attrs:
            return  # the sign beside each heading
        for name, value in attrs:
            mark = value is not None and value.startswith(("#fn:", "#fnref:"))
            if (tag, name) in (("a", "href"), ("img", "src")) and not mark:
                self.found.append(value or "")

    def handle_comment(self, data: str) -> None:
        self.feed_inside(data)

    def feed_inside(self, data: str) -> None:
        inner = _Links()
        inner.feed(data)
        self.found += inner.found


def rendered(text: str) -> list[str]:
    parser = _Links()
    extensions, configs = _extensions()
    parser.feed(markdown.markdown(text, extensions=extensions, extension_configs=configs))
    return sorted(parser.found)


def found(text: str) -> list[str]:
    return sorted(link.url for link in parse("n.md", text.encode()).links)


@pytest.mark.parametrize("text", SNIPPETS)
def test_the_links_are_those_of_the_page(text: str) -> None:
    assert found(text) == rendered(text)


@pytest.mark.parametrize("text", DIFFERENCES)
def test_where_they_differ_the_reason_is_known(text: str) -> None:
    assert rendered(text) == DIFFERENCES[text][0]
    assert found(text) != rendered(text)


def test_there_are_enough_of_them() -> None:
    assert len(SNIPPETS) + len(DIFFERENCES) >= 60
