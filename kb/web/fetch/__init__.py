"""Asking the network for one link: the connections, the resolver, the limits."""

from kb.web.fetch.addresses import NameNotFound, ResolveFailed, Resolver, SystemResolver, is_private
from kb.web.fetch.fetcher import USER_AGENT, Asker, Fetcher, HttpFetcher, Limits
from kb.web.outcome import Failure, Hop, Outcome

__all__ = [
    "USER_AGENT",
    "Asker",
    "Failure",
    "Fetcher",
    "Hop",
    "HttpFetcher",
    "Limits",
    "NameNotFound",
    "Outcome",
    "ResolveFailed",
    "Resolver",
    "SystemResolver",
    "is_private",
]
