"""Search by meaning on the published site: its files, made beside the store and anew only where they must.

A model's files are made once and kept; the notebook's own whenever a passage, a vector, a link's
standing or a term that may be seen has changed. Nothing of a private note, a draft or a saved
page is in any of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from kb import find, pages
from kb.config import Settings
from kb.errors import ModelError
from kb.model.kinds import Standing
from kb.model.notes import LinkForm
from kb.model.site import Site
from kb.places import Places, anchors, read_wikilink
from kb.search import query, rank
from kb.search.browser.model import compact
from kb.search.browser.notes import Passage, pack
from kb.search.browser.parts import Part
from kb.search.vectors import VectorFile, vector_path
from kb.search.weights import identity, located
from kb.store import passages as keywords
from kb.store import words
from kb.store.grams import grams
from kb.store.reading import SharedLink, SharedPassage
from kb.store.rows import split
from kb.store.store import Store
from kb.temporary import replacing
from kb.web.ignore import ignores

FOLDER = "assets/kb/meaning"
"""Where the files lie on the site."""

_FORMAT = "2"  # of the files: what was made in another is made anew
_WORDS_MET = 7  # shards of the word table that a question needs, the special pieces' own among them
_SCRIPTS = Path(pages.__file__).parent / "assets" / "meaning"

Address = Callable[[str], str]
"""A page's path to its address on the site, from the site's root."""


class Shared(NamedTuple):
    """What goes to the site: (path on the site, file) of each; or nothing, and in `notice` why.

    `script` and `style` are those that every page loads: a button, and what it looks like.
    """

    files: tuple[tuple[str, Path], ...] = ()
    script: str = ""
    style: str = ""
    notice: str = ""


class _Made(Protocol):
    """Files, and what the browser is told of them."""

    @property
    def told(self) -> dict[str, Any]: ...

    @property
    def parts(self) -> tuple[Part, ...]: ...


def share(store: Store, settings: Settings, site: Site, address: Address) -> Shared:
    """The files of the search by meaning for a site, made where they are not there yet."""
    if not settings["site.semantic_search"]:
        return Shared()
    try:
        return _share(store, settings, site, address)
    except ModelError as error:
        advice = f" ({error.hint})" if error.hint else ""
        return Shared(notice=f"the site has no search by meaning: {error}{advice}")
    except OSError as error:
        return Shared(notice=f"the site has no search by meaning: {error.filename}: {error.strerror}")


def _share(store: Store, settings: Settings, site: Site, address: Address) -> Shared:
    model = store.setting("model")
    if model is None:
        raise ModelError("nothing is embedded yet", hint="kb sync")
    name = model.rpartition("@")[0]
    folder = _model_folder(settings, name)
    kept = settings.derived / "meaning"
    of_model = _Kept(kept / name)
    of_model.fill(_FORMAT, lambda: compact(folder))
    of_notes = _Kept(kept / "notes")
    _fill_notes(of_notes, store, settings, site, address, model)
    told = {"format": _FORMAT, "model": of_model.told, "notes": of_notes.told, "rules": _rules()}
    index = kept / "index.json"
    _write(index, json.dumps(told, separators=(",", ":")).encode())
    scripts = sorted(file for file in _SCRIPTS.iterdir() if file.suffix in (".js", ".css"))
    # Named for what it holds: a page never meets the scripts of another version.
    own = f"{FOLDER}/{_digest(file.read_bytes() for file in scripts)}"
    files = [
        (f"{FOLDER}/index.json", index),
        *((f"{own}/{file.name}", file) for file in scripts),
        *((f"{FOLDER}/{file.name}", file) for one in (of_model, of_notes) for file in one.files()),
    ]
    return Shared(tuple(files), f"{own}/start.js?mb={_megabytes(told)}", f"{own}/meaning.css")


def _megabytes(told: dict[str, Any]) -> int:
    """About what a first answer fetches, to be said before."""
    model, notes = told["model"], told["notes"]
    entries = [
        model["file"],
        model["pieces"],
        notes["index"],
        *notes["vectors"],
        *model["words"][:_WORDS_MET],
    ]
    return sum(int(size) for _, size in entries) // 1_000_000 + 1


def _model_folder(settings: Settings, name: str) -> Path:
    """Where the model of this identity lies. ModelError if the settings name another by now."""
    model, path = settings["search.model"], settings["search.model_path"]
    folder = located(model, path)
    cache = settings.derived / "models.json"
    if folder is None or identity(folder, cache, name="" if path else model) != name:
        raise ModelError("the notes were embedded with another model", hint="kb sync")
    return folder


def _rules() -> dict[str, Any]:
    """The constants of `kb search`, so that both rank by the same ones."""
    return {
        "weights": list(keywords.WEIGHTS),
        "keyword": rank.KEYWORD_WEIGHT,
        "alike": rank.ALIKE,
        "least": find.LEAST_COSINE,
        "stranger": find.LEAST_COSINE_OF_STRANGER,
        "far": find.FAR,
        "half": find.HALF,
        "common": find.COMMON,
        "remembered": words.COMMON,
        "few": words.FEW,
        "depth": find.DEPTH,
        "stop": sorted(query.STOP_WORDS),
        "filters": list(query.FILTERS),
    }


# -- what of the notes may be seen ---------------------------------------------------------------


def _fill_notes(
    kept: _Kept, store: Store, settings: Settings, site: Site, address: Address, model: str
) -> None:
    public = {page.path for page in site.pages if page.style == "note"}
    rows: dict[int, list[int]] = {}
    for id, row in store.shared_rows(model):
        rows.setdefault(id, []).append(row)
    links: dict[int, list[SharedLink]] = {}
    for link in store.shared_links():
        links.setdefault(link.passage, []).append(link)
    shown = _Shown(address, site.places, ignores(settings["links.ignore"]))
    found = [one for one in store.shared_passages() if one.path in public]
    passages = [
        Passage(
            (one.text, one.heading, one.title, one.address, one.parents),
            grams("\n".join((one.text, *split(one.heading), one.title))),
            told,
            tuple(rows.get(one.id, ())),
        )
        for one, told in zip(found, shown.all(found, links), strict=True)
    ]
    names = [
        [name for name in (term.term, term.expansion, *term.aliases) if name]
        for path, term in store.terms(private=False)
        if path in public
    ]
    name = model.rpartition("@")[0]
    vectors = VectorFile.open(vector_path(settings.derived, name), name)
    if vectors.model != model:
        raise ModelError("the vectors are not those of the store", hint="kb sync")
    key = _digest([json.dumps([_FORMAT, model, passages, names]).encode()])
    kept.fill(key, lambda: pack(passages, names, store.tokens, vectors.read))


class _Shown:
    """What a hit shows, as JSON: address, title, heading, parents, text, dates, links."""

    def __init__(self, address: Address, places: Places, ignored: Callable[[str], bool]) -> None:
        self._address = address
        self._places = places
        self._ignored = ignored
        self._known: dict[str, str] = {}

    def all(
        self, passages: Iterable[SharedPassage], links: Mapping[int, list[SharedLink]]
    ) -> Iterator[list[Any]]:
        by_path: dict[str, list[SharedPassage]] = {}
        for one in passages:
            by_path.setdefault(one.path, []).append(one)
        for path, some in by_path.items():
            page = self._page(path)
            at = anchors(some[0].title, [split(one.heading) for one in some])
            for one, anchor in zip(some, at, strict=True):
                yield [
                    f"{page}#{anchor}" if anchor else page,
                    one.title,
                    split(one.heading),
                    split(one.parents),
                    one.text,
                    one.date or "",
                    one.noted or "",
                    [told for link in links.get(one.id, ()) if (told := self._link(path, link))],
                ]

    def _page(self, path: str) -> str:
        return self._known.setdefault(path, self._address(path))

    def _link(self, path: str, link: SharedLink) -> list[str] | None:
        """Address, title and standing of a link; None for one that a page would not let anybody follow."""
        if link.form is LinkForm.WIKILINK:
            target = self._places.named(path, read_wikilink(link.url, link.title).name)
            return [self._page(target), link.title, ""] if target and target.endswith(".md") else None
        try:
            parts = urlsplit(link.meant)
        except ValueError:
            return None
        if parts.scheme in ("http", "https"):
            standing = Standing.IGNORED if self._ignored(link.url) else link.standing
            return [link.meant, link.title, str(standing)]
        target = self._places.at(path, parts.path) if parts.path and not parts.scheme else None
        return [self._page(target), link.title, ""] if target and target.endswith(".md") else None


# -- files that are kept -------------------------------------------------------------------------


class _Kept:
    """A folder of files with a list of them, which is written last: without it they count for nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._list = folder / "files.json"
        self.told: dict[str, Any] = {}
        self._names: list[str] = []

    def fill(self, key: str, make: Callable[[], _Made]) -> None:
        """Take what is kept under this key, or make it and keep that instead."""
        if not self._read(key):
            made = make()
            self._folder.mkdir(parents=True, exist_ok=True)
            self.told, self._names = made.told, list(dict.fromkeys(one.name for one in made.parts))
            for one in made.parts:
                if not (self._folder / one.name).exists():
                    _write(self._folder / one.name, one.data)
            listed = {"key": key, "told": self.told, "names": self._names}
            _write(self._list, json.dumps(listed).encode())
            for file in self._folder.iterdir():
                if file != self._list and file.name not in self._names:
                    file.unlink(missing_ok=True)

    def files(self) -> list[Path]:
        """The files, each once."""
        return [self._folder / name for name in self._names]

    def _read(self, key: str) -> bool:
        try:
            listed = json.loads(self._list.read_bytes())
            self.told, self._names = listed["told"], listed["names"]
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return listed["key"] == key and all(file.is_file() for file in self.files())


def _write(target: Path, data: bytes) -> None:
    with replacing(target) as file:
        file.write(data)


def _digest(parts: Iterable[bytes]) -> str:
    hash = blake2b(digest_size=8)
    for data in parts:
        hash.update(len(data).to_bytes(8, "little") + data)
    return hash.hexdigest()
