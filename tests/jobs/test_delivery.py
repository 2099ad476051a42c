"""Claims, leases, attempts and the ends of work."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from pymongo.errors import AutoReconnect
from redis.exceptions import ConnectionError as RedisConnectionError

from domain.clients.language_model import (
    LanguageModelError,
    ModelAnswerUnreadable,
    ModelRefused,
    ModelRejected,
    ModelTimeout,
    ModelUnavailable,
)
from domain.core.clock import now
from domain.core.delivery import Claim, NotYet
from domain.core.deps import Deps
from domain.core.failures import FailureCode
from domain.gap_analysis import actions
from domain.gap_analysis.documents import GapAnalysis, GapAnalysisStatus
from jobs.delivery import deliver
from tests.jobs.pieces import (
    LEASE,
    NoQueue,
    accepted_analysis,
    complete,
    due_again,
    failing,
    quick,
    stored,
    work_of,
)

COMPLETED, FAILED, PENDING = (
    GapAnalysisStatus.COMPLETED,
    GapAnalysisStatus.FAILED,
    GapAnalysisStatus.PENDING,
)


@pytest.fixture
def queue() -> NoQueue:
    return NoQueue()


@pytest.fixture
def quiet(deps: Deps, queue: NoQueue) -> Deps:
    """Parts whose wake-ups go nowhere, so that each delivery here is the test's own."""
    return replace(deps, queue=queue)


async def claimed(analysis: GapAnalysis, lease: timedelta = LEASE) -> Claim:
    claim = await GapAnalysis.claim(analysis.id, lease)
    assert claim is not None
    return claim


async def test_one_of_fifty_concurrent_claims_wins(deps: Deps) -> None:
    analysis = await accepted_analysis(deps)

    claims = await asyncio.gather(*(GapAnalysis.claim(analysis.id, LEASE) for _ in range(50)))

    [claim] = [claim for claim in claims if claim is not None]
    assert claim.attempt == 1
    assert (await stored(analysis)).delivery.attempts == 1


async def test_fifty_concurrent_deliveries_run_the_work_once(quiet: Deps) -> None:
    analysis = await accepted_analysis(quiet)
    runs: Counter[int] = Counter()

    async def run(deps: Deps, claim: Claim) -> None:
        runs[claim.attempt] += 1
        await complete(deps, claim)

    await asyncio.gather(*(deliver(quiet, work_of(run), analysis.id) for _ in range(50)))

    assert runs == {1: 1}
    assert (await stored(analysis)).status is COMPLETED


async def test_work_is_not_claimed_before_it_is_due_nor_after_its_end(quiet: Deps) -> None:
    analysis = await accepted_analysis(quiet)
    claim = await claimed(analysis)
    assert await GapAnalysis.hand_back(claim, now() + LEASE, is_counted=True)
    assert await GapAnalysis.claim(analysis.id, LEASE) is None

    await due_again(analysis)
    await complete(quiet, await claimed(analysis))
    assert await GapAnalysis.claim(analysis.id, LEASE) is None


async def test_writes_of_an_old_claim_change_nothing(deps: Deps) -> None:
    analysis = await accepted_analysis(deps)
    old = await claimed(analysis, timedelta(seconds=-1))
    new = await claimed(analysis)
    before = await stored(analysis)

    fields = {"status": COMPLETED, "completed_at": now()}
    assert await before.advance(old, {"progress_percent": 50}) is None
    assert await before.close(old, fields) is None
    assert not await GapAnalysis.renew(old, LEASE)
    assert not await GapAnalysis.hand_back(old, now(), is_counted=True)
    assert not await GapAnalysis.hand_back(old, now(), is_counted=False)
    assert await stored(analysis) == before
    assert await GapAnalysis.renew(new, LEASE)


async def test_claim_taken_again_after_an_uncounted_attempt_is_another_claim(deps: Deps) -> None:
    analysis = await accepted_analysis(deps)
    first = await claimed(analysis)
    await GapAnalysis.hand_back(first, now(), is_counted=False)
    second = await claimed(analysis)

    assert (first.attempt, second.attempt) == (1, 1)
    assert not await GapAnalysis.renew(first, LEASE)


async def test_heartbeat_keeps_the_lease_of_long_work(quiet: Deps) -> None:
    quiet = quick(quiet, lease_seconds=0.5, heartbeat_seconds=0.1)
    analysis = await accepted_analysis(quiet)
    stolen: list[Claim | None] = []

    async def run(deps: Deps, claim: Claim) -> None:
        for _ in range(8):
            await asyncio.sleep(0.15)
            stolen.append(await GapAnalysis.claim(claim.id, LEASE))
        await complete(deps, claim)

    await deliver(quiet, work_of(run), analysis.id)

    assert stolen == [None] * 8
    assert (await stored(analysis)).status is COMPLETED


async def test_worker_that_lost_its_lease_stops_and_drops_its_result(quiet: Deps) -> None:
    quiet = quick(quiet, lease_seconds=0.6, heartbeat_seconds=0.2)
    analysis = await accepted_analysis(quiet)
    ends: list[str] = []

    async def run(deps: Deps, claim: Claim) -> None:
        await GapAnalysis.hand_back(claim, now(), is_counted=True)  # as if it had run out
        await claimed(analysis)
        try:
            await asyncio.sleep(5)
        finally:
            ends.append("stopped")
            await complete(deps, claim)

    async with asyncio.timeout(3):
        await deliver(quiet, work_of(run), analysis.id)

    after = await stored(analysis)
    assert ends == ["stopped"]
    assert (after.status, after.delivery.attempts) == (PENDING, 2)


@pytest.mark.parametrize(
    ("error", "code", "is_retryable"),
    [
        (ModelRejected("401"), FailureCode.LLM_API_ERROR, False),
        (ModelRefused("no"), FailureCode.LLM_API_ERROR, False),
        (ModelTimeout("late"), FailureCode.TIMEOUT, True),
        (ModelAnswerUnreadable("bad", '{"items": ['), FailureCode.INTERNAL_ERROR, True),
        (LanguageModelError("new kind"), FailureCode.INTERNAL_ERROR, True),
        (ZeroDivisionError("a bug"), FailureCode.INTERNAL_ERROR, True),
        (asyncio.CancelledError("by itself"), FailureCode.INTERNAL_ERROR, True),
    ],
)
async def test_final_faults_end_the_work_at_once(
    quiet: Deps, queue: NoQueue, error: BaseException, code: FailureCode, is_retryable: bool
) -> None:
    analysis = await accepted_analysis(quiet)

    await deliver(quiet, work_of(failing(error)), analysis.id)

    ended = await stored(analysis)
    assert ended.status is FAILED
    assert ended.failure is not None
    assert (ended.failure.code, ended.failure.is_retryable) == (code, is_retryable)
    assert str(error) not in ended.failure.message
    assert (ended.delivery.is_open, ended.delivery.token) == (False, None)
    assert queue.dropped == []


async def test_unreadable_answer_says_so(quiet: Deps) -> None:
    analysis = await accepted_analysis(quiet)

    await deliver(quiet, work_of(failing(ModelAnswerUnreadable("bad", "secret"))), analysis.id)

    failure = (await stored(analysis)).failure
    assert failure is not None
    assert failure.message.startswith("Failed to parse LLM response")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ModelUnavailable("529"), FailureCode.LLM_API_ERROR),
        (AutoReconnect("gone"), FailureCode.INTERNAL_ERROR),
        (RedisConnectionError("gone"), FailureCode.INTERNAL_ERROR),
        (TimeoutError("a socket's"), FailureCode.INTERNAL_ERROR),
    ],
)
async def test_passing_faults_are_tried_three_times(
    quiet: Deps, queue: NoQueue, error: Exception, code: FailureCode
) -> None:
    analysis = await accepted_analysis(quiet)
    work = work_of(failing(error))

    for attempt in (1, 2):
        await deliver(quiet, work, analysis.id)
        waiting = await stored(analysis)
        assert (waiting.status, waiting.delivery.attempts) == (PENDING, attempt)
        assert waiting.delivery.leased_until is None
        assert waiting.message == "Interrupted; trying again soon"
        await due_again(analysis)
    await deliver(quiet, work, analysis.id)

    ended = await stored(analysis)
    assert ended.failure is not None
    assert (ended.status, ended.failure.code) == (FAILED, code)
    assert [defer >= timedelta(seconds=1) for _, defer in queue.dropped] == [True, True]


async def test_retry_after_is_honoured_and_bounded(quiet: Deps, queue: NoQueue) -> None:
    for asked, waited in ((45.0, 45.0), (7200.0, 120.0)):
        analysis = await accepted_analysis(quiet)
        before = now()
        await deliver(quiet, work_of(failing(ModelUnavailable("429", asked))), analysis.id)

        due_at = (await stored(analysis)).delivery.due_at
        assert due_at is not None
        assert timedelta(0) <= due_at - before - timedelta(seconds=waited) < timedelta(seconds=5)
        assert queue.dropped[-1] == (analysis.id, timedelta(seconds=waited))


async def test_work_whose_workers_died_three_times_is_given_up(quiet: Deps) -> None:
    analysis = await accepted_analysis(quiet)
    for attempt in (1, 2, 3):
        assert (await claimed(analysis, timedelta(seconds=-1))).attempt == attempt

    await deliver(quiet, work_of(complete), analysis.id)

    ended = await stored(analysis)
    assert ended.failure is not None
    assert (ended.status, ended.failure.code) == (FAILED, FailureCode.INTERNAL_ERROR)
    assert "interrupted several times" in ended.failure.message


async def test_waiting_for_other_work_costs_no_attempt(quiet: Deps, queue: NoQueue) -> None:
    analysis = await accepted_analysis(quiet)

    for _ in range(5):
        await deliver(quiet, work_of(failing(NotYet(0.0))), analysis.id)

    waiting = await stored(analysis)
    assert (waiting.status, waiting.delivery.attempts, waiting.version) == (PENDING, 0, 1)
    assert len(queue.dropped) == 5


async def test_job_time_limit_ends_the_work_as_timeout(quiet: Deps) -> None:
    analysis = await accepted_analysis(quiet)

    async def hang(_deps: Deps, _claim: Claim) -> None:
        await asyncio.sleep(60)

    await deliver(quick(quiet, job_timeout_seconds=0.1), work_of(hang), analysis.id)

    ended = await stored(analysis)
    assert ended.failure is not None
    assert (ended.status, ended.failure.code) == (FAILED, FailureCode.TIMEOUT)
    assert "time limit" in ended.failure.message
    assert ended.delivery.attempts == 1


async def test_cancelled_delivery_hands_back_at_once_and_costs_no_attempt(
    quiet: Deps, queue: NoQueue
) -> None:
    analysis = await accepted_analysis(quiet)
    started = asyncio.Event()

    async def hang(_deps: Deps, _claim: Claim) -> None:
        started.set()
        await asyncio.sleep(60)

    delivery = asyncio.create_task(deliver(quiet, work_of(hang), analysis.id))
    await started.wait()
    delivery.cancel()
    with pytest.raises(asyncio.CancelledError):
        await delivery

    assert (await stored(analysis)).delivery.attempts == 0
    assert queue.dropped == [(analysis.id, timedelta(0))]
    await deliver(quiet, work_of(complete), analysis.id)
    assert (await stored(analysis)).status is COMPLETED


async def test_cancelled_by_its_user_while_running_stays_cancelled(quiet: Deps) -> None:
    analysis = await accepted_analysis(quiet)

    async def run(deps: Deps, claim: Claim) -> None:
        await actions.cancel(deps, analysis.user_id, analysis.id)
        await complete(deps, claim)

    await deliver(quiet, work_of(run), analysis.id)

    ended = await stored(analysis)
    assert ended.failure is not None
    assert (ended.status, ended.failure.code) == (FAILED, FailureCode.CANCELLED)


@pytest.mark.parametrize("seed", range(5))
async def test_no_order_of_events_makes_two_results(quiet: Deps, seed: int) -> None:
    """Many workers, some of which die or lose their lease: one visible end, versions by one."""
    draw = random.Random(seed)
    quiet = quick(quiet, lease_seconds=0.05, heartbeat_seconds=60)
    analysis = await accepted_analysis(quiet)
    ends: list[int] = []

    async def run(deps: Deps, claim: Claim) -> None:
        await asyncio.sleep(draw.choice([0, 0.01, 0.1]))
        before = await stored(analysis)
        if draw.random() < 0.3:
            raise NotYet(0)
        fields = {"status": COMPLETED, "completed_at": now()}
        if await before.close(claim, fields):
            ends.append(claim.attempt)

    async def worker() -> None:
        for _ in range(10):
            await deliver(quiet, work_of(run), analysis.id)
            await asyncio.sleep(draw.random() * 0.02)

    await asyncio.gather(*(worker() for _ in range(6)))

    ended = await stored(analysis)
    if not ended.status.is_final:  # its last holder is late: the next one is to end it
        await asyncio.sleep(0.1)
        await deliver(quiet, work_of(complete), analysis.id)
        ended = await stored(analysis)
    assert ended.status.is_final
    assert len(ends) <= 1
    assert [step.version for step in ended.history] == list(range(2, ended.version + 1))
    assert sum(step.status.is_final for step in ended.history) == 1
