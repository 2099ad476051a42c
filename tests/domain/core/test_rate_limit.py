"""Token buckets in a real Redis."""

import asyncio
from uuid import uuid4

import pytest

from domain.core.deps import Deps, open_redis
from domain.core.errors import RateLimited
from domain.core.rate_limit import Bucket, require, take, take_from_all

SLOW = Bucket("test", per_minute=10, burst=3)  # six seconds for each token


def owner() -> str:
    return uuid4().hex


async def test_a_burst_is_let_through_and_then_each_waits_its_turn(deps: Deps) -> None:
    who = owner()

    taken = [await take(deps.redis, SLOW, who) for _ in range(4)]

    assert [one.wait_seconds for one in taken[:3]] == [0, 0, 0]
    assert [one.remaining for one in taken] == [2, 1, 0, 0]
    assert 5 < taken[3].wait_seconds <= 6


async def test_a_refused_call_takes_nothing(deps: Deps) -> None:
    who = owner()
    first = [await take(deps.redis, SLOW, who) for _ in range(5)][-1]

    second = await take(deps.redis, SLOW, who)

    assert second.wait_seconds <= first.wait_seconds


async def test_tokens_come_back_with_time(deps: Deps) -> None:
    quick, who = Bucket("test", per_minute=600, burst=1), owner()  # a tenth of a second each

    assert (await take(deps.redis, quick, who)).wait_seconds == 0
    wait = (await take(deps.redis, quick, who)).wait_seconds
    assert 0 < wait <= 0.1
    await asyncio.sleep(wait)
    assert (await take(deps.redis, quick, who)).wait_seconds == 0


async def test_several_tokens_are_taken_all_or_none(deps: Deps) -> None:
    who = owner()

    too_many = await take(deps.redis, SLOW, who, 4)
    some = await take(deps.redis, SLOW, who, 2)
    more = await take(deps.redis, SLOW, who, 2)

    assert (too_many.wait_seconds > 0, too_many.remaining) == (True, 3)
    assert (some.wait_seconds, some.remaining) == (0, 1)
    assert (more.wait_seconds > 0, more.remaining) == (True, 1)


async def test_calls_at_once_take_no_more_than_the_burst(deps: Deps) -> None:
    who = owner()

    taken = await asyncio.gather(*(take(deps.redis, SLOW, who) for _ in range(50)))

    assert sum(one.wait_seconds == 0 for one in taken) == 3


async def test_owners_and_buckets_are_apart(deps: Deps) -> None:
    who = owner()
    for _ in range(3):
        await take(deps.redis, SLOW, who)

    assert (await take(deps.redis, SLOW, owner())).wait_seconds == 0
    other = Bucket("other-test", per_minute=10, burst=3)
    assert (await take(deps.redis, other, who)).wait_seconds == 0


async def test_repeats_of_a_call_let_through_take_nothing(deps: Deps) -> None:
    who = owner()

    repeats = await asyncio.gather(*(take(deps.redis, SLOW, who, repeat="a") for _ in range(20)))
    others = [await take(deps.redis, SLOW, who, repeat=name) for name in "bcd"]
    late = await take(deps.redis, SLOW, who, repeat="a")

    assert {one.wait_seconds for one in repeats} == {0}
    assert [one.wait_seconds > 0 for one in others] == [False, False, True]
    assert late.wait_seconds == 0
    assert (await take(deps.redis, SLOW, owner(), repeat="a")).remaining == 2


async def test_repeats_of_a_refused_call_are_refused(deps: Deps) -> None:
    who = owner()
    await take(deps.redis, SLOW, who, 3)

    waits = [(await take(deps.redis, SLOW, who, repeat="a")).wait_seconds for _ in range(3)]

    assert min(waits) > 0


async def test_several_buckets_give_all_or_none(deps: Deps) -> None:
    wide, who, where = Bucket("wide-test", per_minute=20, burst=6), owner(), owner()
    both = [(SLOW, who), (wide, where)]

    first = await take_from_all(deps.redis, both, 2)
    refused = await take_from_all(deps.redis, both, 2)
    other = await take_from_all(deps.redis, [(SLOW, owner()), (wide, where)], 3)

    assert [(one.wait_seconds, one.remaining) for one in first] == [(0, 1), (0, 4)]
    assert [one.remaining for one in refused] == [1, 4]  # nothing was taken from either
    assert 5 < refused[0].wait_seconds <= 6
    assert refused[1].wait_seconds == 0
    assert [(one.wait_seconds, one.remaining) for one in other] == [(0, 0), (0, 1)]


async def test_bucket_that_would_give_waits_for_the_one_that_would_not(deps: Deps) -> None:
    wide, where = Bucket("wide-test", per_minute=20, burst=4), owner()
    await take_from_all(deps.redis, [(wide, where)], 4)

    [mine, shared] = await take_from_all(deps.redis, [(SLOW, who := owner()), (wide, where)], 1)

    assert (mine.wait_seconds, mine.remaining) == (0, 3)
    assert 2 < shared.wait_seconds <= 3
    assert (await take(deps.redis, SLOW, who, 3)).wait_seconds == 0


async def test_several_buckets_are_asked_in_one_round_trip(deps: Deps) -> None:
    buckets = [(Bucket(f"trip-{number}", 60, 60), owner()) for number in range(5)]
    before = (await deps.redis.info("commandstats"))["cmdstat_eval"]["calls"]

    await take_from_all(deps.redis, buckets, 1)

    assert (await deps.redis.info("commandstats"))["cmdstat_eval"]["calls"] == before + 1


async def test_repeats_over_several_buckets_take_nothing(deps: Deps) -> None:
    wide, where = Bucket("wide-test", per_minute=20, burst=6), owner()
    both = [(SLOW, owner()), (wide, where)]

    answers = [await take_from_all(deps.redis, both, 2, repeat="a") for _ in range(4)]

    assert {(one.wait_seconds, one.remaining) for one, _ in answers} == {(0, 1)}
    assert {(one.wait_seconds, one.remaining) for _, one in answers} == {(0, 4)}


async def test_without_redis_every_bucket_lets_through(deps: Deps) -> None:
    redis = open_redis(deps.settings.model_copy(update={"redis_url": "unix:///nowhere.sock"}))

    answers = await take_from_all(redis, [(SLOW, owner()), (SLOW, owner())], 99)
    await redis.aclose()

    assert [(one.wait_seconds, one.remaining) for one in answers] == [(0, 3), (0, 3)]


async def test_what_is_kept_in_redis_ends_by_itself(deps: Deps) -> None:
    who = owner()
    await take(deps.redis, SLOW, who, repeat="a")

    keys = [key async for key in deps.redis.scan_iter(match=f"*{who}*", count=1000)]
    lives = [await deps.redis.pttl(key) for key in keys]

    assert len(keys) == 2
    assert all(0 < life <= 60_000 for life in lives)


async def test_require_names_whole_seconds_to_wait(deps: Deps) -> None:
    who, quick = owner(), Bucket("quick-test", per_minute=600, burst=1)
    for _ in range(3):
        await require(deps.redis, SLOW, who)
    with pytest.raises(RateLimited) as slow:
        await require(deps.redis, SLOW, who)
    await require(deps.redis, quick, who)
    with pytest.raises(RateLimited) as soon:
        await require(deps.redis, quick, who)

    assert slow.value.retry_after == 6
    assert soon.value.retry_after == 1
