"""Every way in which a link can live, be gone, or not say: a table that tests and benchmarks share.

A way is a handler of the misbehaving server, and what a careful reader may conclude from it.
Pages of a living way differ from one another, and paths that are not among them are honestly
missing, unless the way says otherwise.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from kb.model import Verdict
from tests import servers
from tests.servers import Handler

Route = Callable[[Handler, str], None]


class Life(StrEnum):
    """What is true of a link, whatever a checker says of it."""

    LIVING = "living"
    DEAD = "dead"
    UNKNOWABLE = "unknowable"


A, M, B, K, U = Verdict.ALIVE, Verdict.MOVED, Verdict.BROKEN, Verdict.BLOCKED, Verdict.UNREACHABLE


@dataclass(frozen=True)
class Way:
    """One way: its name, what it means, the verdict of one look, its route and the rest of its address.

    `slow` ways take a whole time-out; `tls` ways need a certificate, named here.
    """

    name: str
    life: Life
    verdict: Verdict
    route: Route | None
    rest: str = "p{n}"
    slow: bool = False
    tls: str = ""

    def path(self, number: int) -> str:
        """The address of its link of that number, below a server."""
        return f"{self.name}/{self.rest}".format(n=number)


WAYS: dict[str, Way] = {}


def way(
    life: Life, verdict: Verdict, *, rest: str = "p{n}", slow: bool = False, name: str = ""
) -> Callable[[Route], Route]:
    """Enter a handler into the table."""

    def enter(route: Route) -> Route:
        called = name or route.__name__.strip("_").replace("_", "-")
        WAYS[called] = Way(called, life, verdict, route, rest, slow)
        return route

    return enter


living, dead, unknowable = Life.LIVING, Life.DEAD, Life.UNKNOWABLE


# -- pages -----------------------------------------------------------------------------------------

_VOCABULARY = """
adapter answer batch bullet cache card chapter choice column cost curve data date depth draft editor
error evening field figure folder garden glossary gradient graph heading history home index journey
kernel kettle lamp layer ledger letter line link list loss margin memory model morning night note
number page paper passage path pencil place plan price quiet range reader recall record river road
room rule sample sentence session shelf sign source speed stage station step stone store story
summer table task text thread title token tower train tree tuning value vector vowel water week
weight window winter word year
"""
_WORDS = _VOCABULARY.split()


def prose(seed: str, count: int = 120) -> str:
    """Words that are the same for one seed and others for another."""
    pick = random.Random(seed)
    return " ".join(pick.choice(_WORDS) for _ in range(count))


def html(title: str, body: str, head: str = "") -> bytes:
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title>{head}</head>"
        f"<body>{body}</body></html>"
    ).encode()


MENU = "<nav>" + " ".join(f"<a href=/s{n}>{word}</a>" for n, word in enumerate(_WORDS[:60])) + "</nav>"


def article(rest: str, title: str = "", extra: str = "", count: int = 120) -> bytes:
    title = title or f"On {prose(rest, 4)}"
    return html(title, f"{MENU}<h1>{title}</h1>{extra}<p>{prose(rest, count)}</p>")


def known(rest: str) -> bool:
    """Whether a path is one of a way's pages; others do not exist."""
    return rest.startswith("p") and rest[1:].isdigit()


def site(make: Callable[[str], bytes]) -> Route:
    """A handler that serves pages, and honest 404s beside them."""

    def route(handler: Handler, rest: str) -> None:
        if known(rest.partition(".")[0]):
            handler.answer(body=make(rest))
        else:
            servers.missing(handler, rest)

    return route


def everything(make: Callable[[str], bytes]) -> Route:
    """A handler that has a page for any path."""
    return lambda handler, rest: handler.answer(body=make(rest))


def enter(life: Life, verdict: Verdict, name: str, route: Route, **more: object) -> None:
    way(life, verdict, name=name, **more)(route)  # type: ignore[arg-type]


def home(handler: Handler, rest: str) -> None:
    handler.answer(
        body=html("The site", f"{MENU}<h1>Welcome</h1><h2 id=about>About</h2><p>{prose('home')}</p>")
    )


PLACED = (
    '<h2 id="plan">Plan</h2><a name="named"></a><h3 id="größe">Größe</h3>'
    "<p>A sentence that is quoted here.</p>"
)
