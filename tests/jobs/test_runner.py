"""The work under way in one worker process."""

import asyncio
from dataclasses import replace

import pytest

from domain.core.delivery import Claim
from domain.core.deps import Deps
from domain.gap_analysis.documents import GapAnalysisStatus
from jobs.runner import Runner
from tests.jobs.pieces import NoQueue, accepted_analysis, complete, quick, stored, until, work_of


@pytest.fixture
def quiet(deps: Deps) -> Deps:
    return replace(quick(deps, worker_concurrency=2), queue=NoQueue())


async def test_no_more_at_once_than_there_is_room_for(quiet: Deps) -> None:
    runner, gate = Runner(quiet), asyncio.Event()
    under_way: set[Claim] = set()
    most = 0

    async def run(deps: Deps, claim: Claim) -> None:
        nonlocal most
        under_way.add(claim)
        most = max(most, len(under_way))
        await gate.wait()
        under_way.remove(claim)
        await complete(deps, claim)

    analyses = [await accepted_analysis(quiet) for _ in range(5)]
    starts = [asyncio.create_task(runner.start(work_of(run), item.id)) for item in analyses]
    await until(lambda: _are_under_way(under_way, 2))
    assert not runner.has_room
    gate.set()
    await asyncio.gather(*starts)
    await runner.drain(5)

    assert most == 2
    assert {(await stored(item)).status for item in analyses} == {GapAnalysisStatus.COMPLETED}


async def _are_under_way(claims: set[Claim], count: int) -> bool:
    return len(claims) == count


async def test_drain_lets_work_finish_in_its_grace_time(quiet: Deps) -> None:
    runner, analysis = Runner(quiet), await accepted_analysis(quiet)

    async def run(deps: Deps, claim: Claim) -> None:
        await asyncio.sleep(0.2)
        await complete(deps, claim)

    await runner.start(work_of(run), analysis.id)
    await runner.drain(5)

    assert (await stored(analysis)).status is GapAnalysisStatus.COMPLETED


async def test_drain_hands_back_what_does_not_finish(quiet: Deps) -> None:
    runner, analysis = Runner(quiet), await accepted_analysis(quiet)

    async def run(_deps: Deps, _claim: Claim) -> None:
        await asyncio.sleep(60)

    await runner.start(work_of(run), analysis.id)
    async with asyncio.timeout(3):
        await runner.drain(0.2)

    handed_back = await stored(analysis)
    assert (handed_back.status, handed_back.delivery.attempts) == (GapAnalysisStatus.PENDING, 0)
    assert handed_back.delivery.token is None
    assert runner.has_room


async def test_drain_of_an_idle_runner_returns_at_once(quiet: Deps) -> None:
    async with asyncio.timeout(0.5):
        await Runner(quiet).drain(60)
