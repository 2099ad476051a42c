"""Processes and waiting in tests."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[3]
"""Where a script started by a test finds the packages."""


async def eventually(condition: Callable[[], bool], timeout: float = 15.0) -> None:
    """Return once `condition` holds; fail the test after `timeout` seconds."""
    async with asyncio.timeout(timeout):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether the process lives; a zombie that nobody has reaped yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")
