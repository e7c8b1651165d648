"""Which encoder a notebook's model is read with: NumPy where that gives the same vectors, else the engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kb.errors import ModelError
from kb.search.encode import Encoder, NumpyEncoder, TieredEncoder
from kb.search.weights import (
    Parity,
    ask_hub,
    cached_model,
    located,
    parity,
    store_parity,
    verify_weights,
)

PARITY_COSINE = 0.9999

# Texts of every sort that notes hold: words, figures, addresses, code, other scripts, nothing, much.
PROBES = (
    "",
    "RAG",
    "how much graphics memory does a 7B model need at home",
    "A 12 GB card (RTX 3060) is enough for 4-bit fine-tuning; see https://example.org/a?b=c#d.",
    "def f(x):\n\treturn {k: v for k, v in x.items() if v >= 0.5}",
    "Café naïve — “quoted” … ½ ™ Ωμέγα Привет 你好，世界 🙂",
    "tutorials > 29 March 2023\nthings to go through\nspeech to text on a laptop " * 40,
)


class Chosen(NamedTuple):
    """An encoder, and in `notice` what a person should know of it (mostly nothing)."""

    encoder: Encoder
    notice: str = ""


Load = Callable[[str | Path, str], Encoder]
"""Makes the bulk engine of a folder or hub id, and of the name to file its vectors under."""


def choose(model: str, path: str, cache: Path, load: Load, *, embedding: bool = False) -> Chosen:
    """The encoder for a model given by name or, which goes first, by the path of a folder.

    `load` is called only where the engine is needed. `cache` is the JSON file that keeps hashes
    and parity verdicts. `embedding` says that passages are to be embedded: weights are then
    hashed again, and a model seen for the first time is fetched, loaded and compared; a search
    does none of this. ModelError for a model that is missing, altered or not embedded yet.
    """
    name = "" if path else model
    folder, engine = located(model, path), None
    if folder is None and embedding:
        ask_hub(model)
        engine = load(model, name)
        folder = cached_model(model)  # where loading has put it
    if folder is None:
        raise _not_yet()
    place = folder
    verify_weights(place, cache, verify=embedding)  # altered weights are used by neither reader
    verdict = parity(place, cache)
    if verdict is None:
        if not embedding:
            raise _not_yet()
        engine = engine or load(place, name)
        verdict = _compared(place, name, cache, engine)
    if not verdict.holds:
        notice = f"the model takes seconds to load, since only PyTorch reads it right ({verdict.why})"
        return Chosen(engine or load(place, name), notice)
    light = NumpyEncoder(place, name=name, cache=cache)
    return Chosen(TieredEncoder(light, lambda: engine or load(place, name)))


def _not_yet() -> ModelError:
    return ModelError("nothing is embedded yet for this model", hint="kb sync")


def _compared(folder: Path, name: str, cache: Path, engine: Encoder) -> Parity:
    try:
        verdict = compare(NumpyEncoder(folder, name=name, cache=cache), engine)
    except ModelError as error:  # a shape that NumPy does not read
        verdict = Parity(holds=False, why=str(error))
    store_parity(folder, cache, verdict)
    return verdict


def compare(light: Encoder, reference: Encoder) -> Parity:
    """Whether another reader of the same model gives the vectors of `reference`, on PROBES.

    They agree when every cosine is at least PARITY_COSINE, for documents and for queries.
    """
    if light.width != reference.width:
        return Parity(holds=False, why=f"vectors of {light.width} against {reference.width}")
    cosines = np.einsum("ij,ij->i", light.embed(PROBES), reference.embed(PROBES)).tolist()
    cosines += [float(light.embed_query(text) @ reference.embed_query(text)) for text in PROBES[:3]]
    worst = min(cosines)
    if not worst >= PARITY_COSINE:  # so that NaN fails too
        return Parity(holds=False, worst=worst, why=f"cosine {worst:.5f} on a probe text")
    return Parity(holds=True, worst=worst)
