"""Finding work that no wake-up brings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from domain.core.clock import now
from domain.core.delivery import Claim
from domain.core.deps import Deps
from domain.core.leases import hold
from domain.gap_analysis.documents import GapAnalysis, GapAnalysisStatus
from jobs.delivery_work import Work
from jobs.runner import Runner
from jobs.sweeper import LEASE_NAME, sweep, sweep_for_ever
from tests.jobs.pieces import (
    LEASE,
    NoQueue,
    accepted_analysis,
    complete,
    final,
    quick,
    stored,
    work_of,
)


@pytest.fixture
def queue() -> NoQueue:
    return NoQueue()


@pytest.fixture
def quiet(deps: Deps, queue: NoQueue) -> Deps:
    return replace(quick(deps, sweep_after_seconds=15.0, sweep_seconds=0.1), queue=queue)


async def accepted_ago(deps: Deps, seconds: float) -> GapAnalysis:
    analysis = await accepted_analysis(deps)
    due_at = now() - timedelta(seconds=seconds)
    update = {"$set": {"delivery.due_at": due_at}}
    await GapAnalysis.get_pymongo_collection().update_one({"_id": analysis.id}, update)
    return analysis


async def swept(deps: Deps, work: Work) -> None:
    runner = Runner(deps)
    await sweep(runner, [work])
    await runner.drain(5)


async def test_old_unclaimed_work_is_started_and_young_work_is_left_to_its_wake_up(
    quiet: Deps,
) -> None:
    old, young = await accepted_ago(quiet, 16), await accepted_ago(quiet, 5)

    await swept(quiet, work_of(complete))

    assert (await stored(old)).status is GapAnalysisStatus.COMPLETED
    assert (await stored(young)).delivery.attempts == 0


async def test_work_of_a_dead_worker_is_started_once_its_lease_has_run_out(quiet: Deps) -> None:
    """A rescue takes the lease and one sweep: no further wait on top."""
    dead, alive = await accepted_ago(quiet, 40), await accepted_ago(quiet, 40)
    assert await GapAnalysis.claim(dead.id, timedelta(seconds=-0.1))
    assert await GapAnalysis.claim(alive.id, LEASE)

    await swept(quiet, work_of(complete))

    rescued, left = await stored(dead), await stored(alive)
    assert (rescued.status, rescued.delivery.attempts) == (GapAnalysisStatus.COMPLETED, 2)
    assert (left.status, left.delivery.attempts) == (GapAnalysisStatus.PENDING, 1)


async def test_final_work_is_not_swept(quiet: Deps) -> None:
    analysis = await accepted_ago(quiet, 60)
    claim = await GapAnalysis.claim(analysis.id, LEASE)
    assert claim is not None
    await complete(quiet, claim)

    since = now()
    assert analysis.id not in dict(await GapAnalysis.overdue(since, 1000))


async def test_others_are_woken_for_what_there_is_no_room_for(quiet: Deps, queue: NoQueue) -> None:
    await GapAnalysis.get_pymongo_collection().delete_many({})
    runner = Runner(quick(quiet, worker_concurrency=1))
    analyses = [await accepted_ago(quiet, 60) for _ in range(3)]
    gate = asyncio.Event()

    async def run(deps: Deps, claim: Claim) -> None:
        await gate.wait()
        await complete(deps, claim)

    await sweep(runner, [work_of(run)])
    gate.set()
    await runner.drain(5)

    states = [(await stored(item)).status.is_final for item in analyses]
    woken = {id for id, _ in queue.dropped}
    assert states.count(True) == 1
    assert woken == {item.id for item, done in zip(analyses, states, strict=True) if not done}


@asynccontextmanager
async def sweeping(deps: Deps, work: Work) -> AsyncIterator[None]:
    runner = Runner(deps)
    task = asyncio.create_task(sweep_for_ever(runner, [work]))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await runner.drain(5)


async def test_sweeps_for_ever_and_one_at_a_time(quiet: Deps) -> None:
    await quiet.database["leases"].delete_many({})
    life = timedelta(seconds=1)
    assert await hold(quiet.database, LEASE_NAME, uuid4(), life)  # another worker sweeps
    analysis = await accepted_ago(quiet, 60)

    async with sweeping(quiet, work_of(complete)):
        await asyncio.sleep(0.4)
        assert (await stored(analysis)).delivery.attempts == 0
        assert (await final(analysis)).status is GapAnalysisStatus.COMPLETED  # that one died
        later = await accepted_ago(quiet, 60)
        assert (await final(later)).status is GapAnalysisStatus.COMPLETED


async def test_lease_is_one_holders_until_it_runs_out(deps: Deps) -> None:
    name, life = f"test-{uuid4().hex}", timedelta(seconds=30)
    holders = [uuid4() for _ in range(20)]

    taken = await asyncio.gather(*(hold(deps.database, name, one, life) for one in holders))

    assert taken.count(True) == 1
    holder = holders[taken.index(True)]
    assert await hold(deps.database, name, holder, timedelta(seconds=-1))  # lengthened, or ended
    assert await hold(deps.database, name, uuid4(), life)
    assert not await hold(deps.database, name, holder, life)
