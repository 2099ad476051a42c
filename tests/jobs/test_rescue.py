"""What was accepted is finished although Redis forgets it or no worker runs yet."""

import asyncio
from pathlib import Path

from domain.clients.queue import QUEUE_NAME
from domain.core.deps import Deps
from domain.gap_analysis.documents import GapAnalysis, GapAnalysisStatus
from tests.conftest import running_worker
from tests.jobs.pieces import accepted_analysis, final, own_redis

COMPLETED = GapAnalysisStatus.COMPLETED
SMALL = {"sweep_seconds": 0.3, "sweep_after_seconds": 0.3}


async def woken(deps: Deps) -> GapAnalysis:
    """An accepted analysis, with its wake-up in Redis."""
    analysis = await accepted_analysis(deps)
    await deps.queue.wake(GapAnalysis.work_name, analysis.id, "1")
    return analysis


async def test_redis_that_comes_back_empty_loses_no_work(deps: Deps, tmp_path: Path) -> None:
    async with own_redis(deps, tmp_path, **SMALL) as redis:
        before = [await woken(redis.deps) for _ in range(5)]
        assert await redis.deps.redis.zcard(QUEUE_NAME) == 5
        await redis.deps.redis.flushall()
        async with running_worker(redis.deps):
            rescued = await asyncio.gather(*(final(one) for one in before))
            await redis.deps.redis.flushall()  # under a listening worker
            afterwards = await final(await woken(redis.deps))

    assert {one.status for one in [*rescued, afterwards]} == {COMPLETED}
    assert {one.delivery.attempts for one in rescued} == {1}


async def test_two_workers_share_the_work_and_each_job_is_run_once(deps: Deps) -> None:
    made = [await woken(deps) for _ in range(20)]

    async with running_worker(deps), running_worker(deps):
        ended = await asyncio.gather(*(final(one) for one in made))

    assert {(one.status, one.delivery.attempts) for one in ended} == {(COMPLETED, 1)}
