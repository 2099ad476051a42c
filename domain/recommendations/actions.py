"""Recommending jobs."""

import asyncio
from collections.abc import Container, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.core.deps import Deps
from domain.core.errors import Missing, NotFound
from domain.core.pagination import Page, PageRequest, decode_cursor, page_of
from domain.cv.documents import CV
from domain.cv.parsing.parsed_cv import ParsedCV
from domain.job_postings.documents import Job, JobSummary
from domain.profile.documents import User
from domain.recommendations.rules import (
    Candidate,
    Reason,
    distinct_roles,
    languages_spoken,
    match,
)
from domain.skills.catalogue import Catalogue, SkillKind

CURSOR_ORDER = "recommendations"


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A job suggested to a person. `score` is 0 to 1."""

    job_id: UUID
    score: float
    reasons: tuple[Reason, ...]


async def rank(deps: Deps, user_id: UUID, cv_id: UUID | None) -> list[Recommendation]:
    """The whole catalogue, best match first, equals by id.

    The match rests on all the person's CVs, or on one of them. Raises NotFound for a CV that is
    absent or not theirs.
    """
    candidate, common = await _candidate(user_id, cv_id), _common_skills(deps.catalogue)
    # In a thread, so that others are served meanwhile.
    return await asyncio.to_thread(_ranked, candidate, await Job.summaries(), common)


async def recommend_jobs(
    deps: Deps, user_id: UUID, cv_id: UUID | None, job_ids: Sequence[UUID]
) -> list[Recommendation]:
    """These jobs, as far as they exist, held against the person; none for a CV not theirs."""
    if cv_id is not None and await CV.of_user(cv_id, user_id) is None:
        return []
    candidate, common = await _candidate(user_id, cv_id), _common_skills(deps.catalogue)
    return await asyncio.to_thread(_ranked, candidate, await Job.summaries(job_ids), common)


async def _candidate(user_id: UUID, cv_id: UUID | None) -> Candidate:
    user = await User.get(user_id)
    cvs = await _parsed(user_id, cv_id)
    held = [item.role for cv in cvs for item in cv.experience if item.role]
    wanted = user.target_roles if user else []
    return Candidate(
        skills=tuple(dict.fromkeys(skill for cv in cvs for skill in cv.skills)),
        roles=distinct_roles([*wanted, *held]),
        location=user.location if user else None,
        prefers_remote=user.prefers_remote if user else None,
        languages=frozenset(cv.language for cv in cvs)
        | languages_spoken([language for cv in cvs for language in cv.languages]),
    )


async def _parsed(user_id: UUID, cv_id: UUID | None) -> list[ParsedCV]:
    if cv_id is not None and await CV.of_user(cv_id, user_id) is None:
        raise NotFound(Missing.CV, ["cvId"], cv_id)
    return await CV.matching_parts(user_id, cv_id)


def _common_skills(catalogue: Catalogue) -> frozenset[str]:
    """Spoken languages and what is asked for in every line of work."""
    common = (SkillKind.LANGUAGE, SkillKind.GENERAL)
    return frozenset(id for id, skill in catalogue.items() if skill.kind in common)


def _ranked(
    candidate: Candidate, jobs: Sequence[JobSummary], common_skills: Container[str]
) -> list[Recommendation]:
    matches = ((job.id, match(candidate, job, common_skills)) for job in jobs)
    found = [Recommendation(id, fit.score, fit.reasons) for id, fit in matches]
    return sorted(found, key=_rank)


def _rank(found: Recommendation) -> tuple[float, UUID]:
    return -found.score, found.job_id


def page_of_ranking(ranked: list[Recommendation], request: PageRequest) -> Page[Recommendation]:
    """A page of a ranking. Raises InvalidInput for a bad cursor."""
    rows = ranked
    if request.after is not None:
        score, job_id = decode_cursor(request.after, CURSOR_ORDER, [float, UUID], "after")
        rows = [row for row in rows if _rank(row) > (-score, job_id)]
    if request.before is not None:
        score, job_id = decode_cursor(request.before, CURSOR_ORDER, [float, UUID], "before")
        rows = [row for row in rows if _rank(row) < (-score, job_id)]
    if request.is_backward:
        rows = rows[::-1]

    async def count() -> int:
        return len(ranked)

    return page_of(rows[: request.size + 1], request, lambda row: (row.score, row.job_id), count)
