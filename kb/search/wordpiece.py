"""BERT's WordPiece in plain Python: for a few texts it is read and done before a library loads.

Follows the `BertNormalizer`, `BertPreTokenizer` and `WordPiece` of Hugging Face tokenizers, whose
output the tests compare it with.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from kb.errors import ModelError

_LONGEST_WORD = 100  # characters; WordPiece's max_input_chars_per_word
_ASCII_WORDS = re.compile(r"[a-z0-9]+|[!-/:-@\[-`{-~]")
_CJK = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F), (0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip


class WordPiece:
    """Cuts text into the ids of a BERT vocabulary."""

    def __init__(
        self, vocabulary: Mapping[str, int], *, lower: bool = True, strip_accents: bool = True
    ) -> None:
        try:
            self.unknown = vocabulary["[UNK]"]
            self.first = vocabulary["[CLS]"]
            self.last = vocabulary["[SEP]"]
        except KeyError as error:
            raise ModelError(f"the model's vocabulary lacks {error}, so it is not a WordPiece one") from None
        self._vocabulary = vocabulary
        self._lower = lower
        self._strip = strip_accents
        self._special = {
            token: vocabulary[token]
            for token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
            if token in vocabulary
        }
        self._special_pattern = re.compile("(" + "|".join(map(re.escape, self._special)) + ")")
        self._known: dict[str, list[int]] = {}

    @classmethod
    def from_folder(cls, folder: Path) -> WordPiece:
        """Read a saved model's tokenizer. ModelError if it is missing or of another sort."""
        try:
            config = json.loads((folder / "tokenizer_config.json").read_bytes())
            vocabulary = _vocabulary(folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{folder}: the model's tokenizer cannot be read ({error})") from None
        kind = str(config.get("tokenizer_class", ""))
        if not kind.startswith("BertTokenizer"):
            raise ModelError(f"{folder}: the tokenizer is {kind or 'of an unknown class'}, not BERT's")
        if config.get("tokenize_chinese_chars") is False:
            raise ModelError(f"{folder}: a BERT tokenizer that does not part Chinese characters")
        lower = bool(config.get("do_lower_case", True))
        accents = config.get("strip_accents")
        return cls(vocabulary, lower=lower, strip_accents=lower if accents is None else bool(accents))

    def ids(self, text: str) -> list[int]:
        """Ids of the text's pieces, without the special tokens at either end."""
        if "[" not in text:
            return self._plain(text)
        found: list[int] = []
        for part in self._special_pattern.split(text):
            special = self._special.get(part)
            if special is None:
                found += self._plain(part)
            else:
                found.append(special)
        return found

    def count(self, text: str) -> int:
        """How many pieces the text has."""
        return len(self.ids(text))

    def knows(self, text: str) -> bool:
        """Whether half of the text's pieces at least say something; the others are all one to a model."""
        ids = self.ids(text)
        return 2 * ids.count(self.unknown) <= len(ids)

    @property
    def plain(self) -> bool:
        """Whether capital letters and accents make no difference."""
        return self._lower and self._strip

    def pieces(self) -> list[str]:
        """Every piece of the vocabulary, in order of id."""
        return sorted(self._vocabulary, key=self._vocabulary.__getitem__)

    def _plain(self, text: str) -> list[int]:
        found: list[int] = []
        for word in self._words(text):
            pieces = self._known.get(word)
            if pieces is None:
                pieces = self._known[word] = self._pieces(word)
            found += pieces
        return found

    def _words(self, text: str) -> list[str]:
        if text.isascii() and self._lower:
            return _ASCII_WORDS.findall(_ASCII_CONTROL.sub("", text).lower())
        return _split(self._normalise(text))

    def _normalise(self, text: str) -> str:
        shown: list[str] = []
        for char in text:
            code = ord(char)
            if char in "\t\n\r":
                shown.append(" ")
            elif code == 0xFFFD or unicodedata.category(char)[0] == "C":
                continue
            elif char.isspace():
                shown.append(" ")
            elif code >= 0x3400 and any(low <= code <= high for low, high in _CJK):
                shown.append(f" {char} ")
            else:
                shown.append(char)
        text = "".join(shown)
        if self._strip:
            text = unicodedata.normalize("NFD", text)
            text = "".join(char for char in text if unicodedata.category(char) != "Mn")
        if self._lower:
            # Character by character: as a whole, Python turns a Greek word's last sigma around.
            text = "".join(map(str.lower, text))
        return text

    def _pieces(self, word: str) -> list[int]:
        if len(word) > _LONGEST_WORD:
            return [self.unknown]
        vocabulary, found, start = self._vocabulary, [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = vocabulary.get(word[start:end] if start == 0 else "##" + word[start:end])
                if piece is not None:
                    found.append(piece)
                    start = end
                    break
            else:
                return [self.unknown]
        return found


_ASCII_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _split(text: str) -> list[str]:
    words: list[str] = []
    for chunk in text.split():
        start = 0
        for place, char in enumerate(chunk):
            if _is_punctuation(char):
                if place > start:
                    words.append(chunk[start:place])
                words.append(char)
                start = place + 1
        if start < len(chunk):
            words.append(chunk[start:])
    return words


def _is_punctuation(char: str) -> bool:
    if char.isascii():
        return not char.isalnum() and char.isprintable() and char != " "
    return unicodedata.category(char)[0] == "P"


class _Lines(Mapping[str, int]):
    """A vocab.txt, one piece a line, read as it is asked: a query needs a few dozen of 30,000.

    Searching the file's bytes takes some ten microseconds a piece; a dict of them all, 6 ms. So
    the dict is made once as much has been asked as would have paid for it.
    """

    def __init__(self, data: bytes) -> None:
        self._data = b"\n" + data.replace(b"\r\n", b"\n").removesuffix(b"\n") + b"\n"
        self._asked = 0

    @cached_property
    def _all(self) -> dict[str, int]:
        lines = self._data[1:-1].decode("utf-8").split("\n")
        return dict(zip(lines, range(len(lines)), strict=True))

    def __getitem__(self, piece: str) -> int:
        self._asked += 1
        if self._asked > 400 or "\n" in piece:
            return self._all[piece]
        place = self._data.find(b"\n" + piece.encode("utf-8", "replace") + b"\n")
        if place < 0:
            raise KeyError(piece)
        return self._data.count(b"\n", 0, place)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


def _vocabulary(folder: Path) -> Mapping[str, int]:
    plain = folder / "vocab.txt"
    if plain.is_file():
        return _Lines(plain.read_bytes())
    model = json.loads((folder / "tokenizer.json").read_bytes())["model"]
    if model.get("type") != "WordPiece":
        raise ValueError(f"its tokenizer.json holds a {model.get('type')} model")
    vocabulary: Mapping[str, int] = model["vocab"]
    return vocabulary
