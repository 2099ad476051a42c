"""Gap analyses whose model fails, in each of the ways it can."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import structlog

from domain.core.deps import Deps
from domain.cv.documents import CV, CVStatus
from domain.gap_analysis.documents import GapAnalysis
from graph import ids
from tests.client import Client, Json
from tests.conftest import running_worker
from tests.graph.analyses import (
    ended,
    events_of,
    is_hebrew,
    item,
    model_worker,
    stored,
    stored_cv,
    submitted,
    texts,
    user_id_of,
)
from tests.model_script import (
    Ending,
    Fault,
    Hang,
    Raw,
    Reply,
    Step,
    broken_off,
    cut_by_max_tokens,
    items_reply,
    json_reply,
    malformed,
    overloaded,
    rate_limited,
    refusal,
    server_error,
)
from tests.model_server import ModelServer


@pytest.fixture(autouse=True)
async def _nothing_waits(deps: Deps) -> None:
    """No analysis of an earlier test is left for this test's worker, and so for its model."""
    await GapAnalysis.delete_all()


@pytest.fixture
def last_try(deps: Deps) -> Deps:
    """The parts of a worker that does not try again."""
    return replace(deps, settings=deps.settings.model_copy(update={"job_attempts": 1}))


@pytest.fixture
async def model(deps: Deps) -> AsyncIterator[ModelServer]:
    async with model_worker(deps) as server:
        yield server


@pytest.fixture
async def cv_id(deps: Deps, client: Client) -> str:
    return await stored_cv(deps, client)


async def completed(client: Client, id: str) -> Json:
    analysis = await ended(client, id)
    assert analysis["status"] == "COMPLETED", analysis["failure"]
    return analysis


QUESTIONS = [
    item("Have you explained your work to people in other departments?", "LOW", "LOW"),
    item("Have you run Terraform when you deployed to Kubernetes?", "MEDIUM", "HIGH", "Terraform"),
    item("Have you consumed Kafka topics from your Django services?", "HIGH", "LOW", "Kafka"),
    item("Have you planned the work of your colleagues?", "HIGH", "HIGH"),
]


async def test_a_rate_limited_model_is_asked_again(
    client: Client, cv_id: str, model: ModelServer
) -> None:
    model.script(rate_limited("1"), items_reply(QUESTIONS))

    made = await submitted(client, cv_id, language="HE")
    steps = await events_of(client, made["id"])

    messages = [step["gapAnalysis"]["message"] for step in steps]
    assert "נקטע; ניסיון נוסף יתחיל בקרוב" in messages
    assert steps[-1]["gapAnalysis"]["status"] == "COMPLETED"
    assert len(model.requests) == 2


async def test_questions_of_an_attempt_that_broke_off_are_asked_once(
    client: Client, cv_id: str, model: ModelServer
) -> None:
    model.script(broken_off(items_reply(QUESTIONS), Ending.ERROR_EVENT), items_reply(QUESTIONS))

    analysis = await completed(client, (await submitted(client, cv_id))["id"])

    assert sorted(texts(analysis)) == sorted(question["question"] for question in QUESTIONS)


UNREACHED = "The analysis model could not be reached. Please try again in a few minutes."
UNREADABLE = "Failed to parse LLM response. Please try again."
NOT_ACCEPTED = (
    "The analysis model did not accept the request. The operator of this server must check its "
    "model settings."
)
DECLINED = "The analysis model declined to work on this CV and posting."
FAILURES: dict[str, tuple[Step, str, bool, str]] = {
    "429": (rate_limited("1"), "LLM_API_ERROR", True, UNREACHED),
    "529": (overloaded(), "LLM_API_ERROR", True, UNREACHED),
    "500": (server_error(), "LLM_API_ERROR", True, UNREACHED),
    "connection cut": (
        broken_off(items_reply(QUESTIONS), Ending.CONNECTION_CUT), "LLM_API_ERROR", True, UNREACHED,
    ),
    "malformed": (malformed(), "INTERNAL_ERROR", True, UNREADABLE),
    "other shape": (json_reply({"items": [{"text": "x"}]}), "INTERNAL_ERROR", True, UNREADABLE),
    "no JSON": (Reply(["Sure! Here are my questions."]), "INTERNAL_ERROR", True, UNREADABLE),
    "a page": (Raw("<html>", "text/html"), "LLM_API_ERROR", True, UNREACHED),
    "cut": (cut_by_max_tokens(), "INTERNAL_ERROR", True, UNREADABLE),
    "refusal": (refusal(), "LLM_API_ERROR", False, DECLINED),
    "400": (Fault(400, "invalid_request_error"), "LLM_API_ERROR", False, NOT_ACCEPTED),
    "401": (Fault(401, "authentication_error"), "LLM_API_ERROR", False, NOT_ACCEPTED),
    "403": (Fault(403, "permission_error"), "LLM_API_ERROR", False, NOT_ACCEPTED),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILURES)
async def test_each_failure_of_the_model_ends_the_analysis_as_it_should(
    client: Client, cv_id: str, last_try: Deps, name: str
) -> None:
    step, code, is_retryable, message = FAILURES[name]
    async with model_worker(last_try) as server:
        server.script(step, step)
        english = await ended(client, (await submitted(client, cv_id))["id"])
        hebrew = await ended(client, (await submitted(client, cv_id, language="HE"))["id"])

    for analysis in (english, hebrew):
        assert analysis["status"] == "FAILED"
        assert (analysis["failure"]["code"], analysis["failure"]["isRetryable"]) == (
            code, is_retryable,
        )  # fmt: skip
        assert analysis["failedAt"] is not None
        assert (analysis["completedAt"], analysis["result"]) == (None, None)
        assert analysis["message"] is None
    assert english["failure"]["message"] == message
    assert is_hebrew(hebrew["failure"]["message"])


async def test_a_model_that_hangs_is_a_timeout(client: Client, cv_id: str, last_try: Deps) -> None:
    async with model_worker(last_try, timeout_seconds=0.3) as server:
        server.script(Hang(), broken_off(items_reply(QUESTIONS), Ending.HANG))
        silent = await ended(client, (await submitted(client, cv_id))["id"])
        midway = await ended(client, (await submitted(client, cv_id))["id"])

    for analysis in (silent, midway):
        assert analysis["failure"] == {
            "code": "TIMEOUT",
            "message": "The analysis model took too long to answer. Please try again.",
            "isRetryable": True,
        }


async def test_a_job_that_takes_too_long_is_stopped(client: Client, cv_id: str, deps: Deps) -> None:
    short = replace(deps, settings=deps.settings.model_copy(update={"job_timeout_seconds": 0.3}))
    async with model_worker(short) as server:
        server.script(Hang())
        analysis = await ended(client, (await submitted(client, cv_id))["id"])

    assert analysis["failure"]["code"] == "TIMEOUT"
    assert analysis["failure"]["message"].startswith("The work ran past its time limit")


async def test_passing_faults_end_after_the_last_attempt(
    client: Client, cv_id: str, deps: Deps
) -> None:
    two = replace(deps, settings=deps.settings.model_copy(update={"job_attempts": 2}))
    async with model_worker(two) as server:
        server.script(overloaded(), overloaded())
        analysis = await ended(client, (await submitted(client, cv_id))["id"])
        count = len(server.requests)

    assert (count, analysis["failure"]["code"]) == (2, "LLM_API_ERROR")


async def test_unreadable_answers_are_logged_at_debug_level_only_and_never_shown(
    client: Client, cv_id: str, last_try: Deps
) -> None:
    with structlog.testing.capture_logs() as logs:
        async with model_worker(last_try) as server:
            server.script(Reply(['{"items": [{"question": "SECRET answer', '" oops']))
            made = await submitted(client, cv_id)
            events = await events_of(client, made["id"])

    telling = [entry for entry in logs if "SECRET" in json.dumps(entry, default=str)]
    assert [entry["log_level"] for entry in telling] == ["debug"]
    assert "Failed to parse LLM response" in [entry["event"] for entry in logs]
    assert "SECRET" not in json.dumps(events)
    assert "SECRET" not in (await stored(made["id"])).model_dump_json()


async def test_questions_shown_before_a_failure_stay(
    client: Client, cv_id: str, last_try: Deps
) -> None:
    async with model_worker(last_try) as server:
        server.script(broken_off(items_reply(QUESTIONS[:2]), Ending.CONNECTION_CUT))
        analysis = await ended(client, (await submitted(client, cv_id))["id"])

    assert analysis["status"] == "FAILED"
    assert len(analysis["questions"]) == 2


@pytest.mark.parametrize(
    ("is_deleted", "code", "hint"),
    [(True, "INTERNAL_ERROR", "deleted"), (False, "UNREADABLE_FILE", "could not be read")],
)
async def test_a_cv_that_is_lost_meanwhile_ends_the_analysis(
    client: Client, cv_id: str, deps: Deps, is_deleted: bool, code: str, hint: str
) -> None:
    made = await submitted(client, cv_id)
    cv = await CV.find_one({"user_id": user_id_of(deps, client)})
    assert cv is not None
    if is_deleted:
        await cv.delete()
    else:
        await cv.set({"status": CVStatus.FAILED, "parsed": None})

    async with running_worker(deps):
        analysis = await ended(client, made["id"])

    assert analysis["status"] == "FAILED"
    assert (analysis["failure"]["code"], analysis["failure"]["isRetryable"]) == (code, False)
    assert hint in analysis["failure"]["message"]
    assert (analysis["cv"] is None) == is_deleted
    assert ids.decode_as("CV", cv_id) == cv.id
