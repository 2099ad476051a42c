"""Jobs recommended to the viewer."""

from typing import Self
from uuid import UUID

import strawberry

from domain.core.errors import Missing, NotFound
from domain.core.pagination import Page
from domain.job_postings import documents as job_documents
from domain.recommendations import actions
from graph import ids
from graph.context import Info, SignedIn
from graph.errors import top_level_errors
from graph.job_postings import Job
from graph.loaders import GapKey
from graph.node import Node
from graph.paging import PageInfo, cursors_of, page_info_of, request_of
from graph.reason_texts import text_of
from graph.skills_gap import SkillsGap


@strawberry.type(description="A job suggested to the user.")
class JobRecommendation(Node):
    found: strawberry.Private[actions.Recommendation]
    stored_job: strawberry.Private[job_documents.Job]
    cv_id: strawberry.Private[UUID | None]
    score: float = strawberry.field(description="Match between 0 and 1.")
    job: Job

    @classmethod
    def of(cls, found: actions.Recommendation, job: job_documents.Job, cv_id: UUID | None) -> Self:
        return cls(
            id=ids.encode("JobRecommendation", *([cv_id] if cv_id else []), job.id),
            found=found, stored_job=job, cv_id=cv_id, score=found.score, job=Job.of(job),
        )  # fmt: skip

    @strawberry.field(description="Short reasons, most important first.")
    async def reasons(self, info: Info) -> list[str]:
        language = await info.context.language()
        name = info.context.deps.catalogue.name
        return [text_of(reason, language, name) for reason in self.found.reasons]

    @strawberry.field(
        description="Null when the analysis service failed: the recommendation itself still "
        "stands and no error is raised."
    )
    async def skills_gap(self, info: Info) -> SkillsGap | None:
        key = GapKey(self.cv_id, tuple(self.stored_job.required_skills))
        gap = await info.context.loaders.skills_gap_by_key.load(key)
        return SkillsGap.of(gap, info) if gap else None


@strawberry.type(description="A recommendation and its cursor.")
class JobRecommendationEdge:
    node: JobRecommendation
    cursor: str


@strawberry.type(description="A page of recommendations. Default 20, at most 100.")
class JobRecommendationConnection:
    page: strawberry.Private[Page[actions.Recommendation]]
    edges: list[JobRecommendationEdge]
    nodes: list[JobRecommendation]
    page_info: PageInfo

    @strawberry.field
    async def total_count(self) -> int | None:
        return await self.page.count()


@strawberry.type
class RecommendationQuery:
    @strawberry.field(
        permission_classes=[SignedIn],
        description="Jobs recommended to the viewer, best match first.",
    )
    async def job_recommendations(
        self, info: Info, first: int | None = None, after: str | None = None,
        last: int | None = None, before: str | None = None, cv_id: strawberry.ID | None = None,
    ) -> JobRecommendationConnection:  # fmt: skip
        context = info.context
        async with top_level_errors(info):
            request = request_of(info, first, after, last, before)
            cv = _cv_of(cv_id)
            ranked = await context.loaders.ranking_by_cv.load(cv)
            page = actions.page_of_ranking(ranked, request)
        return await _connection(info, page, cv)


def _cv_of(id: strawberry.ID | None) -> UUID | None:
    if id is None:
        return None
    cv_id = ids.decode_as("CV", id)
    if cv_id is None:
        raise NotFound(Missing.CV, ["cvId"], id)
    return cv_id


async def _connection(
    info: Info, page: Page[actions.Recommendation], cv_id: UUID | None
) -> JobRecommendationConnection:
    jobs = await info.context.loaders.job_by_id.load_many([row.job_id for row in page.rows])
    edges = [
        JobRecommendationEdge(node=JobRecommendation.of(row, job, cv_id), cursor=cursor)
        for row, job, cursor in zip(
            page.rows, jobs, cursors_of(page, actions.CURSOR_ORDER), strict=True
        )
        if job is not None  # taken out of the catalogue since it was ranked
    ]
    return JobRecommendationConnection(
        page=page,
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=page_info_of(page, [edge.cursor for edge in edges]),
    )
