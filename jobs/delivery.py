"""Bringing accepted work to its final state: claim, keep the lease, retry or give up.

MongoDB holds what is to be done and who does it; a wake-up that comes twice, late or for
finished work finds nothing to claim and does nothing.
"""

import asyncio
import contextlib
import random
from datetime import timedelta
from uuid import UUID

import pymongo
import structlog
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from domain.clients.language_model import (
    ModelAnswerUnreadable,
    ModelRefused,
    ModelRejected,
    ModelTimeout,
    ModelUnavailable,
)
from domain.core.clock import now
from domain.core.delivery import Claim, NotYet
from domain.core.deps import Deps
from domain.core.failures import FailureReason
from domain.core.tasks import end
from jobs.backoff import backoff_seconds
from jobs.dead_letters import bury
from jobs.delivery_work import Work

log = structlog.get_logger()

_HAND_BACK_SECONDS = 3.0


class LeaseLost(Exception):
    """Another worker may have the work by now: whatever this one has is dropped."""


class TimeLimitPassed(Exception):
    """The attempt ran longer than a job may. Not a TimeoutError, which a lost server raises too."""


async def deliver(deps: Deps, work: Work, id: UUID) -> None:
    """Claim a document's work, if it is due, and bring it one attempt further."""
    try:
        claim = await work.document.claim(id, timedelta(seconds=deps.settings.lease_seconds))
    except PyMongoError as error:
        log.warning("not claimed; a sweep will find it", id=str(id), error=str(error))
        return
    if claim is None:
        return
    name = work.document.work_name
    bound = {"work": name, "id": str(id), "attempt": claim.attempt}
    if claim.request_id is not None:
        bound["request_id"] = claim.request_id
    with structlog.contextvars.bound_contextvars(**bound):
        if claim.attempt > deps.settings.job_attempts:
            await _give_up(deps, work, claim, FailureReason.WORKER_DIED)
        elif _seconds_left(deps, claim) <= 0:
            await _give_up(deps, work, claim, FailureReason.JOB_TIMEOUT)
        else:
            await _attempt(deps, work, claim)


async def _attempt(deps: Deps, work: Work, claim: Claim) -> None:
    try:
        await _run_leased(deps, work, claim)
    except LeaseLost:
        log.warning("lease lost; the result is dropped")
    except NotYet as waiting:
        await _hand_back(deps, work, claim, waiting.seconds, is_counted=False)
    except asyncio.CancelledError:
        await asyncio.shield(_hand_back(deps, work, claim, 0, is_counted=False))
        raise
    except ModelUnavailable as error:
        log.info("model unavailable", error=str(error), retry_after=error.retry_after)
        await _retry(deps, work, claim, FailureReason.MODEL_UNAVAILABLE, error)
    except (PyMongoError, RedisError, OSError) as error:
        log.warning("a server went away", error=str(error))
        await _retry(deps, work, claim, FailureReason.BUG, error)
    except Exception as error:  # noqa: BLE001  # whatever it is, the work must end
        await _give_up(deps, work, claim, _final_reason(error), error)


async def _give_up(
    deps: Deps,
    work: Work,
    claim: Claim,
    reason: FailureReason,
    error: Exception | None = None,
) -> None:
    # It may have been cancelled, or be another worker's by now: then nothing ended here.
    if await work.fail(deps, claim, reason):
        await bury(work, claim, reason, error)


def _seconds_left(deps: Deps, claim: Claim) -> float:
    """Until the time for all attempts together is over."""
    if claim.accepted_at is None:
        return deps.settings.job_total_seconds
    return deps.settings.job_total_seconds - (now() - claim.accepted_at).total_seconds()


async def _run_leased(deps: Deps, work: Work, claim: Claim) -> None:
    """Run with the lease kept alive beside it.

    Raises LeaseLost, TimeLimitPassed, or what the work raises.
    """
    body = asyncio.ensure_future(work.run(deps, claim))
    heart = asyncio.create_task(_beat(deps, work, claim))
    try:
        done, _ = await asyncio.wait(
            {body, heart},
            timeout=min(deps.settings.job_timeout_seconds, _seconds_left(deps, claim)),
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not done:
            raise TimeLimitPassed
        if not body.done():
            raise LeaseLost
        if body.cancelled():  # by itself: not to be taken for this worker's stop
            raise RuntimeError("the work cancelled itself")
        body.result()
    finally:
        await end(body, heart)


async def _beat(deps: Deps, work: Work, claim: Claim) -> None:
    """Renew the lease until it is lost; returns then."""
    lease = timedelta(seconds=deps.settings.lease_seconds)
    good_until = now() + lease
    while now() < good_until:
        await asyncio.sleep(deps.settings.heartbeat_seconds)
        try:
            # The driver's own time limit: on Python 3.11 a second cancellation of an operation that
            # waits for a server leaves its client without its lock.
            with pymongo.timeout(deps.settings.heartbeat_seconds):
                if not await work.document.renew(claim, lease):
                    return
            good_until = now() + lease
        except PyMongoError as error:
            log.warning("lease not renewed", error=str(error))


async def _retry(
    deps: Deps, work: Work, claim: Claim, reason: FailureReason, error: Exception
) -> None:
    """Hand the work back to be tried later, or give it up when no attempt or no time is left."""
    asked = error.retry_after if isinstance(error, ModelUnavailable) else None
    seconds = backoff_seconds(claim.attempt, random.random(), asked)  # noqa: S311  # jitter
    if claim.attempt >= deps.settings.job_attempts:
        await _give_up(deps, work, claim, reason, error)
        return
    if seconds >= _seconds_left(deps, claim):
        await _give_up(deps, work, claim, FailureReason.JOB_TIMEOUT, error)
        return
    if work.pause is not None:
        with contextlib.suppress(PyMongoError):  # as in `_hand_back`
            await work.pause(deps, claim)
    await _hand_back(deps, work, claim, seconds, is_counted=True)


async def _hand_back(
    deps: Deps, work: Work, claim: Claim, seconds: float, *, is_counted: bool
) -> None:
    wait = timedelta(seconds=seconds)
    # Should MongoDB be away, the lease runs out by itself and the sweeper finds the work.
    with contextlib.suppress(PyMongoError), pymongo.timeout(_HAND_BACK_SECONDS):
        if await work.document.hand_back(claim, now() + wait, is_counted):
            await deps.queue.wake(work.document.work_name, claim.id, claim.token.hex, wait)


def _final_reason(error: Exception) -> FailureReason:
    match error:
        case TimeLimitPassed():
            log.warning("stopped at its time limit")
            return FailureReason.JOB_TIMEOUT
        case ModelTimeout():
            log.warning("the model took too long", error=str(error))
            return FailureReason.MODEL_TIMEOUT
        case ModelRejected():
            log.error("the model's server refuses our requests", error=str(error))
            return FailureReason.MODEL_REJECTED
        case ModelRefused():
            log.info("the model declined", error=str(error))
            return FailureReason.MODEL_REFUSED
        case ModelAnswerUnreadable():
            log.warning("Failed to parse LLM response", error=str(error))
            log.debug("the unreadable answer", answer=error.answer)
            return FailureReason.ANSWER_UNREADABLE
    log.error("a bug ended the work", exc_info=error)
    return FailureReason.BUG
