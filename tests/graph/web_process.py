"""`careergraph web` as a process of its own."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from domain.core.deps import Deps
from tests.conftest import free_port
from tests.jobs.pieces import until


class WebProcess:
    """A web server over these parts' databases, on one port for all its lives.

    `more` are environment variables.
    """

    def __init__(self, deps: Deps, **more: str) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._deps = deps
        self._more = more
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        settings = self._deps.settings
        environment = {
            **os.environ,
            "MONGODB_URI": settings.mongodb_uri,
            "REDIS_URL": settings.redis_url,
            "CAREERGRAPH_MONGODB_DATABASE": settings.mongodb_database,
            "CAREERGRAPH_DATA_DIR": str(settings.data_dir),
            "CAREERGRAPH_PUBLIC_URL": self.address,
            "CAREERGRAPH_ALLOWED_ORIGINS": json.dumps(settings.allowed_origins),
            "CAREERGRAPH_COST_PER_MINUTE": "1000000",
            "CAREERGRAPH_ADDRESS_COST_PER_MINUTE": "1000000",
            **self._more,
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli.main", "web", "--port", str(self.port),
            env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        await until(self._is_live)

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Ask it to end, as deployments do, and wait until it has."""
        await self._end(signal.SIGTERM)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        await self.start()
        try:
            yield
        finally:
            await self.kill()

    async def _end(self, how: signal.Signals) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(how)
        await self._process.wait()

    async def _is_live(self) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, "the web server ended at start"
        try:
            async with httpx2.AsyncClient(base_url=self.address) as http:
                return (await http.get("/health/live")).status_code == 200
        except httpx2.TransportError:
            return False
