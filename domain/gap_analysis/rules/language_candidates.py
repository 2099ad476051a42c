"""Questions about spoken languages."""

import re
from collections.abc import Iterator
from dataclasses import replace

from domain.core.language import Language
from domain.core.levels import GapLevel
from domain.gap_analysis.rules.candidates import Candidate
from domain.gap_analysis.rules.phrases import Case
from domain.gap_analysis.rules.reading import Reading
from domain.gap_analysis.rules.wording import names_literally
from domain.job_postings.statements import ReadStatement
from domain.skills.catalogue import SkillKind

_LEVEL = re.compile(
    r"\b(?:fluen\w+|native|mother[- ]tongue|bilingual|proficien\w+|professional|advanced|"
    r"intermediate|basic|conversational|high level|excellent|very good|good|[abc][12])\b"
    r"|שפת אם|שוטפת|גבוהה|טובה|מצוינת|מצוין|בסיסית|מתקדמת|רמת?",
    re.IGNORECASE,
)
_LABEL_OF = {Language.EN: "english", Language.HE: "hebrew"}


def language_candidates(reading: Reading) -> Iterator[Candidate]:
    """A language that the CV is written in but does not name, or names without the level asked."""
    lines = (*reading.request.cv.languages, *reading.evidence.text.splitlines())
    levels = "\n".join(line for line in lines if _LEVEL.search(line))
    asked: dict[str, ReadStatement] = {}
    for part in reading.parts:
        for mention in part.mentions:
            is_spoken = reading.catalogue[mention.skill_id].kind is SkillKind.LANGUAGE
            if is_spoken and not mention.is_negated:
                asked.setdefault(mention.skill_id, part)
    for skill, part in asked.items():
        yield from _of_language(reading, part, skill, levels)


def _of_language(
    reading: Reading, part: ReadStatement, skill: str, levels: str
) -> Iterator[Candidate]:
    topic = reading.topic(skill)
    if skill in reading.evidence.stated:
        is_leveled = any(names_literally(levels, it) for it in reading.catalogue[skill].labels)
        if _LEVEL.search(part.text) and not is_leveled:
            yield reading.candidate(Case.LANGUAGE_LEVEL, part, GapLevel.HIGH, topic=topic)
    elif skill == _language_of_cv(reading) and skill not in reading.evidence.denied:
        found = reading.candidate(Case.LANGUAGE_OF_CV, part, GapLevel.HIGH, topic=topic)
        yield replace(found, skill=skill)


def _language_of_cv(reading: Reading) -> str | None:
    return reading.catalogue.id_by_label.get(_LABEL_OF[reading.request.cv.language])
