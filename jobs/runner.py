"""The work under way in one worker process.

It is kept apart from arq's own tasks: those die with the Redis connection, these need not.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

from domain.core.deps import Deps
from jobs.delivery import Work, deliver


class Runner:
    """Runs deliveries, each to its end, and hands back what is unfinished when told to stop."""

    def __init__(self, deps: Deps) -> None:
        self.deps = deps
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def free_slots(self) -> int:
        return max(0, self.deps.settings.worker_concurrency - len(self._tasks))

    async def run(self, work: Work, id: UUID) -> None:
        """Deliver, and wait for it; it goes on when the waiter is cancelled."""
        await asyncio.shield(self._spawn(deliver(self.deps, work, id)))

    def start(self, work: Work, id: UUID) -> None:
        """Deliver without waiting."""
        self._spawn(deliver(self.deps, work, id))

    async def drain(self, grace_seconds: float) -> None:
        """Let the work under way finish for a while, then cancel the rest, which hands it back."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_seconds)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _spawn(self, delivery: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(delivery)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        with contextlib.suppress(asyncio.CancelledError):
            if error := task.exception():
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "a delivery failed", "exception": error}
                )
