"""The server under attack: a web process of its own over embedded databases."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from cli.local.servers import local_servers
from domain.auth.caller import UNKNOWN
from domain.auth.session_documents import SignInMethod
from domain.auth.sessions import open_session
from domain.core.deps import Deps, open_deps
from domain.core.settings import load_settings
from domain.cv.actions import create_cv
from domain.profile.actions import ensure_user
from graph import ids
from tests.conftest import free_port

# Nothing is to be refused for its number alone: every input is to reach what it aims at.
_NO_LIMITS = {
    "submits_per_minute": 60_000,
    "submit_burst": 10_000,
    "cvs_per_minute": 60_000,
    "cv_burst": 10_000,
    "cost_per_minute": 1_000_000_000,
    "address_cost_per_minute": 1_000_000_000,
}
_CV = "# Noa Levi\n\nBackend developer.\n\n## Skills\n\nPython, PostgreSQL, Docker\n"


@dataclass(frozen=True)
class Target:
    """A running server, and somebody's account on it."""

    url: str
    host: str
    _deps: Deps

    async def token(self) -> str:
        """The access token of a new session of a new person."""
        user = await ensure_user(f"{uuid4().hex}@example.com")
        tokens = await open_session(self._deps, user.id, SignInMethod.LOCAL, UNKNOWN)
        return tokens.access_token

    async def ids(self) -> Sequence[str]:
        """Global ids of every kind that exist, though they are somebody else's."""
        user = await ensure_user("victim@example.com")
        cv = await create_cv(self._deps, user.id, _CV, None, UUID(int=1))
        return [ids.encode(kind, cv.id) for kind in ("CV", "Job", "GapAnalysis")] + [
            ids.encode("User", user.id)
        ]


@asynccontextmanager
async def running_target(data: Path) -> AsyncIterator[Target]:
    """A web server as `careergraph web` runs it, on the folder `data`."""
    async with local_servers(data, os.environ, lambda line: None) as servers:
        host = f"127.0.0.1:{free_port()}"
        settings = load_settings(
            mongodb_uri=servers.mongodb_uri, redis_url=servers.redis_url, data_dir=data,
            public_url=f"http://{host}", **_NO_LIMITS,
        )  # fmt: skip
        limits = {f"CAREERGRAPH_{name.upper()}": str(value) for name, value in _NO_LIMITS.items()}
        environment = {
            **os.environ,
            **limits,
            "MONGODB_URI": settings.mongodb_uri,
            "REDIS_URL": settings.redis_url,
            "CAREERGRAPH_DATA_DIR": str(data),
            "CAREERGRAPH_PUBLIC_URL": settings.public_url,
        }
        command = [sys.executable, "-m", "cli.main", "web", "--port", host.rpartition(":")[2]]
        await servers.processes.add("web", command, environment, ready=lambda: _listens(host))
        async with open_deps(settings) as deps:
            yield Target(settings.public_url, host, deps)


async def _listens(host: str) -> None:
    name, _, port = host.rpartition(":")
    while True:
        try:
            _, writer = await asyncio.open_connection(name, int(port))
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
