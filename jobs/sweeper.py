"""Finding work that no wake-up will bring: lost hints, dead workers, a Redis that is away."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import structlog
from pymongo.errors import PyMongoError

from domain.core.clock import now
from domain.core.leases import hold
from domain.core.tasks import heed_cancellation
from jobs.delivery_work import Work
from jobs.runner import Runner

log = structlog.get_logger()

LEASE_NAME = "sweeper"
MOST_A_SWEEP = 200


async def sweep_for_ever(runner: Runner, works: list[Work]) -> None:
    """Sweep every so often, while no other worker does. Ends only by cancellation."""
    settings, holder = runner.deps.settings, uuid4()
    life = timedelta(seconds=settings.sweep_seconds * 1.5)
    while True:
        try:
            if await hold(runner.deps.database, LEASE_NAME, holder, life):
                await sweep(runner, works)
        except PyMongoError as error:
            log.warning("not swept", error=str(error))
        heed_cancellation()
        await asyncio.sleep(settings.sweep_seconds)


async def sweep(runner: Runner, works: list[Work]) -> None:
    """Start what lies unclaimed for too long; what this worker has no room for, wake others for."""
    settings = runner.deps.settings
    since = now() - timedelta(seconds=settings.sweep_after_seconds)
    for work in works:
        for id, attempts in await work.document.overdue(since, MOST_A_SWEEP):
            if runner.has_room:
                await runner.start(work, id)
            else:
                await _wake(runner, work, id, attempts)


async def _wake(runner: Runner, work: Work, id: UUID, attempts: int) -> None:
    # A name that lasts as long as a sweep or so: wake-ups do not pile up while all are busy.
    period = int(now().timestamp() // runner.deps.settings.sweep_after_seconds)
    await runner.deps.queue.wake(work.document.work_name, id, f"sweep-{attempts}-{period}")
