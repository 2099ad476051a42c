"""Who a CV is about and how to reach them; found, and taken out of what others are shown."""

import re
from collections.abc import Iterable

from domain.cv.parsing.names import find_name, redact_name
from domain.cv.parsing.parsed_cv import Contact
from domain.cv.parsing.plain_text import normalise
from domain.cv.parsing.sections import SectionKind, split_sections

_MOST_OF_A_KIND = 20
_MOST_HEADER_LINES = 25

# Possessive quantifiers and look-behinds keep each of these linear on hostile text.
_EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%-]{1,64}+@(?:[^\W_](?:[\w-]{0,62}+)\.){1,6}[^\W\d_][\w-]{1,62}+"
)
_LINK = re.compile(
    r"(?<![\w@.])(?:https?://|www\.|(?:[a-z]{2,3}\.)?linkedin\.com/|github\.com/|gitlab\.com/|"
    r"bitbucket\.org/|behance\.net/|dribbble\.com/|medium\.com/|t\.me/|wa\.me/|"
    r"(?:facebook|instagram|twitter|x)\.com/)[^\s<>\[\]()|,;\"'״]{2,300}+",
    re.IGNORECASE,
)
_SITE = re.compile(
    r"(?:(?:web ?site|site|web|portfolio|blog|homepage|linkedin|github|אתר|תיק עבודות)\s*:\s*)?"
    r"((?:[a-z0-9-]{1,63}+\.){1,4}[a-z]{2,12}(?:/[^\s<>\[\]()|,;]{0,200}+)?)",
    re.IGNORECASE,
)
_NOT_A_SITE = re.compile(
    r"(?:asp|vb|ado|ml|f)\.net$|(?:\.(?:js|ts|py|sc|ed|eng|io|a|s|n|d))$", re.IGNORECASE
)
_PHONE = re.compile(
    r"(?<![\w.,/:+-])(?:"
    r"\+\d(?:[ \t().-]{0,3}\d){6,14}"  # international
    r"|00[1-9]\d(?:[ \t().-]{0,3}\d){6,12}"
    r"|\(?0(?:[23489]|[57]\d)\)?[ \t.-]{0,3}\d(?:[ \t.-]?\d){6}"  # Israel
    r"|1[ -]?[78]00(?:[ -]?\d){6}(?:\d(?:[ -]?\d)?)?"
    r"|\(?0\d{2,4}\)?[ -]\d{3,4}[ -]?\d{3,4}|0\d{9,10}"  # other trunk prefixes
    r"|(?:1[-. ])?(?:\(\d{3}\)[ ]?|\d{3}[-. ])\d{3}[-. ]\d{4}"  # North America
    r")(?![\d/]|[.-]\d)"
)
_LABELLED_PHONE = re.compile(
    r"((?<![^\W\d_])(?:tel|phone|telephone|mobile|mob|cell|whatsapp|fax|טלפון|טל'|נייד|פלאפון|סלולרי"
    r"|פקס)\b\.?(?:[ \t]?(?:no|number|מספר)\b\.?)?[ \t]{0,3}[:#-]?[ \t]{0,3})"
    r"(\(?\+?\d(?:[ \t().-]{0,3}\d){5,14})",
    re.IGNORECASE,
)
_DATE_LIKE = re.compile(
    r"(?:\d{1,2}[./-])?\d{1,2}[./-](?:19|20)\d\d(?!\d)|(?:19|20)\d\d[./-]\d{1,2}(?!\d)"
)

_DATE = (
    r"(?:\d{1,2}[ ./-]{1,2}\d{1,2}[ ./-]{1,2}\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2}"
    r"|\d{1,2}(?:st|nd|rd|th)?[ ]ב?[^\W\d_]{3,10}\.?,?[ ]\d{4}"
    r"|[^\W\d_]{3,10}\.?[ ]\d{1,2},?[ ]\d{4}"
    r"|(?:19|20)\d\d)"
)
_BIRTH = re.compile(
    r"((?<![^\W\d_])(?:date[ ]of[ ]birth|birth[ ]?date|birthday|d\.?o\.?b\.?|born(?:[ ](?:on|in))?"
    r"|year[ ]of[ ]birth|תאריך[ ]לידה|ת\.?[ ]?לידה|שנת[ ]לידה|ילידת?|נולדת?י?)[ \t]{0,3}[:–-]?"
    rf"[ \t]{{0,3}}ב?-?){_DATE}",
    re.IGNORECASE,
)
_ID_NUMBER = r"(?:no|nr|number|num|מספר|מס'|מס)\b\.?"
_ID = re.compile(
    r"((?<![^\W\d_])(?:(?:(?:national[ ]|israeli[ ])?i\.?d\.?|identity(?:[ ]card)?|passport|ssn"
    r"|nino|social[ ]security|national[ ]insurance|ת\.?[ ]?ז\.?|תעודת[ ]זהות|מספר[ ]זהות|דרכון"
    rf"|(?:מספר|מס')[ ]רי?שיון)(?![^\W\d_])(?:[ ]{_ID_NUMBER})?"
    rf"|(?:licen[cs]e|registration|רי?שיון)(?:[ ]{_ID_NUMBER}|(?=[ ]?[:#])))"
    r"[ \t]{0,3}+[:#-]?[ \t]{0,3}+)"
    r"(?!(?:19|20)\d\d(?!\d))((?:[a-z]{1,3}[ -]?)?\d(?:[ -]?\d){3,13}[a-z]?)(?!\w)",
    re.IGNORECASE,
)
_SSN = re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])")
_NINE_DIGITS = re.compile(r"(?<![\w.,/+-])\d{9}(?![\w/]|[.,-]\d)")

_ADDRESS_LABEL = re.compile(r"\s*(?:home )?(?:address|כתובת)(?: למגורים)?\s*:\s*", re.IGNORECASE)
_STREET = re.compile(
    r"\d{1,5}[a-z]?,?[ ](?:[^\W\d_][\w.'’-]{0,30}+[ ]){1,4}"
    r"(?:street|st|road|rd|avenue|ave|boulevard|blvd|lane|ln|drive|dr|way|court|ct|square|sq|place|pl"
    r"|terrace|close|gardens)\b"
    r"|\b(?:street|st\.?|road|rd\.?|avenue|ave\.?|blvd\.?|rue|via|calle)[ ]"
    r"(?:[^\W\d_]{1,30}+[ ]){0,3}\d{1,4}\b"
    r"|(?<![א-ת])(?:רחוב|רח'|שד'|שדרות|דרך|סמטת|כיכר)[ ](?:[א-ת\"'׳״-]{1,20}+[ ]){1,4}\d{1,4}"
    r"|^[א-ת\"'׳״ -]{2,30}+\d{1,3}(?:/\d{1,3})?\s?(?:,|$)"
    r"|^[^\W\d_][^\W\d_'’ -]{2,30}+\d{1,3}(?:/\d{1,3})?,\s?[^\W\d_]",
    re.IGNORECASE,
)
_POSTCODE = re.compile(
    r"(?<![\d-])\d{7}$|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|\b[A-Z]{2} \d{5}(?:-\d{4})?\b"
)
_SEGMENTS = re.compile(r"[|•·\t]|\s[–—-]\s| {3,}")


def find_contact(text: str) -> Contact:
    """The contact details in a CV's text, in its order, at most twenty of a kind.

    The name, bare sites and street addresses are looked for in the lines before the first
    heading and under a contact heading; the rest everywhere.
    """
    text = normalise(text)
    header = _header(text)
    emails = _first(match[0] for match in _EMAIL.finditer(text))
    without_emails = _EMAIL.sub(" ", text)
    links = _first(
        [
            *(match[0].rstrip(".:!?") for match in _LINK.finditer(without_emails)),
            *_sites(header),
        ]
    )
    return Contact(
        name=find_name(header, emails),
        emails=emails,
        phones=_first(_phones(_LINK.sub(" ", without_emails))),
        links=links,
        addresses=_first(_addresses(header)),
    )


def redact_contact(text: str, contact: Contact) -> str:
    """The text with what identifies the person replaced by `[name]`, `[email]` and the like.

    Replaced are the contact's own values wherever they stand, and every other e-mail address,
    phone number, link, birth date and identity or licence number. Comes back normalised, so that
    an invisible character inside an address cannot hide it.
    """
    text = _BIRTH.sub(r"\1[birthdate]", normalise(text))
    text = _EMAIL.sub("[email]", text)
    text = _LINK.sub("[link]", text)
    text = _LABELLED_PHONE.sub(_redacted_phone, text)
    text = _ID.sub(r"\1[id]", text)
    text = _SSN.sub("[id]", text)
    text = _NINE_DIGITS.sub(lambda m: "[id]" if _is_israeli_id(m[0]) else m[0], text)
    text = _PHONE.sub(lambda m: m[0] if _DATE_LIKE.match(m[0]) else "[phone]", text)
    values = (
        ("[email]", contact.emails),
        ("[link]", contact.links),
        ("[phone]", contact.phones),
        ("[address]", contact.addresses),
    )
    known = [(value, mark) for mark, found in values for value in found]
    for value, mark in sorted(known, key=lambda pair: -len(pair[0])):
        text = text.replace(value, mark)
    return redact_name(text, contact.name) if contact.name else text


def _header(text: str) -> list[str]:
    """The lines that introduce the person, without blank ones."""
    lines: list[str] = []
    for section in split_sections(text):
        if section.kind in (SectionKind.HEADER, SectionKind.CONTACT):
            filled = (line for line in section.lines if line.strip())
            lines += [line for line, _ in zip(filled, range(_MOST_HEADER_LINES), strict=False)]
    return lines[: 2 * _MOST_HEADER_LINES]


def _segments(header: list[str]) -> list[str]:
    """The parts of the header's lines between bars, bullets and dashes, without e-mails."""
    parts = (part for line in header for part in _SEGMENTS.split(_EMAIL.sub("|", line[:500])))
    return [part.strip(" *_#,") for part in parts if part.strip(" *_#,")]


def _first(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))[:_MOST_OF_A_KIND]


def _phones(text: str) -> list[str]:
    found = [(m.start(2), m[2]) for m in _LABELLED_PHONE.finditer(text) if not _dated(m[2])]
    found += [(m.start(), m[0]) for m in _PHONE.finditer(text) if not _dated(m[0])]
    return [number.strip() for _, number in sorted(found)]


def _dated(number: str) -> bool:
    return _DATE_LIKE.match(number) is not None


def _redacted_phone(match: re.Match[str]) -> str:
    return match[0] if _dated(match[2]) else f"{match[1]}[phone]"


def _sites(header: list[str]) -> list[str]:
    """Bare domains that have a part of a header line to themselves: elsewhere `socket.io` is a
    skill and `monday.com` an employer.
    """
    matches = (_SITE.fullmatch(segment) for segment in _segments(header))
    return [m[1] for m in matches if m and not _NOT_A_SITE.search(m[1].partition("/")[0])]


def _addresses(header: list[str]) -> list[str]:
    found: list[str] = []
    for segment in _segments(header):
        label = _ADDRESS_LABEL.match(segment)
        bare = segment[label.end() :] if label else segment
        is_address = label or _STREET.search(bare) or _POSTCODE.search(bare)
        if is_address and len(bare) >= 5 and len(bare) <= 120:
            found.append(bare)
    return found


def _is_israeli_id(digits: str) -> bool:
    """Whether nine digits carry the check digit of an Israeli identity number.

    The rule of the Population Authority: digits weighted 1, 2, 1, 2, …, the digits of each
    product added, and the whole divisible by ten. Round numbers are amounts.
    """
    products = (int(digit) * (1 + index % 2) for index, digit in enumerate(digits))
    total = sum(product - 9 if product > 9 else product for product in products)
    return total % 10 == 0 and not digits.endswith("000")
