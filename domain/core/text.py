"""Plain text out of whatever people paste: HTML, HTML escaped once too often, or plain words.

nh3 reads markup by the rules of the HTML standard, but it builds a tree, and a tree of 200,000
nested elements takes it minutes. A plain text has no use for nesting, so each tag is first renamed
to one of four void elements, which cannot nest: what kind of line break it stands for is all that
is kept of it. nh3 then sees a flat list, in linear time, and still decides about attributes,
quotes, comments, scripts and entities.
"""

import html
import re
import unicodedata
from urllib.parse import urlsplit

import nh3

MAX_URL_CHARACTERS = 2048

# Feeds escape their HTML once or twice; whatever is wrapped deeper than this is an attack.
_MAX_LAYERS = 4

_LINE_BREAKS = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
# Controls, soft hyphens, zero-width characters, bidi marks, overrides and isolates, lone
# surrogates, and the tag characters and variation selectors that can hide text from a reader.
# Hebrew letters, points and accents (U+0590-U+05FF) are not among them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e01ef]"
)
_BLANK_LINES = re.compile(r"\n{3,}")
_ENTITY = re.compile(r"&(?=(?:[A-Za-z][A-Za-z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});)")
_LONE_AMPERSAND = re.compile(rf"&(?!{_ENTITY.pattern[1:]})")

_PARAGRAPH_NAMES = """
    article aside blockquote body dl fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr html
    main nav ol p pre section table ul
"""
_LINE_NAMES = """
    address caption center dd details div dt figcaption legend li menu option optgroup summary
    tbody td tfoot th thead title tr
"""
_INLINE_NAMES = """
    a abbr acronym applet area audio b base basefont bdi bdo big button canvas cite code col
    colgroup data datalist del dfn dialog dir em embed font frame frameset head hgroup i iframe
    img input ins kbd label link map mark marquee math meta meter nobr noembed noframes noscript
    object output param picture plaintext portal progress q rp rt ruby s samp select slot small
    source span strike strong sub sup svg template textarea time track tt u var video wbr xmp
"""
_PARAGRAPH, _LINE = frozenset(_PARAGRAPH_NAMES.split()), frozenset(_LINE_NAMES.split())
_RAW = frozenset({"script", "style"})
_ELEMENTS = _PARAGRAPH | _LINE | _RAW | frozenset(_INLINE_NAMES.split()) | {"br"}

# What may begin markup: a comment or declaration, or a name that ends where HTML ends names.
_MARKUP_START = re.compile(
    r"<(?:(?P<declaration>!--|[!?])|(?P<close>/?)(?P<name>[A-Za-z][^\s/<>]*))"
)
_ATTRIBUTE_VALUE = re.compile(r"[\s/][^<>]*=")
_HANDLER = re.compile(r"""[^<>]*[\s/"'][Oo][Nn][A-Za-z]+\s*=""")
_AUTOLINK = re.compile(r"""<https?://[^\s<>"']+>""")
_OFFICE_NAME = re.compile(r"(?:[omvwx]|st1):\w+")
_BREAKS = re.compile(r"\n{0,2} ?<(?:br|wbr|hr)>(?:\s*<(?:br|wbr|hr)>)* ?\n{0,2}")


def clean_text(value: str) -> str:
    """The words of `value` as plain text in NFC, its line structure kept. Never raises.

    Tags go, with their attributes; scripts, styles and comments go with their content. Block tags
    end lines, and paragraphs, headings and lists stand apart by a blank line. Where there are such
    tags, line breaks of the source are only spaces, as in a browser. Control, zero-width and
    direction-override characters go; runs of spaces become one; no two blank lines follow each
    other; both ends are trimmed.

    A tag is an HTML element's name, a closing tag of any name, or any name with an attribute that
    has a value, such as an event handler (an address in angle brackets is none). Other uses of
    `<`, such as `a < b` or `List<String>`, stay as they are; a tag that is never closed by `>`
    stays too, but with a space behind its `<`, which makes it inert.

    Entities become characters, and what they spell is cleaned again until nothing changes: escaped
    markup (`&lt;script&gt;`) is removed like markup. This is the safe reading, because the result
    may meet a reader that decodes once more, and the useful one, because some feeds escape all of
    their HTML. Hence cleaning a clean text changes nothing. Only entities that end in `;` count,
    so that `?a=1&copy=2` stays an address. Beyond four layers of escaping, a space makes what is
    left inert.

    Takes time in proportion to the length of `value`.
    """
    text = _tidy(value)
    structured = False
    for _ in range(_MAX_LAYERS):
        flat = _flatten_tags(text)
        if not structured and ("<hr" in flat or "<wbr" in flat):
            structured = True
            flat = flat.replace("\n", " ")
        stripped = _tidy(_sanitize(flat))
        if stripped == text:
            return text
        text = stripped
    return _tidy(_defuse(text))


def clean_line(value: str) -> str:
    """`value` cleaned as by `clean_text`, on one line."""
    return " ".join(clean_text(value).split())


def is_http_url(value: str) -> bool:
    """Whether `value` is an absolute http or https address that is safe to keep and to link to.

    It needs a host, and has no user name or password, no white space, backslash or invisible
    character, and at most 2048 characters.
    """
    if len(value) > MAX_URL_CHARACTERS or not value.isprintable() or re.search(r'[\s\\<>"]', value):
        return False
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool((host or "").strip("."))
        and "@" not in parts.netloc
    )


def _tidy(text: str) -> str:
    visible = _INVISIBLE.sub("", _LINE_BREAKS.sub("\n", text))
    lines = (" ".join(line.split()) for line in visible.split("\n"))
    return _BLANK_LINES.sub("\n\n", unicodedata.normalize("NFC", "\n".join(lines))).strip()


def _flatten_tags(text: str) -> str:
    """`text` as HTML without nesting: void tags for line breaks, `<img>` for other tags."""
    escaped = _LONE_AMPERSAND.sub("&amp;", text)
    last_close, last_comment_end = escaped.rfind(">"), escaped.rfind("-->")

    def flat(match: re.Match[str]) -> str:
        if not _is_markup(match):
            return "&lt;" + match[0][1:]
        end = last_comment_end if match["declaration"] == "!--" else last_close
        if match.end() > end:
            return "&lt; " + match[0][1:]
        return match[0] if match["declaration"] else _void(match)

    return _MARKUP_START.sub(flat, escaped)


def _is_markup(match: re.Match[str]) -> bool:
    if match["declaration"] or match["close"]:
        return True
    name = match["name"]
    # `List<Map<K, V>>`: to HTML, the inner `<` is part of a name that is no element's.
    is_whole = not match.string.startswith("<", match.end())
    if (is_whole and name.lower() in _ELEMENTS) or _OFFICE_NAME.fullmatch(name):
        return True
    # An attribute's value may hold a quoted `>`, so a handler can hide behind any of them.
    if not _ATTRIBUTE_VALUE.match(match.string, match.end()):
        return False
    is_link = _AUTOLINK.match(match.string, match.start())
    return not is_link or bool(_HANDLER.match(match.string, match.end()))


def _void(match: re.Match[str]) -> str:
    name = match["name"].lower()
    if name in _RAW:
        return match[0]
    if name in _PARAGRAPH:
        return "<hr"
    if name in _LINE:
        return "<wbr"
    return "<br" if name == "br" else "<img"


def _sanitize(flat: str) -> str:
    safe = nh3.clean(flat, tags={"br", "wbr", "hr"}, clean_content_tags=set(_RAW), attributes={})
    return html.unescape(_BREAKS.sub(_line_break, safe))


def _line_break(match: re.Match[str]) -> str:
    breaks = match[0]
    return "\n\n" if "<hr>" in breaks or breaks.count("<br>") > 1 else "\n"


def _defuse(text: str) -> str:
    spaced = _MARKUP_START.sub(lambda m: "< " + m[0][1:] if _is_markup(m) else m[0], text)
    return _ENTITY.sub("& ", spaced)
