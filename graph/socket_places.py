"""How many sockets an owner has open, over all web processes."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

SOCKETS_MAX = 10
"""Open at once for one user; for one address, when nobody is signed in."""
PLACE_SECONDS = 10
"""How long a place is kept for a process that does not renew it, since it was killed."""
_REDIS_FAULTS = (RedisError, OSError, TimeoutError)

# A sorted set for each owner: ids of sockets, by when their place ends on the Redis server's clock.
_TAKE = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""
_RENEW = """
local ends = tonumber(redis.call('TIME')[1]) + tonumber(ARGV[1])
for index = 2, #ARGV do redis.call('ZADD', KEYS[1], ends, ARGV[index]) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""


class Places:
    """The places in Redis. While it does not answer there is always one: each process counts its
    own sockets as well (see graph/open_sockets.py)."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def take(self, owner: str, id: UUID) -> bool:
        """A place for this socket, unless all are taken."""
        arguments = (str(SOCKETS_MAX), str(PLACE_SECONDS), id.hex)
        try:
            taken: Any = await self._redis.eval(_TAKE, 1, _key(owner), *arguments)  # type: ignore[misc]  # redis-py types the sync and async client alike
        except _REDIS_FAULTS as error:
            log.warning("sockets not counted: Redis does not answer", error=str(error))
            return True
        return bool(taken)

    async def give_back(self, owner: str, id: UUID) -> None:
        try:
            await self._redis.zrem(_key(owner), id.hex)
        except _REDIS_FAULTS as error:
            log.warning("a socket's place not given back", error=str(error))

    async def renew(self, ids_by_owner: Iterable[tuple[str, list[UUID]]]) -> None:
        """Keep these places, or take them again in a Redis that has lost them."""
        pipeline = self._redis.pipeline(transaction=False)
        for owner, ids in ids_by_owner:
            members = [id.hex for id in ids]
            pipeline.eval(_RENEW, 1, _key(owner), str(PLACE_SECONDS), *members)
        try:
            await pipeline.execute()
        except _REDIS_FAULTS as error:
            log.warning("sockets not counted: Redis does not answer", error=str(error))


def _key(owner: str) -> str:
    return f"careergraph:sockets:{owner}"
