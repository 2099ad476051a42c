"""When sessions were last used, noted without a write for each request."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import structlog
from pymongo.errors import PyMongoError

from domain.auth.session_documents import Session
from domain.core.clock import now
from domain.core.tasks import end, heed_cancellation

log = structlog.get_logger()

WRITE_SECONDS = 20.0


class LastUse:
    """The uses that one process has seen and not yet written: one entry for each session."""

    def __init__(self, write_seconds: float = WRITE_SECONDS) -> None:
        self._write_seconds = write_seconds
        self._seen: dict[UUID, datetime] = {}

    def note(self, session_id: UUID) -> None:
        """The session is being used."""
        self._seen[session_id] = now()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Writes every 20 s, and at the end."""
        task = asyncio.create_task(self._keep_writing())
        try:
            yield
        finally:
            await end(task)
            await self.write()

    async def write(self) -> None:
        """Write what was seen since the last time. Never fails: a lost use is no great loss."""
        seen, self._seen = self._seen, {}
        try:
            await Session.note_uses(seen)
        except (PyMongoError, OSError) as error:
            log.warning("last use of sessions not written", sessions=len(seen), error=str(error))

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(self._write_seconds)
            await self.write()
            heed_cancellation()
