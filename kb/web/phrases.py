"""The words by which pages tell what they are, as tables: errors, walls, parked domains."""

from __future__ import annotations

import re
from typing import Final

_THING: Final = (
    r"(?:web ?page|page|file|document|article|post|story|content|resource|entry|item|url|address|site|"
    r"website|video|repository|profile|listing|product|question|thread|topic|link)"
)
_OH: Final = (
    r"(?:(?:o+ps|whoops|uh oh|oh no|sorry|hmm+|error|http|status|code|we re sorry|were sorry|the|this|that|"
    r"requested) )*"
)

_ABROAD: Final = (
    r"(?:die |diese )?seite (?:wurde )?(?:nicht gefunden|existiert nicht|gibt es nicht)|nicht gefunden|"
    r"(?:la |cette )?page (?:non trouv[ée]e|introuvable|inexistante|nexiste (?:pas|plus))|"
    r"p[áa]gina (?:no (?:encontrada|existe|disponible)|n[ãa]o (?:encontrada|existe))|"
    r"no se (?:encontr[óo]|ha encontrado) la p[áa]gina|p[àa]gina no trobada|"
    r"pagina (?:non trovata|inesistente|niet gevonden|nu (?:a fost g[ăa]sit[ăa]|exist[ăa]))|"
    r"(?:nie znaleziono strony|strona nie istnieje|nie ma takiej strony)|"
    r"sidan (?:kunde inte hittas|hittades inte|finns inte)|"
    r"siden (?:blev ikke fundet|ble ikke funnet|findes ikke|finnes ikke)|"
    r"sivua ei l[öo]y(?:tynyt|dy)|(?:az? |a keresett )?oldal nem (?:tal[áa]lhat[óo]|l[ée]tezik)|"
    r"str[áa]nka (?:nenalezena|nebyla nalezena|neexistuje|sa nena[šs]la|nebola n[áa]jden[áa])|"
    r"stranica nije prona[đd]ena|(?:arad[ıi][ğg][ıi]n[ıi]z )?sayfa bulunamad[ıi]|"
    r"halaman (?:tidak|tak) (?:ditemukan|tersedia|ada)|"
    r"kh[ôo]ng t[ìi]m th[ấa]y trang(?: n[àa]y)?|trang kh[ôo]ng t[ồo]n t[ạa]i|"
    r"страница не (?:найдена|существует)|страницата не е намерена|"
    r"сторінк[ау] не (?:знайдено|знайдена|існує)|страница није пронађена|"
    r"η σελίδα δεν (?:βρέθηκε|υπάρχει)|(?:העמוד|הדף|עמוד|דף) (?:לא נמצא|אינו קיים)|"
    r"الصفحة غير موجودة|لم يتم العثور على الصفحة|صفحه (?:مورد نظر )?(?:یافت|پیدا) نشد|"
    r"(?:您访问的)?(?:页面|頁面)(?:不存在|未找到)|"
    r"找不到(?:该|此)?(?:页面|頁面|網頁|网页)|"
    r"(?:お探しの|指定された)?ページ(?:が|は)"
    r"(?:見つかりません(?:でした)?|存在しません)|"
    r"페이지를 찾을 수 없습니다|존재하지 않는 페이지(?:입니다)?"
)
"""The same in other languages."""

MISSING_TITLES: Final = re.compile(
    rf"{_OH}(?:"
    rf"(?:404|410)(?: error)?(?: (?:{_THING} )?(?:not found|gone|missing|unavailable))?|"
    rf"(?:{_THING} )?(?:404 )?(?:not found|missing|unavailable)(?: (?:error )?404)?(?: error)?|"
    rf"{_THING} (?:was |is |could |can |has |we |you )*(?:not|cannot|cant|couldnt|wasnt|isnt) (?:be )?"
    r"(?:found|available|here|exist)(?: error)?(?: 404)?|"
    rf"{_THING} (?:does not|doesnt|no longer) exists?(?: 404)?|"
    rf"{_THING} (?:is )?(?:no longer|not) available|"
    rf"{_THING} (?:has been |was )?(?:removed|deleted)|"
    rf"(?:we )?(?:could ?nt|cant|cannot|could not) find (?:the |that |this |your )*{_THING}|"
    rf"no such {_THING}|missing {_THING}|nothing (?:was )?(?:found|here)(?: here)?|"
    rf"{_ABROAD}"
    r")",
)
"""A whole part of a title, or a heading, in lower-case words."""

_ASKED: Final = (
    r"(?:(?:that )?(?:you|we)(?:'re| are| were|'ve| have)? (?:just )?(?:looking for|look for|requested|"
    r"request|trying to (?:reach|access|view|open|find)|tried to (?:reach|access|view|open|find)|"
    r"searching for|followed|asked for|wanted|seek) )?"
)
_GONE: Final = (
    r"(?:(?:was|is|has|does|could|can|might|may|have|no longer|longer|either)[ ,]*){0,4}"
    r"(?:not found|not be found|n't be found|cannot be found|can't be found|couldn't be found|isn't here|"
    r"not available|isn't available|unavailable|no longer available|doesn't exist|not exist|"
    r"(?:no )?longer exists?|been (?:removed|deleted|moved)|be gone|removed|deleted|wasn't found)"
)
MISSING_SENTENCES: Final = re.compile(
    rf"\b(?:the|this|that|your|requested) (?:requested )?{_THING} {_ASKED}(?:\S{{1,200}} )?{_GONE}\b|"
    rf"\bwe (?:can't|cannot|can not|could not|couldn't|were unable to|are unable to)(?: seem to)? "
    rf"(?:find|locate) (?:the|that|this|your|what|any) ?{_THING}?\b|"
    rf"\bthere(?:'s| is) (?:nothing here|no(?:thing)? (?:such )?{_THING})\b|"
    r"\bnothing (?:was found|to see here|here)\b"
)
"""A sentence of a text in lower case with straight apostrophes."""

MISSING_HINTS: Final = (
    "not", "n't", "available", "exist", "removed", "deleted", "moved", "gone", "nothing", "no ", "unable",
)  # fmt: skip
"""One of them stands in every such sentence."""

OUT_OF_ORDER_TITLES: Final = re.compile(
    r"(?:5\d\d )?(?:(?:internal )?server error|bad gateway|gateway time ?out|"
    r"service (?:temporarily )?unavailable)(?: 5\d\d)?|database error|"
    r"error establishing a database connection|(?:site |website |we are |were |down |currently )*"
    r"(?:(?:is )?(?:under|down for|in|offline for) )?"
    r"(?:scheduled |planned )?maintenance(?: mode)?|"
    r"(?:well|we will) be (?:right )?back(?: soon| shortly)?|temporarily (?:unavailable|offline|down)|"
    r"too many requests|rate limit(?:ed)?(?: exceeded)?|"
    r"(?:wir |seite |website )?(?:wegen |im |in )?wartungs?(?:arbeiten|modus)?|"
    r"(?:site |page )?en (?:cours de )?maintenance|maintenance en cours|(?:sitio |web )?en mantenimiento|"
    r"(?:site )?em manuten[çc][ãa]o|(?:sito )?in manutenzione|(?:site |website )?in onderhoud|"
    r"przerwa techniczna|(?:ведутся )?технические работы|(?:сайт )?на (?:техническом )?обслуживании|"
    r"(?:ただいま|只今)?メンテナンス中(?:です)?|"
    r"(?:系统|系統|网站|網站)(?:维护|維護)中?|(?:서비스 )?점검 중(?:입니다)?"
)
OUT_OF_ORDER_HEADINGS: Final = re.compile(
    r"(?:well|we will) be (?:right )?back(?: soon| shortly)?|(?:the |this |our )?(?:web)?site is "
    r"(?:currently |temporarily )?(?:under|down for|in|offline for|undergoing) "
    r"(?:scheduled |planned )?maintenance|"
    r"(?:under|down for|undergoing) (?:scheduled |planned )?maintenance|wartungsarbeiten|"
    r"temporarily (?:unavailable|offline|down)|service (?:temporarily )?unavailable"
)
"""Of those, what nobody would write above an article."""

CHALLENGE_TITLES: Final = re.compile(
    r"just a moment|one moment please|attention required|please wait|"
    r"checking your browser(?: before accessing.*)?|"
    r"access (?:to this page has been )?denied|access to this page has been blocked|blocked|"
    r"(?:please )?(?:verify|confirm|prove) (?:that )?you(?:re| are) (?:a )?(?:human|not a robot)|"
    r"are you (?:a )?(?:human|robot)|(?:human|bot|robot|security|browser) (?:verification|check|challenge)|"
    r"client challenge|pardon our interruption|ddos guard|ddos protection by.*|vercel security checkpoint|"
    r"making sure you(?:re| are) not a bot|request (?:blocked|rejected|unsuccessful)|"
    r"sorry you have been blocked|unusual traffic|captcha|you have been blocked"
)
CHALLENGE_MARKS: Final = (
    "_cf_chl_opt",
    "cf-browser-verification",
    "px-captcha",
    "captcha-delivery.com",
    "_Incapsula_Resource",
    "anubis_challenge",
    "AwsWafIntegration",
    "g-recaptcha-challenge",
    "/.well-known/vercel/security/",
    "sec-if-cpt-container",
    "ddos-guard/js-challenge",
)

LOGIN_TITLES: Final = re.compile(
    r"(?:please )?(?:log ?in|sign ?in|login required|authentication required|log in or sign up|"
    r"sign in or (?:join|sign up|register)|log in to continue|sign in to continue)(?: to .{1,40})?|"
    r"anmelden|connexion"
)
LOGIN_SEGMENTS: Final = re.compile(r"log[-_]?in|sign[-_]?in|authwall|session-expired|wp-login|servicelogin")
ASKING_SEGMENTS: Final = re.compile(r"auth|authenticate|authorize|sso|oauth2?|saml2?|checkpoint")
"""Doors only with a question behind them: without, they may be a chapter on the matter."""

DOOR_WORDS: Final = re.compile(
    r"\b(?:sign in|log ?in|captcha|robot|javascript|access denied|forbidden|consent|maintenance|"
    r"not available in your|unavailable in your)\b"
)
"""What a page says that stands before all others, and is the same for any path."""

REGION_SENTENCES: Final = re.compile(
    r"\b(?:not|isn't|aren't) (?:currently )?(?:available|accessible|allowed) (?:in|from) your "
    r"(?:region|country|location|area|territory)\b|"
    r"\bunavailable in your (?:region|country|location|area|territory)\b|"
    r"\b(?:not|cannot|can't|unable)\b[^.]{0,80}\beuropean (?:economic area|union)\b|"
    r"\bblocked (?:in|from) your (?:country|region)\b|\bunavailable (?:for|due to) legal reasons\b"
)
STANDING_BEFORE: Final = re.compile(
    r"\b(?:maintenance|legal (?:drinking )?age|over (?:the age of )?(?:18|21)|(?:18|21) years|your age|"
    r"date of birth|verify (?:that )?you|not available in your|unavailable in your|accept (?:all )?cookies)\b"
)
"""What is asked or said before any page of a site is shown, on a page of more words than a door."""

WALL_PLACES: Final = re.compile(
    r"/(?:[\w.-]*captcha[\w.-]*|cdn-cgi|(?:bot|browser|human)[-_]?(?:check|challenge|verification))(?:/|\Z)"
)

CONSENT_PLACES: Final = re.compile(
    r"\A(?:consent|guce|cookies?|myprivacy|cmp)\.|/(?:consent|cookie-?(?:wall|consent|policy-accept)|"
    r"privacy-?(?:gate|wall)|gdpr(?:-consent)?|cookies?/accept|collectconsent|accept-?cookies)(?:[/.]|\Z)"
)

HOME_SEGMENTS: Final = re.compile(
    r"(?:index|home|default)\.[a-z]{2,5}|index|home|homepage|"
    r"(?:ar|bg|ca|cs|da|de|el|en|es|et|fa|fi|fr|he|hi|hr|hu|id|it|ja|jp|ko|lt|lv|nb|nl|pl|pt|ro|ru|sk|sl|sr|sv|"
    r"th|tr|uk|vi|zh)(?:[-_][a-z]{2})?"
)
"""Parts of a path that a front page may have: its file, a language."""

NO_PARTS: Final = re.compile(
    r"[_\W]*|.*[=&].*|(?:top|home|start|main|content|main[-_]?content|body|page|site|header|wrapper|container|"
    r"index|app|root|nav|menu|primary)[-_\d]*"
)
"""Fragments, in lower case, that name all of a front page or nothing, or only count visits."""

PARKING_HOSTS: Final = frozenset(
    {
        "hugedomains.com",
        "dan.com",
        "afternic.com",
        "sedo.com",
        "sedoparking.com",
        "bodis.com",
        "parkingcrew.net",
        "undeveloped.com",
        "buydomains.com",
        "domainmarket.com",
        "brandbucket.com",
        "squadhelp.com",
        "atom.com",
        "uniregistry.com",
        "efty.com",
        "namebright.com",
        "perfectdomain.com",
        "forsale.godaddy.com",
        "above.com",
        "skenzo.com",
        "ww1.namecheap.com",
        "parklogic.com",
        "expireddomains.net",
    }
)
PARKED_MARKS: Final = re.compile(
    r"""data-adblockkey=|<(?:script|iframe|frame|img)\b[^<>]*\bsrc\s*=\s*["']?(?:https?:)?//[^"'<>\s/]*"""
    r"""(?:parkingcrew\.net|sedoparking\.com|bodis\.com|parklogic\.com|d38psrni17bvxu\.cloudfront\.net|"""
    r"""img\d?\.wsimg\.com/parking-lander|parking\.(?:namecheap|godaddy)\.com|skenzo\.com|"""
    r"""cdn\.dan\.com|domainmarket\.com|afternic\.com)|window\.park\s*=|parking-lander/static|"""
    r"""window\.location\.href\s*=\s*["']/lander["']""",
    re.IGNORECASE,
)
PARKED_HINTS: Final = (
    "park",
    "bodis.com",
    "d38psrni17bvxu",
    "skenzo",
    "dan.com",
    "domainmarket",
    "afternic",
    "adblockkey",
    "/lander",
)
"""One of them stands wherever `PARKED_MARKS` finds something, and is found ten times as fast."""

PARKED_WORDS: Final = ("domain", "parked", "related searches")
FOR_SALE: Final = ("is for sale", "may be for sale", "for sale", "is parked", "is available for purchase")
PARKED_SENTENCES: Final = re.compile(
    r"\b(?:this|the) (?:premium )?domain(?: name)?(?: \S+)? (?:is|may be|might be|could be) "
    r"(?:now |currently )?(?:for sale|parked|available for (?:sale|purchase)|listed for sale)|"
    r"\b(?:buy|purchase|acquire|get) this (?:premium )?domain\b|"
    r"\bthis domain (?:name )?(?:has )?(?:recently )?(?:expired|been (?:registered|parked))\b|"
    r"\bmake an offer (?:on|for) this domain\b|\bdomain parking\b|"
    r"\brelated searches\b.*\b(?:privacy policy|inquire)\b|\binquire about this domain\b|"
    r"\bparked (?:free, )?(?:courtesy of|by)\b"
)
