"""Broken and hostile notes, one or more files a cage, beside three good notes that must always work."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

GOOD: Final = {
    "good/one.md": "---\ntitle: Good one\ndate: 2023-05-01\ntags: [sound]\n---\n\n"
    "* [Living page](http://127.0.0.2:1/page/One) about zebrafish\n",
    "good/two.md": "# Good two\n\n* A walrus sleeps; see [[one]]\n",
    "good/words.md": "---\nkind: glossary\ntitle: Good words\n---\n\n"
    "* [RAG](https://words.example/rag) = Retrieval-Augmented Generation.\n",
}
ESCAPES: Final = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b1mC1\x08\x08"
BIDI: Final = "\u202egnp.exe\u2066\u2069\u200f"
SCRIPT: Final = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def _front(yaml: str, body: str = "* words of it\n") -> str:
    return f"---\n{yaml}\n---\n\n{body}"


def _bomb() -> str:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{one}: &{one} [{', '.join(['*' + before] * 9)}]"
        for before, one in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    return "\n".join(lines)


#: name of a note -> its text
TEXTS: Final[dict[str, str | bytes]] = {
    # front matter
    "yaml-python.md": _front("title: !!python/object/apply:os.system ['touch owned']"),
    "yaml-python-name.md": _front("a: !!python/name:os.system"),
    "yaml-tag.md": _front("title: !owned {a: 1}"),
    "yaml-binary.md": _front("title: !!binary R0lGODlhDAAMAIQAAP"),
    "yaml-bomb.md": _front(_bomb()),
    "yaml-alias-loop.md": _front("a: &a [*a]"),
    "yaml-merge.md": _front("<<: {private: true}\ntitle: merged"),
    "yaml-deep-flow.md": _front("a: " + "[" * 8000),
    "yaml-deep-map.md": _front("a: " + "{b: " * 3000),
    "yaml-tabs.md": _front("title:\tTabbed\n\ttags:\t[a]"),
    "yaml-unclosed.md": "---\ntitle: Never closed\n\n* words\n",
    "yaml-two-documents.md": _front("title: a\n--- \ntitle: b"),
    "yaml-conflict.md": _front("<<<<<<< HEAD\ntitle: Ours\n=======\ntitle: Theirs\n>>>>>>> branch"),
    "yaml-conflict-in-private.md": _front("<<<<<<< HEAD\nprivate: true\n=======\nprivate: false\n>>>>>>> b"),
    "yaml-twice.md": _front("title: one\ntitle: two"),
    "yaml-list.md": _front("- a\n- b"),
    "yaml-scalar.md": _front("just words"),
    "yaml-null.md": _front("title:\ntags:\ndate:\nkind:\naliases:\nprivate:"),
    "yaml-wrong-types.md": _front("title: [1, {a: b}]\ntags: {a: 1}\ndate: [2]\nkind: 7"),
    "yaml-long-key.md": _front(f"{'k' * 3000}: v"),
    "yaml-many-keys.md": _front("\n".join(f"k{number}: v" for number in range(1200))),
    "yaml-too-long.md": _front("\n".join(f"k{number}: {'v' * 40}" for number in range(1200))),
    "yaml-no-date.md": _front("date: 2024-02-30"),
    "yaml-far-date.md": _front("date: 99999-99-99\nlast_modified: 0000-00-00"),
    "yaml-big-number.md": _front(f"title: {'9' * 5000}\ndate: {'9' * 300}"),
    "yaml-escapes.md": _front(f'title: "{chr(92)}x1b[31mred{chr(92)}x07{chr(92)}u202ebidi"'),
    "yaml-script-title.md": _front(f"title: '{SCRIPT}'\ntags: ['{SCRIPT}']\ndescription: '{SCRIPT}'"),
    "yaml-path-slug.md": _front("slug: ../../../../etc/passwd\npermalink: /../../owned/\nurl: ..\\..\\owned"),
    "yaml-template.md": _front("template: ../../../../etc/passwd\nhide: [navigation]"),
    "yaml-bom.md": "\ufeff" + _front("title: With a mark"),
    # bodies
    "empty.md": "",
    "blank.md": " \n\t\n",
    "nul.md": "* a\0b [c](http://x.example/\0d)\n",
    "escapes.md": f"# {ESCAPES}\n\n* [{ESCAPES}](http://x.example/{ESCAPES}) {ESCAPES}\n",
    "bidi.md": f"# {BIDI}\n\n* [{BIDI}](http://x.example/{BIDI}) `{BIDI}`\n",
    "script.md": f"# {SCRIPT}\n\n* {SCRIPT} [x](javascript:alert(1)) ![y](data:text/html,{SCRIPT})\n",
    "attributes.md": "# T {onclick=alert(1)}\n\n* [a](http://x.example){onclick=alert(1)}\n{: onclick=x}\n",
    "autolinks.md": "<javascript:alert(1)> <data:text/html;base64,PHN> <vbscript:x> <file:///etc/passwd>\n",
    "giant-line.md": "* " + "word " * 20_000 + "\n",
    "giant-word.md": "x" * 100_000,
    "giant-link.md": f"* [a](http://x.example/{'a' * 100_000})\n",
    "many-brackets.md": "[" * 50_000,
    "many-quotes.md": "> " * 5_000 + "deep\n",
    "many-lists.md": "".join("  " * depth + "* x\n" for depth in range(120)),
    "many-stars.md": "*a **b " * 3_000,
    "many-backticks.md": "".join("`" * number + " " for number in range(1, 200)),
    "many-footnotes.md": "".join(f"[^{number}]" for number in range(1_000)),
    "many-wikilinks.md": "[[a|b]] [[" * 1_000,
    "many-tables.md": "|" * 1_000 + "\n" + "|-" * 1_000 + "\n",
    "html-unclosed.md": "<div><table><a href='http://x.example'>" * 300,
    "html-comment.md": "<!-- never closed\n\n* [in it](http://x.example/c)\n",
    "code-unclosed.md": "```python\n* [in it](http://x.example/d)\n",
    "snippet.md": '--8<-- "/etc/passwd"\n\n;--8<--\n\n{% include "/etc/passwd" %} {{ config }} {% raw %}\n',
    "image-out.md": "![](../../../../etc/passwd) [p](/etc/passwd) [q](file:///etc/passwd) ![[../k.toml]]\n",
    "wikilink-out.md": "[[../../../etc/passwd]] [[/etc/passwd]] [[]] [[#]] [[|]] [[a#b#c|d|e]]\n",
    "sql.md": "# '); DROP TABLE notes; --\n\n* \" OR 1=1; -- [x'](http://x.example/'%20OR%201=1--)\n",
    "fts.md": '* "NEAR(a b)" AND OR NOT * ^ col:text {a b}: (((\n',
    "addresses.md": "* http://[::1 //[x http://x:99999/ http://%00/ https://a@b@c/ http:///x\n",
    "credentials.md": "* [mine](https://me:sw0rdfish@vault.example/a) https://u:sw0rdfish@b.example/\n",
    "not-utf8.md": b"* caf\xe9 \xff\xfe [a](http://x.example/\xe9)\n",
    "utf16.md": "# Sixteen\n\n* [a](http://x.example/16)\n".encode("utf-16"),
    "utf16-odd.md": b"\xff\xfe*\x00 \x00a\x00\xd8",
    "latin.md": "* d\xe9j\xe0 vu".encode("latin-1"),
    "binary.md": bytes(range(256)) * 8,
    "surrogates.md": b"* \xed\xa0\x80\xed\xb0\x80 [a](http://x.example/\xed\xa0\x80)\n",
    "crs.md": b"* one\r* two\r\n* three\r\r\n# four\r",
    "separators.md": "* a\u2028* b\u2029* c\x85* d\x0b* e\x0c* f\x1c* g\n",
    "dates.md": "* 2/30/2023 99/99/99 2023-13-45 March 0 \u0661\u0662/\u0663/\u0662\u0660\u0662\u0663\n",
    "glossary-odd.md": _front(
        "kind: glossary",
        f"* [] = x\n* = y\n* [{SCRIPT}](javascript:x) = {SCRIPT}\n* A = " + "b" * 9_000 + "\n",
    ),
    # names
    "-rf.md": "* named like an option\n",
    "--help.md": "* named like an option\n",
    "new\nline.md": "* [newline](http://x.example/newline)\n",
    "tab\tname.md": "* tab\n",
    f"esc\x1b[31m{BIDI}.md": "* an escape in the name\n",
    "quote'\"$(touch owned)`touch owned`;|&.md": "* shell words\n",
    "percent%2e%2e%2f..md": "* percent\n",
    "a:b?c*d<e>.md": "* what other systems refuse\n",
    "\\back\\slash.md": "* backslashes\n",
    "Case.md": "# Upper\n",
    "case.md": "# Lower\n",
    "caf\u00e9.md": "# Composed\n",
    "cafe\u0301.md": "# Decomposed\n",
    "index.md": "# A front page of one's own\n",
    "twin.md": "# Twin\n",
    "twin.markdown": "# Twin\n",
    "twin/index.md": "# Twin of a folder\n",
    "tags.md": "# Named as a page of the site\n",
    "links.md": "# Named as a page of the site\n",
    "assets/kb/kb.css.md": "# Named as an asset\n",
    ".hidden.md": "* hidden\n",
    "private/diary.md": "* sw0rdfish of mine\n",
    f"{'n' * 240}.md": "* a long name\n",
    "d/" * 60 + "deep.md": "* deep\n",
}


def _outside_link(notes: Path) -> None:
    (notes / "out.md").symlink_to("/etc/passwd")
    (notes / "out-folder").symlink_to("/etc")
    (notes / "out.png").symlink_to("/etc/passwd")


def _loops(notes: Path) -> None:
    (notes / "loop.md").symlink_to("loop.md")
    (notes / "round").mkdir()
    (notes / "round/again").symlink_to(notes / "round")
    (notes / "nowhere.md").symlink_to("missing.md")


def _special(notes: Path) -> None:
    os.mkfifo(notes / "pipe.md")
    os.mkfifo(notes / "pipe.png")
    here = os.getcwd()
    os.chdir(notes)  # a socket's path may not be long
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("socket.md")
    finally:
        os.chdir(here)


def _shut(notes: Path) -> None:
    (notes / "shut.md").write_text("* not to be read\n")
    (notes / "shut.md").chmod(0)
    (notes / "shut").mkdir()
    (notes / "shut/in.md").write_text("* not to be read\n")
    (notes / "shut").chmod(0)


def _folder_like_a_note(notes: Path) -> None:
    (notes / "folder.md").mkdir()
    (notes / "folder.md/in.md").write_text("* in a folder that is named like a note\n")


def _not_unicode(notes: Path) -> None:
    with open(os.fsencode(notes) + b"/b\xff\xfe.md", "w") as file:
        file.write("* a name that is not UTF-8\n")


FILES: Final[tuple[Callable[[Path], None], ...]] = (
    _outside_link,
    _loops,
    _special,
    _shut,
    _folder_like_a_note,
    _not_unicode,
)

#: Files of which a sync must speak by name: something in them is not as it should be.
NAMED: Final = (
    *("yaml-python", "yaml-tag", "yaml-bomb", "yaml-alias-loop", "yaml-deep-flow", "yaml-deep-map"),
    *("yaml-unclosed", "yaml-conflict", "yaml-twice", "yaml-list", "yaml-scalar"),
    *("yaml-wrong-types", "yaml-too-long", "yaml-no-date", "not-utf8", "latin", "out", "loop", "nowhere"),
    *("pipe", "socket"),
)


def fill(notes: Path, *, longest: int = 10**9) -> int:
    """Write the zoo and the good notes; how many hostile files there are. None longer than `longest`."""
    # What is long in front matter meets its caps; what is long in a body would be embedded.
    texts = {name: text for name, text in TEXTS.items() if len(text) <= longest or name.startswith("yaml-")}
    for name, text in texts.items():
        path = notes / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    for make in FILES:
        make(notes)
    for name, text in GOOD.items():
        path = notes / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return len(texts) + 13
