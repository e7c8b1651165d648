from __future__ import annotations

import html as entities
import re
from dataclasses import replace
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.model import Entry, Facts, Standing, Term
from kb.pages.finish import Terms, marked, marks
from tests.test_pages import HOSTILE, record


def terms(*pairs: tuple[str, str], aliases: tuple[str, ...] = ()) -> Terms:
    return Terms(Entry(Term(name, about, None, None, 1, aliases), "g.md") for name, about in pairs)


RAG = terms(("RAG", "Retrieval-Augmented Generation"), ("mixture of experts", "Many small models"))


def explained(html: str) -> list[str]:
    return re.findall(r"<abbr[^>]*>(.*?)</abbr>", RAG.explained(html), re.DOTALL)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("RAG helps", ["RAG"]),
        ("three RAGs and RAG's cost", ["RAGs", "RAG's"]),
        ("a rag, a RAGU, a BRAG", []),
        ("RAG-based", ["RAG"]),
        ("Mixture of Experts", ["Mixture of Experts"]),
        ("mixture  of\nexperts", ["mixture  of\nexperts"]),
    ],
)
def test_a_term_is_found_as_it_is_written(text: str, found: list[str]) -> None:
    assert explained(f"<p>{text}</p>") == found


@pytest.mark.parametrize("tag", ["a", "code", "pre", "h1", "h2", "h3", "h4", "kbd", "abbr", "svg", "button"])
def test_a_term_in_code_a_link_or_a_heading_is_left_alone(tag: str) -> None:
    html = f"<{tag}>RAG <b>RAG</b></{tag}>"
    assert RAG.explained(html) == html
    assert "kb-term" in RAG.explained(f"{html}<p>RAG</p>")


def test_only_the_first_of_a_term_is_a_stop_for_the_keyboard() -> None:
    shown = RAG.explained("<p>RAG and RAG, and a mixture of experts</p>")
    assert shown.count("kb-term") == 3
    assert shown.count('tabindex="0"') == 2


def test_an_alias_is_explained_as_its_term() -> None:
    both = terms(("RAG", "Retrieval"), aliases=("grounded generation",))
    assert "Retrieval" in both.explained("<p>grounded generation</p>")


def test_a_hostile_explanation_stays_in_its_attribute() -> None:
    shown = fromstring(terms(("RAG", HOSTILE)).explained("<p>RAG</p>"))
    assert [element.tag for element in shown.iter()] == ["p", "abbr"]
    assert set(shown[0].attrib) == {"class", "title", "tabindex"}


@given(
    st.lists(
        st.sampled_from(["RAG", " ", "<b>", "</b>", "<code>", "</code>", "&amp;", "<!-- RAG -->", "x", '"'])
    )
)
def test_explaining_changes_nothing_but_adds_tags(pieces: list[str]) -> None:
    html = "".join(pieces)
    assert re.sub(r"</?abbr[^>]*>", "", RAG.explained(html)) == html


def test_many_terms_are_looked_for_only_where_they_stand() -> None:
    many = terms(*((f"Term{number}", f"about {number}") for number in range(400)))
    shown = many.explained("<p>Term7 and Term399</p>")
    assert re.findall(r'title="([^"]*)"', shown) == ["about 7", "about 399"]


# -- links -----------------------------------------------------------------------------------------


def test_a_link_tells_its_title_host_date_and_standing() -> None:
    known = marks([record("https://a.example/x", title="Fetched", date="2023-08-11")])
    shown = fromstring(marked('<p><a href="https://a.example/x">here</a></p>', known))
    assert shown[0].get("title") == "Fetched \u00b7 a.example \u00b7 11 August 2023 \u00b7 not checked yet"
    assert shown[0].get("class") == "kb-link kb-is-alive"
    assert "".join(shown.itertext()) == "here"


def test_a_dead_link_says_so_and_leads_to_its_archived_copy() -> None:
    dead = record("https://a.example/x", standing=Standing.DEAD)
    dead = replace(dead, looks=replace(dead.looks, archived_url="https://archive.example/1"))
    shown = fromstring(marked('<p><a href="https://a.example/x">here</a></p>', marks([dead])))
    assert "".join(shown.itertext()) == "here dead, archived copy"
    assert [link.get("href") for link in shown.iter("a")] == [
        "https://a.example/x",
        "https://archive.example/1",
    ]


def test_an_archived_copy_at_an_address_that_may_not_be_a_link_is_none() -> None:
    dead = record("https://a.example/x", standing=Standing.DEAD)
    dead = replace(dead, looks=replace(dead.looks, archived_url="javascript:alert(1)"))
    assert "javascript" not in marked('<a href="https://a.example/x">here</a>', marks([dead]))


def test_an_address_with_entities_is_known_again() -> None:
    known = marks([record("https://a.example/?a=1&b=2")])
    assert "kb-is-alive" in marked('<a href="https://a.example/?a=1&amp;b=2">x</a>', known)


def test_a_hostile_fetched_title_stays_in_its_attribute() -> None:
    hostile = replace(record("https://a.example/x"), facts=Facts(title=HOSTILE))
    shown = fromstring(marked('<p><a href="https://a.example/x">here</a></p>', marks([hostile])))
    assert set(shown[0].attrib) == {"href", "class", "title"}
    assert (shown[0].get("title") or "").startswith(entities.unescape(HOSTILE.split("\n")[0][:20]))


def test_a_link_that_nobody_knows_stays_as_it_is() -> None:
    html = '<a href="https://b.example/">x</a> <a href="../y/">y</a>'
    assert marked(html, marks([record("https://a.example/x")])) == html
