"""Data loaders, one set for each request or socket.

They batch but keep nothing: a socket lives long, and what it shows must be fresh.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

import structlog
from strawberry.dataloader import DataLoader

from domain.core.deps import Deps
from domain.cv.documents import CV
from domain.job_postings.documents import Job
from domain.profile.documents import User
from domain.skills.gap import SkillsGap

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class GapKey:
    """The viewer's skills, or those of one of their CVs, against a job's."""

    cv_id: UUID | None
    required: tuple[str, ...]


class Loaders:
    def __init__(self, deps: Deps, user_id: UUID | None) -> None:
        self._deps = deps
        self._user_id = user_id
        self.user_by_id = DataLoader[UUID, User | None](self._users, cache=False)
        self.cv_by_id = DataLoader[UUID, CV | None](self._cvs, cache=False)
        self.job_by_id = DataLoader[UUID, Job | None](self._jobs, cache=False)
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

    async def _gaps(self, keys: list[GapKey]) -> list[SkillsGap | None]:
        by_cv: dict[UUID | None, list[GapKey]] = defaultdict(list)
        for key in dict.fromkeys(keys):
            by_cv[key.cv_id].append(key)
        found: dict[GapKey, SkillsGap] = {}
        for cv_id, group in by_cv.items():
            found.update(zip(group, await self._gaps_of(cv_id, group), strict=False))
        return [found.get(key) for key in keys]

    async def _gaps_of(self, cv_id: UUID | None, keys: list[GapKey]) -> list[SkillsGap]:
        """The gaps, or an empty list: a recommendation stands without its gap."""
        skills = await CV.skills_of_user(self._user_id, cv_id) if self._user_id else []
        if not skills:
            return []
        try:
            async with asyncio.timeout(self._deps.settings.skill_engine_seconds):
                return await self._deps.skill_engine.gaps(skills, [key.required for key in keys])
        except Exception as error:  # noqa: BLE001  # an engine may fail in any way it likes
            log.warning("no skills gaps", jobs=len(keys), error=repr(error))
            return []
