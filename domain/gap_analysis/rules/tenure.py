"""How long: years that a posting asks for, and months that a CV's dates give."""

import re
from collections.abc import Iterable
from datetime import date

from domain.cv.parsing.parsed_cv import Experience

_MAX_YEARS = 40
_ENGLISH_NUMBERS = "one two three four five six seven eight nine ten"
_HEBREW_NUMBERS = "שנה שנתיים שלוש ארבע חמש שש שבע שמונה תשע עשר"
_NUMBER_WORDS = {
    word: number
    for words in (_ENGLISH_NUMBERS, _HEBREW_NUMBERS)
    for number, word in enumerate(words.split(), start=1)
}
_YEARS = re.compile(
    r"(?<![\w.])(?P<digits>\d{1,2})\s{0,3}(?:\+|plus)?(?:\s{0,3}(?:[-–]|to|עד)\s{0,3}\d{1,2})?\s{0,3}\+?\s{0,3}"
    r"(?:years?|yrs?|שנים|שנות|שנה)\b(?!\s{0,3}(?:old|of age))"
    r"|\b(?P<word>one|two|three|four|five|six|seven|eight|nine|ten)\b(?:\s{0,3}\(\d+\))?\+?\s{0,3}years?\b"
    r"|\b(?P<hebrew>שלוש|ארבע|חמש|שש|שבע|שמונה|תשע|עשר)\s+(?:שנים|שנות)\b"
    r"|\b[לכ]?(?P<dual>שנתיים)\b",
    re.IGNORECASE,
)


def years_spoken_of(text: str) -> list[tuple[int, int]]:
    """Every number of whole years that `text` speaks of, with where it stands in it."""
    found = ((_number(match), match.start()) for match in _YEARS.finditer(text))
    return [(years, start) for years, start in found if 1 <= years <= _MAX_YEARS]


def years_named(text: str) -> int | None:
    """The fewest whole years that `text` speaks of (`3-5 years` is 3), or None when of none."""
    return min((years for years, _ in years_spoken_of(text)), default=None)


def _number(match: re.Match[str]) -> int:
    if match["digits"]:
        return int(match["digits"])
    word = match["word"] or match["hebrew"] or match["dual"]
    return _NUMBER_WORDS[word.lower()]


def months_held(positions: Iterable[Experience], today: date) -> int | None:
    """Months covered by the dated positions, overlaps counted once; None when none is dated.

    A bare year counts whole, from January to December: the CV may mean as much. A position that
    is current lasts until `today`; one without an end that is not current counts for nothing.
    """
    spans = sorted(span for held in positions if (span := _span(held, today)) is not None)
    if not spans:
        return None
    covered, reached = 0, spans[0][0] - 1
    for first, last in spans:
        covered += max(0, last - max(first - 1, reached))
        reached = max(reached, last)
    return covered


def _span(held: Experience, today: date) -> tuple[int, int] | None:
    this_month = today.year * 12 + today.month - 1
    first = _month(held.start, default=1)
    last = this_month if held.is_current else _month(held.end, default=12)
    if first is None or last is None or first > this_month:
        return None
    return (first, min(last, this_month)) if first <= last else None


def _month(written: str | None, default: int) -> int | None:
    """Months since the year 0 of a `YYYY-MM` or `YYYY`; None for anything else."""
    match = re.fullmatch(r"([12]\d{3})(?:-(0[1-9]|1[0-2]))?", written or "")
    return int(match[1]) * 12 + int(match[2] or default) - 1 if match else None
