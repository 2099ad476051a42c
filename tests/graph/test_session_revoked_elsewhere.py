"""Two web processes: what one revokes, the other refuses within 5 s."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from domain.core.deps import Deps
from tests.client import Client
from tests.conftest import free_port
from tests.graph.browser import browser_of
from tests.jobs.pieces import until

VIEWER = "{ viewer { name } }"


@asynccontextmanager
async def another_web(deps: Deps) -> AsyncIterator[str]:
    """`careergraph web`, a process of its own over the same servers and keys; its address."""
    port = free_port()
    environment = {
        **os.environ,
        "MONGODB_URI": deps.settings.mongodb_uri, "REDIS_URL": deps.settings.redis_url,
        "CAREERGRAPH_MONGODB_DATABASE": deps.settings.mongodb_database,
        "CAREERGRAPH_DATA_DIR": str(deps.settings.data_dir),
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "web", "--port", str(port), env=environment,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await until(lambda: _serves(port), patience=60)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _serves(port: int) -> bool:
    async with httpx2.AsyncClient() as http:
        try:
            answer = await http.get(f"http://127.0.0.1:{port}/health/ready")
        except httpx2.TransportError:
            return False
    return answer.status_code < 500


@pytest.mark.parametrize("keeps_redis", [True, False])
async def test_a_token_revoked_in_one_web_process_is_refused_by_another_within_5_s(
    deps: Deps, keeps_redis: bool
) -> None:
    async with another_web(deps) as address:
        _, tokens = await browser_of(deps, "Dana")
        here = Client(deps.settings.public_url, tokens.access_token)
        there = Client(address, tokens.access_token)
        for client in (here, there):
            assert await client.data(VIEWER) == {"viewer": {"name": "Dana"}}

        await here.data("mutation { signOut { session { id } } }")
        if not keeps_redis:  # as if Redis had been restarted empty
            await _forget_revocations(deps)
        started = time.monotonic()

        async def is_refused() -> bool:
            return await there.data(VIEWER) == {"viewer": None}

        await until(is_refused, patience=5)
        assert time.monotonic() - started < 5
        assert await here.data(VIEWER) == {"viewer": None}


async def _forget_revocations(deps: Deps) -> None:
    keys = [key async for key in deps.redis.scan_iter("careergraph:revoked:*")]
    if keys:
        await deps.redis.delete(*keys)
