"""Refetching objects by their global ids."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import strawberry
from graphql import GraphQLError

from domain.auth.session_documents import Session as StoredSession
from graph import ids
from graph.account import DataExport
from graph.context import Info
from graph.cv import CV
from graph.gap_analysis import GapAnalysis, GapQuestion
from graph.identities import identity_of
from graph.job_postings import Job
from graph.loaders import RecommendationKey
from graph.node import Node
from graph.profile import User
from graph.recommendations import JobRecommendation
from graph.sessions import Session

MOST_IDS = 100
Parts = tuple[UUID, ...]


async def _user(info: Info, parts: Parts) -> Node | None:
    if parts != (info.context.user_id,):
        return None
    user = await info.context.loaders.user_by_id.load(parts[0])
    return User.of(user) if user else None


async def _cv(info: Info, parts: Parts) -> Node | None:
    cv = await info.context.loaders.cv_by_id.load(parts[-1])
    return CV.of(cv) if cv else None


async def _job(info: Info, parts: Parts) -> Node | None:
    job = await info.context.loaders.job_by_id.load(parts[-1])
    return Job.of(job) if job else None


async def _recommendation(info: Info, parts: Parts) -> Node | None:
    loaders, cv_id = info.context.loaders, parts[0] if len(parts) > 1 else None
    job, found = await asyncio.gather(
        loaders.job_by_id.load(parts[-1]),
        loaders.recommendation_by_key.load(RecommendationKey(cv_id, parts[-1])),
    )
    return JobRecommendation.of(found, job, cv_id) if job and found else None


async def _gap_analysis(info: Info, parts: Parts) -> Node | None:
    analysis = await info.context.loaders.gap_analysis_by_id.load(parts[-1])
    return GapAnalysis.of(analysis) if analysis else None


async def _data_export(info: Info, parts: Parts) -> Node | None:
    export = await info.context.loaders.data_export_by_id.load(parts[-1])
    return DataExport.of(export) if export else None


async def _gap_question(info: Info, parts: Parts) -> Node | None:
    analysis = await info.context.loaders.gap_analysis_by_id.load(parts[0])
    for question in analysis.questions if analysis else []:
        if question.id == parts[-1]:
            return GapQuestion.of(question, parts[0])
    return None


async def _session(info: Info, parts: Parts) -> Node | None:
    session = await StoredSession.of_user(parts[0], info.context.user_id)
    return Session.of(session) if session else None


async def _identity(info: Info, parts: Parts) -> Node | None:
    return await identity_of(info, parts[0])


# What refetches each type, and how many parts its ids may have.
_FETCHERS: dict[str, tuple[Callable[[Info, Parts], Awaitable[Node | None]], range]] = {
    "User": (_user, range(1, 2)),
    "Session": (_session, range(1, 2)),
    "Identity": (_identity, range(1, 2)),
    "CV": (_cv, range(1, 2)),
    "Job": (_job, range(1, 2)),
    "JobRecommendation": (_recommendation, range(1, 3)),
    "GapAnalysis": (_gap_analysis, range(1, 2)),
    "GapQuestion": (_gap_question, range(2, 3)),
    "DataExport": (_data_export, range(1, 2)),
}


async def _fetch(info: Info, id: str) -> Node | None:
    found = ids.decode(id)
    if found is None or found[0] not in _FETCHERS or info.context.session.user_id is None:
        return None
    fetch, lengths = _FETCHERS[found[0]]
    return await fetch(info, found[1]) if len(found[1]) in lengths else None


@strawberry.type
class NodeQuery:
    @strawberry.field(
        description="Refetch any object by its global id. Null when absent or not yours."
    )
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:
        return await _fetch(info, id)

    @strawberry.field(
        description="Refetch several objects by global id, in the order asked; null for each one "
        "absent. At most 100."
    )
    async def nodes(self, info: Info, ids: list[strawberry.ID]) -> list[Node | None]:
        if len(ids) > MOST_IDS:
            raise GraphQLError(
                f"At most {MOST_IDS} ids are allowed.", extensions={"code": "VALIDATION_ERROR"}
            )
        once = list(dict.fromkeys(ids))
        found = await asyncio.gather(*(_fetch(info, id) for id in once))
        by_id = dict(zip(once, found, strict=True))
        return [by_id[id] for id in ids]
