from __future__ import annotations

import pytest

from kb.model import Term
from kb.notes.glossary import is_glossary, spells
from kb.notes.parse import parse


def terms(text: str, path: str = "n.md") -> tuple[Term, ...]:
    return parse(path, text.encode()).terms


def term(line: str) -> tuple[str, str | None, str | None]:
    (found,) = terms(f"## Glossary\n\n{line}\n")
    return found.term, found.expansion, found.definition


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "* [PEFT](http://x.y) = Parameter-Efficient Fine-Tuning.",
            ("PEFT", "Parameter-Efficient Fine-Tuning", None),
        ),
        (
            "* [RAG](http://x.y) = Retrieval-Augmented Generation. From them: 'It's what LLMs' users need.'",
            ("RAG", "Retrieval-Augmented Generation", "It's what LLMs' users need."),
        ),
        ("* **LoRA**: A few weights on top.", ("LoRA", None, "A few weights on top.")),
        ("* **LoRA:** A few weights on top.", ("LoRA", None, "A few weights on top.")),
        (
            "* **RAG**: Retrieval-Augmented Generation. Looks it up.",
            ("RAG", "Retrieval-Augmented Generation", "Looks it up."),
        ),
        (
            "* RAG - Retrieval-augmented generation, which looks it up",
            ("RAG", "Retrieval-augmented generation", "Retrieval-augmented generation, which looks it up"),
        ),
        (
            "* **RAG** (Retrieval-Augmented Generation): Looks it up.",
            ("RAG", "Retrieval-Augmented Generation", "Looks it up."),
        ),
        (
            "* Retrieval-Augmented Generation (RAG) — Looks it up.",
            ("RAG", "Retrieval-Augmented Generation", "Looks it up."),
        ),
        ("* Quantising: fewer bits, e.g. 4. Smaller.", ("Quantising", None, "fewer bits, e.g. 4. Smaller.")),
        ("* NF4 = 'a number's format'", ("NF4", None, "a number's format")),
        ("* **Perplexity**\n    * How surprised it is", ("Perplexity", None, "How surprised it is")),
        ("**RAG**: Looks it up.", ("RAG", None, "Looks it up.")),
    ],
)
def test_a_line_gives_term_expansion_and_definition(
    line: str, expected: tuple[str, str | None, str | None]
) -> None:
    assert term(line) == expected


def test_a_term_knows_its_line_and_source_link() -> None:
    (found,) = terms("# Glossary\n\n* [PEFT](http://x.y/p) = Parameter-Efficient Fine-Tuning.\n")
    assert (found.line, found.url) == (3, "http://x.y/p")


def test_a_definition_list_gives_terms_in_any_note() -> None:
    (found,) = terms("text\n\nRAG\n:   Looks it up, [here](http://x.y).\n")
    assert (found.term, found.definition, found.url) == ("RAG", "Looks it up, here.", "http://x.y")


def test_only_a_glossary_gives_terms_of_its_bullets() -> None:
    assert terms("# Ideas\n\n* **Note**: not a term.\n") == ()
    assert (
        terms("# Glossary\n\n## Other\n\n* **LoRA**: a term.\n\n# Ideas\n\n* **Note**: none.\n")[0].term
        == "LoRA"
    )
    assert len(terms("---\nkind: glossary\n---\n\n* **LoRA**: a term.\n* not a term\n")) == 1


def test_bullets_under_a_term_are_no_terms() -> None:
    (found,) = terms("# Glossary\n\n* **RAG**: Looks it up.\n    * see also: this\n")
    assert found.term == "RAG"


def test_a_glossary_note_without_a_list_is_one_term() -> None:
    text = (
        "---\ntitle: RAG\nkind: glossary\naliases: [retrieval augmentation]\n"
        "expansion: Retrieval-Augmented Generation\n---\n\nLooks it up. See [this](http://x.y).\n"
    )
    assert terms(text) == (
        Term(
            "RAG",
            "Retrieval-Augmented Generation",
            "Looks it up. See this.",
            "http://x.y",
            8,
            ("retrieval augmentation",),
        ),
    )


def test_headings_with_a_paragraph_each_are_terms_of_a_glossary_note() -> None:
    found = terms(
        "---\nkind: glossary\n---\n# Glossary\n\n## RAG\n\nLooks it up.\n\nMore.\n\n## LoRA\n\nFew weights.\n"
    )
    assert [(one.term, one.definition) for one in found] == [
        ("RAG", "Looks it up."),
        ("LoRA", "Few weights."),
    ]


def test_a_term_given_twice_stands_once() -> None:
    assert len(terms("# Glossary\n\n* RAG: one\n* rag: two\n")) == 1


@pytest.mark.parametrize(
    "heading", ["Glossary", "glossary:", "LLM glossary", "Glossary of terms", "My Glossary"]
)
def test_headings_that_say_glossary(heading: str) -> None:
    assert is_glossary(heading)


@pytest.mark.parametrize("heading", ["Glossary plugin ideas", "Terms", "How a glossary is made here"])
def test_headings_that_do_not(heading: str) -> None:
    assert not is_glossary(heading)


@pytest.mark.parametrize(
    ("short", "phrase"),
    [
        ("RAG", "Retrieval-Augmented Generation"),
        ("PEFT", "Parameter-Efficient Fine-Tuning"),
        ("LoRA", "Low-Rank Adaptation"),
        ("LLMs", "large language models"),
        ("RLHF", "Reinforcement learning from human feedback"),
    ],
)
def test_initials_spell_an_abbreviation(short: str, phrase: str) -> None:
    assert spells(short, phrase)


@pytest.mark.parametrize(
    ("short", "phrase"), [("RAG", "A way to look things up"), ("a", "apple"), ("RAG", "rag")]
)
def test_other_phrases_do_not(short: str, phrase: str) -> None:
    assert not spells(short, phrase)
