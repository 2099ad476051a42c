"""What a posting asks for, and what may be searched for."""

from collections.abc import Sequence

from domain.core.input_checks import check_count, check_length
from domain.core.levels import GapLevel
from domain.job_postings.posting import Posting
from domain.job_postings.statements import ReadStatement, Section, read_statements
from domain.skills.extraction import SkillExtractor

QUERY_MAX = 500
SKILL_LABEL_MAX = 100
"""Characters; the catalogue's longest label has half of them."""
SKILLS_MAX = 50
COMPANY_NAME_MAX = 300


def check_search(query: str | None, skills: Sequence[str] | None, company: str | None) -> None:
    """Bounds on a search for jobs, before anything is done with it. Raises InvalidInput."""
    check_length(query or "", ["filter", "query"], QUERY_MAX)
    check_count(skills or [], ["filter", "skills"], SKILLS_MAX)
    for index, label in enumerate(skills or []):
        check_length(label, ["filter", "skills", str(index)], SKILL_LABEL_MAX)
    check_length(company or "", ["filter", "companyName"], COMPANY_NAME_MAX)


def required_skills(posting: Posting, extractor: SkillExtractor) -> list[str]:
    """Ids of the skills a posting requires, each once, in its order.

    They come from its requirements, but for what is worded as an advantage; from the description
    and the responsibilities where no requirement names a skill.
    """
    parts = read_statements(posting, extractor)
    listed = _skills(parts, {Section.REQUIREMENTS})
    return listed or _skills(parts, {Section.DESCRIPTION, Section.RESPONSIBILITIES})


def _skills(parts: list[ReadStatement], sections: set[Section]) -> list[str]:
    found = [
        mention.skill_id
        for part in parts
        if part.statement.section in sections and part.statement.impact is not GapLevel.LOW
        for mention in part.mentions
        if not mention.is_negated
    ]
    return list(dict.fromkeys(found))
