# ruff: noqa: E501  # a page's head on one line is a table's row
"""Pages of our own making: twelve encodings and more, and the layouts that real sites use, with their titles.

Each is (name, bytes, content type, title that is right).
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator

URL = "https://www.example.org/2024/post"

Fixture = tuple[str, bytes, str | None, str | None]

# -- encodings: (codec, name as a page declares it, a title in a language that uses it, words of a body) -----

WRITTEN = [
    ("utf-8", "UTF-8", "Größe, naïveté & 東京 😀", "Der Schlüssel paßt nicht."),
    ("iso-8859-1", "ISO-8859-1", "Où est la bibliothèque d'été?", "Le garçon a mangé une pêche à côté."),
    ("cp1252", "windows-1252", "“Curly quotes” — and a dash…", "It’s the “small” things — they’re dear."),
    ("iso-8859-2", "ISO-8859-2", "Zażółć gęślą jaźń", "Święty Mikołaj przyjechał późną nocą."),
    ("iso-8859-15", "ISO-8859-15", "Le prix: 30 € l'œuvre", "Cœur et sœur coûtent 5 €."),
    (
        "cp1251",
        "windows-1251",
        "Съешь ещё этих мягких булок",
        "Широкая электрификация южных губерний даст толчок.",
    ),
    ("koi8-r", "KOI8-R", "Эх, чужак! Общий съём цен", "В чащах юга жил бы цитрус, но фальшивый экземпляр."),
    (
        "cp1253",
        "windows-1253",
        "Ξεσκεπάζω την ψυχοφθόρα",
        "Η γρήγορη αλεπού πηδά πάνω από το τεμπέλικο σκυλί.",
    ),
    ("cp1255", "windows-1255", "דג סקרן שט בים מאוכזב", "עטלף אבק נס דרך מזגן שהתפוצץ כי חם."),
    ("cp1256", "windows-1256", "صِف خَلقَ خَودٍ", "نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر."),
    ("shift_jis", "Shift_JIS", "いろはにほへと 散りぬるを", "我が世誰ぞ常ならむ。有為の奥山今日越えて。"),
    ("euc-jp", "EUC-JP", "色は匂へど散りぬるを", "浅き夢見じ酔ひもせず。これは日本語の文章です。"),
    ("gbk", "GB2312", "视野无限广，窗外有蓝天", "这是一个用来测试编码的中文网页，内容很短。"),
    ("big5", "Big5", "視野無限廣，窗外有藍天", "這是一個用來測試編碼的中文網頁，內容很短。"),
    (
        "euc-kr",
        "EUC-KR",
        "키스의 고유조건은 입술끼리",
        "다람쥐 헌 쳇바퀴에 타고파. 이것은 한국어 문장입니다.",
    ),
    ("iso2022_jp", "ISO-2022-JP", "電子メールの文字", "これは七ビットの日本語です。"),
]


def _html(head: str, body: str = "") -> str:
    return f"<!DOCTYPE html>\n<html><head>{head}</head>\n<body><p>{body}</p></body></html>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def encoded() -> Iterator[Fixture]:
    """Each encoding, told by header, by meta, by http-equiv, and where both disagree."""
    for codec, name, title, words in WRITTEN:
        shown = f"<title>{_escaped(title)}</title>"
        yield f"{codec} by header", _html(shown, words).encode(codec), f"text/html; charset={name}", title
        page = _html(f'<meta charset="{name}">{shown}', words)
        yield f"{codec} by meta", page.encode(codec), "text/html", title
        if codec != "utf-8":
            old = f'<meta http-equiv="Content-Type" content="text/html; charset={name.lower()}">'
            yield f"{codec} by http-equiv", _html(old + shown, words).encode(codec), None, title


def marked() -> Iterator[Fixture]:
    """By a byte order mark, whatever else is said; and UTF-8 under a header that says otherwise."""
    title = "Größe 東京"
    page = _html(f"<meta charset=iso-8859-1><title>{title}</title>")
    for codec, mark in (
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
    ):
        yield f"{codec} by mark", mark + page.encode(codec), "text/html; charset=latin1", title
    yield "utf-8 under a latin1 header", page.encode(), "text/html; charset=iso-8859-1", title
    yield "utf-8 under nothing", _html(f"<title>{title}</title>").encode(), "text/html", title
    xml = f'<?xml version="1.0" encoding="windows-1251"?>\n{_html("<title>Ещё одна страница</title>")}'
    yield "xml declaration", xml.encode("cp1251"), "application/xhtml+xml", "Ещё одна страница"


def undeclared() -> Iterator[Fixture]:
    """Nobody says what they are: the bytes must tell. Pages have words enough for that."""
    for codec in ("cp1252", "cp1251", "koi8-r", "shift_jis", "euc-jp", "gbk", "big5", "euc-kr"):
        _, _, title, words = next(row for row in WRITTEN if row[0] == codec)
        page = _html(f"<title>{title}</title>", (words + " ") * 12)
        yield f"{codec} by detection", page.encode(codec), "text/html", title


# -- layouts ---------------------------------------------------------------------------------------


def _ld(**values: object) -> str:
    return f'<script type="application/ld+json">{json.dumps({"@context": "https://schema.org", **values})}</script>'


def _og(**values: str) -> str:
    return "".join(
        f'<meta property="og:{name}" content="{_escaped(value)}">' for name, value in values.items()
    )


LAYOUTS: list[tuple[str, str, str, str | None]] = [
    # name, head, body, title
    ("substack", _og(title="On sheep", site_name="Farm letter", type="article") + "<title>On sheep - Farm letter</title>", "", "On sheep"),
    ("medium", "<title>On sheep. A story about sheep | by A. Writer | Medium</title>" + _og(title="On sheep", site_name="Medium"), "", "On sheep"),
    ("wordpress", "<title>On sheep &#8211; Example</title>", "<h1 class=entry-title>On sheep</h1>", "On sheep"),
    ("wordpress with yoast", _ld(**{"@graph": [{"@type": "WebSite", "name": "Example"}, {"@type": "WebPage", "name": "On sheep - Example"}, {"@type": "Article", "headline": "On sheep"}]}) + "<title>On sheep - Example</title>", "", "On sheep"),
    ("news", _ld(**{"@type": "NewsArticle", "headline": "Sheep escape"}) + "<title>Sheep escape | Example</title>", "", "Sheep escape"),
    ("ghost", _og(title="On sheep", site_name="Example") + _ld(**{"@type": "Article", "headline": "On sheep &amp; goats"}), "", "On sheep"),
    ("paper page", '<meta name="citation_title" content="On the Sheep"><meta name="citation_author" content="Doe, J."><title>[2401.00001] On the Sheep</title>', "", "On the Sheep"),
    ("dublin core", '<meta name="DC.title" content="On the Sheep"><title>Repository</title>', "", "On the Sheep"),
    ("card", '<meta name="twitter:title" content="On sheep"><title>Example</title>', "", "On sheep"),
    ("sphinx", "<title>Sheep &#8212; Example 1.2 documentation</title>", "<h1>Sheep<a class=headerlink>¶</a></h1>", "Sheep — Example 1.2 documentation"),
    ("mkdocs", "<title>Sheep - Example</title>", "<h1>Sheep</h1>", "Sheep"),
    ("docusaurus", "<title data-rh=true>Sheep | Example</title>" + _og(title="Sheep | Example"), "", "Sheep | Example"),
    ("next.js", "<meta charset=utf-8><script>window.t='<title>No</title>'</script><title>Sheep</title>", "", "Sheep"),
    ("forum", "<title>Thread: Sheep :: Example</title>", "", "Thread: Sheep"),
    ("site first", "<title>Example | Sheep</title>", "", "Sheep"),
    ("site alone in og", _og(title="Example", site_name="Example") + "<title>Sheep and goats</title>", "", "Sheep and goats"),
    ("two titles", "<title>Sheep</title><title>Second</title>", "", "Sheep"),
    ("icon with a title", "<svg><title>Logo</title></svg><title>Sheep</title>", "", "Sheep"),
    ("comment before", "<!-- <title>Old</title> --><title>Sheep</title>", "", "Sheep"),
    ("conditional comment", "<!--[if IE]><title>IE</title><![endif]--><title>Sheep</title>", "", "Sheep"),
    ("upper case", "<TITLE>Sheep</TITLE>", "", "Sheep"),
    ("attributes without quotes", "<meta property=og:title content=Sheep>", "", "Sheep"),
    ("single quotes", "<meta content='On \"sheep\"' property='og:title'>", "", 'On "sheep"'),
    ("name in place of property", '<meta name="og:title" content="Sheep">', "", "Sheep"),
    ("itemprop", '<meta itemprop="headline" content="x"><title>Sheep</title>', "", "Sheep"),
    ("entities", "<title>Sheep &lt;b&gt; &amp; &quot;goats&quot; &#x1F411;</title>", "", 'Sheep <b> & "goats" 🐑'),
    ("escaped twice", "<title>Sheep &amp;amp; goats&amp;#8217;</title>", "", "Sheep & goats’"),
    ("lines and tabs", "<title>\n\t Sheep\n\tand goats\n</title>", "", "Sheep and goats"),
    ("invisible marks", "<title>\u200b\ufeffSheep\u202e\u0007</title>", "", "Sheep"),
    ("empty og", _og(title="") + "<title>Sheep</title>", "", "Sheep"),
    ("placeholder og", _og(title="undefined") + "<title>Sheep</title>", "", "Sheep"),
    ("None", "<title>None</title>", "<h1>Sheep</h1>", "Sheep"),
    ("h1 alone", "", "<h1>Sheep <em>and</em> goats</h1>", "Sheep and goats"),
    ("unclosed head", "<title>Sheep</title><meta name=x", "", "Sheep"),
    ("broken linked data", '<script type="application/ld+json">{"headline": </script><title>Sheep</title>', "", "Sheep"),
    ("linked data in a list", _ld(**{"@type": "Organization", "name": "Example"}) + '<script type="application/ld+json">[{"@type": ["BlogPosting"], "headline": "Sheep"}]</script>', "", "Sheep"),
    ("linked data of the site", _ld(**{"@type": "WebSite", "name": "Example"}) + "<title>Sheep</title>", "", "Sheep"),
    ("video", _ld(**{"@type": "VideoObject", "name": "Sheep, filmed"}), "", "Sheep, filmed"),
    ("long", "<title>" + "Sheep " * 80 + "</title>", "", ("Sheep " * 80)[:299].rstrip() + "…"),
    ("right to left", "<title>כבשים | Example</title>", "", "כבשים"),
    ("dash within words", "<title>State-of-the-art sheep - Example</title>", "", "State-of-the-art sheep"),
    ("pre HTML4", "<html><title>Sheep</title><body bgcolor=white>", "", "Sheep"),
    ("title in the body", "", "<title>Sheep</title>", None),
    # What stands in a page's place has no title.
    ("404 with 200", "<title>404 Not Found</title>", "<h1>Not Found</h1>", None),
    ("soft 404", "<title>Page not found | Example</title>", "<h1>Sorry, this page isn't available</h1>", None),
    ("challenge", "<title>Just a moment...</title>", "", None),
    ("wall", "<title>Attention Required! | Cloudflare</title>", "<h1>Access denied</h1>", None),
    ("door", "<title>Sign in</title>", "", None),
    ("parked", "<title>example.org is for sale</title>", "", None),
    ("listing", "<title>Index of /pub/sheep</title>", "", None),
    ("nothing", "<title></title>", "", None),
    ("script page", "<title>Loading...</title>", "<div id=root></div>", None),
]  # fmt: skip


def layouts() -> Iterator[Fixture]:
    """The layouts, in UTF-8."""
    for name, head, body, title in LAYOUTS:
        page = f"<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>"
        yield name, page.encode(), "text/html; charset=utf-8", title


GROUPS: tuple[Callable[[], Iterator[Fixture]], ...] = (encoded, marked, undeclared, layouts)
FIXTURES: list[Fixture] = [fixture for group in GROUPS for fixture in group()]
