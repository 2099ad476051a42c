"""Token buckets in Redis, shared by all web processes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.core.errors import RateLimited

log = structlog.get_logger()

# The generic cell rate algorithm (ITU-T I.371): one number per bucket, the theoretical arrival
# time, kept in microseconds of the Redis server's own clock, so web processes need not agree on
# the time. ARGV holds the tokens to take, then an interval and a burst for each bucket. A key more
# than there are buckets is left behind by the call that took the tokens: its repeats take none.
# Answers the microseconds to wait, 0 when the call is let through, and what is left, for each
# bucket; tokens are taken from all or from none.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local cost, count = tonumber(ARGV[1]), (#ARGV - 1) / 2
local taken = KEYS[count + 1]
if taken and redis.call('EXISTS', taken) == 1 then cost = 0 end
local answer, updates, refused = {}, {}, false
for bucket = 1, count do
  local interval, burst = tonumber(ARGV[2 * bucket]), tonumber(ARGV[2 * bucket + 1])
  local arrival = math.max(tonumber(redis.call('GET', KEYS[bucket]) or 0), now)
  local latest = now + interval * burst
  local updated = arrival + interval * cost
  local wait = cost > 0 and math.max(0, math.ceil(updated - latest)) or 0
  refused = refused or wait > 0
  updates[bucket] = updated
  answer[2 * bucket - 1] = wait
  answer[2 * bucket] = {math.floor((latest - arrival) / interval),
                        math.floor((latest - updated) / interval)}
end
for bucket = 1, count do
  answer[2 * bucket] = answer[2 * bucket][refused and 1 or 2]
  if not refused and cost > 0 then
    local life = math.ceil((updates[bucket] - now) / 1000) + 1
    redis.call('SET', KEYS[bucket], string.format('%.0f', updates[bucket]), 'PX', life)
  end
end
if taken and not refused and cost > 0 then
  redis.call('SET', taken, 1, 'PX', 60000)
end
return answer
"""


@dataclass(frozen=True, slots=True)
class Bucket:
    """`burst` calls at once, refilled at `per_minute`."""

    name: str
    per_minute: int
    burst: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What a bucket answered. `wait_seconds` is 0 when it would give the tokens."""

    wait_seconds: float
    remaining: int


async def take(
    redis: Redis, bucket: Bucket, owner: str, tokens: int = 1, repeat: str | None = None
) -> Taken:
    """Take tokens from `owner`'s bucket, all or none.

    Calls with the same `repeat`, within a minute of one that was let through, are let through too
    and take nothing: they are one call asked for several times, perhaps all at once.

    A Redis that does not answer lets the call through: limits protect the service, they are no
    reason to refuse it.
    """
    [taken] = await take_from_all(redis, [(bucket, owner)], tokens, repeat)
    return taken


async def take_from_all(
    redis: Redis,
    buckets: Sequence[tuple[Bucket, str]],
    tokens: int,
    repeat: str | None = None,
) -> list[Taken]:
    """Take tokens from each owner's bucket, from all or, if one has too few, from none.

    One round trip. What `take` says of repeats and of Redis being away holds here too; a repeat is
    known by the first bucket.
    """
    keys = [f"careergraph:limit:{bucket.name}:{owner}" for bucket, owner in buckets]
    arguments = [str(tokens)]
    for bucket, _ in buckets:
        arguments += [str(60_000_000 / bucket.per_minute), str(bucket.burst)]
    if repeat is not None:
        keys.append(f"{keys[0]}:{repeat}")
    try:
        answer = await redis.eval(_TAKE, len(keys), *keys, *arguments)  # type: ignore[misc]  # redis-py types the sync and async client alike
    except (RedisError, OSError, TimeoutError) as error:
        names = ", ".join(bucket.name for bucket, _ in buckets)
        log.warning("rate limit not counted: Redis does not answer", bucket=names, error=str(error))
        return [Taken(wait_seconds=0, remaining=bucket.burst) for bucket, _ in buckets]
    pairs = zip(answer[::2], answer[1::2], strict=True)
    return [Taken(int(wait) / 1_000_000, int(left)) for wait, left in pairs]


async def require(redis: Redis, bucket: Bucket, owner: str, repeat: str | None = None) -> None:
    """Take one token, as `take` does, or raise RateLimited."""
    taken = await take(redis, bucket, owner, repeat=repeat)
    if taken.wait_seconds > 0:
        raise RateLimited(retry_after=max(1, math.ceil(taken.wait_seconds)))
