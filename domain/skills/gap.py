"""What a person has of what a job asks for."""

from collections.abc import Sequence
from dataclasses import dataclass

COVERAGE_PLACES = 4


@dataclass(frozen=True, slots=True)
class SkillsGap:
    """Skill ids of a person and of a job, compared.

    Each tuple has an id once. `missing_skills` and `matched_skills` keep the order of
    `required_skills` and together make it up. `coverage` is the matched share, 0 to 1, rounded to
    four places; 1.0 when nothing is required.
    """

    user_skills: tuple[str, ...]
    required_skills: tuple[str, ...]
    missing_skills: tuple[str, ...]
    matched_skills: tuple[str, ...]
    coverage: float


def skills_gap(user: Sequence[str], required: Sequence[str]) -> SkillsGap:
    """The gap between the skills of a person and those of a job, both as canonical ids."""
    owned = dict.fromkeys(user)
    asked = tuple(dict.fromkeys(required))
    matched = tuple(skill for skill in asked if skill in owned)
    return SkillsGap(
        user_skills=tuple(owned),
        required_skills=asked,
        missing_skills=tuple(skill for skill in asked if skill not in owned),
        matched_skills=matched,
        coverage=round(len(matched) / len(asked), COVERAGE_PLACES) if asked else 1.0,
    )
