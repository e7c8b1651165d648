"""Canonical form, dedupe key and kind of a URL. Pure text: nothing here asks the network.

The href as written stays with each mention; the key beside it says which mentions mean the same
page. It merges only spellings that cannot mean two pages. Whether http and https, `www.` or a
trailing slash differ is for evidence (a redirect, a canonical link) to say, not for the address.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from kb.model.kinds import LinkKind
from kb.model.links import Key
from kb.urls.tables import (
    ANCHOR_WORDS,
    IDENTITIES,
    KINDS,
    MOBILE_HOSTS,
    TRACKING,
    TRACKING_BY_HOST,
    TRACKING_PREFIXES,
)

# -- reading an address --------------------------------------------------------------------------

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?!\s)")
_WEB: Final = re.compile(
    r"(?P<scheme>https?)://(?:(?P<user>[^/?#]*)@)?(?P<host>\[[^\]/?#@]*\]|[^:/?#@\[\]]*)(?::(?P<port>\d*))?"
    r"(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?\Z",
    re.IGNORECASE | re.DOTALL,
)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_DOTS: Final = str.maketrans(dict.fromkeys("\u3002\uff0e\uff61", "."))
_FORBIDDEN_IN_HOST: Final = re.compile(r"[\x00-\x20#%/:<>?@\[\\\]^|\x7f]")
_IPV6: Final = re.compile(r"\[[0-9A-Fa-f:.]+\]\Z")
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_BLANKS: Final = "".join(map(chr, range(33))) + "\u00a0\ufeff"
_BREAKS: Final = re.compile(r"[\t\n\r]")
_LOGIN: Final = re.compile(r"(\A\s*[A-Za-z][A-Za-z0-9+.-]*:[/\\]{2})[^/\\?#]*@")
_ESCAPES: Final = re.compile(r"%([0-9A-Fa-f]{2})|(%)|([^\x21-\x7e]|[\"<>\\^`{|}])")


# What most addresses are: nothing in them that has a second spelling, but for a mobile host's name.
_PLAIN: Final = re.compile(r"(https?)://([a-z0-9.-]+)(/[A-Za-z0-9_~!$&'()*+,;=:@./-]*)?\Z")
_PLAIN_HOST: Final = re.compile(r"(?:[a-z0-9-]+\.)+[a-z0-9-]+\Z")


def _any(patterns: Iterable[re.Pattern[str]], flags: int = 0) -> re.Pattern[str]:
    """What one of these matches: asked first, since most addresses match none."""
    return re.compile("|".join(f"(?:{pattern.pattern})" for pattern in patterns), flags)


_MOBILE_HOST: Final = _any(pattern for pattern, _ in MOBILE_HOSTS)
_ANY_KIND: Final = _any(row.address for row in KINDS)
_ANY_WORD: Final = _any((words for _, words in ANCHOR_WORDS), re.IGNORECASE)
# One letter after another is asked much faster without "ignore case" and boundaries.
_LIKE_ANY_WORD: Final = re.compile(
    "paper|preprint|channel|video|screencast|repo|source|encyclop|blog|newsletter"
)
_IDENTITIES_OF: Final = {
    host: tuple(row for row in IDENTITIES if host in row.hosts) for one in IDENTITIES for host in one.hosts
}


class _Parts(NamedTuple):
    scheme: str
    user: str | None
    host: str
    port: int | None
    path: str
    query: str
    fragment: str

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}" + (f":{self.port}" if self.port is not None else "")


def _clean(url: str) -> str:
    """The URL as a browser reads it: outer white space and inner line breaks mean nothing."""
    url = url.strip(_BLANKS)
    return _BREAKS.sub("", url) if _BREAKS.search(url) else url


@lru_cache(maxsize=1024)  # one address is asked about many times on its way
def _split(url: str) -> _Parts | None:
    """The parts of an http(s) URL with a host, path and query as written; None for all others."""
    url = _clean(url)
    if "\\" in url:
        head, mark, tail = re.match(r"([^?#]*)([?#]?)(.*)", url, re.DOTALL).groups()  # type: ignore[union-attr]
        url = head.replace("\\", "/") + mark + tail
    match = _WEB.match(url)
    if match is None:
        return None
    host = _host(match["host"])
    port = int(match["port"][-9:]) if match["port"] else None
    if not host or (port is not None and not 0 < port < 65536):
        return None
    scheme = match["scheme"].lower()
    return _Parts(
        scheme,
        match["user"],
        host,
        None if port == _DEFAULT_PORTS[scheme] else port,
        match["path"] or "/",
        match["query"] or "",
        match["fragment"] or "",
    )


def _host(text: str) -> str:
    """A host in the form that travels: lower case, punycode; '' where it cannot be one.

    Labels beyond ASCII are mapped as browsers do (UTS 46, non-transitional: the sharp s stays).
    """
    if text.startswith("["):
        return text.lower() if _IPV6.match(text) else ""
    if "%" in text:
        text = re.sub(
            r"(?:%[0-9A-Fa-f]{2})+",
            lambda run: bytes.fromhex(run[0].replace("%", "")).decode("utf-8", "replace"),
            text,
        )
    if not text.isascii():
        text = unicodedata.normalize("NFKC", "".join(char.lower() for char in text)).translate(_DOTS)
        text = unicodedata.normalize("NFKC", "".join(char.lower() for char in text))
        try:
            text = ".".join(
                label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
                for label in text.split(".")
            )
        except (UnicodeError, OverflowError):
            return ""
    text = text.lower()
    labels = text.removesuffix(".").split(".")
    return "" if _FORBIDDEN_IN_HOST.search(text) or "" in labels else text


def _escape(text: str, *, decode: bool) -> str:
    """Percent-encode what may not stand in a URL; with `decode`, one spelling for what may.

    Hex digits become upper case and escaped unreserved characters stand for themselves, which
    no server can tell apart (RFC 3986, 6.2.2); all other escapes stay as they are.
    """

    if _ESCAPES.search(text) is None:
        return text

    def one(match: re.Match[str]) -> str:
        digits, stray, char = match.groups()
        if digits is not None:
            byte = int(digits, 16)
            if not decode:
                return match[0]
            return chr(byte) if byte in _UNRESERVED else f"%{byte:02X}"
        if stray is not None:
            return "%25"
        return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))

    return _ESCAPES.sub(one, text)


def _without_dots(path: str) -> str:
    """RFC 3986, 5.2.4: `/a/./b/../c` is `/a/c`."""
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _without_tracking(query: str, host: str) -> str:
    """Drop tracking parameters; every other byte of the query, and its order, stays."""
    if not query:
        return ""
    own = [names for site, names in TRACKING_BY_HOST.items() if host == site or host.endswith("." + site)]

    def tracks(parameter: str) -> bool:
        name = parameter.partition("=")[0].lower()
        return name in TRACKING or name.startswith(TRACKING_PREFIXES) or any(name in names for names in own)

    return "&".join(parameter for parameter in query.split("&") if not tracks(parameter))


def _is_route(fragment: str) -> bool:
    """`#!` and `#/` name a page that a script shows: they are no place within one page."""
    return fragment.startswith(("!", "/"))


@lru_cache(maxsize=1024)
def _desktop(host: str) -> str:
    """The host that a mobile one stands for, any other as it is; '' where it is not of the plain kind."""
    if not _PLAIN_HOST.match(host):
        return ""
    if _MOBILE_HOST.match(host):
        for pattern, target in MOBILE_HOSTS:
            if pattern.match(host):
                host = pattern.sub(target, host)
    return host


def _plain(url: str) -> tuple[str, str, str] | None:
    """Scheme, host and path of an address that is nothing but these, in the one spelling there is."""
    match = _PLAIN.match(url)
    if match is None or "/." in url:
        return None
    scheme, host, path = match.groups()
    host = _desktop(host)
    return (scheme, host, path or "/") if host else None


# Key, kind and host of one address are asked one after the other; of those under way, again at the end.
@lru_cache(maxsize=1024)
def _normal(url: str) -> _Parts | None:
    """Canonical parts; None where the URL is not of the web."""
    plain = _plain(url)
    if plain is not None:
        scheme, host, path = plain
        return _Parts(scheme, None, host, None, path, "", "")
    parts = _split(url)
    if parts is None:
        return None
    host = parts.host if parts.host.startswith("[") else parts.host.removesuffix(".")
    host = _desktop(host) or host
    return _Parts(
        parts.scheme,
        None,
        host,
        parts.port,
        _without_dots(_escape(parts.path, decode=True)),
        _without_tracking(_escape(parts.query, decode=True), host) if parts.query else "",
        _escape(parts.fragment, decode=True) if parts.fragment else "",
    )


# -- what the rooms use ----------------------------------------------------------------------------


def _address(parts: _Parts) -> str:
    if parts.port is None and not parts.query and not parts.fragment:
        return f"{parts.scheme}://{parts.host}{parts.path}"
    query = f"?{parts.query}" if parts.query else ""
    route = f"#{parts.fragment}" if _is_route(parts.fragment) else ""
    return f"{parts.origin}{parts.path}{query}{route}"


def canonical(url: str) -> str:
    """Absolute URL in one spelling, without credentials, tracking and fragment; routes stay.

    What is no http(s) URL comes back stripped. Idempotent; never raises.
    """
    parts = _normal(url)
    return _address(parts) if parts else _clean(url)


def key(url: str) -> Key:
    """The dedupe key of a URL and its fragment. Never raises.

    `arxiv:`, `doi:`, `hn:`, `yt:` and `gh:` where a site names its pages, else the canonical
    URL. A relative address or one of another scheme is its own key.
    """
    parts = _normal(url)
    if parts is None:
        return Key(_clean(url))
    rows = _IDENTITIES_OF.get(parts.host)
    if rows is None and not parts.fragment:
        return Key(_address(parts))
    fragment = "" if _is_route(parts.fragment) else parts.fragment
    for row in rows or () if parts.port is None else ():
        path, query = row.path.match(parts.path), row.query.match(parts.query)
        if path and query:
            return Key(row.key(path, query), fragment)
    return Key(_address(parts), fragment)


def may_be_same(one: str, other: str) -> bool:
    """Whether two URLs differ at most by http/https, `www.` and a trailing slash.

    Not enough to merge them; enough once a redirect or a canonical link says that they are one.
    """
    return _loose(one) == _loose(other)


def _loose(url: str) -> str:
    address, hash, route = canonical(url).partition("#")
    path, mark, query = address.partition("?")
    path = re.sub(r"\Ahttps?://(?:www\.)?", "//", path).rstrip("/")
    return path + mark + query + hash + route


def is_web(url: str) -> bool:
    """Whether it is http or https, with a host and a port that can be."""
    return _split(url) is not None


def scheme(url: str) -> str:
    """Lower-case scheme, '' for a relative address."""
    match = _SCHEME.match(_clean(url))
    return match[1].lower() if match else ""


def host(url: str) -> str:
    """Lower-case punycoded host without `www.` and port; '' where there is none."""
    parts = _normal(url)
    return parts.host.removeprefix("www.") if parts else ""


def origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, punycoded host as written (brackets around IPv6) and port; None if it is not of the web."""
    parts = _split(url)
    return (parts.scheme, parts.host, parts.port or _DEFAULT_PORTS[parts.scheme]) if parts else None


def fetch_url(url: str) -> str:
    """What to request: as written, but escaped, punycoded, and without fragment and credentials.

    What is no http(s) URL comes back stripped.
    """
    parts = _split(url)
    if parts is None:
        return _clean(url)
    query = f"?{_escape(parts.query, decode=False)}" if parts.query else ""
    return f"{parts.origin}{_without_dots(_escape(parts.path, decode=False))}{query}"


def credentials(url: str) -> tuple[str, str] | None:
    """User name and password written into a URL, unescaped; None where there are none."""
    parts = _split(url)
    if parts is None or not parts.user:
        return None
    name, _, password = parts.user.partition(":")
    return _unescape(name), _unescape(password)


def _unescape(text: str) -> str:
    return re.sub(
        r"(?:%[0-9A-Fa-f]{2})+",
        lambda run: bytes.fromhex(run[0].replace("%", "")).decode("utf-8", "replace"),
        text,
    )


def safe_display(url: str) -> str:
    """The URL with any user name and password taken out, for reports and logs."""
    shown = _LOGIN.sub(r"\1", url)
    # Blanks and breaks that a browser passes over may hide where it begins.
    return shown if credentials(shown) is None else _LOGIN.sub(r"\1", _clean(url))


def link_kind(url: str, anchor: str = "") -> LinkKind:
    """What a link leads to, by its address, then its anchor's words. Never raises."""
    parts = _normal(url)
    if parts is None:
        other = bool(scheme(url)) or _clean(url).startswith("//")
        return LinkKind.OTHER if other else LinkKind.INTERNAL
    address = parts.host.removeprefix("www.") + parts.path + (f"?{parts.query}" if parts.query else "")
    return _kind_of(address, anchor)


def _kind_of(address: str, anchor: str) -> LinkKind:
    if _ANY_KIND.match(address):
        for row in KINDS:
            if row.address.match(address) and (row.anchor is None or row.anchor.search(anchor)):
                return row.kind
    if (not anchor.isascii() or _LIKE_ANY_WORD.search(anchor.lower())) and _ANY_WORD.search(anchor):
        for kind, words in ANCHOR_WORDS:
            if words.search(anchor):
                return kind
    return LinkKind.OTHER


def identify(url: str, anchor: str = "") -> tuple[Key, LinkKind, str]:
    """`key`, `link_kind` and `host` of one address at once, for the many that a sync reads."""
    plain = _plain(url)
    if plain is None or plain[1] in _IDENTITIES_OF:
        return key(url), link_kind(url, anchor), host(url)
    scheme, site, path = plain
    bare = site.removeprefix("www.")
    return Key(f"{scheme}://{site}{path}"), _kind_of(bare + path, anchor), bare
