"""Data loaders, one set for each request or socket.

They batch but keep nothing: a socket lives long, and what it shows must be fresh.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

import structlog
from strawberry.dataloader import DataLoader

from domain.account.documents import DataExport
from domain.core.deps import Deps
from domain.core.errors import DomainError
from domain.cv.documents import CV
from domain.gap_analysis.documents import GapAnalysis
from domain.job_postings.documents import Job
from domain.profile.documents import User
from domain.recommendations.actions import Recommendation, rank, recommend_jobs
from domain.skills.gap import SkillsGap

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class GapKey:
    """The viewer's skills, or those of one of their CVs, against a job's."""

    cv_id: UUID | None
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecommendationKey:
    """A job held against the viewer, or against one of their CVs."""

    cv_id: UUID | None
    job_id: UUID


class Loaders:
    def __init__(self, deps: Deps, user_id: UUID | None) -> None:
        self._deps = deps
        self._user_id = user_id
        self.user_by_id = DataLoader[UUID, User | None](self._users, cache=False)
        self.cv_by_id = DataLoader[UUID, CV | None](self._cvs, cache=False)
        self.job_by_id = DataLoader[UUID, Job | None](self._jobs, cache=False)
        self.gap_analysis_by_id = DataLoader[UUID, GapAnalysis | None](self._analyses, cache=False)
        self.data_export_by_id = DataLoader[UUID, DataExport | None](self._exports, cache=False)
        self.recommendation_by_key = DataLoader[RecommendationKey, Recommendation | None](
            self._recommendations, cache=False
        )
        self.ranking_by_cv = DataLoader[UUID | None, list[Recommendation]](
            self._rankings, cache=False
        )
        self.skills_gap_by_key = DataLoader[GapKey, SkillsGap | None](self._gaps, cache=False)

    async def _users(self, ids: list[UUID]) -> list[User | None]:
        found = await User.by_ids(ids)
        return [found.get(id) for id in ids]

    async def _cvs(self, ids: list[UUID]) -> list[CV | None]:
        found = await CV.by_ids(ids, self._user_id) if self._user_id else {}
        return [found.get(id) for id in ids]

    async def _jobs(self, ids: list[UUID]) -> list[Job | None]:
        found = await Job.by_ids(ids)
        return [found.get(id) for id in ids]

    async def _analyses(self, ids: list[UUID]) -> list[GapAnalysis | None]:
        found = await GapAnalysis.by_ids(ids, self._user_id) if self._user_id else {}
        return [found.get(id) for id in ids]

    async def _exports(self, ids: list[UUID]) -> list[DataExport | None]:
        found = await DataExport.by_ids(ids, self._user_id) if self._user_id else {}
        return [found.get(id) for id in ids]

    async def _recommendations(self, keys: list[RecommendationKey]) -> list[Recommendation | None]:
        found: dict[RecommendationKey, Recommendation] = {}
        if self._user_id is None:
            return [None for _ in keys]
        for cv_id in {key.cv_id for key in keys}:
            jobs = [key.job_id for key in keys if key.cv_id == cv_id]
            for row in await recommend_jobs(self._deps, self._user_id, cv_id, jobs):
                found[RecommendationKey(cv_id, row.job_id)] = row
        return [found.get(key) for key in keys]

    async def _rankings(self, cv_ids: list[UUID | None]) -> list[list[Recommendation] | Exception]:
        """Fields of one operation that ask for the same ranking share it."""
        found = {cv_id: await self._ranking(cv_id) for cv_id in dict.fromkeys(cv_ids)}
        return [found[cv_id] for cv_id in cv_ids]

    async def _ranking(self, cv_id: UUID | None) -> list[Recommendation] | Exception:
        if self._user_id is None:
            return []
        try:
            return await rank(self._deps, self._user_id, cv_id)
        except DomainError as error:  # the other rankings stand
            return error

    async def _gaps(self, keys: list[GapKey]) -> list[SkillsGap | None]:
        by_cv: dict[UUID | None, list[GapKey]] = defaultdict(list)
        for key in dict.fromkeys(keys):
            by_cv[key.cv_id].append(key)
        found: dict[GapKey, SkillsGap] = {}
        for cv_id, group in by_cv.items():
            found.update(await self._gaps_of(cv_id, group))
        return [found.get(key) for key in keys]

    async def _gaps_of(self, cv_id: UUID | None, keys: list[GapKey]) -> dict[GapKey, SkillsGap]:
        """The gaps by key, or nothing: a recommendation stands without its gap."""
        try:
            async with asyncio.timeout(self._deps.settings.skill_engine_seconds):
                skills = await CV.skills_of_user(self._user_id, cv_id) if self._user_id else []
                gaps = await self._deps.skill_engine.gaps(skills, [key.required for key in keys])
            return dict(zip(keys, gaps, strict=True))
        except Exception as error:  # noqa: BLE001  # an engine may fail in any way it likes
            log.warning("no skills gaps", jobs=len(keys), error=repr(error))
            return {}
