"""The model analyst over Claude, against the scripted model server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from domain.clients.claude import Claude
from domain.clients.language_model import ModelAnswerUnreadable, ModelUnavailable
from domain.core.language import Language
from domain.core.levels import GapLevel
from domain.cv.parsing.parsed_cv import ParsedCV
from domain.gap_analysis.analyst import AnalysisRequest, Analyst, DraftQuestion
from domain.gap_analysis.model_analyst import ModelAnalyst
from domain.job_postings.posting import Posting
from tests.model_script import Step, items_reply, overloaded
from tests.model_server import ModelServer, running_model_server

POSTING = Posting(company_name="Acme", role_title="Developer", requirements=["Kubernetes"])
KUBERNETES = {
    "question": "You ran Docker in production at Acme: did you use Kubernetes?",
    "impact": "HIGH",
    "probability": "MEDIUM",
    "skill": "Kubernetes",
}
TEAM = {"question": "האם הובלת צוות?", "impact": "LOW", "probability": "HIGH", "skill": None}


@asynccontextmanager
async def analyst(*steps: Step) -> AsyncIterator[tuple[Analyst, ModelServer]]:
    async with running_model_server() as server:
        server.script(*steps)
        claude = Claude(
            api_key="a-key", base_url=server.base_url, model="claude-sonnet-5-5",
            timeout_seconds=5, max_tokens=1000,
        )  # fmt: skip
        try:
            yield ModelAnalyst(claude, text_budget=1000), server
        finally:
            await claude.aclose()


def request(language: Language = Language.EN) -> AnalysisRequest:
    return AnalysisRequest(ParsedCV(language=Language.EN), "Docker at Acme", POSTING, language)


async def test_questions_come_one_after_another() -> None:
    gates = [asyncio.Event(), asyncio.Event()]
    async with analyst(items_reply([KUBERNETES, TEAM], gates)) as (model, _):
        questions = model.questions(request())
        gates[0].set()
        assert await anext(questions) == DraftQuestion(
            "You ran Docker in production at Acme: did you use Kubernetes?",
            GapLevel.HIGH,
            GapLevel.MEDIUM,
            "Kubernetes",
        )
        gates[1].set()
        assert [question async for question in questions] == [
            DraftQuestion("האם הובלת צוות?", GapLevel.LOW, GapLevel.HIGH, None)
        ]


async def test_the_engine_is_the_models_id() -> None:
    async with analyst() as (model, _):
        assert model.engine == "claude-sonnet-5-5"


@pytest.mark.parametrize("language", list(Language))
async def test_the_model_is_asked_in_the_right_language_and_shape(language: Language) -> None:
    async with analyst() as (model, server):
        questions = [draft.question async for draft in model.questions(request(language))]
    assert len(questions) == 3
    assert any("א" <= char <= "ת" for char in questions[0]) == (language is Language.HE)
    body = server.requests[0].body
    assert "Docker at Acme" in body["messages"][0]["content"]
    assert "Docker at Acme" not in body["system"]
    properties = body["output_config"]["format"]["schema"]["$defs"]["QuestionItem"]["properties"]
    assert list(properties) == ["question", "impact", "probability", "skill"]


async def test_a_models_own_score_and_blank_skill_are_not_taken() -> None:
    item = {**KUBERNETES, "skill": " ", "gapScore": 1.0, "note": "<script>"}
    async with analyst(items_reply([item])) as (model, _):
        drafts = [draft async for draft in model.questions(request())]
    assert drafts == [
        DraftQuestion(str(KUBERNETES["question"]), GapLevel.HIGH, GapLevel.MEDIUM, None)
    ]


@pytest.mark.parametrize(
    "change",
    [{"question": ""}, {"question": "  "}, {"question": "x" * 2001}, {"impact": "EXTREME"},
     {"probability": 0.9}, {"skill": "x" * 201}, {"skill": 7}],
)  # fmt: skip
async def test_an_item_of_another_shape(change: dict[str, object]) -> None:
    async with analyst(items_reply([{**KUBERNETES, **change}])) as (model, _):
        with pytest.raises(ModelAnswerUnreadable):
            [draft async for draft in model.questions(request())]


async def test_the_models_errors_come_through() -> None:
    async with analyst(overloaded()) as (model, _):
        with pytest.raises(ModelUnavailable):
            [draft async for draft in model.questions(request())]
