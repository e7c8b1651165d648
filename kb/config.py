"""Settings: flag, environment, kb.toml, user config, default - in that order, each key in its scope.

A notebook may be somebody else's clone, so its kb.toml only reaches keys of the notebook scope.
What runs a program, names a path outside the notebook, or is a secret belongs to the person and
is read from their own config (`$XDG_CONFIG_HOME/kb/config.toml`) or the environment alone. So is
what loosens a guard; there a person may say it of one notebook:

    [notebooks."~/notes".links]
    private_hosts = "check"
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

from kb.errors import ConfigError, NotebookNotFound
from kb.values import dataclass

CONFIG_NAME = "kb.toml"
DERIVED = ".kb"
NOTEBOOKS = "notebooks"
_MODEL = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(?:/[A-Za-z0-9][\w.-]{0,95})?\Z", re.ASCII)


class Scope(StrEnum):
    """Where a key may be set."""

    NOTEBOOK = "notebook"
    PERSON = "person"
    #: By the person, of all notebooks or of one: what a stranger's must not loosen for itself.
    TRUST = "trust"


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: its dotted name, its default (whose type it keeps), its scope, its meaning."""

    name: str
    default: Any
    scope: Scope
    help: str
    choices: tuple[str, ...] = ()
    secret: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that sets it: `links.timeout` is `KB_LINKS_TIMEOUT`."""
        return "KB_" + self.name.replace(".", "_").upper()


_N, _P, _T = Scope.NOTEBOOK, Scope.PERSON, Scope.TRUST

# The thresholds are the contract's: three broken looks over three days, or two over one day
# where the server says the page is gone or its name has vanished.
KEYS: tuple[Key, ...] = (
    Key("notebook.title", "Notes", _N, "name of the notebook, shown on the site"),
    Key("notebook.notes", "notes", _N, "folder of the notes, relative to kb.toml"),
    Key("notes.day_first", False, _N, "read 7/05/2023 as 7 May"),
    Key("links.private_hosts", "skip", _T, "loopback and private addresses", ("skip", "check")),
    Key("links.ignore", (), _N, "patterns (* and ?) of URLs never to check"),
    Key("links.timeout", 20.0, _N, "seconds for one link, redirects included"),
    Key("links.concurrency", 64, _N, "links looked at together"),
    Key("links.per_host", 4, _N, "links of one host looked at together"),
    Key("links.interval", 0.1, _N, "seconds between two requests to one host"),
    Key("links.archive", False, _N, "ask the Wayback machine to save a link that is added"),
    Key("links.dead_looks", 3, _N, "broken looks in a row before a link is dead"),
    Key("links.dead_days", 3.0, _N, "days those looks must span"),
    Key("links.gone_looks", 2, _N, "the same for 410 and vanished names"),
    Key("links.gone_days", 1.0, _N, "days those looks must span"),
    Key("links.unknown_days", 30.0, _N, "days without a conclusive look before a link is unknown"),
    Key("enrich.keep_text", True, _N, "keep the readable text of linked pages in saved/"),
    Key("enrich.embed_text", False, _N, "embed their bodies too, not only titles and abstracts"),
    Key("enrich.stale_days", 180.0, _N, "days after which facts are fetched anew"),
    Key("enrich.contact", "", _P, "an address of yours, told to the sites that ask for one"),
    Key("clipboard.command", "", _P, "program that prints the clipboard; else the first one found"),
    Key("search.model", "all-MiniLM-L6-v2", _N, "embedding model: the packaged one, or a hub id"),
    Key("search.model_path", "", _P, "a folder with a sentence-transformers model"),
    Key("site.trust_html", False, _T, "publish raw HTML of notes as it is, scripts and all"),
    Key("site.semantic_search", True, _N, "let readers of the site search it by meaning, in their browser"),
    Key("editor.command", "", _P, "editor of notes, such as code -g {path}:{line}; else $VISUAL or $EDITOR"),
    Key("editor.url", "", _P, "hyperlink of a hit, such as vscode://file{path}:{line}"),
    Key("github.token", "", _P, "token for api.github.com", secret=True),
)
_BY_NAME = {key.name: key for key in KEYS}
_LOOSE = {"links.private_hosts": "check", "site.trust_html": "true"}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that hold in a notebook, and where each came from.

    `root` is the folder of kb.toml. Read a value with `settings["links.timeout"]`; `origin`
    tells its source in words.
    """

    root: Path
    values: Mapping[str, Any]
    origins: Mapping[str, str]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def origin(self, name: str) -> str:
        """Where a value came from: `default`, `kb.toml`, a file, or an environment variable."""
        return self.origins.get(name, "default")

    @property
    def notes(self) -> Path:
        """Absolute path of the notes folder."""
        return self.root / str(self["notebook.notes"])

    @property
    def derived(self) -> Path:
        """`.kb/`: the store and the vectors; deleting it loses only time."""
        return self.root / DERIVED

    @property
    def store(self) -> Path:
        """The SQLite store."""
        return self.derived / "kb.sqlite3"

    @property
    def ledger(self) -> Path:
        """What was seen on the web; in git."""
        return self.root / "links.jsonl"

    @property
    def private_ledger(self) -> Path:
        """The same for links that stand only in private notes; git ignores it."""
        return self.root / "links.private.jsonl"

    @property
    def saved(self) -> Path:
        """The readable text of linked pages; in git or not as the person likes."""
        return self.root / "saved"

    @property
    def private_saved(self) -> Path:
        """The same for links that stand only in private notes; git ignores it."""
        return self.root / "saved.private"


def find_root(start: Path) -> Path:
    """The nearest folder upward from `start` that holds kb.toml. NotebookNotFound if none does."""
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / CONFIG_NAME).is_file():
            return folder
    raise NotebookNotFound(
        f"{start}: no {CONFIG_NAME} here or in any folder above",
        hint="kb init   makes a notebook in this folder (one with Markdown is adopted as it is)",
    )


def load(
    root: Path, environ: Mapping[str, str] | None = None, given: Mapping[str, str] | None = None
) -> Settings:
    """Settings of the notebook at `root`. ConfigError for a file that cannot be read as meant.

    `given` are those of a command line, as text; they go before all others.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {key.name: key.default for key in KEYS}
    origins: dict[str, str] = {}
    personal = personal_config(environ)
    own = dict(_read(personal))
    named = _of_notebook(personal, own.pop(NOTEBOOKS, {}), root)
    everything = (
        (personal, str(personal), set(Scope), own),
        (personal, f"{personal}, for this notebook", {_T}, named),
        (root / CONFIG_NAME, CONFIG_NAME, {_N}, _read(root / CONFIG_NAME)),
    )
    for path, origin, scopes, table in everything:
        for name, value in _flatten(table):
            key = known(name, f"{path}: ")
            if key.scope not in scopes:
                raise _out_of_scope(path, key, personal)
            values[name] = _typed(f"{path}: {name}", key, value)
            origins[name] = origin
    for key in KEYS:
        text = environ.get(key.variable)
        if text is not None:
            values[key.name] = typed(key.variable, key, text)
            origins[key.name] = key.variable
    for name, text in (given or {}).items():
        key = known(name)
        values[name] = typed(f"--set {name}", key, text)
        origins[name] = "--set"
    inside(root, values)
    _own(root)
    _hub_id(values)
    return Settings(root, values, origins)


def _of_notebook(path: Path, tables: Any, root: Path) -> Mapping[str, Any]:
    """What the person's config says of the notebook at `root` alone."""
    if not isinstance(tables, Mapping) or not all(isinstance(one, Mapping) for one in tables.values()):
        raise ConfigError(
            f"{path}: [{NOTEBOOKS}] holds a table for each notebook",
            hint=f'[{NOTEBOOKS}."/folder/of/kb.toml".links]   is the form',
        )
    here = root.resolve() if tables else root
    return next((one for name, one in tables.items() if is_folder(name, here)), {})


def is_folder(name: str, resolved: Path) -> bool:
    """Whether a path as a person writes it (`~/notes`) is that folder."""
    try:
        return Path(name).expanduser().resolve() == resolved
    except (OSError, RuntimeError, ValueError):  # no such home, a NUL, a loop
        return False


def _out_of_scope(path: Path, key: Key, personal: Path) -> ConfigError:
    if path == personal:
        return ConfigError(
            f"{path}: {key.name} may not be set for one notebook there",
            hint=f"set it in that notebook's {CONFIG_NAME}" if key.scope is _N else "set it for all of them",
        )
    hint = f"set it in {personal}, or as {key.variable} in the environment"
    if key.scope is _T:
        hint = (
            f"kb config --unset {key.name}   takes it out there; if you trust this notebook: "
            f"kb config {key.name} {_LOOSE[key.name]}"
        )
    return ConfigError(
        f"{path}: {key.name} may not be set by a notebook, since a notebook can be a stranger's", hint=hint
    )


def personal_config(environ: Mapping[str, str] | None = None) -> Path:
    """The person's own config, which need not exist.

    A relative XDG_CONFIG_HOME or HOME is passed over: it would name a folder of the notebook one is in.
    """
    environ = os.environ if environ is None else environ
    base = environ.get("XDG_CONFIG_HOME", "")
    folder = Path(base) if os.path.isabs(base) else home(environ) / ".config"
    return folder / "kb" / "config.toml"


def home(environ: Mapping[str, str]) -> Path:
    """The person's home folder: HOME, unless it is relative, or else the one that the system knows.

    The root folder where it knows none.
    """
    named = environ.get("HOME", "")
    if os.path.isabs(named):
        return Path(named)
    try:
        from pwd import getpwuid

        return Path(getpwuid(os.getuid()).pw_dir)
    except (ImportError, KeyError):
        return Path(os.path.abspath(os.sep))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}", hint='mend that line; `key = "value"` is the form') from None


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def known(name: str, where: str = "") -> Key:
    """The key of that name. ConfigError, with the one that was probably meant, where there is none."""
    key = _BY_NAME.get(name)
    if key is None:
        from difflib import get_close_matches  # 5 ms, needed only to word this error

        # A key without its table, as `notes = "x"` at the top, before one that is merely spelled alike.
        close = [full for full in _BY_NAME if full.endswith(f".{name}")]
        within = [full for full in _BY_NAME if full.startswith(f"{name}.")]
        if not close and not within:
            close = get_close_matches(name, _BY_NAME, n=1)
        table, _, leaf = name.rpartition(".")
        shown = f"[{table}] {leaf}" if table and where else name
        hint = f"did you mean {close[0]}?" if close else "keys: " + ", ".join(within or _BY_NAME)
        raise ConfigError(f"{where}there is no setting {shown}", hint=hint)
    return key


def typed(where: str, key: Key, text: str) -> Any:
    """The value that a text spells, in the type of the key. ConfigError when it spells none."""
    return _typed(where, key, _from_text(key, text))


def _typed(where: str, key: Key, value: Any) -> Any:
    """`value` in the type of the key's default; ConfigError when it has another."""
    default = key.default
    good: bool
    if isinstance(default, bool):
        good = isinstance(value, bool)
    elif isinstance(default, tuple):
        good = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
        value = tuple(value) if good else value
    elif isinstance(default, float | int):
        good = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
        good = good and (isinstance(default, float) or isinstance(value, int))
        value = type(default)(value) if good else value
    else:
        good = isinstance(value, str)
    if good and key.choices:
        good = value in key.choices
    if not good:
        wanted = (
            " or ".join(f'"{choice}"' for choice in key.choices)
            or {bool: "true or false", tuple: "a list of strings", str: "a string"}.get(type(default))
            or "a number above zero"
        )
        raise ConfigError(f"{where} is {value!r}; it takes {wanted}", hint=key.help)
    return value


def _from_text(key: Key, text: str) -> Any:
    default = key.default
    if isinstance(default, bool):
        return {"1": True, "true": True, "0": False, "false": False}.get(text.lower(), text)
    if isinstance(default, tuple):
        return [part for part in text.split(",") if part]
    if isinstance(default, float | int):
        try:
            return type(default)(text)
        except ValueError:
            return text
    return text


_OWN = (DERIVED, "links.jsonl", "links.private.jsonl", "saved", "saved.private")


def _own(root: Path) -> None:
    """What kb itself writes lies in the notebook: a stranger's may hold links that lead out of it."""
    names = list(_OWN)
    with suppress(OSError), os.scandir(root / DERIVED) as entries:
        names += [f"{DERIVED}/{entry.name}" for entry in entries if entry.is_symlink()]
    for name in names:
        path = root / name
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            raise ConfigError(
                f"{path}: leads to {path.resolve()}, outside of the notebook; nothing was read or written",
                hint="delete that link, or bring what it leads to into the notebook",
            )
        if name.endswith(".jsonl") and path.exists() and not path.is_file():
            raise ConfigError(f"{path}: is no regular file", hint="delete it: the ledger is a file of lines")


def _hub_id(values: Mapping[str, Any]) -> None:
    """A notebook names a model, never a place: loading one from a folder can run what lies in it."""
    name = str(values["search.model"])
    if not _MODEL.match(name):
        raise ConfigError(
            f"search.model is {name!r}, which is no name of a model",
            hint='names look like "owner/model"; a folder of yours goes into search.model_path',
        )


def inside(root: Path, values: Mapping[str, Any]) -> None:
    """A notebook's folder of notes lies in the notebook."""
    name = str(values["notebook.notes"])
    path = PurePosixPath(name)
    outside = path.is_absolute() or ".." in path.parts
    # A link may lead out as well, and a notebook can be a stranger's.
    if outside or not (root / name).resolve().is_relative_to(root.resolve()):
        raise ConfigError(
            f"{root / CONFIG_NAME}: [notebook] notes is {name!r}, outside of the notebook",
            hint='name a folder beside kb.toml, such as notes = "notes", or "."',
        )
