"""Links of which one look can tell nothing: walls, faults on the way, servers out of order."""

from __future__ import annotations

from tests import servers
from tests.servers import Handler
from tests.ways.base import (
    WAYS,
    K,
    Route,
    U,
    Way,
    article,
    enter,
    everything,
    html,
    unknowable,
    way,
)

# -- unknowable ------------------------------------------------------------------------------------


def _answers(code: int, body: bytes = b"", **headers: str) -> Route:
    return lambda handler, rest: handler.answer(code, body, **headers)


for code, verdict in (
    (401, K),
    (402, K),
    (403, K),
    (407, K),
    (451, K),
    (999, K),
    (400, U),
    (500, U),
    (502, U),
    (520, U),
):
    enter(unknowable, verdict, f"always-{code}", _answers(code))
enter(unknowable, K, "too-many-429", _answers(429, Retry_After="3600"))
enter(unknowable, K, "down-503", _answers(503, Retry_After="7200"))
_MOMENT = html("Just a moment...", "<p>Checking your browser</p>")
enter(unknowable, K, "challenge-403", _answers(403, _MOMENT, cf_mitigated="challenge"))
enter(unknowable, K, "challenge-by-header", _answers(200, article("x"), cf_mitigated="challenge"))
enter(unknowable, K, "challenge-200", _answers(200, _MOMENT))
enter(unknowable, K, "challenge-202", _answers(202, b"", x_amzn_waf_action="challenge"))
enter(
    unknowable,
    K,
    "captcha",
    _answers(200, html("acme.example", "<p>Press and hold</p><div id=px-captcha></div>")),
)
enter(unknowable, K, "robot-check", _answers(200, html("Robot Check", "<p>Type the letters you see</p>")))
enter(
    unknowable, U, "out-of-order-200", _answers(200, html("Site under maintenance", "<p>Back at noon.</p>"))
)
enter(
    unknowable,
    K,
    "sign-in-for-any-path",
    everything(lambda rest: html("Acme", "<p>Sign in with your work account to go on</p>")),
)
_DOOR = html("Log in - Acme", "<form>Name <input name=u> Word <input type=password name=p></form>")
enter(unknowable, K, "login-page-instead", _answers(200, _DOOR))


def _to_a_door(place: str) -> Route:
    def route(handler: Handler, rest: str) -> None:
        if rest.startswith(place.partition("?")[0]):
            handler.answer(body=_DOOR if "log" in place else html("Your privacy", "<button>Accept</button>"))
        else:
            handler.redirect(f"{handler.base}/{place}", 302)

    return route


enter(unknowable, K, "redirect-to-login", _to_a_door("login?next=/p1"))
enter(unknowable, K, "consent-that-leads-nowhere", _to_a_door("consent?continue=/p1"))


@way(unknowable, K)
def cookie_circle(handler: Handler, rest: str) -> None:
    handler.redirect(f"{handler.base}/{rest}", 302, Set_Cookie=f"seen={handler.visits}")


@way(unknowable, U)
def reset(handler: Handler, rest: str) -> None:
    handler.reset()


@way(unknowable, U)
def empty_answer(handler: Handler, rest: str) -> None:
    handler.close_connection = True


@way(unknowable, U)
def not_http(handler: Handler, rest: str) -> None:
    servers.not_http(handler, rest)


@way(unknowable, U, slow=True)
def never_answers(handler: Handler, rest: str) -> None:
    handler.close_connection = True
    handler.server.closing.wait(12)


@way(unknowable, U, slow=True)
def redirect_to_what_never_answers(handler: Handler, rest: str) -> None:
    handler.redirect(f"/never-answers/{rest}", 302)


WAYS["refused"] = Way("refused", unknowable, U, None)
for fault in ("self-signed", "expired", "wrong-host", "not-tls"):
    WAYS[fault] = Way(fault, unknowable, U, None, tls=fault)
