"""Waking workers through arq. Nothing depends on a wake-up arriving: MongoDB holds the work."""

import asyncio
import json
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

import structlog
from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

log = structlog.get_logger()

QUEUE_NAME = "careergraph:queue"
WORKER_HEALTH_KEY = "careergraph:worker-health"
"""Present while at least one worker reports."""
_WAKE_SECONDS = 0.7
_WAKE_UP_LIFE = timedelta(hours=1)


class JobQueue(Protocol):
    """Tells workers that there is something to do."""

    async def wake(self, work: str, id: UUID, wake_up: str, defer: timedelta = timedelta()) -> None:
        """Ask for one run of `work` on a document, after `defer`.

        Asking again under the same `wake_up` name while the first ask is queued does nothing.
        Never fails: a lost wake-up is made good by the workers' sweeper.
        """


def encode_job(job: dict[str, Any]) -> bytes:
    """arq's serializer: JSON, as pickles from Redis would run as code."""
    return json.dumps(job, default=str).encode()


def decode_job(data: bytes) -> dict[str, Any]:
    """The inverse of `encode_job`."""
    job: dict[str, Any] = json.loads(data)
    return job


class ArqQueue:
    """`JobQueue` over arq."""

    def __init__(self, redis_url: str) -> None:
        pool = ConnectionPool.from_url(redis_url, socket_timeout=5, socket_connect_timeout=1)
        self._arq = ArqRedis(
            connection_pool=pool,
            job_serializer=encode_job,
            job_deserializer=decode_job,
            default_queue_name=QUEUE_NAME,
        )

    async def wake(self, work: str, id: UUID, wake_up: str, defer: timedelta = timedelta()) -> None:
        try:
            async with asyncio.timeout(_WAKE_SECONDS):
                # None (queued already, or a connection cut at EXEC) tells nothing.
                await self._arq.enqueue_job(
                    work, str(id), _job_id=f"{work}:{id}:{wake_up}", _defer_by=defer,
                    _expires=_WAKE_UP_LIFE + defer,
                )  # fmt: skip
        except (RedisError, OSError, TimeoutError) as error:
            log.warning(
                "worker not woken; its sweeper will find the work",
                work=work,
                id=str(id),
                error=str(error),
            )

    async def aclose(self) -> None:
        await self._arq.aclose(close_connection_pool=True)
