"""The links that kb finds are the links of the page that MkDocs renders, or the reason stands here."""

from __future__ import annotations

from html.parser import HTMLParser

import markdown
import pytest

from kb.notes.parse import parse

EXTENSIONS = ["attr_list", "def_list", "fenced_code", "footnotes", "sane_lists", "tables"]

# Where the two differ, what Python-Markdown renders, and why kb says otherwise.
DIFFERENCES = {
    "http://x.y/a": ([], "a bare address is a link to a person, though the page does not make it one"),
    "see www.x.org/a": ([], "the same"),
    "text <!-- [a](b) --> text": (["b"], "Python-Markdown renders it inside of the comment: nobody sees it"),
    "[a](b c)": (["b c"], "CommonMark wants <> around an address with a space; most tools show text"),
    "[x [y](b)](c)": (["c"], "links do not nest: CommonMark keeps the inner one, Python-Markdown the outer"),
    "<http://x.y/a b>": (["http://x.y/a b"], "an address ends at a space"),
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
    "[a](/p)",
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
]


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
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
    parser.feed(markdown.markdown(text, extensions=EXTENSIONS))
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
