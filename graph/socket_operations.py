"""The operations under way on one socket."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import structlog
from graphql import OperationType
from pydantic_core import to_json

from domain.core.tasks import end
from graph.context import Context
from graph.execution import Executor, Params, Prepared, RequestRefused
from graph.socket_messages import CloseCode, Payload, SocketClosing, Subscribe

log = structlog.get_logger()

OPERATIONS_MAX = 20
"""Under way at once on one socket."""
SEND_SECONDS = 10.0
"""How long a message may wait for a client that does not read."""


class SocketGone(Exception):
    """Nothing can be sent any more: the client has left, or does not read what it is sent."""


class Outbox:
    """Sends one message at a time, and waits until the server has room for it: what a slow client
    has not read yet holds its operations up instead of piling up."""

    def __init__(self, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        self._send = send
        self._turn = asyncio.Lock()

    async def put(self, message: Payload) -> None:
        """Raises SocketGone."""
        await self._put({"type": "websocket.send", "text": to_json(message).decode()})

    async def close(self, closing: SocketClosing) -> None:
        """The last that is sent. Raises SocketGone."""
        code, reason = int(closing.code), closing.reason
        await self._put({"type": "websocket.close", "code": code, "reason": reason})

    async def _put(self, event: dict[str, Any]) -> None:
        async with self._turn:
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await self._send(event)
            except OSError as error:  # servers say so when the client is gone; a timeout is one too
                raise SocketGone from error


class Operations:
    """Each is a task of its own, by the id that the client gave it.

    An id is free again before its last message goes out, or as soon as the client completes it.
    Completing ends a query or a subscription at once. A mutation that has begun is run to its end,
    which the executor's 30 s bound, and only its answer is dropped: one cut off half way would be
    done in part. What is being ended, or runs on so, is one of the most until it has ended.

    `lost` is called when nothing can be sent any more, `broken` after a bug.
    """

    def __init__(
        self,
        executor: Executor,
        outbox: Outbox,
        lost: Callable[[], None],
        broken: Callable[[], None],
    ) -> None:
        self._executor = executor
        self._outbox = outbox
        self._lost = lost
        self._broken = broken
        self._by_id: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        """All that have not ended, with those that were completed and are about to."""
        self._mutating: set[asyncio.Task[None]] = set()
        """Those of them whose mutation has begun: they are not cancelled."""
        self._enders: set[asyncio.Task[None]] = set()

    async def start(self, message: Subscribe, context: Context) -> None:
        """Raises SocketClosing for an id in use, SocketGone."""
        if message.id in self._by_id:
            raise SocketClosing(
                CloseCode.SUBSCRIBER_ALREADY_EXISTS, f"Subscriber for {message.id} already exists"
            )
        if len(self._mutating.union(self._by_id.values())) >= OPERATIONS_MAX:
            await self._outbox.put(_too_many(message.id))
            return
        while len(self._tasks) >= OPERATIONS_MAX:  # wait for those that are being ended
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self._run(message.id, message.params, context))
        self._by_id[message.id] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def complete(self, id: str) -> None:
        """End what the client no longer wants. An id that is not in use is one that has just
        ended by itself."""
        task = self._by_id.pop(id, None)
        if task is not None and task not in self._mutating:
            ender = asyncio.create_task(end(task))
            self._enders.add(ender)
            ender.add_done_callback(self._enders.discard)

    async def end(self) -> None:
        """End all but the mutations that have begun; those answer no more. Whatever was watched
        is no longer watched when this returns."""
        self._by_id.clear()
        await end(*(self._tasks - self._mutating))
        await asyncio.gather(*self._enders)

    async def finish(self) -> None:
        """After `end`, wait for those mutations. They are ended when this is cancelled."""
        try:
            if self._tasks:
                await asyncio.wait(self._tasks)
        finally:
            await end(*self._tasks)

    async def _run(self, id: str, params: Params, context: Context) -> None:
        try:
            last = await self._answer(id, params, context)
            self._forget(id)
            await self._outbox.put(last)
        except SocketGone:
            self._lost()
        except Exception:
            log.exception("an operation broke its socket")
            self._broken()

    async def _answer(self, id: str, params: Params, context: Context) -> Payload:
        """Send all results. Gives the message that ends the operation."""
        try:
            prepared = await self._executor.begin(params, context)
            if prepared.kind is OperationType.SUBSCRIPTION:
                async with aclosing(self._executor.subscribe(prepared, context)) as results:
                    async for result in results:
                        await self._send_next(id, result)
            elif prepared.kind is OperationType.MUTATION:
                await self._send_next(id, await self._mutate(id, prepared, context))
            else:
                await self._send_next(id, await self._executor.execute(prepared, context))
        except RequestRefused as refusal:
            errors = [error.formatted for error in refusal.errors]
            return {"id": id, "type": "error", "payload": errors}
        return {"id": id, "type": "complete"}

    async def _mutate(self, id: str, prepared: Prepared, context: Context) -> Payload:
        self._require_open(id)  # from here on nobody cancels it
        task = self._by_id[id]
        self._mutating.add(task)
        try:
            return await self._executor.execute(prepared, context)
        finally:
            self._mutating.discard(task)

    async def _send_next(self, id: str, result: Payload) -> None:
        self._require_open(id)
        await self._outbox.put({"id": id, "type": "next", "payload": result})

    def _forget(self, id: str) -> None:
        self._require_open(id)
        del self._by_id[id]

    def _require_open(self, id: str) -> None:
        """A library may have lost the request to end (see domain/core/tasks.py), and the id may
        be another operation's by now."""
        if self._by_id.get(id) is not asyncio.current_task():
            raise asyncio.CancelledError


def _too_many(id: str) -> Payload:
    error = {
        "message": f"{OPERATIONS_MAX} operations are under way on this socket, and no more are "
        "accepted. Complete one first, or open another socket.",
        "extensions": {"code": "TOO_MANY_SUBSCRIPTIONS", "limit": OPERATIONS_MAX},
    }
    return {"id": id, "type": "error", "payload": [error]}
