"""What was read of a page, kept: facts in the store, text in a file of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from kb import urls
from kb.config import Settings
from kb.instants import spelled
from kb.model.clock import Clock
from kb.model.kinds import settled_kind
from kb.model.links import Facts, Key, LinkRecord, Saved
from kb.store import saved
from kb.store.store import Store
from kb.web import landing
from kb.web.drift import learn_text, refreshed
from kb.web.retold import Retold, other_language, retold
from kb.web.sources import Reading, Wanted

# The last second of 9999: what a site says of the future need not be a date.
_END: Final = 253402300799


@dataclass(slots=True)
class Recorder:
    """Keeps what was read once something on the network has answered; until then it may be away."""

    store: Store
    settings: Settings
    clock: Clock
    links: Mapping[str, tuple[LinkRecord, ...]]
    titled: int = 0
    texts: int = 0
    lacking: list[tuple[str, str]] = field(default_factory=list)
    read: dict[Key, LinkRecord] = field(default_factory=dict)

    def take(self, wanted: Wanted, reading: Reading) -> None:
        """One page, in one short transaction; its text in a file of its own."""
        now = self.clock.now()
        links = self.links[wanted.key]
        facts = merged(links[0].facts, reading, now)
        facts = learn_text(facts, self._compared(wanted, reading, links[0].facts), now)
        if self.settings["enrich.keep_text"] and (
            reading.text or (reading.facts and reading.facts.description)
        ):
            if facts.text_changed_at is None:  # else what was saved is what the note spoke of
                private = all(one.private for one in links)
                keep_text(self.settings, wanted, facts, reading.text, now, private=private)
            facts = replace(facts, extra={**facts.extra, "saved": now[:10]})
            self.texts += 1
        with self.store.transaction():
            for link in links:
                self.store.save_facts(link.key, facts)
                kind = settled_kind(link.kind, reading.kind)
                if kind is not link.kind:
                    self.store.save_kind(link.key, kind)
                self.read[link.key] = replace(link, facts=facts, kind=kind)
        self.titled += bool(facts.title and not links[0].facts.title)
        if reading.lacking:
            self.lacking.append((urls.safe_display(links[0].url), reading.lacking))

    def _compared(self, wanted: Wanted, reading: Reading, old: Facts) -> Retold | None:
        """A page's text against the saved one; None where there is none, or it is not the page's own."""
        told = reading.facts or old
        own = all(one.source == "page" for one in (old, told))
        if not own or not reading.text or landing.is_home(wanted.url):
            return None
        before = saved.find((self.settings.saved, self.settings.private_saved), wanted.key)
        if before is None or other_language(old.language, told.language):
            return None
        return retold(before.text, reading.text)


def merged(old: Facts, reading: Reading, now: str) -> Facts:
    """The facts after a reading: new ones where there are any, the old ones else, and what is lacking."""
    lacking: dict[str, object] = {"lacking": reading.lacking} if reading.lacking else {}
    if reading.retry_at:
        lacking["retry_at"] = _instant(reading.retry_at)
    if reading.facts is None:
        kept = {name: value for name, value in old.extra.items() if name not in ("lacking", "retry_at")}
        return replace(
            old, fetched=old.fetched or now, extra={**kept, "source": old.source, "tried": now, **lacking}
        )
    extra = {**reading.facts.extra, **lacking}
    if reading.kind is not None:
        extra["kind"] = str(reading.kind)
    if "saved" in old.extra:
        extra["saved"] = old.extra["saved"]
    if reading.moved_to:
        extra["renamed_to"] = reading.moved_to
    return refreshed(old, replace(reading.facts, fetched=now, extra=extra))


def _instant(seconds: int) -> str:
    return spelled(datetime.fromtimestamp(min(seconds, _END), UTC))


def keep_text(
    settings: Settings, wanted: Wanted, facts: Facts, text: str, now: str, *, private: bool
) -> None:
    """Put a page's readable text where it outlives the page."""
    title = facts.title or wanted.url
    page = Saved(
        key=wanted.key,
        url=urls.safe_display(wanted.url),
        title=title,
        fetched=now,
        text=text,
        abstract=facts.description or "",
        published=facts.published,
    )
    before = saved.find((settings.saved, settings.private_saved), wanted.key)
    if before is not None and replace(before, fetched=now) == page:
        return  # the date is that of the text: it is not new only because it was asked for again
    saved.write(settings.private_saved if private else settings.saved, page)
