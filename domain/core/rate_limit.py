"""Token buckets in Redis, shared by all web processes."""

import math
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.core.errors import RateLimited

log = structlog.get_logger()

# The generic cell rate algorithm (ITU-T I.371): one number per bucket, the theoretical arrival
# time, kept in microseconds of the Redis server's own clock, so web processes need not agree on
# the time. A second key, where there is one, is left behind by the call that took the tokens: its
# repeats take none. Answers the microseconds to wait, 0 when the call is let through, then what is
# left.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local latest = now + interval * burst
if KEYS[2] and redis.call('EXISTS', KEYS[2]) == 1 then
  return {0, math.floor((latest - arrival) / interval)}
end
local updated = arrival + interval * cost
if updated > latest then
  return {math.ceil(updated - latest), math.floor((latest - arrival) / interval)}
end
local life = math.ceil((updated - now) / 1000) + 1
redis.call('SET', KEYS[1], string.format('%.0f', updated), 'PX', life)
if KEYS[2] then
  redis.call('SET', KEYS[2], 1, 'PX', 60000)
end
return {0, math.floor((latest - updated) / interval)}
"""


@dataclass(frozen=True, slots=True)
class Bucket:
    """`burst` calls at once, refilled at `per_minute`."""

    name: str
    per_minute: int
    burst: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What a bucket answered. `wait_seconds` is 0 when the tokens were taken."""

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
    interval = 60_000_000 / bucket.per_minute
    key = f"careergraph:limit:{bucket.name}:{owner}"
    keys = [key] if repeat is None else [key, f"{key}:{repeat}"]
    try:
        wait, left = await redis.eval(  # type: ignore[misc]  # redis-py types the sync and async client alike
            _TAKE, len(keys), *keys, str(interval), str(bucket.burst), str(tokens)
        )
    except (RedisError, OSError, TimeoutError) as error:
        log.warning(
            "rate limit not counted: Redis does not answer", bucket=bucket.name, error=str(error)
        )
        return Taken(wait_seconds=0, remaining=bucket.burst)
    return Taken(wait_seconds=int(wait) / 1_000_000, remaining=int(left))


async def require(redis: Redis, bucket: Bucket, owner: str, repeat: str | None = None) -> None:
    """Take one token, as `take` does, or raise RateLimited."""
    taken = await take(redis, bucket, owner, repeat=repeat)
    if taken.wait_seconds > 0:
        raise RateLimited(retry_after=max(1, math.ceil(taken.wait_seconds)))
