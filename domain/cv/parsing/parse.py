"""A CV's text, read by rules."""

import re
from itertools import chain, islice

from domain.core.language import detect_language
from domain.cv.parsing.contact import find_contact, redact_contact
from domain.cv.parsing.education import read_education
from domain.cv.parsing.entries import MOST_ENTRIES
from domain.cv.parsing.experience import read_experience
from domain.cv.parsing.parsed_cv import Education, Experience, ParsedCV
from domain.cv.parsing.plain_text import normalise, without_bullet, without_markup
from domain.cv.parsing.sections import Section, SectionKind, split_sections
from domain.cv.parsing.spoken_languages import read_languages
from domain.skills.extraction import SkillExtractor

_MOST_CERTIFICATIONS = 100
_LONGEST_CERTIFICATION = 200
_ITEMS = re.compile(r"[;|•·]")


def parse_cv(text: str, extractor: SkillExtractor) -> ParsedCV:
    """What a CV says, in time linear in its length. Any text will do; it never raises.

    Skills are those that the whole text names without its contact details, so that an address at
    `python.org` is not Python.
    """
    text = normalise(text)
    sections = split_sections(text)
    contact = find_contact(text)
    return ParsedCV(
        language=detect_language(text),
        contact=contact,
        skills=extractor.skills(redact_contact(text, contact)),
        experience=_experience(sections, extractor),
        education=_education(sections),
        certifications=_certifications(_of(sections, SectionKind.CERTIFICATIONS)),
        languages=read_languages(_lines(_of(sections, SectionKind.LANGUAGES))),
    )


def _of(sections: list[Section], kind: SectionKind) -> list[Section]:
    return [section for section in sections if section.kind is kind]


def _lines(sections: list[Section]) -> tuple[str, ...]:
    """The lines of several sections of a kind, a blank one between two."""
    return tuple(line for section in sections for line in (*section.lines, ""))


def _experience(sections: list[Section], extractor: SkillExtractor) -> list[Experience]:
    named = _of(sections, SectionKind.EXPERIENCE)
    if named:
        read = (read_experience(section.lines, extractor) for section in named)
        return list(islice(chain.from_iterable(read), MOST_ENTRIES))
    header = _of(sections, SectionKind.HEADER)
    return read_experience(_lines(header), extractor, is_sure=False)


def _education(sections: list[Section]) -> list[Education]:
    return read_education(_lines(_of(sections, SectionKind.EDUCATION)))


def _certifications(sections: list[Section]) -> list[str]:
    items: list[str] = []
    for section in sections:
        filled = [line for line in section.lines if line.strip()]
        for line in filled:
            bare = without_markup(without_bullet(line))
            parts = _ITEMS.split(bare)
            if len(filled) == 1 and len(parts) == 1 and not any(map(str.isdigit, bare)):
                parts = bare.split(", ")
            items += [part.strip(" ,.") for part in parts if len(part) <= _LONGEST_CERTIFICATION]
    return list(dict.fromkeys(item for item in items if item))[:_MOST_CERTIFICATIONS]
