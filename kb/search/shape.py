"""What a saved model is made of: its JSON files, and where in its weights each tensor lies.

Without numpy, so that a search can read a model before it knows which reader it wants.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from kb.errors import ModelError


class Tensor(NamedTuple):
    """Where a tensor lies in its file: bytes `start` to `end`, of a type such as `F32`."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


class Shape(NamedTuple):
    """What a saved sentence-transformers model is made of, as far as this reader can follow.

    `limit` counts tokens, the two special ones included.
    """

    config: Mapping[str, Any]
    transformer: Path
    pooling: str
    dense: tuple[Path, ...]
    limit: int

    @classmethod
    def read(cls, folder: Path) -> Shape:
        """Read the JSON files of a model. ModelError for a missing one or an unknown shape."""
        modules = read_json(folder / "modules.json")
        places: dict[str, list[Path]] = {}
        for module in modules:
            places.setdefault(str(module["type"]).rpartition(".")[2], []).append(folder / module["path"])
        strange = set(places) - {"Transformer", "Pooling", "Dense", "Normalize"}
        if strange or len(places.get("Transformer", ())) != 1 or len(places.get("Pooling", ())) != 1:
            raise ModelError(
                f"{folder}: a model of modules that only sentence-transformers can run: {modules}"
            )
        transformer = places["Transformer"][0]
        config = read_json(transformer / "config.json")
        expected = {"model_type": "bert", "hidden_act": "gelu"}
        for name, value in expected.items():
            if config.get(name) != value:
                raise ModelError(
                    f"{folder}: {name} is {config.get(name)!r}; only {value!r} is read without PyTorch"
                )
        if config.get("position_embedding_type", "absolute") != "absolute":
            raise ModelError(f"{folder}: position embeddings are {config['position_embedding_type']!r}")
        settings = transformer / "sentence_bert_config.json"
        limit = (read_json(settings) if settings.is_file() else {}).get("max_seq_length")
        longest = int(config["max_position_embeddings"])
        return cls(
            config,
            transformer,
            _pooling(places["Pooling"][0]),
            tuple(places.get("Dense", ())),
            min(int(limit or longest), longest),
        )


def _pooling(folder: Path) -> str:
    config = read_json(folder / "config.json")
    # Older files have one switch a mode, newer ones name the mode.
    modes = [name for name, on in config.items() if name.startswith("pooling_mode_") and on is True]
    mode = config.get("pooling_mode") or (modes[0] if len(modes) == 1 else modes)
    known = {
        "cls": "cls",
        "pooling_mode_cls_token": "cls",
        "mean": "mean",
        "pooling_mode_mean_tokens": "mean",
    }
    if not isinstance(mode, str) or mode not in known:
        raise ModelError(f"{folder}: pooling is {mode!r}; only mean and cls are read without PyTorch")
    return known[mode]


def read_prompts(folder: Path) -> tuple[str, str]:
    """What the model wants before a query and before a document; empty where it wants nothing."""
    path = folder / "config_sentence_transformers.json"
    prompts = (read_json(path) if path.is_file() else {}).get("prompts") or {}
    # sentence-transformers takes the first of these names that a model has.
    document = next((prompts[name] for name in ("document", "passage", "corpus") if prompts.get(name)), "")
    return str(prompts.get("query") or ""), str(document)


def read_json(path: Path) -> Any:
    """The value that a JSON file of a model holds. ModelError if it cannot be read."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: this file of the model cannot be read ({error})") from None


def read_header(path: Path, data: bytes, size: int) -> dict[str, Tensor]:
    """Where the tensors of a safetensors file lie, by name. `data` is its beginning, `size` its length.

    Format: eight bytes of header length, a JSON header, the data
    (https://huggingface.co/docs/safetensors). ModelError if the file is not that, or cut short.
    """
    try:
        length = int.from_bytes(data[:8], "little")
        if length > size - 8:
            raise ValueError("its header runs past its end")
        header = json.loads(data[8 : 8 + length])
        header.pop("__metadata__", None)
        found: dict[str, Tensor] = {}
        for name, entry in header.items():
            start, end = (8 + length + int(offset) for offset in entry["data_offsets"])
            if not 0 <= start <= end <= size:
                raise ValueError("it is cut short")
            found[name] = Tensor(str(entry["dtype"]), tuple(map(int, entry["shape"])), start, end)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise unreadable(path, error) from None
    return found


def unreadable(path: Path, error: object) -> ModelError:
    """The error for weights that are not what they should be."""
    return ModelError(f"{path}: the model's weights cannot be read ({error})", hint="install the model again")
