"""Live changes: MongoDB holds what is true, Redis only wakes those who wait for it.

A hint may be lost (Redis restarts, a connection is cut); then the document is noticed by the
periodic read of all watched ids, which each process does in one query for each collection.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import structlog
from pymongo.errors import PyMongoError
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from domain.core.delivery import Deliverable
from domain.core.tasks import end

log = structlog.get_logger()

_CHANNEL = "careergraph:changed"
_PUBLISH_SECONDS = 1.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 3.0
_IDS_PER_READ = 1000
_REDIS_FAULTS = (RedisError, OSError, TimeoutError)


def channel(document: type[Deliverable], id: UUID) -> str:
    """The channel on which changes of one document are announced."""
    return f"{_CHANNEL}:{document.get_collection_name()}:{id.hex}"


class Watch:
    """One waiter for one document."""

    def __init__(self, document: type[Deliverable], id: UUID) -> None:
        self.document = document
        self.id = id
        self.seen_version = 0
        """The last version its owner has handled; the periodic read wakes it for later ones."""
        self._event = asyncio.Event()

    def wake(self) -> None:
        self._event.set()

    async def changed(self) -> None:
        """Returns when the document may have changed since the last call."""
        await self._event.wait()
        self._event.clear()


class Changes:
    """The hints of one process: announces changes, and wakes the watches of its subscriptions."""

    def __init__(self, redis: Redis, reread_seconds: float) -> None:
        self._redis = redis
        self._reread_seconds = reread_seconds
        self._watches: dict[str, set[Watch]] = defaultdict(set)
        self._pubsub: PubSub | None = None

    async def announce(self, document: type[Deliverable], id: UUID) -> None:
        """Tell every process that a document has changed. Call it after the write. Never fails."""
        try:
            async with asyncio.timeout(_PUBLISH_SECONDS):
                await self._redis.publish(channel(document, id), b"")
        except _REDIS_FAULTS as error:
            log.warning("change not announced", id=str(id), error=str(error))

    @contextlib.asynccontextmanager
    async def watch(self, document: type[Deliverable], id: UUID) -> AsyncIterator[Watch]:
        """A watch that is woken for every change from now on: enter it before the first read."""
        name, watch = channel(document, id), Watch(document, id)
        self._watches[name].add(watch)
        try:
            # Each watch subscribes, as the first one's command may not have reached Redis yet.
            await self._tell_redis("subscribe", name)
            yield watch
        finally:
            self._watches[name].discard(watch)
            if not self._watches[name]:
                del self._watches[name]
                await self._tell_redis("unsubscribe", name)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listens and re-reads for as long as it is entered."""
        tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._reread())]
        try:
            yield
        finally:
            await end(*tasks)

    async def _tell_redis(self, command: str, name: str) -> None:
        pubsub = self._pubsub
        if pubsub is None or not _is_connected(pubsub):
            return  # the listener subscribes to everything watched when it connects
        # Shielded: redis-py closes the connection, which all watches share, on a cancelled send.
        await asyncio.shield(self._send(pubsub, command, name))

    async def _send(self, pubsub: PubSub, command: str, name: str) -> None:
        try:
            async with asyncio.timeout(_PUBLISH_SECONDS):
                await getattr(pubsub, command)(name)
        except _REDIS_FAULTS as error:
            log.warning("no hints for now", command=command, error=str(error))

    async def _listen(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(_CHANNEL)
                    pause = _FIRST_PAUSE
                    await self._deliver(pubsub)
            except _REDIS_FAULTS as error:
                # Once may be our own doing: a process that is busy starting reads its answer late.
                tell = log.debug if pause == _FIRST_PAUSE else log.warning
                tell("lost the hints from Redis", error=str(error), retry_seconds=pause)
            except Exception:  # whatever it is, the hints must come back
                log.exception("the hints from Redis broke off", retry_seconds=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _deliver(self, pubsub: PubSub) -> None:
        """Wake watches for as long as the connection lasts."""
        # From here on watches subscribe by themselves; those that came before are named now.
        self._pubsub = pubsub
        try:
            await pubsub.subscribe(_CHANNEL, *self._watches)
            self._wake_all()  # whatever was announced while nobody listened
            while _is_connected(pubsub):
                message = await pubsub.get_message(timeout=_LONGEST_PAUSE)
                if message is not None:
                    for watch in self._watches.get(message["channel"], ()):
                        watch.wake()
        finally:
            self._pubsub = None  # before it is closed: nothing may be sent on it any more

    def _wake_all(self) -> None:
        for watches in self._watches.values():
            for watch in watches:
                watch.wake()

    async def _reread(self) -> None:
        while True:
            await asyncio.sleep(self._reread_seconds)
            try:
                await self._wake_changed()
            except PyMongoError as error:
                log.warning("watched documents not read again", error=str(error))
            except Exception:  # whatever it is, the next read must come
                log.exception("reading the watched documents again failed")

    async def _wake_changed(self) -> None:
        by_document: dict[type[Deliverable], dict[UUID, set[Watch]]] = defaultdict(dict)
        for watches in self._watches.values():
            for watch in watches:
                by_document[watch.document].setdefault(watch.id, set()).add(watch)
        for document, by_id in by_document.items():
            ids = list(by_id)
            for start in range(0, len(ids), _IDS_PER_READ):
                part = ids[start : start + _IDS_PER_READ]
                versions = await document.versions(part)
                for id in part:
                    for watch in by_id[id]:
                        # One that is gone has no version: its watch is to notice that too.
                        if id not in versions or versions[id] > watch.seen_version:
                            watch.wake()


def _is_connected(pubsub: PubSub) -> bool:
    connection: Any = pubsub.connection  # redis-py types it as None
    return connection is not None and bool(connection.is_connected)
