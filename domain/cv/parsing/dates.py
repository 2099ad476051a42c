"""Dates and date ranges as CVs write them, in English and Hebrew."""

import re
from dataclasses import dataclass

from domain.cv.parsing.plain_text import LONGEST_HEADER_LINE

_MONTHS: tuple[tuple[str, ...], ...] = (
    ("jan", "ינואר"),
    ("feb", "פברואר"),
    ("mar", "מרץ", "מרס"),
    ("apr", "אפריל"),
    ("may", "מאי"),
    ("jun", "יוני"),
    ("jul", "יולי"),
    ("aug", "אוגוסט"),
    ("sep", "ספטמבר"),
    ("oct", "אוקטובר"),
    ("nov", "נובמבר"),
    ("dec", "דצמבר"),
)
_MONTH_NUMBER = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}

_MONTH = (
    r"(?:(?<![^\W\d_])(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|"
    r"aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)|"
    r"(?:ינואר|פברואר|מרץ|מרס|אפריל|מאי|יוני|יולי|אוגוסט|ספטמבר|אוקטובר|נובמבר|דצמבר))"
)
_YEAR = r"(?:19[4-9]\d|20\d\d)"
_DAY = r"(?:[0-2]?\d|3[01])"
_DATED = (
    rf"(?:(?:{_DAY}[./-])?(?:0?[1-9]|1[0-2])\s?[./-]\s?{_YEAR}"
    rf"|{_YEAR}[./-](?:0[1-9]|1[0-2])(?:[./-]{_DAY})?(?!\d)"
    rf"|(?:{_DAY}(?:st|nd|rd|th)?\s+)?{_MONTH}\.?,?\s*(?:{_DAY},\s*)?ב?-?(?:{_YEAR}|['’]\d\d)"
    rf"|(?:spring|summer|autumn|fall|winter|q[1-4]|קיץ|חורף|אביב|סתיו)\s+{_YEAR}"
    rf"|{_YEAR})"
)
_POINT = rf"(?:{_DATED}|(?:0?[1-9]|1[0-2])/\d\d)(?!\d)"
_NOW = (
    r"(?:present|current(?:ly)?|now|today|ongoing|date|(?:עצם\s+)?היום(?:\s+הזה)?|כיום|עתה|הווה|"
    r"נוכחי)(?![^\W\d_])"
)
_DASH = r"[-–—‑−~]"
_TO = (
    rf"(?:\s*{_DASH}{{1,3}}\s*(?:(?:to|until|till|עד)\s+)?"
    r"|\s+(?:to|until|till|through|up to|עד|ועד)\s+(?:ל-?)?)"
)
_BEFORE = r"(?<![\d./:+])(?<!\d[-,])"
_AFTER = r"(?!\d|[./]\d)"

_RANGE = re.compile(
    rf"{_BEFORE}(?:"
    rf"(?P<start>{_POINT}){_TO}(?:(?P<end>{_POINT})|(?P<now>{_NOW})|(?P<short>\d\d))"
    rf"|(?P<month>{_MONTH}){_TO}(?P<same_year>{_MONTH}\.?\s*{_YEAR})"
    # A right-to-left line stored in visual order puts "today" first.
    rf"|(?P<now_first>{_NOW}){_TO}(?P<start_last>{_POINT})"
    rf"){_AFTER}",
    re.IGNORECASE,
)
_OPEN = re.compile(
    rf"(?:(?<![^\W\d_])(?:since|from|as of|מאז|משנת|החל\s+מ)[\s-]*(?P<since>{_DATED})"
    rf"|{_BEFORE}(?P<dash>{_DATED})\s*(?:{_DASH}(?=[\s)\]*_]*$)|onwards|ואילך|והלאה)){_AFTER}",
    re.IGNORECASE,
)
_SINGLE = re.compile(rf"{_BEFORE}(?P<point>{_DATED}){_AFTER}", re.IGNORECASE)

_ISO = re.compile(rf"({_YEAR})[./-](\d\d)")
_NUMERIC = re.compile(rf"(\d{{1,2}})\s?[./-]\s?({_YEAR})$")
_SHORT_NUMERIC = re.compile(r"(\d{1,2})/(\d\d)$")
_YEAR_IN = re.compile(_YEAR)
_MONTH_IN = re.compile(_MONTH, re.IGNORECASE)
_APOSTROPHE_YEAR = re.compile(r"['’](\d\d)$")


@dataclass(frozen=True, slots=True)
class Period:
    """`start` and `end` are `YYYY-MM` or `YYYY`; `end` is None while `is_current`."""

    start: str | None
    end: str | None
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class FoundPeriod:
    """A period and where its line has it: the characters from `begin` up to `stop`."""

    period: Period
    begin: int
    stop: int
    is_range: bool
    """False for a single date, which is then the period's `start`."""


def find_period(line: str) -> FoundPeriod | None:
    """The first period named in a line: a range, an open range, else a single date.

    Years are 1940–2099. A range that runs backwards is turned round: that is how right-to-left
    text comes out of many PDFs.
    """
    if len(line) > LONGEST_HEADER_LINE:
        return None
    for pattern, is_range in ((_RANGE, True), (_OPEN, True), (_SINGLE, False)):
        if match := pattern.search(line):
            return FoundPeriod(_period(match), match.start(), match.end(), is_range)
    return None


def _period(match: re.Match[str]) -> Period:
    found = {name: value for name, value in match.groupdict().items() if value}
    if "month" in found:
        end = _point(found["same_year"])
        return Period(f"{end[:4]}-{_month(found['month']):02}", end)
    for name in ("start_last", "since", "dash"):
        if name in found:
            return Period(_point(found[name]), None, is_current=True)
    if "point" in found:
        return Period(_point(found["point"]), None)
    start = _point(found["start"])
    if "now" in found:
        return Period(start, None, is_current=True)
    end = _point(found["end"]) if "end" in found else _century(found["short"])
    return Period(end, start) if _is_backwards(start, end) else Period(start, end)


def _is_backwards(start: str, end: str) -> bool:
    shared = min(len(start), len(end))
    return start[:shared] > end[:shared]


def _point(text: str) -> str:
    """`YYYY-MM` or `YYYY` for text that matches `_POINT`."""
    if month := _MONTH_IN.search(text):
        year = _YEAR_IN.search(text)
        short = _APOSTROPHE_YEAR.search(text)
        return f"{year[0] if year else _century(short[1] if short else '00')}-{_month(month[0]):02}"
    if iso := _ISO.match(text):
        return f"{iso[1]}-{iso[2]}"
    if numeric := _NUMERIC.search(text):
        return f"{numeric[2]}-{int(numeric[1]):02}"
    if short := _SHORT_NUMERIC.match(text):
        return f"{_century(short[2])}-{int(short[1]):02}"
    year = _YEAR_IN.search(text)
    return year[0] if year else text


def _month(name: str) -> int:
    folded = name.casefold()
    return _MONTH_NUMBER.get(folded) or _MONTH_NUMBER[folded[:3]]


def _century(two_digits: str) -> str:
    """The year for `18` or `97`: nobody's CV reaches forty years ahead."""
    return f"20{two_digits}" if int(two_digits) < 40 else f"19{two_digits}"
