"""Guards taken away one by one, each from a copy of the tree: a test must notice.

    python -m torture.mutations

A mutation is a text and what it becomes; the test named beside it must pass before and fail after.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parent.parent


class Mutation(NamedTuple):
    """A guard, the file it stands in, its text and what that becomes, and the test that must fail."""

    guard: str
    file: str
    text: str
    becomes: str
    test: str


MUTATIONS: Final = (
    Mutation(
        "a note is replaced only if it is what was read",
        "kb/notes/files.py",
        "elif not holds(temporary, expected):",
        "elif False:",
        "tests/test_exchange.py::test_what_an_editor_saves_in_the_last_instant_is_kept",
    ),
    Mutation(
        "nobody reads a note's new text before it is known to be right",
        "kb/notes/exchange.py",
        "    leased = _lease(ours)\n",
        "    leased = False\n",
        "tests/test_exchange.py::test_who_reads_while_a_note_is_being_replaced_waits_for_what_will_stand",
    ),
    Mutation(
        "no write through a link out of the notes",
        "kb/notes/files.py",
        "    if not inside(str(real), fence):\n        raise NoteUnwritable",
        "    if False:\n        raise NoteUnwritable",
        "tests/test_boundaries.py::test_a_folder_of_notes_that_leads_out_gets_no_note",
    ),
    Mutation(
        "no read of a note outside of the notes",
        "kb/publish.py",
        "data = read(root, row.path)",
        "data = (root / row.path).read_bytes()",
        "tests/test_boundaries.py::test_a_row_of_a_strangers_store_publishes_nothing_from_outside",
    ),
    Mutation(
        "kb's own files do not lead out of the notebook",
        "kb/config.py",
        "    _own(root)\n",
        "",
        "tests/test_boundaries.py::test_a_file_of_kbs_own_that_leads_out_is_refused",
    ),
    Mutation(
        "a notebook's kb.toml reaches keys of its scope alone",
        "kb/config.py",
        "            if key.scope not in scopes:",
        "            if False:",
        "tests/test_config.py",
    ),
    Mutation(
        "a model is never loaded from a place that a notebook names",
        "kb/search/weights.py",
        "    if Path(model).exists():",
        "    if False:",
        "tests/test_boundaries.py::test_a_model_whose_name_is_a_folder_here_is_not_loaded",
    ),
    Mutation(
        "weights that are a pickle are refused",
        "kb/search/weights.py",
        '        if not any(pickled.parent.glob("*.safetensors")):',
        "        if False:",
        "tests/test_boundaries.py::test_weights_that_are_a_pickle_are_refused",
    ),
    Mutation(
        "private addresses are not connected to",
        "kb/web/fetch/fetcher.py",
        "allowed = found if self._allow_private else",
        "allowed = found if True else",
        "tests/test_rebinding.py",
    ),
    Mutation(
        "what unpacks to gigabytes is cut off",
        "kb/web/fetch/transport.py",
        "if self._dead or len(self.out) >= self._cap:",
        "if self._dead:",
        "tests/test_fetch.py",
    ),
    Mutation(
        "front matter is read up to a size",
        "kb/notes/frontmatter.py",
        "    if end - start > MAX_BYTES:",
        "    if False:",
        "tests/test_frontmatter.py",
    ),
    Mutation(
        "front matter is read down to a depth",
        "kb/notes/frontmatter.py",
        "                if len(stack) >= MAX_DEPTH:",
        "                if False:",
        "tests/test_frontmatter.py",
    ),
    Mutation(
        "aliases of YAML are not followed",
        "kb/notes/frontmatter.py",
        '                raise _Fault(_line(event), "aliases (*name) are not read", "write the value out")',
        "                value = None",
        "tests/test_frontmatter.py",
    ),
    Mutation(
        "a store of a newer kb is left untouched",
        "kb/store/connection.py",
        "    if found > SCHEMA_VERSION:",
        "    if False:",
        "tests/test_schema.py",
    ),
    Mutation(
        "a store is copied before it is brought up",
        "kb/store/schema.py",
        "        copy = _keep_copy(connection, path, version_of(connection))",
        "        copy = path",
        "tests/test_boundaries.py::test_a_store_of_an_older_kb_is_copied_before_it_is_brought_up",
    ),
    Mutation(
        "escapes do not reach a terminal",
        "kb/cli/clean.py",
        "CONTROL.sub(" + '" ", text))',
        "text)",
        "tests/test_render.py",
    ),
    Mutation(
        "no password of an address is published",
        "kb/publish.py",
        "tuple(map(_without_logins, (*_note_pages(public, pointing, related()), *own)))",
        "(*_note_pages(public, pointing, related()), *own)",
        "tests/test_secrets.py",
    ),
    Mutation(
        "a password goes to its own host alone",
        "kb/web/fetch/fetcher.py",
        "            if login and origin == urls.origin(trail.url):",
        "            if login:",
        "tests/test_secrets.py",
    ),
    Mutation(
        "what a living process writes is not cleared away",
        "kb/temporary.py",
        "        os.kill(int(match[1]), 0)\n",
        "        raise ProcessLookupError\n",
        "tests/test_temporary.py",
    ),
    Mutation(
        "writers of the store queue",
        "kb/store/connection.py",
        'self.connection.execute("BEGIN IMMEDIATE")',
        'self.connection.execute("BEGIN")',
        "tests/test_store.py",
    ),
    Mutation(
        "HTML of notes is cleaned",
        "kb/publish.py",
        "clean=(lambda text: text) if trusted else html.clean,",
        "clean=lambda text: text,",
        "tests/test_site.py",
    ),
    Mutation(
        "a notebook does not let its links into one's network",
        "kb/config.py",
        'Key("links.private_hosts", "skip", _T,',
        'Key("links.private_hosts", "skip", _N,',
        "tests/test_config.py::test_a_notebook_cannot_loosen_what_guards_against_it",
    ),
    Mutation(
        "a notebook does not let its own scripts onto the site",
        "kb/config.py",
        'Key("site.trust_html", False, _T,',
        'Key("site.trust_html", False, _N,',
        "tests/test_config.py::test_a_notebook_cannot_loosen_what_guards_against_it",
    ),
    Mutation(
        "trust in one notebook is trust in no other",
        "kb/config.py",
        "if is_folder(name, here)), {})",
        "if name), {})",
        "tests/test_config.py::test_a_person_trusts_one_notebook_and_no_other",
    ),
    Mutation(
        "a feed with declarations is not read",
        "kb/web/sources/arxiv.py",
        "    if _DOCTYPE.search(body):",
        "    if False:",
        "tests/test_sources.py::test_a_feed_that_declares_entities_is_not_read_in_whatever_encoding",
    ),
    Mutation(
        "an API's answer of any depth stops nothing",
        "kb/web/sources/base.py",
        "    except (ValueError, RecursionError):",
        "    except ValueError:",
        "tests/test_sources.py::test_a_field_of_any_kind_costs_at_most_itself",
    ),
    Mutation(
        "a repository's name becomes an address only if it is one",
        "kb/web/sources/github.py",
        "or not _FULL_NAME.match(full_name):",
        "or False:",
        "tests/test_sources.py::test_a_name_that_no_repository_has_becomes_no_address",
    ),
    Mutation(
        "a copy is the archive's own",
        "kb/web/wayback.py",
        " and urls.host(url) in _HOSTS[:2] else None",
        " else None",
        "tests/test_repair.py::test_a_copy_that_somebody_else_keeps_is_not_offered",
    ),
    Mutation(
        "a token does not follow a redirect",
        "kb/web/fetch/fetcher.py",
        "            if origin == urls.origin(trail.url):\n                sent |= trail.own",
        "            if True:\n                sent |= trail.own",
        "tests/test_ask.py",
    ),
    Mutation(
        "a head is read up to a size",
        "kb/web/fetch/wire.py",
        "                if len(self._raw) > HEAD_BYTES:",
        "                if False:",
        "tests/test_wire.py::test_a_head_without_end_is_given_up",
    ),
    Mutation(
        "a chunk's size is read up to a size",
        "kb/web/fetch/wire.py",
        "                if len(raw) > _LINE_BYTES:",
        "                if False:",
        "tests/test_wire.py::test_a_chunk_whose_size_has_no_end_is_given_up",
    ),
    Mutation(
        "a body that nobody reads waits",
        "kb/web/fetch/wire.py",
        "        if len(self._body) > _AHEAD and",
        "        if False and",
        "tests/test_wire.py::test_a_body_that_nobody_reads_is_not_taken_in_without_end",
    ),
    Mutation(
        "what nobody asked for answers nothing",
        "kb/web/fetch/wire.py",
        "            if not self._asked:",
        "            if False:",
        "tests/test_wire.py::test_what_nobody_asked_for_is_no_answer_to_what_is_asked_next",
    ),
    Mutation(
        "what a server told adds no header",
        "kb/web/fetch/connections.py",
        "    return value if value.isprintable() else",
        "    return value if True else",
        "tests/test_wire.py::test_what_a_server_told_cannot_add_a_header_to_the_next_request",
    ),
    Mutation(
        "a restored notebook comes whole",
        "kb/backup/restore.py",
        "        if not os.path.lexists(root):\n            root.parent",
        "        if False:\n            root.parent",
        "tests/test_backup.py::test_a_killed_restore_leaves_a_whole_notebook_or_none",
    ),
    Mutation(
        "kb.toml comes last",
        "kb/backup/restore.py",
        "key=lambda path: path == CONFIG_NAME",
        "key=str",
        "tests/test_backup.py::test_a_killed_restore_into_a_folder_is_completed_by_the_next",
    ),
)


def passes(tree: Path, *tests: str) -> bool:
    """Whether tests pass in a tree."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        timeout=600,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout.decode() + done.stderr.decode())
    return done.returncode == 0


def main() -> int:
    """Print a table: guard, test, whether it was caught; 1 if any was not."""
    wanted = sys.argv[1:]
    missed = 0
    print("| guard taken away | in | test | caught |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name) / "tree"
        for folder in ("kb", "tests", "bench", "torture", "docs", "notes"):
            shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ROOT.iterdir():
            if file.is_file() and file.name != ".git":
                shutil.copy(file, tree / file.name)
        chosen = [one for one in MUTATIONS if not wanted or any(word in one.guard for word in wanted)]
        if not passes(tree, *dict.fromkeys(one.test for one in chosen)):
            raise RuntimeError("the tests do not pass with every guard in its place")
        for one in chosen:
            path = tree / one.file
            text = path.read_text()
            if text.count(one.text) < 1:
                raise RuntimeError(f"{one.file}: no longer holds {one.text!r}")
            path.write_text(text.replace(one.text, one.becomes))
            caught = not passes(tree, one.test)
            path.write_text(text)
            missed += not caught
            print(f"| {one.guard} | {one.file} | {one.test} | {'yes' if caught else 'NO'} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
