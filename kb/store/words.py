"""The part of the store that knows words: how common each is, and where words without spaces stand."""

# ruff: noqa: S608  # statements are put together from our own names and `?`; every value is bound

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.model.search import Filter
from kb.store.connection import Connected
from kb.store.filters import EVERYTHING, passage_clause
from kb.store.grams import gram_match
from kb.store.rows import chunks, marks, phrase, split

#: A word in more passages than this share of them has its frequency remembered.
COMMON = 0.01

#: Below so many passages every count is quick, and none is remembered.
FEW = 10_000

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_JOINED = "passages p LEFT JOIN notes n ON n.id = p.note_id"


class Words(Connected):
    """Words of the keyword index, and the second index for scripts that part none."""

    def document_frequency(self, text: str) -> int:
        """How many passages hold a word (or phrase), in any column, stemmed as the index stems it.

        Of a word that is common, the count of the last sync: counting it anew would take as long
        as searching for it.
        """
        known = self.common(text)
        if known is not None:
            return known
        row = self.connection.execute(
            "SELECT count(*) FROM passages_fts WHERE passages_fts MATCH ?", [phrase(text)]
        ).fetchone()
        return int(row[0])

    def common(self, text: str) -> int | None:
        """How many passages held a word at the last sync; None if it was in few of them."""
        if self.connection.execute("SELECT 1 FROM frequencies LIMIT 1").fetchone() is None:
            return None
        stems = self._stems(text)
        if len(stems) != 1:
            return None
        row = self.connection.execute("SELECT passages FROM frequencies WHERE term = ?", stems).fetchone()
        return None if row is None else int(row[0])

    def learn_frequencies(self, passages: int) -> None:
        """Remember how common the common words are, if the store has grown or shrunk much since."""
        learned = int(self.setting("frequencies") or 0)
        if abs(passages - learned) <= learned // 10:
            return
        with self.transaction():
            self.connection.execute("DELETE FROM frequencies")
            if passages >= FEW:
                self._words_table()
                self.connection.execute(
                    "INSERT INTO frequencies (term, passages) SELECT term, doc FROM temp.words WHERE doc > ?",
                    [passages * COMMON],
                )
            self.remember("frequencies", str(passages))

    def holding(self, text: str, ids: Sequence[int]) -> set[int]:
        """Those of some passages that hold a word or phrase."""
        found: set[int] = set()
        for part in chunks(ids):
            # The plus keeps SQLite from asking FTS5 anew for every id.
            rows = self.connection.execute(
                "SELECT rowid FROM passages_fts WHERE passages_fts MATCH ?"
                f" AND +rowid IN ({marks(len(part))})",
                [phrase(text), *part],
            )
            found.update(row[0] for row in rows)
        return found

    def spaceless(self, text: str, filter: Filter = EVERYTHING, limit: int = 100) -> list[tuple[int, float]]:
        """Passages that hold each run of a text in a script without spaces, as `keyword` gives them."""
        match = gram_match(text)
        if not match:
            return []
        condition, values = passage_clause(filter)
        narrowed = f" AND +f.rowid IN (SELECT p.id FROM {_JOINED} WHERE {condition})" if filter else ""
        rows = self.connection.execute(
            f"SELECT f.rowid, -f.rank FROM grams_fts f WHERE grams_fts MATCH ?{narrowed}"
            " ORDER BY f.rank LIMIT ?",
            [match, *values, limit],
        )
        return [(int(id), float(score)) for id, score in rows]

    def vocabulary(self, initial: str, limit: int = 20_000) -> list[str]:
        """Words of the index that begin with a letter, as it stems them, commonest first."""
        self._words_table()
        rows = self.connection.execute(
            "SELECT term FROM temp.words WHERE term >= ?1 AND term < ?1 || char(0x10ffff)"
            " ORDER BY doc DESC, term LIMIT ?2",
            [initial.lower(), limit],
        )
        return [row[0] for row in rows]

    def glossary_names(self) -> list[tuple[str, ...]]:
        """What each glossary term is called: itself, its expansion, its aliases."""
        rows = self.connection.execute("SELECT term, expansion, aliases FROM terms ORDER BY rowid")
        return [
            tuple(name for name in (term, expansion, *split(aliases)) if name)
            for term, expansion, aliases in rows
        ]

    def tokens(self, texts: Sequence[str]) -> list[list[str]]:
        """Each text as the keyword index reads it: its words in order, folded and stemmed.

        Plain ASCII is cut here, its different words stemmed by the index's own tokenizer; the rest it
        cuts itself, which takes ten times as long.
        """
        plain = [text.isascii() for text in texts]
        cut = [
            _ASCII_WORD.findall(text.lower()) if ascii else []
            for text, ascii in zip(texts, plain, strict=True)
        ]
        words = sorted({word for one in cut for word in one})
        stems = {word: found[0] for word, found in zip(words, self._all_stems(words), strict=True)}
        others = iter(self._all_stems([text for text, ascii in zip(texts, plain, strict=True) if not ascii]))
        return [
            [stems[word] for word in one] if ascii else next(others)
            for one, ascii in zip(cut, plain, strict=True)
        ]

    def _words_table(self) -> None:
        # A temporary table, so that a store opened for reading alone can have it too.
        self.connection.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.words USING fts5vocab('main', 'passages_fts', 'row')"
        )

    def _stems(self, text: str) -> list[str]:
        return self._all_stems([text])[0]

    def _all_stems(self, texts: Sequence[str]) -> list[list[str]]:
        """The tokens of texts as the index has them: what its tokenizer makes of them, asked of itself."""
        run = self.connection.execute
        run(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.said USING"
            " fts5(text, tokenize='porter unicode61 remove_diacritics 2')"
        )
        run("CREATE VIRTUAL TABLE IF NOT EXISTS temp.tokens USING fts5vocab('temp', 'said', 'instance')")
        run("DELETE FROM temp.said")
        run("SAVEPOINT said")  # else each text would be committed by itself
        self.connection.executemany("INSERT INTO temp.said (rowid, text) VALUES (?, ?)", enumerate(texts))
        run("RELEASE said")
        found: list[list[str]] = [[] for _ in texts]
        for place, term in run("SELECT doc, term FROM temp.tokens ORDER BY doc, offset"):
            found[place].append(term)
        return found
