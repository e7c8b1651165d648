"""Sites built by MkDocs for the tests, in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config

from kb import init

HOSTILE_TITLE = "<script>alert('title')</script> {onclick=alert(2)} & [x](javascript:alert(3)) | `a_b_c`"

# Beside the notebook that other tests use: what a site must cope with.
MORE_NOTES = {
    "odd/hostile.md": (
        "---\n"
        'title: "' + HOSTILE_TITLE + '"\n'
        "date: 2024-01-05\n"
        'tags: ["<img src=x onerror=alert(4)>", "two words"]\n'
        'description: "\\"><script>alert(5)</script>"\n'
        "---\n\n"
        "[bad](javascript:alert(6)) <b onclick='alert(7)'>bold</b> <script>alert(8)</script>\n\n"
        "![far away](https://pictures.example/x.png) <img src='https://pictures.example/y.png'>\n\n"
        "See https://en.wikipedia.org/wiki/Llama_(animal), and (https://addresses.example/a_b_c).\n\n"
        "A link to [nowhere](missing.md), to [a paper](../papers/qlora.md) and to [no heading](#nope).\n"
    ),
    "odd/broken.md": "---\ntitle: [never closed\ntags: x: y\n---\n\nThe words of the broken note.\n",
    "odd/metadata.md": "Author: this line is part of the note\n\nMore.\n",
    "odd/deep.md": "---\nx: " + "[" * 6000 + "\n---\n\nThe words under deep front matter.\n",
    "odd/windows.md": "---\r\ntitle: From Windows\r\n---\r\n\r\nCaf\u00e9.\r\n",
}


def write_mkdocs_yml(root: Path, docs_dir: str = "notes") -> Path:
    """The mkdocs.yml that a new notebook gets."""
    template = Path(init.__file__).parent / "scaffold" / "mkdocs.yml"
    text = (
        template.read_text(encoding="utf-8")
        .replace("{title}", '"Test notes"')
        .replace("{docs_dir}", docs_dir)
    )
    target = root / "mkdocs.yml"
    target.write_text(text, encoding="utf-8")
    return target


def build(root: Path) -> Path:
    """Build the notebook's site as `mkdocs build --strict` does; returns the folder of the site."""
    with pytest.MonkeyPatch.context() as patch:
        # A site of the session is built before a test's own fixtures shut the person's config out.
        patch.setenv("XDG_CONFIG_HOME", str(root / "no-config"))
        config = load_config(str(root / "mkdocs.yml"), strict=True)
        config.plugins.on_startup(command="build", dirty=False)
        mkdocs_build(config)
    return Path(config.site_dir)
