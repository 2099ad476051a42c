"""Hints of changes, and following a document by them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from domain.core.delivery import Claim
from domain.core.deps import Deps, open_redis
from domain.core.events import Changes, channel
from domain.core.following import follow
from domain.gap_analysis.documents import GapAnalysis, GapAnalysisStatus
from tests.jobs.pieces import LEASE, accepted_analysis, complete, own_redis, stored, until

NEVER = 3600.0


@pytest.fixture
async def changes(deps: Deps) -> AsyncIterator[Changes]:
    """Hints of a process of their own that never reads again by itself."""
    hints = Changes(deps.redis, NEVER)
    async with hints.running():
        yield hints


async def listeners(deps: Deps, analysis: GapAnalysis) -> int:
    """How many processes Redis would tell about a change of this analysis."""
    [(_, count)] = await deps.redis.pubsub_numsub(channel(GapAnalysis, analysis.id))
    return int(count)


async def claimed(analysis: GapAnalysis) -> Claim:
    claim = await GapAnalysis.claim(analysis.id, LEASE)
    assert claim is not None
    return claim


async def progress(deps: Deps, analysis: GapAnalysis, claim: Claim, percent: int) -> None:
    before = await stored(analysis)
    assert await before.advance(claim, {"progress_percent": percent})
    await deps.changes.announce(GapAnalysis, analysis.id)


async def followed(changes: Changes, analysis: GapAnalysis, seen: list[GapAnalysis]) -> None:
    """Follow to the end, and keep what was seen."""
    states = follow(
        changes, analysis, lambda: GapAnalysis.get(analysis.id), lambda now: now.status.is_final
    )
    async with aclosing(states):
        async for state in states:
            seen.append(state)  # noqa: PERF401  # they are looked at meanwhile


async def until_seen(seen: list[GapAnalysis], count: int) -> None:
    async def are_seen() -> bool:
        return len(seen) >= count

    await until(are_seen)


async def until_listeners(deps: Deps, analysis: GapAnalysis, count: int) -> None:
    async def are_there() -> bool:
        return await listeners(deps, analysis) == count

    await until(are_there)


async def test_hint_wakes_a_watch(deps: Deps, changes: Changes) -> None:
    analysis, other = await accepted_analysis(deps), await accepted_analysis(deps)

    async with changes.watch(GapAnalysis, analysis.id) as watch:
        await until_listeners(deps, analysis, 1)
        with suppress(TimeoutError):  # that listening has begun may wake it too
            await asyncio.wait_for(watch.changed(), 0.2)
        await deps.changes.announce(GapAnalysis, other.id)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(watch.changed(), 0.2)
        await deps.changes.announce(GapAnalysis, analysis.id)
        await asyncio.wait_for(watch.changed(), 5)


async def test_follower_sees_state_changes_and_end_with_growing_versions(
    deps: Deps, changes: Changes
) -> None:
    analysis = await accepted_analysis(deps)
    seen: list[GapAnalysis] = []
    following = asyncio.create_task(followed(changes, analysis, seen))
    await until_seen(seen, 1)
    claim = await claimed(analysis)

    for percent in (20, 40):
        await progress(deps, analysis, claim, percent)
        await until_seen(seen, len(seen) + 1)
    await complete(deps, claim)
    await asyncio.wait_for(following, 5)

    assert [state.progress_percent for state in seen] == [0, 20, 40, 40]
    assert [state.version for state in seen] == [1, 2, 3, 4]
    assert seen[-1].status is GapAnalysisStatus.COMPLETED


async def test_follower_of_a_final_document_sees_it_once(deps: Deps, changes: Changes) -> None:
    analysis = await accepted_analysis(deps)
    await complete(deps, await claimed(analysis))
    seen: list[GapAnalysis] = []

    await asyncio.wait_for(followed(changes, analysis, seen), 5)

    assert [state.status for state in seen] == [GapAnalysisStatus.COMPLETED]


async def test_change_between_the_first_read_and_the_watch_is_not_missed(
    deps: Deps, changes: Changes
) -> None:
    analysis = await accepted_analysis(deps)  # what the follower has read
    await complete(deps, await claimed(analysis))  # before it watches
    seen: list[GapAnalysis] = []

    await asyncio.wait_for(followed(changes, analysis, seen), 5)

    assert seen[-1].status is GapAnalysisStatus.COMPLETED


async def test_lost_hint_is_noticed_by_reading_again(deps: Deps) -> None:
    hints = Changes(deps.redis, 0.2)
    analysis = await accepted_analysis(deps)
    seen: list[GapAnalysis] = []
    async with hints.running():
        following = asyncio.create_task(followed(hints, analysis, seen))
        await until_seen(seen, 1)
        await until_listeners(deps, analysis, 1)
        mute = replace(deps, changes=_Mute(deps.redis, NEVER))
        await complete(mute, await claimed(analysis))
        await asyncio.wait_for(following, 5)

    assert seen[-1].status is GapAnalysisStatus.COMPLETED


class _Mute(Changes):
    """Loses every hint."""

    async def announce(self, document: object, id: object) -> None:
        pass


async def test_document_that_goes_away_ends_the_following(deps: Deps) -> None:
    hints = Changes(deps.redis, 0.1)
    analysis = await accepted_analysis(deps)
    seen: list[GapAnalysis] = []
    async with hints.running():
        following = asyncio.create_task(followed(hints, analysis, seen))
        await until_seen(seen, 1)
        await analysis.delete()
        await asyncio.wait_for(following, 5)

    assert len(seen) == 1


async def test_many_followers_of_one_document_share_a_channel_that_goes_with_the_last(
    deps: Deps, changes: Changes
) -> None:
    analysis = await accepted_analysis(deps)
    seen: list[list[GapAnalysis]] = [[] for _ in range(30)]
    tasks = [asyncio.create_task(followed(changes, analysis, one)) for one in seen]
    for one in seen:
        await until_seen(one, 1)
    await until_listeners(deps, analysis, 1)
    for task in tasks[:15]:  # clients that went away
        task.cancel()
    await asyncio.gather(*tasks[:15], return_exceptions=True)
    assert await listeners(deps, analysis) == 1

    await complete(deps, await claimed(analysis))
    await asyncio.wait_for(asyncio.gather(*tasks[15:]), 5)

    assert all(one[-1].status is GapAnalysisStatus.COMPLETED for one in seen[15:])
    await until_listeners(deps, analysis, 0)


async def test_storm_of_followers_that_come_and_go_does_not_deafen_the_others(
    deps: Deps, changes: Changes
) -> None:
    """Cancelled in the middle of subscribing, on the connection that all of them share."""
    analysis = await accepted_analysis(deps)
    seen: list[GapAnalysis] = []
    staying = asyncio.create_task(followed(changes, analysis, seen))
    await until_seen(seen, 1)
    for round_ in range(40):
        leaving = [asyncio.create_task(followed(changes, analysis, [])) for _ in range(5)]
        for _ in range(round_ % 8):
            await asyncio.sleep(0)
        for task in leaving:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*leaving, return_exceptions=True)
    claim = await claimed(analysis)

    await progress(deps, analysis, claim, 50)
    await asyncio.wait_for(until_seen(seen, 2), 2)
    await complete(deps, claim)
    await asyncio.wait_for(staying, 2)

    await until_listeners(deps, analysis, 0)


async def test_watches_entered_while_the_listener_connects_are_heard(deps: Deps) -> None:
    for turns in range(12):
        hints = Changes(deps.redis, NEVER)
        analysis = await accepted_analysis(deps)
        async with hints.running():
            for _ in range(turns):
                await asyncio.sleep(0)
            seen: list[GapAnalysis] = []
            following = asyncio.create_task(followed(hints, analysis, seen))
            await until_listeners(deps, analysis, 1)
            await until_seen(seen, 1)
            await complete(deps, await claimed(analysis))
            await asyncio.wait_for(following, 5)


async def test_redis_that_dies_and_comes_back_delays_but_loses_nothing(
    deps: Deps, tmp_path: Path
) -> None:
    async with own_redis(deps, tmp_path, reread_seconds=0.3) as redis:
        own = redis.deps
        followed_on = [await accepted_analysis(own) for _ in range(20)]
        seen: list[list[GapAnalysis]] = [[] for _ in followed_on]
        tasks = [
            asyncio.create_task(followed(own.changes, analysis, one))
            for analysis, one in zip(followed_on, seen, strict=True)
        ]
        for one in seen:
            await until_seen(one, 1)
        claims = [await claimed(analysis) for analysis in followed_on]
        redis.kill()
        for claim in claims[:10]:
            await complete(own, claim)
        await asyncio.wait_for(asyncio.gather(*tasks[:10]), 10)
        await until_listeners_again(own, followed_on[-1])
        for claim in claims[10:]:
            await complete(own, claim)
        await asyncio.wait_for(asyncio.gather(*tasks[10:]), 10)

    assert all(one[-1].status is GapAnalysisStatus.COMPLETED for one in seen)
    assert all([state.version for state in one] == [1, 2] for one in seen)


async def until_listeners_again(deps: Deps, analysis: GapAnalysis) -> None:
    async def are_there() -> bool:
        with suppress(RedisError, OSError):
            return await listeners(deps, analysis) == 1
        return False

    await until(are_there)


async def test_announcing_without_redis_takes_at_most_a_moment(deps: Deps) -> None:
    analysis = await accepted_analysis(deps)
    settings = deps.settings.model_copy(update={"redis_url": "unix:///nowhere/redis.sock"})
    redis = open_redis(settings)
    async with asyncio.timeout(1.5):
        await Changes(redis, NEVER).announce(GapAnalysis, analysis.id)
    await redis.aclose()


async def test_versions_are_read_for_many_at_once(deps: Deps) -> None:
    analyses = [await accepted_analysis(deps) for _ in range(3)]
    await complete(deps, await claimed(analyses[0]))
    gone = analyses[2]
    await gone.delete()

    found = await GapAnalysis.versions([analysis.id for analysis in analyses])

    assert found == {analyses[0].id: 2, analyses[1].id: 1}
