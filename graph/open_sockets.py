"""All sockets of one web process: who may open another, and whose session has ended."""

import asyncio
import contextlib
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, Self
from uuid import UUID

import pymongo
import structlog

from domain.auth.session_documents import Asker
from domain.core.clock import now
from domain.core.deps import Deps
from domain.core.tasks import end, heed_cancellation
from domain.sign_in.external import lapsed
from graph.context import Session
from graph.socket_messages import CloseCode, SocketClosing
from graph.socket_places import PLACE_SECONDS, SOCKETS_MAX, Places

log = structlog.get_logger()

_LOOK_SECONDS = 1.0
_ASK_SECONDS = 2.0
_READ_SECONDS = 2.0
_RENEW_SECONDS = PLACE_SECONDS / 4
_ENDED = "The session was ended. Sign in again."


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
    about a second of this process knowing, in one loop for all.

    Tokens of external issuers have no session here that could be revoked: whether their accounts
    and ways in are still there is asked every 2 s, for all of them at once.
    """

    def __init__(self, deps: Deps) -> None:
        self._revocations = deps.revocations
        self._places = Places(deps.redis)
        self._by_owner: dict[str, set[OpenSocket]] = defaultdict(set)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Looks after the sockets for as long as it is entered."""
        # Several tasks: a Redis or MongoDB that hangs must not hold up the others.
        tasks = [
            asyncio.create_task(_each(_LOOK_SECONDS, self._close_ended)),
            asyncio.create_task(_each(_ASK_SECONDS, self._close_lapsed)),
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
                    reason = _ENDED
                else:
                    continue
                socket.close(SocketClosing(CloseCode.UNAUTHORIZED, reason))

    async def _close_lapsed(self) -> None:
        by_asker: dict[Asker, list[OpenSocket]] = defaultdict(list)
        for socket in itertools.chain.from_iterable(self._by_owner.values()):
            asker = socket.session.asker
            if asker is not None and asker.session_id is None:
                by_asker[asker].append(socket)
        with pymongo.timeout(_READ_SECONDS):
            gone = await lapsed(by_asker)
        for asker in gone:
            for socket in by_asker[asker]:
                if socket.session.asker == asker:  # else a ping brought a fresh token meanwhile
                    socket.close(SocketClosing(CloseCode.UNAUTHORIZED, _ENDED))

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
        heed_cancellation()
