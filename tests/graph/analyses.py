"""Gap analyses of people in tests: asked for through the server, or put into MongoDB as they are.

CVs are put there ready parsed, so that a worker with a scripted model reads nothing but postings.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.clients.claude import Claude
from domain.core.clock import now
from domain.core.delivery import accepted
from domain.core.deps import Deps
from domain.core.language import Language
from domain.core.levels import GapLevel
from domain.cv.documents import CV, CVStatus, CVText
from domain.cv.parsing.contact import redact_contact
from domain.cv.parsing.parse import parse_cv
from domain.gap_analysis.documents import GapAnalysis, GapAnalysisStatus, GapQuestion
from domain.job_postings.posting import Posting
from domain.skills.engine import load_extractor
from graph import ids
from tests.client import Client, Json
from tests.conftest import running_worker, with_model
from tests.graph.cvs import BACKEND_CV, execute
from tests.model_server import ModelServer, running_model_server

ANALYSIS = """
fragment Analysis on GapAnalysis {
  id jobId status progressPercent message language createdAt startedAt completedAt failedAt retryOf
  cv { id }
  jobPosting {
    companyName roleTitle description requirements responsibilities niceToHave language sourceUrl
  }
  questions { id question impact probability gapScore answer { text answeredAt } }
  failure { code message isRetryable }
  result {
    metadata { questionsGenerated processingTimeSeconds language engine }
    resultUrl resultExpiresAt
  }
}
"""
_TOLD = "__typename ... on UserError { code message path }"
_MISSING = "... on NotFoundError { missingId }"
_TOO_LARGE = "... on PayloadTooLargeError { limit actual unit }"
_LIMITED = "... on RateLimitError { retryAfter }"
ERRORS = f"errors {{ {_TOLD} {_MISSING} {_TOO_LARGE} {_LIMITED} }}"


def _mutation(name: str, kind: str, errors: str = ERRORS) -> str:
    return (
        f"mutation ($input: {kind}!) {{ {name}(input: $input) "
        f"{{ gapAnalysis {{ ...Analysis }} {errors} }} }} {ANALYSIS}"
    )


SUBMIT = _mutation("submitGapAnalysis", "SubmitGapAnalysisInput")
ANSWER = _mutation("answerGapQuestions", "AnswerGapQuestionsInput")
CANCEL = _mutation(
    "cancelGapAnalysis", "CancelGapAnalysisInput", f"errors {{ {_TOLD} {_MISSING} }}"
)
RETRY = _mutation(
    "retryGapAnalysis", "RetryGapAnalysisInput", f"errors {{ {_TOLD} {_MISSING} {_LIMITED} }}"
)
ONE = "query ($id: ID!) { gapAnalysis(id: $id) { ...Analysis } }" + ANALYSIS
STATUS = (
    """
subscription ($id: ID!, $after: String) {
  gapAnalysisStatus(id: $id, after: $after) {
    cursor isSnapshot occurredAt gapAnalysis { ...Analysis }
  }
}
"""
    + ANALYSIS
)
POSTING: Json = {
    "companyName": "Northwind",
    "roleTitle": "Senior Backend Developer",
    "requirements": ["Terraform in production", "Kafka", "Experience with GraphQL", "Python"],
    "niceToHave": ["Leading a small team"],
}
MODEL = "claude-sonnet-5-5"


async def stored_cv(deps: Deps, client: Client, text: str = BACKEND_CV, **fields: Any) -> str:
    """The global id of a CV that lies parsed in MongoDB, or as `fields` say."""
    parsed = parse_cv(text, load_extractor())
    cv = CV(
        user_id=user_id_of(deps, client), filename="CV", content_type="text/markdown",
        size_bytes=len(text), parsed_at=now(),
        **{"status": CVStatus.PARSED, "parsed": parsed, **fields},
    )  # fmt: skip
    await cv.insert()
    await CVText.put(cv.id, cv.user_id, redact_contact(text, parsed.contact))
    return ids.encode("CV", cv.id)


def user_id_of(deps: Deps, client: Client) -> UUID:
    return deps.signers.access.verify(client.token or "", now()).subject


async def submit(client: Client, cv_id: str, posting: Json | None = None, **fields: Any) -> Json:
    """The payload of submitGapAnalysis."""
    input = {"cvId": cv_id, "jobPosting": posting or POSTING, **fields}
    payload: Json = (await client.data(SUBMIT, input=input))["submitGapAnalysis"]
    return payload


async def submitted(client: Client, cv_id: str, posting: Json | None = None, **fields: Any) -> Json:
    """The analysis that a good input makes."""
    payload = await submit(client, cv_id, posting, **fields)
    assert payload["errors"] == []
    analysis: Json = payload["gapAnalysis"]
    return analysis


def refusal_in(payload: Json) -> Json:
    """The one error of a payload that has nothing else."""
    assert payload["gapAnalysis"] is None
    [error] = payload["errors"]
    assert isinstance(error, dict)
    return error


async def events_of(client: Client, id: str, after: str | None = None) -> list[Json]:
    """Every event of an analysis, until its stream completes."""
    answers = await client.events(STATUS, id=id, after=after)
    assert all("errors" not in answer for answer in answers), answers
    return [answer["data"]["gapAnalysisStatus"] for answer in answers]


async def ended(client: Client, id: str) -> Json:
    """The analysis as its stream ends."""
    analysis: Json = (await events_of(client, id))[-1]["gapAnalysis"]
    return analysis


async def one(client: Client, id: str) -> Json:
    """The analysis as the query gives it."""
    analysis: Json = (await client.data(ONE, id=id))["gapAnalysis"]
    return analysis


async def stored(id: str) -> GapAnalysis:
    """The document behind a global id."""
    analysis_id = ids.decode_as("GapAnalysis", id)
    analysis = await GapAnalysis.get(analysis_id) if analysis_id else None
    assert analysis is not None
    return analysis


def posting_of(**fields: Any) -> Posting:
    return Posting(**{"company_name": "Northwind", "role_title": "Developer", **fields})


def question_of(text: str, **fields: Any) -> GapQuestion:
    levels = {"impact": GapLevel.HIGH, "probability": GapLevel.HIGH, "gap_score": 1.0}
    return GapQuestion(**{"question": text, "skill": None, "position": 0, **levels, **fields})


async def put_analysis(deps: Deps, client: Client, status: str, **fields: Any) -> GapAnalysis:
    """A document in any state; one that is not final lies open but is not due, so none runs it."""
    state = GapAnalysisStatus(status)
    at = now()
    delivery = accepted(at + timedelta(days=1))
    delivery.is_open = not state.is_final
    times: dict[GapAnalysisStatus, Json] = {
        GapAnalysisStatus.COMPLETED: {"completed_at": at, "engine": "RULES"},
        GapAnalysisStatus.FAILED: {"failed_at": at},
    }
    values = {
        "user_id": user_id_of(deps, client), "cv_id": UUID(int=0), "posting": posting_of(),
        "language": Language.EN, "status": state, "started_at": at, "delivery": delivery,
        **times.get(state, {}), **fields,
    }  # fmt: skip
    analysis: GapAnalysis = GapAnalysis.model_validate(values)
    await analysis.insert()
    return analysis


def id_of(analysis: GapAnalysis) -> str:
    return ids.encode("GapAnalysis", analysis.id)


def item(
    question: str, impact: str = "HIGH", probability: str = "HIGH", skill: str | None = None
) -> dict[str, Any]:
    """A question as a model writes it."""
    return {"question": question, "impact": impact, "probability": probability, "skill": skill}


def claude(server: ModelServer, timeout_seconds: float = 10) -> Claude:
    return Claude(
        api_key="key", base_url=server.base_url, model=MODEL,
        timeout_seconds=timeout_seconds, max_tokens=1024, max_retries=0,
    )  # fmt: skip


@asynccontextmanager
async def model_worker(deps: Deps, timeout_seconds: float = 10) -> AsyncIterator[ModelServer]:
    """A worker whose analyst is a scripted model."""
    async with running_model_server() as server:
        model = claude(server, timeout_seconds)
        async with running_worker(with_model(deps, model)):
            yield server
        await model.aclose()


def texts(analysis: Json) -> Sequence[str]:
    return [question["question"] for question in analysis["questions"]]


def is_hebrew(text: str) -> bool:
    return any("א" <= letter <= "ת" for letter in text)


def input_of(cv_id: str, **fields: object) -> Json:
    """The input of a submit of `POSTING`."""
    return {"cvId": cv_id, "jobPosting": POSTING, **fields}


async def submit_at(deps: Deps, client: Client, input: Json) -> Json:
    """The payload of a submit to the schema over these parts."""
    payload: Json = (await execute(deps, client, SUBMIT, input=input))["submitGapAnalysis"]
    return payload
