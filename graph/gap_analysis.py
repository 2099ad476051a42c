"""Gap analyses as clients see them."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from domain.core.pagination import Page
from domain.gap_analysis import documents
from graph import ids
from graph.context import Info
from graph.cv import CV
from graph.enums import GapAnalysisStatus, GapLevel, Language
from graph.failure import Failure
from graph.job_postings import JobPosting
from graph.node import Node
from graph.paging import PageInfo, cursors_of, page_info_of
from graph.results import result_url
from graph.scalars import URL


@strawberry.type(description="The user's answer to one question.")
class GapAnswer:
    text: str
    answered_at: datetime


@strawberry.type(description="A targeted question about one gap.")
class GapQuestion(Node):
    question: str
    impact: GapLevel = strawberry.field(description="How much this gap matters for the job.")
    probability: GapLevel = strawberry.field(
        description="How likely it is that the user has this experience."
    )
    gap_score: float = strawberry.field(description="Priority between 0 and 1.")
    answer: GapAnswer | None = strawberry.field(description="Null until answered.")

    @classmethod
    def of(cls, question: documents.GapQuestion, analysis_id: UUID) -> Self:
        answer = question.answer
        return cls(
            id=ids.encode("GapQuestion", analysis_id, question.id),
            question=question.question, impact=question.impact,
            probability=question.probability, gap_score=question.gap_score,
            answer=GapAnswer(text=answer.text, answered_at=answer.answered_at) if answer else None,
        )  # fmt: skip


@strawberry.type(description="How a result was made.")
class GapAnalysisMetadata:
    questions_generated: int
    processing_time_seconds: float
    language: Language
    engine: str = strawberry.field(
        description="What made the questions: the model's id, or RULES for the built-in analyst."
    )


@strawberry.type(description="Outcome of a completed analysis.")
class GapAnalysisResult:
    metadata: GapAnalysisMetadata
    result_url: URL = strawberry.field(description="Signed download of the result as JSON.")
    result_expires_at: datetime

    @classmethod
    def of(cls, analysis: documents.GapAnalysis, info: Info) -> Self:
        url, expires_at = result_url(info.context.deps, analysis.id)
        metadata = GapAnalysisMetadata(
            questions_generated=len(analysis.questions),
            processing_time_seconds=analysis.processing_seconds,
            language=analysis.language,
            engine=analysis.engine or "",
        )
        return cls(metadata=metadata, result_url=url, result_expires_at=expires_at)


@strawberry.type(description="One asynchronous gap analysis.")
class GapAnalysis(Node):
    stored: strawberry.Private[documents.GapAnalysis]
    job_id: UUID = strawberry.field(description="Raw job id, as in logs and support requests.")
    status: GapAnalysisStatus
    progress_percent: int = strawberry.field(description="Share done, 0 to 100.")
    message: str | None = strawberry.field(
        description="What the worker is doing now, in the analysis's language."
    )
    job_posting: JobPosting
    language: Language
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    failed_at: datetime | None
    questions: list[GapQuestion] = strawberry.field(
        description="At most five, highest gapScore first. Grows while status is PROCESSING; "
        "final when COMPLETED; may be empty."
    )
    failure: Failure | None = strawberry.field(description="Set only when status is FAILED.")

    @classmethod
    def of(cls, analysis: documents.GapAnalysis) -> Self:
        return cls(
            id=ids.encode("GapAnalysis", analysis.id), stored=analysis, job_id=analysis.id,
            status=analysis.status, progress_percent=analysis.progress_percent,
            message=analysis.message, job_posting=JobPosting.of(analysis.posting),
            language=analysis.language, created_at=analysis.created_at,
            started_at=analysis.started_at, completed_at=analysis.completed_at,
            failed_at=analysis.failed_at,
            questions=[GapQuestion.of(item, analysis.id) for item in analysis.questions],
            failure=Failure.of(analysis.failure),
        )  # fmt: skip

    @strawberry.field(description="Null when the CV was deleted since.")
    async def cv(self, info: Info) -> CV | None:
        cv = await info.context.loaders.cv_by_id.load(self.stored.cv_id)
        return CV.of(cv) if cv else None

    @strawberry.field(description="Set only when status is COMPLETED.")
    def result(self, info: Info) -> GapAnalysisResult | None:
        if self.stored.status is not documents.GapAnalysisStatus.COMPLETED:
            return None
        return GapAnalysisResult.of(self.stored, info)

    @strawberry.field(description="The failed analysis that this one repeats.")
    def retry_of(self) -> strawberry.ID | None:
        failed = self.stored.retry_of
        return ids.encode("GapAnalysis", failed) if failed else None


@strawberry.type(description="An analysis and its cursor.")
class GapAnalysisEdge:
    node: GapAnalysis
    cursor: str


@strawberry.type(description="A page of analyses, newest first. Default 20, at most 100.")
class GapAnalysisConnection:
    page: strawberry.Private[Page[documents.GapAnalysis]]
    edges: list[GapAnalysisEdge]
    nodes: list[GapAnalysis]
    page_info: PageInfo

    @classmethod
    def of(cls, page: Page[documents.GapAnalysis]) -> Self:
        nodes = [GapAnalysis.of(analysis) for analysis in page.rows]
        cursors = cursors_of(page, documents.CURSOR_ORDER)
        edges = [
            GapAnalysisEdge(node=node, cursor=cursor)
            for node, cursor in zip(nodes, cursors, strict=True)
        ]
        return cls(page=page, edges=edges, nodes=nodes, page_info=page_info_of(page, cursors))

    @strawberry.field
    async def total_count(self) -> int | None:
        return await self.page.count()
