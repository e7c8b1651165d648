"""GitHub: what a repository is, by docs.github.com/rest/repos/repos#get-a-repository.

60 requests an hour without a token, 5,000 with one. That the limit is reached says nothing of a
repository; a redirect says that it has another name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

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
    as_object,
    date_of,
    extra,
    items_of,
    names_of,
    number_of,
    object_of,
    refusal,
    text_of,
)

# It becomes an address, which may come to stand in a note.
_FULL_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}\Z")


@dataclass(frozen=True)
class GitHub(Source):
    """api.github.com."""

    base: str = "https://api.github.com"
    token: str = ""
    name: ClassVar[str] = "github"
    text_on_page: ClassVar[bool] = True

    def claims(self, key: str, url: str) -> str | None:
        """`owner/name`."""
        return key.removeprefix("gh:") if key.startswith("gh:") else None

    def doubts(self, page: Outcome) -> bool:
        """Only where the site itself keeps programs out."""
        return page.status in (403, 429, 503)

    def next(self, wanted: Sequence[Wanted], answers: Answers) -> Ask | Readings:
        """One repository."""
        one = wanted[0]
        if answers:
            return {one.key: self._read(one, answers[-1])}
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return Ask(f"{self.base}/repos/{one.name}", headers)

    def _read(self, one: Wanted, outcome: Outcome) -> Reading:
        if outcome.status == 404:
            return Reading(life=Life.GONE, lacking="GitHub: gone, or private")
        if outcome.status == 451:
            return Reading(lacking="GitHub: taken down for legal reasons")
        if outcome.status in (403, 429):
            return self._refused(outcome)
        repo = as_object(outcome)
        full_name = text_of(repo.get("full_name"), 200) if repo else None
        if repo is None or full_name is None or not _FULL_NAME.match(full_name):
            return Reading(lacking=f"GitHub: {refusal(outcome)}")
        renamed = full_name.lower() != one.name.lower()
        address = f"https://github.com/{full_name}"
        description = text_of(repo.get("description"))
        owner, _, _ = full_name.partition("/")
        facts = Facts(
            title=f"{full_name}: {description}"[:300] if description else full_name,
            authors=(owner,),
            published=date_of(repo.get("created_at")),
            site="GitHub",
            description=description,
            canonical=urls.canonical(address),
            extra=extra(
                "github",
                stars=number_of(repo.get("stargazers_count")),
                licence=_licence(repo.get("license")),
                programming_language=text_of(repo.get("language"), 60),
                topics=list(names_of(items_of(repo.get("topics"), 30))),
                archived=True if repo.get("archived") is True else None,
                disabled=True if repo.get("disabled") is True else None,
                fork=True if repo.get("fork") is True else None,
                pushed=date_of(repo.get("pushed_at")),
            ),
        )
        life = Life.RENAMED if renamed else Life.EXISTS
        return Reading(facts, life, kind=LinkKind.REPO, moved_to=address if renamed else None)

    def _refused(self, outcome: Outcome) -> Reading:
        reset = outcome.headers.get("x-ratelimit-reset", "")
        if outcome.headers.get("x-ratelimit-remaining") == "0" and reset.isascii() and reset.isdigit():
            hint = "" if self.token else "; a token (github.token) raises it from 60 to 5,000 an hour"
            return Reading(
                lacking=f"GitHub: its limit of requests is reached{hint}", retry_at=int(reset[:12])
            )
        return Reading(lacking=f"GitHub: {refusal(outcome)}")


def _licence(value: object) -> str | None:
    licence = object_of(value)
    short = text_of(licence.get("spdx_id"), 60)
    return short if short and short != "NOASSERTION" else text_of(licence.get("name"), 100)
