"""The work under way in one worker process.

It is kept apart from arq's own tasks: those die with the Redis connection, these need not.
"""

import asyncio
import contextlib
from uuid import UUID

from domain.core.deps import Deps
from domain.core.tasks import end
from jobs.delivery import deliver
from jobs.delivery_work import Work


class Runner:
    """Runs deliveries, each to its end, and hands back what is unfinished when told to stop."""

    def __init__(self, deps: Deps) -> None:
        self.deps = deps
        self._slots = asyncio.Semaphore(deps.settings.worker_concurrency)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def has_room(self) -> bool:
        return not self._slots.locked()

    async def start(self, work: Work, id: UUID) -> None:
        """Begin a delivery as soon as there is room for it, and do not wait for its end."""
        await self._slots.acquire()
        task = asyncio.create_task(deliver(self.deps, work, id))
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def drain(self, grace_seconds: float) -> None:
        """Let the work under way finish for a while, then cancel the rest, which hands it back."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_seconds)
        await end(*self._tasks)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._slots.release()
        self._tasks.discard(task)
        with contextlib.suppress(asyncio.CancelledError):
            if error := task.exception():
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "a delivery failed", "exception": error}
                )
