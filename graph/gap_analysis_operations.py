"""Asking for gap analyses, following them and answering their questions."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from uuid import UUID

import strawberry

from domain.core.errors import DomainError, Missing, NotFound
from domain.core.language import Language as DomainLanguage
from domain.gap_analysis import actions, documents
from domain.gap_analysis.following import follow_gap_analysis
from domain.job_postings.posting import Posting
from graph import ids
from graph.context import Info, SignedIn
from graph.enums import Language
from graph.errors import (
    AnswerGapQuestionsError,
    CancelGapAnalysisError,
    RetryGapAnalysisError,
    SubmitGapAnalysisError,
    told,
    top_level_errors,
)
from graph.gap_analysis import GapAnalysis
from graph.scalars import URL


@strawberry.input(
    description="Description, requirements and responsibilities together stay under 1,000,000 "
    "characters."
)
class JobPostingInput:
    company_name: str
    role_title: str
    description: str | None = None
    requirements: list[str] = strawberry.field(default_factory=list)
    responsibilities: list[str] = strawberry.field(default_factory=list)
    nice_to_have: list[str] = strawberry.field(default_factory=list)
    language: Language = DomainLanguage.EN
    source_url: URL | None = None

    def to_posting(self) -> Posting:
        return Posting(
            company_name=self.company_name, role_title=self.role_title,
            description=self.description, requirements=self.requirements,
            responsibilities=self.responsibilities, nice_to_have=self.nice_to_have,
            language=self.language, source_url=self.source_url,
        )  # fmt: skip


@strawberry.input(
    description="A CV of the viewer and the job to hold it against. The user is the signed-in one."
)
class SubmitGapAnalysisInput:
    cv_id: strawberry.ID
    job_posting: JobPostingInput
    language: Language = strawberry.field(
        default=DomainLanguage.EN, description="Language of the questions."
    )
    idempotency_key: UUID | None = strawberry.field(
        default=None,
        description="Same key and same input: the first result again, nothing queued twice. "
        "Kept 24 hours.",
    )


@strawberry.type(description="Result of submitGapAnalysis.")
class SubmitGapAnalysisPayload:
    gap_analysis: GapAnalysis | None = strawberry.field(
        description="Null exactly when `errors` is not empty."
    )
    errors: list[SubmitGapAnalysisError]


@strawberry.input(description="One answer.")
class GapAnswerInput:
    question_id: strawberry.ID
    text: str


@strawberry.input(description="Answers to questions of one analysis.")
class AnswerGapQuestionsInput:
    gap_analysis_id: strawberry.ID
    answers: list[GapAnswerInput]


@strawberry.type(description="Result of answerGapQuestions.")
class AnswerGapQuestionsPayload:
    gap_analysis: GapAnalysis | None
    errors: list[AnswerGapQuestionsError]


@strawberry.input(description="Which analysis to stop.")
class CancelGapAnalysisInput:
    gap_analysis_id: strawberry.ID


@strawberry.type(description="Result of cancelGapAnalysis.")
class CancelGapAnalysisPayload:
    gap_analysis: GapAnalysis | None
    errors: list[CancelGapAnalysisError]


@strawberry.input(description="Which analysis to queue again.")
class RetryGapAnalysisInput:
    gap_analysis_id: strawberry.ID


@strawberry.type(description="Result of retryGapAnalysis.")
class RetryGapAnalysisPayload:
    gap_analysis: GapAnalysis | None = strawberry.field(
        description="A new analysis with the same input: the failed one stays as it is. Asking "
        "again gives the same one."
    )
    errors: list[RetryGapAnalysisError]


@strawberry.type(description="An event about a gap analysis.")
class GapAnalysisStatusEvent:
    cursor: str = strawberry.field(description="Pass as `after` to resume from here.")
    is_snapshot: bool = strawberry.field(
        description="True for the first event of a stream that could not, or need not, be resumed."
    )
    occurred_at: datetime
    gap_analysis: GapAnalysis


@strawberry.type
class GapAnalysisQuery:
    @strawberry.field(
        permission_classes=[SignedIn],
        description="One gap analysis of the viewer. Null with error code JOB_NOT_FOUND when "
        "absent or not yours.",
    )
    async def gap_analysis(self, info: Info, id: strawberry.ID) -> GapAnalysis | None:
        async with top_level_errors(info):
            analysis_id = _id_of(id, ["id"])
            analysis = await documents.GapAnalysis.of_user(analysis_id, info.context.user_id)
            if analysis is None:
                raise NotFound(Missing.GAP_ANALYSIS, ["id"], analysis_id)
        return GapAnalysis.of(analysis)


@strawberry.type
class GapAnalysisMutation:
    @strawberry.mutation(
        permission_classes=[SignedIn],
        description="Queue an analysis of the gaps between a CV and a job posting. Returns at "
        "once with status PENDING.",
    )
    async def submit_gap_analysis(
        self, info: Info, input: SubmitGapAnalysisInput
    ) -> SubmitGapAnalysisPayload:
        context = info.context
        try:
            cv_id = ids.decode_as("CV", input.cv_id)
            if cv_id is None:
                raise NotFound(Missing.CV, ["input", "cvId"], input.cv_id)
            analysis = await actions.submit(
                context.deps, context.user_id, cv_id, input.job_posting.to_posting(),
                input.language, input.idempotency_key,
            )  # fmt: skip
        except DomainError as error:
            return SubmitGapAnalysisPayload(gap_analysis=None, errors=[await told(info, error)])
        return SubmitGapAnalysisPayload(gap_analysis=GapAnalysis.of(analysis), errors=[])

    @strawberry.mutation(
        permission_classes=[SignedIn],
        description="Stop an analysis that is not final. It ends FAILED with code CANCELLED.",
    )
    async def cancel_gap_analysis(
        self, info: Info, input: CancelGapAnalysisInput
    ) -> CancelGapAnalysisPayload:
        context = info.context
        try:
            id = _id_of(input.gap_analysis_id)
            analysis = await actions.cancel(context.deps, context.user_id, id)
        except DomainError as error:
            return CancelGapAnalysisPayload(gap_analysis=None, errors=[await told(info, error)])
        return CancelGapAnalysisPayload(gap_analysis=GapAnalysis.of(analysis), errors=[])

    @strawberry.mutation(
        permission_classes=[SignedIn],
        description="Queue a FAILED analysis again, with the same input.",
    )
    async def retry_gap_analysis(
        self, info: Info, input: RetryGapAnalysisInput
    ) -> RetryGapAnalysisPayload:
        context = info.context
        try:
            id = _id_of(input.gap_analysis_id)
            analysis = await actions.retry(context.deps, context.user_id, id)
        except DomainError as error:
            return RetryGapAnalysisPayload(gap_analysis=None, errors=[await told(info, error)])
        return RetryGapAnalysisPayload(gap_analysis=GapAnalysis.of(analysis), errors=[])

    @strawberry.mutation(
        permission_classes=[SignedIn],
        description="Save answers to generated questions. All or none are saved; sending a "
        "question again replaces its answer.",
    )
    async def answer_gap_questions(
        self, info: Info, input: AnswerGapQuestionsInput
    ) -> AnswerGapQuestionsPayload:
        context = info.context
        try:
            id = _id_of(input.gap_analysis_id)
            answers = [
                (_question_id(id, answer.question_id, index), answer.text)
                for index, answer in enumerate(input.answers)
            ]
            analysis = await actions.answer(context.deps, context.user_id, id, answers)
        except NotFound as error:
            if error.missing is Missing.QUESTION:  # named as the client named it
                error.id = input.answers[int(error.path[2])].question_id
            return AnswerGapQuestionsPayload(gap_analysis=None, errors=[await told(info, error)])
        except DomainError as error:
            return AnswerGapQuestionsPayload(gap_analysis=None, errors=[await told(info, error)])
        return AnswerGapQuestionsPayload(gap_analysis=GapAnalysis.of(analysis), errors=[])


@strawberry.type
class GapAnalysisSubscription:
    @strawberry.subscription(
        permission_classes=[SignedIn],
        description="Progress of one gap analysis of the viewer, until COMPLETED or FAILED. Error "
        "code JOB_NOT_FOUND when absent or not yours. `after` is the cursor of the last event "
        "seen: missed events are replayed before new ones. Too old or absent: a fresh snapshot.",
    )
    async def gap_analysis_status(
        self, info: Info, id: strawberry.ID, after: str | None = None
    ) -> AsyncGenerator[GapAnalysisStatusEvent, None]:
        context = info.context
        async with top_level_errors(info):
            analysis_id = _id_of(id, ["id"])
            events = follow_gap_analysis(context.deps, context.user_id, analysis_id, after)
            async with aclosing(events):
                async for event in events:
                    yield GapAnalysisStatusEvent(
                        cursor=event.cursor, is_snapshot=event.is_snapshot,
                        occurred_at=event.occurred_at,
                        gap_analysis=GapAnalysis.of(event.document),
                    )  # fmt: skip


def _id_of(id: strawberry.ID, path: list[str] | None = None) -> UUID:
    """Raises NotFound for an id that is of no analysis: it looks like one that is absent."""
    analysis_id = ids.decode_as("GapAnalysis", id)
    if analysis_id is None:
        raise NotFound(Missing.GAP_ANALYSIS, path or ["input", "gapAnalysisId"], id)
    return analysis_id


def _question_id(analysis_id: UUID, id: strawberry.ID, index: int) -> UUID:
    match ids.decode(id):
        case ("GapQuestion", (of, question_id)) if of == analysis_id:
            return question_id
    raise NotFound(Missing.QUESTION, ["input", "answers", str(index), "questionId"], id)
