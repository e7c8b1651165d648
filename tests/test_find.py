"""A search answers with the passage, by words and by meaning, and says when it has no answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from kb.errors import ModelError, UsageError
from kb.find import Found, find
from kb.model import Filter, Standing
from kb.notes.parse import parse
from kb.search.encode import Encoder, NumpyEncoder
from kb.search.semantic import Semantic
from kb.search.vectors import VectorFile, vector_path
from kb.search.weights import packaged_model
from kb.store import schema
from kb.store.store import Store
from tests.notebook import NOTES
from tests.store_helpers import put

CARD = "https://news.ycombinator.com/item?id=37091586"
QUESTION = "how much graphics memory do I need to train a 7B model at home"


@dataclass
class Searched:
    """A store and a model that has read it."""

    store: Store
    semantic: Semantic
    vectors: VectorFile

    def __call__(self, query: str, **options: object) -> Found:
        return find(self.store, query, **{"semantic": self.semantic, **options})  # type: ignore[arg-type]

    def lines(self, query: str, **options: object) -> list[str]:
        return [f"{hit.path}:{hit.line}" for hit in self(query, **options).hits]


def searched(folder: Path, notes: Mapping[str, str], encoder: Encoder) -> Searched:
    store = schema.memory()
    parsed = [parse(path, text.encode()) for path, text in notes.items()]
    put(store, *parsed)
    vectors = VectorFile(vector_path(folder, encoder.identity), encoder.identity, encoder.width)
    vectors.ensure()
    windows = [
        (digest, number, text)
        for digest, excerpt in store.missing_digests(vectors.model)
        for number, text in enumerate(encoder.windows(excerpt))
    ]
    first = vectors.append(encoder.embed([text for _, _, text in windows]))
    store.record_vectors(
        vectors.model, [(digest, number, row) for row, (digest, number, _) in enumerate(windows, first)]
    )
    return Searched(store, Semantic(encoder, vectors), vectors)


@pytest.fixture(scope="module")
def encoder() -> NumpyEncoder:
    return NumpyEncoder(packaged_model())


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory, encoder: NumpyEncoder) -> Iterator[Searched]:
    found = searched(tmp_path_factory.mktemp("vectors"), NOTES, encoder)
    yield found
    found.store.close()


# -- the answer ------------------------------------------------------------------------------------


def test_the_first_hit_is_the_bullet_with_its_date_heading_and_link(notes: Searched) -> None:
    hit = notes("qlora vram").hits[0]
    assert "12 GB RTX 3060" in hit.text
    assert (hit.path, hit.line) == ("threads/llama-2.md", 14)
    assert hit.heading == ("September 2023", "A study and what people said of it")
    assert str(hit.date) == "2023-08-11"
    assert [(link.url, link.standing) for link in hit.links] == [(CARD, Standing.UNCHECKED)]
    assert (hit.keyword_rank, hit.semantic_rank) == (1, 1)


def test_a_question_in_other_words_finds_the_bullet(notes: Searched) -> None:
    assert "threads/llama-2.md:14" in notes.lines(QUESTION)[:3]


@pytest.mark.parametrize("mode", ["hybrid", "keyword", "semantic"])
def test_every_mode_finds_it(notes: Searched, mode: str) -> None:
    assert notes.lines("qlora vram", mode=mode)[0] == "threads/llama-2.md:14"


def test_meaning_alone_finds_what_shares_no_word(notes: Searched) -> None:
    assert notes.lines("dictation software", mode="keyword") == []
    assert notes.lines("dictation software for apple computers")[0] == "tutorials/2023-03-tutorials.md:9"


def test_scores_fall_and_the_limit_holds(notes: Searched) -> None:
    hits = notes("fine-tuning llama rag", limit=3).hits
    assert len(hits) == 3
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_words_to_mark_are_told(notes: Searched) -> None:
    assert notes('how much "qlora" vram').words == ("qlora", "much", "vram")


# -- no answer -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "zxqv",
        "asdf jkl qwerty",
        "chocolate cake recipe",
        "who won the world cup in 1966",
        "penguin",
        "tax return",
    ],
)
@pytest.mark.parametrize("mode", ["hybrid", "semantic"])
def test_what_the_notes_do_not_speak_of_finds_nothing_and_gets_advice(
    notes: Searched, query: str, mode: str
) -> None:
    found = notes(query, mode=mode)
    assert found.hits == ()
    assert found.advice


@pytest.mark.parametrize("query", ["AND", "a:b", "foo*", "NEAR(", "^x", "{a}", "a\x00b", "x" * 5000, "漢字"])
def test_signs_of_other_query_languages_are_only_text(notes: Searched, query: str) -> None:
    assert isinstance(notes(query), Found)


@pytest.mark.parametrize("query", ["", " ", '"', "kind:paper"])
def test_a_query_that_asks_nothing_is_refused(notes: Searched, query: str) -> None:
    with pytest.raises(UsageError):
        notes(query)


def test_the_advice_names_what_stood_in_the_way(notes: Searched) -> None:
    assert "without -vram" in notes('"VRAM" -vram', mode="keyword").advice
    assert 'without -"RTX 3060"' in notes('"12 GB" -"RTX 3060"', mode="keyword").advice
    assert "that phrase" in notes('"GB 12 of"', mode="keyword").advice
    assert "together" in notes('"12 GB" "Whisper"', mode="keyword").advice
    assert "did you mean QLoRA" in notes("qlroa until:1999", mode="keyword").advice


def test_a_misspelled_word_is_set_right_in_the_advice(notes: Searched) -> None:
    assert notes("qlroa", mode="keyword").advice == "nothing found; did you mean QLoRA?"
    assert notes("Whispr", mode="keyword").advice == "nothing found; did you mean Whisper?"
    assert "did you mean" not in notes("zxqv").advice


def test_an_unknown_mode_names_the_known_ones(notes: Searched) -> None:
    with pytest.raises(UsageError) as caught:
        notes("qlora", mode="fuzzy")
    assert "hybrid" in caught.value.hint


# -- narrowing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["hybrid", "keyword", "semantic"])
def test_filters_hold_in_both_lists_wherever_they_are_written(notes: Searched, mode: str) -> None:
    inside = notes.lines("qlora kind:paper", mode=mode)
    beside = notes.lines("qlora", mode=mode, filter=Filter(kinds=("paper",)))
    assert inside == beside
    assert inside
    assert all(line.startswith("papers/") for line in inside)


@pytest.mark.parametrize("mode", ["hybrid", "keyword", "semantic"])
def test_a_phrase_must_stand_in_every_hit(notes: Searched, mode: str) -> None:
    hits = notes('"form, not facts" tuning', mode=mode).hits
    assert hits
    assert all("form, not facts" in hit.text.lower() for hit in hits)


@pytest.mark.parametrize("mode", ["hybrid", "keyword", "semantic"])
def test_an_excluded_word_stands_in_no_hit(notes: Searched, mode: str) -> None:
    assert any("RTX" in hit.text for hit in notes("qlora vram", mode=mode).hits)
    hits = notes("qlora vram -rtx", mode=mode).hits
    assert hits or mode == "semantic"  # nothing else is near enough in meaning
    assert not any("RTX" in hit.text for hit in hits)


def test_no_hit_within_filters_says_so(notes: Searched) -> None:
    assert "filters" in notes("qlora until:1999").advice


# -- one place for one thing -----------------------------------------------------------------------


def test_equal_bullets_in_two_notes_take_one_place(tmp_path: Path, encoder: NumpyEncoder) -> None:
    bullet = "# Cards\n\n* a 12 GB RTX 3060 is enough for qlora\n"
    found = searched(tmp_path, {"a.md": bullet, "b.md": bullet}, encoder)
    assert len(found("qlora vram").hits) == 1


def test_a_long_passage_is_found_by_what_stands_at_its_end(tmp_path: Path, encoder: NumpyEncoder) -> None:
    filler = "The weather in the valley was mild, and the orchard bloomed early that year. " * 60
    end = "We bought a graphics card with plenty of memory for training neural networks. " * 12
    long = f"# Diary\n\n{filler}{end}\n"
    found = searched(tmp_path, {"long.md": long, "other.md": "# Soup\n\nleek and potato soup\n"}, encoder)
    assert found.vectors.rows > 2
    hits = found("GPU for deep learning", mode="semantic").hits
    assert [hit.path for hit in hits] == ["long.md"]


# -- without a model -------------------------------------------------------------------------------


def test_without_a_model_keyword_results_are_served_with_one_sentence(notes: Searched) -> None:
    found = notes("qlora vram", semantic=None)
    assert found.hits[0].line == 14
    assert len(found.notices) == 1
    assert "keyword results" in found.notices[0]


def test_without_a_model_a_search_by_meaning_alone_cannot_run(notes: Searched) -> None:
    with pytest.raises(ModelError):
        notes("qlora vram", semantic=None, mode="semantic")


def test_a_keyword_search_asks_no_model(notes: Searched) -> None:
    assert notes("qlora vram", semantic=None, mode="keyword").notices == ()


def broken(found: Searched, encoder: Encoder) -> Found:
    vectors = VectorFile(found.vectors.path, encoder.identity, encoder.width)
    return found("qlora vram", semantic=Semantic(encoder, vectors))


@pytest.mark.parametrize("lost", [1, 384 * 4, 100_000_000])
def test_vectors_cut_short_cost_a_sentence_and_no_hit(
    tmp_path: Path, encoder: NumpyEncoder, lost: int
) -> None:
    found = searched(tmp_path, NOTES, encoder)
    size = found.vectors.path.stat().st_size
    with found.vectors.path.open("r+b") as file:
        file.truncate(max(0, size - lost))
    result = broken(found, encoder)
    assert result.hits[0].line == 14
    assert len(result.notices) == 1
    assert "kb sync" in result.notices[0]


def test_vectors_of_another_model_cost_a_sentence_and_no_hit(tmp_path: Path, encoder: NumpyEncoder) -> None:
    found = searched(tmp_path, NOTES, encoder)
    data = found.vectors.path.read_bytes()
    found.vectors.path.write_bytes(data[:8] + (128).to_bytes(4, "little") + data[12:])
    result = broken(found, encoder)
    assert result.hits[0].line == 14
    assert "128 numbers" in result.notices[0]


def test_a_passage_that_lacks_its_vector_is_found_by_its_words(tmp_path: Path, encoder: NumpyEncoder) -> None:
    found = searched(tmp_path, NOTES, encoder)
    found.store.forget_vectors(found.vectors.model)
    hit = found("qlora vram").hits[0]
    assert (hit.line, hit.cosine, hit.semantic_rank) == (14, None, None)


# -- names, and scripts without spaces -------------------------------------------------------------

ABBREVIATED = {
    "words.md": "---\nkind: glossary\n---\n\n* RAG = Retrieval-Augmented Generation. Passages first.\n",
    "use.md": "# Use\n\n* RAG gave us sources\n* a rug of wool\n* generation of power\n",
    "long.md": "# Long\n\n* retrieval-augmented generation needs an index\n",
}


@pytest.mark.parametrize("mode", ["hybrid", "keyword"])
def test_a_glossary_term_is_found_by_its_expansion_and_the_reverse(
    tmp_path: Path, encoder: NumpyEncoder, mode: str
) -> None:
    found = searched(tmp_path, ABBREVIATED, encoder)
    assert set(found.lines("rag", mode=mode)) >= {"use.md:3", "long.md:3", "words.md:5"}
    assert "use.md:3" in found.lines("retrieval-augmented generation", mode=mode)
    assert "use.md:4" not in found.lines("retrieval-augmented generation", mode=mode)


def test_the_other_name_of_a_term_is_marked_too(tmp_path: Path, encoder: NumpyEncoder) -> None:
    found = searched(tmp_path, ABBREVIATED, encoder)("retrieval-augmented generation")
    assert found.marks("RAG gave us sources") == [(0, 3)]


SPACELESS = {
    "ja.md": "# 日本語\n\n* 数を数えるときは助数詞が必要だ\n* 漢字の部首を先に覚える\n",
    "zh.md": "# 中文\n\n* 中文的声调会改变词的意思\n* plain words and 写日记\n",
    "th.md": "# Thai\n\n* การเรียนรู้ของเครื่องเป็นสาขาหนึ่งของปัญญาประดิษฐ์\n* ភាសាខ្មែរ and ພາສາລາວ and မြန်မာဘာသာ\n",
    "more.md": "# More\n\n* 世界の人々が読む\n* ｶﾀｶﾅ\n",
}


@pytest.fixture(scope="module")
def spaceless(tmp_path_factory: pytest.TempPathFactory, encoder: NumpyEncoder) -> Iterator[Searched]:
    found = searched(tmp_path_factory.mktemp("vectors"), SPACELESS, encoder)
    yield found
    found.store.close()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("声调", ["zh.md:3"]),
        ("助数詞", ["ja.md:3"]),
        ("部首 漢字", ["ja.md:4"]),
        ("记", ["zh.md:4"]),
        ("调声", []),
        ('"的声调"', ["zh.md:3"]),
        ("plain 写日记", ["zh.md:4"]),
        ("日本語 -漢字", ["ja.md:3"]),
        ("声调 kind:paper", []),
        ("เครื่อง", ["th.md:3"]),
        ("ปัญญาประดิษฐ์", ["th.md:3"]),
        ('"ของเครื่อง"', ["th.md:3"]),
        ("ខ្មែរ", ["th.md:4"]),
        ("ລາວ", ["th.md:4"]),
        ("ဘာသာ", ["th.md:4"]),
        ("人々", ["more.md:3"]),
        ("々", ["more.md:3"]),
        ("ﾀｶ", ["more.md:4"]),
    ],
)
def test_parts_of_text_without_spaces_are_found(spaceless: Searched, query: str, expected: list[str]) -> None:
    assert spaceless.lines(query, mode="keyword") == expected


@pytest.mark.parametrize("query", ["微调", "声调 微调"])
def test_words_that_the_model_does_not_know_are_near_to_nothing(
    tmp_path: Path, encoder: NumpyEncoder, query: str
) -> None:
    notes = {
        **SPACELESS,
        "tune.md": "# 微调\n\n* 大型语言模型的微调需要显存\n",
        "o.md": "* \U0001f680\U0001f6f8 调微\n",
    }
    found = searched(tmp_path, notes, encoder)
    assert found.lines(query)[0] == "tune.md:3"
    assert set(found.lines(query)) <= {"tune.md:3", "zh.md:3"}
    nothing = found(query, mode="semantic")
    assert nothing.hits == ()
    assert "no words" in nothing.notices[0]


def test_a_sign_among_known_words_does_not_keep_a_query_from_its_meaning(
    notes: Searched, encoder: NumpyEncoder
) -> None:
    assert encoder.knows("\U0001f680\U0001f6f8 launch")
    assert notes("\U0001f680 how much graphics memory", mode="semantic").hits


def test_what_is_removed_is_found_no_more(tmp_path: Path, encoder: NumpyEncoder) -> None:
    found = searched(tmp_path, SPACELESS, encoder)
    found.store.drop_notes(["zh.md"])
    assert found.lines("声调", mode="keyword") == []


def test_the_word_without_spaces_is_marked(tmp_path: Path, encoder: NumpyEncoder) -> None:
    found = searched(tmp_path, SPACELESS, encoder)("声调")
    assert found.marks("中文的声调会") == [(3, 5)]


# -- common words ----------------------------------------------------------------------------------


@pytest.fixture
def everywhere(tmp_path: Path, encoder: NumpyEncoder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Searched]:
    monkeypatch.setattr("kb.store.words.FEW", 10)
    monkeypatch.setattr("kb.store.words.COMMON", 0.1)
    lines = [f"* report {number} of the week" for number in range(40)] + ["* a zebra crossed"]
    found = searched(tmp_path, {"all.md": "# All\n\n" + "\n".join(lines) + "\n"}, encoder)
    found.store.learn_frequencies(found.store.passage_count())
    yield found
    found.store.close()


def test_a_word_that_is_everywhere_is_not_looked_up_beside_a_rare_one(everywhere: Searched) -> None:
    assert everywhere.lines("reports zebra", mode="keyword") == ["all.md:43"]


def test_a_word_that_is_everywhere_is_looked_up_when_alone(everywhere: Searched) -> None:
    assert len(everywhere.lines("reports", mode="keyword")) == 10


def test_a_common_words_count_is_remembered_and_a_rare_ones_taken(everywhere: Searched) -> None:
    store = everywhere.store
    assert (store.common("reporting"), store.common("zebra")) == (40, None)
    store.connection.execute("UPDATE frequencies SET passages = 39 WHERE term = 'report'")
    assert store.document_frequency("reports") == 39
    assert store.document_frequency("zebra") == 1


def test_frequencies_are_learned_again_when_the_store_has_grown_by_a_tenth(everywhere: Searched) -> None:
    store = everywhere.store
    store.connection.execute("DELETE FROM frequencies")
    store.learn_frequencies(44)
    assert store.common("report") is None
    store.learn_frequencies(60)
    assert store.common("report") == 40
