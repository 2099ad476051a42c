"""What a posting asks for."""

from domain.core.levels import GapLevel
from domain.job_postings.posting import Posting
from domain.job_postings.statements import ReadStatement, Section, read_statements
from domain.skills.extraction import SkillExtractor


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
