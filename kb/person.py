"""What the person says of a link: leave it out, or "I looked, it lives"."""

from __future__ import annotations

from datetime import timedelta

from kb import urls
from kb.errors import UsageError
from kb.instants import instant, spelled
from kb.model.links import LinkRecord
from kb.store.store import Store
from kb.values import replace
from kb.web.drift import accept
from kb.web.verdict import revive


def ignore(store: Store, url: str, now: str) -> LinkRecord:
    """Leave a link out of checks from now on. UsageError if no note holds it."""
    record = _held(store, url)
    return _say(store, replace(record, person=replace(record.person, ignored=True)), now)


def vouch(store: Store, url: str, now: str) -> LinkRecord:
    """Take the person's word that a link lives: its strikes are cleared, its title is what it is now.

    UsageError as above.
    """
    record = _held(store, url)
    now = _after(now, record.looks.last_checked)
    looks = revive(record.looks, now)
    facts = accept(record.facts, now)
    store.save_look(record.key, None, looks)
    if facts != record.facts:
        store.save_facts(record.key, facts)
    person = replace(record.person, ignored=False, alive_at=now)
    return _say(store, replace(record, looks=looks, facts=facts, person=person), now)


def _held(store: Store, url: str) -> LinkRecord:
    record = store.link(urls.key(url))
    if record is None or not record.mentions:
        raise UsageError(f"{url}: no note holds that link", hint="kb links   lists them")
    return record


def _say(store: Store, record: LinkRecord, now: str) -> LinkRecord:
    person = replace(record.person, said_at=_after(now, record.person.said_at))
    store.save_person(record.key, person)
    return replace(record, person=person)


def _after(now: str, earlier: str | None) -> str:
    """`now`, or a second after `earlier` where that is later: the ledger keeps the newest word of two."""
    if earlier is None or now > earlier:
        return now
    return spelled(instant(earlier) + timedelta(seconds=1))
