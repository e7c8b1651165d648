"""The model that a notebook's settings name, and the vectors that it makes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kb.config import Settings

if TYPE_CHECKING:
    from kb.search.blas_semantic import BlasSemantic
    from kb.search.choose import Chosen
    from kb.search.encode import Encoder
    from kb.search.semantic import Semantic
    from kb.search.vectors import VectorFile


class Models:
    """The readers of one notebook's model, each chosen once and kept in memory."""

    def __init__(self, settings: Settings) -> None:
        self._derived = settings.derived
        self._named: tuple[str, str] = settings["search.model"], settings["search.model_path"]
        self._chosen: dict[bool, Chosen] = {}

    def choose(self, *, embedding: bool) -> Chosen:
        """The reader of the model; with `embedding` one to embed new passages with. ModelError."""
        if embedding in self._chosen:
            return self._chosen[embedding]
        from kb.search.choose import choose

        cache = self._derived / "models.json"

        def load(place: str | Path, name: str) -> Encoder:
            from kb.search.transformer import TransformerEncoder

            return TransformerEncoder(place, name=name, cache=cache)

        chosen = choose(*self._named, cache, load, embedding=embedding)
        self._chosen[embedding] = chosen
        return chosen

    def vectors(self, encoder: Encoder) -> VectorFile:
        """Where the vectors of an encoder lie."""
        from kb.search.vectors import VectorFile, vector_path

        path = vector_path(self._derived, encoder.identity)
        return VectorFile(path, encoder.identity, encoder.width)

    def semantic(self) -> Semantic:
        """Search by meaning, no query embedded yet. ModelError."""
        from kb.search.semantic import Semantic

        encoder = self.choose(embedding=False).encoder
        return Semantic(encoder, self.vectors(encoder))

    def prepared(self, query: str) -> Semantic | BlasSemantic:
        """The same with the query embedded, whatever the notes are; without numpy if it can be."""
        from kb.search.blas_semantic import quick
        from kb.search.query import parse_query

        text = parse_query(query).text
        light = quick(text, *self._named, self._derived)
        if light is not None:
            light.prepare()
            return light
        semantic = self.semantic()
        semantic.prepare(text)
        return semantic

    def keep(self, earlier: Models) -> None:
        """Take over what another of the same name has in memory, rested for a new piece of work."""
        if not earlier._chosen or earlier._named != self._named:
            return
        from kb.search.choose import rested

        self._chosen = {embedding: rested(one) for embedding, one in earlier._chosen.items()}
