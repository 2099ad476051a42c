"""Waiting for what does not announce itself."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

EVERY = 0.03

Answer = TypeVar("Answer")


async def until(
    ask: Callable[[], Awaitable[Answer | None]], *, timeout: float | None = None
) -> Answer:
    """Ask every 30 ms until the answer is true, and return it.

    Raises TimeoutError after `timeout` seconds.
    """
    async with asyncio.timeout(timeout):
        while True:
            if answer := await ask():
                return answer
            await asyncio.sleep(EVERY)
