"""Letters of work that was given up: when there is one, and what it tells."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog
from pymongo.errors import AutoReconnect

from domain.clients.language_model import ModelUnavailable
from domain.core.clock import now
from domain.core.dead_letters import DeadLetter
from domain.core.delivery import Claim
from domain.core.deps import Deps
from domain.core.failures import FailureCode
from domain.cv import actions as cv_actions
from domain.cv.documents import CV
from domain.gap_analysis import actions
from domain.gap_analysis.documents import GapAnalysis, GapAnalysisStatus
from jobs.cv import CV_PARSING
from jobs.delivery import deliver
from jobs.delivery_work import Work
from jobs.gap_analysis import GAP_ANALYSIS
from tests.conftest import with_model
from tests.graph.analyses import claude
from tests.jobs.pieces import (
    NoQueue,
    accepted_analysis,
    accepted_cv,
    complete,
    due_again,
    failing,
    letters_of,
    quick,
    stored,
    work_of,
)
from tests.model_script import (
    Fault,
    Hang,
    Raw,
    Reply,
    Step,
    cut_by_max_tokens,
    overloaded,
    rate_limited,
    refusal,
)
from tests.model_server import running_model_server

LLM, TIMEOUT, INTERNAL = (
    FailureCode.LLM_API_ERROR,
    FailureCode.TIMEOUT,
    FailureCode.INTERNAL_ERROR,
)
SECRET = "SECRET"


@pytest.fixture
def quiet(deps: Deps) -> Deps:
    """Parts whose wake-ups go nowhere, so that each delivery here is the test's own."""
    return replace(deps, queue=NoQueue())


async def secret_analysis(deps: Deps) -> GapAnalysis:
    """An accepted analysis whose posting says what no letter may say."""
    analysis = await accepted_analysis(deps)
    await analysis.set({"posting.requirements": [f"{SECRET} skills", "Kubernetes"]})
    return analysis


async def delivered_to_the_end(deps: Deps, work: Work, analysis: GapAnalysis) -> None:
    for _ in range(deps.settings.job_attempts + 1):
        await due_again(analysis)
        await deliver(deps, work, analysis.id)


async def the_letter(deps: Deps, work: Work, analysis: GapAnalysis) -> DeadLetter:
    """Deliver until the end: the one letter, which fits the document and the log."""
    with structlog.testing.capture_logs() as logs:
        await delivered_to_the_end(deps, work, analysis)

    ended = await stored(analysis)
    [letter] = await letters_of(analysis.id)
    assert ended.failure is not None
    assert (letter.work, letter.code) == (GapAnalysis.work_name, ended.failure.code)
    assert letter.accepted_at == ended.delivery.first_due_at is not None
    assert timedelta(0) <= now() - letter.died_at < timedelta(seconds=20)
    assert letter.requeued_as is None
    assert SECRET not in letter.model_dump_json()
    [entry] = [entry for entry in logs if entry["event"] == "dead letter"]
    assert (entry["log_level"], entry["letter"]) == ("warning", str(letter.id))
    assert SECRET not in str([entry for entry in logs if entry["log_level"] != "debug"])
    return letter


@pytest.mark.parametrize(
    ("steps", "code", "cause", "attempts"),
    [
        ([Fault(400, "invalid_request_error")], LLM, "ModelRejected: 400", 1),
        ([Fault(401, "authentication_error")], LLM, "ModelRejected: 401", 1),
        ([refusal()], LLM, "ModelRefused", 1),
        ([Reply([f'{{"items": [{{"question": "{SECRET}', '" oops'])], INTERNAL,
         "ModelAnswerUnreadable", 1),
        ([Reply([f'{{"items": [{{"question": 7, "x": "{SECRET}"}}]}}'])], INTERNAL,
         "ModelAnswerUnreadable", 1),
        ([cut_by_max_tokens()], INTERNAL, "ModelAnswerUnreadable", 1),
        ([Raw(f"<html>{SECRET}", "text/html")] * 3, LLM, "ModelUnavailable", 3),
        ([Raw(f"event: message_start\ndata: {SECRET}\n\n", "text/event-stream")], INTERNAL,
         "ModelAnswerUnreadable", 1),
        ([Hang()], TIMEOUT, "ModelTimeout", 1),
        ([rate_limited("1")] * 3, LLM, "ModelUnavailable: 429", 3),
        ([overloaded()] * 3, LLM, "ModelUnavailable: 529", 3),
    ],
)  # fmt: skip
async def test_each_fault_of_the_model_leaves_one_letter(
    quiet: Deps, steps: list[Step], code: FailureCode, cause: str, attempts: int
) -> None:
    analysis = await secret_analysis(quiet)
    async with running_model_server() as server:
        server.script(*steps)
        model = claude(server, timeout_seconds=1)
        letter = await the_letter(with_model(quiet, model), GAP_ANALYSIS, analysis)
        await model.aclose()

    assert (letter.code, letter.attempts) == (code, attempts)
    assert letter.cause.startswith(cause)


@pytest.mark.parametrize(
    ("error", "cause", "attempts"),
    [
        (ZeroDivisionError(f"{SECRET} of the CV"), "ZeroDivisionError at run, line ", 1),
        (asyncio.CancelledError(SECRET), "RuntimeError at ", 1),
        (AutoReconnect("gone"), "AutoReconnect at run, line ", 3),
    ],
)
async def test_a_bug_leaves_its_place_and_not_its_words(
    quiet: Deps, error: BaseException, cause: str, attempts: int
) -> None:
    analysis = await secret_analysis(quiet)

    async def run(_deps: Deps, _claim: Claim) -> None:
        raise error

    work = work_of(run)
    with structlog.testing.capture_logs() as logs:
        await delivered_to_the_end(quiet, work, analysis)

    [letter] = await letters_of(analysis.id)
    assert (letter.code, letter.attempts) == (INTERNAL, attempts)
    assert letter.cause.startswith(cause)
    assert SECRET not in letter.model_dump_json()
    assert [entry["log_level"] for entry in logs if entry["event"] == "dead letter"] == ["warning"]


async def test_work_whose_workers_died_leaves_one_letter(quiet: Deps) -> None:
    analysis = await secret_analysis(quiet)
    for _ in range(3):
        assert await GapAnalysis.claim(analysis.id, timedelta(seconds=-1))

    letter = await the_letter(quiet, work_of(complete), analysis)

    assert (letter.code, letter.cause, letter.attempts) == (INTERNAL, "WORKER_DIED", 3)


async def test_work_stopped_at_its_time_limit_leaves_one_letter(quiet: Deps) -> None:
    analysis = await secret_analysis(quiet)

    async def hang(_deps: Deps, _claim: Claim) -> None:
        await asyncio.sleep(60)

    letter = await the_letter(quick(quiet, job_timeout_seconds=0.1), work_of(hang), analysis)

    assert (letter.code, letter.attempts) == (TIMEOUT, 1)
    assert letter.cause.startswith("TimeLimitPassed")


async def accepted_long_ago(deps: Deps, seconds: float) -> GapAnalysis:
    analysis = await secret_analysis(deps)
    await analysis.set({"delivery.first_due_at": now() - timedelta(seconds=seconds)})
    return analysis


async def test_work_is_not_begun_after_its_total_time(quiet: Deps) -> None:
    analysis = await accepted_long_ago(quiet, 3601)

    letter = await the_letter(quiet, work_of(complete), analysis)

    assert (letter.code, letter.cause, letter.attempts) == (TIMEOUT, "JOB_TIMEOUT", 0)


async def test_a_wait_that_ends_after_the_total_time_is_not_begun(quiet: Deps) -> None:
    analysis = await accepted_long_ago(quiet, 3590)
    work = work_of(failing(ModelUnavailable("429", 60)))

    letter = await the_letter(quiet, work, analysis)

    assert (letter.code, letter.cause, letter.attempts) == (TIMEOUT, "ModelUnavailable: 429", 1)


async def test_an_attempt_ends_with_the_total_time(quiet: Deps) -> None:
    analysis = await accepted_long_ago(quiet, 3599.5)

    async def hang(_deps: Deps, _claim: Claim) -> None:
        await asyncio.sleep(60)

    letter = await the_letter(quiet, work_of(hang), analysis)

    assert (letter.code, letter.attempts) == (TIMEOUT, 1)


async def test_success_leaves_no_letter(quiet: Deps) -> None:
    analysis = await accepted_analysis(quiet)

    await delivered_to_the_end(quiet, work_of(complete), analysis)

    assert await letters_of(analysis.id) == []


async def test_what_its_user_cancelled_leaves_no_letter_however_it_goes_on(quiet: Deps) -> None:
    waiting, running = await accepted_analysis(quiet), await accepted_analysis(quiet)

    async def run(deps: Deps, _claim: Claim) -> None:
        await actions.cancel(deps, running.user_id, running.id)
        raise ZeroDivisionError

    await actions.cancel(quiet, waiting.user_id, waiting.id)
    await delivered_to_the_end(quiet, work_of(run), waiting)
    await delivered_to_the_end(quiet, work_of(run), running)

    assert await letters_of(waiting.id) == await letters_of(running.id) == []


async def test_a_worker_that_lost_its_lease_leaves_no_letter(quiet: Deps) -> None:
    analysis = await accepted_analysis(quiet)

    async def run(deps: Deps, claim: Claim) -> None:
        await GapAnalysis.hand_back(claim, now(), is_counted=True)  # as if it had run out
        raise ZeroDivisionError

    await deliver(quiet, work_of(run), analysis.id)
    await deliver(quiet, work_of(complete), analysis.id)

    assert (await stored(analysis)).status is GapAnalysisStatus.COMPLETED
    assert await letters_of(analysis.id) == []


async def test_a_file_that_cannot_be_read_leaves_no_letter(quiet: Deps) -> None:
    cv = await accepted_cv(quiet, "no PDF at all")
    await cv.set({CV.content_type: cv_actions.PDF})

    await deliver(quiet, CV_PARSING, cv.id)

    after = await CV.get(cv.id)
    assert after is not None
    assert after.failure is not None
    assert after.failure.code is FailureCode.UNREADABLE_FILE
    assert await letters_of(cv.id) == []
