"""Hacker News: a story or a comment with who wrote it, its points, and the story above a comment.

Firebase first (github.com/HackerNews/API; no limit stated), which gives one item a request; for
the way from a comment to its story Algolia (hn.algolia.com/api), which names it at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from kb import urls
from kb.model.kinds import LinkKind
from kb.model.links import Facts
from kb.web.outcome import Outcome
from kb.web.sources.base import (
    Answers,
    Ask,
    Life,
    Reading,
    Readings,
    Source,
    Wanted,
    as_json,
    as_object,
    day_of,
    extra,
    number_of,
    plain_of,
    refusal,
    text_of,
    title_of,
)

_ITEM = "https://news.ycombinator.com/item?id="
#: Comments between one and its story; deeper threads are cut by the site itself.
_STEPS = 30


@dataclass(frozen=True)
class HackerNews(Source):
    """Firebase's items, and Algolia's for the story of a comment."""

    base: str = "https://hacker-news.firebaseio.com"
    algolia: str = "https://hn.algolia.com"
    name: ClassVar[str] = "hackernews"

    def claims(self, key: str, url: str) -> str | None:
        """The item's number."""
        return key.removeprefix("hn:") if key.startswith("hn:") else None

    def doubts(self, page: Outcome) -> bool:
        """The page of an item that never was is a 200 that says so in a word."""
        return page.ok or page.status in (403, 429, 503)

    def next(self, wanted: Sequence[Wanted], answers: Answers) -> Ask | Readings:
        """The item; for a comment its story, by Algolia, else by walking up its parents."""
        one = wanted[0]
        if not answers:
            return self._item(one.name)
        found = _item(answers[0])
        if found is None:
            return {one.key: self._without(one, answers)} if len(answers) > 1 else self._tree(one, answers[0])
        if found.get("type") != "comment" or _is_away(found):
            return {one.key: _story(found) if found.get("type") != "comment" else _comment(found, {})}
        return self._climb(one, found, answers)

    def _tree(self, one: Wanted, first: Outcome) -> Ask | Readings:
        if first.ok and not first.truncated and first.body.strip() == b"null":
            return {one.key: Reading(life=Life.GONE, lacking="Hacker News: there is no such item")}
        return Ask(f"{self.algolia}/api/v1/items/{one.name}")

    def _without(self, one: Wanted, answers: Answers) -> Reading:
        """What Algolia alone tells, where Firebase told nothing."""
        tree = as_object(answers[1])
        if tree is None or number_of(tree.get("id")) is None:
            return Reading(lacking=f"Hacker News: {refusal(answers[0])}")
        item = {
            "id": tree["id"],
            "type": tree.get("type"),
            "by": tree.get("author"),
            "time": tree.get("created_at_i"),
            "text": tree.get("text"),
            "title": tree.get("title"),
            "url": tree.get("url"),
            "score": tree.get("points"),
            "parent": tree.get("parent_id"),
        }
        if item["type"] != "comment":
            return _story(item)
        story = {"id": tree.get("story_id"), "title": tree.get("story_title"), "url": tree.get("story_url")}
        return _comment(item, story)

    def _climb(self, one: Wanted, comment: dict[str, Any], answers: Answers) -> Ask | Readings:
        """From a comment to its story: what Algolia names, or one parent after another."""
        if len(answers) == 1:
            return Ask(f"{self.algolia}/api/v1/items/{one.name}")
        story = number_of((as_object(answers[1]) or {}).get("story_id"))
        above = answers[2:]
        if story is not None and not above:
            return self._item(story)
        item: dict[str, Any] = comment
        for answer in above:
            item = _item(answer) or {}
        if item.get("type") == "comment" and len(above) < _STEPS:
            parent = number_of(item.get("parent"))
            if parent is not None:
                return self._item(parent)
        return {one.key: _comment(comment, item if item.get("type") != "comment" else {})}

    def _item(self, number: object) -> Ask:
        return Ask(f"{self.base}/v0/item/{number}.json")


def _item(outcome: Outcome) -> dict[str, Any] | None:
    value = as_json(outcome)
    return value if isinstance(value, dict) and number_of(value.get("id")) is not None else None


def _is_away(item: dict[str, Any]) -> bool:
    return bool(item.get("deleted"))


def _story(item: dict[str, Any]) -> Reading:
    if _is_away(item):
        return Reading(life=Life.GONE, lacking="Hacker News: the item was deleted")
    title = title_of(item.get("title"))
    text = plain_of(item.get("text"))
    if title is None:
        return Reading(life=Life.EXISTS, lacking="Hacker News: the item has no title", text=text)
    facts = Facts(
        title=title,
        authors=tuple(filter(None, [text_of(item.get("by"), 100)])),
        published=day_of(item.get("time")),
        site="Hacker News",
        description=text_of(text),
        canonical=f"{_ITEM}{item['id']}",
        extra=extra(
            "hackernews",
            type=text_of(item.get("type"), 20),
            points=number_of(item.get("score")),
            comments=number_of(item.get("descendants")),
            article=_web(item.get("url")),
            flagged=True if item.get("dead") else None,
        ),
    )
    return Reading(facts, Life.EXISTS, text=text, kind=LinkKind.HN_THREAD)


def _comment(item: dict[str, Any], story: dict[str, Any]) -> Reading:
    if _is_away(item):
        return Reading(life=Life.GONE, lacking="Hacker News: the comment was deleted")
    text = plain_of(item.get("text"))
    author = text_of(item.get("by"), 100)
    above = title_of(story.get("title"))
    who = f"{author}'s comment" if author else "A comment"
    facts = Facts(
        title=f"{who} on: {above}" if above else f"{who} on Hacker News",
        authors=(author,) if author else (),
        published=day_of(item.get("time")),
        site="Hacker News",
        description=text_of(text),
        canonical=f"{_ITEM}{item['id']}",
        extra=extra(
            "hackernews",
            type="comment",
            story=number_of(story.get("id")),
            story_title=above,
            article=_web(story.get("url")),
        ),
    )
    lacking = "" if above else "Hacker News: the story above the comment"
    return Reading(facts, Life.EXISTS, lacking=lacking, text=text, kind=LinkKind.HN_COMMENT)


def _web(url: Any) -> str | None:
    return urls.canonical(url) if isinstance(url, str) and len(url) < 4_000 and urls.is_web(url) else None
