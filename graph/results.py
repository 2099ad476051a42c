"""Downloads of gap analysis results."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.auth.tokens import InvalidToken
from domain.core.deps import Deps
from domain.gap_analysis.documents import GapAnalysis, GapAnalysisStatus, GapQuestion
from graph.scalars import URL

PATH = "/results/gap-analyses"


def result_url(deps: Deps, analysis_id: UUID) -> tuple[URL, datetime]:
    """A signed address of one result, and when it ends. Who has it needs no other rights."""
    at = datetime.now(UTC).replace(microsecond=0)
    life = timedelta(seconds=deps.settings.result_url_seconds)
    token = deps.signers.gap_analysis_result.issue(analysis_id, at, life)
    return URL(f"{deps.settings.public_url}{PATH}/{token}"), at + life


async def get_result(request: Request) -> Response:
    deps: Deps = request.app.state.deps
    try:
        signer = deps.signers.gap_analysis_result
        token = signer.verify(request.path_params["token"], datetime.now(UTC))
    except InvalidToken:
        return _absent()
    analysis = await GapAnalysis.get(token.subject)
    if analysis is None or analysis.status is not GapAnalysisStatus.COMPLETED:
        return _absent()
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'attachment; filename="gap-analysis-{analysis.id}.json"',
        "X-Content-Type-Options": "nosniff",
    }
    return JSONResponse(result_json(analysis), headers=headers)


def result_json(analysis: GapAnalysis) -> dict[str, Any]:
    """A completed analysis, in the names and shapes of the schema."""
    posting = analysis.posting
    return {
        "jobId": str(analysis.id),
        "status": analysis.status.value,
        "companyName": posting.company_name,
        "roleTitle": posting.role_title,
        "createdAt": _instant(analysis.created_at),
        "completedAt": _instant(analysis.completed_at),
        "metadata": {
            "questionsGenerated": len(analysis.questions),
            "processingTimeSeconds": analysis.processing_seconds,
            "language": analysis.language.name,
            "engine": analysis.engine,
        },
        "questions": [_question_json(question) for question in analysis.questions],
    }


def _question_json(question: GapQuestion) -> dict[str, Any]:
    answer = question.answer
    return {
        "question": question.question,
        "impact": question.impact.value,
        "probability": question.probability.value,
        "gapScore": question.gap_score,
        "answer": {"text": answer.text, "answeredAt": _instant(answer.answered_at)}
        if answer
        else None,
    }


def _instant(value: datetime | None) -> str | None:
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _absent() -> Response:
    body = {
        "code": "NOT_FOUND",
        "message": "No such result, or its address has expired. Ask for `result { resultUrl }` "
        "again.",
    }
    return JSONResponse(body, status_code=404)


ROUTES = [Route(PATH + "/{token}", get_result)]
