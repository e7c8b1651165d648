"""Canonical form, dedupe key and kind of a URL."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kb import urls
from kb.model import Key, LinkKind

SAME_PAGE = [
    (
        "arxiv:2305.14314",
        [
            "https://arxiv.org/abs/2305.14314",
            "http://arxiv.org/abs/2305.14314v2",
            "https://arxiv.org/pdf/2305.14314",
            "https://arxiv.org/pdf/2305.14314v2",
            "https://www.arxiv.org/pdf/2305.14314v1.pdf",
            "https://arxiv.org/html/2305.14314v3",
            "https://export.arxiv.org/abs/2305.14314?context=cs",
            "https://ar5iv.labs.arxiv.org/html/2305.14314",
            "https://doi.org/10.48550/arXiv.2305.14314",
        ],
    ),
    (
        "arxiv:hep-th/9901001",
        [
            "https://arxiv.org/abs/hep-th/9901001",
            "https://arxiv.org/pdf/hep-th/9901001v3",
            "https://arxiv.org/pdf/hep-th/9901001.pdf",
        ],
    ),
    ("arxiv:math/0309136", ["https://arxiv.org/abs/math.GT/0309136", "https://arxiv.org/abs/math/0309136"]),
    (
        "yt:kCc8FmEb1nY",
        [
            "https://www.youtube.com/watch?v=kCc8FmEb1nY&t=13s",
            "https://youtube.com/watch?list=PLx&v=kCc8FmEb1nY",
            "https://youtu.be/kCc8FmEb1nY?si=abc",
            "https://m.youtube.com/watch?v=kCc8FmEb1nY",
            "https://music.youtube.com/watch?v=kCc8FmEb1nY",
            "https://www.youtube.com/shorts/kCc8FmEb1nY",
            "https://www.youtube.com/live/kCc8FmEb1nY?feature=share",
            "https://www.youtube.com/embed/kCc8FmEb1nY",
            "https://www.youtube-nocookie.com/embed/kCc8FmEb1nY",
        ],
    ),
    (
        "hn:37091586",
        [
            "https://news.ycombinator.com/item?id=37091586",
            "http://news.ycombinator.com/item?id=37091586&utm_source=x",
        ],
    ),
    (
        "doi:10.1145/3292500.3330701",
        ["https://doi.org/10.1145/3292500.3330701", "http://dx.doi.org/10.1145/3292500.3330701"],
    ),
    ("doi:10.1002/abc", ["https://doi.org/10.1002/ABC", "https://doi.org/10.1002/abc"]),
    (
        "gh:ggerganov/whisper.cpp",
        [
            "https://github.com/ggerganov/whisper.cpp",
            "https://github.com/GGerganov/Whisper.cpp/",
            "https://github.com/ggerganov/whisper.cpp.git",
            "https://www.github.com/ggerganov/whisper.cpp?tab=readme-ov-file",
        ],
    ),
    (
        "https://example.com/",
        [
            "https://example.com",
            "HTTPS://EXAMPLE.com:443/",
            "https://example.com?",
            "https://example.com/?utm_source=hn",
        ],
    ),
    (
        "https://example.com/a?id=1",
        ["https://example.com/a?utm_source=x&id=1&fbclid=y", "https://example.com/a?id=1&gclid="],
    ),
    ("https://xn--bcher-kva.example/%C3%A9", ["https://bücher.example/é", "https://BÜCHER.example/%c3%a9"]),
    (
        "https://en.wikipedia.org/wiki/LLaMA",
        ["https://en.m.wikipedia.org/wiki/LLaMA", "https://en.wikipedia.org/wiki/LL%61MA"],
    ),
    (
        "https://example.com/b",
        ["https://example.com/a/../b", "https://example.com/./b", " https://example.com/b\n"],
    ),
    ("https://example.com/c", ["https://user:secret@example.com/c", "https://example.com/c"]),
]

DIFFERENT_PAGES = [
    ("https://example.com/?id=1", "https://example.com/?id=2"),
    ("https://example.com/a%2Fb", "https://example.com/a/b"),
    ("https://example.com/a+b", "https://example.com/a%20b"),
    ("https://example.com/app#!/one", "https://example.com/app#!/two"),
    ("https://example.com/app#/one", "https://example.com/app"),
    ("https://example.com/a", "https://example.com/a/"),
    ("https://example.com/a", "https://www.example.com/a"),
    ("https://example.com/a", "http://example.com/a"),
    ("https://example.com/A", "https://example.com/a"),
    ("https://example.com/?a=1&b=2", "https://example.com/?b=2&a=1"),
    ("https://example.com:8443/", "https://example.com/"),
    ("https://example.com/?q=a&q=", "https://example.com/?q=a"),
    ("https://example.com/?s=20", "https://example.com/"),
    ("https://straße.example/", "https://strasse.example/"),
    ("https://github.com/owner/repo", "https://github.com/owner/repo/issues/1"),
    ("https://github.com/owner/repo", "https://github.com/owner/repo?tab=security"),
    ("https://github.com/topics/rag", "gh:topics/rag"),
    ("https://news.ycombinator.com/item?id=1&p=2", "https://news.ycombinator.com/item?id=1"),
    ("https://www.youtube.com/embed/videoseries?list=A", "https://www.youtube.com/embed/videoseries?list=B"),
    ("https://arxiv.org/abs/2305.14314", "https://arxiv.org/abs/2305.14315"),
    ("https://arxiv.org:8080/abs/2305.14314", "https://arxiv.org/abs/2305.14314"),
]


@pytest.mark.parametrize(("expected", "url"), [(key, url) for key, spelled in SAME_PAGE for url in spelled])
def test_spellings_of_one_page_share_a_key(expected: str, url: str) -> None:
    assert urls.key(url).key == expected


@pytest.mark.parametrize(("one", "other"), DIFFERENT_PAGES)
def test_addresses_that_may_be_two_pages_keep_two_keys(one: str, other: str) -> None:
    assert urls.key(one) != urls.key(other)


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://example.com/a#part", Key("https://example.com/a", "part")),
        ("https://example.com/a#", Key("https://example.com/a")),
        ("https://news.ycombinator.com/item?id=37090632#37091586", Key("hn:37090632", "37091586")),
        ("https://arxiv.org/html/2305.14314#S3", Key("arxiv:2305.14314", "S3")),
        ("https://example.com/app#/route", Key("https://example.com/app#/route")),
        ("https://news.ycombinator.com/user?id=jawerty", Key("https://news.ycombinator.com/user?id=jawerty")),
        ("../papers/qlora.md", Key("../papers/qlora.md")),
        ("mailto:someone@example.com", Key("mailto:someone@example.com")),
        ("http://[not-an-address/", Key("http://[not-an-address/")),
        ("https://example.com:99999/", Key("https://example.com:99999/")),
    ],
)
def test_the_fragment_stands_beside_the_key_and_routes_within_it(url: str, key: Key) -> None:
    assert urls.key(url) == key


def test_the_rest_of_a_query_keeps_its_bytes_and_order_when_tracking_goes() -> None:
    url = "https://example.com/?b=%2F+x&utm_medium=y&&a=;c&flag&B=2"
    assert urls.canonical(url) == "https://example.com/?b=%2F+x&&a=;c&flag&B=2"


@pytest.mark.parametrize(
    ("url", "anchor", "kind"),
    [
        ("https://arxiv.org/abs/2305.14314", "", LinkKind.PAPER),
        ("https://example.com/some.pdf", "", LinkKind.PAPER),
        ("https://openreview.net/forum?id=x", "", LinkKind.PAPER),
        ("https://example.com/x", "the QLoRA paper", LinkKind.PAPER),
        ("https://news.ycombinator.com/item?id=37090632", "HN thread", LinkKind.HN_THREAD),
        ("https://news.ycombinator.com/item?id=37091586", "HN comment", LinkKind.HN_COMMENT),
        ("https://news.ycombinator.com/item?id=37091586", "", LinkKind.HN_THREAD),
        ("https://news.ycombinator.com/user?id=jawerty", "", LinkKind.HN_USER),
        ("https://github.com/ggerganov/whisper.cpp", "", LinkKind.REPO),
        ("https://github.com/ggerganov/whisper.cpp/issues/5", "", LinkKind.OTHER),
        ("https://github.com/topics/rag", "", LinkKind.OTHER),
        ("https://www.youtube.com/watch?v=kCc8FmEb1nY&t=13s", "", LinkKind.VIDEO),
        ("https://youtu.be/kCc8FmEb1nY", "", LinkKind.VIDEO),
        ("https://www.youtube.com/@AndrejKarpathy", "", LinkKind.CHANNEL),
        ("https://en.wikipedia.org/wiki/LLaMA", "", LinkKind.ENCYCLOPEDIA),
        ("https://zzbbyy.substack.com/p/why", "", LinkKind.BLOG),
        ("https://www.anyscale.com/blog/x", "", LinkKind.BLOG),
        ("https://blog.example.com/x", "", LinkKind.BLOG),
        ("https://example.com/x", "their blog post", LinkKind.BLOG),
        ("https://example.com/x", "a comment", LinkKind.OTHER),
        ("https://example.com/x", "videography", LinkKind.OTHER),
        ("../other.md", "", LinkKind.INTERNAL),
        ("#heading", "", LinkKind.INTERNAL),
        ("Some Note: part two", "", LinkKind.INTERNAL),
        ("mailto:someone@example.com", "", LinkKind.OTHER),
        ("//example.com/x", "", LinkKind.OTHER),
    ],
)
def test_a_link_is_told_by_its_address_and_then_by_its_anchor(url: str, anchor: str, kind: LinkKind) -> None:
    assert urls.link_kind(url, anchor) is kind


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://user:secret@Example.com/a b?q=é#part", "https://example.com/a%20b?q=%C3%A9"),
        ("https://example.com/%7euser/a%2fb?utm_source=x", "https://example.com/%7euser/a%2fb?utm_source=x"),
        ("https://bücher.example", "https://xn--bcher-kva.example/"),
        ("https://example.com\\a\\b", "https://example.com/a/b"),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:8000/x"),
        ("http://[::1]:8000/x", "http://[::1]:8000/x"),
        ("notes.md", "notes.md"),
    ],
)
def test_what_is_requested_is_the_address_as_written_made_legal(url: str, asked: str) -> None:
    assert urls.fetch_url(url) == asked


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@example.com/a@b", "https://example.com/a@b"),
        ("ftp://user:p@ss@example.com/", "ftp://example.com/"),
        ("https://example.com/a@b", "https://example.com/a@b"),
        ("https://:secret@[bad", "https://[bad"),
    ],
)
def test_credentials_are_never_shown(url: str, shown: str) -> None:
    assert urls.safe_display(url) == shown


def test_credentials_can_be_had_apart_unescaped() -> None:
    assert urls.credentials("https://me:p%40ss@example.com/") == ("me", "p@ss")
    assert urls.credentials("https://example.com/a@b") is None


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://www.Example.com:8080/x", "example.com"),
        ("https://example.com./", "example.com"),
        ("http://[::1]/", "[::1]"),
        ("notes.md", ""),
        ("https://", ""),
    ],
)
def test_the_host_is_lower_case_and_bare(url: str, host: str) -> None:
    assert urls.host(url) == host


def test_only_http_and_https_with_a_host_are_web() -> None:
    assert urls.is_web("https://example.com")
    assert urls.is_web("HTTP://127.0.0.1:1/")
    for other in (
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:,x",
        "ftp://x.org/",
        "https:///x",
        "x.org",
        "",
    ):
        assert not urls.is_web(other)
    assert urls.scheme("JavaScript:alert(1)") == "javascript"


awkward = st.one_of(
    st.text(),
    st.builds(
        "{}://{}{}{}{}".format,
        st.sampled_from(["http", "https", "HTTP"]),
        st.one_of(
            st.text(max_size=12),
            st.sampled_from(["example.com", "u:p@x.org", "ÉX.org", "a.b:80", "github.com", "youtu.be"]),
        ),
        st.text(alphabet="/.%2eE5aß\\~ é@:", max_size=14),
        st.text(alphabet="?&=utm_sid%4 1#é", max_size=14),
        st.text(alphabet="#!/%2x?", max_size=8),
    ),
)


@given(awkward)
@example("http://x/%%341")
@example("http://x/%2e%2e/a")
@example("http://℀.org/")
@example("http://ex%C3%84mple.com/")
@example("http://xn--/")
@example("http://x/\ud800")
@example("https://m.youtube.com./watch?v=kCc8FmEb1nY")
def test_no_text_makes_it_raise_and_doing_it_twice_changes_nothing(url: str) -> None:
    once = urls.canonical(url)
    assert urls.canonical(once) == once
    assert urls.key(once).key == urls.key(url).key
    asked = urls.fetch_url(url)
    assert urls.fetch_url(asked) == asked
    assert urls.key(asked).key == urls.key(url).key or "#" in url
    assert urls.is_web(once) == urls.is_web(url)
    if urls.is_web(url):
        assert asked.isascii()
        assert " " not in asked
    assert isinstance(urls.link_kind(url, url), LinkKind)
    assert isinstance(urls.safe_display(url) + urls.host(url) + urls.scheme(url), str)


@given(awkward)
def test_a_key_is_its_own_canonical_form(url: str) -> None:
    key = urls.key(url).key
    if urls.is_web(key):
        assert urls.canonical(key) == key


@pytest.mark.parametrize("url", ["\0\0https://me:secret@x.example/", "ht\ntps:/\t/me:secret@x.example/a"])
def test_a_password_behind_what_browsers_pass_over_is_not_shown(url: str) -> None:
    assert urls.credentials(url) == ("me", "secret")
    assert "secret" not in urls.safe_display(url)


@given(
    st.from_regex(
        r"\Ahttps?://(?:www\.|m\.)?[a-z0-9.-]{1,12}(?:/[A-Za-z0-9_~!.$&'()*+,;=:@/-]{0,20})?\Z",
        fullmatch=True,
    ),
    st.sampled_from(["", "the paper", "A Video", "Blog post", "ſource code"]),
)
@example("https://arxiv.org/abs/2305.14314", "")
@example("https://m.youtube.com/watch", "")
@example("https://github.com/a/b", "repo")
@example("http://a.b/c/./d/../e", "")
@example("http://a..b/", "")
def test_the_short_way_of_a_plain_address_is_the_long_one(url: str, anchor: str) -> None:
    # A scheme in capitals is never read the short way.
    long = url.replace("http", "HTTP", 1)
    assert urls.canonical(url) == urls.canonical(long) or not urls.is_web(url)
    assert urls.is_web(url) == urls.is_web(long)
    if urls.is_web(url):
        assert urls.key(url) == urls.key(long)
        assert urls.host(url) == urls.host(long)
        assert urls.link_kind(url, anchor) is urls.link_kind(long, anchor)
    assert urls.identify(url, anchor) == (urls.key(url), urls.link_kind(url, anchor), urls.host(url))


@given(awkward, st.text(max_size=20))
def test_an_address_is_identified_at_once_as_piece_by_piece(url: str, anchor: str) -> None:
    assert urls.identify(url, anchor) == (urls.key(url), urls.link_kind(url, anchor), urls.host(url))
