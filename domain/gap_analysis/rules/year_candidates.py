"""Questions about years asked for that a CV's dates do not show."""

from collections.abc import Iterator

from domain.core.levels import GapLevel
from domain.gap_analysis.rules.candidates import Candidate
from domain.gap_analysis.rules.phrases import Case
from domain.gap_analysis.rules.reading import Reading
from domain.gap_analysis.rules.tenure import years_named, years_spoken_of
from domain.gap_analysis.rules.wording import names_literally
from domain.job_postings.statements import ReadStatement, Section

# How far from "7 years" the name of what they were spent on stands, in characters.
_REACH = 60
# A CV that speaks of years more often than this is no CV.
_MOST_SPOKEN_OF = 200


def year_candidates(reading: Reading) -> Iterator[Candidate]:
    """Years of a skill that the CV states, or of the posting's kind of work.

    Years of a skill that the CV does not state are left to the question about that skill.
    """
    spoken_of = years_spoken_of(reading.evidence.text)[:_MOST_SPOKEN_OF]
    seen: set[tuple[str | None, int]] = set()
    for part in reading.parts:
        years = years_named(part.text)
        if years is None or part.statement.section is Section.RESPONSIBILITIES:
            continue
        stated = [m.skill_id for m in part.mentions if m.skill_id in reading.evidence.stated]
        skill = stated[0] if stated else None
        if (part.mentions and not stated) or (skill, years) in seen:
            continue
        seen.add((skill, years))
        if not _states_years(reading, skill, years, spoken_of):
            if skill:
                yield from _of_skill(reading, part, years, skill)
            else:
                yield from _of_work(reading, part, years)


def _of_skill(reading: Reading, part: ReadStatement, years: int, skill: str) -> Iterator[Candidate]:
    evidence = reading.evidence
    shown = evidence.months(held for held in evidence.positions if skill in held.skills)
    level = _likely_longer(shown, evidence.months(evidence.positions), years)
    if level is not None:
        topic = reading.topic(skill)
        yield reading.candidate(Case.YEARS_OF_SKILL, part, level, topic=topic, years=str(years))


def _of_work(reading: Reading, part: ReadStatement, years: int) -> Iterator[Candidate]:
    if not reading.similar:
        return
    shown = reading.evidence.months(reading.similar)
    level = _likely_longer(shown, reading.evidence.months(reading.evidence.positions), years)
    if level is not None:
        yield reading.candidate(Case.YEARS_OF_WORK, part, level, years=str(years))


def _states_years(
    reading: Reading, skill: str | None, years: int, spoken_of: list[tuple[int, int]]
) -> bool:
    """Whether the CV says so itself: as many years, near the skill's name where there is one."""
    text = reading.evidence.text
    enough = (start for found, start in spoken_of if found >= years)
    near = (text[max(0, start - _REACH) : start + _REACH] for start in enough)
    labels = reading.catalogue[skill].labels if skill else ()
    return any(not labels or any(names_literally(words, it) for it in labels) for words in near)


def _likely_longer(shown: int | None, career: int | None, years: int) -> GapLevel | None:
    """How likely more than the `shown` months are; None when they are enough or far too few."""
    if shown is not None and shown >= years * 12:
        return None
    if career is None:
        return GapLevel.MEDIUM
    if career >= years * 12:
        return GapLevel.HIGH
    return GapLevel.LOW if 5 * career >= 3 * years * 12 else None
