"""Ending asyncio tasks."""

import asyncio
from typing import Any

_AGAIN_SECONDS = 2.0


def heed_cancellation() -> None:
    """Raise CancelledError if this task was asked to end and a library lost the request.

    For loops to call after an await that may lose it: see `end`.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def end(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks until they have ended. What they raised can still be read; if nobody does,
    that is no complaint of asyncio's.

    One cancellation is not enough on Python 3.11: `asyncio.wait_for`, which MongoDB's driver
    uses, loses one that comes just as its future is done, and a loop would go on for ever.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_AGAIN_SECONDS)
    for task in tasks:
        if not task.cancelled():
            task.exception()
