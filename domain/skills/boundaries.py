"""Where a name stands in folded text as a token of its own, and not as a part of another."""

import re

from domain.skills.folding import FoldedText, word_set

# The one-letter words ו ה ב ל מ ש כ, and the chains of them in use, are written onto the next word.
HEBREW_PREFIXES = word_set(
    "ו ה ב ל מ ש כ וה וב ול ומ וש וכ שה שב של שמ שכ כש מה לה בה כב ובה ולה ומה ושב ושה כשה כשב"
    " וכש שבה שלה"
)
_LONGEST_PREFIX = 3
_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,3}){0,3}(?:\.x|\+)?(?![^\W_])")
# Up to two characters, a digit makes another name: C4, R2, Go2.
_SHORTEST_WITH_VERSION = 3
_ADDRESS = re.compile(r"://|@|\bwww\.|\w\.(?:com|org|net|io|dev|co\.il)/")
_ADDRESS_PART = re.compile(r"[^\s,;|()<>\[\]\"]+")


def is_hebrew(character: str) -> bool:
    """Whether one character is a Hebrew letter."""
    return "א" <= character <= "ת"


def hebrew_prefix(text: str, start: int) -> str:
    """The Hebrew prefix written onto the word at `start`, or "" where there is none."""
    first = start
    while first > 0 and start - first <= _LONGEST_PREFIX and is_hebrew(text[first - 1]):
        first -= 1
    prefix = text[first:start]
    begins_word = first == 0 or not text[first - 1].isalnum()
    return prefix if begins_word and prefix in HEBREW_PREFIXES else ""


def stands_alone(folded: FoldedText, start: int, end: int) -> bool:
    """Whether [start, end) of the folded text is bounded on both sides."""
    text = folded.text
    if start and text[start - 1].isalnum() and not hebrew_prefix(text, start):
        return False
    if end < len(text) and text[end].isalnum() and not _has_version(text, start, end):
        return False
    return _left_is_open(folded, start) and _right_is_open(folded, end)


def _has_version(text: str, start: int, end: int) -> bool:
    return end - start >= _SHORTEST_WITH_VERSION and _VERSION.match(text, end) is not None


def _left_is_open(folded: FoldedText, start: int) -> bool:
    text = folded.text
    if start <= 1 or text[start - 1] != ".":
        return True
    # `example.java` is a file; `skills.Java` a sentence without its space.
    return not text[start - 2].isalnum() or folded.original[folded.offsets[start]].isupper()


def _right_is_open(folded: FoldedText, end: int) -> bool:
    text = folded.text
    if text[end : end + 1] != "." or end + 1 >= len(text) or not text[end + 1].isalnum():
        return True
    after = folded.original[folded.offsets[end + 1]]
    return after.isupper() or is_hebrew(after)


def address_spans(text: str) -> list[tuple[int, int]]:
    """The spans of web and mail addresses, in order; names in them say nothing about a person."""
    if not _ADDRESS.search(text):
        return []
    parts = _ADDRESS_PART.finditer(text)
    return [part.span() for part in parts if _ADDRESS.search(text, *part.span())]
