"""What Redis holds under a person's name: rate limits and places for sockets."""

from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

_KEYS_AT_ONCE = 1000


async def forget_in_redis(redis: Redis, user_id: UUID) -> int:
    """Delete all keys that name a person; how many. Never fails.

    All such keys end by themselves within minutes, so a Redis that is away leaves nothing for long.
    """
    deleted = 0
    try:
        for name in (str(user_id), user_id.hex):
            pattern = f"careergraph:*{name}*"
            async for key in redis.scan_iter(match=pattern, count=_KEYS_AT_ONCE):
                deleted += await redis.delete(key)
    except (RedisError, OSError, TimeoutError) as error:
        log.warning("left in Redis until it expires", error=str(error))
    return deleted
