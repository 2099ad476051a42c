"""Running `careergraph` as a person does: a process of its own."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COMMAND = [sys.executable, "-m", "cli.main"]
ROOT = Path(__file__).parents[2]
_FOREIGN = ("CAREERGRAPH_", "MONGODB_", "REDIS_", "ANTHROPIC_", "NO_COLOR", "FORCE_COLOR")


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """This process's variables without those that configure CareerGraph, and with `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "80", **more}


async def careergraph(
    *arguments: str | Path, env: Mapping[str, str] | None = None, stdin: bytes = b""
) -> Outcome:
    """Run it to its end, in a minute at most."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *map(str, arguments),
        env=environment(**(env or {})),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            out, err = await process.communicate(stdin)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Outcome(await process.wait(), out.decode(), err.decode())


def assert_refused(outcome: Outcome, *words: str, code: int = 1) -> None:
    """It ended with `code`, nothing on stdout, and one plain line with these words on stderr."""
    assert (outcome.code, outcome.out) == (code, ""), outcome
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.err.startswith("careergraph: ")
    assert "\x1b" not in outcome.err
    for word in words:
        assert word in outcome.err
