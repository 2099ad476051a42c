"""Which access tokens were revoked, known to every process within seconds.

MongoDB holds what is true. Each process reads from it every 1.5 s what was revoked since; Redis
tells it at once. So a Redis that is away, hangs or comes back empty delays nothing beyond that.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pymongo
import structlog
from pymongo.errors import PyMongoError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.auth.session_documents import AccessToken, Asker, Session
from domain.auth.token_documents import Ended, RevokedToken
from domain.core.clock import now
from domain.core.tasks import end, heed_cancellation

log = structlog.get_logger()

POLL_SECONDS = 1.5
_STALE_SECONDS = 4.0
"""When the last good poll is older, Redis alone is not believed."""
_READ_SECONDS = 2.0
_OVERLAP = timedelta(seconds=30)
"""Polls overlap: MongoDB's clock may step back a little when another member becomes primary."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_REDIS_FAULTS = (RedisError, OSError, TimeoutError)


class Revocations:
    """What one process knows of revoked tokens."""

    def __init__(self, redis: Redis, poll_seconds: float = POLL_SECONDS) -> None:
        self._redis = redis
        self._poll_seconds = poll_seconds
        self._ended: dict[UUID | str, datetime] = {}
        self._read_to = _LONG_AGO
        self._read_at = float("-inf")
        self._redis_answers = True

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Knows all that is revoked when entered, and keeps up until left.

        Raises PyMongoError when MongoDB does not answer at the start.
        """
        await self._read()
        task = asyncio.create_task(self._poll())
        try:
            yield
        finally:
            await end(task)

    def knows(self, asker: Asker) -> bool:
        """Whether this process knows the token to be revoked. For sockets, which ask often."""
        return key_of(asker) in self._ended

    async def is_revoked(self, asker: Asker) -> bool:
        """Whether the token was revoked, or its session is gone.

        Raises PyMongoError when neither Redis nor MongoDB can tell.
        """
        if self.knows(asker):
            return True
        told = await self._redis_told(asker)
        is_fresh = time.monotonic() - self._read_at < _STALE_SECONDS
        if told is None or (not told and not is_fresh):
            return await _stored(asker)
        return told

    async def announce(self, ended: Ended, tokens: list[AccessToken]) -> None:
        """Tell this process and Redis, after the write to MongoDB. Never fails."""
        self._ended[ended.key] = ended.until
        if not self._redis_answers:
            return  # every process reads it from MongoDB
        left = [
            (token, (token.expires_at - now()) // timedelta(milliseconds=1)) for token in tokens
        ]
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for token, milliseconds in left:
                    if milliseconds > 0:
                        pipeline.set(_redis_key(token.token_id), 1, px=milliseconds)
                await pipeline.execute()
        except _REDIS_FAULTS as error:
            self._note_fault(error)

    async def _redis_told(self, asker: Asker) -> bool | None:
        """What Redis says; None when it says nothing."""
        if not self._redis_answers:
            return None
        try:
            return bool(await self._redis.exists(_redis_key(asker.token_id)))
        except _REDIS_FAULTS as error:
            self._note_fault(error)
            return None

    def _note_fault(self, error: BaseException) -> None:
        """Ask Redis no more until the poll finds that it answers: a Redis that hangs costs its
        timeout once, not once for each request."""
        if self._redis_answers:
            log.warning("revocations are read from MongoDB: no answer from Redis", error=str(error))
        self._redis_answers = False

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            try:
                await self._read()
            except (PyMongoError, OSError) as error:
                log.warning("revocations not read", error=str(error))
            heed_cancellation()
            if not self._redis_answers:
                await self._try_redis()

    async def _try_redis(self) -> None:
        with contextlib.suppress(*_REDIS_FAULTS):
            await self._redis.ping()
            self._redis_answers = True
            log.info("revocations are read from Redis again")

    async def _read(self) -> None:
        since = self._read_to - _OVERLAP if self._read_to > _LONG_AGO else _LONG_AGO
        started = time.monotonic()
        with pymongo.timeout(_READ_SECONDS):
            found = [*await Session.revoked_since(since), *await RevokedToken.revoked_since(since)]
        for one in found:
            self._ended[one.key] = one.until
            self._read_to = max(self._read_to, one.revoked_at)
        self._read_at = started
        at = now()
        for key in [key for key, until in self._ended.items() if until <= at]:
            del self._ended[key]


def key_of(asker: Asker) -> UUID | str:
    """What a revocation of this asker's token is known by: its session, or, of an external
    issuer's, the token itself."""
    return asker.session_id or asker.token_id


def _redis_key(token_id: str) -> str:
    return f"careergraph:revoked:{token_id}"


async def _stored(asker: Asker) -> bool:
    with pymongo.timeout(_READ_SECONDS):
        if asker.session_id:
            return not await Session.is_live(asker.session_id)
        return await RevokedToken.is_revoked(asker.token_id)
