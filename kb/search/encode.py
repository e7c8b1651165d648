"""Text to vectors: the seam, and the encoder that queries and small batches use.

`Encoder` is what sync and search ask of a model. `NumpyEncoder` reads a BERT-family model of
sentence-transformers with NumPy alone, which is 30 times quicker from a cold start; the engine
itself, for bulk work and for every other model, is in `transformer`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread
from typing import Protocol

import numpy as np
import numpy.typing as npt

from kb.model.search import Excerpt
from kb.search.bert import Bert
from kb.search.shape import Shape, read_prompts
from kb.search.weights import identity
from kb.search.windows import windows
from kb.search.wordpiece import WordPiece

Array = npt.NDArray[np.float32]
BULK_AFTER = 1300
"""Texts from which PyTorch's six seconds of loading begin to be worth it.

On two cores NumPy embeds some 75 passages of 67 tokens a second, `packed` some 120: it wins from
about so many on.
"""

_CHUNK_TOKENS = 512  # rows of one pass: enough to feed the matrix product, small enough for the cache


class Encoder(Protocol):
    """What turns passages into vectors."""

    @property
    def identity(self) -> str:
        """Name of the model and its weights; vectors of two identities are never mixed."""

    @property
    def width(self) -> int:
        """Length of a vector."""

    def embed(self, texts: Sequence[str]) -> Array:
        """One unit row for each text, in order: (len(texts), width)."""

    def embed_query(self, text: str) -> Array:
        """The unit vector of a query, which some models want introduced by a prompt: (width,)."""

    def knows(self, text: str) -> bool:
        """Whether the model has words for a text: to what it has none for, all such texts are near."""

    def windows(self, excerpt: Excerpt) -> list[str]:
        """The texts that stand for an excerpt: one, or several where it is longer than the model reads."""


class NumpyEncoder:
    """A BERT-family model read with NumPy; nothing else is imported.

    `name` and `cache` are those of `weights.identity`. ModelError if the model is missing,
    is not what it should be, or is of a shape that only sentence-transformers can run.
    """

    def __init__(self, folder: Path, *, name: str = "", cache: Path | None = None) -> None:
        self.identity = identity(folder, cache, name=name)
        self._bert = Bert(folder)
        self._pieces = WordPiece.from_folder(Shape.read(folder).transformer)
        self._query_prompt, self._document_prompt = read_prompts(folder)
        self.width = self._bert.width

    def embed(self, texts: Sequence[str]) -> Array:
        """One unit row for each text, in order: (len(texts), width)."""
        result = np.zeros((len(texts), self.width), dtype=np.float32)
        ids = [self._ids(self._document_prompt + text) for text in texts]
        chunks = batches([len(one) for one in ids], _CHUNK_TOKENS)

        def run(chunk: list[int]) -> None:
            result[chunk] = self._bert([ids[number] for number in chunk])

        share(run, chunks, os.cpu_count() or 1)
        return result

    def embed_query(self, text: str) -> Array:
        """The unit vector of a query: (width,)."""
        row: Array = self._bert([self._ids(self._query_prompt + text)])[0]
        return row

    def knows(self, text: str) -> bool:
        """Whether the model has words for a text."""
        return self._pieces.knows(text)

    def windows(self, excerpt: Excerpt) -> list[str]:
        """The texts that stand for an excerpt; see `windows.windows`."""
        limit = self._bert.limit - 2 - self._pieces.count(self._document_prompt)
        return windows(excerpt, limit, self._pieces.count)

    def _ids(self, text: str) -> list[int]:
        pieces = self._pieces
        return [pieces.first, *pieces.ids(text)[: self._bert.limit - 2], pieces.last]


class TieredEncoder:
    """Begins with an encoder that starts at once, goes over to one that is quicker in the long run.

    The bulk engine is loaded once as many texts have been asked for as would have paid for its
    loading: the cost is then never much more than the better choice's, without anybody having to
    say beforehand how many texts will come.
    """

    def __init__(self, light: Encoder, bulk: Callable[[], Encoder], *, after: int = BULK_AFTER) -> None:
        self.identity = light.identity
        self.width = light.width
        self._light = light
        self._make_bulk = bulk
        self._bulk: Encoder | None = None
        self._after = after
        self._asked = 0

    def rested(self) -> TieredEncoder:
        """The same encoders with nothing asked of them yet: a bulk engine that is loaded stays so."""
        other = TieredEncoder(self._light, self._make_bulk, after=self._after)
        other._bulk = self._bulk
        return other

    def embed(self, texts: Sequence[str]) -> Array:
        """One unit row for each text, in order: (len(texts), width)."""
        self._asked += len(texts)
        if self._bulk is None and self._asked > self._after:
            self._bulk = self._make_bulk()
        return (self._bulk or self._light).embed(texts)

    def embed_query(self, text: str) -> Array:
        """The unit vector of a query: (width,)."""
        return self._light.embed_query(text)

    def knows(self, text: str) -> bool:
        """Whether the model has words for a text."""
        return self._light.knows(text)

    def windows(self, excerpt: Excerpt) -> list[str]:
        """The texts that stand for an excerpt."""
        return self._light.windows(excerpt)


def batches(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Numbers of texts, shortest first, that go through a model together: `most` tokens, or one text."""
    found: list[list[int]] = []
    used = most
    for number in sorted(range(len(lengths)), key=lengths.__getitem__):
        if used + lengths[number] > most or not found:
            found.append([])
            used = 0
        found[-1].append(number)
        used += lengths[number]
    return found


def share(run: Callable[[list[int]], None], chunks: Sequence[list[int]], most: int) -> None:
    """Run the chunks on so many threads at most, this one among them.

    NumPy and PyTorch let go of the interpreter in all that takes long. concurrent.futures would
    cost every search 5 ms of import.
    """
    waiting = iter(chunks)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for chunk in waiting:  # a list's iterator hands each chunk out once
                run(chunk)
        except BaseException as error:  # raised again where it is waited for
            failures.append(error)

    threads = [Thread(target=work) for _ in range(min(most, len(chunks)) - 1)]
    for thread in threads:
        thread.start()
    work()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
