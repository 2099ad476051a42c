"""Clients that follow accepted work live, and come back when a connection breaks."""

import asyncio
import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count, cycle

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.chaos.kinds import Kind, is_final
from tests.client import Client, Json, receive, send, subscribe

_CONNECT_SECONDS = 10.0
_PAUSE_SECONDS = 0.5


class End(StrEnum):
    """How one stream of events ended."""

    COMPLETE = "complete"
    ERROR = "error"
    CUT = "cut"


@dataclass(frozen=True)
class Event:
    cursor: str
    status: str
    is_snapshot: bool


@dataclass
class Stream:
    """What came of one `subscribe`."""

    after: str | None
    events: list[Event] = field(default_factory=list)
    end: End | None = None


@dataclass
class Followed:
    """One piece of accepted work and every stream that its follower got of it."""

    kind: Kind
    id: str
    streams: list[Stream] = field(default_factory=list)
    saw_end_at: float | None = None
    """When its final state arrived, in seconds since the epoch."""
    faults: list[str] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether the server said that there is no more, as which clients take `complete`."""
        return bool(self.streams) and self.streams[-1].end is End.COMPLETE

    @property
    def cursor(self) -> str | None:
        """That of the last event seen."""
        seen = [event.cursor for stream in self.streams for event in stream.events]
        return seen[-1] if seen else None


class Follower:
    """One person's socket, with everything they follow on it, and its successors."""

    def __init__(self, doors: Sequence[Client]) -> None:
        self.followed: list[Followed] = []
        self._doors = cycle(doors)
        self._socket: ClientConnection | None = None
        self._live: dict[str, Followed] = {}
        self._names = count(1)
        self._later: set[asyncio.Task[None]] = set()

    async def follow(self, kind: Kind, id: str) -> None:
        """Follow from now on; by the next socket, where there is none now."""
        followed = Followed(kind, id)
        self.followed.append(followed)
        if self._socket is not None:
            await self._subscribe(self._socket, followed)

    async def run(self) -> None:
        """Connect and listen until cancelled."""
        while True:
            try:
                async with contextlib.AsyncExitStack() as stack:
                    async with asyncio.timeout(_CONNECT_SECONDS):
                        socket = await stack.enter_async_context(next(self._doors).socket())
                    await self._listen(socket)
            except (OSError, WebSocketException, TimeoutError):
                self._cut()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _listen(self, socket: ClientConnection) -> None:
        self._socket = socket
        for followed in list(self.followed):  # what comes from now on finds the socket by itself
            if not followed.is_over:
                await self._subscribe(socket, followed)
        while True:
            message = await receive(socket)
            if message["type"] == "ping":
                await send(socket, type="pong")
            elif failed := self._take(message):
                task = asyncio.create_task(self._subscribe_later(socket, failed))
                self._later.add(task)
                task.add_done_callback(self._later.discard)

    def _cut(self) -> None:
        self._socket = None
        for task in self._later:
            task.cancel()
        for followed in self._live.values():
            followed.streams[-1].end = End.CUT
        self._live.clear()

    async def _subscribe(self, socket: ClientConnection, followed: Followed) -> None:
        name = str(next(self._names))
        after = followed.cursor
        followed.streams.append(Stream(after))
        self._live[name] = followed
        with contextlib.suppress(ConnectionClosed):  # the listener finds out too
            variables = {"id": followed.id, "after": after}
            await subscribe(socket, name, followed.kind.subscription, variables)

    async def _subscribe_later(self, socket: ClientConnection, followed: Followed) -> None:
        await asyncio.sleep(_PAUSE_SECONDS)
        await self._subscribe(socket, followed)

    def _take(self, message: Json) -> Followed | None:
        """Note one message; what is to be subscribed to again, if its stream failed by it."""
        followed = self._live.get(message.get("id", ""))
        if followed is None:
            return None
        stream = followed.streams[-1]
        if message["type"] == "next" and "errors" not in message["payload"]:
            self._note(followed, stream, message["payload"]["data"][followed.kind.stream])
            return None
        if message["type"] == "next":
            followed.faults.append(json.dumps(message["payload"]["errors"]))
            stream.end = End.ERROR
            return None
        del self._live[message["id"]]
        if message["type"] == "error":
            followed.faults.append(json.dumps(message["payload"]))
            stream.end = End.ERROR
        stream.end = stream.end or End.COMPLETE
        return followed if stream.end is End.ERROR else None

    def _note(self, followed: Followed, stream: Stream, event: Json) -> None:
        status = event["node"]["status"]
        stream.events.append(Event(event["cursor"], status, event["isSnapshot"]))
        if is_final(status) and followed.saw_end_at is None:
            followed.saw_end_at = time.time()
