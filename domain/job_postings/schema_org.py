"""Rows that are schema.org JobPostings in JSON-LD.

Properties and their types: https://schema.org/JobPosting, and what job sites really publish there:
single values for lists, strings for objects, and whole pages of HTML as the description.
"""

import re
from collections.abc import Iterator

from domain.core.language import Language, detect_language
from domain.core.text import clean_line, clean_text
from domain.job_postings.drafts import Draft, RowError, instant, kind_of
from domain.job_postings.sections import item, split_sections

_POSTING_TYPES = {
    prefix + "JobPosting" for prefix in ("", "https://schema.org/", "http://schema.org/", "schema:")
}
_LANGUAGES = {"he": "he", "iw": "he", "hebrew": "he", "עברית": "he", "en": "en", "english": "en"}
_TEXT_KEYS = ("@value", "name", "description", "credentialCategory", "value")
_REQUIREMENT_KEYS = ("qualifications", "experienceRequirements", "educationRequirements", "skills")
# Longer parts are clauses of a sentence, not items of a comma-separated list of skills.
_SKILL_CHARACTERS = 40
_MONTHS_OF_A_CENTURY = 1200


def is_job_posting(node: dict[str, object]) -> bool:
    """Whether the node's `@type` is, or its list of types contains, JobPosting."""
    types = node.get("@type")
    return any(
        isinstance(name, str) and name in _POSTING_TYPES
        for name in (types if isinstance(types, list) else [types])
    )


def schema_org_draft(node: dict[str, object]) -> Draft:
    """The texts of a JobPosting; a property that is null counts as absent.

    Lists under known headings of the description join those of the properties of their own.
    Raises RowError where the title or the hiring organization's name is missing, or where a
    property is of a kind that has no reading.
    """
    raw_description = _text(node, "description")
    sections = split_sections(raw_description or "")
    requirements = list(sections.requirements)
    language = _language(node)
    for key in _REQUIREMENT_KEYS:
        requirements += _lines(node, key, language or detect_language(sections.description))
    posted = _text(node, "datePosted")
    return Draft(
        company_name=_organization(node),
        company_key="hiringOrganization",
        role_title=_required(_text(node, "title"), "title"),
        role_key="title",
        description=sections.description,
        requirements=requirements,
        responsibilities=sections.responsibilities + _lines(node, "responsibilities", language),
        nice_to_have=sections.nice_to_have,
        language=language,
        source_url=_text(node, "url"),
        url_key="url",
        location=_location(node),
        is_remote="TELECOMMUTE" in _strings(node.get("jobLocationType")) or None,
        posted_at=None if posted is None else instant(posted, "datePosted"),
        identifier=_identifier(node),
    )


def _required(value: str | None, key: str) -> str:
    if value is None:
        raise RowError(f"{key} is missing; expected a string")
    return value


def _first(value: object) -> object:
    return value[0] if isinstance(value, list) and value else value


def _text(node: dict[str, object], key: str) -> str | None:
    value = _first(node.get(key))
    if isinstance(value, dict):
        value = value.get("@value", value)
    if value is None or isinstance(value, str):
        return value
    raise RowError(f"{key} is {kind_of(value)}; expected a string")


def _strings(value: object) -> Iterator[str]:
    """The strings in `value`: itself, its elements, or what names an object."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for element in value:
            if not isinstance(element, list):
                yield from _strings(element)
    elif isinstance(value, dict):
        named = (value.get(key) for key in _TEXT_KEYS)
        yield from (text for text in named if isinstance(text, str))


def _name(value: object) -> str | None:
    return next(_strings(_first(value)), None)


def _organization(node: dict[str, object]) -> str:
    value = _first(node.get("hiringOrganization"))
    if value is not None and not isinstance(value, str | dict):
        raise RowError(f"hiringOrganization is {kind_of(value)}; expected an object with a name")
    name = value.get("name", value.get("legalName")) if isinstance(value, dict) else value
    if isinstance(value, dict) and not isinstance(name, str):
        raise RowError("hiringOrganization.name is missing; expected a string")
    return _required(name if isinstance(name, str) else None, "hiringOrganization")


def _lines(node: dict[str, object], key: str, language: Language | None) -> list[str]:
    value = node.get(key)
    if isinstance(value, bool | int | float):
        raise RowError(f"{key} is {kind_of(value)}; expected a string, a list or an object")
    lines: list[str] = []
    for text in _strings(value):
        cleaned = [item(line) for line in clean_text(text).split("\n")]
        lines += _listed(cleaned) if key == "skills" else cleaned
    lines += _months(value, language)
    return [line for line in lines if line]


def _listed(lines: list[str]) -> Iterator[str]:
    for line in lines:
        parts = [part.strip() for part in re.split(r"[,;]", line)]
        yield from parts if max(map(len, parts)) <= _SKILL_CHARACTERS else [line]


def _months(value: object, language: Language | None) -> Iterator[str]:
    for element in value if isinstance(value, list) else [value]:
        months = element.get("monthsOfExperience") if isinstance(element, dict) else None
        if isinstance(months, int | float) and 1 < months < _MONTHS_OF_A_CENTURY:
            words = "חודשי ניסיון" if language is Language.HE else "months of experience"
            yield f"{months:g} {words}"


def _location(node: dict[str, object]) -> str | None:
    value = node.get("jobLocation")
    if isinstance(value, bool | int | float):
        raise RowError(f"jobLocation is {kind_of(value)}; expected a Place or a string")
    places = [_place(place) for place in (value if isinstance(value, list) else [value])]
    return "; ".join(dict.fromkeys(place for place in places if place)) or None


def _place(place: object) -> str:
    if not isinstance(place, dict):
        return clean_line(place) if isinstance(place, str) else ""
    address = _first(place.get("address"))
    if isinstance(address, str):
        return clean_line(address)
    parts = address if isinstance(address, dict) else place
    names = [
        clean_line(_name(parts.get(key)) or "")
        for key in ("addressLocality", "addressRegion", "addressCountry")
    ]
    known = dict.fromkeys(name for name in names if name)
    return ", ".join(known) or clean_line(_name(place.get("name")) or "")


def _language(node: dict[str, object]) -> Language | None:
    value = _first(node.get("inLanguage"))
    names = [value] if isinstance(value, str) else []
    if isinstance(value, dict):
        names = [
            name
            for name in (value.get("alternateName"), value.get("name"))
            if isinstance(name, str)
        ]
    for name in names:
        tag = re.split(r"[-_]", name.strip().lower())[0]
        if tag in _LANGUAGES:
            return Language(_LANGUAGES[tag])
    return None


def _identifier(node: dict[str, object]) -> str | None:
    value = _first(node.get("identifier"))
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return clean_line(value) or None if isinstance(value, str) else None
