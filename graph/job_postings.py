"""The catalogue of jobs."""

from datetime import datetime
from typing import Self

import strawberry

from domain.core.pagination import Page
from domain.job_postings import documents
from domain.job_postings import posting as domain_posting
from domain.job_postings.rules import check_search
from graph import ids
from graph.context import Info, SignedIn
from graph.enums import JobOrderField, Language, OrderDirection
from graph.errors import top_level_errors
from graph.loaders import GapKey
from graph.node import Node
from graph.paging import PageInfo, cursors_of, page_info_of, request_of
from graph.scalars import URL
from graph.skills_gap import SkillsGap


@strawberry.type(
    description="A job posting as its employer wrote it, with tags and scripts removed."
)
class JobPosting:
    company_name: str
    role_title: str
    description: str | None
    requirements: list[str]
    responsibilities: list[str]
    nice_to_have: list[str]
    language: Language
    source_url: URL | None

    @classmethod
    def of(cls, posting: domain_posting.Posting) -> Self:
        return cls(
            company_name=posting.company_name, role_title=posting.role_title,
            description=posting.description, requirements=posting.requirements,
            responsibilities=posting.responsibilities, nice_to_have=posting.nice_to_have,
            language=posting.language,
            source_url=URL(posting.source_url) if posting.source_url else None,
        )  # fmt: skip


@strawberry.type(description="A job in the catalogue.")
class Job(Node):
    stored: strawberry.Private[documents.Job]
    posting: JobPosting
    location: str | None
    is_remote: bool | None
    posted_at: datetime | None

    @classmethod
    def of(cls, job: documents.Job) -> Self:
        return cls(
            id=ids.encode("Job", job.id), stored=job, posting=JobPosting.of(job.posting),
            location=job.location, is_remote=job.is_remote, posted_at=job.posted_at,
        )  # fmt: skip

    @strawberry.field
    def required_skills(self, info: Info) -> list[str]:
        return [info.context.deps.catalogue.name(id) for id in self.stored.required_skills]

    @strawberry.field(
        description="The viewer's skills against this job. Null when the analysis service failed "
        "or the viewer has no skills yet."
    )
    async def skills_gap(self, info: Info) -> SkillsGap | None:
        key = GapKey(None, tuple(self.stored.required_skills))
        gap = await info.context.loaders.skills_gap_by_key.load(key)
        return SkillsGap.of(gap, info) if gap and gap.user_skills else None


@strawberry.type(description="A job and its cursor.")
class JobEdge:
    node: Job
    cursor: str


@strawberry.type(description="A page of jobs. Default 20, at most 100.")
class JobConnection:
    page: strawberry.Private[Page[documents.Job]]
    edges: list[JobEdge]
    nodes: list[Job]
    page_info: PageInfo

    @classmethod
    def of(cls, page: Page[documents.Job], order: str) -> Self:
        nodes = [Job.of(job) for job in page.rows]
        cursors = cursors_of(page, order)
        edges = [
            JobEdge(node=node, cursor=cursor) for node, cursor in zip(nodes, cursors, strict=True)
        ]
        return cls(page=page, edges=edges, nodes=nodes, page_info=page_info_of(page, cursors))

    @strawberry.field
    async def total_count(self) -> int | None:
        return await self.page.count()


@strawberry.input(description="Every given condition must hold.")
class JobFilter:
    query: str | None = strawberry.field(
        default=None, description="Words to look for in title, company, text and location."
    )
    skills: list[str] | None = strawberry.field(
        default=None, description="Skills that the job must require, in any usual spelling."
    )
    company_name: str | None = None
    is_remote: bool | None = None


@strawberry.input(description="How to sort jobs.")
class JobOrder:
    field: JobOrderField
    direction: OrderDirection


@strawberry.type
class JobQuery:
    @strawberry.field(
        permission_classes=[SignedIn], description="Search job postings known to this server."
    )
    async def jobs(
        self, info: Info, first: int | None = None, after: str | None = None,
        last: int | None = None, before: str | None = None,
        filter: JobFilter | None = None, order_by: JobOrder | None = None,
    ) -> JobConnection:  # fmt: skip
        order = order_by or JobOrder(
            field=documents.JobOrder.RELEVANCE, direction=OrderDirection.DESC
        )
        async with top_level_errors(info):
            request = request_of(info, first, after, last, before)
            page, name = await documents.Job.page(
                _filter_of(info, filter), order.field, order.direction.value, request
            )
        return JobConnection.of(page, name)


def _filter_of(info: Info, filter: JobFilter | None) -> documents.JobFilter:
    if filter is None:
        return documents.JobFilter()
    check_search(filter.query, filter.skills, filter.company_name)
    canonical = info.context.deps.extractor.canonical
    return documents.JobFilter(
        query=filter.query,
        # A skill that nobody knows is required by no job, so it is searched as it stands.
        skills=[canonical(label) or label for label in filter.skills or []],
        company_name=filter.company_name,
        is_remote=filter.is_remote,
    )
