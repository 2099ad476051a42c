"""Skills against skills."""

from typing import Self

import strawberry

from domain.skills import gap as domain_gap
from graph.context import Info


@strawberry.type(description="Skills the user has against skills a job asks for.")
class SkillsGap:
    user_skills: list[str]
    required_skills: list[str]
    missing_skills: list[str]
    matched_skills: list[str] = strawberry.field(description="Required skills that the user has.")
    coverage: float = strawberry.field(
        description="Share of the required skills that the user has, between 0 and 1. One when "
        "none is required."
    )

    @classmethod
    def of(cls, gap: domain_gap.SkillsGap, info: Info) -> Self:
        name = info.context.deps.catalogue.name
        return cls(
            user_skills=[name(id) for id in gap.user_skills],
            required_skills=[name(id) for id in gap.required_skills],
            missing_skills=[name(id) for id in gap.missing_skills],
            matched_skills=[name(id) for id in gap.matched_skills],
            coverage=gap.coverage,
        )
