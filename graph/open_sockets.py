"""All sockets of one web process: who may open another, and whose session has ended."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, Self
from uuid import UUID

import structlog

from domain.core.clock import now
from domain.core.deps import Deps
from domain.core.tasks import end
from graph.context import Session
from graph.socket_messages import CloseCode, SocketClosing
from graph.socket_places import PLACE_SECONDS, SOCKETS_MAX, Places

log = structlog.get_logger()

_LOOK_SECONDS = 1.0
_RENEW_SECONDS = PLACE_SECONDS / 4


class OpenSocket(Protocol):
    """What is known of a socket here, once its connection_init has come."""

    @property
    def id(self) -> UUID: ...
    @property
    def owner(self) -> str | None: ...
    @property
    def session(self) -> Session: ...

    def close(self, closing: SocketClosing) -> None:
        """Begin to close it. Does not wait, and may be called again."""


class OpenSockets:
    """Closes with 4401 the sockets whose token has expired or whose session was revoked, within
    about a second of this process knowing, in one loop for all."""

    def __init__(self, deps: Deps) -> None:
        self._revocations = deps.revocations
        self._places = Places(deps.redis)
        self._by_owner: dict[str, set[OpenSocket]] = defaultdict(set)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Looks after the sockets for as long as it is entered."""
        # Two tasks: a Redis that hangs must not hold up the closing.
        tasks = [
            asyncio.create_task(_each(_LOOK_SECONDS, self._close_ended)),
            asyncio.create_task(_each(_RENEW_SECONDS, self._renew_places)),
        ]
        try:
            yield self
        finally:
            await end(*tasks)

    async def add(self, socket: OpenSocket) -> None:
        """Raises SocketClosing when its owner has the most that are allowed."""
        owner = socket.owner
        if owner is None:
            return
        own = self._by_owner[owner]
        if len(own) >= SOCKETS_MAX:
            raise _too_many()
        own.add(socket)
        if not await self._places.take(owner, socket.id):
            self._discard(owner, socket)
            raise _too_many()

    async def remove(self, socket: OpenSocket) -> None:
        """Give its place back, if it has one."""
        owner = socket.owner
        if owner is not None and socket in self._by_owner.get(owner, ()):
            self._discard(owner, socket)
            await self._places.give_back(owner, socket.id)

    def _discard(self, owner: str, socket: OpenSocket) -> None:
        self._by_owner[owner].discard(socket)
        if not self._by_owner[owner]:
            del self._by_owner[owner]

    async def _close_ended(self) -> None:
        at = now()
        for sockets in self._by_owner.values():
            for socket in sockets:
                asker = socket.session.asker
                if asker is None:
                    continue
                if asker.expires_at <= at:
                    reason = "The access token has expired. Connect again with a new one."
                elif self._revocations.knows(asker):
                    reason = "The session was ended. Sign in again."
                else:
                    continue
                socket.close(SocketClosing(CloseCode.UNAUTHORIZED, reason))

    async def _renew_places(self) -> None:
        owners = list(self._by_owner.items())
        await self._places.renew((owner, [one.id for one in own]) for owner, own in owners)


def _too_many() -> SocketClosing:
    reason = f"Too many sockets: at most {SOCKETS_MAX} may be open at once. Close one first."
    return SocketClosing(CloseCode.TOO_MANY_REQUESTS, reason)


async def _each(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except Exception:  # whatever it is, the next turn must come
            log.exception("looking after the sockets failed")
