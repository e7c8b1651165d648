"""sentence-transformers: the engine that runs any model, and does the bulk work.

Importing this module costs some six seconds, so only who needs it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import cached_property
from io import StringIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer

from kb.errors import ModelError
from kb.model.search import Excerpt
from kb.search.bert import unit
from kb.search.choose import PARITY_COSINE, PROBES
from kb.search.packed import Packed
from kb.search.weights import cached_model, identity
from kb.search.windows import windows

Array = npt.NDArray[np.float32]
# Measured on two cores: 1.1 to 1.2 times the throughput of the library's default of 32.
_BATCH = 8
# Up to so many texts the library runs them itself: other readers are compared with these.
_FEW = 16


class TransformerEncoder:
    """Any model of sentence-transformers, by folder or hub id; device chosen by the library.

    `identity` may be given where it is known from a folder's weights already. Code that a model
    brings along is never run. ModelError if the model cannot be loaded.
    """

    def __init__(self, name_or_path: str | Path, *, name: str = "", cache: Path | None = None) -> None:
        folder = Path(name_or_path)
        local = folder.is_dir()
        try:
            with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
                self._model = SentenceTransformer(
                    str(name_or_path),
                    local_files_only=local,
                    trust_remote_code=False,
                    model_kwargs={"use_safetensors": True},
                )
        except Exception as error:  # the library raises what it likes: OSError, ValueError, hub errors
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise ModelError(
                f"the model {name_or_path} cannot be loaded ({lines[0]})",
                hint='a hub id needs the network once; search.model = "all-MiniLM-L6-v2" never does',
            ) from error
        # A hub model lies in a folder too, once it was loaded, and is the same model there.
        place = folder if local else cached_model(str(name_or_path))
        if place is None:
            raise ModelError(f"the model {name_or_path} was loaded, but is not in the hub's cache")
        self.identity = identity(place, cache, name=name or ("" if local else str(name_or_path)))
        width = self._model.get_embedding_dimension()
        if width is None:
            raise ModelError(f"the model {name_or_path} does not say how wide its vectors are")
        self.width = int(width)
        self._place = place

    def embed(self, texts: Sequence[str]) -> Array:
        """One unit row for each text, in order: (len(texts), width)."""
        if not texts:
            return np.zeros((0, self.width), dtype=np.float32)
        if len(texts) <= _FEW or self._packed is None:
            return self._encoded(texts)
        return unit(self._packed(texts).numpy())

    def _encoded(self, texts: Sequence[str]) -> Array:
        rows = self._model.encode_document(
            list(texts), batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(rows, dtype=np.float32)

    @cached_property
    def _packed(self) -> Packed | None:
        """The same weights run without padding, if the model allows it and the vectors come out the same."""
        try:
            packed = Packed(self._model, self._place)
            cosines = np.einsum("ij,ij->i", unit(packed(PROBES).numpy()), self._encoded(PROBES))
        except (ModelError, AttributeError, KeyError, RuntimeError):  # other names, other operations
            return None
        return packed if cosines.min() >= PARITY_COSINE else None

    def embed_query(self, text: str) -> Array:
        """The unit vector of a query: (width,)."""
        row = self._model.encode_query(text, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(row, dtype=np.float32)

    def knows(self, text: str) -> bool:
        """Whether the model has words for a text."""
        tokenizer = self._model.tokenizer
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False, verbose=False)
        unknown = ids.count(getattr(tokenizer, "unk_token_id", -1))
        return 2 * unknown <= len(ids)

    def windows(self, excerpt: Excerpt) -> list[str]:
        """The texts that stand for an excerpt; see `windows.windows`."""
        limit = (self._model.max_seq_length or 512) - 2
        return windows(excerpt, limit, self._count)

    def _count(self, text: str) -> int:
        return len(self._model.tokenizer.encode(text, add_special_tokens=False, verbose=False))
