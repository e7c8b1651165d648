"""The ways in which the plugin spares work: each must end where the long way does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import markdown
import pytest
from hypothesis import given
from hypothesis import strategies as st
from material.plugins.search.plugin import Parser  # type: ignore[import-untyped]

from kb.pages.html import clean
from kb.plugin.sections import cut
from tests.notebook import NOTES, write_notebook
from tests.site_build import MORE_NOTES, build, write_mkdocs_yml

ODD = {
    "assets.md": "# Called like the folder of assets\n\n## Part\n\nWords.\n",
    "search/note.md": "# Below a folder called search\n\nSee [[assets]].\n",
    "deep/er/one.md": "---\ndate: 2024-05-01\n---\n# One\n\n## A *B* & `c`\n\n### Deeper\n\n## D\n",
    "deep/er/two.md": "# Two\n\nA word[^1] and *emphasis_here* and __strong__.\n\n[^1]: The note.\n",
    "deep/er/three.md": "# Three\n\n- [ ] do\n- [x] done\n\n```python\nx\n```\n",
    "deep/er/four.md": "# Four\n\nA[^1] \\*not\\* <https://a.example/> &amp; `[[two]]`.\n\n[^1]: B.\n",
    "deep/er/five.md": "Words first\n\n# Five\n\n# Another\n\n<h3>without an anchor</h3>\n\n> ## Within\n",
    "deep/er/six.md": "# Six\n\nTerm\n:   What it is.\n\n!!! note\n    Aside.\n\n*[HTML]: words\n\nHTML\n",
    "deep/er/seven.md": '# Seven\n\nHTML [a][b] [b] ![[two]]  \nbreak\n\n[b]: https://b.example/ "t"\n',
    "deep/er/eight.md": "",
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A site as it is built, and the same where everything goes the long way."""
    sites = []
    for name in ("short", "long"):
        root = write_notebook(tmp_path_factory.mktemp(name) / "n", NOTES | MORE_NOTES | ODD)
        config = write_mkdocs_yml(root)
        if name == "long":  # a hook might change any page, and snippets read files
            (root / "hook.py").write_text("def on_nav(nav, **_):\n    return nav\n")
            text = config.read_text().replace("  - abbr\n", "  - abbr\n  - pymdownx.snippets\n")
            config.write_text(text + "\nhooks: [hook.py]\n")
        sites.append(build(root))
    return sites[0], sites[1]


def test_every_page_is_what_the_templates_and_a_fresh_converter_make_of_it(both: tuple[Path, Path]) -> None:
    short, long = both
    pages = sorted(path.relative_to(short) for path in short.rglob("*.html"))
    assert len(pages) > 25
    for path in pages:
        assert (short / path).read_text().split() == (long / path).read_text().split(), path


def test_the_search_finds_the_same_on_both(both: tuple[Path, Path]) -> None:
    one, other = (json.loads((site / "search/search_index.json").read_text()) for site in both)
    assert one == other


def told(html: str) -> list[tuple[str | None, str, str]]:
    """What Material's own reader finds, and `cut`'s words in the same form: white space apart."""
    parser = Parser()
    parser.feed(html)
    parser.close()
    return [bare(one.id, "".join(one.title), "".join(one.text)) for one in parser.data]


def bare(name: str | None, title: str, text: str) -> tuple[str | None, str, str]:
    one, other = ("".join(re.sub(r"<[^>]*>", "", words).split()) for words in (title, text))
    return name, one, other


PIECES = (
    *("# One\n\n", "## Two & *three*\n\n", "words <b>in</b> bold\n\n", "* a\n\t* b `c`\n\n", "> said\n\n"),
    *("```\nx  <y>\n\n z\n```\n\n", "### Two & *three*\n\n", "1. x\n2. y\n\n", "---\n\n"),
    *('a\u00a0b &nbsp; &lt;i&gt; "q"\n\n', "<div>raw <p>text</p></div>\n\n", "H<sub>2</sub>\n\n"),
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n",
)


@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_a_page_is_cut_as_material_cuts_it(pieces: list[str]) -> None:
    text = "".join(pieces)
    html = clean(
        markdown.markdown(
            text, extensions=["toc", "tables", "fenced_code"], extension_configs={"toc": {"permalink": True}}
        )
    )
    assert [bare(*part) for part in cut(html)] == (told(html) or [(None, "", "")])
