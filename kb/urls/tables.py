"""What is peculiar to a site, as rows: tracking, mobile hosts, names of pages, kinds of links."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kb.model.kinds import LinkKind


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TRACKING_PREFIXES: Final = ("utm_", "pk_", "mtm_", "hsa_", "vero_", "oly_")
TRACKING: Final = _words(
    """
    _ga _gl _hsenc _hsmi __hssc __hstc __hsfp __s ck_subscriber_id dclid epik fb_action_ids fb_action_types
    fb_ref fb_source fbclid gad_source gbraid gclid gclsrc hsctatracking igsh igshid mc_cid mc_eid mkt_tok
    ml_subscriber ml_subscriber_hash msclkid oft_c oft_ck oft_d oft_id oft_k oft_lk oft_sk rb_clickid ref_src
    ref_url s_cid s_kwcid spm srsltid ttclid twclid vgo_ee wbraid wickedid xtor yclid ysclid
    """
)
TRACKING_BY_HOST: Final[dict[str, frozenset[str]]] = {
    "twitter.com": _words("s t"),
    "x.com": _words("s t"),
    "medium.com": _words("source"),
    "substack.com": _words("s r triedredirect showwelcomeonshare"),
    "reddit.com": _words("share_id rdt"),
    "open.spotify.com": _words("si nd"),
    "youtube.com": _words("si feature pp ab_channel"),
    "linkedin.com": _words("trk trackingid originalsubdomain"),
}
"""Parameters that are tracking on one site (and hosts below it) and may mean a page elsewhere."""

MOBILE_HOSTS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern + r"\Z"), host)
    for pattern, host in (
        (r"([a-z-]+)\.m\.(wikipedia|wiktionary|wikibooks|wikiquote|wikisource)\.org", r"\1.\2.org"),
        (r"m\.wikidata\.org", "www.wikidata.org"),
        (r"m\.youtube\.com", "www.youtube.com"),
        (r"mobile\.twitter\.com", "twitter.com"),
        (r"mobile\.x\.com", "x.com"),
        (r"m\.facebook\.com", "www.facebook.com"),
        (r"m\.imdb\.com", "www.imdb.com"),
    )
)

_ARXIV_HOSTS: Final = _words(
    "arxiv.org www.arxiv.org export.arxiv.org de.arxiv.org lanl.arxiv.org browse.arxiv.org xxx.lanl.gov "
    "ar5iv.org ar5iv.labs.arxiv.org"
)
_ARXIV_ID: Final = r"(?:(?P<new>\d{4}\.\d{4,5})|(?P<area>[a-z-]+)(?:\.[A-Za-z]{2})?/(?P<old>\d{7}))(?:v\d+)?"
_YOUTUBE_HOSTS: Final = _words("youtube.com www.youtube.com music.youtube.com www.youtube-nocookie.com")
_DOI_HOSTS: Final = _words("doi.org dx.doi.org www.doi.org")
_YOUTUBE_ID: Final = r"(?P<id>(?!videoseries\b|live_stream\b)[A-Za-z0-9_-]{11})"
# First path segments of github.com that are no account.
_GITHUB_OWN: Final = "|".join(
    _words(
        """
        about account apps blog codespaces collections contact customer-stories dashboard enterprise events
        explore features issues login marketplace new notifications orgs organizations pricing pulls readme
        resources search security sessions settings signup site solutions sponsors stars team topics trending
        users
        """
    )
)


@dataclass(frozen=True, slots=True)
class Identity:
    """One site's way to name a page: where it applies, and the key it makes.

    `query` must match the whole query that is left once tracking is dropped.
    """

    hosts: frozenset[str]
    path: re.Pattern[str]
    query: re.Pattern[str]
    key: Callable[[re.Match[str], re.Match[str]], str]


def _identity(
    hosts: frozenset[str], path: str, key: Callable[[re.Match[str], re.Match[str]], str], query: str = r".*"
) -> Identity:
    return Identity(hosts, re.compile(path + r"\Z"), re.compile(query + r"\Z", re.DOTALL), key)


def _arxiv(match: re.Match[str], _: re.Match[str]) -> str:
    return f"arxiv:{match['new'] or match['area'] + '/' + match['old']}"


IDENTITIES: Final[tuple[Identity, ...]] = (
    _identity(_ARXIV_HOSTS, rf"/(?:abs|pdf|html|format|ps)/{_ARXIV_ID}(?:\.pdf)?/?", _arxiv),
    _identity(_DOI_HOSTS, rf"/10\.48550/(?i:arxiv)\.{_ARXIV_ID}", _arxiv, query=""),
    _identity(
        _DOI_HOSTS,
        r"/(10\.\d{4,9}/.+)",
        lambda path, _: f"doi:{path[1].lower()}",
        query="",
    ),
    _identity(
        _words("news.ycombinator.com"),
        r"/item",
        lambda _, query: f"hn:{int(query[1])}",
        query=r"id=(\d{1,12})",
    ),
    _identity(
        _YOUTUBE_HOSTS,
        r"/watch/?",
        lambda _, query: f"yt:{query['id']}",
        query=rf"(?:.*&)?v={_YOUTUBE_ID}(?:&.*)?",
    ),
    _identity(
        _YOUTUBE_HOSTS, rf"/(?:shorts|embed|live|v)/{_YOUTUBE_ID}/?", lambda path, _: f"yt:{path['id']}"
    ),
    _identity(_words("youtu.be"), rf"/{_YOUTUBE_ID}/?", lambda path, _: f"yt:{path['id']}"),
    _identity(
        _words("github.com www.github.com"),
        rf"/(?!(?:{_GITHUB_OWN})/)([A-Za-z0-9][A-Za-z0-9-]*)/([A-Za-z0-9._-]+?)(?:\.git)?/?",
        lambda path, _: f"gh:{path[1]}/{path[2]}".lower(),
        query=r"(?:tab=readme[a-z-]*)?",
    ),
)


@dataclass(frozen=True, slots=True)
class KindRow:
    """A kind of link by its address: a pattern over `host/path?query`, tracking dropped, no `www.`."""

    kind: LinkKind
    address: re.Pattern[str]
    anchor: re.Pattern[str] | None = None


def _kind(kind: LinkKind, address: str, anchor: str | None = None) -> KindRow:
    return KindRow(kind, re.compile(address), re.compile(anchor, re.IGNORECASE) if anchor else None)


KINDS: Final[tuple[KindRow, ...]] = (
    _kind(LinkKind.HN_COMMENT, r"news\.ycombinator\.com/item\?", r"\bcomment"),
    _kind(LinkKind.HN_THREAD, r"news\.ycombinator\.com/item\?"),
    _kind(LinkKind.HN_USER, r"news\.ycombinator\.com/(?:user|submitted|threads)\?"),
    _kind(
        LinkKind.PAPER,
        r"(?:[a-z.]*\.)?arxiv\.org/(?:abs|pdf|html|format|ps)/|ar5iv\.|xxx\.lanl\.gov/|(?:dx\.)?doi\.org/10\.|"
        r"openreview\.net/(?:forum|pdf)|aclanthology\.org/|aclweb\.org/anthology|proceedings\.mlr\.press/|"
        r"(?:papers|proceedings)\.n(?:eur)?ips\.cc/|semanticscholar\.org/paper/|(?:bio|med)rxiv\.org/content/|"
        r"huggingface\.co/papers/|paperswithcode\.com/paper/|dl\.acm\.org/doi/|ieeexplore\.ieee\.org/document/|"
        r"jmlr\.org/papers/|openaccess\.thecvf\.com/|papers\.ssrn\.com/|pubmed\.ncbi\.nlm\.nih\.gov/\d|"
        r"nature\.com/articles/|[^?]*\.pdf(?:\?|\Z)",
    ),
    _kind(
        LinkKind.REPO,
        rf"github\.com/(?!(?:{_GITHUB_OWN})/)[^/?]+/[^/?]+(?:/tree/[^?]*)?/?(?:\?tab=readme.*)?\Z|"
        r"(?:gitlab\.com|codeberg\.org|bitbucket\.org|git\.sr\.ht)/[^/?]+/[^/?]+/?\Z",
    ),
    _kind(
        LinkKind.VIDEO,
        r"(?:[a-z]+\.)?youtube(?:-nocookie)?\.com/(?:watch\b|shorts/|live/|embed/|v/)|youtu\.be/|"
        r"(?:player\.)?vimeo\.com/(?:video/)?\d",
    ),
    _kind(LinkKind.CHANNEL, r"(?:[a-z]+\.)?youtube\.com/(?:@|channel/|c/|user/)|twitch\.tv/[^/?]+/?\Z"),
    _kind(
        LinkKind.ENCYCLOPEDIA,
        r"(?:[a-z-]+\.)?(?:wikipedia|wiktionary|wikidata|scholarpedia|encyclopediaofmath)\.org/|"
        r"britannica\.com/|plato\.stanford\.edu/entries/|mathworld\.wolfram\.com/|ncatlab\.org/nlab/",
    ),
    _kind(
        LinkKind.BLOG,
        r"(?:[a-z0-9-]+\.)*(?:substack|medium|wordpress|blogspot|tumblr|hashnode|bearblog|livejournal)\."
        r"(?:com|dev)/|dev\.to/|lesswrong\.com/posts/|(?:[a-z0-9-]+\.)*blogs?\.|[^?]*/blogs?(?:/|\Z)",
    ),
)

# Where the address says nothing, the person's own words may.
ANCHOR_WORDS: Final[tuple[tuple[LinkKind, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(rf"\b(?:{words})\b", re.IGNORECASE))
    for kind, words in (
        (LinkKind.PAPER, "papers?|preprint|whitepaper"),
        (LinkKind.CHANNEL, "channel"),
        (LinkKind.VIDEO, "videos?|screencast"),
        (LinkKind.REPO, "repo|repository|source code"),
        (LinkKind.ENCYCLOPEDIA, "encyclop(?:a)?edia"),
        (LinkKind.BLOG, "blog|blog ?posts?|newsletter"),
    )
)
